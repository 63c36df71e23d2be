//! How the rules are tested: a file as text, and where the rule must fire in it. Everything goes through the [`Checker`], so
//! that kinds, readers and places are tested with them.

use crate::{Checked, Checker, rules};
use plimsoll_scan::{Finding, Rule};

/// Judges some files; none may be a gap.
pub(crate) fn checked(files: &[(&str, &str)]) -> Checked {
    let mut checker = Checker::new();
    for (path, text) in files {
        assert!(checker.add(path, text.as_bytes()), "{path} is of no kind");
    }
    let checked = checker.finish();
    assert_eq!(checked.coverage.gaps, [], "{files:?}");
    checked
}

/// What `rule` finds in some files.
pub(crate) fn found(rule: &Rule, files: &[(&str, &str)]) -> Vec<Finding> {
    assert!(rules().iter().any(|known| known.id == rule.id), "{} is in no registry", rule.id);
    checked(files).findings.into_iter().filter(|finding| finding.rule == rule.id).collect()
}

/// Holds that `rule` fires in the file at exactly these places, each `line:column`.
#[track_caller]
pub(crate) fn fires_on(rule: &Rule, path: &str, text: &str, places: &[&str]) {
    let found = found(rule, &[(path, text)]);
    let at = |finding: &Finding| finding.location.as_ref().map(|at| format!("{}:{}", at.line, at.column));
    let at: Vec<String> = found.iter().filter_map(at).collect();
    assert_eq!(at, places, "{} in:\n{text}\n{found:#?}", rule.id);
}

/// Holds that `rule` finds nothing in the file.
#[track_caller]
pub(crate) fn is_silent_on(rule: &Rule, path: &str, text: &str) {
    fires_on(rule, path, text, &[]);
}

/// Holds that the first finding of `rule` has a diff with these changed lines, and that the rule is silent after it.
#[track_caller]
pub(crate) fn is_fixed_by_its_diff(rule: &Rule, path: &str, text: &str, changes: &[&str]) {
    let finding = found(rule, &[(path, text)]).into_iter().next().expect("a finding");
    let diff = finding.diff.expect("a diff");
    let body = diff.lines().skip(2).filter(|line| line.starts_with(['+', '-']));
    assert_eq!(body.collect::<Vec<_>>(), changes, "{diff}");
    let fixed = apply(text, &diff);
    let left = found(rule, &[(path, &fixed)]);
    assert!(left.iter().all(|left| left.fingerprint != finding.fingerprint), "{fixed}\n{left:#?}");
}

/// The text after a diff of one file.
pub(crate) fn apply(text: &str, diff: &str) -> String {
    let old: Vec<&str> = text.lines().collect();
    let (mut new, mut at) = (Vec::new(), 0);
    for line in diff.lines().skip(2) {
        if let Some(head) = line.strip_prefix("@@ -") {
            let (start, count) = head.split_whitespace().next().unwrap().split_once(',').unwrap();
            let start: usize = start.parse().unwrap();
            let start = if count == "0" { start } else { start - 1 };
            new.extend_from_slice(&old[at..start]);
            at = start;
            continue;
        }
        match line.split_at(1) {
            (" ", kept) => {
                assert_eq!(old[at], kept);
                new.push(kept);
                at += 1;
            }
            ("-", gone) => {
                assert_eq!(old[at], gone);
                at += 1;
            }
            ("+", added) => new.push(added),
            _ => {}
        }
    }
    new.extend_from_slice(&old[at..]);
    new.join("\n") + "\n"
}
