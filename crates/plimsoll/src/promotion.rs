//! Writing to the delivery repository: a promotion, and the request for approval of a release that lacks nothing else.

use crate::{
    cli::ProjectAt,
    context::{Context, Pinned},
    decisions::Made,
    failure::Failure,
};
use plimsoll_engine::ports::{Event, Journal as _, SourceError};
use plimsoll_git::{Identity, Place, Proposal};
use plimsoll_model::{CommitId, RelPath, Role, Timestamp, jcs};
use plimsoll_policy::{
    Kind,
    repository::{decision_path, release_path},
};
use plimsoll_store::StateDir;
use std::collections::BTreeMap;

/// Files of a proposal.
pub(crate) const REFUSAL: &str = "refusal.sigstore.json";
pub(crate) const DELTA: &str = "delta.sigstore.json";

/// Promotes a decision that allows: a commit that is the direct child of the one that was judged and changes only the
/// files of this release. If somebody else was faster nothing is changed.
///
/// # Errors
/// `E-REF-MOVED` when the delivery repository moved since it was read; failures to reach it.
pub(crate) fn promote(
    context: &Context,
    state: &StateDir,
    pinned: &Pinned,
    unit: &ProjectAt,
    made: &Made,
) -> Result<CommitId, Failure> {
    let decision = &made.summary().decision;
    let release = jcs::to_bytes(&decision.release);
    let release = release.map_err(|error| Failure::broken("the release cannot be written", &error))?;
    let changes = [
        (release_path(&unit.project, &unit.environment), release),
        (decision_path(&unit.project, &unit.environment), made.bundle.clone()),
    ];
    let verb = match decision.kind {
        Kind::Deploy => "promote",
        Kind::Rollback => "roll back",
    };
    let message = format!(
        "{verb} {unit}: {}\n\nrelease {}\ndecision {}\n",
        decision.commit.short(),
        decision.release_digest,
        made.record.decision
    );
    let parent = Some(decision.delivery_commit.clone());
    let commit = propose(context, pinned, Place::Branch, parent, changes, message, own())?;
    let event = Event::Promoted {
        project: unit.project.clone(),
        environment: unit.environment.clone(),
        decision: made.record.decision,
        counter: decision.counter.unwrap_or_default(),
    };
    state.journal().append(&Role::Decision(unit.environment.clone()), Timestamp::now(), event)?;
    Ok(commit)
}

/// Asks people: publishes a refusal with its delta where `plimsoll approve` finds them.
pub(crate) fn ask_people(
    context: &Context,
    pinned: &Pinned,
    unit: &ProjectAt,
    made: &Made,
) -> Result<(), Failure> {
    let Some(delta) = &made.delta else { return Ok(()) };
    let place = Place::Proposals(unit.environment.clone(), unit.project.clone());
    let changes = [(REFUSAL.to_owned(), made.bundle.clone()), (DELTA.to_owned(), delta.clone())];
    let message = format!("{unit}: approvals are missing\n");
    append(context, pinned, place, changes, message)
}

/// Adds a commit to a ref that only grows, whatever it points to now.
pub(crate) fn append(
    context: &Context,
    pinned: &Pinned,
    place: Place,
    changes: impl IntoIterator<Item = (String, Vec<u8>)>,
    message: String,
) -> Result<(), Failure> {
    let parent = context.mirror(pinned)?.reference(&place)?;
    propose(context, pinned, place, parent, changes, message, own()).map(|_| ())
}

/// Who Plimsoll is in commits that it writes by itself.
pub(crate) fn own() -> Identity {
    Identity { name: "Plimsoll".into(), email: "plimsoll@localhost".into(), time: Timestamp::now() }
}

/// Proposes a commit.
///
/// # Errors
/// `E-REF-MOVED` when `parent` is not what the ref points to any more.
pub(crate) fn propose(
    context: &Context,
    pinned: &Pinned,
    place: Place,
    parent: Option<CommitId>,
    changes: impl IntoIterator<Item = (String, Vec<u8>)>,
    message: String,
    author: Identity,
) -> Result<CommitId, Failure> {
    let mirror = context.mirror(pinned)?;
    let mut by_path = BTreeMap::new();
    for (path, content) in changes {
        let path: RelPath = path.parse().map_err(|error| Failure::broken("failed to name a file", &error))?;
        by_path.insert(path, Some(content));
    }
    let committer = author.clone();
    let proposal = Proposal { place, parent, changes: by_path, message, author, committer };
    mirror.propose(&proposal).map_err(|error| SourceError::from(error).into())
}
