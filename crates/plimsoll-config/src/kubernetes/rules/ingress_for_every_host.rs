//! An ingress that answers to every name.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-ingress-for-every-host",
    title: "ingress for every host",
    severity: Severity::Low,
    help: "\
Without a host, or with `*`, the ingress takes requests for every name that leads to the cluster, also for those of
others. Name the host.

Bad:

```yaml
rules:
- http: {paths: []}
```

Good:

```yaml
rules:
- host: shop.example.org
  http: {paths: []}
```",
    references: &["https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-rules"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph
        .of_kind("Ingress")
        .filter(|object| matches!(object.group.as_str(), "networking.k8s.io" | "extensions"))
    {
        for rule in object.at(&["spec", "rules"]).map_or(&[][..], Node::items) {
            let host = rule.get("host");
            if host.and_then(Node::text).is_none_or(|host| matches!(host, "" | "*")) {
                object
                    .report(found, Some(host.unwrap_or(rule)), "answers to every name".to_owned())
                    .identity("host")
                    .fix("name the host");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_every_host() {
        fires(&RULE, &object("Ingress", "spec:\n  rules:\n  - http: {}\n  - host: '*'\n"), &["7:5", "8:11"]);
    }

    #[test]
    fn is_silent_on_one() {
        is_silent(&RULE, &object("Ingress", "spec:\n  rules: [{host: a.org}]\n"));
    }
}
