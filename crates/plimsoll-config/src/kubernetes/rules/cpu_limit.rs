//! A container without a limit of processor time.

use super::prelude::*;
use crate::kubernetes::resources::{Amount, report_unstated};

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-cpu-limit",
    title: "container without a cpu limit",
    severity: Severity::Info,
    help: "\
Without a limit one busy loop takes what the other pods of the node would need beyond their requests. Where requests
are right, some teams leave it out on purpose.

Bad:

```yaml
resources: {}
```

Good:

```yaml
resources:
  limits:
    cpu: 250m
```",
    references: &["https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    report_unstated(graph, Amount::Limit, "cpu", found);
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
        is_silent(&RULE, &container("resources:\n  limits:\n    cpu: 250m"));
        is_silent(
            &RULE,
            &all(&[
                &container("image: a\n"),
                &object(
                    "LimitRange",
                    "  namespace: n\nspec:\n  limits:\n  - type: Container\n    default: {cpu: 250m}\n",
                ),
            ]),
        );
    }
}
