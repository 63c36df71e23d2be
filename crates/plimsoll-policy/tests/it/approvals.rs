//! Attacks on approvals, each with the code that refuses it and the benign change that looks most like it, decided over
//! real signatures. The smallest variations of each rule stand in `src/gates/approvals/tests.rs`.

use crate::{
    delivery::{
        BO, CY, NAMESPACE, QUORUM, allowed, approval, approve, ask_for_people, commit, delta, delta_bundle,
        observed, refused,
    },
    fixture::{Case, ENVIRONMENT, PEOPLE, TARGET, standing},
    keys::{self, POLICY_SIGNER, SECOND_POLICY_SIGNER, TWO_SIGNERS},
    samples,
};
use plimsoll_attest::{
    Disclaimer,
    approval::DisclaimerText,
    co_authors,
    document::{self, Document as _},
    predicate::{
        Delta, DeltaCommit, Observation,
        common::Named,
        source::{Person, Signature},
    },
};
use plimsoll_model::{Code, Digest, Outcome};

/// A second key of Bo's.
const BO_AGAIN: u8 = 6;

const fn approvals(code: Code) -> (&'static str, Outcome, Code) {
    ("approvals", Outcome::Failed, code)
}

/// Bo has two addresses and two keys; Cy may approve as well.
fn team(case: &mut Case) {
    ask_for_people(case);
    let keys = format!("ssh-keys: [\"{}\", \"{}\"]", keys::line(BO), keys::line(BO_AGAIN));
    case.replace(PEOPLE, &format!("ssh-keys: [\"{}\"]", keys::line(BO)), &keys);
    case.replace(PEOPLE, "{name: bo, ", "{name: bo, git-emails: [bo@example.org, b.o@home.example], ");
    case.replace(PEOPLE, "{name: cy, ", "{name: cy, roles: [release-managers], ");
}

/// These keys approve a delta with one change.
fn approved(by: &[u8], change: impl FnOnce(&mut Delta)) -> impl FnOnce(&mut Case) {
    move |case| {
        team(case);
        let mut delta = delta();
        change(&mut delta);
        case.extra.push(delta_bundle(&delta));
        approve_as(case, &delta, by);
    }
}

fn approve_as(case: &mut Case, delta: &Delta, by: &[u8]) {
    // All see what is there before anybody agrees.
    let document = approval(case, |approval| approval.delta = delta.digest().unwrap());
    for key in by {
        let mut own = document.clone();
        own.nonce = format!("{key:02x}").repeat(16).parse().unwrap();
        approve(case, &own, *key, NAMESPACE);
    }
}

fn person(name: &str, email: &str) -> Person {
    Person { name: name.into(), email: email.into() }
}

/// A commit that one person wrote, and that Ada signed.
fn by(name: &str, byte: &str) -> DeltaCommit {
    let wrote = person(name, &format!("{name}@example.org"));
    let ada = delta().commits[0].clone();
    DeltaCommit { commit: commit(byte), author: wrote.clone(), committer: wrote, ..ada }
}

#[test]
fn an_alias_of_a_co_author_in_any_letter_case_does_not_approve() {
    let message =
        |text: &'static str| move |delta: &mut Delta| delta.commits[0].co_authors = co_authors(text);
    for text in [
        "fix\n\nCo-authored-by: bo <unknown@elsewhere.example>",
        "fix\n\nCO-AUTHORED-BY: BO <x@y.example>",
        "fix\n\nco-authored-by: somebody <B.O@HOME.Example>",
        "Co-Authored-By: Bo <bo@example.org>\n\nfix",
    ] {
        refused(approved(&[BO], message(text)), &[QUORUM, approvals(Code::ApprSelf)]);
    }
    for text in ["fix\n\nReviewed-by: bo <bo@example.org>", "fix\n\nCo-authored-by: Bob <bob@example.org>"] {
        allowed(approved(&[BO], message(text)));
    }
}

#[test]
fn a_committer_other_than_the_author_does_not_approve() {
    let committed = |who| move |delta: &mut Delta| delta.commits[0].committer = who;
    let bo = || person("release script", "b.o@home.example");
    refused(approved(&[BO], committed(bo())), &[QUORUM, approvals(Code::ApprSelf)]);
    allowed(approved(&[BO], committed(person("release script", "script@home.example"))));
    allowed(approved(&[CY], committed(bo())));
}

#[test]
fn one_person_with_two_keys_is_one_approval() {
    let two = |keys: &'static [u8]| {
        move |case: &mut Case| {
            team(case);
            case.replace(ENVIRONMENT, "count: 1", "count: 2");
            case.extra.push(delta_bundle(&delta()));
            approve_as(case, &delta(), keys);
        }
    };
    refused(two(&[BO, BO_AGAIN]), &[QUORUM, approvals(Code::ApprSigner)]);
    allowed(two(&[BO, CY]));
    allowed(two(&[BO_AGAIN, CY]));
}

#[test]
fn a_merge_parent_does_not_hide_an_author() {
    let merged = |name: &'static str| move |delta: &mut Delta| delta.commits.push(by(name, "33"));
    refused(approved(&[BO], merged("bo")), &[QUORUM, approvals(Code::ApprSelf)]);
    allowed(approved(&[BO], merged("di")));
}

#[test]
fn history_that_was_rewritten_to_drop_a_fix_needs_one_more() {
    let dropped = |delta: &mut Delta| {
        delta.base_is_ancestor = false;
        delta.dropped.push(by("di", "55"));
    };
    refused(approved(&[BO], dropped), &[QUORUM]);
    allowed(approved(&[BO, CY], dropped));
    // Whose fix it was does not approve that it goes.
    let own = |delta: &mut Delta| {
        dropped(delta);
        delta.dropped[0].author = person("bo", "bo@example.org");
    };
    refused(approved(&[BO, CY], own), &[QUORUM, approvals(Code::ApprSelf)]);
}

#[test]
fn who_changed_configuration_or_policies_does_not_approve() {
    for list in
        [(|delta| &mut delta.delivery) as fn(&mut Delta) -> &mut Vec<DeltaCommit>, |delta| &mut delta.policy]
    {
        let changed = |name: &'static str| move |delta: &mut Delta| list(delta).push(by(name, "44"));
        refused(approved(&[BO], changed("bo")), &[QUORUM, approvals(Code::ApprSelf)]);
        allowed(approved(&[BO], changed("di")));
    }
}

#[test]
fn a_key_that_was_taken_back_in_between_does_not_approve() {
    let replaced = |case: &mut Case| {
        approved(&[BO], |_| ())(case);
        case.replace(PEOPLE, &keys::line(BO), &keys::line(9));
    };
    refused(replaced, &[QUORUM, approvals(Code::ApprSigner)]);
    allowed(|case| {
        replaced(case);
        approve_as(case, &delta(), &[9]);
    });
}

#[test]
fn an_approval_that_expired_in_between_does_not_count() {
    let at = |now: &'static str| {
        move |case: &mut Case| {
            approved(&[BO], |_| ())(case);
            case.context.now = samples::time(now);
        }
    };
    refused(at("2026-01-02T16:00:00Z"), &[QUORUM, approvals(Code::ApprExpired)]);
    allowed(at("2026-01-02T15:59:59Z"));
}

#[test]
fn a_robot_does_not_approve() {
    let robot = |robot: bool| {
        move |case: &mut Case| {
            team(case);
            case.replace(PEOPLE, "{name: bo, ", &format!("{{name: bo, robot: {robot}, "));
            case.extra.push(delta_bundle(&delta()));
            approve_as(case, &delta(), &[BO]);
        }
    };
    refused(robot(true), &[QUORUM, approvals(Code::ApprRobot)]);
    allowed(robot(false));
}

#[test]
fn an_approval_does_not_outlive_the_evidence_that_it_saw() {
    let later = |failed: bool| {
        move |case: &mut Case| {
            approved(&[BO], |_| ())(case);
            case.lint.given = !failed;
        }
    };
    let lint = ("scans.lint", Outcome::Missing, Code::EvidenceMissing);
    refused(later(true), &[QUORUM, approvals(Code::ApprFloor), lint]);
    allowed(later(false));
}

#[test]
fn an_author_whom_nobody_knows_refuses_whoever_approves() {
    let unsigned = |delta: &mut Delta| delta.commits[0].signature = Signature::Unsigned;
    refused(approved(&[BO], unsigned), &[approvals(Code::ApprAuthorUnknown)]);
    refused(approved(&[BO, CY], unsigned), &[approvals(Code::ApprAuthorUnknown)]);
    let extra = |keys: &'static [u8]| {
        move |case: &mut Case| {
            team(case);
            case.replace(ENVIRONMENT, "count: 1, ", "count: 1, unsigned: extra-approval, ");
            let mut delta = delta();
            unsigned(&mut delta);
            case.extra.push(delta_bundle(&delta));
            approve_as(case, &delta, keys);
        }
    };
    refused(extra(&[BO]), &[QUORUM]);
    allowed(extra(&[BO, CY]));
}

/// Bo is named as co-author, and `by` signs that Bo is not.
fn disclaimed(by: u8, namespace: &'static str, change: fn(&mut Disclaimer)) -> impl FnOnce(&mut Case) {
    move |case| {
        approved(&[BO], |delta| delta.commits[0].co_authors.push(person("Bo", "bo@example.org")))(case);
        let decision = case.decide().predicate.decision;
        let mut disclaimer = Disclaimer {
            version: 1,
            project: Named { name: decision.project.name, id: decision.project.id },
            environment: Named { name: decision.environment.name, id: decision.environment.id },
            commit: samples::commit(),
            named: person("Bo", "bo@example.org"),
            statement: DisclaimerText::DidNotTakePart,
        };
        change(&mut disclaimer);
        let bytes = document::write(&disclaimer).unwrap();
        case.files.insert("disclaimers/1.json.sig".into(), keys::signed_by(by, namespace, &bytes));
        case.files.insert("disclaimers/1.json".into(), String::from_utf8(bytes).unwrap());
    }
}

#[test]
fn a_disclaimer_lifts_the_exclusion_of_whoever_signs_it_and_nobody_elses() {
    const DISCLAIMER: &str = Disclaimer::NAMESPACE;
    let own = [QUORUM, approvals(Code::ApprSelf)];
    allowed(disclaimed(BO, DISCLAIMER, |_| ()));
    allowed(disclaimed(BO_AGAIN, DISCLAIMER, |_| ()));
    refused(disclaimed(CY, DISCLAIMER, |_| ()), &own);
    refused(disclaimed(9, DISCLAIMER, |_| ()), &own);
    refused(disclaimed(BO, NAMESPACE, |_| ()), &own);
    refused(disclaimed(BO, DISCLAIMER, |given| given.commit = commit("33")), &own);
    refused(disclaimed(BO, DISCLAIMER, |given| given.named.email = "b.o@home.example".into()), &own);
    refused(disclaimed(BO, DISCLAIMER, |given| given.environment.name = "staging".parse().unwrap()), &own);
}

// Two policy signers

/// The second statement about the policy set, over changes that these people made, signed by one of two.
fn second_statement(signer: u8, author: &'static str) -> impl FnOnce(&mut Case) {
    move |case| {
        let first = case.files.clone();
        case.replace(PEOPLE, "version: 1\n", "version: 1\n# nobody else\n");
        case.policy = Some(vec![first, case.files.clone()]);
        case.root = TWO_SIGNERS;
        case.policy_signer = signer;
        let mut delta = delta();
        delta.policy.push(by(author, "44"));
        case.extra.push(delta_bundle(&delta));
    }
}

#[test]
fn of_two_policy_signers_none_puts_into_force_what_they_wrote() {
    let own = [("policy-set", Outcome::Failed, Code::PolicySod)];
    refused(second_statement(POLICY_SIGNER, "petra"), &own);
    refused(second_statement(SECOND_POLICY_SIGNER, "Paul"), &own);
    allowed(second_statement(POLICY_SIGNER, "paul"));
    allowed(second_statement(SECOND_POLICY_SIGNER, "petra"));
    // Where there is one, nobody else could have signed.
    allowed(|case| {
        second_statement(POLICY_SIGNER, "petra")(case);
        case.root = keys::pinned().number();
    });
    // A root with one signer does not know the other.
    refused(
        |case| {
            second_statement(SECOND_POLICY_SIGNER, "petra")(case);
            case.root = keys::pinned().number();
        },
        &[("policy-set", Outcome::Failed, Code::PolicyUnsigned)],
    );
}

// Targets with an agent

/// The project lives on a machine with an agent, which says what runs there.
fn hosted(seen: Vec<Vec<u8>>, change: impl FnOnce(&mut Delta)) -> impl FnOnce(&mut Case) {
    move |case| {
        let target = "version: 1\nhost: {agent: web-1, port: 8080, listen: 18080, health: /healthz}\n";
        case.files.insert(TARGET.into(), target.into());
        case.extra.extend(seen);
        approved(&[BO], change)(case);
    }
}

/// What the agent of production says.
fn here(change: impl FnOnce(&mut Observation)) -> Vec<u8> {
    observed("agent:production", |seen| {
        seen.environment =
            Named { name: "production".parse().unwrap(), id: "0e".repeat(16).parse().unwrap() };
        (seen.decision, seen.commit) = (standing().decision, standing().commit);
        seen.decided_at = standing().delivery_commit;
        change(seen);
    })
}

#[test]
fn where_an_agent_is_its_word_is_the_base() {
    let missing = [("approvals", Outcome::Missing, Code::EvidenceMissing)];
    refused(hosted(vec![], |_| ()), &missing);
    let case = allowed(hosted(vec![here(|_| ())], |_| ()));
    assert_eq!(case.decide().predicate.decision.runs, Some(standing().decision));
    // After a failure it runs something else than what was promoted last: the change is counted from there.
    let fell_back = || {
        here(|seen| {
            (seen.decision, seen.commit) = (Digest::of(b"decision 3"), commit("33"));
            seen.decided_at = commit("34");
        })
    };
    let other = [("approvals", Outcome::Failed, Code::EvidenceSubject)];
    refused(hosted(vec![fell_back()], |_| ()), &other);
    let case = allowed(hosted(vec![fell_back()], |delta| {
        (delta.base, delta.delivery_base) = (Some(commit("33")), Some(commit("34")));
    }));
    assert_eq!(case.decide().predicate.decision.runs, Some(Digest::of(b"decision 3")));
    // What it said long ago could be what it ran before it fell back.
    let old = here(|seen| seen.observed = samples::time("2026-01-02T03:44:59Z"));
    refused(hosted(vec![old], |_| ()), &missing);
    // By the agent of another environment.
    let foreign = observed("agent:staging", |seen| seen.commit = standing().commit);
    refused(hosted(vec![foreign], |_| ()), &missing);
    // On the machine of whoever promotes, the chain says what runs.
    allowed(approved(&[BO], |_| ()));
}
