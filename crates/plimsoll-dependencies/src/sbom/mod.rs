//! A bill of materials: what all files of a tree name, each package once, with where it stands, what asks for it and how
//! complete the list is; compared, where a build was watched, with what it really fetched. Its bytes depend on nothing but
//! its content: no clock, no random number.

mod address;
mod cyclonedx;
mod exchange;
mod spdx;
#[cfg(test)]
mod tests;

use crate::{
    component::{Algorithm, Completeness, Component, Graph, Hash, Origin, Scope, Source},
    inventory::{FileGraph, Found},
    purl,
};
use plimsoll_model::{Timestamp, reason::printable, record::Material};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub use exchange::ExchangeError;

/// Characters of a licence that is no SPDX identifier.
const LICENSE: usize = 400;

/// What the bill is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its name; for a tree that of the directory or the project.
    pub name: String,
    /// Its version or commit; empty where it has none.
    pub version: String,
}

/// One package of the bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its name within the document: the package URL, with what makes it another package than the registry's.
    pub reference: String,
    /// As [`Component::name`].
    pub name: String,
    /// As [`Component::version`].
    pub version: String,
    /// Its package URL; none for the project's own packages and for what was fetched from elsewhere.
    pub purl: Option<String>,
    /// As [`Component::release`], with the distribution's name as advisories write it: `Debian:12`; empty for packages of
    /// no distribution.
    pub distribution: String,
    /// As [`Component::origin`].
    pub origin: Option<Origin>,
    /// The strongest of the scopes in which it stands.
    pub scope: Scope,
    /// All digests that are known of its archives.
    pub hashes: Vec<Hash>,
    /// Where it comes from.
    pub source: Source,
    /// Its licence as stated.
    pub license: Option<String>,
    /// The files that name it, each with the line.
    pub occurrences: BTreeSet<(String, u32)>,
    /// Whether a watched build fetched it; none where no build was watched.
    pub observed: Option<bool>,
}

/// How complete the packages of one file are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The file.
    pub path: String,
    /// What it was read as.
    pub format: String,
    /// How complete that is.
    pub completeness: Completeness,
    /// References of what it names.
    pub members: BTreeSet<String>,
}

/// The bill.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bill {
    /// What it is about.
    pub subject: Subject,
    /// Packages by reference.
    pub entries: BTreeMap<String, Entry>,
    /// What asks for what, by references.
    pub edges: BTreeSet<(String, String)>,
    /// What the subject asks for itself.
    pub roots: BTreeSet<String>,
    /// By path.
    pub parts: Vec<Part>,
    /// Files that should have been read and were not, each with why. With one of them the bill is not complete.
    pub gaps: Vec<(String, String)>,
}

impl Bill {
    /// The bill of what an inventory found.
    #[must_use]
    pub fn of(subject: Subject, found: &Found) -> Self {
        let mut bill = Self { subject, ..Self::default() };
        for file in &found.graphs {
            bill.add(file);
        }
        let gaps = found.coverage.gaps.iter();
        bill.gaps = gaps.map(|gap| (gap.path.clone(), gap.problem.clone())).collect();
        bill
    }

    fn add(&mut self, file: &FileGraph) {
        let graph = &file.graph;
        let references: Vec<String> =
            graph.components.iter().map(|component| reference(component, &file.path)).collect();
        for (component, reference) in graph.components.iter().zip(&references) {
            let entry = Entry::of(component, reference, &file.path);
            match self.entries.get_mut(reference) {
                Some(known) => known.merge(entry),
                None => drop(self.entries.insert(reference.clone(), entry)),
            }
        }
        let edges = graph.edges.iter().filter(|(from, to)| from != to);
        self.edges.extend(edges.map(|(from, to)| (references[*from].clone(), references[*to].clone())));
        self.roots.extend(starts(graph).map(|at| references[at].clone()));
        self.parts.push(Part {
            path: file.path.clone(),
            format: file.format.as_str().to_owned(),
            completeness: graph.completeness.clone(),
            members: references.into_iter().collect(),
        });
    }

    /// How complete the whole is: as the least complete of its parts, and incomplete where something was not read.
    #[must_use]
    pub fn completeness(&self) -> Completeness {
        let unknown = self.parts.iter().find(|part| matches!(part.completeness, Completeness::Unknown(_)));
        let lacking = self.parts.iter().find(|part| part.completeness != Completeness::Complete);
        match (unknown.or(lacking), self.gaps.first()) {
            (Some(part), _) => part.completeness.clone(),
            (None, Some((path, problem))) => Completeness::Incomplete(format!("{path}: {problem}")),
            (None, None) if self.parts.is_empty() => {
                Completeness::Unknown("no lock file was found".to_owned())
            }
            (None, None) => Completeness::Complete,
        }
    }

    /// Says of each package that comes from a registry whether a watched build fetched it. What was fetched and is in no
    /// file is added; so is an archive whose digest is not the one that the file states.
    pub fn observe(&mut self, fetched: &[Material]) {
        let mut by_uri: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for material in fetched {
            by_uri.entry(&material.uri).or_default().insert(material.digest.hex());
        }
        for entry in self.entries.values_mut().filter(|entry| !entry.is_own()) {
            let digests = entry.purl.as_deref().and_then(|purl| by_uri.get_mut(purl));
            entry.observed = Some(digests.is_some_and(|digests| entry.take(digests)));
        }
        for (uri, digests) in by_uri {
            for hex in digests {
                let entry = Entry::fetched(uri, hex);
                self.roots.insert(entry.reference.clone());
                self.entries.insert(entry.reference.clone(), entry);
            }
        }
    }

    /// As CycloneDX 1.6 JSON.
    ///
    /// # Errors
    /// Never for what readers make; serialising reports what it cannot write.
    pub fn cyclonedx(&self, created: Option<Timestamp>) -> Result<Vec<u8>, serde_json::Error> {
        cyclonedx::write(self, created)
    }

    /// As SPDX 2.3 JSON. The format demands a time; without one it is the beginning of 1970.
    ///
    /// # Errors
    /// As for [`Bill::cyclonedx`].
    pub fn spdx(&self, created: Option<Timestamp>) -> Result<Vec<u8>, serde_json::Error> {
        spdx::write(self, created)
    }

    /// What each asks for; everything stands here, also what asks for nothing.
    fn asked(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut asked: BTreeMap<&str, Vec<&str>> =
            self.entries.keys().map(|reference| (reference.as_str(), Vec::new())).collect();
        for (from, to) in &self.edges {
            asked.entry(from).or_default().push(to);
        }
        asked
    }
}

impl Entry {
    fn of(component: &Component, reference: &str, path: &str) -> Self {
        let line = component.location.as_ref().map_or(0, |location| location.line);
        let own = matches!(component.source, Source::Path(_));
        Self {
            reference: reference.to_owned(),
            name: component.name.clone(),
            version: component.version.clone(),
            purl: (!own).then(|| component.purl.clone()),
            distribution: distribution(component),
            origin: component.origin.clone(),
            scope: component.scope,
            hashes: component.hashes.clone(),
            source: component.source.clone(),
            license: component.license.as_deref().map(|license| printable(license, LICENSE)),
            occurrences: BTreeSet::from([(path.to_owned(), line)]),
            observed: None,
        }
    }

    /// What was fetched and no file names.
    fn fetched(uri: &str, hex: String) -> Self {
        let last = uri.rsplit('/').next().unwrap_or(uri);
        let (name, version) = last.split_once('@').unwrap_or((last, ""));
        let package = uri.starts_with("pkg:");
        Self {
            reference: format!("{uri}#sha256:{hex}"),
            name: name.to_owned(),
            version: version.to_owned(),
            purl: package.then(|| uri.to_owned()),
            distribution: String::new(),
            origin: None,
            scope: Scope::Unknown,
            hashes: vec![Hash { algorithm: Algorithm::Sha256, hex }],
            source: if package { Source::Registry } else { Source::Url(uri.to_owned()) },
            license: None,
            occurrences: BTreeSet::new(),
            observed: Some(true),
        }
    }

    /// Whether it is a package of the tree itself.
    #[must_use]
    pub fn is_own(&self) -> bool {
        matches!(self.source, Source::Path(_))
    }

    fn merge(&mut self, other: Self) {
        self.scope = match (self.scope, other.scope) {
            (Scope::Unknown, known) | (known, Scope::Unknown) => known,
            (one, other) => one.min(other),
        };
        self.hashes.extend(other.hashes);
        self.hashes.sort();
        self.hashes.dedup();
        self.license = self.license.take().or(other.license);
        self.occurrences.extend(other.occurrences);
    }

    /// Takes out of `digests` those that the file states, or all where it states none; gives whether there was one.
    fn take(&mut self, digests: &mut BTreeSet<String>) -> bool {
        let stated = |hash: &&Hash| hash.algorithm == Algorithm::Sha256;
        let stated: BTreeSet<String> =
            self.hashes.iter().filter(stated).map(|hash| hash.hex.clone()).collect();
        let before = digests.len();
        if stated.is_empty() {
            let new = std::mem::take(digests).into_iter();
            self.hashes.extend(new.map(|hex| Hash { algorithm: Algorithm::Sha256, hex }));
        } else {
            digests.retain(|digest| !stated.contains(digest));
        }
        digests.len() < before
    }
}

/// The distribution of a package as advisories write it; empty where it is of none.
fn distribution(component: &Component) -> String {
    match component.ecosystem {
        ecosystem if ecosystem.is_distribution() => format!("{}:{}", ecosystem.osv(), component.release),
        _ => String::new(),
    }
}

/// Where the subject's own requests begin: the roots, or everything where the format names none.
fn starts(graph: &Graph) -> Box<dyn Iterator<Item = usize> + '_> {
    match graph.roots.is_empty() {
        true => Box::new(0..graph.components.len()),
        false => Box::new(graph.roots.iter().copied()),
    }
}

/// A name that only this package has: two that a registry does not tell apart are told by where they come from.
fn reference(component: &Component, path: &str) -> String {
    let qualified = |key, value: &str| {
        purl::of(component.ecosystem, &component.name, &component.version, &[(key, value)])
    };
    match &component.source {
        Source::Registry | Source::RegistryAt(_) => component.purl.clone(),
        Source::Git(address) => qualified("vcs_url", address),
        Source::Url(address) => qualified("download_url", address),
        Source::Path(_) => format!("{path}#{}@{}", component.name, component.version),
    }
}

/// The licence as an SPDX expression, if it is one.
fn expression(license: &str) -> Option<&str> {
    ::spdx::Expression::parse(license).is_ok().then_some(license)
}

/// The reasons for which the bill is not complete, each with its file.
fn shortcomings(bill: &Bill) -> impl Iterator<Item = (&str, &str)> {
    let parts = bill.parts.iter().filter_map(|part| match &part.completeness {
        Completeness::Complete => None,
        Completeness::Incomplete(why) | Completeness::Unknown(why) => {
            Some((part.path.as_str(), why.as_str()))
        }
    });
    parts.chain(bill.gaps.iter().map(|(path, problem)| (path.as_str(), problem.as_str())))
}
