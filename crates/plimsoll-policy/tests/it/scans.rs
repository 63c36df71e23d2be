//! Scans by Plimsoll itself: which findings block, what counts as new, and why a scan that cannot be believed does not
//! pass. Each refusal stands beside the twin that is allowed.

use crate::{
    fixture::{Case, ENVIRONMENT, Said, before, environment, standing_at},
    keys::{pinned, sealed},
    samples::{self, time},
};
use plimsoll_attest::{
    predicate::{
        Scan,
        scan::{Coverage, Database, OwnResult, OwnScan},
    },
    verify,
};
use plimsoll_model::{Code, Digest, Role, RunId, ScanEngine, Severity};
use plimsoll_policy::{Standing, Summary};

pub(crate) fn result(what: &str, severity: Severity) -> OwnResult {
    OwnResult::new(Digest::of(what.as_bytes()), severity)
}

pub(crate) fn own(engine: ScanEngine, results: &[OwnResult]) -> OwnScan {
    OwnScan {
        engine,
        rules_digest: Digest::of(b"rules"),
        imported: None,
        database: None,
        coverage: Coverage { files: 12, bytes: 3400, packages: 0 },
        results: results.to_vec(),
        unlisted: 0,
        licenses: None,
    }
}

/// A case whose environment asks for a scan of ours, which said this.
pub(crate) fn case(require: &str, own: OwnScan) -> Case {
    let name = own.engine.as_str();
    let mut case = Case::good();
    case.files.insert(ENVIRONMENT.into(), environment(&format!("  scans: {{{name}: {require}}}\n")));
    let planned =
        case.run.says().planned.iter_mut().find(|planned| planned.check.as_str() == "lint").unwrap();
    planned.check = name.parse().unwrap();
    let says = case.lint.says();
    (says.check, says.own) = (name.parse().unwrap(), Some(own));
    case
}

/// Why the scan does not pass; none where it does.
pub(crate) fn refused(case: &Case) -> Option<Code> {
    let mut found = case.refusals().into_iter().map(|(gate, _, code)| {
        assert!(gate.starts_with("scans."), "{gate} {code}");
        code
    });
    found.next_back()
}

#[test]
fn a_finding_blocks_from_the_severity_on_that_the_environment_names() {
    use Severity::{Critical, High, Info, Low, Medium};
    for (block, passing, blocking) in [
        ("critical", &[High, Info][..], &[Critical][..]),
        ("high", &[Medium, Low, Info], &[Critical, High]),
        ("error", &[Medium], &[High]),
        ("medium", &[Low, Info], &[Critical, High, Medium]),
        ("low", &[], &[Critical, High, Medium, Low, Info]),
    ] {
        let judged = |severity| {
            refused(&case(&format!("{{block: {block}}}"), own(ScanEngine::Secrets, &[result("a", severity)])))
        };
        for severity in passing {
            assert_eq!(judged(*severity), None, "{block} {severity}");
        }
        for severity in blocking {
            assert_eq!(judged(*severity), Some(Code::EvidenceFailed), "{block} {severity}");
        }
    }
}

#[test]
fn a_scan_that_cannot_be_believed_does_not_pass() {
    type Change = fn(&mut Scan);
    let good = |_: &mut Scan| {};
    let cases: [(&str, Change, Option<Code>); 6] = [
        ("as it is", good, None),
        (
            "it looked at no file",
            |scan| scan.own.as_mut().unwrap().coverage.files = 0,
            Some(Code::EvidenceEmpty),
        ),
        ("a foreign tool under its name", |scan| scan.own = None, Some(Code::EvidenceSelf)),
        (
            "another scanner under its name",
            |scan| scan.own.as_mut().unwrap().engine = ScanEngine::Config,
            Some(Code::EvidenceSelf),
        ),
        ("more than it lists", |scan| scan.own.as_mut().unwrap().unlisted = 1, Some(Code::EvidenceFailed)),
        ("no rules", |scan| scan.rules = 0, Some(Code::EvidenceEmpty)),
    ];
    for (what, change, expect) in cases {
        let mut case = case("{block: high}", own(ScanEngine::Secrets, &[]));
        change(case.lint.says());
        assert_eq!(refused(&case), expect, "{what}");
    }
}

/// A31c: the project that is looked at cannot silence the scan, unless its environment lets it.
#[test]
fn comments_in_the_source_silence_only_what_the_environment_lets_them() {
    let allowed = OwnResult { suppressed: true, ..result("a", Severity::High) };
    let judged = |require| refused(&case(require, own(ScanEngine::Secrets, std::slice::from_ref(&allowed))));
    assert_eq!(judged("{block: high}"), Some(Code::EvidenceConfig));
    assert_eq!(judged("{block: high, comments: true}"), None);
    assert_eq!(judged("{block: critical}"), None);
}

/// A31d.
#[test]
fn old_data_passes_only_where_its_age_does_not_matter() {
    let judged = |require, updated: Option<&str>| {
        let mut own = own(ScanEngine::Dependencies, &[]);
        own.database = updated.map(|at| Database { digest: Digest::of(b"index"), updated: time(at) });
        refused(&case(require, own))
    };
    let asked = "{block: high, database-age: 24h}";
    let (fresh, old) = (Some("2026-01-02T03:04:05Z"), Some("2025-12-24T00:00:00Z"));
    assert_eq!(judged(asked, fresh), None);
    assert_eq!(judged(asked, old), Some(Code::EvidenceStale));
    assert_eq!(judged(asked, None), Some(Code::EvidenceStale));
    assert_eq!(judged("{block: high}", old), None);
}

/// A31c: rules decide what is found, so whoever imports others is seen.
#[test]
fn rules_that_the_environment_names_must_be_the_ones_that_were_imported() {
    let named = Digest::of(b"imported");
    let judged = |require: &str, imported: Option<Digest>| {
        let own = OwnScan { imported, ..own(ScanEngine::Secrets, &[]) };
        refused(&case(require, own))
    };
    let asked = format!("{{block: high, rules: \"{named}\"}}");
    assert_eq!(judged(&asked, Some(named)), None);
    assert_eq!(judged(&asked, Some(Digest::of(b"others"))), Some(Code::EvidenceRules));
    assert_eq!(judged(&asked, None), Some(Code::EvidenceRules));
    assert_eq!(judged("{block: high}", Some(named)), None);
}

/// The decision behind what runs here, about a run of its own.
fn running() -> (Vec<u8>, Standing, RunId) {
    let role = Role::Decision("production".parse().unwrap());
    let mut statement = verify::<Summary>(&before(), pinned().trust(), &role).unwrap().value().clone();
    let run: RunId = "0123456789abcdef".repeat(2).parse().unwrap();
    statement.predicate.decision.run = run.clone();
    let Summary { time_verified, input_attestations, decision, .. } = statement.predicate;
    let statement = decision.into_statement(time_verified, input_attestations);
    let digest = Digest::of(&statement.to_bytes().unwrap());
    (sealed("decision:production", &statement), standing_at((digest, 4)), run)
}

/// The scan of the release that runs here, as `by` signed it.
fn baseline(by: &'static str, results: &[OwnResult], run: RunId) -> Vec<u8> {
    let mut said = Said::new(by, samples::scan());
    let says = said.says();
    (says.check, says.own, says.run) =
        ("secrets".parse().unwrap(), Some(own(ScanEngine::Secrets, results)), run);
    sealed(by, &said.statement)
}

#[test]
fn only_what_the_running_release_did_not_have_is_new() {
    let old = result("old", Severity::High);
    let fresh = result("fresh", Severity::High);
    let judged = |require, found: &[OwnResult], extra: Vec<Vec<u8>>| {
        let mut case = case(require, own(ScanEngine::Secrets, found));
        case.context.standing = Some(running().1);
        case.extra.extend(extra);
        refused(&case)
    };
    let (decision, _, run) = running();
    let known = || vec![decision.clone(), baseline("scanner", std::slice::from_ref(&old), run.clone())];
    let (both, one) = ([old.clone(), fresh.clone()], [old.clone()]);
    assert_eq!(judged("{new: 0}", &one, known()), None);
    assert_eq!(judged("{new: 0}", &both, known()), Some(Code::EvidenceFailed));
    assert_eq!(judged("{new: 1}", &both, known()), None);
    assert_eq!(judged("{block: high}", &one, known()), Some(Code::EvidenceFailed), "old ones block too");
    // Nothing that says what was found before: everything is new.
    assert_eq!(judged("{new: 0}", &one, vec![]), Some(Code::EvidenceFailed));
    assert_eq!(judged("{new: 0}", &[], vec![]), None);
    // Neither a statement of another run nor one of another key is what was found before.
    let other: RunId = "f".repeat(32).parse().unwrap();
    let elsewhere = vec![decision.clone(), baseline("scanner", &one, other)];
    assert_eq!(judged("{new: 0}", &one, elsewhere), Some(Code::EvidenceFailed));
    let forged = vec![decision.clone(), baseline("builder", &one, run.clone())];
    assert_eq!(judged("{new: 0}", &one, forged), Some(Code::EvidenceFailed));
}

/// Whoever checks a decision offline finds in its dossier what was known before.
#[test]
fn a_decision_names_what_it_took_for_known() {
    let old = result("old", Severity::High);
    let mut case = case("{new: 0}", own(ScanEngine::Secrets, std::slice::from_ref(&old)));
    let (decision, standing, run) = running();
    case.context.standing = Some(standing.clone());
    case.extra.extend([decision, baseline("scanner", std::slice::from_ref(&old), run)]);
    let context = case.decide().predicate.decision.context;
    assert!(context.contains(&standing.decision), "{context:?}");
    assert_eq!(context.len(), 2);
}
