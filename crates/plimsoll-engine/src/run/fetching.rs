//! The fetch phase of a run: the only one with a network, before any code of the project runs.

use super::{Event, Run, RunError, Signers, World, closed};
use crate::{
    derive,
    fetch::{CargoFetch, FetchError, Fetched, Lock},
    ports::Source,
    signer::{CloseFetch, Open, Request},
};
use plimsoll_model::{Code, Reason, RelPath, record::Material};
use plimsoll_pipeline::Ecosystem;

/// Where fetched packages appear in every sandbox of the run.
pub(super) const VENDOR: &str = "/vendor";
/// Bytes of a lock file.
const LOCK_LIMIT: u64 = 16 << 20;

impl Run<'_> {
    /// Runs the fetch phase and closes it.
    pub(super) fn fetch(
        &mut self,
        signers: &mut Signers<'_>,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), RunError> {
        for ecosystem in &self.plan.fetch {
            watch(Event::Started { name: "fetch", attempt: 1 });
            let Fetched { materials, network, vendor, events, .. } = match ecosystem {
                Ecosystem::Cargo => self.fetch_cargo(watch)?,
            };
            let close = CloseFetch { materials, network, events };
            let closed = closed(signers.builder.ask(&Request::CloseFetch(close))?)?;
            watch(Event::Ended {
                name: "fetch",
                attempt: 1,
                outcome: closed.outcome,
                reasons: &closed.reasons,
            });
            self.around.vendor = vendor;
        }
        Ok(())
    }

    fn fetch_cargo(&self, watch: &mut dyn FnMut(Event<'_>)) -> Result<Fetched, RunError> {
        let World { sandbox, egress, blobs, toolchain, client, interrupted, .. } = self.world;
        let no_client = || {
            let reason = Code::FetchFailed.reason().with("run", &self.open.run);
            reason.with("problem", "there is no cargo on this machine")
        };
        let (work, _) = self.workspace.directory("fetch")?;
        let fetch = CargoFetch {
            sandbox: *sandbox,
            egress: *egress,
            blobs: *blobs,
            toolchain: &toolchain.mounts,
            path: &toolchain.path,
            cargo: toolchain.cargo.as_deref().ok_or_else(no_client)?,
            certificates: client.certificates.as_deref(),
            client: &client.config,
            registries: &client.registries,
            source: &self.around.source,
            tree: &self.tree,
            work: &work,
            vendor: VENDOR,
            interrupted,
        };
        let output = &mut |stream, bytes: &[u8]| {
            watch(Event::Output { name: "fetch", attempt: 1, stream, bytes });
        };
        let run = &self.open.run;
        fetch.run(output).map_err(|error| match error {
            FetchError::Refused(reasons) => {
                RunError::Refused(reasons.into_iter().map(|reason| reason.with("run", run)).collect())
            }
            FetchError::Interrupted => RunError::Interrupted,
            FetchError::Sandbox(error) => error.into(),
            FetchError::Store(error) => error.into(),
            FetchError::Io { action, source } => RunError::io(action, source),
        })
    }
}

/// What a signer says of fetched materials: they are exactly what the lock file of the commit pins.
///
/// # Errors
/// Those of the source; `E-LOCK-INCOMPLETE` for a lock file that cannot be read.
pub(crate) fn judge_materials(
    source: &dyn Source,
    open: &Open,
    materials: &[Material],
) -> Result<Vec<Reason>, RunError> {
    let name: RelPath = "Cargo.lock".parse().map_err(|error| RunError::internal("name a file", &error))?;
    let path = open.subdirectory.as_ref().map_or(name.clone(), |directory| directory.join(&name));
    match source.file(&open.commit, &path, LOCK_LIMIT)? {
        Some(bytes) => Ok(Lock::parse(&bytes)?.disagreements(materials)),
        None if materials.is_empty() => Ok(vec![]),
        None => Err(derive::missing(&path)),
    }
}
