//! A container without a request of processor time.

use super::prelude::*;
use crate::kubernetes::resources::{Amount, report_unstated};

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-cpu-request",
    title: "container without a cpu request",
    severity: Severity::Info,
    help: "\
The scheduler places pods by their requests. Without one, the pod gets what is left over, which under load is next to
nothing.

Bad:

```yaml
resources: {}
```

Good:

```yaml
resources:
  requests:
    cpu: 250m
```",
    references: &["https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    report_unstated(graph, Amount::Request, "cpu", found);
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
        is_silent(&RULE, &container("resources:\n  requests:\n    cpu: 250m"));
        is_silent(
            &RULE,
            &all(&[
                &container("image: a\n"),
                &object(
                    "LimitRange",
                    "  namespace: n\nspec:\n  limits:\n  - type: Container\n    defaultRequest: {cpu: 250m}\n",
                ),
            ]),
        );
    }
}
