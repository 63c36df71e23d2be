//! Objects for tests, each with the one part that a rule is about.

pub(super) use crate::test::{fires_on, is_fixed_by_its_diff, is_silent_on};
use plimsoll_scan::Rule;

/// A pod whose `spec` has these lines, which stand from line 5 on, indented by two.
pub(super) fn pod(spec: &str) -> String {
    let spec: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: p, namespace: n, labels: {{app: p}}}}\nspec:\n{spec}"
    )
}

/// A pod with one container that has these lines, which stand from line 7 on, indented by four.
pub(super) fn container(lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("  {line}\n")).collect();
    pod(&format!("containers:\n- name: c\n{lines}"))
}

/// An object named `x`, whose name stands in line 4 and whose further lines begin with line 5.
pub(super) fn object(kind: &str, more: &str) -> String {
    let version = match kind {
        "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding" => "rbac.authorization.k8s.io/v1",
        "Deployment" | "StatefulSet" | "DaemonSet" => "apps/v1",
        "Job" | "CronJob" => "batch/v1",
        "NetworkPolicy" | "Ingress" => "networking.k8s.io/v1",
        _ => "v1",
    };
    format!("apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: x\n{more}")
}

/// A role with one rule, which stands in lines 6 to 8.
pub(super) fn role(kind: &str, groups: &str, resources: &str, verbs: &str) -> String {
    object(
        kind,
        &format!("rules:\n- apiGroups: [{groups}]\n  resources: [{resources}]\n  verbs: [{verbs}]\n"),
    )
}

/// A binding of one role, named in line 5, to one subject, in line 7.
pub(super) fn binding(kind: &str, role: &str, subject: &str) -> String {
    object(kind, &format!("roleRef: {{kind: ClusterRole, name: {role}}}\nsubjects:\n- {{{subject}}}\n"))
}

/// Several documents in one file.
pub(super) fn all(documents: &[&str]) -> String {
    documents.join("---\n")
}

/// Holds where the rule fires in a manifest.
#[track_caller]
pub(super) fn fires(rule: &Rule, text: &str, places: &[&str]) {
    fires_on(rule, "a.yaml", text, places);
}

/// Holds that the rule finds nothing in a manifest.
#[track_caller]
pub(super) fn is_silent(rule: &Rule, text: &str) {
    is_silent_on(rule, "a.yaml", text);
}

/// Holds that the first finding's diff changes these lines and removes the finding.
#[track_caller]
pub(super) fn is_fixed(rule: &Rule, text: &str, changes: &[&str]) {
    is_fixed_by_its_diff(rule, "a.yaml", text, changes);
}
