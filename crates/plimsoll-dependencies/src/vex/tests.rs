//! The three formats say the same, and OpenVEX that is written is read again.

use super::*;
use proptest::prelude::*;

const OPENVEX: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"doc-1","author":"us","timestamp":"2026-01-01T00:00:00Z",
  "version":1,"statements":[
    {"vulnerability":{"name":"CVE-2024-1","aliases":["GHSA-x"]},"products":[{"@id":"pkg:npm/%40a/b@1.0.0"}],
     "status":"not_affected","justification":"vulnerable_code_not_in_execute_path"},
    {"vulnerability":{"name":"CVE-2024-2"},"status":"under_investigation",
     "products":[{"@id":"pkg:oci/shop","subcomponents":[{"@id":"x","identifiers":{"purl":"pkg:npm/c@2.0.0"}}]}]}]}"#;

const CSAF: &str = r#"{"document":{"csaf_version":"2.0","category":"csaf_vex","tracking":{"id":"doc-2"}},
  "product_tree":{"branches":[{"name":"a","category":"vendor","branches":[{"name":"b","category":"product_version","product":
    {"name":"b 1","product_id":"P1","product_identification_helper":{"purl":"pkg:npm/%40a/b@1.0.0"}}}]}],
    "full_product_names":[{"name":"x","product_id":"P2"}]},
  "vulnerabilities":[{"cve":"CVE-2024-1","flags":[{"label":"component_not_present","product_ids":["P1"]}],
    "product_status":{"known_not_affected":["P1","P2"],"recommended":["P1"]}}]}"#;

const CYCLONEDX: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":"urn:uuid:1",
  "components":[{"type":"library","name":"a","components":[{"type":"library","name":"b","bom-ref":"ref-b","purl":"pkg:npm/@a/b@1.0.0"}]}],
  "vulnerabilities":[
    {"id":"CVE-2024-1","references":[{"id":"GHSA-x"}],"analysis":{"state":"false_positive","detail":"no"},"affects":[{"ref":"ref-b"}]},
    {"id":"CVE-2024-2","analysis":{"state":"resolved"},"affects":[{"ref":"pkg:npm/c@2.0.0"},{"ref":"urn:cdx:1/1#pkg:npm/d@1"},{"ref":"unknown"}]},
    {"id":"CVE-2024-3","affects":[{"ref":"ref-b"}]}]}"#;

fn shown(text: &str) -> Vec<(String, String, Status)> {
    let statements = read(text.as_bytes()).unwrap().into_iter();
    statements
        .map(|one| (one.vulnerabilities.join(" "), one.component.unwrap_or(one.product), one.status))
        .collect()
}

fn row(names: &str, purl: &str, status: Status) -> (String, String, Status) {
    (names.to_owned(), purl.to_owned(), status)
}

#[test]
fn statements_are_read_from_all_three_formats() {
    let expect = [
        row("CVE-2024-1 GHSA-x", "pkg:npm/%40a/b@1.0.0", Status::NotAffected),
        row("CVE-2024-2", "pkg:npm/c@2.0.0", Status::UnderInvestigation),
    ];
    assert_eq!(shown(OPENVEX), expect);
    assert_eq!(shown(CSAF), [row("CVE-2024-1", "pkg:npm/%40a/b@1.0.0", Status::NotAffected)]);
    let expect = [
        row("CVE-2024-1 GHSA-x", "pkg:npm/@a/b@1.0.0", Status::NotAffected),
        row("CVE-2024-2", "pkg:npm/c@2.0.0", Status::Fixed),
        row("CVE-2024-2", "pkg:npm/d@1", Status::Fixed),
    ];
    assert_eq!(shown(CYCLONEDX), expect);
    for text in [OPENVEX, CSAF, CYCLONEDX] {
        let statement = &read(text.as_bytes()).unwrap()[0];
        assert!(statement.clears(&["GHSA-y", "CVE-2024-1"], "pkg:npm/%40a/b@1.0.0", None), "{statement:?}");
        assert!(!statement.clears(&["CVE-2024-1"], "pkg:npm/%40a/b@1.0.1", None));
    }
}

#[test]
fn what_is_none_of_the_three_is_refused() {
    assert_eq!(read(b"{}"), Err(VexError::Unknown));
    assert_eq!(read(br#"{"bomFormat":"SPDX"}"#), Err(VexError::Unknown));
    for bad in
        [&OPENVEX[..100], "", "[", &OPENVEX.replace("not_affected", "fine"), &CSAF.replace("\"P1\",", "1,")]
    {
        assert!(matches!(read(bad.as_bytes()), Err(VexError::Malformed(_))), "{bad}");
    }
    assert_eq!(read(&vec![b' '; MAX_BYTES + 1]), Err(VexError::TooLarge));
    let products = vec![r#"{"@id":"pkg:npm/c"}"#; MAX_STATEMENTS + 1].join(",");
    let many = OPENVEX.replace(r#"{"@id":"pkg:npm/%40a/b@1.0.0"}"#, &products);
    assert_eq!(read(many.as_bytes()), Err(VexError::TooLarge));
}

#[test]
fn what_is_written_is_read_again_and_says_the_same() {
    let outgoing = |status, justification: Option<&str>| Outgoing {
        names: vec!["GHSA-x".into(), "CVE-2024-1".into()],
        package: "pkg:npm/%40a/b@1.0.0".into(),
        status,
        justification: justification.map(str::to_owned),
        reason: "nothing calls it".into(),
    };
    let all = [
        outgoing(Status::NotAffected, Some("vulnerable_code_not_in_execute_path")),
        outgoing(Status::Fixed, None),
        outgoing(Status::Affected, None),
        outgoing(Status::UnderInvestigation, None),
    ];
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    for written in [write_openvex(&all, "us", now), write_cyclonedx(&all, "us", now)] {
        let again = read(written.to_string().as_bytes()).unwrap();
        let statuses: Vec<_> = again.iter().map(|one| one.status).collect();
        assert_eq!(statuses, all.each_ref().map(|one| one.status));
        assert!(again[0].clears(&["CVE-2024-1"], "pkg:npm/%40a/b@1.0.0", None), "{written}");
        assert!(again[0].reason.contains("nothing calls it"));
    }
}

fn statement(status: Status, product: &str, component: Option<&str>) -> Statement {
    Statement {
        vulnerabilities: vec!["CVE-2024-1".into()],
        product: product.into(),
        component: component.map(str::to_owned),
        status,
        reason: String::new(),
        document: "doc".into(),
    }
}

#[test]
fn statements_together_clear_only_what_they_name_and_agree_on() {
    use Status::{Affected, Fixed, NotAffected, UnderInvestigation};
    const B: &str = "pkg:npm/b@1.0.0";
    let check = |statements: &[Statement], expect: &str| {
        let shop = Some("pkg:oci/shop@sha256:00");
        let said = match said(statements.iter(), &["GHSA-x", "cve-2024-1"], B, shop) {
            Said::Nothing => "nothing",
            Said::Clears(_) => "clears",
            Said::Disputed => "disputed",
        };
        assert_eq!(said, expect, "{statements:?}");
    };
    let of = |status| statement(status, B, None);
    check(&[], "nothing");
    check(&[of(NotAffected)], "clears");
    check(&[of(Fixed), of(NotAffected)], "clears");
    check(&[of(Affected)], "nothing");
    check(&[of(NotAffected), of(Affected)], "disputed");
    check(&[of(UnderInvestigation), of(Fixed)], "disputed");
    check(&[of(NotAffected), statement(Affected, "pkg:npm/b", None)], "disputed");
    check(&[statement(NotAffected, "pkg:npm/b", None)], "nothing");
    check(&[statement(NotAffected, "pkg:npm/b@1.0.1", None)], "nothing");
    check(&[statement(NotAffected, "pkg:npm/c@1.0.0", None)], "nothing");
    check(&[statement(NotAffected, "pkg:oci/shop", Some(B))], "clears");
    check(&[statement(NotAffected, "pkg:oci/shop@sha256%3A00", Some(B))], "clears");
    check(&[statement(NotAffected, "pkg:oci/shop@sha256:01", Some(B))], "nothing");
    check(&[statement(NotAffected, "pkg:oci/other", Some(B))], "nothing");
}

proptest! {
    #[test]
    fn a_damaged_document_is_read_or_refused(at in 0_usize..700, byte in any::<u8>(), bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = read(&bytes);
        for text in [OPENVEX, CSAF, CYCLONEDX] {
            let mut bytes = text.as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = read(&bytes);
        }
    }

    #[test]
    fn no_package_url_is_too_strange_to_be_compared(stated in "\\PC{0,40}", purl in "(pkg:)?[a-z@/%#?0-9]{0,30}") {
        let _ = covers(&stated, &purl);
        prop_assert!(!purl.starts_with("pkg:") || covers(&purl, &purl));
    }
}
