//! A container without a request of memory.

use super::prelude::*;
use crate::kubernetes::resources::{Amount, report_unstated};

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-memory-request",
    title: "container without a memory request",
    severity: Severity::Info,
    help: "\
The scheduler places pods by their requests. Without one, nodes are filled beyond what they have, and the pod is the
first that is thrown out.

Bad:

```yaml
resources: {}
```

Good:

```yaml
resources:
  requests:
    memory: 256Mi
```",
    references: &["https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    report_unstated(graph, Amount::Request, "memory", found);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_where_there_is_none() {
        fires(&RULE, &container("image: a"), &["6:5"]);
        fires(&RULE, &container("resources: {requests: {other: 1}}"), &["6:5"]);
    }

    #[test]
    fn is_silent_where_it_is_set_or_the_namespace_has_a_default() {
        is_silent(&RULE, &container("resources:\n  requests:\n    memory: 256Mi"));
        is_silent(
            &RULE,
            &all(&[
                &container("image: a\n"),
                &object(
                    "LimitRange",
                    "  namespace: n\nspec:\n  limits:\n  - type: Container\n    defaultRequest: {memory: 256Mi}\n",
                ),
            ]),
        );
    }
}
