//! Separation of duties for policies: who changed them did not also put them into force.

use super::authorship::Identity;
use plimsoll_attest::predicate::DeltaCommit;
use plimsoll_model::{Code, Reason};
use plimsoll_pipeline::Person;
use std::collections::BTreeMap;

/// Reasons that a refusal lists.
const MAX_LISTED: usize = 20;

/// Everything that the answer depends on. The statement's signatures were checked.
#[derive(Debug, Clone)]
pub(crate) struct PolicySetQuestion<'a> {
    /// Number of the newest policy-set statement.
    pub(crate) number: u64,
    /// Who signed it: names in the trust root, by fingerprint.
    pub(crate) signers: &'a BTreeMap<String, String>,
    /// Who could have: names in the trust root, by fingerprint.
    pub(crate) policy_signers: &'a BTreeMap<String, String>,
    /// Everybody in people.yaml.
    pub(crate) people: &'a [Person],
    /// Commits that changed policy files since the statement before.
    pub(crate) changes: &'a [DeltaCommit],
}

/// Why the policy set passes. Only the last says that two people agreed on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duties {
    /// It is the first: there is nothing that it changes.
    First,
    /// The trust root names one policy signer, so that nobody else could have signed.
    OneSigner,
    /// Nobody who signed it wrote any of it.
    Separated,
}

/// Looks for a signer of the newest statement who takes part in a change that it puts into force.
///
/// # Errors
/// `E-POLICY-SOD` for each signer and commit.
pub(crate) fn judge(question: &PolicySetQuestion<'_>) -> Result<Duties, Vec<Reason>> {
    if question.number == 1 {
        return Ok(Duties::First);
    }
    if question.has_one_signer() {
        return Ok(Duties::OneSigner);
    }
    let own: Vec<Reason> = question.signers.iter().flat_map(|signer| question.own(signer)).collect();
    if own.is_empty() { Ok(Duties::Separated) } else { Err(own.into_iter().take(MAX_LISTED).collect()) }
}

impl PolicySetQuestion<'_> {
    /// One person can have several keys, under one name in the trust root or as one person in people.yaml.
    fn has_one_signer(&self) -> bool {
        let mut all = self.policy_signers.iter().map(|(key, name)| Identity::of_key(key, name, self.people));
        all.next().is_some_and(|first| all.all(|other| first.meets(&other)))
    }

    fn own(&self, (key, name): (&String, &String)) -> Vec<Reason> {
        let identity = Identity::of_key(key, name, self.people);
        let own = self.changes.iter().filter(|commit| identity.part_in(commit, &[]).is_some());
        own.map(|commit| Code::PolicySod.reason().with("person", name).with("commit", &commit.commit))
            .collect()
    }
}

#[cfg(test)]
mod tests;
