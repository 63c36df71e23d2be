//! The formats that are read: how each is told from others, and which reader takes it.

use crate::{
    artifact::{alpine, debian, golang, jar, release::root_of, rpm, rust},
    component::Graph,
    inventory::MAX_BYTES,
    lock,
};

/// Why a file could not be read: one line, for the coverage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

impl Unreadable {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// `Cargo.lock`
    CargoLock,
    /// `package-lock.json`, `npm-shrinkwrap.json`
    NpmLock,
    /// `pnpm-lock.yaml`
    PnpmLock,
    /// `yarn.lock`
    YarnLock,
    /// `poetry.lock`
    PoetryLock,
    /// `uv.lock`
    UvLock,
    /// `pdm.lock`
    PdmLock,
    /// `Pipfile.lock`
    PipfileLock,
    /// `pylock.toml`, `pylock.NAME.toml`
    PyLock,
    /// `requirements.txt` and files named like it
    Requirements,
    /// `go.mod`
    GoMod,
    /// `gradle.lockfile`
    GradleLock,
    /// `pom.xml`
    Pom,
    /// `Gemfile.lock`, `gems.locked`
    GemfileLock,
    /// `composer.lock`
    ComposerLock,
    /// `packages.lock.json`
    NugetLock,
    /// `project.assets.json`
    NugetAssets,
    /// `*.deps.json`
    DotnetDeps,
    /// dpkg's database of what is installed
    Dpkg,
    /// apk's database of what is installed
    Apk,
    /// rpm's database of what is installed
    Rpm,
    /// A program that Go built
    GoProgram,
    /// A program that `cargo auditable` built
    RustProgram,
    /// `*.jar`, `*.war`, `*.ear`
    Jar,
}

impl Format {
    /// The format of the file at `path`, by its name.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        Some(match name {
            "Cargo.lock" => Self::CargoLock,
            "package-lock.json" | "npm-shrinkwrap.json" => Self::NpmLock,
            "pnpm-lock.yaml" => Self::PnpmLock,
            "yarn.lock" => Self::YarnLock,
            "poetry.lock" => Self::PoetryLock,
            "uv.lock" => Self::UvLock,
            "pdm.lock" => Self::PdmLock,
            "Pipfile.lock" => Self::PipfileLock,
            "pylock.toml" => Self::PyLock,
            "go.mod" => Self::GoMod,
            "gradle.lockfile" | "buildscript-gradle.lockfile" => Self::GradleLock,
            "pom.xml" => Self::Pom,
            "Gemfile.lock" | "gems.locked" => Self::GemfileLock,
            "composer.lock" => Self::ComposerLock,
            "packages.lock.json" => Self::NugetLock,
            "project.assets.json" => Self::NugetAssets,
            "status" if root_of(path, &debian::PATHS).is_some() => Self::Dpkg,
            "installed" if root_of(path, &alpine::PATHS).is_some() => Self::Apk,
            "rpmdb.sqlite" | "Packages.db" | "Packages" if root_of(path, &rpm::PATHS).is_some() => Self::Rpm,
            _ if in_status_folder(path) => Self::Dpkg,
            _ if jar::is_archive(name) => Self::Jar,
            _ if name.ends_with(".deps.json") => Self::DotnetDeps,
            _ if name.starts_with("pylock.") && name.ends_with(".toml") => Self::PyLock,
            _ if name.ends_with(".txt") && is_requirements(path, name) => Self::Requirements,
            _ => return None,
        })
    }

    /// The format of a file, by its name or, of a program, by what is in it.
    pub(crate) fn of(path: &str, bytes: &[u8]) -> Option<Self> {
        let program = || match bytes {
            _ if !is_program(bytes) => None,
            _ if golang::find(bytes).is_some() => Some(Self::GoProgram),
            _ => rust::find(bytes).map(|_| Self::RustProgram),
        };
        Self::of_path(path).or_else(program)
    }

    /// Its name for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CargoLock => "Cargo.lock",
            Self::NpmLock => "package-lock.json",
            Self::PnpmLock => "pnpm-lock.yaml",
            Self::YarnLock => "yarn.lock",
            Self::PoetryLock => "poetry.lock",
            Self::UvLock => "uv.lock",
            Self::PdmLock => "pdm.lock",
            Self::PipfileLock => "Pipfile.lock",
            Self::PyLock => "pylock.toml",
            Self::Requirements => "requirements.txt",
            Self::GoMod => "go.mod",
            Self::GradleLock => "gradle.lockfile",
            Self::Pom => "pom.xml",
            Self::GemfileLock => "Gemfile.lock",
            Self::ComposerLock => "composer.lock",
            Self::NugetLock => "packages.lock.json",
            Self::NugetAssets => "project.assets.json",
            Self::DotnetDeps => "deps.json",
            Self::Dpkg => "dpkg",
            Self::Apk => "apk",
            Self::Rpm => "rpm",
            Self::GoProgram => "Go program",
            Self::RustProgram => "Rust program",
            Self::Jar => "jar",
        }
    }

    pub(crate) fn read(self, path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
        // What is in a program or an archive has limits of its own.
        let limit = match self {
            Self::GoProgram | Self::RustProgram | Self::Jar => usize::MAX,
            Self::Rpm => rpm::MAX_BYTES,
            _ => MAX_BYTES,
        };
        if bytes.len() > limit {
            return Err(Unreadable::new(format!("it has {} bytes; {limit} are read", bytes.len())));
        }
        match self {
            Self::CargoLock => lock::cargo::read(path, bytes),
            Self::NpmLock => lock::npm::read(path, bytes),
            Self::PnpmLock => lock::pnpm::read(path, bytes),
            Self::YarnLock => lock::yarn::read(path, bytes),
            Self::PoetryLock => lock::poetry::read(path, bytes),
            Self::UvLock => lock::uv::read(path, bytes),
            Self::PdmLock => lock::pdm::read(path, bytes),
            Self::PipfileLock => lock::pipenv::read(path, bytes),
            Self::PyLock => lock::pylock::read(path, bytes),
            Self::Requirements => lock::requirements::read(path, bytes),
            Self::GoMod => lock::golang::read(path, bytes),
            Self::GradleLock => lock::gradle::read(path, bytes),
            Self::Pom => lock::maven::read(path, bytes),
            Self::GemfileLock => lock::bundler::read(path, bytes),
            Self::ComposerLock => lock::composer::read(path, bytes),
            Self::NugetLock => lock::nuget::read_lock(path, bytes),
            Self::NugetAssets => lock::nuget::read_assets(path, bytes),
            Self::DotnetDeps => lock::nuget::read_deps(path, bytes),
            Self::Dpkg => debian::read(path, bytes),
            Self::Apk => alpine::read(path, bytes),
            Self::Rpm => rpm::read(path, bytes),
            Self::GoProgram => golang::read(path, bytes, golang::find(bytes).unwrap_or_default()),
            Self::RustProgram => rust::read(path, rust::find(bytes).unwrap_or_default()),
            Self::Jar => jar::read(path, bytes),
        }
    }
}

/// `requirements.txt`, `dev-requirements.txt`, `requirements-dev.txt`, `requirements/base.txt`.
fn is_requirements(path: &str, name: &str) -> bool {
    let folder = path.strip_suffix(name).and_then(|folder| folder.trim_end_matches('/').rsplit('/').next());
    name.starts_with("requirements") || name.ends_with("requirements.txt") || folder == Some("requirements")
}

/// A file of the folder in which images without dpkg keep one paragraph a package; the lists of checksums there are none.
fn in_status_folder(path: &str) -> bool {
    let within = path.split_once(debian::FOLDER);
    within.is_some_and(|(_, name)| !name.contains('/') && !name.ends_with(".md5sums"))
}

/// ELF, PE and Mach-O by their first bytes.
fn is_program(bytes: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 5] =
        [b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xca\xfe\xba\xbe"];
    BEGINNINGS.iter().any(|beginning| bytes.starts_with(beginning))
}
