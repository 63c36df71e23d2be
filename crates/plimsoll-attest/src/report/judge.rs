//! Turns a report and the exit status, which the engine observed, into an outcome. Only agreement passes; every other
//! combination has its own reason.

use super::{Level, ReportError, ScanReport, TestReport};
use plimsoll_model::{Code, Outcome, Reason, removed};

/// The outcome of a test, and why if it did not pass. The reason has its `detail`; the caller, who knows the names,
/// adds `check` and `run`.
///
/// `report` is none for a check that promises no report: then the exit status alone counts. A promised report that is
/// not there is [`ReportError::Missing`].
///
/// | report | exit status 0 | another |
/// |---|---|---|
/// | not promised | passed | failed, `E-EVIDENCE-FAILED` |
/// | unreadable | errored, `E-EVIDENCE-PARSE` | the same |
/// | some failed | errored, `E-EVIDENCE-SELF` | failed, `E-EVIDENCE-FAILED` |
/// | none failed, some passed | passed | errored, `E-EVIDENCE-SELF` |
/// | none passed, none failed | errored, `E-EVIDENCE-EMPTY` | errored, `E-EVIDENCE-ERRORED` |
#[must_use]
pub fn judge_test(
    report: Option<&Result<TestReport, ReportError>>,
    exit_ok: bool,
) -> (Outcome, Option<Reason>) {
    let report = match report {
        None if exit_ok => return (Outcome::Passed, None),
        None => return refuse(Code::EvidenceFailed, "the command ended with an error"),
        Some(Err(error)) => return refuse(Code::EvidenceParse, error),
        Some(Ok(report)) => report,
    };
    let counts = report.counts;
    match (exit_ok, counts.failed, counts.passed) {
        (true, 0, 1..) => (Outcome::Passed, None),
        (true, 0, 0) => refuse(Code::EvidenceEmpty, format!("no test ran, {} were skipped", counts.skipped)),
        (true, failed, _) => refuse(
            Code::EvidenceSelf,
            format!("the report has {failed} failed tests, and the command ended with success"),
        ),
        (false, 0, 0) => refuse(Code::EvidenceErrored, "the command ended with an error before any test ran"),
        (false, 0, passed) => refuse(
            Code::EvidenceSelf,
            format!(
                "the command ended with an error, and the report has {passed} passed tests and no failed one"
            ),
        ),
        (false, failed, passed) => {
            let first: Vec<&str> = report.failed.iter().take(3).map(String::as_str).collect();
            let all = failed.saturating_add(passed);
            refuse(Code::EvidenceFailed, format!("{failed} of {all} tests: {}", first.join(", ")))
        }
    }
}

/// The outcome of a scan, and why if it did not pass. The reason lacks `check` and `run`, as for [`judge_test`].
///
/// It passes only if the command ended with status 0, every run of the report looked at something, came to its end
/// and, where it names a commit, names `revision`, no finding is about a file that is not of the subject, and no finding that is not suppressed reaches `block`; without one,
/// findings are for somebody else to judge. A tool that
/// ends with an error when it finds something has to be told not to, or to find less.
#[must_use]
pub fn judge_scan(
    report: &Result<ScanReport, ReportError>,
    exit_ok: bool,
    block: Option<Level>,
    revision: &str,
) -> (Outcome, Option<Reason>) {
    let report = match report {
        Err(error) => return refuse(Code::EvidenceParse, error),
        Ok(report) => report,
    };
    if !removed!("report-revision")
        && let Some(other) = report.revisions.iter().find(|seen| seen.as_str() != revision)
    {
        let reason = Code::EvidenceSubject.reason().with("actual", other).with("expected", revision);
        return (Outcome::Errored, Some(reason));
    }
    if !removed!("report-place")
        && let Some(other) = &report.elsewhere
    {
        let reason = Code::EvidenceSubject.reason().with("actual", other).with("expected", revision);
        return (Outcome::Errored, Some(reason));
    }
    if !removed!("report-broken")
        && let Some(problem) = &report.broken
    {
        return refuse(Code::EvidenceErrored, problem);
    }
    if !removed!("report-empty")
        && let Some(problem) = &report.empty
    {
        return refuse(Code::EvidenceEmpty, problem);
    }
    let found = report.findings;
    let summary = format!("{} errors, {} warnings, {} notes", found.error, found.warning, found.note);
    match (block.map_or(0, |block| found.at_least(block)), exit_ok) {
        (0, ok) if ok || removed!("report-exit") => (Outcome::Passed, None),
        (0, _) => refuse(
            Code::EvidenceSelf,
            format!("the command ended with an error, and the report has {summary}"),
        ),
        (_, _) => refuse(Code::EvidenceFailed, summary),
    }
}

fn refuse(code: Code, detail: impl std::fmt::Display) -> (Outcome, Option<Reason>) {
    let outcome = if code == Code::EvidenceFailed { Outcome::Failed } else { Outcome::Errored };
    (outcome, Some(code.reason().with("detail", detail)))
}

#[cfg(test)]
mod tests {
    use super::super::{Counts, Limits, Tally, TestFormat, read_sarif, read_tests};
    use super::*;

    fn test(report: Option<Result<(u64, u64), ReportError>>, exit_ok: bool) -> (Outcome, Option<Code>) {
        let report = report.map(|report| {
            report.map(|(passed, failed)| TestReport {
                failed: (0..failed).map(|n| format!("t{n}")).collect(),
                counts: Counts { passed, failed, skipped: 1 },
                ..TestReport::default()
            })
        });
        let (outcome, reason) = judge_test(report.as_ref(), exit_ok);
        (outcome, reason.map(|reason| reason.code))
    }

    #[test]
    fn a_test_passes_only_where_report_and_exit_status_agree() {
        let errored = |code| (Outcome::Errored, Some(code));
        let failed = (Outcome::Failed, Some(Code::EvidenceFailed));
        let missing = || Some(Err(ReportError::Missing));
        for (report, exit_ok, expect) in [
            (None, true, (Outcome::Passed, None)),
            (None, false, failed),
            (Some(Ok((3, 0))), true, (Outcome::Passed, None)),
            (Some(Ok((3, 0))), false, errored(Code::EvidenceSelf)),
            (Some(Ok((3, 1))), true, errored(Code::EvidenceSelf)),
            (Some(Ok((0, 1))), true, errored(Code::EvidenceSelf)),
            (Some(Ok((3, 1))), false, failed),
            (Some(Ok((0, 0))), true, errored(Code::EvidenceEmpty)),
            (Some(Ok((0, 0))), false, errored(Code::EvidenceErrored)),
            (missing(), true, errored(Code::EvidenceParse)),
            (missing(), false, errored(Code::EvidenceParse)),
        ] {
            assert_eq!(test(report.clone(), exit_ok), expect, "{report:?} {exit_ok}");
        }
    }

    #[test]
    fn the_reason_names_the_first_failures() {
        let report = TestReport {
            failed: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
            counts: Counts { passed: 6, failed: 4, skipped: 0 },
            ..TestReport::default()
        };
        let reason = judge_test(Some(&Ok(report)), false).1.unwrap().with("check", "unit");
        assert_eq!(reason.sentence(), "unit failed: 4 of 10 tests: a, b, c");
    }

    #[test]
    fn recorded_reports_are_judged_as_their_tools_ended() {
        for (format, bytes, exit_ok, expect) in [
            (TestFormat::Libtest, &include_bytes!("testdata/libtest-pass.txt")[..], true, Outcome::Passed),
            (TestFormat::Libtest, include_bytes!("testdata/libtest-fail.txt"), false, Outcome::Failed),
            (TestFormat::Nextest, include_bytes!("testdata/nextest-pass.txt"), true, Outcome::Passed),
            (TestFormat::Nextest, include_bytes!("testdata/nextest-fail.txt"), false, Outcome::Failed),
            (TestFormat::Junit, include_bytes!("testdata/pytest-pass.xml"), true, Outcome::Passed),
            (TestFormat::Junit, include_bytes!("testdata/pytest-fail.xml"), false, Outcome::Failed),
            (TestFormat::Junit, include_bytes!("testdata/pytest-none.xml"), false, Outcome::Errored),
        ] {
            let report = read_tests(format, bytes);
            assert_eq!(judge_test(Some(&report), exit_ok).0, expect, "{report:?}");
            assert_ne!(judge_test(Some(&report), !exit_ok).0, Outcome::Passed, "{report:?}");
        }
    }

    fn scan(change: impl Fn(&mut ScanReport), exit_ok: bool, block: Level) -> (Outcome, Option<Code>) {
        let findings = Tally { error: 0, warning: 1, note: 2 };
        let suppressed = Tally { error: 9, ..Tally::default() };
        let mut report = ScanReport { rules: 5, findings, suppressed, ..ScanReport::default() };
        change(&mut report);
        let (outcome, reason) = judge_scan(&Ok(report), exit_ok, Some(block), "c0ffee");
        (outcome, reason.map(|reason| reason.code))
    }

    #[test]
    fn a_scan_passes_below_its_blocking_level() {
        let failed = (Outcome::Failed, Some(Code::EvidenceFailed));
        assert_eq!(scan(|_| {}, true, Level::Error), (Outcome::Passed, None));
        assert_eq!(scan(|_| {}, true, Level::Warning), failed);
        assert_eq!(scan(|_| {}, true, Level::Note), failed);
        assert_eq!(scan(|_| {}, false, Level::Warning), failed);
        assert_eq!(scan(|r| r.findings.warning = 0, true, Level::Warning), (Outcome::Passed, None));
        let same = |r: &mut ScanReport| r.revisions = ["c0ffee".to_owned()].into();
        assert_eq!(scan(same, true, Level::Error), (Outcome::Passed, None));
    }

    #[test]
    fn a_scan_that_cannot_be_believed_does_not_pass() {
        let errored = |code| (Outcome::Errored, Some(code));
        let other = |r: &mut ScanReport| r.revisions = ["decaf".to_owned()].into();
        assert_eq!(scan(|_| {}, false, Level::Error), errored(Code::EvidenceSelf));
        assert_eq!(scan(|r| r.empty = Some("x".into()), true, Level::Error), errored(Code::EvidenceEmpty));
        assert_eq!(scan(|r| r.broken = Some("x".into()), true, Level::Error), errored(Code::EvidenceErrored));
        assert_eq!(scan(other, true, Level::Error), errored(Code::EvidenceSubject));
        let (outcome, reason) = judge_scan(&Err(ReportError::Missing), true, Some(Level::Error), "c0ffee");
        assert_eq!((outcome, reason.unwrap().code), (Outcome::Errored, Code::EvidenceParse));
    }

    /// The attacks on evidence that a report can carry out alone: an empty valid log, zero targets, a flag that says
    /// `passed`, keys that stand twice, a file without end.
    #[test]
    fn forged_and_empty_reports_are_refused_with_their_codes() {
        let sarif = |text: &str| {
            let report = read_sarif(text.as_bytes(), Limits { bytes: 1 << 20, ..Limits::default() });
            judge_scan(&report, true, Some(Level::Error), "c0ffee").1.map(|reason| reason.code)
        };
        let good = include_str!("testdata/semgrep-clean.sarif");
        assert_eq!(sarif(good), None);
        assert_eq!(sarif(r#"{"version":"2.1.0","runs":[]}"#), Some(Code::EvidenceEmpty));
        assert_eq!(sarif(r#"{"version":"2.1.0","passed":true,"runs":[]}"#), Some(Code::EvidenceEmpty));
        assert_eq!(sarif(&good.replace("\"results\":[],", "")), Some(Code::EvidenceEmpty));
        assert_eq!(
            sarif(&good.replacen("\"results\":[],", "\"results\":[],\"artifacts\":[],", 1)),
            Some(Code::EvidenceEmpty)
        );
        assert_eq!(
            sarif(&good.replacen("\"results\":[],", "\"results\":[],\"results\":[],", 1)),
            Some(Code::EvidenceParse)
        );
        assert_eq!(sarif(&good.replace(":true", ":false")), Some(Code::EvidenceErrored));
        assert_eq!(sarif(&" ".repeat((1 << 20) + 1)), Some(Code::EvidenceParse));
        assert_eq!(sarif(""), Some(Code::EvidenceParse));

        let junit = |text: &str| {
            let report = read_tests(TestFormat::Junit, text.as_bytes());
            judge_test(Some(&report), true).1.map(|reason| reason.code)
        };
        assert_eq!(junit("<testsuite tests='1'><testcase name='a'/></testsuite>"), None);
        assert_eq!(junit("<testsuite passed='true' tests='0'/>"), Some(Code::EvidenceEmpty));
        assert_eq!(junit("<testsuite tests='5'/>"), Some(Code::EvidenceParse));
        assert_eq!(
            junit("<testsuite tests='1' tests='1'><testcase/></testsuite>"),
            Some(Code::EvidenceParse)
        );
    }
}
