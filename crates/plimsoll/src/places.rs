//! Where everything stands, by the delivery repository as it was fetched last: what was promoted to each environment, and
//! what the newest observation of its agent says that runs there. Nothing that is not signed is told.

use crate::{
    cli::ProjectAt,
    context::{Context, Pinned, not_pinned},
    failure::Failure,
};
use plimsoll_attest::{TrustRoot, predicate::Observation};
use plimsoll_engine::{
    delivery::{self, Chain, Promoted},
    ports::Source as _,
};
use plimsoll_git::GitSource;
use plimsoll_model::{CommitId, RelPath};

/// A project in an environment.
pub(crate) struct Place {
    pub(crate) unit: ProjectAt,
    /// The decision that stands there, none before the first promotion; or why what lies there does not count.
    pub(crate) standing: Result<Option<Promoted>, String>,
    /// The newest observation, if its agent published one.
    pub(crate) observed: Option<Observation>,
}

/// Every place, in order of the names.
///
/// # Errors
/// When nothing is pinned or the repository cannot be read; what cannot be read of one place is said there.
pub(crate) fn places(context: &Context) -> Result<Vec<Place>, Failure> {
    places_of(&context.delivery()?, &context.pinned()?.ok_or_else(not_pinned)?)
}

/// The same; no place where nothing is pinned or fetched yet.
pub(crate) fn known_places(context: &Context) -> Result<Vec<Place>, Failure> {
    match context.pinned()? {
        Some(pinned) => fetched_places(context, &pinned),
        None => Ok(vec![]),
    }
}

/// The same under what is pinned; no place where nothing is fetched yet.
pub(crate) fn fetched_places(context: &Context, pinned: &Pinned) -> Result<Vec<Place>, Failure> {
    match context.mirror(pinned)?.source() {
        Ok(source) => places_of(&source, pinned),
        Err(_) => Ok(vec![]),
    }
}

fn places_of(source: &GitSource, pinned: &Pinned) -> Result<Vec<Place>, Failure> {
    let (root, head) = (pinned.accept()?, source.resolve("HEAD")?.commit);
    let environments: RelPath =
        "environments".parse().map_err(|error| Failure::broken("failed to name a file", &error))?;
    let tree = source.tree(&head, Some(&environments))?;
    // Files of one unit follow each other.
    let mut units: Vec<_> = tree.entries.keys().filter_map(unit).collect();
    units.dedup();
    units.into_iter().map(|unit| place(source, &head, &root, unit)).collect()
}

/// `project@environment` of the path of a target or a decision, below `environments`.
fn unit(path: &RelPath) -> Option<ProjectAt> {
    match path.components().collect::<Vec<_>>().as_slice() {
        [environment, project, "target.yaml" | "decision.sigstore.json"] => {
            Some(ProjectAt { project: project.parse().ok()?, environment: environment.parse().ok()? })
        }
        _ => None,
    }
}

fn place(source: &GitSource, head: &CommitId, root: &TrustRoot, unit: ProjectAt) -> Result<Place, Failure> {
    let ProjectAt { project, environment } = &unit;
    let mut chain = Chain::new(source, head.clone(), root.trust(), project, environment);
    let standing = chain.next().transpose().map_err(|error| Failure::from(error).text());
    let observed = delivery::observed(source, root.trust(), project, environment)?;
    let observed = observed.map(|observed| observed.value().predicate.clone());
    Ok(Place { unit, standing, observed })
}
