//! What holds for every input: reading never panics, and evidence can only help. Whoever removes, cuts or mangles a
//! report of something that failed never gets a pass out of it.

use super::{Level, Limits, TestFormat, TestReport, judge_scan, judge_test, read_sarif, read_tests};
use plimsoll_model::Outcome;
use proptest::{collection::vec, prelude::*, sample::select};

const FORMATS: [TestFormat; 3] = [TestFormat::Libtest, TestFormat::Nextest, TestFormat::Junit];

/// Every recorded report, the failing ones first.
const FAILING: [(TestFormat, &[u8]); 4] = [
    (TestFormat::Libtest, include_bytes!("testdata/libtest-fail.txt")),
    (TestFormat::Nextest, include_bytes!("testdata/nextest-fail.txt")),
    (TestFormat::Junit, include_bytes!("testdata/nextest-fail.xml")),
    (TestFormat::Junit, include_bytes!("testdata/pytest-fail.xml")),
];
const SARIF: [&[u8]; 3] = [
    include_bytes!("testdata/semgrep-fail.sarif"),
    include_bytes!("testdata/zizmor-fail.sarif"),
    include_bytes!("testdata/semgrep-clean.sarif"),
];

fn test_outcome(format: TestFormat, bytes: &[u8], exit_ok: bool) -> Outcome {
    judge_test(Some(&read_tests(format, bytes)), exit_ok).0
}

fn scan_outcome(bytes: &[u8], exit_ok: bool) -> Outcome {
    judge_scan(&read_sarif(bytes, Limits::default()), exit_ok, Some(Level::Error), "c0ffee").0
}

/// One edit of a report.
#[derive(Debug, Clone)]
enum Edit {
    Remove(usize, usize),
    Overwrite(usize, u8),
    Repeat(usize, usize),
    Insert(usize, &'static str),
}

fn edit() -> impl Strategy<Value = Edit> {
    let text = select(vec![
        "<failure/>",
        "</testcase>",
        "<testsuite>",
        "<!DOCTYPE x>",
        "&a;",
        "\"level\":\"none\",",
        "{",
        "}",
        "[",
        "running 1 test\n",
        "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n",
        "test x ... ok\n",
        "     Summary [   0.1s] 1 test run: 1 passed, 0 skipped\n",
        "\u{1b}[",
        "\n",
        "9",
    ]);
    prop_oneof![
        (any::<usize>(), 0..200_usize).prop_map(|(at, length)| Edit::Remove(at, length)),
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Edit::Overwrite(at, byte)),
        (any::<usize>(), 0..200_usize).prop_map(|(at, length)| Edit::Repeat(at, length)),
        (any::<usize>(), text).prop_map(|(at, text)| Edit::Insert(at, text)),
    ]
}

fn apply(bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for edit in edits {
        let place = |at: usize| at % (bytes.len() + 1);
        match *edit {
            Edit::Remove(at, length) => {
                let start = place(at);
                let end = bytes.len().min(start + length);
                bytes.drain(start..end);
            }
            Edit::Overwrite(at, byte) => {
                let at = place(at);
                bytes.splice(at..bytes.len().min(at + 1), [byte]);
            }
            Edit::Repeat(at, length) => {
                let start = place(at);
                let part = bytes[start..bytes.len().min(start + length)].to_vec();
                bytes.splice(start..start, part);
            }
            Edit::Insert(at, text) => {
                let start = place(at);
                bytes.splice(start..start, text.bytes());
            }
        }
    }
    bytes
}

fn is_bounded(report: &TestReport) -> bool {
    let lists = [&report.passed, &report.failed, &report.skipped];
    lists.into_iter().flatten().all(|name| name.chars().count() <= 257 && !name.chars().any(char::is_control))
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..500)) {
        for format in FORMATS {
            prop_assert!(read_tests(format, &bytes).is_ok_and(|report| is_bounded(&report)) || read_tests(format, &bytes).is_err());
        }
        prop_assert!(read_sarif(&bytes, Limits::default()).is_err());
    }

    /// F3 for tests: the command failed, so nothing that is done to its report lets the check pass.
    #[test]
    fn a_failed_command_never_passes((format, bytes) in select(&FAILING[..]), edits in vec(edit(), 0..8)) {
        let edited = apply(bytes, &edits);
        prop_assert_ne!(test_outcome(format, &edited, false), Outcome::Passed);
        for format in FORMATS {
            if let Ok(report) = read_tests(format, &edited) {
                prop_assert!(is_bounded(&report));
            }
        }
    }

    /// Where the command claims success over a report of failures, cutting the report off does not help it unless
    /// what is left is a whole report of its own, which for XML cannot be.
    #[test]
    fn a_cut_report_of_failures_never_passes(at in any::<usize>()) {
        for (format, bytes) in FAILING {
            let cut = &bytes[..at % bytes.len()];
            prop_assert_ne!(test_outcome(format, cut, false), Outcome::Passed);
            if format == TestFormat::Junit {
                prop_assert_ne!(test_outcome(format, cut, true), Outcome::Passed, "{}", String::from_utf8_lossy(cut));
            }
        }
    }

    /// F3 for scans: neither a failed command nor a cut log passes, whatever was done to the log.
    #[test]
    fn a_mangled_log_of_a_failed_command_never_passes(bytes in select(&SARIF[..]), edits in vec(edit(), 0..8), at in any::<usize>()) {
        prop_assert_ne!(scan_outcome(&apply(bytes, &edits), false), Outcome::Passed);
        let cut = &bytes[..at % bytes.len()];
        prop_assert_ne!(scan_outcome(cut, true), Outcome::Passed);
    }

    /// Any part of a passing log that says that something was looked at is needed: without it there is no pass.
    #[test]
    fn a_log_without_one_of_its_parts_never_passes(part in select(vec!["/version", "/runs", "/runs/0", "/runs/0/tool", "/runs/0/tool/driver", "/runs/0/tool/driver/name", "/runs/0/tool/driver/rules", "/runs/0/results"])) {
        let clean = include_bytes!("testdata/semgrep-clean.sarif");
        prop_assert_eq!(scan_outcome(clean, true), Outcome::Passed);
        let mut log: serde_json::Value = serde_json::from_slice(clean).unwrap();
        let (parent, key) = part.rsplit_once('/').unwrap();
        match log.pointer_mut(parent).unwrap() {
            serde_json::Value::Object(map) => drop(map.remove(key)),
            serde_json::Value::Array(list) => drop(list.remove(key.parse().unwrap())),
            other => panic!("{other}"),
        }
        prop_assert_ne!(scan_outcome(log.to_string().as_bytes(), true), Outcome::Passed);
    }
}

#[test]
fn every_cut_of_every_failing_report_is_refused() {
    for (format, bytes) in FAILING {
        for end in 0..bytes.len() {
            assert_ne!(test_outcome(format, &bytes[..end], false), Outcome::Passed);
        }
    }
}

/// The sums of a suite hold its cases together: whoever takes cases or failures out of a report, and has the command
/// claim success, gets a contradiction.
#[test]
fn no_case_and_no_failure_can_be_taken_out_of_a_suite() {
    let whole = include_str!("testdata/pytest-fail.xml");
    let starts: Vec<usize> = whole.match_indices("<testcase").map(|(at, _)| at).collect();
    let end = whole.find("</testsuite>").unwrap();
    let bounds: Vec<usize> = starts.iter().copied().chain([end]).collect();
    for kept in 0..1_u32 << starts.len() {
        let cases = bounds.windows(2).enumerate().filter(|(n, _)| kept >> n & 1 == 1);
        let cases: String = cases.map(|(_, bound)| &whole[bound[0]..bound[1]]).collect();
        let report = format!("{}{cases}{}", &whole[..starts[0]], &whole[end..]);
        assert_ne!(test_outcome(TestFormat::Junit, report.as_bytes(), true), Outcome::Passed, "{report}");
        assert_eq!(read_tests(TestFormat::Junit, report.as_bytes()).is_ok(), report == whole, "{report}");
    }
    for kind in ["failure", "error"] {
        let (before, rest) = whole.split_once(&format!("<{kind} ")).unwrap();
        let (_, after) = rest.split_once(&format!("</{kind}>")).unwrap();
        assert!(read_tests(TestFormat::Junit, format!("{before}{after}").as_bytes()).is_err());
    }
}
