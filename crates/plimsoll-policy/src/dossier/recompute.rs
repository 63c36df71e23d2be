//! From the parts of a dossier to the decision, without a clock, a network or anybody's word: whoever has the trust
//! root gets the same bytes, or a reason.

use super::{DossierParts, payload_digest, unreadable};
use crate::{
    decide::{Inputs, decide},
    decision::{Decision, Summary, Verdict},
    gather::{Context, DeliveryFiles, GatherError, gather},
    repository::{environment_path, wanted},
    standing::Standing,
};
use plimsoll_attest::{
    Predicate as _, Statement, Trust, TrustRoot, Verified, predicate::Run, verify, verify_any,
};
use plimsoll_model::{Code, Digest, Reason, Role, removed};
use plimsoll_pipeline::Environment;
use serde_json::Value;
use std::collections::BTreeSet;

/// Computes the decision of a dossier again and compares what is signed. `pinned` is the trust root of whoever asks:
/// that of the dossier must be the same, follow it, or be one of `earlier`, the digests of roots that were pinned before.
///
/// # Errors
/// `E-TRUST-ROOT` and `E-THRESHOLD` for its trust root, `E-ROLE` and those of [`verify`] for a decision or run that
/// nobody may have signed, `E-RULES-UNKNOWN`, `E-DOSSIER-PARSE` when it holds what the decision does not name,
/// `E-DIGEST` for the manifest of another artifact, those of a delivery file that is wrong, and `E-DECISION-MISMATCH`
/// when the result is another.
pub fn recompute(
    parts: &DossierParts,
    pinned: &TrustRoot,
    earlier: &BTreeSet<Digest>,
) -> Result<Verified<Statement<Summary>>, Reason> {
    let root = root(parts, pinned, earlier)?;
    let decision = decided(&parts.decision, root.trust())?;
    let summary = &decision.value().predicate;
    only_named(parts, &summary.decision, root.trust())?;
    manifest(parts, &summary.decision)?;
    let again = decide_again(parts, &root, summary)?.to_bytes().map_err(unreadable)?;
    if removed!("recompute") || again == decision.payload() {
        Ok(decision)
    } else {
        Err(differs(decision.payload(), &again))
    }
}

/// The trust root of a dossier, if it is `pinned`, follows it, or was pinned `earlier`.
pub(super) fn root(
    parts: &DossierParts,
    pinned: &TrustRoot,
    earlier: &BTreeSet<Digest>,
) -> Result<TrustRoot, Reason> {
    let signatures: Vec<&str> = parts.root_signatures.iter().map(String::as_str).collect();
    let follows = Some(pinned).filter(|_| !earlier.contains(&Digest::of(&parts.root)));
    TrustRoot::accept(&parts.root, &signatures, follows)
}

/// The decision by the key of its verdict: that of its own environment, or the one for refusals.
fn decided(bundle: &[u8], trust: &Trust) -> Result<Verified<Statement<Summary>>, Reason> {
    let role = verify_any(bundle, trust)?.role().clone();
    let decision = verify::<Summary>(bundle, trust, &role)?;
    let judged = &decision.value().predicate.decision;
    let expected = match judged.verdict {
        Verdict::Allow => Role::Decision(judged.environment.name.clone()),
        Verdict::Refuse => Role::Refusal,
    };
    if role == expected {
        return Ok(decision);
    }
    Err(Code::RoleMismatch.reason().with("actual", role).with("expected", expected))
}

/// There is no file that the decision does not depend on, and no statement that neither the run nor the decision names.
fn only_named(parts: &DossierParts, judged: &Decision, trust: &Trust) -> Result<(), Reason> {
    let (project, environment) = (&judged.project.name, &judged.environment.name);
    let path = environment_path(environment);
    let declared = parts.files.get(&path).map(Vec::as_slice).unwrap_or_default();
    let declared = Environment::read(&path, declared).map_err(|errors| from_gather(errors.into()))?;
    let present: BTreeSet<&str> = parts.files.keys().map(String::as_str).collect();
    let paths = wanted(&present, project, environment, &declared);
    if let Some(extra) = parts.files.keys().find(|path| !paths.contains(*path)) {
        return Err(unreadable(format!("the decision does not name {extra}")));
    }
    let run = verify::<Run>(&parts.run, trust, &Role::Builder)?;
    let of_run = run.value().predicate.attempts.iter().filter_map(|attempt| attempt.statement);
    let named: BTreeSet<_> = of_run.chain(judged.context.iter().copied()).collect();
    let mut held = parts.statements.iter().map(|bundle| payload_digest(bundle));
    match held.find(|digest| !named.contains(digest)) {
        Some(extra) => Err(unreadable(format!("neither run nor decision names the statement {extra}"))),
        None => Ok(()),
    }
}

/// What stood when the decision was made: its own predecessor, where it allows.
fn standing(parts: &DossierParts, judged: &Decision, trust: &Trust) -> Result<Option<Standing>, Reason> {
    let role = Role::Decision(judged.environment.name.clone());
    let Some(bundle) = &parts.standing else { return Ok(None) };
    let before = verify::<Summary>(bundle, trust, &role)?;
    let standing = Standing::after(&before);
    standing.map(Some).ok_or_else(|| unreadable("the decision before this one refuses"))
}

fn manifest(parts: &DossierParts, judged: &Decision) -> Result<(), Reason> {
    let (actual, expected) = (Digest::of(&parts.manifest), judged.release.artifact);
    if actual == expected {
        return Ok(());
    }
    let reason = Code::DigestMismatch.reason().with("what", "the artifact's manifest");
    Err(reason.with("actual", actual).with("expected", expected))
}

fn decide_again(
    parts: &DossierParts,
    root: &TrustRoot,
    summary: &Summary,
) -> Result<Statement<Summary>, Reason> {
    decide(&inputs(parts, root, summary).map_err(from_gather)?)
}

/// What the decision of a dossier was made from.
pub(super) fn inputs(
    parts: &DossierParts,
    root: &TrustRoot,
    summary: &Summary,
) -> Result<Inputs, GatherError> {
    let judged = &summary.decision;
    let files = DeliveryFiles { commit: judged.delivery_commit.clone(), files: parts.files.clone() };
    let context = Context {
        kind: judged.kind,
        project: judged.project.name.clone(),
        environment: judged.environment.name.clone(),
        log: judged.log,
        standing: standing(parts, judged, root.trust())?,
        now: summary.time_verified,
        start_by: judged.start_by,
    };
    let bundles: Vec<_> = parts.statements.iter().cloned().collect();
    let mut inputs = gather(&files, root, &parts.run, &bundles, &context)?;
    inputs.rules = judged.rules;
    Ok(inputs)
}

pub(super) fn from_gather(error: GatherError) -> Reason {
    match error {
        GatherError::Refused(reason) => reason,
        GatherError::File(errors) => {
            errors.reasons().into_iter().next().unwrap_or_else(|| unreadable("a file has errors"))
        }
    }
}

/// Names the first thing that is not the same.
fn differs(signed: &[u8], again: &[u8]) -> Reason {
    let [signed, again] =
        [signed, again].map(|bytes| serde_json::from_slice::<Value>(bytes).unwrap_or_default());
    let first = ["/predicate/plimsoll_decision", "/predicate", ""].into_iter().find_map(|place| {
        let (signed, again) = (signed.pointer(place)?.as_object()?, again.pointer(place)?);
        signed.iter().find(|(name, value)| again.get(name) != Some(*value)).map(|(name, _)| name)
    });
    let problem = format!("`{}` differs", first.map_or(Summary::TYPE, String::as_str));
    Code::DecisionMismatch.reason().with("problem", problem)
}
