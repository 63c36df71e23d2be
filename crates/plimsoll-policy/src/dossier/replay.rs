//! A decision once more under rules that are not in force yet, so that whoever changes rules knows beforehand which of
//! the releases that run they would have refused. What comes out is an answer, and never a decision.

use super::{
    DossierParts,
    recompute::{from_gather, inputs, recompute, root},
};
use crate::{
    decide::{Inputs, decide},
    decision::Verdict,
    gather::GatherError,
    repository::is_policy_file,
};
use plimsoll_attest::TrustRoot;
use plimsoll_model::{Digest, Reason};
use std::collections::{BTreeMap, BTreeSet};

/// What other rules would have made of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Whether the release would have been allowed.
    pub verdict: Verdict,
    /// Why not, in the order of the gates.
    pub reasons: Vec<Reason>,
}

/// Decides the decision of a dossier again with `rules`, contents by path, in the place of the policy files that it went
/// by; files of `rules` that are no policy files do not count. All else is as it was recorded: kind, time, evidence,
/// approvals, target and configuration. So is who put the rules into force and which rules approvals were given under,
/// since nobody can have signed rules, or approved under them, before they are there.
///
/// # Errors
/// Those of [`recompute`], for a dossier that does not lead to its own decision. Rules that cannot be read refuse.
pub fn replay(
    parts: &DossierParts,
    pinned: &TrustRoot,
    earlier: &BTreeSet<Digest>,
    rules: &BTreeMap<String, Vec<u8>>,
) -> Result<Replay, Reason> {
    let decision = recompute(parts, pinned, earlier)?;
    let summary = &decision.value().predicate;
    let root = root(parts, pinned, earlier)?;
    let recorded = inputs(parts, &root, summary).map_err(from_gather)?;
    let changed = DossierParts { files: with_rules(&parts.files, rules), ..parts.clone() };
    match inputs(&changed, &root, summary) {
        Err(GatherError::Refused(reason)) => Ok(refused(vec![reason])),
        Err(GatherError::File(errors)) => Ok(refused(errors.reasons())),
        Ok(inputs) => {
            let again = decide(&Inputs { policy_set: recorded.policy_set, ..inputs })?;
            let again = &again.predicate.decision;
            Ok(Replay { verdict: again.verdict, reasons: again.reasons().cloned().collect() })
        }
    }
}

fn refused(reasons: Vec<Reason>) -> Replay {
    Replay { verdict: Verdict::Refuse, reasons }
}

fn with_rules(
    recorded: &BTreeMap<String, Vec<u8>>,
    rules: &BTreeMap<String, Vec<u8>>,
) -> BTreeMap<String, Vec<u8>> {
    let others = recorded.iter().filter(|(path, _)| !is_policy_file(path));
    let rules = rules.iter().filter(|(path, _)| is_policy_file(path));
    others.chain(rules).map(|(path, bytes)| (path.clone(), bytes.clone())).collect()
}
