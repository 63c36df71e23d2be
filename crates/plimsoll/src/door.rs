//! The door: what is about to act on a decision believes nothing that it was told. From the dossier it computes the
//! decision again, computes the release from what would really run, and mints its own permit.

use crate::{
    cli::ProjectAt,
    context::{Context, not_pinned},
    failure::Failure,
    highest,
};
use plimsoll_attest::{Statement, Verified};
use plimsoll_engine::ports::Blobs as _;
use plimsoll_host::ServiceDirectory;
use plimsoll_model::{Code, Digest, Timestamp, removed};
use plimsoll_pipeline::Environment;
use plimsoll_policy::{
    Decision, DeliveryFiles, DossierParts, Observed, Permit, Start, Summary,
    dossier::{self, MAX_DOSSIER, recompute},
    frozen, gather, permit,
    repository::environment_path,
};
use plimsoll_store::StateDir;

/// Why a release is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Why {
    /// It was just promoted.
    New,
    /// It is the current one and does not run.
    Restart,
    /// It is the current one and runs, but not as decided.
    Repair,
}

impl Why {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Restart => "restart",
            Self::Repair => "repair",
        }
    }
}

/// What was let in.
pub(crate) struct Admitted {
    pub(crate) permit: Permit,
    /// The decision behind the permit, computed again.
    pub(crate) statement: Verified<Statement<Summary>>,
    /// The files of the delivery repository that it names by digest.
    pub(crate) files: DeliveryFiles,
}

/// Lets a release in by its dossier.
///
/// # Errors
/// Whatever is wrong with the dossier, and every refusal of [`permit`].
pub(crate) fn admit(
    context: &Context,
    state: &StateDir,
    directory: &ServiceDirectory,
    unit: &ProjectAt,
    dossier: &Digest,
    why: Why,
) -> Result<Admitted, Failure> {
    let parts = dossier::read(&state.layout().read(dossier, MAX_DOSSIER as u64)?)?;
    let pinned = context.pinned()?.ok_or_else(not_pinned)?;
    let statement = recompute(&parts, &pinned.accept()?, &pinned.earlier)?;
    let commit = statement.value().predicate.decision.delivery_commit.clone();
    let files = DeliveryFiles { commit, files: parts.files.clone() };
    let permit = mint(directory, unit, &parts, &files, &statement, why)?;
    Ok(Admitted { permit, statement, files })
}

fn mint(
    directory: &ServiceDirectory,
    unit: &ProjectAt,
    parts: &DossierParts,
    files: &DeliveryFiles,
    decision: &Verified<Statement<Summary>>,
    why: Why,
) -> Result<Permit, Failure> {
    let judged = &decision.value().predicate.decision;
    let broken =
        |error: &(dyn std::error::Error + 'static)| Failure::broken("the release cannot be computed", error);
    let release = gather::release(files, &unit.project, &unit.environment, judged.release.artifact);
    let release = release.map_err(|error| broken(&error))?.digest().map_err(|error| broken(&error))?;
    let ids = gather::identities(files, &unit.project, &unit.environment);
    let (project, environment) = ids.map_err(|error| broken(&error))?;
    let now = Timestamp::now();
    let (current, start) = match why {
        Why::New => (before(directory, parts, judged)?, Start::New),
        Why::Restart => (running(directory, decision), Start::Restart),
        Why::Repair => {
            let path = environment_path(&unit.environment);
            let bytes = files.files.get(&path).map(Vec::as_slice).unwrap_or_default();
            let declared =
                Environment::read(&path, bytes).map_err(|errors| Failure::Refused(errors.reasons()))?;
            let frozen = frozen(&declared.freeze, now).is_some();
            (running(directory, decision), Start::Repair { frozen })
        }
    };
    Ok(permit(decision, &Observed { environment, project, release, current }, start, now)?)
}

/// The decision that a new one follows, by the new one's own dossier; nothing here may have come further already.
fn before(
    directory: &ServiceDirectory,
    parts: &DossierParts,
    judged: &Decision,
) -> Result<Option<(Digest, u64)>, Failure> {
    let highest = highest::read(directory)?;
    let place = judged.counter.unwrap_or_default();
    if !removed!("highest-started") && place <= highest {
        let reason = Code::Rollback.reason().with("actual", format!("decision {}", place.saturating_sub(1)));
        let reason = reason.with("expected", format!("decision {highest}"));
        let reason =
            reason.with("project", &judged.project.name).with("environment", &judged.environment.name);
        return Err(reason.into());
    }
    let standing = parts.standing.as_deref().and_then(crate::dossiers::payload);
    Ok(standing.zip(place.checked_sub(1)))
}

/// The decision that runs here, if it is this one.
fn running(directory: &ServiceDirectory, decision: &Verified<Statement<Summary>>) -> Option<(Digest, u64)> {
    let record = directory.read()?;
    let counter = decision.value().predicate.decision.counter?;
    (record.decision == *decision.payload_digest()).then_some((record.decision, counter))
}
