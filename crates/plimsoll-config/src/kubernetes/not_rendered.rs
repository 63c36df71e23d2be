//! Templates of a Helm chart, which become manifests only with values.

use crate::{issue::Found, source::Source};
use plimsoll_scan::{Rule, Severity};
use std::rc::Rc;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-template-not-rendered",
    title: "chart whose manifests are not looked at",
    severity: Severity::Info,
    help: "\
Templates of a Helm chart are no manifests: what they become depends on the values. No other rule looks at them. Render the
chart with the values that you deploy, and scan what comes out.

Bad:

```text
charts/shop/templates/deployment.yaml
```

Good:

```sh
helm template shop charts/shop --values production.yaml > rendered/shop.yaml
```",
    references: &["https://helm.sh/docs/helm/helm_template/"],
};

/// Reports the chart at its first template.
pub(crate) fn report(source: &Rc<Source>, chart: &str, found: &mut Found<'_>) {
    let chart = chart.trim_end_matches('/');
    let name = if chart.is_empty() { "this chart" } else { chart };
    found
        .at(source, &(0..0), format!("the templates of {name} are not looked at: they are not filled in yet"))
        .subject(chart)
        .identity("chart")
        .fix("scan the output of `helm template` with the values that you deploy");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::{found, is_silent_on};

    #[test]
    fn fires_on_a_chart_once() {
        let text = "apiVersion: v1\nkind: {{ .Values.kind }}\n";
        let files =
            [("a/templates/x.yaml", text), ("a/templates/y.yaml", text), ("b/templates/x.yaml", text)];
        let subjects: Vec<String> = found(&RULE, &files).into_iter().map(|finding| finding.subject).collect();
        assert_eq!(subjects, ["a", "b"]);
    }

    #[test]
    fn is_silent_on_a_rendered_manifest() {
        is_silent_on(&RULE, "rendered/templates/x.yaml", "apiVersion: v1\nkind: Pod\n");
    }
}
