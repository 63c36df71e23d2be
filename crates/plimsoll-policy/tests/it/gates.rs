//! The gates: good evidence is allowed, every single change of it refused with its code, and evidence can only help.

use crate::{
    defects::DEFECTS,
    fixture::{Case, ENVIRONMENT, REQUIRE, Said, environment, standing, standing_at},
    keys::{STRANGER, sealed},
    samples,
};
use plimsoll_attest::predicate::common::On;
use plimsoll_model::{Code, Outcome, RunId};
use plimsoll_policy::{GatherError, Verdict, decide};
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::Mutex};

#[test]
fn good_evidence_is_allowed() {
    let decision = Case::good().decide().predicate.decision;
    assert_eq!(decision.verdict, Verdict::Allow);
    let names: Vec<_> = decision.gates.iter().map(|gate| gate.name.as_str()).collect();
    let run = ["run.artifact", "run.pipeline", "run.project", "run.tier", "scans.lint"];
    let rest = ["source.protected", "source.signed", "tests.smoke", "tests.unit"];
    assert_eq!(names, [&["policy-set", "provenance"], &run[..], &rest].concat());
    // Nothing is looked at for the first statement about the policy set.
    let judged = |name: &str| name != "policy-set";
    let passed = |gate: &plimsoll_policy::Gate| gate.outcome == Outcome::Passed;
    assert!(decision.gates.iter().all(|gate| passed(gate) && gate.evidence.is_some() == judged(&gate.name)));
    assert_eq!((decision.counter, decision.previous), (Some(5), Some(standing().decision)));
    assert_eq!((decision.policy_number, decision.runs), (Some(1), Some(standing().decision)));
}

#[test]
fn every_single_change_is_refused_with_its_code() {
    for (what, gate, code, change) in DEFECTS {
        let refusals = Case::with(change).refusals();
        let expected = refusals.iter().any(|(name, _, found)| name == gate && found == code);
        assert!(expected, "{what}: expected {code} at {gate}, found {refusals:?}");
        assert!(refusals.iter().all(|(_, outcome, _)| *outcome != Outcome::Passed), "{what}");
        assert!(!Case::with(change).is_allowed(), "{what}");
    }
}

/// The twins: what looks like a defect and is none.
#[test]
fn harmless_changes_are_allowed() {
    type Change = fn(&mut Case);
    let harmless: [(&str, Change); 6] = [
        ("findings below the level that blocks", |case| case.lint.says().findings.note = 1000),
        ("nothing came in", |case| {
            let built = &mut case.provenance.says().build_definition;
            built.internal_parameters.plimsoll_network = plimsoll_model::record::NetworkMode::None;
        }),
        ("a test without a report", |case| {
            (case.unit().says().check.counts, case.unit().says().check.report) = (None, None);
        }),
        ("an older attempt whose result is lost", |case| case.tests[0].given = false),
        ("a check that nobody asked for failed", |case| {
            case.run.says().planned.push(plimsoll_attest::predicate::run::Planned {
                check: "extra".parse().unwrap(),
                on: On::Source,
                role: plimsoll_model::Role::Scanner,
                predicate_type: "https://in-toto.io/attestation/test-result/v0.1".into(),
            });
            case.tests.push(Said::new("scanner", samples::test("extra", On::Source, 1, false)));
        }),
        ("a third attempt that passed", |case| {
            case.tests.push(Said::new("scanner", samples::test("unit", On::Source, 3, true)));
        }),
    ];
    for (what, change) in harmless {
        let case = Case::with(change);
        assert!(case.is_allowed(), "{what}: {:?}", case.refusals());
    }
}

#[test]
fn an_environment_that_asks_for_nothing_lets_nothing_in() {
    let mut inputs = Case::good().inputs();
    inputs.declared.require = plimsoll_pipeline::Require::default();
    let decision = decide(&inputs).unwrap().predicate.decision;
    assert_eq!(decision.verdict, Verdict::Refuse);
    assert_eq!(decision.reasons().map(|reason| reason.code).collect::<Vec<_>>(), [Code::FileInvalid]);
    let case = Case::with(|case| drop(case.files.insert(ENVIRONMENT.into(), environment("  {}\n"))));
    assert!(matches!(case.gather_from(&case.own_bundles()), Err(GatherError::File(_))));
}

#[test]
fn rules_that_this_binary_does_not_have_are_refused() {
    let mut inputs = Case::good().inputs();
    assert!(decide(&inputs).is_ok());
    for other in [0, 2, u32::MAX] {
        inputs.rules = other;
        assert_eq!(decide(&inputs).unwrap_err().code, Code::RulesUnknown);
    }
}

#[test]
fn a_run_statement_counts_by_the_builders_key_only() {
    for (by, code) in [
        ("scanner", Code::RoleMismatch),
        ("decision:production", Code::RoleMismatch),
        (STRANGER, Code::SignerUnknown),
    ] {
        let case = Case::with(|case| case.run.by = by);
        match case.gather_from(&case.own_bundles()) {
            Err(GatherError::Refused(reason)) => assert_eq!(reason.code, code, "{by}"),
            other => panic!("{by}: {other:?}"),
        }
    }
}

#[test]
fn a_run_without_an_artifact_cannot_be_decided_about() {
    let case = Case::with(|case| case.run.says().artifact = None);
    match case.gather_from(&case.own_bundles()) {
        Err(GatherError::Refused(reason)) => assert_eq!(reason.code, Code::EvidenceMissing),
        other => panic!("{other:?}"),
    }
}

/// A30: what was scanned is not what would run.
#[test]
fn evidence_of_another_artifact_does_not_count_for_this_one() {
    let other = plimsoll_model::Digest::of(b"the artifact behind a tag that moved");
    let case = Case::with(|case| {
        case.run.says().artifact.as_mut().unwrap().digest = other;
        case.run.statement.subject = vec![plimsoll_attest::Subject::new("shop", other)];
    });
    let codes: Vec<_> = case.refusals().into_iter().map(|(gate, _, code)| (gate, code)).collect();
    let expected = ["provenance", "tests.smoke"].map(|gate| (gate.to_owned(), Code::EvidenceSubject));
    assert_eq!(codes, expected);
}

#[test]
fn a_counter_that_cannot_grow_gives_no_place_in_the_chain() {
    let case = Case::with(|case| {
        case.context.standing = Some(standing_at((plimsoll_model::Digest::of(b""), u64::MAX)));
    });
    assert_eq!(case.decide().predicate.decision.counter, None);
}

#[test]
fn a_refusal_has_no_place_in_the_chain_and_says_so_to_other_verifiers() {
    let summary = Case::with(|case| case.lint.given = false).decide().predicate;
    assert_eq!((summary.decision.counter, summary.decision.previous), (None, None));
    assert_eq!(summary.verified_levels, ["FAILED"]);
}

#[test]
fn no_level_is_claimed_where_nobody_looked_at_provenance() {
    let levels = |require: &str| {
        Case::with(|case| drop(case.files.insert(ENVIRONMENT.into(), environment(require))))
            .decide()
            .predicate
            .verified_levels
    };
    assert_eq!(levels(REQUIRE[1]), ["SLSA_BUILD_LEVEL_1"]);
    assert_eq!(levels(REQUIRE[2]), ["SLSA_BUILD_LEVEL_UNEVALUATED"]);
}

fn some_defects() -> impl Strategy<Value = Vec<bool>> {
    // A few at a time: with many, the first one hides the others.
    prop::collection::vec(prop::bool::weighted(0.05), DEFECTS.len())
}

fn apply(case: &mut Case, chosen: &[bool]) {
    for ((.., change), _) in DEFECTS.iter().zip(chosen).filter(|(_, chosen)| **chosen) {
        change(case);
    }
}

/// The bundles of a run that has nothing to do with the decision, and what is no bundle.
fn noise() -> Vec<Vec<u8>> {
    let mut other = samples::test("unit", On::Source, 2, true);
    other.predicate.check.run = RunId::from_random([9; 16]);
    let stranger = sealed(STRANGER, &samples::scan());
    vec![sealed("scanner", &other), stranger, b"{}".to_vec(), vec![0xff; 100], vec![]]
}

/// What the environment asks for, of [`REQUIRE`], and a defect that is there already.
type Start = (Vec<bool>, usize);

fn start((asked, first): &Start) -> Case {
    let required = REQUIRE.iter().zip(asked).filter(|(_, asked)| **asked);
    let require: String = required.map(|(line, _)| *line).collect();
    Case::with(|case| {
        case.files.insert(ENVIRONMENT.into(), environment(&require));
        DEFECTS.get(*first).iter().for_each(|(.., change)| change(case));
    })
}

/// Whether it is allowed. There are few starts and many mutations of each.
fn starts_allowed(from: &Start) -> bool {
    static VERDICTS: Mutex<BTreeMap<Start, bool>> = Mutex::new(BTreeMap::new());
    *VERDICTS.lock().unwrap().entry(from.clone()).or_insert_with(|| start(from).is_allowed())
}

proptest! {
    // Seven hundred mutations of whole cases; `weakened` makes two thousand of scans.
    #![proptest_config(ProptestConfig::with_cases(700))]

    /// F3. Weakening evidence further never turns a refusal into an allow, whatever the environment asks for.
    #[test]
    fn evidence_can_only_help(
        asked in prop::collection::vec(any::<bool>(), REQUIRE.len()),
        first in 0..=DEFECTS.len(),
        more in some_defects(),
    ) {
        prop_assume!(asked.contains(&true));
        let from = (asked, first);
        let mut weaker = start(&from);
        let mut more = more;
        // A change is made once: some do not stand a second one.
        more.get_mut(first).into_iter().for_each(|again| *again = false);
        apply(&mut weaker, &more);
        prop_assert!(starts_allowed(&from) || !weaker.is_allowed());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// F3. In an environment that asks for everything, no set of defects is allowed.
    #[test]
    fn defects_do_not_cancel_out(chosen in some_defects()) {
        prop_assume!(chosen.contains(&true));
        prop_assert!(!Case::with(|case| apply(case, &chosen)).is_allowed());
    }

    /// F3. A lost or cut bundle is as good as none, and only the lost attempt of long ago does not matter.
    #[test]
    fn lost_and_damaged_bundles_never_help(at in 0usize..6, cut in any::<prop::sample::Index>(), bit in 0u8..8) {
        let case = Case::good();
        let mut bundles = case.own_bundles();
        let place = cut.index(bundles[at].len());
        bundles[at][place] ^= 1 << bit;
        let damaged = decide(&case.gather_from(&bundles).unwrap()).unwrap().predicate.decision;
        bundles.remove(at);
        let lost = decide(&case.gather_from(&bundles).unwrap()).unwrap().predicate.decision;
        let old = at == 3;
        prop_assert_eq!(lost.verdict == Verdict::Allow, old);
        // White space and the two spellings of one signature are not damage.
        prop_assert!(damaged == lost || damaged == case.decide().predicate.decision);
    }

    /// The order of bundles, bundles that stand twice, and those of other runs make no difference to any byte.
    #[test]
    fn only_what_the_run_names_matters(order in prop::collection::vec(any::<u32>(), 17)) {
        let case = Case::good();
        let own = case.own_bundles();
        let mut all: Vec<_> = own.iter().cloned().chain(own.clone()).chain(noise()).zip(order).collect();
        all.sort_by_key(|(_, key)| *key);
        let bundles: Vec<_> = all.into_iter().map(|(bundle, _)| bundle).collect();
        let again = decide(&case.gather_from(&bundles).unwrap()).unwrap().to_bytes().unwrap();
        prop_assert_eq!(again, case.decide().to_bytes().unwrap());
    }
}
