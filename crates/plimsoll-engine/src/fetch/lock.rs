//! Reads `Cargo.lock` (formats 3 and 4) and judges it: pure, bounded, and complete, so that a reader of the refusal
//! sees everything that is wrong at once. A lock file chooses among registries that are known already; it never adds
//! one.

use super::registries::Registries;
use plimsoll_model::{Code, Digest, Reason, record::Material, removed};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

const MAX_BYTES: usize = 16 << 20;
const MAX_PACKAGES: usize = 50_000;

/// A lock file, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// Every package, in the order of the file.
    pub packages: Vec<LockedPackage>,
}

/// A package of a lock file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LockedPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it comes from; none for packages of the source tree.
    pub source: Option<String>,
    /// SHA-256 of its archive, 64 lowercase hexadecimal digits, where the file has one.
    pub checksum: Option<String>,
    /// What it depends on: `name`, `name version` or `name version (source)`, as far as needed to be unique.
    #[serde(default)]
    pub dependencies: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    version: Option<u32>,
    #[serde(default)]
    package: Vec<LockedPackage>,
}

impl Lock {
    /// Reads a lock file.
    ///
    /// # Errors
    /// `E-LOCK-INCOMPLETE` when it is not a lock file of format 3 or 4, or larger than any honest one.
    pub fn parse(bytes: &[u8]) -> Result<Self, Reason> {
        if bytes.len() > MAX_BYTES {
            return Err(unusable(format!("it has more than {MAX_BYTES} bytes")));
        }
        let text = str::from_utf8(bytes).map_err(|_| unusable("it is not UTF-8"))?;
        let file: File = toml::from_str(text).map_err(|error| unusable(error.message()))?;
        match file.version {
            Some(3 | 4) => {}
            Some(version) => {
                return Err(unusable(format!("its format is {version}; formats 3 and 4 are read")));
            }
            None => return Err(unusable("it has no format version; formats 3 and 4 are read")),
        }
        if file.package.len() > MAX_PACKAGES {
            return Err(unusable(format!("it has more than {MAX_PACKAGES} packages")));
        }
        Ok(Self { packages: file.package })
    }

    /// Packages that come from elsewhere than the source tree.
    pub fn fetched(&self) -> impl Iterator<Item = &LockedPackage> {
        self.packages.iter().filter(|package| package.source.is_some())
    }

    /// Everything that is wrong with it: `E-LOCK-SOURCE`, `E-LOCK-INCOMPLETE`, `E-LOCK-ORPHAN`. `local` holds the names
    /// of the packages of the source tree.
    #[must_use]
    pub fn judge(&self, registries: &Registries, local: &BTreeSet<String>) -> Vec<Reason> {
        let mut reasons = Vec::new();
        for package in &self.packages {
            match &package.source {
                None if local.contains(&package.name) => {}
                None => reasons.push(source(package, "a path outside of the source tree")),
                Some(from) => reasons.extend(package.objections(from, registries)),
            }
        }
        reasons.extend(self.twice());
        reasons.extend(self.graph());
        reasons
    }

    /// What is wrong with what was fetched, when all of it is known: `E-LOCK-HASH`, `E-LOCK-INCOMPLETE` and
    /// `E-LOCK-ORPHAN`. Needs no knowledge of registries.
    #[must_use]
    pub fn disagreements(&self, materials: &[Material]) -> Vec<Reason> {
        let mut fetched: BTreeMap<&str, Vec<Digest>> = BTreeMap::new();
        for material in materials {
            fetched.entry(&material.uri).or_default().push(material.digest);
        }
        let mut reasons = Vec::new();
        for package in self.fetched() {
            match fetched.remove(package.uri().as_str()) {
                None => reasons.push(incomplete(package.label(), "the client did not fetch it")),
                Some(digests) => reasons.extend(digests.iter().filter_map(|digest| package.compare(*digest))),
            }
        }
        reasons.extend(fetched.into_keys().map(orphan));
        reasons
    }

    /// Packages that cannot be told apart once they are archives.
    fn twice(&self) -> Vec<Reason> {
        let mut seen = BTreeSet::new();
        let again = self.packages.iter().filter(|package| !seen.insert((&package.name, &package.version)));
        again.map(|package| incomplete(package.label(), "name and version stand twice in it")).collect()
    }

    /// Dependencies without an entry, and entries that nothing of the source tree leads to.
    fn graph(&self) -> Vec<Reason> {
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, package) in self.packages.iter().enumerate() {
            by_name.entry(&package.name).or_default().push(at);
        }
        let mut reasons = Vec::new();
        let mut open: Vec<usize> =
            (0..self.packages.len()).filter(|at| self.packages[*at].source.is_none()).collect();
        let mut reached: BTreeSet<usize> = open.iter().copied().collect();
        while let Some(at) = open.pop() {
            for dependency in &self.packages[at].dependencies {
                match self.entry(dependency, &by_name) {
                    Some(entry) if reached.insert(entry) => open.push(entry),
                    Some(_) => {}
                    None => {
                        let problem = format!(
                            "{} asks for it, and it has no entry of its own",
                            self.packages[at].label()
                        );
                        reasons.push(incomplete(dependency, problem));
                    }
                }
            }
        }
        let lost = (0..self.packages.len()).filter(|at| !reached.contains(at));
        reasons.extend(lost.map(|at| orphan(&self.packages[at].label())));
        reasons
    }

    fn entry(&self, dependency: &str, by_name: &BTreeMap<&str, Vec<usize>>) -> Option<usize> {
        let mut parts = dependency.splitn(3, ' ');
        let name = parts.next()?;
        let version = parts.next();
        let from = parts.next().and_then(|text| text.strip_prefix('(')?.strip_suffix(')'));
        let mut fitting = by_name.get(name)?.iter().copied().filter(|at| {
            let package = &self.packages[*at];
            version.is_none_or(|version| package.version == version)
                && from.is_none_or(|from| package.source.as_deref() == Some(from))
        });
        let first = fitting.next();
        first.filter(|_| fitting.next().is_none())
    }
}

impl LockedPackage {
    /// For people: name and version.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{} {}", self.name, self.version)
    }

    /// The package URL (without qualifiers, since the digest says which bytes).
    #[must_use]
    pub fn uri(&self) -> String {
        // `+` is the only character of a valid version that a package URL escapes.
        format!("pkg:cargo/{}@{}", self.name, self.version.replace('+', "%2B"))
    }

    /// Name of its archive without `.crate`, and of its directory.
    #[must_use]
    pub fn stem(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// The digest that its archive must have.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        Digest::from_hex(self.checksum.as_deref()?).ok()
    }

    fn objections(&self, from: &str, registries: &Registries) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if !registries.knows(from) {
            reasons.push(source(self, from));
        }
        if !is_plain(&self.name, "-_", 64) || !is_plain(&self.version, ".-+", 128) {
            reasons.push(incomplete(self.label(), "its name or version is none"));
        }
        if let Some((_, commit)) =
            from.strip_prefix("git+").map(|git| git.split_once('#').unwrap_or((git, "")))
        {
            if commit.len() < 40 || !commit.bytes().all(|b| b.is_ascii_hexdigit()) {
                reasons.push(incomplete(self.label(), "its git source names no commit"));
            }
        } else if self.digest().is_none() {
            reasons.push(incomplete(self.label(), "it has no SHA-256 checksum"));
        }
        reasons
    }

    fn compare(&self, actual: Digest) -> Option<Reason> {
        let expected = self.digest()?;
        let hash = || Code::LockHash.reason().with("package", self.label());
        (!removed!("lock-hash") && actual != expected)
            .then(|| hash().with("actual", actual).with("expected", expected))
    }
}

/// Letters, digits and `more`: such text is safe as a file name and means nothing to a shell.
fn is_plain(text: &str, more: &str, limit: usize) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
    (1..=limit).contains(&text.len())
        && text.chars().all(good)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}

pub(super) fn incomplete(package: impl std::fmt::Display, problem: impl std::fmt::Display) -> Reason {
    Code::LockIncomplete.reason().with("package", package).with("problem", problem)
}

pub(super) fn orphan(package: &str) -> Reason {
    Code::LockOrphan.reason().with("package", package)
}

fn source(package: &LockedPackage, from: &str) -> Reason {
    Code::LockSource.reason().with("package", package.label()).with("source", from)
}

fn unusable(problem: impl std::fmt::Display) -> Reason {
    incomplete("any package (Cargo.lock cannot be used)", problem)
}
