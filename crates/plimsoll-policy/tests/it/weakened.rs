//! F3 for scans of ours: evidence can only help. What somebody without the scanner's key can do to evidence, and what a
//! weaker scan says of itself, never turns a refusal into an allow, in whatever order and number.

use crate::{
    fixture::{Case, ENVIRONMENT, Said, environment},
    keys::{STRANGER, sealed},
    samples::{self, time},
};
use plimsoll_attest::{
    Subject,
    predicate::{
        common::Ending,
        scan::{Coverage, Database, OwnResult, OwnScan},
    },
};
use plimsoll_model::{Code, Digest, Outcome, RunId, ScanEngine, Severity};
use plimsoll_policy::Verdict;
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::Mutex};

/// One way to make evidence weaker.
type Weaken = (&'static str, fn(&mut Case));

fn own(case: &mut Case) -> Option<&mut OwnScan> {
    case.lint.says().own.as_mut()
}

/// Another statement that says that all is well, beside the one that is there.
fn beside(
    case: &mut Case,
    by: &'static str,
    change: impl FnOnce(&mut Said<plimsoll_attest::predicate::Scan>),
) {
    let mut said = Said::new(by, samples::scan());
    let check = case.lint.says().check.clone();
    said.says().check = check;
    said.says().own = Some(clean());
    change(&mut said);
    case.extra.push(sealed(by, &said.statement));
}

const WEAKER: &[Weaken] = &[
    ("the statement is lost", |case| case.lint.given = false),
    ("it looked at no file", |case| own(case).into_iter().for_each(|own| own.coverage.files = 0)),
    ("it had no rules", |case| case.lint.says().rules = 0),
    ("its data is old", |case| {
        own(case).into_iter().for_each(|own| {
            own.database =
                own.database.take().map(|data| Database { updated: time("2020-01-01T00:00:00Z"), ..data });
        });
    }),
    ("it had no data", |case| own(case).into_iter().for_each(|own| own.database = None)),
    ("another tool made it", |case| case.lint.says().tool.digest = Digest::of(b"another tool")),
    ("it says nothing of its own", |case| case.lint.says().own = None),
    ("it is of another scanner", |case| {
        own(case).into_iter().for_each(|own| own.engine = ScanEngine::Config)
    }),
    ("it lists less than it found", |case| own(case).into_iter().for_each(|own| own.unlisted += 1)),
    ("its report is lost", |case| case.lint.says().report = None),
    ("its command failed", |case| case.lint.says().exit = Ending::Status(1)),
    ("it was killed", |case| case.lint.says().exit = Ending::TimedOut),
    ("it came to no answer", |case| case.lint.says().outcome = Outcome::Errored),
    ("it is of another run", |case| case.lint.says().run = RunId::from_random([7; 16])),
    ("it is of another plan", |case| case.lint.says().plan = Digest::of(b"another plan")),
    ("it is about something else", |case| {
        case.lint.statement.subject = vec![Subject::new("source", Digest::of(b"something else"))];
    }),
    ("another key signs it", |case| case.lint.by = "builder"),
    ("a stranger signs it", |case| case.lint.by = STRANGER),
    ("comments silence what it found", |case| {
        own(case).into_iter().flat_map(|own| &mut own.results).for_each(|result| result.suppressed = true);
    }),
    ("a stranger says that all is well", |case| beside(case, STRANGER, |_| {})),
    ("another role says that all is well", |case| beside(case, "builder", |_| {})),
    ("another run says that all is well", |case| {
        beside(case, "scanner", |said| said.says().run = RunId::from_random([7; 16]));
    }),
    ("a later attempt that nobody made says that all is well", |case| {
        beside(case, "scanner", |said| said.says().attempt = 2);
    }),
    ("something says that it passed", |case| case.extra.push(br#"{"passed":true,"passed":true}"#.to_vec())),
];

fn clean() -> OwnScan {
    OwnScan {
        engine: ScanEngine::Dependencies,
        rules_digest: Digest::of(b"rules"),
        imported: None,
        database: Some(Database { digest: Digest::of(b"index"), updated: time("2026-01-02T03:04:05Z") }),
        coverage: Coverage { files: 12, bytes: 3400, packages: 5 },
        results: vec![],
        unlisted: 0,
        licenses: None,
    }
}

/// A case whose environment asks for a scan of ours that is fresh, which found these.
fn case(found: &[Severity]) -> Case {
    let mut case = Case::good();
    let require = "  scans: {dependencies: {block: high, database-age: 24h, tool: TOOL}}\n";
    case.files.insert(ENVIRONMENT.into(), environment(require));
    let planned =
        case.run.says().planned.iter_mut().find(|planned| planned.check.as_str() == "lint").unwrap();
    planned.check = "dependencies".parse().unwrap();
    let result = |(number, severity): (usize, &Severity)| {
        OwnResult::new(Digest::of(&[u8::try_from(number).unwrap()]), *severity)
    };
    let says = case.lint.says();
    says.check = "dependencies".parse().unwrap();
    says.own = Some(OwnScan { results: found.iter().enumerate().map(result).collect(), ..clean() });
    case
}

#[test]
fn a_good_scan_is_allowed_and_each_finding_that_blocks_refused() {
    assert!(case(&[]).is_allowed(), "{:?}", case(&[]).refusals());
    assert!(lone(&[]).is_allowed(), "{:?}", lone(&[]).refusals());
    assert!(case(&[Severity::Low, Severity::Medium]).is_allowed());
    for severity in [Severity::High, Severity::Critical] {
        let refusals = case(&[Severity::Low, severity]).refusals();
        assert!(refusals.iter().all(|(_, _, code)| *code == Code::EvidenceFailed) && !refusals.is_empty());
    }
}

/// None of these lets a refused release through, alone.
#[test]
fn no_weakness_helps_a_scan_that_found_something() {
    for (what, weaken) in WEAKER {
        let mut case = case(&[Severity::Critical]);
        weaken(&mut case);
        assert!(!case.is_allowed(), "{what}");
    }
}

/// The case, with only the evidence that its environment asks for: what no gate looks at would be verified all the same.
fn lone(found: &[Severity]) -> Case {
    let mut case = case(found);
    (case.source.given, case.provenance.given) = (false, false);
    case.tests.clear();
    case
}

/// Where a mutation starts: what the scan found, and one weakness that it has already.
type Start = (&'static [Severity], usize);

/// Whether it is allowed. There are few starts and many mutations of each.
fn starts_allowed((found, weakness): Start) -> bool {
    static VERDICTS: Mutex<BTreeMap<Start, bool>> = Mutex::new(BTreeMap::new());
    *VERDICTS.lock().unwrap().entry((found, weakness)).or_insert_with(|| {
        let mut case = lone(found);
        WEAKER.get(weakness).iter().for_each(|(_, weaken)| weaken(&mut case));
        case.is_allowed()
    })
}

const FOUND: [&[Severity]; 5] =
    [&[], &[Severity::Low], &[Severity::High], &[Severity::Critical], &[Severity::Low, Severity::Critical]];

proptest! {
    // Two thousand mutations: a case costs two milliseconds, most of them for signatures.
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// A weaker scan is refused wherever the stronger one was, and a refusal says why.
    #[test]
    fn what_is_weaker_is_never_better(
        found in prop::sample::select(&FOUND[..]),
        first in 0..=WEAKER.len(),
        more in prop::collection::vec(prop::sample::select(WEAKER), 1..5),
    ) {
        let mut weaker = lone(found);
        WEAKER.get(first).into_iter().chain(&more).for_each(|(_, weaken)| weaken(&mut weaker));
        let decision = weaker.decide().predicate.decision;
        let allowed = decision.verdict == Verdict::Allow;
        let names: Vec<_> = WEAKER.get(first).into_iter().chain(&more).map(|(what, _)| *what).collect();
        prop_assert!(starts_allowed((found, first)) || !allowed, "{names:?}");
        prop_assert!(allowed || decision.reasons().next().is_some(), "{names:?}");
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// A bundle that was cut, or of which one bit was turned, is as good as none.
    #[test]
    fn a_damaged_statement_never_helps(cut in any::<prop::sample::Index>(), bit in 0u8..8, turn in any::<bool>()) {
        let case = lone(&[Severity::High]);
        let mut bundles = case.own_bundles();
        for bundle in &mut bundles {
            let at = cut.index(bundle.len());
            if turn { bundle[at] ^= 1 << bit } else { bundle.truncate(at) }
        }
        let inputs = case.gather_from(&bundles).unwrap();
        let decision = plimsoll_policy::decide(&inputs).unwrap().predicate.decision;
        prop_assert_ne!(decision.verdict, Verdict::Allow);
    }
}
