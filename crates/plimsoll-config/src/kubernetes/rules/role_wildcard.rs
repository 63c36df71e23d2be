//! A role that allows what nobody has read.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-role-wildcard",
    title: "role with a wildcard",
    severity: Severity::Medium,
    help: "\
`*` allows everything that exists, and everything that will: with the next operator come resources and verbs that
nobody thought of. Name what is needed. A cluster role with `*` for both is the administrator under another name.

Bad:

```yaml
rules:
- apiGroups: [\"*\"]
  resources: [\"*\"]
  verbs: [\"*\"]
```

Good:

```yaml
rules:
- apiGroups: [\"\"]
  resources: [configmaps]
  verbs: [get, list]
```",
    references: &["https://kubernetes.io/docs/concepts/security/rbac-good-practices/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for grant in graph.grants() {
        let resources = grant.item("resources", &["*", "*/*"]);
        let verbs = grant.item("verbs", &["*"]);
        let Some(node) = resources.or(verbs) else { continue };
        let what = if resources.is_some() { "resource" } else { "verb" };
        let issue = grant.object.report(found, Some(node), format!("allows every {what}"));
        issue.identity(what).fix("name what is needed");
        let reads_only = verbs.is_none()
            && !grant.allows(&[
                "create",
                "update",
                "patch",
                "delete",
                "deletecollection",
                "escalate",
                "bind",
                "impersonate",
            ]);
        let is_core = grant.item("apiGroups", &["*", "", "rbac.authorization.k8s.io"]).is_some();
        if resources.is_some() && verbs.is_some() && is_core && grant.object.kind == "ClusterRole" {
            issue.severity(Severity::High);
        } else if reads_only {
            issue.severity(Severity::Low);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_wildcards() {
        fires(&RULE, &role("ClusterRole", "'*'", "'*'", "'*'"), &["7:15"]);
        fires(&RULE, &role("Role", "''", "pods", "'*'"), &["8:11"]);
    }

    #[test]
    fn is_silent_on_names() {
        is_silent(&RULE, &role("Role", "''", "pods", "get, list"));
    }
}
