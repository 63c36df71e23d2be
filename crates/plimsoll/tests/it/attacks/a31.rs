//! A31: evidence that is empty, stale, silenced, of something else, or says of itself that all is well; of scans by Plimsoll
//! and of foreign scanners. [`VARIANTS`] says where each is shown for either.

use super::{CLEAN, adapted, adapter, require_of, scanned, scanned_with, tests, writes};
use crate::{
    advisories::{lock, record},
    service::{EXECUTABLE, Shop, service_pipeline},
};
use plimsoll_model::Digest;
use std::{collections::BTreeSet, fs};

const SAFE: &str = "FROM scratch\nCOPY out/service /service\nUSER 10001:10001\nENTRYPOINT [\"/service\"]\n";
const SILENCED: &str = "FROM scratch\nCOPY out/service /service\n\
    # plimsoll:allow config/dockerfile-secret-in-env nothing to see\n\
    ENV API_TOKEN=tr0ub4dor\nUSER 10001:10001\nENTRYPOINT [\"/service\"]\n";

/// Where a variant is shown.
enum Shown {
    /// By these attacks.
    By(&'static [&'static str]),
    /// Nowhere among these, and why.
    Not(&'static str),
}

use Shown::{By, Not};

/// Each variant for scans by Plimsoll and for foreign scanners.
const VARIANTS: &[(char, Shown, Shown)] = &[
    (
        'a',
        By(&["a31a_a_machine_without_rules_says_nothing"]),
        By(&["a31a_an_empty_report_says_nothing", "a31a_a_scan_that_did_not_come_to_its_end_says_nothing"]),
    ),
    (
        'b',
        By(&["a31b_a_scan_that_knows_none_of_the_files_is_no_clean_one"]),
        By(&["a31b_a_foreign_scanner_that_knows_none_of_the_files_is_no_clean_one"]),
    ),
    (
        'c',
        By(&["a31c_a_comment_in_the_source_silences_nothing"]),
        By(&[
            "a31c_what_a_foreign_scanner_suppresses_counts_as_found",
            "a31c_a_file_of_the_project_configures_no_foreign_scanner",
        ]),
    ),
    (
        'd',
        By(&["a31d_old_advisories_find_nothing_new"]),
        Not(
            "the data of a foreign scanner has a digest and no date that anybody vouches for, so no age is asked for",
        ),
    ),
    (
        'e',
        By(&["a31e_another_program_than_the_environment_names"]),
        By(&["a31e_another_manifest_than_the_environment_names"]),
    ),
    (
        'f',
        Not("a report of ours names no subject: the signer derives it from commit and artifact"),
        By(&["a13h_a_report_about_another_revision"]),
    ),
    ('g', By(&["a31g_a_scan_of_ours_takes_no_flag"]), By(&["a31g_a_flag_of_the_pipeline_passes_nothing"])),
    (
        'h',
        Not(
            "our scanner writes it; what one that was taken over writes is read by the same reader, in plimsoll-engine's own_scans",
        ),
        By(&["a31h_a_report_with_a_key_twice_or_cut_off_is_not_read"]),
    ),
];

#[test]
fn every_variant_of_a31_is_shown_for_both_kinds_of_scan_or_says_why_not() {
    let known = tests();
    let letters: String = VARIANTS.iter().map(|(letter, ..)| letter).collect();
    assert_eq!(letters, "abcdefgh");
    for shown in VARIANTS.iter().flat_map(|(_, own, foreign)| [own, foreign]) {
        match shown {
            By(tests) => tests.iter().for_each(|test| assert!(known.contains(test), "there is no {test}")),
            Not(why) => assert!(why.len() > 20, "{why}"),
        }
    }
    let shown = VARIANTS.iter().flat_map(|(_, own, foreign)| [own, foreign]);
    let named: BTreeSet<&str> =
        shown.flat_map(|shown| if let By(tests) = shown { *tests } else { &[] }).copied().collect();
    let of_table = super::ATTACKS.iter().filter(|attack| attack.id == "A31").map(|attack| attack.test);
    assert!(
        of_table.clone().all(|test| named.contains(test)),
        "the table has more: {:?}",
        of_table.collect::<Vec<_>>()
    );
}

/// A foreign scanner that prints what it is given as its report.
const MINE: &str = "version: 1
name: mine
about: reports that somebody wrote down
tool: {executable: cat, install: apt-get install coreutils}
input: {kind: source, files: [\"*.lint\"]}
arguments: [\"{files}\"]
report: {format: sarif, at: stdout}
";

/// A shop with that scanner, whose environment asks this of it; its report is this file.
pub(super) fn described(report: Option<&str>, require: &str) -> Shop {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*EXECUTABLE);
        let evidence = "  - {adapter: mine, manifest: mine.yaml}\n";
        world.repository.write("plimsoll.yaml", service_pipeline() + evidence);
        world.repository.write("mine.yaml", MINE);
        report.iter().for_each(|report| world.repository.write("a.lint", report));
    });
    require_of(&shop, "mine", require);
    shop
}

/// A shop with this Dockerfile, whose environment asks this of the scan of its configuration.
fn configured(dockerfile: &str, evidence: &str) -> Shop {
    Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*EXECUTABLE);
        world.repository.write("plimsoll.yaml", service_pipeline() + "  - {scan: [config]}\n" + evidence);
        world.repository.write("Dockerfile", dockerfile);
    })
}

#[test]
fn a31_evidence_that_is_whole_passes() {
    let shop = configured(SAFE, &adapter(&writes(CLEAN), ""));
    shop.world.json(&["run"]).ok();
    shop.promote().ok();
    assert_eq!(shop.answer().as_deref(), Some("v1"));
}

#[test]
fn a31a_an_empty_report_says_nothing() {
    for report in [
        r#"{"version":"2.1.0","runs":[]}"#.to_owned(),
        CLEAN.replace(r#"[{"id":"a"}]"#, "[]"),
        CLEAN.replace(r#","results":[]"#, ""),
        CLEAN.replace(r#""results":[]"#, r#""results":[],"artifacts":[]"#),
    ] {
        let shop = scanned(&writes(&report));
        shop.json(&["run"]).ended(1).refused(&["E-EVIDENCE-EMPTY"]);
    }
}

/// It has nothing to say, since it broke off.
#[test]
fn a31a_a_scan_that_did_not_come_to_its_end_says_nothing() {
    let broken = CLEAN.replace("\"results\"", r#""invocations":[{"executionSuccessful":false}],"results""#);
    scanned(&writes(&broken)).json(&["run"]).ended(1).refused(&["E-EVIDENCE-ERRORED"]);
}

/// Rules for malware are the machine's, and this one has none.
#[test]
fn a31a_a_machine_without_rules_says_nothing() {
    let shop = malware();
    shop.world.json(&["run"]).ended(1).refused(&["E-EVIDENCE-EMPTY"]);
    shop.promote().ended(1).refused(&["E-EVIDENCE-EMPTY"]);
}

#[test]
fn a31a_a_machine_with_rules_is_believed() {
    let shop = malware();
    let rules = b"rule worm {\n  strings:\n    $a = \"evil.example\"\n  condition:\n    $a\n}\n";
    let rules = shop.world.scratch("own.yar", rules);
    shop.world.json(&["rules", "import", rules.to_str().unwrap()]).ok();
    shop.world.json(&["run"]).ok();
    shop.promote().ok();
}

fn malware() -> Shop {
    Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*EXECUTABLE);
        world.repository.write("plimsoll.yaml", service_pipeline() + "  - {scan: [malware]}\n");
    })
}

#[test]
fn a31b_a_foreign_scanner_that_knows_none_of_the_files_is_no_clean_one() {
    let shop = described(None, "{block: high}");
    shop.world.json(&["run"]).ended(1).refused(&["E-EVIDENCE-EMPTY"]);
    shop.promote().ended(1).refused(&["E-EVIDENCE-MISSING"]);
}

#[test]
fn a31_a_foreign_scanner_behind_a_manifest_that_found_nothing_passes() {
    let shop = described(Some(CLEAN), "{block: high}");
    shop.world.json(&["run"]).ok();
    shop.promote().ok();
}

/// The scan is ours, and there is nothing that it knows how to read.
#[test]
fn a31b_a_scan_that_knows_none_of_the_files_is_no_clean_one() {
    let shop = configured(SAFE, "");
    fs::remove_file(shop.world.repository.path().join("Dockerfile")).unwrap();
    shop.commit_version("v2");
    shop.world.json(&["run"]).ended(1).refused(&["E-EVIDENCE-EMPTY"]);
    shop.promote().ended(1).refused(&["E-EVIDENCE-EMPTY"]);
}

#[test]
fn a31c_a_comment_in_the_source_silences_nothing() {
    let shop = configured(SILENCED, "");
    shop.world.json(&["run"]).ok();
    shop.promote().ended(1).refused(&["E-EVIDENCE-CONFIG"]);
    assert_eq!(shop.answer(), None);
}

#[test]
fn a31c_comments_count_where_the_environment_says_so() {
    let shop = configured(SILENCED, "");
    require_of(&shop, "config", "{block: high, comments: true}");
    shop.world.json(&["run"]).ok();
    shop.promote().ok();
}

/// The file need not say anything: what a tool makes of it nobody knows.
#[test]
fn a31c_a_file_of_the_project_configures_no_foreign_scanner() {
    let shop = described(Some(CLEAN), "{block: high}");
    let manifest = MINE.replace("files: ", "refuses: [.lintignore], files: ");
    shop.world.repository.write("mine.yaml", manifest);
    shop.commit_version("v2");
    shop.world.json(&["run"]).ok();
    for path in [".lintignore", "deep/er/.lintignore"] {
        shop.world.repository.write(path, "everything\n");
        shop.commit_version(path);
        let refused = shop.world.json(&["run"]).ended(1).refused(&["E-ADAPTER-CONFIG"]);
        assert_eq!(refused.parameter("E-ADAPTER-CONFIG", "path"), path);
        shop.world.repository.remove(path);
    }
}

const SUPPRESSED: &str = r#""results":[{"ruleId":"a","level":"error","message":{"text":"x"},"suppressions":[{"kind":"inSource"}]}]"#;

#[test]
fn a31c_what_a_foreign_scanner_suppresses_counts_as_found() {
    let shop = described(Some(&CLEAN.replace("\"results\":[]", SUPPRESSED)), "{block: high}");
    shop.world.json(&["run"]).ok();
    shop.promote().ended(1).refused(&["E-EVIDENCE-CONFIG"]);
    assert_eq!(shop.answer(), None);
}

#[test]
fn a31c_what_it_suppresses_passes_where_the_environment_says_so() {
    let shop = described(Some(&CLEAN.replace("\"results\":[]", SUPPRESSED)), "{block: high, comments: true}");
    shop.world.json(&["run"]).ok();
    shop.promote().ok();
}

/// Another version of Plimsoll looked, with fewer rules.
#[test]
fn a31e_another_program_than_the_environment_names() {
    let shop = configured(SAFE, "");
    let other = Digest::of(b"the program that somebody looked at");
    require_of(&shop, "config", &format!("{{block: high, tool: \"{other}\"}}"));
    shop.world.json(&["run"]).ok();
    shop.promote().ended(1).refused(&["E-EVIDENCE-TOOL"]);
    assert_eq!(shop.answer(), None);
}

#[test]
fn a31e_the_program_that_the_environment_names_passes() {
    let shop = configured(SAFE, "");
    let own = Digest::of(&fs::read(env!("CARGO_BIN_EXE_plimsoll")).unwrap());
    require_of(&shop, "config", &format!("{{block: high, tool: \"{own}\"}}"));
    shop.world.json(&["run"]).ok();
    shop.promote().ok();
}

/// The project describes a scanner that finds nothing, under the name of one that does.
#[test]
fn a31e_another_manifest_than_the_environment_names() {
    let looked_at = Digest::of(b"the manifest that somebody looked at");
    for named in ["ready".to_owned(), format!("\"{looked_at}\"")] {
        let shop = described(Some(CLEAN), &format!("{{block: high, manifest: {named}}}"));
        shop.world.json(&["run"]).ok();
        shop.promote().ended(1).refused(&["E-EVIDENCE-TOOL"]);
    }
}

#[test]
fn a31e_the_manifest_that_the_environment_names_passes() {
    let shop = described(Some(CLEAN), "{block: high}");
    let shown = shop.world.repository.path().join("mine.yaml");
    let shown = shop.world.json(&["adapter", "show", shown.to_str().unwrap()]).ok().value();
    require_of(&shop, "mine", &format!("{{block: high, manifest: {}}}", shown["digest"]));
    shop.world.json(&["run"]).ok();
    shop.promote().ok();
}

/// A shop without a known weakness, by advisories of 2023.
fn known(require: &str) -> Shop {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*EXECUTABLE);
        world.repository.write("plimsoll.yaml", service_pipeline() + "  - {scan: [dependencies]}\n");
        world.repository.write("Cargo.lock", lock("1.6.1"));
    });
    require_of(&shop, "dependencies", require);
    let records = shop.world.scratch("records", b"").with_file_name("osv");
    fs::create_dir(&records).unwrap();
    let record = record("RUSTSEC-2021-0003", "2023-06-13T13:10:24Z", "1.6.1");
    fs::write(records.join("RUSTSEC-2021-0003.json"), record).unwrap();
    shop.world.json(&["advisories", "import", records.to_str().unwrap()]).ok();
    shop.world.json(&["run"]).ok();
    shop
}

#[test]
fn a31d_old_advisories_find_nothing_new() {
    known("{block: high, database-age: 24h}").promote().ended(1).refused(&["E-EVIDENCE-STALE"]);
}

#[test]
fn a31d_old_advisories_pass_where_their_age_does_not_matter() {
    known("{block: critical}").promote().ok();
}

/// Neither the report nor the pipeline says whether a scan passed: the exit status and the findings do, as the signer
/// reads them. And no adapter is called as a scanner of ours is.
#[test]
fn a31g_a_flag_of_the_pipeline_passes_nothing() {
    let flag = r#""invocations":[{"executionSuccessful":true,"exitCode":0}],"properties":{"passed":true,"compliant":true},"results""#;
    let claims = CLEAN.replace("\"results\"", flag);
    scanned(&format!("{}\nexit 1", writes(&claims))).json(&["run"]).ended(1).refused(&["E-EVIDENCE-SELF"]);
    let error = r#""results":[{"ruleId":"a","level":"error","kind":"pass","message":{"text":"x"}}]"#;
    let claims = claims.replace("\"results\":[]", error);
    let ran = scanned_with(&writes(&claims), "    env: {COMPLIANT: \"true\"}\n").json(&["run"]).ended(1);
    ran.refused(&["E-EVIDENCE-FAILED"]);
    for name in ["secrets", "config", "dependencies"] {
        let pipeline =
            service_pipeline() + &adapter(&writes(CLEAN), "").replace("lint\n", &format!("{name}\n"));
        let world = crate::world::World::new(&pipeline);
        let ran = world.json(&["run"]);
        assert_ne!(ran.status, 0, "{name}: {ran:#?}");
    }
}

#[test]
fn a31h_a_report_with_a_key_twice_or_cut_off_is_not_read() {
    let finding = r#"{"ruleId":"a","level":"error","message":{"text":"x"}}"#;
    let twice = CLEAN.replace("\"results\":[]", &format!("\"results\":[{finding}],\"results\":[]"));
    for report in [twice, CLEAN[..CLEAN.len() - 2].to_owned(), format!("{CLEAN}{CLEAN}"), String::new()] {
        scanned(&writes(&report)).json(&["run"]).ended(1).refused(&["E-EVIDENCE-PARSE"]);
    }
    let shop = adapted("true", "{block: error}");
    shop.world.json(&["run"]).ended(1).refused(&["E-EVIDENCE-PARSE"]);
    shop.promote().ended(1).refused(&["E-EVIDENCE-PARSE"]);
}

/// Nothing beside a scan of ours in the pipeline says how it ends, and the secret stays one.
#[test]
fn a31g_a_scan_of_ours_takes_no_flag() {
    for flag in
        ["passed: true", "run: \"true\"", "env: {COMPLIANT: \"true\"}", "report: {sarif: clean.sarif}"]
    {
        let pipeline = service_pipeline() + &format!("  - {{scan: [config], {flag}}}\n");
        let world = crate::world::World::new(&pipeline);
        world.json(&["run"]).ended(2).refused(&["E-FILE-INVALID"]);
    }
    let secret = SAFE.replace("USER", "ENV API_TOKEN=tr0ub4dor COMPLIANT=true\nUSER");
    let shop = configured(&secret, "");
    shop.world.repository.write("scan.sarif", CLEAN);
    shop.commit_version("v2");
    shop.world.json(&["run"]).ok();
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
}
