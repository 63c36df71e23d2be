//! Components against advisories: by the ranges that a record states, in the order of versions of its ecosystem, and by
//! nothing else. What cannot be compared is a gap, so that it is never called clean.

mod explain;
mod group;

pub use explain::{Explanation, explain};

use crate::{
    advisory::{End, Interval, lookup_name, scheme},
    component::{Component, Ecosystem, Graph},
    index::{Entry, Index, IndexError},
    license::{Allowed, Verdict},
    rules,
    version::{Scheme, Version},
    vex,
};
use group::Group;
use plimsoll_scan::{
    Finding, Fingerprint, Gap,
    report::{Licensed, MAX_LICENSES},
};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

/// What is asked for beside advisories.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// Licences that dependencies may have; licences are not looked at without a list.
    pub licenses: Option<&'a Allowed>,
    /// Statements of people whom the caller believes, about what does not apply.
    pub vex: &'a [vex::Statement],
    /// Package URL of the product that is scanned: statements about what it contains apply to it alone.
    pub product: Option<&'a str>,
}

/// What came of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// In the order of the graphs and their components.
    pub findings: Vec<Finding>,
    /// Findings that a statement says do not apply.
    pub suppressed: Vec<Suppressed>,
    /// What could not be compared.
    pub gaps: Vec<Gap>,
    /// Components that were looked up.
    pub packages: u64,
    /// Components that come from a repository or an address instead of a registry: advisories are not about those.
    pub elsewhere: u64,
}

/// A finding that does not apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppressed {
    /// What was found.
    pub finding: Finding,
    /// Who says why.
    pub statement: vex::Statement,
}

/// Compares every dependency of the graphs with the index.
///
/// # Errors
/// When a page of the index was altered: then nothing that was found counts.
pub fn check(graphs: &[Graph], index: &Index, options: &Options<'_>) -> Result<Checked, IndexError> {
    let mut checked = Checked::default();
    let mut lookup = Lookup::new(index)?;
    for graph in graphs {
        let mut seen = BTreeSet::new();
        for (_, component) in graph.dependencies() {
            if !component.is_published() {
                checked.elsewhere += 1;
                continue;
            }
            checked.packages += 1;
            if seen.insert((component.ecosystem, &component.name, &component.version)) {
                let (groups, gap) = lookup.groups(component)?;
                groups.iter().for_each(|group| checked.take(group.finding(component), component, options));
                checked.gaps.extend(gap);
                checked.license(component, options);
            }
        }
        checked.gaps.extend(lookup.uncovered(graph));
    }
    Ok(checked)
}

impl Checked {
    /// What came of further graphs.
    pub fn append(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.suppressed.extend(other.suppressed);
        self.gaps.extend(other.gaps);
        self.packages += other.packages;
        self.elsewhere += other.elsewhere;
    }

    fn take(&mut self, finding: Finding, component: &Component, options: &Options<'_>) {
        let ids: Vec<&str> = finding.aliases.iter().map(String::as_str).collect();
        let applies = |statement: &&vex::Statement| statement.clears(&ids, &component.purl, options.product);
        // What is an attack stays one, whoever says that it does not matter here.
        let malicious = finding.rule == rules::MALICIOUS.id;
        match options.vex.iter().find(applies).filter(|_| !malicious) {
            Some(statement) => self.suppressed.push(Suppressed { finding, statement: statement.clone() }),
            None => self.findings.push(finding),
        }
    }

    fn license(&mut self, component: &Component, options: &Options<'_>) {
        let Some(allowed) = options.licenses else { return };
        let Some(stated) = &component.license else {
            let problem = format!("{} {} states no licence", component.name, component.version);
            return self.gaps.push(gap(component, problem));
        };
        let problem = match allowed.check(stated) {
            Verdict::Allowed => return,
            Verdict::Refused => "which is not on the list",
            Verdict::Unreadable => "which is no SPDX expression",
        };
        let stated: String = stated.chars().filter(|c| !c.is_control()).take(100).collect();
        self.findings.push(Finding {
            rule: rules::LICENSE.id.to_owned(),
            severity: rules::LICENSE.severity,
            message: format!("{} {} is under `{stated}`, {problem}", component.name, component.version),
            fix: None,
            diff: None,
            location: component.location.clone(),
            subject: component.purl.clone(),
            aliases: Vec::new(),
            fingerprint: Fingerprint::of(rules::LICENSE.id, &[&component.purl, &stated]),
        });
    }
}

/// Characters of a licence that are kept. An expression that is longer cannot be read then, so that no list allows it.
const MAX_LICENSE: usize = 300;

/// What every dependency states as its licence, sorted, each package once; none where there are more than a report lists.
#[must_use]
pub fn licenses(graphs: &[Graph]) -> Option<Vec<Licensed>> {
    let all = graphs.iter().flat_map(Graph::dependencies).map(|(_, component)| Licensed {
        package: component.purl.clone(),
        license: component.license.as_ref().map(|stated| shortened(stated)),
    });
    let all: BTreeSet<Licensed> = all.collect();
    (all.len() <= MAX_LICENSES).then(|| all.into_iter().collect())
}

/// A text on one line; one that was cut off ends as no expression does.
fn shortened(stated: &str) -> String {
    let mut text: String = stated.chars().filter(|c| !c.is_control()).take(MAX_LICENSE).collect();
    if stated.chars().nth(MAX_LICENSE).is_some() {
        text.push('…');
    }
    text
}

fn gap(component: &Component, problem: String) -> Gap {
    let path = component.location.as_ref().map(|location| location.path.clone());
    Gap { path: path.unwrap_or_default(), problem }
}

/// Looks components up, each package and version once.
struct Lookup<'a> {
    index: &'a Index,
    covered: BTreeSet<String>,
    /// Whether somebody asks for versions that no advisory at all is about, which is to ask each of each.
    clean: bool,
}

/// How a component is called in advisories.
struct Name {
    ecosystem: String,
    name: String,
    version: String,
}

/// The ecosystem of a component. Advisories of distributions name the release.
fn ecosystem(component: &Component) -> String {
    let family = component.ecosystem.osv();
    match component.ecosystem.is_distribution() {
        true => format!("{family}:{}", component.release),
        false => family.to_owned(),
    }
}

/// Whether an ecosystem of the index is about a component. Red Hat names channels after a release, SUSE products before it.
fn is_about(covered: &str, component: &Component) -> bool {
    let release = component.release.as_str();
    let begins = |text: &str| {
        let rest = text.strip_prefix(release);
        let ends = |rest: &str| !rest.starts_with(|next: char| next.is_ascii_alphanumeric());
        !release.is_empty() && rest.is_some_and(|rest| ends(rest) && !rest.starts_with(" SP"))
    };
    match component.ecosystem {
        Ecosystem::RedHat => covered.strip_prefix("Red Hat:enterprise_linux:").is_some_and(begins),
        Ecosystem::Suse => {
            let products = covered.strip_prefix("SUSE:Linux Enterprise ");
            products
                .is_some_and(|product| product.match_indices(' ').any(|(at, _)| begins(&product[at + 1..])))
        }
        _ => covered == ecosystem(component),
    }
}

impl Name {
    /// What a component is called in each of these ecosystems. Advisories of distributions are about source packages; those of
    /// rpm's about either.
    fn all(component: &Component, ecosystems: Vec<String>) -> Vec<Self> {
        let own = (&component.name, &component.version);
        let origin = component.origin.as_ref().map(|origin| (&origin.name, &origin.version));
        let mut names = vec![origin.unwrap_or(own)];
        if component.ecosystem.purl_type() == "rpm" && names != [own] {
            names.push(own);
        }
        let of = |ecosystem: &String| {
            let named = names.iter().map(|(name, version)| Self {
                name: lookup_name(ecosystem, name),
                version: (*version).clone(),
                ecosystem: ecosystem.clone(),
            });
            named.collect::<Vec<_>>()
        };
        ecosystems.iter().flat_map(of).collect()
    }
}

impl<'a> Lookup<'a> {
    fn new(index: &'a Index) -> Result<Self, IndexError> {
        let covered = index.ecosystems()?.into_iter().map(|(name, _)| name).collect();
        Ok(Self { index, covered, clean: false })
    }

    /// What applies to a component, each vulnerability once, and what could not be compared.
    fn groups(&mut self, component: &Component) -> Result<(Vec<Group>, Option<Gap>), IndexError> {
        let (mut hits, mut others, mut known) = (Vec::new(), Vec::new(), None);
        for name in Name::all(component, self.about(component)) {
            let entries = self.index.find(&name.ecosystem, &name.name)?;
            let Some(scheme) = scheme(&name.ecosystem).filter(|_| !entries.is_empty()) else { continue };
            let version = Version::parse(scheme, &name.version);
            let affects = |entry: &Entry| affects(scheme, version.as_ref(), &name.version, entry);
            let (found, rest): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(affects);
            hits.extend(found);
            others.extend(rest);
            known = Some((scheme, version));
        }
        let Some((scheme, version)) = known else { return Ok((Vec::new(), None)) };
        let unknown =
            others.iter().find(|entry| entry.unordered || (version.is_none() && !entry.intervals.is_empty()));
        let gap = unknown.map(|entry| {
            let what = if version.is_none() { "its version" } else { "a version in it" };
            let subject = format!("{} {}", component.name, component.version);
            gap(component, format!("{subject} cannot be compared with {}: {what} has no order", entry.id))
        });
        let others = self.clean.then_some(others.as_slice());
        Ok((group::groups(scheme, version.as_ref(), hits, others), gap))
    }

    /// Ecosystems of the index that are about a component.
    fn about(&self, component: &Component) -> Vec<String> {
        match component.ecosystem {
            Ecosystem::RedHat | Ecosystem::Suse => {
                self.covered.iter().filter(|covered| is_about(covered, component)).cloned().collect()
            }
            _ => vec![ecosystem(component)],
        }
    }

    /// Ecosystems of a graph about which the index has nothing at all.
    fn uncovered(&self, graph: &Graph) -> Vec<Gap> {
        let mut missing = BTreeMap::new();
        for (_, component) in graph.dependencies().filter(|(_, component)| component.is_published()) {
            let ecosystem = ecosystem(component);
            let covered = || {
                self.covered.contains(&ecosystem) || self.covered.iter().any(|one| is_about(one, component))
            };
            if !missing.contains_key(&ecosystem) && !covered() {
                missing.insert(ecosystem, component);
            }
        }
        let gaps = missing.into_iter().map(|(ecosystem, component)| {
            let ecosystem = ecosystem
                .strip_suffix(':')
                .map_or(ecosystem.clone(), |family| format!("{family} of an unknown release"));
            gap(component, format!("the index of advisories has none about {ecosystem}"))
        });
        gaps.collect()
    }
}

/// Whether an advisory is about the version of a package of an ecosystem; none where nobody can tell, because a version
/// of either has no order.
#[must_use]
pub fn applies(ecosystem: &str, version: &str, entry: &Entry) -> Option<bool> {
    let scheme = scheme(ecosystem)?;
    let parsed = Version::parse(scheme, version);
    match affects(scheme, parsed.as_ref(), version, entry) {
        true => Some(true),
        false if entry.unordered || (parsed.is_none() && !entry.intervals.is_empty()) => None,
        false => Some(false),
    }
}

/// Whether an advisory is about a version. A version without order can only be one of those that are listed.
fn affects(scheme: Scheme, version: Option<&Version>, text: &str, entry: &Entry) -> bool {
    let same = |listed: &String| {
        let parsed = || Version::parse(scheme, listed).zip(version).and_then(|(a, b)| a.compare(b));
        listed == text || !differ(listed, text) && parsed() == Some(Ordering::Equal)
    };
    // What is said of all versions holds for one without order too.
    let everything = || entry.intervals.contains(&Interval::EVERYTHING);
    let within =
        || version.is_some_and(|version| entry.intervals.iter().any(|one| contains(scheme, one, version)));
    everything() || within() || entry.versions.iter().any(same)
}

/// Whether versions are different without a look at how their ecosystem orders them: both are numbers and dots, and a
/// number of one is another than that of the other. Lists of versions are long, and nearly all in them are such.
fn differ(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let mut numbers = one.split('.').zip(other.split('.'));
    let unlike = |(one, other): (&str, &str)| one.trim_start_matches('0') != other.trim_start_matches('0');
    plain(one) && plain(other) && numbers.any(unlike)
}

/// Whether a version is in an interval.
pub(crate) fn contains(scheme: Scheme, interval: &Interval, version: &Version) -> bool {
    let order = |text: &str| Version::parse(scheme, text).and_then(|bound| version.compare(&bound));
    let begun = interval.from.as_deref().is_none_or(|from| order(from).is_some_and(Ordering::is_ge));
    let ended = match &interval.to {
        End::Open => false,
        End::Before(end) => order(end).is_none_or(Ordering::is_ge),
        End::With(end) => order(end).is_none_or(Ordering::is_gt),
    };
    let beyond = interval.limit.as_deref().is_some_and(|limit| order(limit).is_none_or(Ordering::is_ge));
    begun && !ended && !beyond
}

#[cfg(test)]
mod tests;
