//! What a lock file or an artifact names: components, what asks for what, and how much of the whole that is. Readers fill
//! these types; the SBOM is written from them and advisories are matched against them.

use crate::purl;
use plimsoll_scan::Location;
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, fmt};

/// Where packages of one kind are named and published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ecosystem {
    /// Rust packages.
    Cargo,
    /// JavaScript packages.
    Npm,
    /// Python packages.
    PyPi,
    /// Go modules.
    Go,
    /// Packages of the Java world, named `group:artifact`.
    Maven,
    /// Ruby packages.
    RubyGems,
    /// PHP packages.
    Packagist,
    /// Packages of .NET.
    NuGet,
    /// Packages of Debian.
    Debian,
    /// Packages of Ubuntu.
    Ubuntu,
    /// Packages of Alpine Linux.
    Alpine,
    /// Packages of Red Hat Enterprise Linux.
    RedHat,
    /// Packages of Rocky Linux.
    RockyLinux,
    /// Packages of AlmaLinux.
    AlmaLinux,
    /// Packages of SUSE Linux Enterprise.
    Suse,
    /// Packages of openSUSE.
    OpenSuse,
    /// Packages of rpm of a distribution that no database of advisories here knows.
    Rpm,
}

impl Ecosystem {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Cargo,
        Self::Npm,
        Self::PyPi,
        Self::Go,
        Self::Maven,
        Self::RubyGems,
        Self::Packagist,
        Self::NuGet,
        Self::Debian,
        Self::Ubuntu,
        Self::Alpine,
        Self::RedHat,
        Self::RockyLinux,
        Self::AlmaLinux,
        Self::Suse,
        Self::OpenSuse,
        Self::Rpm,
    ];

    /// Its name in advisories (OSV schema 1.7, "affected[].package field"), without the release that may follow a colon.
    #[must_use]
    pub fn osv(self) -> &'static str {
        match self {
            Self::Cargo => "crates.io",
            Self::Npm => "npm",
            Self::PyPi => "PyPI",
            Self::Go => "Go",
            Self::Maven => "Maven",
            Self::RubyGems => "RubyGems",
            Self::Packagist => "Packagist",
            Self::NuGet => "NuGet",
            Self::Debian => "Debian",
            Self::Ubuntu => "Ubuntu",
            Self::Alpine => "Alpine",
            Self::RedHat => "Red Hat",
            Self::RockyLinux => "Rocky Linux",
            Self::AlmaLinux => "AlmaLinux",
            Self::Suse => "SUSE",
            Self::OpenSuse => "openSUSE",
            Self::Rpm => "RPM",
        }
    }

    /// The one with that name in advisories; a release after a colon (`Debian:12`) is not looked at.
    #[must_use]
    pub fn from_osv(name: &str) -> Option<Self> {
        let family = name.split_once(':').map_or(name, |(family, _)| family);
        Self::ALL.into_iter().find(|ecosystem| ecosystem.osv() == family)
    }

    /// The one of a package URL; none for other kinds of packages.
    #[must_use]
    pub fn of_purl(purl: &str) -> Option<Self> {
        let mut parts = purl.strip_prefix("pkg:")?.split('/');
        let (kind, vendor) = (parts.next()?, parts.next());
        let mut of_kind = Self::ALL.into_iter().filter(|ecosystem| ecosystem.purl_type() == kind);
        of_kind.find(|ecosystem| match ecosystem {
            Self::Alpine => true,
            _ => ecosystem.vendor().is_none_or(|own| vendor == Some(own)),
        })
    }

    /// Whose packages they are, in a package URL: the first part of the name of those of distributions.
    #[must_use]
    pub fn vendor(self) -> Option<&'static str> {
        Some(match self {
            Self::Debian => "debian",
            Self::Ubuntu => "ubuntu",
            Self::Alpine => "alpine",
            Self::RedHat => "redhat",
            Self::RockyLinux => "rocky-linux",
            Self::AlmaLinux => "almalinux",
            Self::Suse => "suse",
            Self::OpenSuse => "opensuse",
            _ => return None,
        })
    }

    /// Whether it is a distribution: then advisories name its release too.
    #[must_use]
    pub fn is_distribution(self) -> bool {
        self.vendor().is_some() || self == Self::Rpm
    }

    /// Its type in a package URL (purl specification, "Known purl types").
    #[must_use]
    pub fn purl_type(self) -> &'static str {
        match self {
            Self::Cargo => "cargo",
            Self::Npm => "npm",
            Self::PyPi => "pypi",
            Self::Go => "golang",
            Self::Maven => "maven",
            Self::RubyGems => "gem",
            Self::Packagist => "composer",
            Self::NuGet => "nuget",
            Self::Debian | Self::Ubuntu => "deb",
            Self::Alpine => "apk",
            Self::RedHat | Self::RockyLinux | Self::AlmaLinux | Self::Suse | Self::OpenSuse | Self::Rpm => {
                "rpm"
            }
        }
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.osv())
    }
}

/// What a component is needed for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// To run.
    Runtime,
    /// To run, where a choice asks for it.
    Optional,
    /// To build or test only.
    Development,
    /// The format does not say.
    #[default]
    Unknown,
}

impl Scope {
    /// Its name in files and on the terminal.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Optional => "optional",
            Self::Development => "development",
            Self::Unknown => "unknown",
        }
    }
}

/// Where a component comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A registry that the file does not name: the ecosystem's public one, or what the client is told to use for it.
    #[default]
    Registry,
    /// A registry, by its address as written.
    RegistryAt(String),
    /// A repository: its address, with the commit where one is pinned.
    Git(String),
    /// A directory or a file of the tree itself: the project's own packages, or vendored ones.
    Path(String),
    /// An archive at an address.
    Url(String),
}

impl Source {
    /// The address, where it is not a registry that nobody names.
    #[must_use]
    pub const fn address(&self) -> Option<&String> {
        match self {
            Self::Registry => None,
            Self::RegistryAt(text) | Self::Git(text) | Self::Path(text) | Self::Url(text) => Some(text),
        }
    }
}

/// The function of a digest that a lock file states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// Broken; stated by old lock files.
    Md5,
    /// Broken; stated by old lock files.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Md5, Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    /// Its name in lock files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Length of its digests in bytes.
    #[must_use]
    pub fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// A digest of a component's archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hash {
    /// Its function.
    pub algorithm: Algorithm,
    /// Its value in lowercase hexadecimal digits, as many as the function has.
    pub hex: String,
}

/// What a binary package of a distribution was built from. Advisories of distributions name this, not the binary package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Name of the source package.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// One package in one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Where its name means something.
    pub ecosystem: Ecosystem,
    /// The distribution's release as advisories write it after the colon (`12`, `v3.20`); empty elsewhere and where it is
    /// not known.
    pub release: String,
    /// Its name as the registry compares it: normalised for Python (PEP 503), lowercase for PHP, `@scope/name` for
    /// npm, `group:artifact` for Maven.
    pub name: String,
    /// Its version as written; of a Go module with its `v`, of Go's own library (`stdlib`) without. Empty where it is not
    /// known.
    pub version: String,
    /// Its package URL.
    pub purl: String,
    /// What it is needed for.
    pub scope: Scope,
    /// Digests of its archive, in order.
    pub hashes: Vec<Hash>,
    /// Where it comes from.
    pub source: Source,
    /// Its licence as stated where it was found, which need not be an SPDX expression.
    pub license: Option<String>,
    /// Where it stands in the lock file, from its first line to its last; only the path where the format has no lines.
    pub location: Option<Location>,
    /// For packages of distributions, what they were built from.
    pub origin: Option<Origin>,
}

impl Component {
    /// A component about which nothing more is known.
    #[must_use]
    pub fn new(ecosystem: Ecosystem, name: &str, version: &str) -> Self {
        Self {
            ecosystem,
            release: String::new(),
            name: name.to_owned(),
            version: version.to_owned(),
            purl: purl::of(ecosystem, name, version, &[]),
            scope: Scope::Unknown,
            hashes: Vec::new(),
            source: Source::default(),
            license: None,
            location: None,
            origin: None,
        }
    }

    /// Whether it comes from a registry. Advisories are about those packages; one of the tree or of a repository can be
    /// called the same and be another.
    #[must_use]
    pub fn is_published(&self) -> bool {
        matches!(self.source, Source::Registry | Source::RegistryAt(_))
    }
}

/// How much of the whole a graph holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Completeness {
    /// Everything that the build can use.
    #[default]
    Complete,
    /// Something is missing, and what.
    Incomplete(String),
    /// Nobody can tell, and why.
    Unknown(String),
}

impl Completeness {
    /// Adds a reason for which something is missing; what was unknown stays unknown, and the first reason stays.
    pub fn lacks(&mut self, reason: impl Into<String>) {
        if *self == Self::Complete {
            *self = Self::Incomplete(reason.into());
        }
    }
}

/// The components of one lock file or artifact and what asks for what. It can have cycles: those of ecosystems do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// In the order of the file.
    pub components: Vec<Component>,
    /// `(from, to)`: the first asks for the second. Sorted, each once. Empty where the format has none.
    pub edges: Vec<(usize, usize)>,
    /// Where paths begin: the project's own packages where the format names them, else what the project asks for itself,
    /// else none.
    pub roots: Vec<usize>,
    /// How much of the whole this is.
    pub completeness: Completeness,
}

impl Graph {
    /// Shortest paths from the roots to everything, computed once in time linear in the graph.
    #[must_use]
    pub fn paths(&self) -> Paths {
        let count = self.components.len();
        let starts = first_edges(count, &self.edges);
        let mut before = vec![Before::Unreached; count];
        let mut open = VecDeque::new();
        for root in self.roots.iter().copied().filter(|root| *root < count) {
            if before[root] == Before::Unreached {
                before[root] = Before::Root;
                open.push_back(root);
            }
        }
        while let Some(at) = open.pop_front() {
            for (_, to) in &self.edges[starts[at]..starts[at + 1]] {
                if before.get(*to) == Some(&Before::Unreached) {
                    before[*to] = Before::Component(at);
                    open.push_back(*to);
                }
            }
        }
        Paths { before }
    }

    /// Components other than the project's own: what a scan looks up and an SBOM counts as dependencies.
    pub fn dependencies(&self) -> impl Iterator<Item = (usize, &Component)> {
        let own = |component: &Component| matches!(component.source, Source::Path(_));
        self.components.iter().enumerate().filter(move |(_, component)| !own(component))
    }

    /// Puts edges and roots in order, each once, and drops those that lead nowhere.
    pub(crate) fn tidy(&mut self) {
        let count = self.components.len();
        self.edges.retain(|(from, to)| *from < count && *to < count);
        self.edges.sort_unstable();
        self.edges.dedup();
        self.roots.retain(|root| *root < count);
        self.roots.sort_unstable();
        self.roots.dedup();
    }
}

/// For each component the place of its first edge among the sorted edges; one more at the end.
fn first_edges(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut starts = vec![0; count + 1];
    for (from, _) in edges.iter().filter(|(from, _)| *from < count) {
        starts[from + 1] += 1;
    }
    for at in 0..count {
        starts[at + 1] += starts[at];
    }
    starts
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Unreached,
    Root,
    Component(usize),
}

/// Shortest paths from the roots of one graph, for people who ask why a component is there.
#[derive(Debug, Clone)]
pub struct Paths {
    before: Vec<Before>,
}

impl Paths {
    /// The components from a root to `component`, both included; none where nothing leads there, or the format does not
    /// say what does.
    #[must_use]
    pub fn to(&self, component: usize) -> Option<Vec<usize>> {
        let mut path = vec![component];
        loop {
            match self.before.get(*path.last()?)? {
                Before::Unreached => return None,
                Before::Root => break,
                Before::Component(before) => path.push(*before),
            }
        }
        path.reverse();
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(count: usize, edges: &[(usize, usize)], roots: &[usize]) -> Graph {
        let component = |at: usize| Component::new(Ecosystem::Cargo, &format!("c{at}"), "1.0.0");
        let mut graph = Graph {
            components: (0..count).map(component).collect(),
            edges: edges.to_vec(),
            roots: roots.to_vec(),
            completeness: Completeness::Complete,
        };
        graph.tidy();
        graph
    }

    #[test]
    fn a_path_is_the_shortest_from_a_root_also_through_cycles() {
        let graph = graph(5, &[(0, 1), (1, 2), (2, 0), (2, 3), (0, 2), (9, 1), (3, 3)], &[0, 7]);
        let paths = graph.paths();
        assert_eq!(paths.to(3), Some(vec![0, 2, 3]));
        assert_eq!(paths.to(0), Some(vec![0]));
        assert_eq!(paths.to(4), None, "nothing leads there");
        assert_eq!(paths.to(50), None);
    }

    #[test]
    fn names_of_ecosystems_lead_back_to_them() {
        for ecosystem in Ecosystem::ALL {
            assert_eq!(Ecosystem::from_osv(ecosystem.osv()), Some(ecosystem));
        }
        assert_eq!(Ecosystem::from_osv("Debian:12"), Some(Ecosystem::Debian));
        assert_eq!(Ecosystem::from_osv("cargo"), None);
    }

    #[test]
    fn a_package_url_tells_its_ecosystem() {
        for ecosystem in Ecosystem::ALL {
            assert_eq!(Ecosystem::of_purl(&purl::of(ecosystem, "a", "1", &[])), Some(ecosystem));
        }
        for foreign in ["pkg:deb/other/a@1", "pkg:generic/a@1", "cargo/a@1", "pkg:", ""] {
            assert_eq!(Ecosystem::of_purl(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn the_first_reason_for_incompleteness_stays() {
        let mut completeness = Completeness::Complete;
        completeness.lacks("a parent is not read");
        completeness.lacks("another");
        assert_eq!(completeness, Completeness::Incomplete("a parent is not read".into()));
    }
}
