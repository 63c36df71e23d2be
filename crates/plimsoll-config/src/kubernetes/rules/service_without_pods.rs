//! A service that leads nowhere.

use super::prelude::*;
use std::rc::Rc;
pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-service-without-pods",
    title: "service for no pod",
    severity: Severity::Low,
    help: "\
A service whose selector fits none of the pods beside it answers nobody: mostly a label was renamed.

Bad:

```yaml
kind: Service
spec:
  selector: {app: shpo}
```

Good:

```yaml
kind: Service
spec:
  selector: {app: shop}
```",
    references: &["https://kubernetes.io/docs/concepts/services-networking/service/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.of_kind("Service").filter(|object| object.group.is_empty()) {
        let Some(selector) =
            object.at(&["spec", "selector"]).filter(|selector| !selector.entries().is_empty())
        else {
            continue;
        };
        let in_file = |workload: &Workload<'_>| {
            workload.object.is_beside(object) && Rc::ptr_eq(&workload.object.source, &object.source)
        };
        // Only a file that brings pods too can be judged: others are selected from elsewhere.
        let mut beside = graph.workloads().filter(in_file).peekable();
        let fits = |workload: Workload<'_>| {
            selector.entries().iter().all(|(key, value)| workload.label(&key.text) == value.text())
        };
        if beside.peek().is_some() && !graph.workloads().any(fits) {
            object
                .report(found, Some(selector), "fits no pod of these manifests".to_owned())
                .fix("compare it with the labels of the pods");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_selector_that_fits_nothing() {
        fires(&RULE, &all(&[&pod("{}\n"), &object("Service", "spec:\n  selector: {app: q}\n")]), &["12:13"]);
    }

    #[test]
    fn is_silent_on_one_that_fits_and_where_the_pods_are_elsewhere() {
        is_silent(&RULE, &all(&[&pod("{}\n"), &object("Service", "spec:\n  selector: {app: p}\n")]));
        is_silent(&RULE, &object("Service", "spec:\n  selector: {app: q}\n"));
    }
}
