//! The decision that an environment stands at, as far as the next one depends on it.

use crate::decision::{Decision, Summary, UsedApproval, Verdict};
use plimsoll_attest::{Statement, Verified};
use plimsoll_model::{CommitId, Digest};

/// What the next decision of a project@environment takes over from the promoted one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Digest of its payload.
    pub decision: Digest,
    /// Its place in the chain.
    pub counter: u64,
    /// The release it allowed.
    pub release: Digest,
    /// The commit behind that release.
    pub commit: CommitId,
    /// The commit of the delivery repository that it was judged by.
    pub delivery_commit: CommitId,
    /// Approvals that are used up.
    pub used: Vec<UsedApproval>,
    /// Number of the statement about the policy set that it believed.
    pub policy_number: Option<u64>,
}

impl Standing {
    /// The standing after a promoted decision; none for one that refuses, which nothing can stand at.
    #[must_use]
    pub fn after(decision: &Verified<Statement<Summary>>) -> Option<Self> {
        let judged: &Decision = &decision.value().predicate.decision;
        let counter = judged.counter.filter(|_| judged.verdict == Verdict::Allow)?;
        Some(Self {
            decision: *decision.payload_digest(),
            counter,
            release: judged.release_digest,
            commit: judged.commit.clone(),
            delivery_commit: judged.delivery_commit.clone(),
            used: judged.used.clone(),
            policy_number: judged.policy_number,
        })
    }
}
