//! A network policy that lets everything out.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-network-policy-egress-open",
    title: "network policy that lets everything out",
    severity: Severity::Low,
    help: "\
An intruder calls home, and fetches more. A rule without `to`, or to every address, allows both. Name where the pods
need to go.

Bad:

```yaml
egress:
- {}
```

Good:

```yaml
egress:
- to:
  - podSelector: {matchLabels: {app: db}}
```",
    references: &["https://kubernetes.io/docs/concepts/services-networking/network-policies/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.of_kind("NetworkPolicy") {
        for rule in object.at(&["spec", "egress"]).map_or(&[][..], Node::items) {
            let to = rule.get("to").map_or(&[][..], Node::items);
            let is_world = |peer: &&Node| {
                let block =
                    matches!(peer.at(&["ipBlock", "cidr"]).and_then(Node::text), Some("0.0.0.0/0" | "::/0"));
                block && peer.at(&["ipBlock", "except"]).is_none()
            };
            let world = to.iter().find(is_world).filter(|_| rule.get("ports").is_none());
            let everything = to.is_empty() && rule.get("ports").is_none();
            if everything || world.is_some() {
                object
                    .report(found, Some(world.unwrap_or(rule)), "lets everything out".to_owned())
                    .fix("name where the pods need to go with `to`");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_everything() {
        fires(&RULE, &object("NetworkPolicy", "spec:\n  egress:\n  - {}\n"), &["7:5"]);
    }

    #[test]
    fn is_silent_on_some_and_on_ports() {
        is_silent(
            &RULE,
            &object(
                "NetworkPolicy",
                "spec:\n  egress:\n  - to: [{podSelector: {}}]\n  - ports: [{port: 53}]\n",
            ),
        );
    }
}
