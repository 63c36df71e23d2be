//! What is read of a record, and what becomes of records that are strange.

use super::{archive::ArchiveError, priority::Priorities, *};
use proptest::prelude::*;
use std::io::{Cursor, Write as _};

const RECORD: &str = r###"{
  "id": "RUSTSEC-2023-0022", "modified": "2023-06-13T13:10:24Z", "aliases": ["GHSA-3gxf-9r58-2ghg"],
  "summary": "# not thread safe\nmore", "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
  "affected": [{"package": {"ecosystem": "crates.io", "name": "openssl"},
    "ranges": [{"type": "SEMVER", "events": [{"introduced": "0.0.0-0"}, {"fixed": "0.10.48"}]},
               {"type": "GIT", "repo": "https://example.com", "events": [{"introduced": "0"}]}],
    "versions": null}]
}"###;

fn record(text: &str) -> Record {
    Record::read("a.json", text.as_bytes()).unwrap()
}

#[test]
fn a_record_is_reduced_to_what_decides() {
    let record = record(RECORD);
    assert_eq!(record.aliases, ["GHSA-3gxf-9r58-2ghg"]);
    assert_eq!((record.summary.as_str(), record.severity), ("not thread safe", Some(Severity::Critical)));
    let [affected] = record.affected.as_slice() else { panic!("{record:?}") };
    assert_eq!((affected.name.as_str(), affected.kind), ("openssl", Kind::Vulnerable));
    let [range] = affected.ranges.as_slice() else { panic!("commits are no versions") };
    let interval = Interval { from: Some("0.0.0-0".into()), to: End::Before("0.10.48".into()), limit: None };
    assert_eq!(intervals(Scheme::Semver, range), Some(vec![interval]));
}

#[test]
fn a_record_in_yaml_is_the_same_record() {
    let value: serde_json::Value = serde_json::from_str(RECORD).unwrap();
    let yaml = serde_saphyr::to_string(&value).unwrap();
    assert_eq!(Record::read("a.yaml", yaml.as_bytes()), Ok(record(RECORD)));
}

#[test]
fn the_kind_of_a_warning_is_that_of_its_database() {
    let check = |from: &str, to: &str, expect| {
        let record = record(&RECORD.replacen(from, to, 1));
        assert_eq!(record.affected[0].kind, expect, "{to}");
    };
    let specific =
        |word: &str| format!(r#""affected": [{{"database_specific": {{"informational": {word}}}, "#);
    check(r#""affected": [{"#, &specific("\"unsound\""), Kind::Unsound);
    check(r#""affected": [{"#, &specific("\"unmaintained\""), Kind::Unmaintained);
    check(r#""affected": [{"#, &specific("\"notice\""), Kind::Notice);
    check(r#""affected": [{"#, &specific("null"), Kind::Vulnerable);
    check("GHSA-3gxf-9r58-2ghg", "MAL-2024-1", Kind::Malicious);
    check("RUSTSEC-2023-0022", "MAL-2024-1", Kind::Malicious);
}

#[test]
fn severity_is_the_worst_vector_or_else_the_word() {
    let check = |score: &str, word: &str, expect| {
        let text = format!(
            r#"{{"id":"A-1","modified":"2024-01-01T00:00:00Z","severity":[{{"type":"X","score":"{score}"}}],
                "database_specific":{{"severity":"{word}"}}}}"#
        );
        assert_eq!(record(&text).severity, expect, "{score} {word}");
    };
    check("CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", "CRITICAL", Some(Severity::Low));
    check("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", "", Some(Severity::Critical));
    check("AV:N/AC:L/Au:N/C:P/I:P/A:P", "", Some(Severity::High));
    check("7.5", "MODERATE", Some(Severity::Medium));
    check("", "unclear", None);
}

#[test]
fn what_is_no_record_is_told_from_what_is_a_broken_one() {
    let check = |file, text: &str, expect: fn(&RecordError) -> bool| {
        let error = Record::read(file, text.as_bytes()).unwrap_err();
        assert!(expect(&error), "{text}: {error:?}");
    };
    let other = |error: &RecordError| *error == RecordError::NotARecord;
    let broken = |error: &RecordError| matches!(error, RecordError::Malformed(_));
    check("a.json", "[]", other);
    check("a.json", r#"{"name": "a schema"}"#, other);
    check("a.yaml", "on: push\njobs: {}\n", other);
    check("a.json", r#"{"id": "A-1", "modified": "yesterday"}"#, broken);
    check("a.json", r#"{"id": "A 1", "modified": "2024-01-01T00:00:00Z"}"#, broken);
    check("a.json", r#"{"id": "A-1", "modified": "2024-01-01T00:00:00Z", "affected": 3}"#, broken);
    check("a.json", &RECORD[..RECORD.len() / 2], broken);
    check("a.json", &"[".repeat(100_000), other);
    check("a.json", &format!("{{\"id\":{}", "[".repeat(100_000)), broken);
    check("a.yaml", &format!("id: A\nmodified: {}", "[".repeat(100_000)), broken);
    check("a.json", &" ".repeat(MAX_RECORD + 1), |error| *error == RecordError::TooLarge);
    let many = vec![r#"{"fixed":"1"}"#; MAX_ENTRIES + 1].join(",");
    check("a.json", &RECORD.replace(r#"{"fixed": "0.10.48"}"#, &many), |error| {
        *error == RecordError::TooMany("events")
    });
}

/// A billion laughs: each line names the one before it ten times.
#[test]
fn aliases_of_yaml_do_not_multiply() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for at in 1..12 {
        text.push_str(&format!("a{at}: &a{at} [{}]\n", vec![format!("*a{}", at - 1); 10].join(", ")));
    }
    text.push_str("id: A-1\nmodified: 2024-01-01T00:00:00Z\naliases: *a11\n");
    assert!(Record::read("a.yaml", text.as_bytes()).is_err());
}

#[test]
fn a_range_is_the_intervals_between_its_events() {
    let check = |events: &[(&str, &str)], limits: &[&str], expect: &[(&str, &str)]| {
        let event = |(kind, at): &(&str, &str)| match *kind {
            "introduced" => Event::Introduced((*at).into()),
            "fixed" => Event::Fixed((*at).into()),
            _ => Event::LastAffected((*at).into()),
        };
        let limits: Vec<String> = limits.iter().map(|&limit| limit.into()).collect();
        let range = Range { events: events.iter().map(event).collect(), limits };
        let shown = intervals(Scheme::Semver, &range).unwrap().into_iter().map(|interval| {
            let to = match interval.to {
                End::Open => "-".to_owned(),
                End::Before(end) => format!("<{end}"),
                End::With(end) => format!("<={end}"),
            };
            let limit = interval.limit.map(|limit| format!(" limit {limit}")).unwrap_or_default();
            (interval.from.unwrap_or_default(), to + &limit)
        });
        let expect: Vec<_> = expect.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
        assert_eq!(shown.collect::<Vec<_>>(), expect);
    };
    check(&[("introduced", "0")], &[], &[("", "-")]);
    check(&[("fixed", "1.2.0"), ("introduced", "0")], &[], &[("", "<1.2.0")]);
    check(
        &[("introduced", "1.0.0"), ("fixed", "1.2.0"), ("introduced", "2.0.0"), ("last_affected", "2.3.0")],
        &[],
        &[("1.0.0", "<1.2.0"), ("2.0.0", "<=2.3.0")],
    );
    check(
        &[("introduced", "1.0.0"), ("introduced", "0.5.0"), ("fixed", "2.0.0")],
        &[],
        &[("0.5.0", "<2.0.0")],
    );
    check(&[("fixed", "2.0.0"), ("introduced", "2.0.0")], &[], &[("2.0.0", "-")]);
    check(&[("fixed", "2.0.0")], &[], &[]);
    // One version alone, and none at all: RustSec writes the latter where it means that nothing before is affected.
    check(&[("introduced", "2.0.0"), ("last_affected", "2.0.0")], &[], &[("2.0.0", "<=2.0.0")]);
    check(
        &[("introduced", "0.9.0"), ("fixed", "0.9.0"), ("introduced", "0.9.3"), ("fixed", "1.0.0")],
        &[],
        &[("0.9.3", "<1.0.0")],
    );
    check(
        &[("introduced", "2.0.0"), ("introduced", "0"), ("fixed", "2.0.0"), ("fixed", "3.0.0")],
        &[],
        &[("", "<2.0.0"), ("2.0.0", "<3.0.0")],
    );
    check(&[("introduced", "0")], &["1.0.0", "3.0.0"], &[("", "- limit 3.0.0")]);
    check(&[("introduced", "0")], &["1.0.0", "*"], &[("", "-")]);
    let absurd = Range { events: vec![Event::Introduced("x".into())], limits: vec![] };
    assert_eq!(intervals(Scheme::Semver, &absurd), None);
}

#[test]
fn names_that_a_registry_takes_for_one_are_looked_up_as_one() {
    for spelling in ["Foo_Bar", "foo.bar", "FOO--bar", "foo-_.bar"] {
        assert_eq!(lookup_name("PyPI", spelling), "foo-bar");
    }
    assert_eq!(lookup_name("NuGet", "Newtonsoft.Json"), "newtonsoft.json");
    assert_eq!(lookup_name("npm", "JSONStream"), "JSONStream");
    assert_eq!(lookup_ecosystem("Ubuntu:22.04:LTS"), "Ubuntu:22.04");
    assert_eq!(lookup_ecosystem("Debian:12"), "Debian:12");
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, bytes) in files {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn unpacked(archive: &[u8], limit: u64) -> Result<Vec<(String, usize)>, ArchiveError> {
    let mut found = Vec::new();
    archive::records(Cursor::new(archive), limit, |name, bytes| found.push((name.to_owned(), bytes.len())))?;
    Ok(found)
}

#[test]
fn records_come_out_of_an_archive_and_nothing_else_does() {
    let archive =
        zipped(&[("A-1.json", RECORD.as_bytes()), ("readme.txt", b"x"), ("deep/B-1.yaml", b"id: B-1")]);
    let expect = [("A-1.json".to_owned(), RECORD.len()), ("deep/B-1.yaml".to_owned(), 7)];
    assert_eq!(unpacked(&archive, u64::MAX).unwrap(), expect);
}

#[test]
fn a_bomb_in_an_archive_is_cut_off() {
    let zeros = vec![b' '; MAX_RECORD * 4];
    let archive = zipped(&[("A-1.json", &zeros)]);
    assert!(archive.len() < zeros.len() / 500, "it is a bomb");
    assert_eq!(unpacked(&archive, u64::MAX).unwrap(), [("A-1.json".to_owned(), MAX_RECORD + 1)]);
    let many: Vec<(String, &[u8])> = (0..20).map(|at| (format!("{at}.json"), &zeros[..1 << 20])).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    assert_eq!(unpacked(&zipped(&many), 10 << 20), Err(ArchiveError::TooLarge(10 << 20)));
}

#[test]
fn a_damaged_archive_is_refused() {
    let archive = zipped(&[("A-1.json", RECORD.as_bytes())]);
    for bad in [&archive[..archive.len() / 2], &archive[..archive.len() - 1], b"PK", b""] {
        assert!(matches!(unpacked(bad, u64::MAX), Err(ArchiveError::Malformed(_))));
    }
    let mut flipped = archive.clone();
    flipped[60] ^= 0x55;
    assert!(unpacked(&flipped, u64::MAX).is_err(), "its checksum does not fit");
}

#[test]
fn priorities_are_read_from_the_files_of_their_publishers() {
    let mut priorities = Priorities::default();
    priorities
        .read_kev(&br#"{"catalogVersion":"1","vulnerabilities":[{"cveID":"CVE-2021-44228","x":1}]}"#[..])
        .unwrap();
    assert!(priorities.exploited.contains("CVE-2021-44228"));
    let csv = "#model_version:v2025.03.14,score_date:2026-01-01\ncve,epss,percentile\nCVE-2021-44228,0.94,0.99\nCVE-1-2,0.0001,0.1\n";
    priorities.read_epss(csv.as_bytes()).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(csv.as_bytes()).unwrap();
    let mut again = Priorities::default();
    again.read_epss(packed.finish().unwrap().as_slice()).unwrap();
    assert_eq!(again.predicted, priorities.predicted);
    assert_eq!(again.predicted["CVE-2021-44228"], 0.94);
}

#[test]
fn a_file_of_priorities_that_says_nothing_is_refused() {
    for bad in ["", "{}", "[]", r#"{"vulnerabilities":[]}"#] {
        assert!(Priorities::default().read_kev(bad.as_bytes()).is_err(), "{bad}");
    }
    for bad in [
        "",
        "cve,epss\n",
        "a,b\nCVE-1-1,0.1\n",
        "cve,epss\nCVE-1-1,2\n",
        "cve,epss\nCVE-1-1,NaN\n",
        "cve,epss\nX,0.1\n",
    ] {
        assert!(Priorities::default().read_epss(bad.as_bytes()).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange_to_be_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for file in ["a.json", "a.yaml"] {
            let _ = Record::read(file, &bytes);
        }
        let _ = unpacked(&bytes, 1 << 20);
    }

    #[test]
    fn a_damaged_record_or_archive_is_read_or_refused(at in 0..RECORD.len(), byte in any::<u8>()) {
        let mut bytes = RECORD.as_bytes().to_vec();
        bytes[at] = byte;
        for file in ["a.json", "a.yaml"] {
            let _ = Record::read(file, &bytes);
        }
        let mut archive = zipped(&[("A-1.json", RECORD.as_bytes())]);
        let at = at % archive.len();
        archive[at] = byte;
        let _ = unpacked(&archive, 1 << 20);
    }
}
