//! A container without a limit of memory.

use super::prelude::*;
use crate::kubernetes::resources::{Amount, report_unstated};

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-memory-limit",
    title: "container without a memory limit",
    severity: Severity::Low,
    help: "\
Without a limit one leak takes the memory of the whole node, and the kernel kills whatever it likes there. The limit
keeps the damage inside of the pod.

Bad:

```yaml
resources: {}
```

Good:

```yaml
resources:
  limits:
    memory: 256Mi
```",
    references: &["https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    report_unstated(graph, Amount::Limit, "memory", found);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_where_there_is_none() {
        fires(&RULE, &container("image: a"), &["6:5"]);
        fires(&RULE, &container("resources: {limits: {other: 1}}"), &["6:5"]);
    }

    #[test]
    fn is_silent_where_it_is_set_or_the_namespace_has_a_default() {
        is_silent(&RULE, &container("resources:\n  limits:\n    memory: 256Mi"));
        is_silent(
            &RULE,
            &all(&[
                &container("image: a\n"),
                &object(
                    "LimitRange",
                    "  namespace: n\nspec:\n  limits:\n  - type: Container\n    default: {memory: 256Mi}\n",
                ),
            ]),
        );
    }
}
