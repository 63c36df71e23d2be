//! Policies in Rego at the gate: they see everything that was said about a run, also what no other gate asks for, and
//! nobody makes them content by leaving something out.

use crate::{
    delivery::{delta, delta_bundle},
    fixture::{Case, ENVIRONMENT, PEOPLE, Said, TARGET},
    samples,
};
use plimsoll_attest::{
    Predicate as _,
    predicate::{TestResult, common::On, run::Planned},
};
use plimsoll_model::{Code, Outcome, Role};
use plimsoll_policy::{Verdict, decide};
use proptest::prelude::*;

const GATE: &str = "policy.p";
/// Nothing of the run may have failed.
const TESTS: &str = "checked contains name if some name, _ in input.tests
deny contains sprintf(\"%s did not pass\", [name]) if { some name, test in input.tests; test.outcome != \"passed\" }
";
/// Nobody touches the vault.
const DELTA: &str = "checked contains input.delta.head
deny contains \"history\" if not input.delta.base_is_ancestor
deny contains \"the vault\" if { some commit in input.delta.commits; \"vault/key\" in commit.paths }
";
/// Whoever wrote it is known.
const SOURCE: &str = "checked contains input.run.id
deny contains \"signature\" if input.source.signature.kind != \"good\"
";

/// The environment names this policy.
fn policy(case: &mut Case, rules: &str) {
    case.files.insert("policies/p.rego".into(), format!("package plimsoll.p\n{rules}"));
    case.replace(ENVIRONMENT, "require:\n", "require:\n  policies: [policies/p.rego]\n");
}

/// The run has a test that no gate asks for.
fn extra(case: &mut Case, passed: bool) {
    let attempts = case.tests.iter().filter(|said| said.statement.predicate.check.check.as_str() == "extra");
    let attempt = u32::try_from(attempts.count() + 1).unwrap();
    if attempt == 1 {
        case.run.says().planned.push(Planned {
            check: "extra".parse().unwrap(),
            on: On::Source,
            role: Role::Scanner,
            predicate_type: TestResult::TYPE.into(),
        });
    }
    case.tests.push(Said::new("scanner", samples::test("extra", On::Source, attempt, passed)));
}

fn lose_the_newest(case: &mut Case) {
    case.tests.last_mut().unwrap().given = false;
}

#[track_caller]
fn refused(change: impl FnOnce(&mut Case), outcome: Outcome, code: Code) {
    assert_eq!(Case::with(change).refusals(), [(GATE.to_owned(), outcome, code)]);
}

#[track_caller]
fn allowed(change: impl FnOnce(&mut Case)) {
    let case = Case::with(change);
    assert!(case.is_allowed(), "{:?}", case.refusals());
}

#[test]
fn a_policy_sees_a_result_that_no_gate_asks_for() {
    let with = |passed| {
        move |case: &mut Case| {
            policy(case, TESTS);
            extra(case, passed);
        }
    };
    allowed(with(true));
    refused(with(false), Outcome::Failed, Code::PolicyFailed);
    allowed(|case| extra(case, false));
}

#[test]
fn leaving_out_what_a_policy_refuses_does_not_make_it_content() {
    for passed in [true, false] {
        let change = |case: &mut Case| {
            policy(case, TESTS);
            extra(case, passed);
            lose_the_newest(case);
        };
        refused(change, Outcome::Errored, Code::PolicyErrored);
    }
    let source = |case: &mut Case| {
        policy(case, SOURCE);
        case.replace(ENVIRONMENT, "  source: {protected: true, signed: true}\n", "");
        case.source.given = false;
    };
    refused(source, Outcome::Errored, Code::PolicyErrored);
}

#[test]
fn a_result_that_does_not_fit_its_place_is_as_good_as_left_out() {
    let foreign = |case: &mut Case| {
        policy(case, TESTS);
        extra(case, true);
        let said = case.tests.last_mut().unwrap().says();
        said.check.run = plimsoll_model::RunId::from_random([9; 16]);
    };
    refused(foreign, Outcome::Errored, Code::PolicyErrored);
}

#[test]
fn a_result_of_long_ago_that_is_lost_does_not_disturb_a_policy() {
    allowed(|case| {
        policy(case, TESTS);
        case.tests[0].given = false;
        extra(case, true);
    });
    // Nor does a check that was planned and said nothing, for a policy that does not ask for it.
    allowed(|case| {
        policy(case, TESTS);
        extra(case, true);
        case.tests.pop();
    });
}

#[test]
fn a_policy_that_reads_the_delta_gives_no_answer_without_one() {
    let with = |vault: bool, given: bool| {
        move |case: &mut Case| {
            policy(case, DELTA);
            let mut delta = delta();
            if vault {
                delta.commits[0].paths.insert("vault/key".into());
            }
            if given {
                case.extra.push(delta_bundle(&delta));
            }
        }
    };
    allowed(with(false, true));
    refused(with(true, true), Outcome::Failed, Code::PolicyFailed);
    refused(with(true, false), Outcome::Errored, Code::PolicyErrored);
    refused(with(false, false), Outcome::Errored, Code::PolicyErrored);
    // However the field is named.
    for rules in [
        "checked contains 1\ndeny contains \"x\" if input[\"delta\"].base_is_ancestor == false\n",
        "checked contains 1\ndeny contains \"x\" if { some key, value in input; key == \"delta\"; value.base_is_ancestor == false }\n",
        "checked contains 1\ndeny contains \"x\" if { all := input; all.delta.base_is_ancestor == false }\n",
    ] {
        refused(|case| policy(case, rules), Outcome::Errored, Code::PolicyErrored);
        allowed(|case| {
            policy(case, rules);
            case.extra.push(delta_bundle(&delta()));
        });
    }
    // Others do not need it.
    allowed(|case| policy(case, TESTS));
}

/// What may be left out of a case, and what may be wrong with it.
fn facts() -> impl Strategy<Value = Vec<bool>> {
    prop::collection::vec(any::<bool>(), 6)
}

/// A case with policies over these facts.
fn case(rules: &str, facts: &[bool]) -> Case {
    Case::with(|case| {
        policy(case, rules);
        case.replace(ENVIRONMENT, "  tests: {unit: source, smoke: artifact}\n", "");
        case.replace(ENVIRONMENT, "  source: {protected: true, signed: true}\n", "");
        extra(case, facts[0]);
        extra(case, facts[1]);
        if facts[2] {
            case.replace(PEOPLE, samples::COMMITTER.0, &crate::keys::line(9));
        }
        if facts[3] {
            let mut delta = delta();
            if facts[4] {
                delta.commits[0].paths.insert("vault/key".into());
            }
            case.extra.push(delta_bundle(&delta));
        }
        if facts[5] {
            case.replace(TARGET, "18080", "18081");
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// F3, with policies: whoever leaves statements out turns no refusal into an allow, whatever the policies refuse.
    #[test]
    fn what_is_left_out_never_makes_a_policy_content(
        rules in prop::sample::select(vec![TESTS, DELTA, SOURCE]),
        facts in facts(),
        kept in prop::collection::vec(any::<bool>(), 16),
    ) {
        let case = case(rules, &facts);
        let all: Vec<Vec<u8>> = case.own_bundles().into_iter().chain(case.extra.iter().cloned()).collect();
        let fewer: Vec<Vec<u8>> =
            all.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(bundle, _)| bundle.clone()).collect();
        let verdict = |bundles: &[Vec<u8>]| decide(&case.gather_from(bundles).unwrap()).unwrap().predicate.decision.verdict;
        prop_assert!(verdict(&fewer) == Verdict::Refuse || verdict(&all) == Verdict::Allow);
    }
}
