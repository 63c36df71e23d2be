//! What the delivery repository asks for beside evidence of the run: policies that are in force, an environment before,
//! time to soak, no freeze, people who agree; and what a rollback is not asked again.

use crate::{
    fixture::{Case, ENVIRONMENT, PEOPLE, before, standing},
    keys::{self, pinned, sealed, signed_by},
    samples::{self, about, time},
};
use plimsoll_attest::{
    ApprovalDocument, Statement, Subject,
    approval::ApprovalKind,
    document::{self, Document as _},
    predicate::{
        Delta, DeltaCommit, Observation,
        common::Named,
        observation::{AgentId, AgentIsolation, UnitState},
        source::{Person, Signature},
    },
};
use plimsoll_model::{Code, CommitId, Digest, Opaque, Outcome};
use plimsoll_policy::{Kind, Standing, Verdict, dossier::recompute, repository::approval_path};
use std::collections::{BTreeMap, BTreeSet};

const STAGING: &str = "environments/staging/environment.yaml";

/// Exactly these gates refuse; and whoever has the dossier finds the same.
#[track_caller]
pub(crate) fn refused(change: impl FnOnce(&mut Case), expect: &[(&str, Outcome, Code)]) {
    let case = Case::with(change);
    let expect: Vec<_> =
        expect.iter().map(|(gate, outcome, code)| ((*gate).to_owned(), *outcome, *code)).collect();
    assert_eq!(case.refusals(), expect);
    assert!(!case.is_allowed());
}

#[track_caller]
pub(crate) fn allowed(change: impl FnOnce(&mut Case)) -> Case {
    let case = Case::with(change);
    assert!(case.is_allowed(), "{:?}", case.refusals());
    case
}

#[track_caller]
fn recomputed(case: &Case) {
    assert!(recompute(&case.dossier(), &pinned(), &BTreeSet::new()).is_ok());
}

// The policy set

const UNSIGNED: [(&str, Outcome, Code); 1] = [("policy-set", Outcome::Failed, Code::PolicyUnsigned)];

/// Makes a change of a policy file that means nothing.
fn edit(case: &mut Case) {
    case.replace(PEOPLE, "version: 1\n", "version: 1\n# nobody else\n");
}

#[test]
fn a_policy_that_was_changed_after_it_was_signed_is_not_in_force() {
    let signed = Case::good().files;
    for file in ["delivery.yaml", PEOPLE, ENVIRONMENT, crate::fixture::PROJECT] {
        let change = |case: &mut Case| case.replace(file, "version: 1\n", "version: 1\n# changed\n");
        refused(
            |case| {
                case.policy = Some(vec![signed.clone()]);
                change(case);
            },
            &UNSIGNED,
        );
        recomputed(&allowed(change));
    }
    // What is no policy is not signed.
    allowed(|case| {
        case.policy = Some(vec![signed]);
        case.replace(crate::fixture::TARGET, "18080", "18081");
    });
}

#[test]
fn a_policy_that_the_statement_does_not_list_is_not_in_force() {
    for file in ["delivery.yaml", PEOPLE, ENVIRONMENT, crate::fixture::PROJECT] {
        refused(
            |case| {
                let mut listed = case.files.clone();
                listed.remove(file);
                case.policy = Some(vec![listed]);
            },
            &UNSIGNED,
        );
    }
    // Files of others may be listed; they need not be there.
    allowed(|case| {
        let mut listed = case.files.clone();
        listed.insert("projects/blog.yaml".into(), "version: 1\n".into());
        case.policy = Some(vec![listed]);
    });
}

#[test]
fn without_a_statement_by_a_policy_signer_nothing_is_in_force() {
    const SIGNATURE: &str = "policy-set/1.json.sig";
    refused(|case| case.policy = Some(vec![]), &UNSIGNED);
    refused(|case| drop(case.files.insert(SIGNATURE.into(), String::new())), &UNSIGNED);
    let bytes = Case::good().delivery().files["policy-set/1.json"].clone();
    let by = |seed, namespace: &str| {
        let signature = signed_by(seed, namespace, &bytes);
        move |case: &mut Case| drop(case.files.insert(SIGNATURE.into(), signature))
    };
    refused(by(9, "plimsoll-policy"), &UNSIGNED);
    refused(by(keys::POLICY_SIGNER, "plimsoll-approval"), &UNSIGNED);
    allowed(by(keys::POLICY_SIGNER, "plimsoll-policy"));
}

#[test]
fn policies_do_not_become_older() {
    let at = |number| {
        move |case: &mut Case| {
            case.context.standing = Some(Standing { policy_number: number, ..standing() });
        }
    };
    for newer in [2, 3, u64::MAX] {
        refused(at(Some(newer)), &UNSIGNED);
    }
    for number in [None, Some(1)] {
        allowed(at(number));
    }
}

#[test]
fn a_later_statement_needs_the_delta_that_tells_who_changed_what() {
    let two = |case: &mut Case| {
        let first = case.files.clone();
        edit(case);
        case.policy = Some(vec![first, case.files.clone()]);
    };
    refused(two, &[("policy-set", Outcome::Missing, Code::EvidenceMissing)]);
    let case = allowed(|case| {
        two(case);
        case.extra.push(delta_bundle(&delta()));
    });
    assert_eq!(case.decide().predicate.decision.policy_number, Some(2));
    recomputed(&case);
    // The first statement alone is older than what it says.
    refused(
        |case| {
            two(case);
            case.policy = Some(vec![Case::good().files]);
            case.extra.push(delta_bundle(&delta()));
        },
        &UNSIGNED,
    );
}

// The environment before

/// Asks that the artifact ran in staging, for `soak`.
fn after_staging(case: &mut Case, soak: &str) {
    case.replace(ENVIRONMENT, "require:\n", &format!("after: staging\n{soak}require:\n"));
    let staging = format!("version: 1\nid: \"{}\"\nrequire:\n  tests: {{unit: source}}\n", "0d".repeat(16));
    case.files.insert(STAGING.into(), staging);
}

/// What the agent of staging sees: the artifact serves for 50 minutes.
fn observation() -> Statement<Observation> {
    about(
        samples::artifact(),
        Observation {
            schema: 1,
            agent: AgentId { name: "web-1".into(), id: opaque("0a") },
            environment: Named { name: "staging".parse().unwrap(), id: opaque("0d") },
            project: Named { name: "shop".parse().unwrap(), id: opaque("0b") },
            sequence: 7,
            state: UnitState::Serving,
            decision: Digest::of(b"decision of staging"),
            release: Digest::of(b"release in staging"),
            artifact: samples::artifact(),
            commit: samples::commit(),
            decided_at: commit("54"),
            executable: Some(Digest::of(b"executable")),
            since: time("2026-01-02T03:00:00Z"),
            observed: time("2026-01-02T03:50:00Z"),
            delivery_commit: commit("89"),
            wanted: Digest::of(b"decision of staging"),
            problem: None,
            drift: vec![],
            agent_isolation: AgentIsolation::None,
        },
    )
}

fn opaque(byte: &str) -> Opaque {
    byte.repeat(16).parse().unwrap()
}

pub(crate) fn commit(byte: &str) -> CommitId {
    byte.repeat(20).parse().unwrap()
}

/// The bundle of the observation with one change.
pub(crate) fn observed(by: &str, change: impl FnOnce(&mut Observation)) -> Vec<u8> {
    let mut statement = observation();
    change(&mut statement.predicate);
    statement.subject = vec![Subject::new("shop", statement.predicate.artifact)];
    sealed(by, &statement)
}

/// A case after staging, with these observations.
fn seen(soak: &'static str, observations: Vec<Vec<u8>>) -> impl FnOnce(&mut Case) {
    move |case| {
        after_staging(case, soak);
        case.extra.extend(observations);
    }
}

fn staging(change: impl FnOnce(&mut Observation)) -> impl FnOnce(&mut Case) {
    seen("", vec![observed("agent:staging", change)])
}

#[test]
fn what_does_not_run_in_the_environment_before_does_not_start() {
    recomputed(&allowed(staging(|_| ())));
    let refused_as = |change: fn(&mut Observation), outcome| {
        refused(staging(change), &[("after", outcome, Code::After)]);
    };
    refused(seen("", vec![]), &[("after", Outcome::Missing, Code::After)]);
    refused_as(|seen| seen.artifact = Digest::of(b"another"), Outcome::Failed);
    for state in [UnitState::FellBack, UnitState::Failed, UnitState::Stopped] {
        refused(staging(|seen| seen.state = state), &[("after", Outcome::Failed, Code::After)]);
    }
    let drift = || Code::DigestMismatch.reason().with("what", "x").with("actual", "a").with("expected", "b");
    refused(staging(|seen| seen.drift.push(drift())), &[("after", Outcome::Failed, Code::After)]);
    // Another environment or project, and those made again under the same name.
    refused_as(|seen| seen.environment.id = opaque("0e"), Outcome::Missing);
    refused_as(|seen| seen.environment.name = "production".parse().unwrap(), Outcome::Missing);
    refused_as(|seen| seen.project.id = opaque("0c"), Outcome::Missing);
    refused_as(|seen| seen.project.name = "blog".parse().unwrap(), Outcome::Missing);
}

/// Other tools read the subject, and the gate what is said about it.
#[test]
fn an_observation_that_is_about_another_artifact_than_it_says_counts_for_nothing() {
    let about = |subjects: &[Digest]| {
        let mut statement = observation();
        statement.subject = subjects.iter().map(|digest| Subject::new("shop", *digest)).collect();
        (statement.predicate.sequence, statement.predicate.observed) = (8, time("2026-01-02T03:51:00Z"));
        sealed("agent:staging", &statement)
    };
    let missing = [("after", Outcome::Missing, Code::After)];
    refused(seen("", vec![about(&[Digest::of(b"another")])]), &missing);
    // It does not make room for an older one either.
    let older = observed("agent:staging", |_| ());
    refused(seen("", vec![older, about(&[Digest::of(b"another")])]), &missing);
    recomputed(&allowed(seen("", vec![about(&[samples::artifact()])])));
}

#[test]
fn an_observation_counts_for_a_quarter_of_an_hour() {
    let at = |at: &str| {
        let at = time(at);
        staging(move |seen| seen.observed = at)
    };
    for stale in ["2026-01-02T03:44:59Z", "2026-01-01T03:50:00Z", "2026-01-02T04:01:01Z"] {
        refused(at(stale), &[("after", Outcome::Stale, Code::After)]);
    }
    for fresh in ["2026-01-02T03:45:00Z", "2026-01-02T04:00:00Z", "2026-01-02T04:01:00Z"] {
        allowed(at(fresh));
    }
}

#[test]
fn only_the_agent_of_the_environment_before_says_what_runs_there() {
    for by in ["agent:production", "builder", "decision:staging", keys::STRANGER] {
        refused(seen("", vec![observed(by, |_| ())]), &[("after", Outcome::Missing, Code::After)]);
    }
    allowed(seen("", vec![observed("agent:staging", |_| ())]));
}

#[test]
fn the_newest_observation_counts_whatever_the_clocks_said() {
    let gone = |sequence| {
        observed("agent:staging", move |seen| {
            (seen.sequence, seen.state) = (sequence, UnitState::FellBack);
            seen.observed = time("2026-01-02T03:51:00Z");
        })
    };
    let good = || observed("agent:staging", |_| ());
    refused(seen("", vec![good(), gone(8)]), &[("after", Outcome::Failed, Code::After)]);
    recomputed(&allowed(seen("", vec![gone(6), good()])));
}

#[test]
fn what_did_not_run_there_for_long_enough_waits() {
    let since = |since: &str| {
        let since = time(since);
        seen("soak: 30m\n", vec![observed("agent:staging", move |seen| seen.since = since)])
    };
    // What counts is the time that was seen, not the time that went by since.
    for short in ["2026-01-02T03:20:01Z", "2026-01-02T03:50:00Z", "2026-01-02T03:59:00Z"] {
        refused(since(short), &[("soak", Outcome::Failed, Code::Soak)]);
    }
    for enough in ["2026-01-02T03:20:00Z", "2025-01-02T00:00:00Z"] {
        recomputed(&allowed(since(enough)));
    }
    // Without `soak` it need not have run for any time.
    allowed(staging(|seen| seen.since = time("2026-01-02T03:50:00Z")));
}

// Freezes

/// 2026-01-02 is a Friday, and it is 04:00.
pub(crate) fn freeze(case: &mut Case, from: &str, to: &str) {
    let windows = format!("freeze:\n  - {{from: \"{from}\", to: \"{to}\", zone: UTC}}\nrequire:\n");
    case.replace(ENVIRONMENT, "require:\n", &windows);
}

#[test]
fn nothing_starts_in_a_freeze() {
    for (from, to) in [("Fri 04:00", "Mon 08:00"), ("2026-01-02 00:00", "2026-01-02 04:01")] {
        refused(|case| freeze(case, from, to), &[("freeze", Outcome::Failed, Code::Freeze)]);
    }
    for (from, to) in [("Fri 04:01", "Mon 08:00"), ("2026-01-02 00:00", "2026-01-02 04:00")] {
        recomputed(&allowed(|case| freeze(case, from, to)));
    }
}

// Rollbacks

pub(crate) fn roll_back(case: &mut Case) {
    case.context.kind = Kind::Rollback;
    case.extra.push(before());
}

#[test]
fn a_rollback_is_to_what_was_allowed_here_before() {
    let none = [("rollback", Outcome::Missing, Code::NoDecision)];
    refused(|case| case.context.kind = Kind::Rollback, &none);
    let case = allowed(roll_back);
    assert_eq!(case.decide().predicate.decision.kind, Kind::Rollback);
    recomputed(&case);
    // Of another release, or where nothing stands.
    refused(
        |case| {
            roll_back(case);
            case.replace(crate::fixture::TARGET, "18080", "18081");
        },
        &none,
    );
    refused(
        |case| {
            roll_back(case);
            case.context.standing = None;
        },
        &none,
    );
    // By another key, or an allow that comes after what stands.
    let payload = crate::fixture::payload(&before());
    for who in ["decision:staging", "refusal", keys::STRANGER] {
        refused(
            |case| {
                case.context.kind = Kind::Rollback;
                case.extra.push(keys::sealed_bytes(who, &payload));
            },
            &none,
        );
    }
    refused(
        |case| {
            case.context.kind = Kind::Rollback;
            case.extra.push(Case::good().decision_bundle());
        },
        &none,
    );
}

#[test]
fn a_rollback_is_not_asked_for_what_delays_a_start() {
    let all = |case: &mut Case| {
        after_staging(case, "soak: 30m\n");
        freeze(case, "Fri 04:00", "Mon 08:00");
        ask_for_people(case);
    };
    refused(
        all,
        &[
            ("after", Outcome::Missing, Code::After),
            ("approvals", Outcome::Missing, Code::EvidenceMissing),
            ("freeze", Outcome::Failed, Code::Freeze),
            ("soak", Outcome::Missing, Code::After),
        ],
    );
    let case = allowed(|case| {
        all(case);
        roll_back(case);
    });
    assert!(case.decide().predicate.decision.approvals.is_empty());
    recomputed(&case);
    // What was not allowed before is asked for people all the same.
    refused(
        |case| {
            all(case);
            case.context.kind = Kind::Rollback;
        },
        &[
            ("approvals", Outcome::Missing, Code::EvidenceMissing),
            ("rollback", Outcome::Missing, Code::NoDecision),
        ],
    );
}

/// Policies are judged as they are now: a rollback is no way around them.
#[test]
fn a_rollback_is_asked_for_evidence_and_policies_that_are_in_force() {
    refused(
        |case| {
            roll_back(case);
            case.policy = Some(vec![]);
        },
        &UNSIGNED,
    );
    refused(
        |case| {
            roll_back(case);
            case.lint.given = false;
        },
        &[("scans.lint", Outcome::Missing, Code::EvidenceMissing)],
    );
    allowed(roll_back);
}

// Approvals

pub(crate) const BO: u8 = 3;
pub(crate) const CY: u8 = 4;

/// Asks for one release manager. Ada, who wrote the change, and Bo are some; Cy is none.
pub(crate) fn ask_for_people(case: &mut Case) {
    case.replace(ENVIRONMENT, "require:\n", "require:\n  approvals: {count: 1, from: [release-managers]}\n");
    case.replace(PEOPLE, "{name: ada, ", "{name: ada, roles: [release-managers], ");
    let others = format!(
        "  - {{name: bo, roles: [release-managers], ssh-keys: [\"{}\"]}}\n  - {{name: cy, ssh-keys: [\"{}\"]}}\n",
        keys::line(BO),
        keys::line(CY)
    );
    case.files.get_mut(PEOPLE).unwrap().push_str(&others);
}

/// One commit by Ada, since what stands.
pub(crate) fn delta() -> Delta {
    let ada = Person { name: "Ada Example".into(), email: "ada@example.org".into() };
    let new = DeltaCommit {
        commit: samples::commit(),
        author: ada.clone(),
        committer: ada,
        co_authors: vec![],
        signature: Signature::Good { person: "ada".into(), fingerprint: samples::COMMITTER.1.into() },
        summary: "a change".into(),
        paths: BTreeSet::new(),
    };
    Delta {
        schema: 1,
        project: "shop".parse().unwrap(),
        environment: "production".parse().unwrap(),
        base: Some(standing().commit),
        head: samples::commit(),
        base_is_ancestor: true,
        commits: vec![new],
        dropped: vec![],
        delivery_base: Some(standing().delivery_commit),
        delivery_head: commit("89"),
        delivery: vec![],
        policy: vec![],
    }
}

pub(crate) fn delta_bundle(delta: &Delta) -> Vec<u8> {
    sealed("source", &about(delta.subject().unwrap(), delta.clone()))
}

fn with_delta(case: &mut Case) {
    ask_for_people(case);
    case.extra.push(delta_bundle(&delta()));
}

/// An approval of what the case shows now, with one change.
pub(crate) fn approval(case: &Case, change: impl FnOnce(&mut ApprovalDocument)) -> ApprovalDocument {
    let decision = case.decide().predicate.decision;
    let floor: BTreeMap<_, _> = decision
        .gates
        .iter()
        .filter(|gate| gate.name != "approvals")
        .map(|gate| (gate.name.clone(), gate.outcome))
        .collect();
    let mut document = ApprovalDocument {
        version: 1,
        kind: ApprovalKind::Deploy,
        project: Named { name: decision.project.name, id: decision.project.id },
        environment: Named { name: decision.environment.name, id: decision.environment.id },
        release: decision.release_digest,
        base: decision.runs,
        delta: delta().digest().unwrap(),
        policy_set: decision.policy_set,
        floor,
        nonce: opaque("77"),
        expiry: time("2026-01-02T16:00:00Z"),
    };
    change(&mut document);
    document
}

/// Puts the approval where it is looked for, signed by somebody.
pub(crate) fn approve(case: &mut Case, document: &ApprovalDocument, by: u8, namespace: &str) -> Digest {
    let bytes = document::write(document).unwrap();
    let digest = Digest::of(&bytes);
    let path = approval_path(&case.context.project, &case.context.environment, &digest);
    case.files.insert(format!("{path}.sig"), signed_by(by, namespace, &bytes));
    case.files.insert(path, String::from_utf8(bytes).unwrap());
    digest
}

pub(crate) const NAMESPACE: &str = ApprovalDocument::NAMESPACE;
pub(crate) const QUORUM: (&str, Outcome, Code) = ("approvals", Outcome::Failed, Code::ApprQuorum);

/// A case with one approval that was changed.
pub(crate) fn approved(by: u8, change: impl FnOnce(&mut ApprovalDocument)) -> impl FnOnce(&mut Case) {
    move |case| {
        with_delta(case);
        let document = approval(case, change);
        approve(case, &document, by, NAMESPACE);
    }
}

#[test]
fn a_release_starts_when_enough_people_agree() {
    refused(with_delta, &[QUORUM]);
    let case = allowed(approved(BO, |_| ()));
    let decision = case.decide().predicate.decision;
    let gate = decision.gates.iter().find(|gate| gate.name == "approvals").unwrap();
    let [counted] = decision.approvals.as_slice() else { panic!("{:?}", decision.approvals) };
    assert_eq!((counted.person.as_str(), gate.outcome), ("bo", Outcome::Passed));
    assert!(gate.evidence.is_some_and(|delta| decision.context.contains(&delta)));
    let used: Vec<_> = decision.used.iter().map(|used| (used.approval, used.expiry)).collect();
    assert_eq!(used, [(counted.approval, time("2026-01-02T16:00:00Z"))]);
    recomputed(&case);
    let asked_for_two = |case: &mut Case| case.replace(ENVIRONMENT, "count: 1", "count: 2");
    refused(
        |case| {
            with_delta(case);
            asked_for_two(case);
            let document = approval(case, |_| ());
            approve(case, &document, BO, NAMESPACE);
        },
        &[QUORUM],
    );
}

#[test]
fn an_approval_of_another_environment_release_policy_set_or_base_does_not_count() {
    let refused_with = |code, change: &dyn Fn(&mut ApprovalDocument), by| {
        refused(approved(by, change), &[QUORUM, ("approvals", Outcome::Failed, code)]);
    };
    refused_with(Code::ApprSigner, &|_| (), CY);
    refused_with(Code::ApprSigner, &|_| (), 9);
    refused_with(Code::ApprRelease, &|approval| approval.release = Digest::of(b"another"), BO);
    refused_with(Code::ApprBase, &|approval| approval.base = None, BO);
    refused_with(Code::ApprBase, &|approval| approval.delta = Digest::of(b"another"), BO);
    refused_with(Code::ApprPolicy, &|approval| approval.policy_set = Digest::of(b"another"), BO);
    refused_with(Code::ApprEnvironment, &|approval| approval.kind = ApprovalKind::Rollback, BO);
    refused_with(Code::ApprEnvironment, &|approval| approval.environment.id = opaque("0d"), BO);
    refused_with(Code::ApprExpired, &|approval| approval.expiry = time("2026-01-02T04:00:00Z"), BO);
    refused_with(Code::ApprExpired, &|approval| approval.expiry = time("2026-01-03T04:00:00.000000001Z"), BO);
    allowed(approved(BO, |approval| approval.expiry = time("2026-01-03T04:00:00Z")));
    allowed(approved(BO, |approval| approval.nonce = opaque("78")));
    // A signature of another kind.
    refused(
        |case| {
            with_delta(case);
            let document = approval(case, |_| ());
            approve(case, &document, BO, "plimsoll-policy");
        },
        &[QUORUM, ("approvals", Outcome::Failed, Code::ApprSigner)],
    );
}

#[test]
fn who_wrote_the_change_does_not_approve_it() {
    let by_bo = |case: &mut Case| {
        ask_for_people(case);
        let mut delta = delta();
        delta.commits[0].co_authors.push(Person { name: "Bo".into(), email: "bo@example.org".into() });
        case.extra.push(delta_bundle(&delta));
        let document = approval(case, |approval| approval.delta = delta.digest().unwrap());
        approve(case, &document, BO, NAMESPACE);
    };
    refused(by_bo, &[QUORUM, ("approvals", Outcome::Failed, Code::ApprSelf)]);
    allowed(approved(BO, |_| ()));
}

#[test]
fn an_approval_is_used_once() {
    let mut digest = None;
    let case = allowed(|case| {
        with_delta(case);
        let document = approval(case, |_| ());
        digest = Some(approve(case, &document, BO, NAMESPACE));
    });
    let used = case.decide().predicate.decision.used;
    assert_eq!(used.iter().map(|used| Some(used.approval)).collect::<Vec<_>>(), [digest]);
    let after = |case: &mut Case, used| case.context.standing = Some(Standing { used, ..standing() });
    refused(
        |again| {
            again.files.clone_from(&case.files);
            again.extra.clone_from(&case.extra);
            after(again, used.clone());
        },
        &[QUORUM, ("approvals", Outcome::Failed, Code::ApprUsed)],
    );
    // Another one was used, and is remembered.
    let mut other = used;
    other[0].approval = Digest::of(b"another approval");
    let case = allowed(|again| {
        again.files.clone_from(&case.files);
        again.extra.clone_from(&case.extra);
        after(again, other.clone());
    });
    let decision = case.decide().predicate.decision;
    assert_eq!((decision.verdict, decision.used.len()), (Verdict::Allow, 2));
}

#[test]
fn the_delta_begins_at_what_stands_and_is_signed_by_the_source() {
    let with = |bundle: Vec<u8>| {
        move |case: &mut Case| {
            approved(BO, |_| ())(case);
            case.extra = vec![bundle];
        }
    };
    let missing = [("approvals", Outcome::Missing, Code::EvidenceMissing)];
    let other = [("approvals", Outcome::Failed, Code::EvidenceSubject)];
    let changed = |change: fn(&mut Delta)| {
        let mut delta = delta();
        change(&mut delta);
        delta_bundle(&delta)
    };
    let statement = about(delta().subject().unwrap(), delta());
    refused(with(sealed("builder", &statement)), &missing);
    refused(with(sealed("source", &about(Digest::of(b"another"), delta()))), &missing);
    refused(with(changed(|delta| delta.head = commit("11"))), &missing);
    refused(with(changed(|delta| delta.delivery_head = commit("11"))), &missing);
    refused(with(changed(|delta| delta.base = Some(commit("11")))), &other);
    refused(with(changed(|delta| delta.base = None)), &other);
    refused(with(changed(|delta| delta.delivery_base = Some(commit("11")))), &other);
    allowed(with(changed(|_| ())));
}
