//! What several scanners found, each thing once: the same advisory about the same package, or the same kind of thing at the
//! same place. Reports are of SARIF that others wrote; what says neither stays by itself.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Things under one name that are compared. Beyond that some may be shown twice, whatever a report holds.
const MAX_SAME: usize = 64;

/// A result of one scanner.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'r> {
    /// The gate of the scan.
    pub(super) gate: &'r str,
    /// The name of the scan.
    pub(super) scan: &'r str,
    /// The tool, by its own word.
    pub(super) tool: &'r str,
    /// The result, of whatever shape.
    pub(super) result: &'r Value,
}

/// Something that one scanner found, or several.
#[derive(Debug)]
pub(super) struct Group<'r> {
    /// What the first of them says.
    pub(super) first: Found<'r>,
    /// The other scans that found it.
    pub(super) others: BTreeSet<&'r str>,
}

/// Puts results together, in the order of the first of each.
pub(super) fn merged<'r>(found: &[Found<'r>]) -> Vec<Group<'r>> {
    let mut groups: Vec<Group<'r>> = Vec::new();
    let mut known: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for one in found {
        let keys = keys(one);
        let same = keys.iter().flat_map(|key| known.get(key).into_iter().flatten());
        // What one scanner tells apart stays apart.
        let same = same.copied().find(|at| {
            let group = &groups[*at];
            group.first.scan != one.scan
                && !group.others.contains(one.scan)
                && fits(group.first.result, one.result)
        });
        let at = same.unwrap_or(groups.len());
        match groups.get_mut(at) {
            Some(group) => drop(group.others.insert(one.scan)),
            None => groups.push(Group { first: *one, others: BTreeSet::new() }),
        }
        for key in keys {
            let places = known.entry(key).or_default();
            if places.last() != Some(&at) && places.len() < MAX_SAME {
                places.push(at);
            }
        }
    }
    groups
}

/// Two packages are not one; a tool that names none means any.
fn fits(a: &Value, b: &Value) -> bool {
    match (package(a), package(b)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}

fn package(result: &Value) -> Option<&str> {
    result["properties"]["plimsoll"]["subject"].as_str().or_else(|| result["properties"]["purl"].as_str())
}

/// What makes results the same: each name of an advisory, and else the place with the kind of thing that is there.
fn keys(found: &Found<'_>) -> Vec<String> {
    let result = found.result;
    let rule = result["ruleId"].as_str().unwrap_or_default();
    let own = result["properties"]["plimsoll"]["aliases"].as_array().into_iter().flatten();
    let names = own.filter_map(Value::as_str).chain([rule]);
    let names: BTreeSet<String> = names.filter_map(advisory).collect();
    if !names.is_empty() {
        return names.into_iter().collect();
    }
    let place = &result["locations"][0]["physicalLocation"];
    let path = place["artifactLocation"]["uri"].as_str();
    let line = place["region"]["startLine"].as_u64();
    let path = path.map(|path| path.trim_start_matches("./"));
    let key = path.zip(line).map(|(path, line)| format!("{} {path}:{line}", kind(found.tool, rule)));
    key.into_iter().collect()
}

/// The name of an advisory at the beginning of a rule's: some tools add the package to it.
fn advisory(text: &str) -> Option<String> {
    let parts = match text.split('-').next()?.to_ascii_uppercase().as_str() {
        "CVE" | "RUSTSEC" | "PYSEC" | "MAL" | "GO" => 3,
        "GHSA" => 4,
        _ => return None,
    };
    let named: Vec<&str> = text.split('-').take(parts).collect();
    (named.len() == parts).then(|| named.join("-").to_ascii_uppercase())
}

/// What a rule looks for. Tools that look for one kind of thing are known by their names.
fn kind<'t>(tool: &str, rule: &'t str) -> &'t str {
    const SECRETS: [&str; 5] = ["gitleaks", "betterleaks", "trufflehog", "kingfisher", "detect-secrets"];
    let tool = tool.to_ascii_lowercase();
    let secrets = rule.starts_with("secrets/") || SECRETS.iter().any(|name| tool.contains(name));
    if secrets { "secrets" } else { rule }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn own(rule: &str, package: &str, aliases: &[&str]) -> Value {
        json!({ "ruleId": rule, "properties": { "plimsoll": { "subject": package, "aliases": aliases } } })
    }

    fn at(rule: &str, path: &str, line: u64) -> Value {
        json!({ "ruleId": rule, "locations": [{ "physicalLocation":
            { "artifactLocation": { "uri": path }, "region": { "startLine": line } } }] })
    }

    /// The scans of each group.
    fn check(found: &[(&str, &str, Value)], expect: &[&[&str]]) {
        let found: Vec<_> =
            found.iter().map(|(scan, tool, result)| Found { gate: "scans", scan, tool, result }).collect();
        let groups: Vec<Vec<&str>> = merged(&found)
            .iter()
            .map(|group| std::iter::once(group.first.scan).chain(group.others.iter().copied()).collect())
            .collect();
        assert_eq!(groups, expect, "{found:?}");
    }

    #[test]
    fn one_vulnerability_under_several_names_is_shown_once() {
        let ours = own("dependencies/vulnerable", "pkg:cargo/a@1", &["RUSTSEC-2026-1", "CVE-2026-1"]);
        let other = own("dependencies/vulnerable", "pkg:cargo/b@1", &["CVE-2026-1"]);
        let foreign = json!({ "ruleId": "CVE-2026-1" });
        let grype = json!({ "ruleId": "CVE-2026-1-a", "properties": { "purl": "pkg:cargo/a@1" } });
        check(&[("a", "t", ours.clone()), ("b", "t", foreign.clone())], &[&["a", "b"]]);
        check(&[("a", "t", ours.clone()), ("b", "t", grype)], &[&["a", "b"]]);
        check(&[("a", "t", ours.clone()), ("b", "t", other.clone())], &[&["a"], &["b"]]);
        check(&[("a", "t", ours.clone()), ("a", "t", other)], &[&["a"], &["a"]]);
        check(&[("a", "t", ours), ("b", "t", json!({ "ruleId": "CVE-2026-2" }))], &[&["a"], &["b"]]);
    }

    #[test]
    fn one_secret_at_one_place_is_shown_once_and_other_things_there_are_not() {
        let (ours, theirs) = (at("secrets/token", "a.py", 3), at("generic-api-key", "./a.py", 3));
        check(
            &[("secrets", "plimsoll secrets", ours.clone()), ("leaks", "gitleaks", theirs.clone())],
            &[&["secrets", "leaks"]],
        );
        check(
            &[("secrets", "plimsoll secrets", ours.clone()), ("lint", "ruff", theirs)],
            &[&["secrets"], &["lint"]],
        );
        let below = at("generic-api-key", "a.py", 4);
        check(
            &[("secrets", "plimsoll secrets", ours), ("leaks", "gitleaks", below)],
            &[&["secrets"], &["leaks"]],
        );
    }

    #[test]
    fn what_says_nothing_stays_by_itself() {
        for strange in [json!(null), json!([]), json!({ "ruleId": 7, "locations": "here" })] {
            check(&[("a", "t", strange.clone()), ("b", "t", strange)], &[&["a"], &["b"]]);
        }
    }
}
