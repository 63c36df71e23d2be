//! A small team, a change and the approvals of it, for the tests beside this.

use super::*;
use plimsoll_attest::{approval::DisclaimerText, document};
use plimsoll_model::CommitId;
use plimsoll_pipeline::SshKey;

/// `shop@production` is to get one commit by Ada that Bo and Cy have nothing to do with.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) require: RequireApprovals,
    pub(super) kind: ApprovalKind,
    pub(super) project: Named<ProjectName>,
    pub(super) environment: Named<EnvironmentName>,
    pub(super) release: Digest,
    pub(super) base: Option<Digest>,
    pub(super) delta: Delta,
    pub(super) policy_set: Digest,
    pub(super) outcomes: BTreeMap<String, Outcome>,
    pub(super) people: Vec<Person>,
    pub(super) used: BTreeSet<Digest>,
    pub(super) now: Timestamp,
    /// What was said, and the key.
    pub(super) approvals: Vec<(ApprovalDocument, String)>,
    pub(super) unreadable: Vec<(Digest, String)>,
    pub(super) disclaimers: Vec<(Disclaimer, String)>,
}

pub(super) fn named<N: std::str::FromStr<Err: std::fmt::Debug>>(name: &str) -> Named<N> {
    let id = name.bytes().fold(7_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    Named { name: name.parse().unwrap(), id: plimsoll_model::Opaque::from_random([id; 16]) }
}

pub(super) fn commit_id(digit: char) -> CommitId {
    digit.to_string().repeat(40).parse().unwrap()
}

pub(super) fn mention(name: &str, email: &str) -> Mention {
    Mention { name: name.into(), email: email.into() }
}

/// A commit that one person wrote, committed and signed.
pub(super) fn commit(digit: char, name: &str) -> DeltaCommit {
    let wrote = mention(name, &format!("{}@example.org", name.to_lowercase()));
    DeltaCommit {
        commit: commit_id(digit),
        author: wrote.clone(),
        committer: wrote,
        co_authors: vec![],
        signature: Signature::Good { person: name.into(), fingerprint: key(name) },
        summary: "a change".into(),
        paths: BTreeSet::new(),
    }
}

pub(super) fn key(name: &str) -> String {
    format!("SHA256:{}", name.to_lowercase())
}

fn person(name: &str, roles: &[&str], robot: bool) -> Person {
    let lower = name.to_lowercase();
    let key = |fingerprint: String| SshKey { line: format!("ssh-ed25519 {fingerprint}"), fingerprint };
    Person {
        name: name.into(),
        git_emails: [format!("{lower}@example.org"), format!("{lower}@home.example")].into(),
        ssh_keys: vec![key(format!("SHA256:{lower}")), key(format!("SHA256:{lower}-2"))],
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        robot,
    }
}

impl World {
    /// One approval is asked, and there is none.
    pub(super) fn new() -> Self {
        let managers = &["release-managers"][..];
        Self {
            require: RequireApprovals {
                count: 1,
                from: BTreeSet::from(["release-managers".into(), "owners".into()]),
                expire_seconds: 24 * 3600,
                unsigned_needs_extra: false,
            },
            kind: ApprovalKind::Deploy,
            project: named("shop"),
            environment: named("production"),
            release: Digest::of(b"release"),
            base: Some(Digest::of(b"decision 1")),
            delta: Delta {
                schema: 1,
                project: "shop".parse().unwrap(),
                environment: "production".parse().unwrap(),
                base: Some(commit_id('1')),
                head: commit_id('2'),
                base_is_ancestor: true,
                commits: vec![commit('2', "Ada")],
                dropped: vec![],
                delivery_base: Some(commit_id('8')),
                delivery_head: commit_id('9'),
                delivery: vec![],
                policy: vec![],
            },
            policy_set: Digest::of(b"policies"),
            outcomes: [("provenance", Outcome::Passed), ("tests.unit", Outcome::Passed)]
                .map(|(gate, outcome)| (gate.to_owned(), outcome))
                .into(),
            people: vec![
                person("Ada", managers, false),
                person("Bo", managers, false),
                person("Cy", managers, false),
                person("Di", &["developers"], false),
                person("Robo", managers, true),
            ],
            used: BTreeSet::new(),
            now: "2026-05-01T12:00:00Z".parse().unwrap(),
            approvals: vec![],
            unreadable: vec![],
            disclaimers: vec![],
        }
    }

    /// A world in which Bo has approved.
    pub(super) fn approved() -> Self {
        Self::new().with(|world| world.approve("Bo"))
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Approves what this world shows, for eight hours, with the first key.
    pub(super) fn approve(&mut self, name: &str) {
        let document = self.document(self.approvals.len());
        self.approvals.push((document, key(name)));
    }

    pub(super) fn document(&self, nonce: usize) -> ApprovalDocument {
        ApprovalDocument {
            version: 1,
            kind: self.kind,
            project: self.project.clone(),
            environment: self.environment.clone(),
            release: self.release,
            base: self.base,
            delta: self.delta.digest().unwrap(),
            policy_set: self.policy_set,
            floor: self.outcomes.clone(),
            nonce: plimsoll_model::Opaque::from_random([u8::try_from(nonce).unwrap(); 16]),
            expiry: Timestamp::from_second(self.now.as_second() + 8 * 3600).unwrap(),
        }
    }

    /// A gate came to this answer.
    pub(super) fn judged(mut self, gate: &str, outcome: Outcome) -> Self {
        self.outcomes.insert(gate.into(), outcome);
        self
    }

    /// Nobody asks for a gate.
    pub(super) fn unasked(mut self, gate: &str) -> Self {
        self.outcomes.remove(gate);
        self
    }

    /// The same people approve again what this world shows by now.
    pub(super) fn approve_again(&mut self) {
        for (nonce, (_, key)) in std::mem::take(&mut self.approvals).into_iter().enumerate() {
            self.approvals.push((self.document(nonce), key));
        }
    }

    /// Signs that a mention in a commit is false.
    pub(super) fn disclaim(&mut self, name: &str, digit: char, named: Mention) {
        let disclaimer = Disclaimer {
            version: 1,
            project: self.project.clone(),
            environment: self.environment.clone(),
            commit: commit_id(digit),
            named,
            statement: DisclaimerText::DidNotTakePart,
        };
        self.disclaimers.push((disclaimer, key(name)));
    }

    pub(super) fn judge<'w>(&'w self) -> Result<Vec<CountedApproval>, Vec<Reason>> {
        let digest = |document| Digest::of(&document::write(document).unwrap());
        let given = self.approvals.iter().map(|(document, key)| Submitted {
            digest: digest(document),
            content: Ok((document, key.as_str())),
        });
        let unreadable = self
            .unreadable
            .iter()
            .map(|(digest, problem)| Submitted { digest: *digest, content: Err(problem.clone()) });
        let approvals: Vec<_> = given.chain(unreadable).collect();
        let disclaimed = |(disclaimer, signer): &'w (Disclaimer, String)| Disclaimed { disclaimer, signer };
        let disclaimers: Vec<_> = self.disclaimers.iter().map(disclaimed).collect();
        judge(&ApprovalQuestion {
            require: &self.require,
            kind: self.kind,
            project: &self.project,
            environment: &self.environment,
            release: self.release,
            base: self.base,
            delta: &self.delta,
            policy_set: self.policy_set,
            outcomes: &self.outcomes,
            people: &self.people,
            used: &self.used,
            now: self.now,
            approvals: &approvals,
            disclaimers: &disclaimers,
        })
    }

    /// Who counts, or the codes of the refusal.
    pub(super) fn answer(&self) -> Result<Vec<String>, Vec<&'static str>> {
        let people = |counted: Vec<CountedApproval>| {
            let mut people: Vec<String> = counted.into_iter().map(|approval| approval.person).collect();
            people.sort();
            people
        };
        self.judge().map(people).map_err(|reasons| reasons.iter().map(|r| r.code.as_str()).collect())
    }
}
