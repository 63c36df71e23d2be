//! Whether enough people have approved: each of whom may, none of whom takes part in the change, about exactly this
//! release in place of exactly that one. Approvals can only help, and only as long as nothing is worse than was shown.

use super::authorship::Identity;
use plimsoll_attest::{
    ApprovalDocument, Disclaimer,
    approval::ApprovalKind,
    predicate::{
        Delta, DeltaCommit,
        common::Named,
        source::{Person as Mention, Signature},
    },
};
use plimsoll_model::{Code, Digest, EnvironmentName, Outcome, ProjectName, Reason, Timestamp, removed};
use plimsoll_pipeline::{Person, RequireApprovals};
use std::collections::{BTreeMap, BTreeSet};

/// Commits without a known author, and approvals that do not count, that a refusal lists.
const MAX_LISTED: usize = 20;

/// Everything that the answer depends on.
#[derive(Debug, Clone)]
pub(crate) struct ApprovalQuestion<'a> {
    /// What the environment asks for.
    pub(crate) require: &'a RequireApprovals,
    /// What the release would do.
    pub(crate) kind: ApprovalKind,
    pub(crate) project: &'a Named<ProjectName>,
    pub(crate) environment: &'a Named<EnvironmentName>,
    /// Digest of the release.
    pub(crate) release: Digest,
    /// The decision whose release runs now.
    pub(crate) base: Option<Digest>,
    /// The verified delta of this release. Its base and head were compared with what runs and what would run.
    pub(crate) delta: &'a Delta,
    pub(crate) policy_set: Digest,
    /// The outcome of every other gate.
    pub(crate) outcomes: &'a BTreeMap<String, Outcome>,
    /// Everybody in people.yaml.
    pub(crate) people: &'a [Person],
    /// Approvals that earlier decisions used.
    pub(crate) used: &'a BTreeSet<Digest>,
    pub(crate) now: Timestamp,
    pub(crate) approvals: &'a [Submitted<'a>],
    pub(crate) disclaimers: &'a [Disclaimed<'a>],
}

/// An approval as it was found, by the digest of the document.
#[derive(Debug, Clone)]
pub(crate) struct Submitted<'a> {
    pub(crate) digest: Digest,
    /// What it says and the key that signed it, or why it cannot be believed.
    pub(crate) content: Result<(&'a ApprovalDocument, &'a str), String>,
}

/// A disclaimer with the key that signed it.
#[derive(Debug, Clone)]
pub(crate) struct Disclaimed<'a> {
    pub(crate) disclaimer: &'a Disclaimer,
    pub(crate) signer: &'a str,
}

/// An approval that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CountedApproval {
    /// Digest of the document.
    pub(crate) approval: Digest,
    /// Who gave it, by the name in people.yaml.
    pub(crate) person: String,
    /// The key that signed it.
    pub(crate) fingerprint: String,
    /// When it stops to count. Until then it must be remembered as used.
    pub(crate) expiry: Timestamp,
}

/// Answers with the approvals that count, one for each person, in order of their digests, when they are enough and every
/// author is known.
///
/// # Errors
/// First what no approval can mend (`E-APPR-AUTHOR-UNKNOWN`), then `E-APPR-QUORUM` where there are too few, with one
/// reason for each approval that could have counted, and one for all approvals of something else that share a code.
pub(crate) fn judge(question: &ApprovalQuestion<'_>) -> Result<Vec<CountedApproval>, Vec<Reason>> {
    let strangers = question.strangers();
    let (counted, void) = question.count();
    let mut reasons = question.misread();
    let mut need = question.need();
    if question.require.unsigned_needs_extra {
        need = need.saturating_add(usize::from(!strangers.is_empty()));
    } else {
        reasons.extend(strangers.into_iter().take(MAX_LISTED));
    }
    if counted.len() < need {
        reasons.push(question.reason(Code::ApprQuorum).with("have", counted.len()).with("need", need));
        reasons.extend(condensed(void));
    }
    if reasons.is_empty() { Ok(counted) } else { Err(reasons) }
}

impl ApprovalQuestion<'_> {
    /// How many people must agree where every author is known: one more where history is taken back.
    fn need(&self) -> usize {
        let takes_back = !self.delta.base_is_ancestor || !self.delta.dropped.is_empty();
        let asked = usize::try_from(self.require.count).unwrap_or(usize::MAX).max(1);
        asked.saturating_add(usize::from(takes_back))
    }

    /// A delta that is about something else, or does not list the commit that comes, excludes nobody.
    fn misread(&self) -> Vec<Reason> {
        let delta = self.delta;
        let unit = format!("{}@{}", delta.project, delta.environment);
        let problem = if unit != self.unit() {
            format!("the delta is about {unit}")
        } else if !self.lists_the_head() {
            "the delta does not list it".to_owned()
        } else {
            return vec![];
        };
        vec![Code::ApprAuthorUnknown.reason().with("commit", &delta.head).with("problem", problem)]
    }

    /// Nothing new comes where the head runs already, or where history is taken back to it.
    fn lists_the_head(&self) -> bool {
        let delta = self.delta;
        delta.base.as_ref() == Some(&delta.head)
            || !delta.dropped.is_empty()
            || delta.commits.iter().any(|commit| commit.commit == delta.head)
    }

    /// A reason for each commit that is not signed by a key in people.yaml.
    fn strangers(&self) -> Vec<Reason> {
        let reason = |commit: &DeltaCommit, problem: String| {
            Code::ApprAuthorUnknown.reason().with("commit", &commit.commit).with("problem", problem)
        };
        let unknown = |commit: &DeltaCommit| match &commit.signature {
            Signature::Unsigned => Some(reason(commit, "it is not signed".into())),
            Signature::Bad { problem } => Some(reason(commit, problem.clone())),
            Signature::Good { fingerprint, .. } if self.of_key(fingerprint).is_none() => {
                Some(reason(commit, format!("the key {fingerprint} is not listed any more")))
            }
            Signature::Good { .. } => None,
        };
        self.delta.all().filter_map(unknown).collect()
    }

    /// The approvals that count, one for each person, and a reason for each of the others.
    fn count(&self) -> (Vec<CountedApproval>, Vec<Reason>) {
        let mut approvals: Vec<_> = self.approvals.iter().collect();
        approvals.sort_by_key(|approval| approval.digest);
        approvals.dedup_by_key(|approval| approval.digest);
        let (mut counted, mut void) = (Vec::<CountedApproval>::new(), Vec::new());
        for approval in approvals {
            match self.examine(approval) {
                Err(reason) => void.push(reason),
                Ok(other) if counted.iter().any(|known| known.person == other.person) => {
                    let problem = format!("{} approved already", other.person);
                    void.push(self.no_signer(approval.digest, &problem));
                }
                Ok(approval) => counted.push(approval),
            }
        }
        (counted, void)
    }

    fn examine(&self, approval: &Submitted<'_>) -> Result<CountedApproval, Reason> {
        let refused = |problem: &str| self.no_signer(approval.digest, problem);
        let (document, key) = approval.content.as_ref().map_err(|problem| refused(problem))?;
        let person = self.of_key(key).ok_or_else(|| refused(&format!("nobody has the key {key}")))?;
        self.is_for_this_unit(document, person)?;
        if self.used.contains(&approval.digest) {
            return Err(self.about(Code::ApprUsed, person).with("approval", approval.digest));
        }
        if person.robot {
            return Err(self.about(Code::ApprRobot, person));
        }
        if person.roles.is_disjoint(&self.require.from) {
            return Err(refused(&format!("{} has none of the roles", person.name)));
        }
        if !removed!("approval-about") {
            self.is_about_this_change(document, person)?;
        }
        self.is_in_time(document, person)?;
        self.holds_the_floor(document, person)?;
        self.takes_no_part(person)?;
        Ok(CountedApproval {
            approval: approval.digest,
            person: person.name.clone(),
            fingerprint: (*key).to_owned(),
            expiry: document.expiry,
        })
    }

    fn is_for_this_unit(&self, document: &ApprovalDocument, person: &Person) -> Result<(), Reason> {
        let same = (&document.project, &document.environment) == (self.project, self.environment);
        if same && document.kind == self.kind {
            return Ok(());
        }
        let ApprovalDocument { kind, project, environment, .. } = document;
        let shown = format!("{kind} of {}@{}", project.name, environment.name);
        // Equal names with other identities: one was made again under the name of the other.
        let again = shown == format!("{} of {}", self.kind, self.unit());
        let actual = if again { format!("another {shown}") } else { format!("the {shown}") };
        Err(self.about(Code::ApprEnvironment, person).with("actual", actual))
    }

    fn is_about_this_change(&self, document: &ApprovalDocument, person: &Person) -> Result<(), Reason> {
        if document.release != self.release {
            let reason = self.about(Code::ApprRelease, person).with("actual", document.release);
            return Err(reason.with("expected", self.release));
        }
        let delta = self.delta.digest().ok();
        if document.base != self.base || Some(document.delta) != delta {
            let reason = self.about(Code::ApprBase, person);
            let reason = reason.with("actual", change(document.base, Some(document.delta)));
            return Err(reason.with("expected", change(self.base, delta)));
        }
        if document.policy_set != self.policy_set {
            return Err(self.about(Code::ApprPolicy, person));
        }
        Ok(())
    }

    /// An approval that asks to hold for longer than the environment allows is as if it had expired.
    fn is_in_time(&self, document: &ApprovalDocument, person: &Person) -> Result<(), Reason> {
        const SECOND: i128 = 1_000_000_000;
        let left = document.expiry.as_nanosecond() - self.now.as_nanosecond();
        let allowed = i128::from(self.require.expire_seconds) * SECOND;
        let expiry = if left <= 0 {
            document.expiry.to_string()
        } else if left > allowed {
            format!("once: until {} is longer than {} s", document.expiry, self.require.expire_seconds)
        } else {
            return Ok(());
        };
        Err(self.about(Code::ApprExpired, person).with("expiry", expiry))
    }

    /// Nothing that was shown as passed is worse, and nothing that was not shown has come to fail.
    fn holds_the_floor(&self, document: &ApprovalDocument, person: &Person) -> Result<(), Reason> {
        let gates: BTreeSet<&String> = document.floor.keys().chain(self.outcomes.keys()).collect();
        for gate in gates {
            let seen = document.floor.get(gate).copied();
            let outcome = self.outcomes.get(gate).copied().unwrap_or(Outcome::Missing);
            let shown = seen.is_some_and(|seen| seen != Outcome::Passed);
            if outcome != Outcome::Passed && !shown {
                let seen = seen.map_or("not there", Outcome::as_str);
                let reason = self.about(Code::ApprFloor, person).with("gate", gate);
                return Err(reason.with("seen", seen).with("outcome", outcome));
            }
        }
        Ok(())
    }

    fn takes_no_part(&self, person: &Person) -> Result<(), Reason> {
        let identity = Identity::from(person);
        for commit in self.delta.all() {
            if !removed!("approval-self")
                && let Some(part) = identity.part_in(commit, &self.disclaimed(person, commit))
            {
                let part = format!("{part} of {}", commit.commit);
                return Err(self.about(Code::ApprSelf, person).with("part", part));
            }
        }
        Ok(())
    }

    /// What this person says not to have written in a commit, by a key of their own.
    fn disclaimed(&self, person: &Person, commit: &DeltaCommit) -> Vec<&Mention> {
        let own = |signer: &str| person.ssh_keys.iter().any(|key| key.fingerprint == signer);
        let here = |disclaimer: &Disclaimer| {
            (&disclaimer.project, &disclaimer.environment) == (self.project, self.environment)
                && disclaimer.commit == commit.commit
        };
        let by_person = self.disclaimers.iter().filter(|given| own(given.signer) && here(given.disclaimer));
        by_person.map(|given| &given.disclaimer.named).collect()
    }

    fn of_key(&self, fingerprint: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.ssh_keys.iter().any(|key| key.fingerprint == fingerprint))
    }

    fn unit(&self) -> String {
        format!("{}@{}", self.project.name, self.environment.name)
    }

    fn reason(&self, code: Code) -> Reason {
        let reason = code.reason().with("project", &self.project.name);
        reason.with("environment", &self.environment.name)
    }

    fn about(&self, code: Code, person: &Person) -> Reason {
        self.reason(code).with("person", &person.name)
    }

    fn no_signer(&self, approval: Digest, problem: &str) -> Reason {
        let roles = self.require.from.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let reason = self.reason(Code::ApprSigner).with("approval", approval);
        reason.with("problem", problem).with("roles", roles)
    }
}

/// Approvals of other releases, bases, rules and places, and used ones, stay in the repository for ever: they are counted,
/// and do not hide what is wrong with those that are meant.
fn condensed(void: Vec<Reason>) -> Vec<Reason> {
    let (old, mut listed): (Vec<_>, Vec<_>) = void.into_iter().partition(|reason| is_old(reason.code));
    let mut groups = BTreeMap::<&str, Vec<Reason>>::new();
    for reason in old {
        groups.entry(reason.code.as_str()).or_default().push(reason);
    }
    listed.truncate(MAX_LISTED);
    listed.extend(groups.into_values().filter_map(counted));
    listed
}

/// Codes of approvals that were given for something else.
fn is_old(code: Code) -> bool {
    use Code::{ApprBase, ApprEnvironment, ApprPolicy, ApprRelease, ApprUsed};
    matches!(code, ApprBase | ApprEnvironment | ApprPolicy | ApprRelease | ApprUsed)
}

/// The first of several reasons with one code, which says how many others there are.
fn counted(reasons: Vec<Reason>) -> Option<Reason> {
    let others = reasons.len().saturating_sub(1);
    let first = reasons.into_iter().next()?;
    let person = first.parameters.get("person").cloned().unwrap_or_default();
    Some(if others == 0 { first } else { first.with("person", format!("{person} (and {others} more)")) })
}

/// What an approver saw as the change, for people.
fn change(base: Option<Digest>, delta: Option<Digest>) -> String {
    let base = base.map_or_else(|| "nothing".to_owned(), |base| base.to_string());
    let delta = delta.map_or_else(|| "none".to_owned(), |delta| delta.short());
    format!("{base} (delta {delta})")
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;
