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
