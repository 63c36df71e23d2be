//! The evaluation algorithm of the OSV schema ("Evaluation"), written down literally over the JSON of a record: slow, and
//! sharing nothing with what it judges. Semantic versions are compared by the usual crate.

use serde_json::Value;
use std::cmp::Ordering;

/// Whether `record` is about `version` of a package; none where a version cannot be compared.
pub(crate) fn is_affected(record: &Value, ecosystem: &str, name: &str, version: &str) -> Option<bool> {
    let mut about = false;
    for affected in list(record, "affected") {
        let package = &affected["package"];
        if package["ecosystem"] != ecosystem || package["name"] != name {
            continue;
        }
        let listed = list(affected, "versions").iter().filter_map(Value::as_str);
        about |= listed
            .into_iter()
            .any(|listed| listed == version || compare(ecosystem, listed, version) == Some(Ordering::Equal));
        for range in list(affected, "ranges").iter().filter(|range| range["type"] != "GIT") {
            about |= before_limits(range, ecosystem, version)? && in_range(range, ecosystem, version)?;
        }
    }
    Some(about)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// `BeforeLimits(version, range)`.
fn before_limits(range: &Value, ecosystem: &str, version: &str) -> Option<bool> {
    let limits: Vec<&str> =
        list(range, "events").iter().filter_map(|event| event["limit"].as_str()).collect();
    if limits.is_empty() || limits.contains(&"*") {
        return Some(true);
    }
    let mut before = false;
    for limit in limits {
        before |= compare(ecosystem, version, limit)? == Ordering::Less;
    }
    Some(before)
}

/// `IncludedInRanges(version, ranges)` for one range: every event in the order of versions.
fn in_range(range: &Value, ecosystem: &str, version: &str) -> Option<bool> {
    let mut events = Vec::new();
    for event in list(range, "events") {
        for kind in ["introduced", "fixed", "last_affected"] {
            events.extend(event[kind].as_str().map(|at| (at, kind)));
        }
    }
    // A slow stable sort, so that a version that cannot be compared is noticed.
    for i in 0..events.len() {
        for j in (i + 1..events.len()).rev() {
            if compare(ecosystem, events[j].0, events[j - 1].0)? == Ordering::Less {
                events.swap(j, j - 1);
            }
        }
    }
    let mut vulnerable = false;
    for (at, kind) in events {
        match (kind, compare(ecosystem, version, at)?) {
            ("introduced", Ordering::Greater | Ordering::Equal) => vulnerable = true,
            ("fixed", Ordering::Greater | Ordering::Equal) => vulnerable = false,
            ("last_affected", Ordering::Greater) => vulnerable = false,
            _ => {}
        }
    }
    Some(vulnerable)
}

fn compare(ecosystem: &str, a: &str, b: &str) -> Option<Ordering> {
    match (a, b) {
        ("0", "0") => return Some(Ordering::Equal),
        ("0", _) => return Some(Ordering::Less),
        (_, "0") => return Some(Ordering::Greater),
        _ => {}
    }
    match ecosystem {
        "PyPI" => Some(a.parse::<pep440_rs::Version>().ok()?.cmp(&b.parse().ok()?)),
        _ => Some(semantic(a)?.cmp_precedence(&semantic(b)?)),
    }
}

fn semantic(text: &str) -> Option<semver::Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let core = text.find(['-', '+']).unwrap_or(text.len());
    let missing = 2_usize.saturating_sub(text[..core].matches('.').count());
    semver::Version::parse(&format!("{}{}{}", &text[..core], ".0".repeat(missing), &text[core..])).ok()
}

/// Versions worth asking about: all that records name, their neighbours, and some at random.
pub(crate) fn interesting(ecosystem: &str, named: &[String], seed: u64) -> Vec<String> {
    let mut random = seed | 1;
    let mut next = move |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let endings: &[&str] = match ecosystem {
        "PyPI" => &["rc1", ".dev1", ".post1", "a2", "+local", ".1"],
        _ => &["-rc.1", "-0", "-alpha", "-0.20240101000000-abcdef012345", "+incompatible"],
    };
    let mut found = named.to_vec();
    for version in named {
        found.extend(endings.iter().map(|ending| format!("{version}{ending}")));
        found.extend((0..3).filter_map(|_| neighbour(version, &mut next)));
    }
    found.extend((0..8).map(|_| format!("{}.{}.{}", next(4), next(30), next(30))));
    found
}

/// A version with one of its numbers one more, one less, or another.
fn neighbour(version: &str, next: &mut impl FnMut(u64) -> u64) -> Option<String> {
    let mut parts: Vec<String> = version.split('.').map(str::to_owned).collect();
    let at = usize::try_from(next(parts.len() as u64)).ok()?;
    let number: u64 = parts[at].parse().ok()?;
    let other = match next(3) {
        0 => number.saturating_add(1),
        1 => number.saturating_sub(1),
        _ => next(40),
    };
    parts[at] = other.to_string();
    Some(parts.join("."))
}

/// Versions that a record lists one by one and that are asked about, evenly spread: each question looks at all of them, so that
/// records with hundreds would take the square of that.
const LISTED: usize = 24;

/// Versions that a record names for a package.
pub(crate) fn named(record: &Value, ecosystem: &str, name: &str) -> Vec<String> {
    let about = |affected: &&Value| {
        affected["package"]["ecosystem"] == ecosystem && affected["package"]["name"] == name
    };
    let mut found = Vec::new();
    for affected in list(record, "affected").iter().filter(about) {
        let listed = list(affected, "versions");
        let asked = listed.iter().step_by(listed.len().div_ceil(LISTED).max(1));
        found.extend(asked.filter_map(Value::as_str).map(str::to_owned));
        for range in list(affected, "ranges").iter().filter(|range| range["type"] != "GIT") {
            for event in list(range, "events") {
                let at = ["introduced", "fixed", "last_affected", "limit"]
                    .iter()
                    .filter_map(|kind| event[kind].as_str());
                found.extend(at.map(str::to_owned));
            }
        }
    }
    found.retain(|version| version != "0");
    found.sort();
    found.dedup();
    found
}

/// The packages that a record is about.
pub(crate) fn packages(record: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut found: Vec<_> = list(record, "affected")
        .iter()
        .map(|affected| (text(&affected["package"]["ecosystem"]), text(&affected["package"]["name"])))
        .collect();
    found.sort();
    found.dedup();
    found
}

/// What became of asking about every record of a database.
#[derive(Debug, Default)]
pub(crate) struct Agreement {
    pub(crate) records: u64,
    pub(crate) withdrawn: u64,
    pub(crate) packages: u64,
    pub(crate) questions: u64,
    pub(crate) affected: u64,
    pub(crate) incomparable: u64,
    pub(crate) disagreements: Vec<String>,
}

/// Asks the compiled index and the algorithm about every package of every record.
pub(crate) fn agree(records: &[Value], index: &plimsoll_dependencies::Index) -> Agreement {
    use plimsoll_dependencies::{advisory, matching};
    let mut agreement = Agreement::default();
    for (at, record) in records.iter().enumerate() {
        agreement.records += 1;
        let (id, withdrawn) = (record["id"].as_str().unwrap_or_default(), record["withdrawn"].is_string());
        agreement.withdrawn += u64::from(withdrawn);
        for (ecosystem, name) in packages(record) {
            agreement.packages += 1;
            let lookup = advisory::lookup_name(&ecosystem, &name);
            let found = index.find(&ecosystem, &lookup).unwrap();
            let entries: Vec<_> = found.into_iter().filter(|entry| entry.id == id).collect();
            let named = named(record, &ecosystem, &name);
            for version in interesting(&ecosystem, &named, at as u64 + 1) {
                agreement.questions += 1;
                let answers = entries.iter().map(|entry| matching::applies(&ecosystem, &version, entry));
                let answers: Option<Vec<bool>> = answers.collect();
                let actual = answers.map(|answers| answers.into_iter().any(|about| about));
                let expect =
                    if withdrawn { Some(false) } else { is_affected(record, &ecosystem, &name, &version) };
                agreement.affected += u64::from(expect == Some(true));
                agreement.incomparable += u64::from(expect.is_none());
                // Text that the usual crates refuse can have an order here; nobody else says which.
                if expect.is_some() && actual != expect {
                    agreement
                        .disagreements
                        .push(format!("{id} {name} {version}: {actual:?}, expected {expect:?}"));
                }
            }
        }
    }
    agreement
}
