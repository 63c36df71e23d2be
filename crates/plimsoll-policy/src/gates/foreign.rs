//! The gate of a foreign scanner that a manifest describes: by which manifest it was run, and which findings block.

use super::{Bench, Refused, scans::blocks};
use plimsoll_attest::predicate::{Scan, common::Ending, scan::AdapterScan};
use plimsoll_model::{Code, Digest, Outcome};
use plimsoll_pipeline::{RequireManifest, RequireScan};
use std::collections::BTreeSet;

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
        if fits {
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

    /// Nothing of a severity that blocks here was found, or nothing that was not found in what runs here already. What the
    /// tool counts as suppressed counts as found, unless the environment says otherwise.
    pub(super) fn found_by(
        &self,
        name: &str,
        adapter: &AdapterScan,
        require: &RequireScan,
        digest: Digest,
    ) -> Result<(), Refused> {
        if adapter.unlisted > 0 {
            let detail = format!("{} findings are not listed", adapter.unlisted);
            let reason = self.detailed(Code::EvidenceFailed, name, detail);
            return Err(Refused::new(Outcome::Errored, Some(digest), reason));
        }
        let known = require.new.map_or_else(BTreeSet::new, |_| self.known(name));
        let blocking = adapter.results.iter().filter(|result| {
            blocks(result.severity, require.block)
                && !known.contains(&result.fingerprint)
                && !(result.suppressed && require.comments)
        });
        let (silenced, open): (Vec<_>, Vec<_>) = blocking.partition(|result| result.suppressed);
        if !silenced.is_empty() {
            let reason = self.detailed(Code::EvidenceConfig, name, format!("{} findings", silenced.len()));
            return Err(Refused::new(Outcome::Failed, Some(digest), reason));
        }
        let what =
            if require.new.is_some() { "new findings that block here" } else { "findings that block here" };
        self.at_most(require.new.unwrap_or(0), open.len() as u64, what, name, digest)
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
