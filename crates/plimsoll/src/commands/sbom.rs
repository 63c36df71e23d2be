//! `plimsoll sbom`: what a tree, an artifact or an image depends on, as a file that other tools read.

use super::{scan::tree, trace};
use crate::{
    cli::{self, Sbom, SbomFormat},
    context::Context,
    failure::Failure,
    output::Output,
    records,
};
use plimsoll_attest::predicate::common::ResourceDigest;
use plimsoll_dependencies::{
    Completeness, Inventory,
    sbom::{Bill, Subject},
};
use plimsoll_model::record::Material;
use std::{fs, path::Path};

/// Before the paths of what lies in the artifact.
const ARTIFACT: &str = "artifact:/";

pub(crate) fn sbom(context: &Context, arguments: &Sbom, output: &Output) -> Result<(), Failure> {
    let path = fs::canonicalize(&arguments.path)
        .map_err(|_| Failure::Usage(format!("there is no file or directory {}", arguments.path.display())))?;
    let mut bill = bill(&path, arguments.name.clone().unwrap_or_else(|| name(&path)))?;
    if let Some(run) = &arguments.run {
        bill.observe(&fetched(context, run)?);
    }
    let written = match arguments.format {
        SbomFormat::Cyclonedx => bill.cyclonedx(arguments.created),
        SbomFormat::Spdx => bill.spdx(arguments.created),
    };
    let bytes = written.map_err(|error| Failure::broken("the list cannot be written", &error))?;
    match &arguments.output {
        Some(file) => write(file, &bytes)?,
        None => output.document(&bytes),
    }
    tell(&bill, output);
    Ok(())
}

/// `plimsoll __bill`: in a sandbox, for the signer of a run. Where something lies in the artifact, its place says so.
pub(crate) fn bill_of(cli::Bill { source, artifact, to }: &cli::Bill) -> Result<(), Failure> {
    let mut inventory = Inventory::new();
    for (root, within) in [(source, ""), (artifact, ARTIFACT)] {
        let walked = tree::walk(root, &Inventory::wants, &mut |path, bytes| {
            inventory.add(&format!("{within}{path}"), bytes);
        })?;
        for gap in walked.gaps.into_iter().filter(|gap| Inventory::wants(&gap.path)) {
            inventory.gap(&format!("{within}{}", gap.path), gap.problem);
        }
    }
    let bill = Bill::of(Subject::default(), &inventory.finish());
    let bytes = bill.to_json().map_err(|error| Failure::broken("the list cannot be written", &error))?;
    write(to, &bytes)
}

/// Reads what is there: of a directory the files that can name packages, of a file whatever it is.
fn bill(path: &Path, name: String) -> Result<Bill, Failure> {
    let mut inventory = Inventory::new();
    let lone = path.is_file();
    let mut known = false;
    let wanted = |path: &str| lone || Inventory::wants(path);
    let walked = tree::walk(path, &wanted, &mut |path, bytes| known |= inventory.add(path, bytes))?;
    for gap in walked.gaps.into_iter().filter(|gap| wanted(&gap.path)) {
        inventory.gap(&gap.path, gap.problem);
        known = true;
    }
    if lone && !known {
        return Err(Failure::Usage(format!("{} is nothing that names packages", path.display())));
    }
    Ok(Bill::of(Subject { name, version: String::new() }, &inventory.finish()))
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| "root".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// What a run brought in, by its signed provenance.
fn fetched(context: &Context, run: &str) -> Result<Vec<Material>, Failure> {
    let state = context.reader()?;
    let found = records::find(&state, run)?;
    let unfinished =
        || Failure::Usage(format!("run {} did not finish, so nothing is known of it", found.run));
    let record = found.record.as_ref().ok_or_else(unfinished)?;
    let inputs = trace::inputs(context, &state, record)?.into_iter();
    let materials = inputs.filter_map(|input| match (input.uri, input.digest) {
        (Some(uri), ResourceDigest::Sha256(digest)) => Some(Material { uri, digest }),
        _ => None,
    });
    Ok(materials.collect())
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(file, bytes)
        .map_err(|error| Failure::broken(format!("failed to write {}", file.display()), &error))
}

/// How complete the list is, for people: the file says it for programs.
fn tell(bill: &Bill, output: &Output) {
    let own = bill.entries.values().filter(|entry| entry.is_own()).count();
    let (word, why) = match bill.completeness() {
        Completeness::Complete => ("complete", None),
        Completeness::Incomplete(why) => ("incomplete", Some(why)),
        Completeness::Unknown(why) => ("unknown", Some(why)),
    };
    let packages = bill.entries.len() - own;
    output.progress(&format!("{packages} packages of {} files, completeness: {word}", bill.parts.len()));
    if let Some(why) = why {
        output.progress(&format!("  because {why}"));
    }
}
