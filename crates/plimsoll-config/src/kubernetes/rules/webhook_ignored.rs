//! A policy that is skipped when its server is down.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-webhook-ignored",
    title: "admission webhook that is skipped when it fails",
    severity: Severity::Low,
    help: "\
With `Ignore`, whoever makes the webhook slow or unreachable has switched the policy off. Use `Fail`, and spare the
namespace in which the webhook itself runs.

Bad:

```yaml
webhooks:
- name: policy.example.org
  failurePolicy: Ignore
```

Good:

```yaml
webhooks:
- name: policy.example.org
  failurePolicy: Fail
```",
    references: &["https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.of_kind("ValidatingWebhookConfiguration") {
        for webhook in object.at(&["webhooks"]).map_or(&[][..], Node::items) {
            if let Some(node) = webhook.get("failurePolicy").filter(|node| node.text() == Some("Ignore")) {
                object
                    .report(found, Some(node), "is skipped when its server is down".to_owned())
                    .fix("write Fail");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_ignore() {
        fires(
            &RULE,
            &object("ValidatingWebhookConfiguration", "webhooks:\n- name: a\n  failurePolicy: Ignore\n"),
            &["7:18"],
        );
    }

    #[test]
    fn is_silent_on_fail() {
        is_silent(
            &RULE,
            &object("ValidatingWebhookConfiguration", "webhooks: [{name: a, failurePolicy: Fail}]\n"),
        );
    }
}
