//! `plimsoll export`: an artifact and everything signed about it, as files that other tools read.

use crate::{
    cli::Export,
    context::Context,
    failure::Failure,
    output::Output,
    records::{self, RunRecord},
};
use plimsoll_attest::{AnyStatement, Bundle, Predicate as _, predicate::Sbom};
use plimsoll_engine::ports::Blobs as _;
use plimsoll_model::RelPath;
use plimsoll_store::{StateDir, artifact, oci::Descriptor};
use std::{
    fs::{self, File},
    io,
    os::fd::AsFd as _,
    path::Path,
};

/// Bytes of a bundle.
const LIMIT: u64 = 32 << 20;
/// The list of what the artifact is made of, as a file of its own.
const LIST: &str = "sbom.cdx.json";

pub(crate) fn export(context: &Context, arguments: &Export, output: &Output) -> Result<(), Failure> {
    drop(context.reader()?);
    // Unpacking an image puts its files into the store.
    let state = context.writer("export")?;
    let found = records::find(&state, &arguments.run)?;
    let unfinished =
        || Failure::Usage(format!("run {} did not finish, so there is nothing to export", found.run));
    let record = found.record.as_ref().ok_or_else(unfinished)?;
    let to = &arguments.to;
    fs::create_dir(to)
        .map_err(|error| Failure::Usage(format!("failed to make {}: {error}", to.display())))?;
    bundles(&state, record, to)?;
    artifact_files(&state, record, to)?;
    let mut text = format!("written   {}\n", to.display());
    text.extend(
        record.statements.iter().map(|s| format!("  {}.sigstore.json   signed by {}\n", s.name, s.role)),
    );
    if record.statement("sbom").is_some() {
        text.push_str("  sbom.cdx.json: what the artifact is made of, in CycloneDX 1.6\n");
    }
    if record.artifact.is_some() {
        text.push_str("  manifest.json, files/, layout/\n");
        text.push_str(&format!("next      plimsoll verify {}/artifact.sigstore.json", to.display()));
    }
    output.result(&text, &serde_json::json!({ "directory": to, "run": record }));
    Ok(())
}

fn bundles(state: &StateDir, record: &RunRecord, to: &Path) -> Result<(), Failure> {
    for statement in &record.statements {
        let bundle = state.layout().read(&statement.bundle, LIMIT)?;
        write(&to.join(format!("{}.sigstore.json", statement.name)), &bundle)?;
        if statement.predicate_type == Sbom::TYPE {
            write(&to.join(LIST), &predicate(&bundle)?)?;
        }
    }
    Ok(())
}

/// What a bundle says, for tools that read that and no statements.
fn predicate(bundle: &[u8]) -> Result<Vec<u8>, Failure> {
    let failed =
        |error: &(dyn std::error::Error + 'static)| Failure::broken("a statement cannot be read", error);
    let bundle = Bundle::parse(bundle).map_err(|error| failed(&error))?;
    let statement = AnyStatement::from_bytes(&bundle.envelope().payload).map_err(|error| failed(&error))?;
    serde_json::to_vec_pretty(&statement.predicate).map_err(|error| failed(&error))
}

fn artifact_files(state: &StateDir, record: &RunRecord, to: &Path) -> Result<(), Failure> {
    let Some(made) = &record.artifact else { return Ok(()) };
    write(&to.join("manifest.json"), &state.layout().read(&made.manifest, LIMIT)?)?;
    let descriptor = Descriptor::new(&made.media_type, made.manifest, made.size);
    state.layout().export_directory(&descriptor, record.project.as_str(), &to.join("layout"))?;
    let failed =
        |error: &(dyn std::error::Error + 'static)| Failure::broken("the artifact cannot be written", error);
    let above = File::open(to).map_err(|error| failed(&error))?;
    let name: RelPath = "files".parse().map_err(|error| failed(&error))?;
    let files = plimsoll_fs::create_directory(above.as_fd(), &name).map_err(|error| failed(&error))?;
    let tree = artifact::artifact_tree(state.layout(), &made.manifest)?;
    let contents = |digest: &plimsoll_model::Digest| -> Result<Box<dyn io::Read>, plimsoll_fs::FsError> {
        let blob = state.layout().open(digest);
        Ok(Box::new(blob.map_err(|error| plimsoll_fs::FsError::io("open a blob", io::Error::other(error)))?))
    };
    plimsoll_fs::write_tree(&tree, &contents, files.as_fd(), 0).map_err(|error| failed(&error))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes)
        .map_err(|error| Failure::broken(format!("failed to write {}", path.display()), &error))
}
