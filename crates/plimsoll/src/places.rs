//! Where everything stands, by the delivery repository as it was fetched last: what was promoted to each environment, and
//! what the newest observation of its agent says that runs there. Nothing that is not signed is told.

use crate::{cli::ProjectAt, context::Context, failure::Failure};
use plimsoll_attest::{TrustRoot, predicate::Observation};
use plimsoll_engine::{
    delivery::{self, Chain, Promoted},
    ports::Source as _,
};
use plimsoll_git::GitSource;
use plimsoll_model::{CommitId, RelPath};

/// A project in an environment to which something was promoted.
pub(crate) struct Place {
    pub(crate) unit: ProjectAt,
    /// The decision that stands there, or why what lies there does not count.
    pub(crate) standing: Result<Promoted, String>,
    /// The newest observation, if its agent published one.
    pub(crate) observed: Option<Observation>,
}

/// Every place, in order of the names.
///
/// # Errors
/// When nothing is pinned or the repository cannot be read; what cannot be read of one place is said there.
pub(crate) fn places(context: &Context) -> Result<Vec<Place>, Failure> {
    let root = context.pinned()?.ok_or_else(crate::context::not_pinned)?.accept()?;
    let source = context.delivery()?;
    let head = source.resolve("HEAD")?.commit;
    let tree = source.tree(&head, None)?;
    let units = tree.entries.keys().filter_map(unit);
    units.map(|unit| place(&source, &head, &root, unit)).collect()
}

/// The same; no place where nothing is pinned or fetched yet.
pub(crate) fn known_places(context: &Context) -> Result<Vec<Place>, Failure> {
    match context.pinned()? {
        Some(pinned) if context.mirror(&pinned)?.branch().is_ok() => places(context),
        Some(_) | None => Ok(vec![]),
    }
}

/// `project@environment` of a decision's path.
fn unit(path: &RelPath) -> Option<ProjectAt> {
    match path.components().collect::<Vec<_>>().as_slice() {
        ["environments", environment, project, "decision.sigstore.json"] => {
            Some(ProjectAt { project: project.parse().ok()?, environment: environment.parse().ok()? })
        }
        _ => None,
    }
}

fn place(source: &GitSource, head: &CommitId, root: &TrustRoot, unit: ProjectAt) -> Result<Place, Failure> {
    let ProjectAt { project, environment } = &unit;
    let mut chain = Chain::new(source, head.clone(), root.trust(), project, environment);
    let standing = chain.next().ok_or_else(|| "there is no decision".to_owned());
    let standing = standing.and_then(|found| found.map_err(|error| Failure::from(error).text()));
    let observed = delivery::observed(source, root.trust(), project, environment)?;
    let observed = observed.map(|observed| observed.value().predicate.clone());
    Ok(Place { unit, standing, observed })
}
