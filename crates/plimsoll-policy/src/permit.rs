//! The permit: an allow in memory that nobody can forge, and the only thing that starts a release.

use crate::decision::{Kind, Summary, Verdict, VerificationResult};
use plimsoll_attest::{Statement, Verified};
use plimsoll_model::{Code, Digest, Opaque, Reason, Role, Timestamp};

/// Leave to start one release, once, now. It has private fields, and no way to be copied, read from bytes or made up:
/// [`permit`] is the only mint.
///
/// ```compile_fail
/// fn copies(permit: plimsoll_policy::Permit) -> (plimsoll_policy::Permit, plimsoll_policy::Permit) {
///     (permit.clone(), permit)
/// }
/// ```
#[derive(Debug)]
pub struct Permit {
    release: Digest,
    artifact: Digest,
    decision: Digest,
    kind: Kind,
}

impl Permit {
    /// The release that may start.
    #[must_use]
    pub fn release(&self) -> &Digest {
        &self.release
    }

    /// The artifact of the release.
    #[must_use]
    pub fn artifact(&self) -> &Digest {
        &self.artifact
    }

    /// Payload digest of the decision behind it.
    #[must_use]
    pub fn decision(&self) -> &Digest {
        &self.decision
    }

    /// Why it was asked for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

/// Where an environment stands, as whoever acts sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Identity of the environment.
    pub environment: Opaque,
    /// Identity of the project.
    pub project: Opaque,
    /// Digest of the release that is about to start, computed from what would really run.
    pub release: Digest,
    /// The decision that counts now, with its place in the chain; none before the first.
    pub current: Option<(Digest, u64)>,
}

/// Mints a permit, if the decision allows exactly this release, here, after what stands now, and in time.
///
/// # Errors
/// `E-ROLE` for a decision of another environment's key, `E-NO-DECISION` for one that refuses or is about something
/// else, `E-ROLLBACK` for one that does not follow the current one, `E-DECISION-EXPIRED` for one that waited too long.
pub fn permit(
    decision: &Verified<Statement<Summary>>,
    observed: &Observed,
    now: Timestamp,
) -> Result<Permit, Reason> {
    let summary = &decision.value().predicate;
    let judged = &summary.decision;
    let name = &judged.environment.name;
    let expected = Role::Decision(name.clone());
    if *decision.role() != expected {
        return Err(Code::RoleMismatch.reason().with("actual", decision.role()).with("expected", expected));
    }
    let nothing = || {
        let reason = Code::NoDecision.reason().with("release", observed.release);
        reason.with("environment", name).with("project", &judged.project.name)
    };
    let allows = judged.verdict == Verdict::Allow && summary.verification_result == VerificationResult::Passed;
    let here = judged.environment.id == observed.environment && judged.project.id == observed.project;
    let this = judged.release_digest == observed.release && judged.release.digest().ok() == Some(observed.release);
    let about = decision.value().subject.iter().all(|subject| subject.sha256() == judged.release.artifact);
    if !(allows && here && this && about) {
        return Err(nothing());
    }
    follows(judged.previous, judged.counter, observed.current).map_err(|(actual, expected)| {
        let reason = Code::Rollback.reason().with("actual", actual).with("expected", expected);
        reason.with("project", &judged.project.name).with("environment", name)
    })?;
    if now > judged.start_by {
        let reason = Code::DecisionExpired.reason().with("start_by", judged.start_by);
        return Err(reason.with("project", &judged.project.name).with("environment", name));
    }
    Ok(Permit {
        release: observed.release,
        artifact: judged.release.artifact,
        decision: *decision.payload_digest(),
        kind: judged.kind,
    })
}

fn follows(
    previous: Option<Digest>,
    counter: Option<u64>,
    current: Option<(Digest, u64)>,
) -> Result<(), (String, String)> {
    let place = |digest: Option<Digest>, counter: u64| match digest {
        Some(digest) => format!("decision {counter} ({})", digest.short()),
        None => "the beginning".to_owned(),
    };
    let expected = current.map_or(1, |(_, counter)| counter + 1);
    if previous == current.map(|(digest, _)| digest) && counter == Some(expected) {
        return Ok(());
    }
    let actual = place(previous, counter.unwrap_or(0).saturating_sub(1));
    Err((actual, place(current.map(|(digest, _)| digest), expected - 1)))
}
