//! One vulnerability under all of its names: records of several databases that are aliases of each other become one
//! finding, with the worst that any of them says and the smallest update that is free of all.

use super::affects;
use crate::{
    advisory::{End, Kind, priority::LIKELY},
    component::Component,
    index::Entry,
    rules,
    version::{Scheme, Version},
};
use plimsoll_scan::{Finding, Fingerprint, Severity};
use std::{cmp::Ordering, collections::BTreeSet};

/// Records about one component that are aliases of each other.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// The one that names the finding first.
    entries: Vec<Entry>,
    /// The smallest version above that none of them is about.
    pub(super) fixed: Option<String>,
    /// The smallest version above that no advisory at all is about, where that was asked for.
    pub(super) clean: Option<String>,
}

/// Groups of `hits`; `others` are the advisories about other versions of the package, which say what is clean.
pub(super) fn groups(
    scheme: Scheme,
    version: Option<&Version>,
    hits: Vec<Entry>,
    others: Option<&[Entry]>,
) -> Vec<Group> {
    let ends = ends(scheme, version, &hits);
    let free = |one: &[Entry], other: &[Entry]| {
        let is_free = |(parsed, text): &&(Version, String)| {
            !one.iter().chain(other).any(|entry| affects(scheme, Some(parsed), text, entry))
        };
        ends.iter().find(is_free).map(|(_, text)| text.clone())
    };
    let clean = others.filter(|_| !hits.is_empty()).and_then(|others| free(&hits, others));
    let joined = joined(hits).into_iter();
    joined.map(|entries| Group { fixed: free(&entries, &[]), clean: clean.clone(), entries }).collect()
}

/// Versions above `version` that fix anything, the smallest first.
fn ends(scheme: Scheme, version: Option<&Version>, entries: &[Entry]) -> Vec<(Version, String)> {
    let intervals = entries.iter().flat_map(|entry| &entry.intervals);
    let named: BTreeSet<&String> = intervals
        .filter_map(|interval| match &interval.to {
            End::Before(end) => Some(end),
            End::Open | End::With(_) => None,
        })
        .collect();
    let parsed = named.into_iter().filter_map(|text| Some((Version::parse(scheme, text)?, text.clone())));
    let above = |(end, _): &(Version, String)| {
        version.is_some_and(|version| end.compare(version) == Some(Ordering::Greater))
    };
    let mut ends: Vec<_> = parsed.filter(above).collect();
    ends.sort_by(|(a, _), (b, _)| a.compare(b).unwrap_or(Ordering::Equal));
    ends
}

/// Entries that share a name, each list with the best known name first.
fn joined(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut groups: Vec<(BTreeSet<String>, Vec<Entry>)> = Vec::new();
    for entry in entries {
        let mut names: BTreeSet<String> = std::iter::once(&entry.id).chain(&entry.aliases).cloned().collect();
        let (same, rest): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|(known, _)| !known.is_disjoint(&names));
        groups = rest;
        let mut members = vec![entry];
        for (known, others) in same {
            names.extend(known);
            members.extend(others);
        }
        groups.push((names, members));
    }
    let mut groups: Vec<Vec<Entry>> = groups.into_iter().map(|(_, members)| members).collect();
    groups.iter_mut().for_each(|members| members.sort_by_key(precedence));
    groups.sort_by_key(|members| members.first().map(precedence));
    groups
}

/// The worst kind first; a database of the ecosystem itself before those that collect from others.
fn precedence(entry: &Entry) -> (std::cmp::Reverse<Kind>, u8, String) {
    let collected = match entry.id.split('-').next() {
        Some("CVE") => 2,
        Some("GHSA") => 1,
        _ => 0,
    };
    (std::cmp::Reverse(entry.kind), collected, entry.id.clone())
}

impl Group {
    /// Whether `id` is one of its names.
    pub(super) fn is_called(&self, id: &str) -> bool {
        self.names().iter().any(|name| name.eq_ignore_ascii_case(id))
    }

    fn names(&self) -> Vec<String> {
        let first = self.entries.first().map(|entry| entry.id.clone());
        let all = self.entries.iter().flat_map(|entry| std::iter::once(&entry.id).chain(&entry.aliases));
        let others: BTreeSet<String> = all.filter(|name| first.as_ref() != Some(*name)).cloned().collect();
        first.into_iter().chain(others).collect()
    }

    fn kind(&self) -> Kind {
        self.entries.iter().map(|entry| entry.kind).max().unwrap_or(Kind::Notice)
    }

    /// The worst that any of the records states, raised by what is known about attacks.
    fn severity(&self) -> Severity {
        let stated = self.entries.iter().filter_map(|entry| entry.severity).max();
        let likely = self.entries.iter().any(|entry| f64::from(entry.predicted) >= LIKELY * 1e6);
        let base = stated.unwrap_or(rules::of(self.kind()).severity);
        match self.kind() {
            Kind::Malicious => Severity::Critical,
            Kind::Notice | Kind::Unmaintained => rules::of(self.kind()).severity,
            Kind::Vulnerable | Kind::Unsound if self.is_exploited() => Severity::Critical,
            Kind::Vulnerable | Kind::Unsound if likely => worse(base),
            Kind::Vulnerable | Kind::Unsound => base,
        }
    }

    fn is_exploited(&self) -> bool {
        self.entries.iter().any(|entry| entry.exploited)
    }

    /// What is told about the component.
    pub(super) fn finding(&self, component: &Component) -> Finding {
        let (rule, names) = (rules::of(self.kind()), self.names());
        let id = names.first().map(String::as_str).unwrap_or_default();
        Finding {
            rule: rule.id.to_owned(),
            severity: self.severity(),
            message: self.message(component, id),
            fix: Some(self.fix(component)),
            diff: None,
            location: component.location.clone(),
            subject: component.purl.clone(),
            fingerprint: Fingerprint::of(rule.id, &[&component.purl, id]),
            aliases: names,
        }
    }

    fn message(&self, component: &Component, id: &str) -> String {
        let what = match self.kind() {
            Kind::Malicious => "is malicious",
            Kind::Vulnerable if self.is_exploited() => "is vulnerable and attacked",
            Kind::Vulnerable => "is vulnerable",
            Kind::Unsound => "is unsound",
            Kind::Unmaintained => "is unmaintained",
            Kind::Notice => "has a notice",
        };
        let summary = self.entries.iter().map(|entry| entry.summary.as_str()).find(|text| !text.is_empty());
        let summary = summary.map_or_else(String::new, |summary| format!(": {summary}"));
        format!("{} {} {what}{summary} ({id})", component.name, component.version)
    }

    fn fix(&self, component: &Component) -> String {
        let name = &component.name;
        match (self.kind(), &self.fixed) {
            (Kind::Malicious, _) => {
                format!("remove {name}, and treat what installed it as broken into")
            }
            (_, Some(version)) => format!("update {name} to {version}"),
            (Kind::Unmaintained, None) => format!("replace {name}: no version of it is maintained"),
            (Kind::Notice, None) => "read the notice".to_owned(),
            (Kind::Vulnerable | Kind::Unsound, None) => {
                format!("replace {name}, or a version that fixes it has to be waited for: none is known")
            }
        }
    }
}

fn worse(severity: Severity) -> Severity {
    Severity::ALL.into_iter().find(|other| *other > severity).unwrap_or(Severity::Critical)
}
