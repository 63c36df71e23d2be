//! Secrets in everything that a published repository ever held.

use super::{
    Bench, Measurement,
    case::{Case, say},
    scanner::{Place, clone},
    secrets::memory,
};
use crate::project::Result;
use std::process::Command;

/// Where nats-server has nearly everything, test keys among it.
const KNOWN: &str = "server/";

const OURS: &str = "scan secrets --history INPUT";
const GITLEAKS: &str =
    "git INPUT --no-banner --log-level error --exit-code 0 --report-format json --report-path REPORT";
const KINGFISHER: &str =
    "scan INPUT --turbo --no-validate --no-update-check --quiet --format json --output REPORT";

pub(super) fn measurements(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    let repository = clone("nats-server", "PLIMSOLL_BENCH_HISTORY")?;
    let mut commits = Command::new("git");
    commits.arg("-C").arg(&repository).args(["rev-list", "--all", "--count"]);
    let what = format!("secrets in a history of {} commits", say(&mut commits)?.trim());
    let place = Place::new(bench, repository, KNOWN)?;
    let case = |pairs, name: &str, words| -> Result<Measurement> {
        let (what, ours, peer) = (what.clone(), place.ours(OURS), place.peer(name, words)?);
        let limit = Some(0.3);
        Ok(Measurement::Case(Case { name: "secrets-history", what, limit, pairs, ours, peer }))
    };
    Ok(vec![
        case(7, "kingfisher", KINGFISHER)?,
        case(6, "gitleaks", GITLEAKS)?,
        memory(&place, "memory-secrets-history", OURS, "a scan of that history for secrets"),
    ])
}
