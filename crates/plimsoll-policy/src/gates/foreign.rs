//! The gate of a foreign scanner that a manifest describes: by which manifest it was run, and how it says that it found
//! something. Its findings are judged as those of scans by Plimsoll are.

use super::{Bench, Refused};
use plimsoll_attest::predicate::{Scan, common::Ending, scan::AdapterScan};
use plimsoll_model::{Code, Digest, Outcome, removed};
use plimsoll_pipeline::{RequireManifest, RequireScan};

impl Bench<'_> {
    /// The scan was made by the manifest that the environment names. Which rules run is in it, so a project that could
    /// choose another would choose what is found.
    pub(super) fn by_manifest(
        &self,
        name: &str,
        scan: &Scan,
        require: &RequireScan,
        digest: Digest,
    ) -> Result<(), Refused> {
        let Some(expected) = require.manifest else { return Ok(()) };
        let adapter = scan.adapter.as_ref();
        let fits = adapter.is_some_and(|adapter| match expected {
            RequireManifest::Ready => adapter.ready && adapter.name.as_str() == name,
            RequireManifest::Digest(expected) => adapter.manifest == expected,
        });
        if fits || removed!("scan-manifest") {
            return Ok(());
        }
        let actual = adapter.map_or_else(|| "no manifest".to_owned(), |adapter| manifest_named(adapter));
        let expected = match expected {
            RequireManifest::Ready => format!("the manifest `{name}` that comes with plimsoll"),
            RequireManifest::Digest(expected) => format!("the manifest {expected}"),
        };
        let reason = Code::EvidenceTool.reason().with("check", name);
        let reason = reason.with("actual", actual).with("expected", expected);
        Err(Refused::new(Outcome::Failed, Some(digest), reason))
    }
}

/// Whether the tool ended with a status by which it says that it found something, and did.
pub(super) fn says_found(scan: &Scan) -> bool {
    let adapter = scan.adapter.as_ref().filter(|adapter| !adapter.results.is_empty());
    match scan.exit {
        Ending::Status(status) => adapter.is_some_and(|adapter| adapter.found.contains(&status)),
        _ => false,
    }
}

fn manifest_named(adapter: &AdapterScan) -> String {
    format!("the manifest {} ({})", adapter.manifest, adapter.name)
}
