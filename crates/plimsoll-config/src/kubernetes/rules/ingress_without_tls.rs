//! An ingress that is reached without encryption.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-ingress-without-tls",
    title: "ingress without TLS",
    severity: Severity::Medium,
    help: "\
Without TLS everybody on the way reads and changes what goes through, sessions and passwords included. Name a secret
with a certificate; an operator can keep it fresh.

Bad:

```yaml
kind: Ingress
spec:
  rules:
  - host: shop.example.org
```

Good:

```yaml
kind: Ingress
spec:
  tls:
  - {hosts: [shop.example.org], secretName: shop-tls}
  rules:
  - host: shop.example.org
```",
    references: &["https://kubernetes.io/docs/concepts/services-networking/ingress/#tls"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph
        .of_kind("Ingress")
        .filter(|object| matches!(object.group.as_str(), "networking.k8s.io" | "extensions"))
    {
        let has_tls = object.at(&["spec", "tls"]).is_some_and(|tls| !tls.items().is_empty());
        // Load balancers of clouds take their certificate from an annotation.
        let annotations = object.at(&["metadata", "annotations"]).map_or(&[][..], Node::entries);
        let elsewhere = annotations.iter().any(|(key, _)| {
            key.text.contains("certificate")
                || key.text.contains("ssl-cert")
                || key.text.contains("managed-cert")
        });
        if object.at(&["spec"]).is_some() && !has_tls && !elsewhere {
            object.report(found, None, "is reached without encryption".to_owned()).fix("add `spec.tls`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_where_there_is_none() {
        fires(&RULE, &object("Ingress", "spec:\n  rules: [{host: a}]\n"), &["4:3"]);
    }

    #[test]
    fn is_silent_where_there_is_and_where_the_cloud_has_it() {
        is_silent(&RULE, &object("Ingress", "spec:\n  tls: [{hosts: [a], secretName: b}]\n"));
        is_silent(
            &RULE,
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {annotations: {alb.ingress.kubernetes.io/certificate-arn: a}}\nspec: {}\n",
        );
    }
}
