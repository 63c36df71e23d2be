//! A token for others that lasts.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-token-for-others",
    title: "token for others that lasts",
    severity: Severity::Low,
    help: "\
A projected token is for the audience that it names, until it expires. One that lasts for days is found in a log long
before that.

Bad:

```yaml
projected:
  sources:
  - serviceAccountToken: {path: token, expirationSeconds: 31536000}
```

Good:

```yaml
projected:
  sources:
  - serviceAccountToken: {path: token, expirationSeconds: 3600}
```",
    references: &["https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/"],
};

/// A day.
const LONGEST: i64 = 86_400;

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for workload in graph.workloads() {
        let sources = workload
            .volumes()
            .iter()
            .filter_map(|volume| volume.at(&["projected", "sources"]))
            .flat_map(Node::items);
        for node in sources.filter_map(|source| source.at(&["serviceAccountToken", "expirationSeconds"])) {
            if node.number().is_some_and(|seconds| seconds > LONGEST) {
                workload
                    .report(found, Some(node), "this token lasts longer than a day".to_owned())
                    .fix("let it expire within an hour");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_days() {
        fires(
            &RULE,
            &pod(
                "volumes:\n- name: a\n  projected:\n    sources:\n    - serviceAccountToken:\n        expirationSeconds: 31536000",
            ),
            &["10:30"],
        );
    }

    #[test]
    fn is_silent_on_an_hour() {
        is_silent(
            &RULE,
            &pod(
                "volumes:\n- name: a\n  projected:\n    sources:\n    - serviceAccountToken: {expirationSeconds: 3600}",
            ),
        );
    }
}
