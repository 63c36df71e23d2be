//! The list of what an artifact is made of: what a signer makes of what the sandbox wrote. Files that name packages are
//! hostile, and so is whatever reads them.

use crate::{
    bench::{Bench, benign, with_evidence},
    memory::Act,
};
use plimsoll_attest::predicate::{Sbom, sbom::Aggregate};
use plimsoll_dependencies::{
    Inventory,
    sbom::{Bill, Subject},
};
use plimsoll_engine::{ports::Exit, run::Report};
use plimsoll_model::{Code, Digest, Outcome};

const LOCK: &[u8] = b"version = 4\n\n[[package]]\nname = \"itoa\"\nversion = \"1.0.1\"\n\
    source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";

fn bill() -> Bill {
    let mut inventory = Inventory::new();
    assert!(inventory.add("Cargo.lock", LOCK));
    Bill::of(Subject::default(), &inventory.finish())
}

/// The bill as JSON, with a change.
fn changed(from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(bill().to_json().unwrap()).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    text.replacen(from, to, 1).into_bytes()
}

/// Runs the pipeline; the sandbox that reads files leaves this.
fn run(left: Option<Vec<u8>>, exit: Exit) -> (Bench, Report) {
    let bench = Bench::with(&with_evidence("{scan: [sbom]}"));
    let sandbox = benign().when("/plimsoll", move |act: &mut Act<'_>| {
        assert_eq!(act.plan().argv[1..], ["__bill", "/src", "/artifact", "/plimsoll-report/bill.json"]);
        if let Some(left) = &left {
            act.write("report/bill.json", std::str::from_utf8(left).unwrap());
        }
        exit
    });
    let report = bench.run(&sandbox).unwrap();
    (bench, report)
}

#[test]
fn a_list_is_about_the_artifact_and_its_files_and_written_by_the_signer() {
    let (bench, report) = run(Some(bill().to_json().unwrap()), Exit::Status(0));
    assert!(report.passed(), "{:?}", report.reasons);
    let made = report.statements.iter().find(|made| made.name == "sbom").unwrap();
    let statement = bench.read::<Sbom>(&made.signed, "scanner");
    let artifact = report.artifact.as_ref().unwrap();
    let subjects: Vec<Digest> = statement.subject.iter().map(|subject| subject.sha256()).collect();
    assert_eq!(subjects, [artifact.manifest, artifact.files[0].digest]);
    let list = statement.predicate;
    assert_eq!(list.completeness(), Aggregate::Complete);
    assert_eq!((list.metadata.component.name.as_str(), list.components.len()), ("shop", 1));
    assert_eq!(list.metadata.component.version, report_commit(&bench));
    assert_eq!(list.components[0].property("plimsoll:fetched-by-build"), Some("false"));
    let program = Digest::of(&std::fs::read("/proc/self/exe").unwrap());
    assert_eq!(list.metadata.tools.components[0].hashes[0].content, program.hex());
}

fn report_commit(bench: &Bench) -> String {
    bench.open(1).commit.to_string()
}

/// None of these becomes a list, not even one that says that it lacks something.
#[test]
fn what_is_no_well_formed_list_is_not_signed() {
    let whole = bill().to_json().unwrap();
    let cases: [(&str, Option<Vec<u8>>, Exit, Code); 9] = [
        ("none", None, Exit::Status(0), Code::EvidenceParse),
        ("cut off", Some(whole[..whole.len() - 2].to_vec()), Exit::Status(0), Code::EvidenceParse),
        (
            "another form",
            Some(b"{\"bomFormat\":\"CycloneDX\"}".to_vec()),
            Exit::Status(0),
            Code::EvidenceParse,
        ),
        ("more than there is", Some(changed("{", "{\"more\":1,")), Exit::Status(0), Code::EvidenceParse),
        (
            "an edge to what is not listed",
            Some(changed("\"edges\":[]", "\"edges\":[[\"pkg:cargo/itoa@1.0.1\",\"pkg:cargo/x@1\"]]")),
            Exit::Status(0),
            Code::EvidenceParse,
        ),
        (
            "under another name",
            Some(changed("\"reference\":\"pkg:cargo/itoa", "\"reference\":\"pkg:cargo/other")),
            Exit::Status(0),
            Code::EvidenceParse,
        ),
        (
            "a control character",
            Some(changed("\"version\":\"1.0.1\"", "\"version\":\"1.0.1\\u001b[2J\"")),
            Exit::Status(0),
            Code::EvidenceParse,
        ),
        ("it ended badly", Some(whole.clone()), Exit::Status(3), Code::EvidenceErrored),
        ("it took too long", Some(whole), Exit::TimedOut, Code::EvidenceErrored),
    ];
    for (what, left, exit, code) in cases {
        let (_, report) = run(left, exit);
        assert_eq!(report.checks, [("sbom".to_owned(), Outcome::Errored)], "{what}");
        assert!(report.reasons.iter().any(|reason| reason.code == code), "{what}: {:?}", report.reasons);
        assert!(report.statements.iter().all(|made| made.name != "sbom"), "{what}");
    }
}
