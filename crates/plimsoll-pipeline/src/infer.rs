//! A first `plimsoll.yaml` for a Cargo package, from its manifest and the names of its files. Where the manifest does
//! not say what is shipped, nothing is guessed.

use crate::init::scalar;
use plimsoll_model::{ProjectName, RelPath, reason::printable};
use std::collections::BTreeSet;
use toml::{Table, Value};

/// Bytes of a manifest.
const MAX_MANIFEST: usize = 1 << 20;
/// Binaries of one package.
const MAX_BINARIES: usize = 100;

/// What is known of a Cargo package.
#[derive(Debug, Clone, Copy)]
pub struct CargoLayout<'a> {
    /// Text of its `Cargo.toml`.
    pub manifest: &'a str,
    /// Paths of the files of the project.
    pub files: &'a BTreeSet<RelPath>,
    /// The target triple to build for, as in `x86_64-unknown-linux-gnu`.
    pub target: &'a str,
}

/// Why no pipeline can be inferred, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InferError {
    /// The manifest is not TOML, or not a manifest.
    #[error("Cargo.toml cannot be read: {0}")]
    Manifest(String),
    /// Nothing pins the dependencies.
    #[error(
        "there is no Cargo.lock, so nothing says which packages to fetch: run `cargo generate-lockfile` and commit the file"
    )]
    NoLock,
    /// The manifest is that of a workspace only.
    #[error("Cargo.toml is a workspace without a package of its own, so it does not say what to ship: write plimsoll.yaml with `cargo build -p MEMBER` as its step and that member's binary under `out`{}", members(.0))]
    Workspace(Vec<String>),
    /// The package has nothing that runs.
    #[error(
        "the package `{0}` is a library without a binary, so there is nothing to start: add src/main.rs, or write plimsoll.yaml with what you ship under `artifact`"
    )]
    Library(String),
    /// The name of the package cannot be made the name of a project.
    #[error(
        "the package name `{0}` cannot be a project name: write plimsoll.yaml with a `project` of a-z, 0-9 and -"
    )]
    Name(String),
}

fn members(members: &[String]) -> String {
    if members.is_empty() { String::new() } else { format!(" (members: {})", members.join(", ")) }
}

/// The text of a `plimsoll.yaml` that builds the package's binaries, linked statically so that they run in an empty
/// image, and runs its tests.
///
/// # Errors
/// When the manifest does not say what is shipped; the error says what to do.
pub fn infer_cargo(layout: &CargoLayout<'_>) -> Result<String, InferError> {
    if layout.manifest.len() > MAX_MANIFEST {
        return Err(InferError::Manifest("it is larger than 1 MiB".into()));
    }
    let manifest: Table = layout
        .manifest
        .parse()
        .map_err(|error: toml::de::Error| InferError::Manifest(printable(error.message(), 300)))?;
    let Some(package) = manifest.get("package").and_then(Value::as_table) else {
        return Err(without_package(&manifest));
    };
    let name = package.get("name").and_then(Value::as_str);
    let name = name.ok_or_else(|| InferError::Manifest("`package.name` is missing or is not text".into()))?;
    let project = project_name(name)?;
    let binaries = binaries(&manifest, package, name, layout.files)?;
    if binaries.is_empty() {
        return Err(InferError::Library(printable(name, 100)));
    }
    if !layout.files.iter().any(|path| path.as_str() == "Cargo.lock") {
        return Err(InferError::NoLock);
    }
    Ok(render(&project, &binaries, layout.target))
}

fn without_package(manifest: &Table) -> InferError {
    let Some(workspace) = manifest.get("workspace").and_then(Value::as_table) else {
        return InferError::Manifest("it has neither `[package]` nor `[workspace]`".into());
    };
    let members = workspace.get("members").and_then(Value::as_array).into_iter().flatten();
    InferError::Workspace(
        members.filter_map(Value::as_str).take(20).map(|name| printable(name, 100)).collect(),
    )
}

fn project_name(package: &str) -> Result<ProjectName, InferError> {
    let name = package.to_ascii_lowercase().replace('_', "-");
    name.trim_matches('-').parse().map_err(|_| InferError::Name(printable(package, 100)))
}

/// Names of the binaries that `cargo build` makes: those of `[[bin]]`, and those that Cargo finds by itself.
fn binaries(
    manifest: &Table,
    package: &Table,
    name: &str,
    files: &BTreeSet<RelPath>,
) -> Result<BTreeSet<String>, InferError> {
    let mut names = BTreeSet::new();
    let declared: Vec<_> = manifest
        .get("bin")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_table)
        .collect();
    let named = |bin: &&Table| bin.get("name").and_then(Value::as_str).map(str::to_owned);
    if package
        .get("autobins")
        .and_then(Value::as_bool)
        .unwrap_or(!is_first_edition(package) || declared.is_empty())
    {
        let taken: Vec<_> =
            declared.iter().filter_map(|bin| bin.get("path").and_then(Value::as_str)).collect();
        let taken =
            |path: &RelPath| taken.iter().any(|taken| taken.trim_start_matches("./") == path.as_str());
        let free = files.iter().filter(|path| !taken(path));
        names.extend(free.filter_map(|path| discovered(path.as_str(), name)));
    }
    names.extend(declared.iter().filter_map(&named));
    for bin in declared.iter().filter(|bin| needs_features(bin)) {
        names.retain(|name| Some(name) != named(bin).as_ref());
    }
    let plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    match names.iter().find(|name| name.is_empty() || !plain(name)) {
        Some(bad) => {
            Err(InferError::Manifest(format!("`{}` is not the name of a binary", printable(bad, 100))))
        }
        None if names.len() > MAX_BINARIES => {
            Err(InferError::Manifest(format!("it has more than {MAX_BINARIES} binaries")))
        }
        None => Ok(names),
    }
}

/// In the edition of 2015 a `[[bin]]` ends the search for others.
fn is_first_edition(package: &Table) -> bool {
    package.get("edition").is_none_or(|edition| edition.as_str() == Some("2015"))
}

/// Whether `cargo build` passes over a binary.
fn needs_features(bin: &Table) -> bool {
    bin.get("required-features").and_then(Value::as_array).is_some_and(|features| !features.is_empty())
}

/// The binary that Cargo finds at a path by itself (the Cargo book, "Target auto-discovery").
fn discovered(path: &str, package: &str) -> Option<String> {
    if path == "src/main.rs" {
        return Some(package.to_owned());
    }
    let below = path.strip_prefix("src/bin/")?;
    let name = below.strip_suffix("/main.rs").or_else(|| below.strip_suffix(".rs"))?;
    (!name.contains('/')).then(|| name.to_owned())
}

fn render(project: &ProjectName, binaries: &BTreeSet<String>, target: &str) -> String {
    let out: Vec<_> =
        binaries.iter().map(|name| scalar(&format!("target/{target}/release/{name}"))).collect();
    let list = |indent: &str| out.iter().map(|path| format!("{indent}- {path}\n")).collect::<String>();
    format!(
        "# How {project} is built and checked.
version: 1
project: {name}
build:
  toolchain: host   # this machine's own cargo and linker; the provenance says so
  fetch: [cargo]    # the packages of Cargo.lock, checked against it; nothing else has a network
  steps:
    - name: compile
      run: cargo build --release --locked --offline --target {target}
      # One file without a loader or libraries, which also starts in an empty image.
      env: {{RUSTFLAGS: -C target-feature=+crt-static}}
      scratch: [target]   # starts empty, can be written, is thrown away
      out:                # is kept and hashed
{outs}  artifact:
    files:
{files}evidence:
  - test: unit
    on: source
    run: cargo test --locked --offline
    scratch: [target]
    report: {{libtest: stdout}}
",
        name = scalar(project.as_str()),
        target = target,
        outs = list("        "),
        files = list("      "),
    )
}

#[cfg(test)]
mod tests;
