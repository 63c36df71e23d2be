//! A31: evidence that is empty, stale, silenced, of something else, or says of itself that all is well. Variants e and f
//! are those of A13 g and h: a tool that nobody listed, and a report about another subject.

use super::{CLEAN, adapted, adapter, require_of, scanned, scanned_with, writes};
use crate::{
    advisories::{lock, record},
    service::{EXECUTABLE, Shop, service_pipeline},
};
use std::fs;

const SAFE: &str = "FROM scratch\nCOPY out/service /service\nUSER 10001:10001\nENTRYPOINT [\"/service\"]\n";
const SILENCED: &str = "FROM scratch\nCOPY out/service /service\n\
    # plimsoll:allow config/dockerfile-secret-in-env nothing to see\n\
    ENV API_TOKEN=tr0ub4dor\nUSER 10001:10001\nENTRYPOINT [\"/service\"]\n";

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
