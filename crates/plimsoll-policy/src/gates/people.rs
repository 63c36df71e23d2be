//! What people say: who put the policy set into force, and who approved the release.

use super::{
    Bench, Counted, Judged, Refused,
    approvals::{self, ApprovalQuestion, CountedApproval, Disclaimed, Submitted},
    policy_set::{self, PolicySetQuestion},
    surroundings::is_stale,
};
use crate::{
    decision::{Approved, Gate, Kind},
    gather::Document,
};
use plimsoll_attest::{
    ApprovalDocument, Disclaimer, Signed,
    approval::ApprovalKind,
    document::{self, DocumentError},
    predicate::Delta,
    sshsig::SshKey,
};
use plimsoll_model::{Code, CommitId, Digest, Outcome, Reason};
use plimsoll_pipeline::RequireApprovals;
use std::collections::{BTreeMap, BTreeSet};

impl Bench<'_> {
    /// The policy files are in force: signed, by somebody who did not change them, and not older than those that the
    /// decision before went by.
    pub(super) fn policy_set(&self) -> Judged {
        let refused = |reason: Reason| Refused::new(Outcome::Failed, None, reason);
        let set = &self.inputs.policy_set;
        let signed = set.signed.as_ref().map_err(|reason| refused(reason.clone()))?;
        let number = signed.document().number;
        let before = self.inputs.standing.as_ref().and_then(|standing| standing.policy_number);
        if let Some(before) = before.filter(|before| *before > number) {
            let problem =
                format!("the decision before went by statement {before}, and the newest is {number}");
            return Err(refused(Code::PolicyUnsigned.reason().with("problem", problem)));
        }
        let delta = self.around.delta;
        if number > 1 && delta.is_none() {
            return Err(
                self.missing("the delta, which tells who changed the policies", self.inputs.release.artifact)
            );
        }
        let question = PolicySetQuestion {
            number,
            signers: signed.signers(),
            policy_signers: &set.possible_signers,
            people: &self.inputs.people.people,
            changes: delta.map_or(&[], |delta| delta.value().predicate.policy.as_slice()),
        };
        match policy_set::judge(&question) {
            Ok(_) => Ok(delta.filter(|_| number > 1).map(|delta| *delta.payload_digest())),
            Err(reasons) => {
                Err(refused(reasons.into_iter().next().unwrap_or_else(|| Code::PolicySod.reason())))
            }
        }
    }

    /// Enough people approved, if the environment asks for it. A release that was allowed here before was approved then.
    pub(super) fn approvals(&self, gates: &[Gate]) -> (Option<Gate>, Vec<Counted>) {
        let Some(require) = &self.inputs.declared.require.approvals else { return (None, vec![]) };
        let name = "approvals".to_owned();
        if self.inputs.kind == Kind::Rollback && self.around.earlier.is_some() {
            return (None, vec![]);
        }
        let gate = |outcome, evidence, reasons| Some(Gate { name, outcome, evidence, reasons });
        let (delta, digest) = match self.delta_from_what_runs() {
            Ok(found) => found,
            Err(refused) => return (gate(refused.outcome, refused.evidence, vec![refused.reason]), vec![]),
        };
        match self.judge_approvals(require, delta, gates) {
            Ok(counted) => {
                (gate(Outcome::Passed, Some(digest), vec![]), counted.into_iter().map(count).collect())
            }
            Err(reasons) => (gate(Outcome::Failed, Some(digest), reasons), vec![]),
        }
    }

    /// The delta, if it begins where what runs was made: another one could leave out what changes.
    pub(super) fn delta_from_what_runs(&self) -> Result<(&Delta, Digest), Refused> {
        let subject = self.inputs.release.artifact;
        let delta = self.around.delta.ok_or_else(|| self.missing("the delta", subject))?;
        let (read, digest) = (&delta.value().predicate, *delta.payload_digest());
        let base = self.base()?;
        if (read.base.as_ref(), read.delivery_base.as_ref()) == base.unzip() {
            return Ok((read, digest));
        }
        let reason = Code::EvidenceSubject.reason().with("check", "the delta");
        let from = |base: Option<&CommitId>| base.map_or_else(|| "nothing".to_owned(), ToString::to_string);
        let reason = reason.with("actual", from(read.base.as_ref()));
        let reason = reason.with("expected", from(base.map(|(commit, _)| commit)));
        Err(Refused::new(Outcome::Failed, Some(digest), reason))
    }

    /// The commit that runs, and the commit of the delivery repository that it was decided by. Where an agent is, its
    /// word is needed, and of now: after a failure it runs something else than what was promoted last.
    fn base(&self) -> Result<Option<(&CommitId, &CommitId)>, Refused> {
        let standing = self.inputs.standing.as_ref();
        let seen = self.around.here.map(|here| &here.value().predicate);
        match seen.filter(|seen| !self.inputs.hosted || !is_stale(seen, self.inputs.now)) {
            Some(seen) => Ok(Some((&seen.commit, &seen.decided_at))),
            None if self.inputs.hosted && standing.is_some() => {
                Err(self.missing("an observation of what runs now", self.inputs.release.artifact))
            }
            None => Ok(standing.map(|standing| (&standing.commit, &standing.delivery_commit))),
        }
    }

    fn judge_approvals(
        &self,
        require: &RequireApprovals,
        delta: &Delta,
        gates: &[Gate],
    ) -> Result<Vec<CountedApproval>, Vec<Reason>> {
        let inputs = self.inputs;
        let keys: Vec<SshKey> =
            inputs.people.key_lines().iter().filter_map(|line| line.parse().ok()).collect();
        let approvals: Vec<_> =
            inputs.signed.approvals.iter().map(|found| verified::<ApprovalDocument>(found, &keys)).collect();
        let submitted: Vec<_> = approvals
            .iter()
            .map(|(digest, verified)| Submitted {
                digest: *digest,
                content: verified.as_ref().map(|s| (s.document(), s.signer())).map_err(ToString::to_string),
            })
            .collect();
        let disclaimers: Vec<_> =
            inputs.signed.disclaimers.iter().map(|found| verified::<Disclaimer>(found, &keys)).collect();
        let disclaimed: Vec<_> = disclaimers
            .iter()
            .filter_map(|(_, verified)| {
                verified.as_ref().ok().map(|s| Disclaimed { disclaimer: s.document(), signer: s.signer() })
            })
            .collect();
        let outcomes: BTreeMap<String, Outcome> =
            gates.iter().map(|gate| (gate.name.clone(), gate.outcome)).collect();
        let used: BTreeSet<Digest> = inputs
            .standing
            .iter()
            .flat_map(|standing| standing.used.iter().map(|used| used.approval))
            .collect();
        let release = inputs.release.digest();
        let release = release.map_err(|error| vec![Code::DossierParse.reason().with("problem", error)])?;
        approvals::judge(&ApprovalQuestion {
            require,
            kind: match inputs.kind {
                Kind::Deploy => ApprovalKind::Deploy,
                Kind::Rollback => ApprovalKind::Rollback,
            },
            project: &inputs.project,
            environment: &inputs.environment,
            release,
            base: self.around.runs(inputs),
            delta,
            policy_set: inputs.policy_set.digest,
            outcomes: &outcomes,
            people: &inputs.people.people,
            used: &used,
            now: inputs.now,
            approvals: &submitted,
            disclaimers: &disclaimed,
        })
    }
}

fn verified<T: document::Document>(
    found: &Document,
    keys: &[SshKey],
) -> (Digest, Result<Signed<T>, DocumentError>) {
    (Digest::of(&found.bytes), Signed::verify(&found.bytes, &found.signatures, keys))
}

fn count(counted: CountedApproval) -> Counted {
    let CountedApproval { approval, person, fingerprint, expiry } = counted;
    Counted { approved: Approved { approval, person, fingerprint }, expiry }
}
