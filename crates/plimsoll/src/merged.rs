//! What several scanners found, each thing once: the same advisory about the same package, or the same kind of thing at the
//! same place. Whoever says neither stays by itself.

use plimsoll_attest::report::advisory;
use plimsoll_scan::Finding;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Things under one name that are compared. Beyond that some may be shown twice, whatever a report holds.
const MAX_SAME: usize = 64;

/// What one scanner found, as far as it tells whether another found the same.
#[derive(Debug, Clone)]
pub(crate) struct Found<'r> {
    /// The scan.
    pub(crate) scan: &'r str,
    /// About which package; a tool that names none means any.
    package: Option<&'r str>,
    /// Each name of an advisory, and else the place with the kind of thing that is there.
    keys: Vec<String>,
}

/// Something that one scanner found, or several.
#[derive(Debug)]
pub(crate) struct Group<'r> {
    /// Index of what the first of them found.
    pub(crate) first: usize,
    /// The other scans that found it.
    pub(crate) others: BTreeSet<&'r str>,
}

impl<'r> Found<'r> {
    /// A result of a SARIF report, of whatever shape, by a tool as it calls itself.
    pub(crate) fn in_sarif(scan: &'r str, tool: &str, result: &'r Value) -> Self {
        let rule = result["ruleId"].as_str().unwrap_or_default();
        let own = &result["properties"]["plimsoll"];
        let names = own["aliases"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let place = &result["locations"][0]["physicalLocation"];
        let path = place["artifactLocation"]["uri"].as_str();
        let place = path.zip(place["region"]["startLine"].as_u64());
        let package = own["subject"].as_str().or_else(|| result["properties"]["purl"].as_str());
        Self { scan, package, keys: keys(tool, rule, names, place) }
    }

    /// A finding of a scanner.
    pub(crate) fn of(scan: &'r str, tool: &str, finding: &'r Finding) -> Self {
        let names = finding.aliases.iter().map(String::as_str);
        let place = finding.location.as_ref().map(|at| (at.path.as_str(), u64::from(at.line)));
        let package = Some(finding.subject.as_str()).filter(|subject| subject.starts_with("pkg:"));
        Self { scan, package, keys: keys(tool, &finding.rule, names, place) }
    }
}

fn keys<'a>(
    tool: &str,
    rule: &'a str,
    names: impl Iterator<Item = &'a str>,
    place: Option<(&str, u64)>,
) -> Vec<String> {
    let names: BTreeSet<String> =
        names.chain([rule]).filter_map(advisory).map(str::to_ascii_uppercase).collect();
    if !names.is_empty() {
        return names.into_iter().collect();
    }
    let key =
        place.map(|(path, line)| format!("{} {}:{line}", kind(tool, rule), path.trim_start_matches("./")));
    key.into_iter().collect()
}

/// Puts what was found together, in the order of the first of each.
pub(crate) fn merged<'r>(found: &[Found<'r>]) -> Vec<Group<'r>> {
    let mut groups: Vec<Group<'r>> = Vec::new();
    let mut known: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, one) in found.iter().enumerate() {
        let same = one.keys.iter().flat_map(|key| known.get(key.as_str()).into_iter().flatten());
        // What one scanner tells apart stays apart.
        let same = same.copied().find(|at| {
            let first = &found[groups[*at].first];
            first.scan != one.scan
                && !groups[*at].others.contains(one.scan)
                && fits(first.package, one.package)
        });
        let at = same.unwrap_or(groups.len());
        match groups.get_mut(at) {
            Some(group) => drop(group.others.insert(one.scan)),
            None => groups.push(Group { first: index, others: BTreeSet::new() }),
        }
        for key in &one.keys {
            let places = known.entry(key).or_default();
            if places.last() != Some(&at) && places.len() < MAX_SAME {
                places.push(at);
            }
        }
    }
    groups
}

/// Two packages are not one; a tool that names none means any.
fn fits(a: Option<&str>, b: Option<&str>) -> bool {
    a.zip(b).is_none_or(|(a, b)| a == b)
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
            found.iter().map(|(scan, tool, result)| Found::in_sarif(scan, tool, result)).collect();
        let groups: Vec<Vec<&str>> = merged(&found)
            .iter()
            .map(|group| {
                std::iter::once(found[group.first].scan).chain(group.others.iter().copied()).collect()
            })
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
