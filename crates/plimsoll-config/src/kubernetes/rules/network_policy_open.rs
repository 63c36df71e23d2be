//! A network policy that allows everybody in.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-network-policy-open",
    title: "network policy that lets everybody in",
    severity: Severity::Low,
    help: "\
A rule without `from`, or from every address, allows what no policy would allow too. Name who may come.

Bad:

```yaml
ingress:
- {}
```

Good:

```yaml
ingress:
- from:
  - podSelector: {matchLabels: {app: web}}
```",
    references: &["https://kubernetes.io/docs/concepts/services-networking/network-policies/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.of_kind("NetworkPolicy") {
        for rule in object.at(&["spec", "ingress"]).map_or(&[][..], Node::items) {
            let from = rule.get("from").map_or(&[][..], Node::items);
            let world = from.iter().find(|peer| {
                matches!(peer.at(&["ipBlock", "cidr"]).and_then(Node::text), Some("0.0.0.0/0" | "::/0"))
            });
            // A rule for ports only is how a public service is described.
            let everybody = from.is_empty() && rule.get("ports").is_none();
            if everybody || world.is_some() {
                object
                    .report(found, Some(world.unwrap_or(rule)), "lets everybody in".to_owned())
                    .fix("name who may come with `from`");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_everybody() {
        fires(&RULE, &object("NetworkPolicy", "spec:\n  ingress:\n  - {}\n"), &["7:5"]);
        fires(
            &RULE,
            &object("NetworkPolicy", "spec:\n  ingress:\n  - from:\n    - ipBlock: {cidr: 0.0.0.0/0}\n"),
            &["8:7"],
        );
    }

    #[test]
    fn is_silent_on_some_and_on_ports() {
        is_silent(
            &RULE,
            &object(
                "NetworkPolicy",
                "spec:\n  ingress:\n  - from: [{podSelector: {}}]\n  - ports: [{port: 80}]\n",
            ),
        );
        is_silent(&RULE, &object("NetworkPolicy", "spec: {podSelector: {}, policyTypes: [Ingress]}\n"));
    }
}
