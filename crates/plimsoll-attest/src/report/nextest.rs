//! What `cargo nextest run` prints for people: a line for each test, and one `Summary`. The summary counts; nextest
//! runs every test in a process of its own, so a test cannot end the runner, and two summaries are one too many.

use super::text::{number, plain};
use super::{Counts, ReportError, TestReport, Verdict, inconsistent, malformed};
use std::collections::BTreeSet;

/// Reads the standard error of `cargo nextest run`. Below the summary stand only repetitions.
pub(super) fn read(bytes: &[u8]) -> Result<TestReport, ReportError> {
    let text = String::from_utf8_lossy(bytes);
    let mut report = TestReport::default();
    let mut seen = Counts::default();
    let mut summary: Option<Counts> = None;
    for line in text.split('\n') {
        let line = plain(line);
        if let Some(rest) = line.trim_start().strip_prefix("Summary [") {
            if summary.replace(parse_summary(rest)?).is_some() {
                return Err(inconsistent("there is more than one summary"));
            }
        } else if let (None, Some((name, verdict))) = (summary, test_line(&line)) {
            seen.see(verdict);
            report.name(verdict, name);
        }
    }
    report.counts = summary.ok_or_else(|| ReportError::Truncated("there is no summary".to_owned()))?;
    if seen.failed > report.counts.failed || seen.passed > report.counts.passed {
        return Err(inconsistent("more tests are listed than the summary counts"));
    }
    Ok(report)
}

/// `   0.220s] 8/10 tests run: 5 passed (1 slow, 1 flaky), 2 failed, 1 exec failed, 1 timed out, 2 skipped`.
/// Summaries of benchmarks and stress runs are of another form and refused.
fn parse_summary(summary: &str) -> Result<Counts, ReportError> {
    let unreadable = || malformed(format!("Summary [{summary}"));
    let (_time, rest) = summary.split_once("] ").ok_or_else(unreadable)?;
    let (ran, list) =
        rest.split_once(" tests run: ").or_else(|| rest.split_once(" test run: ")).ok_or_else(unreadable)?;
    let (ran, planned) = ran.split_once('/').unwrap_or((ran, ran));
    let (ran, planned) = number(ran).zip(number(planned)).ok_or_else(unreadable)?;
    let counts = parse_counts(list).ok_or_else(unreadable)?;
    let total = counts.passed + counts.failed;
    if total != ran {
        return Err(inconsistent(format!("{ran} tests ran and {total} are counted")));
    }
    if ran != planned && counts.failed == 0 {
        return Err(ReportError::Truncated(format!("{ran} of {planned} tests ran, and none failed")));
    }
    Ok(counts)
}

fn parse_counts(list: &str) -> Option<Counts> {
    let mut counts = Counts::default();
    let mut kinds = BTreeSet::new();
    for item in without_brackets(list).split(", ") {
        let (count, kind) = item.trim().split_once(' ')?;
        let count = number(count)?;
        match kind {
            "passed" => counts.passed = count,
            "failed" | "exec failed" | "timed out" => counts.failed += count,
            "skipped" => counts.skipped = count,
            _ => return None,
        }
        if !kinds.insert(kind.to_owned()) {
            return None;
        }
    }
    kinds.contains("passed").then_some(counts)
}

/// Drops `(1 slow, 1 flaky)`: subsets of what stands before them.
fn without_brackets(list: &str) -> String {
    let mut depth = 0_u32;
    let mut kept = String::new();
    for c in list.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

/// `        PASS [   0.004s] (1/3) demo tests::a`; the counter is optional, and `TRY 1 FAIL` is not final.
fn test_line(line: &str) -> Option<(&str, Verdict)> {
    let (status, rest) = line.split_once(" [")?;
    let verdict = match status.trim_start() {
        "PASS" | "LEAK" => Verdict::Passed,
        "FAIL" | "TIMEOUT" | "ABORT" | "LEAK-FAIL" | "XFAIL" => Verdict::Failed,
        signal if signal.starts_with("SIG") && !signal.contains(' ') => Verdict::Failed,
        _ => return None,
    };
    let name = rest.split_once("] ")?.1.trim_start();
    let name = match name.strip_prefix('(').and_then(|rest| rest.split_once(") ")) {
        Some((counter, name)) if counter.contains('/') => name,
        _ => name,
    };
    Some((name.trim(), verdict))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(summary: &str, expect: Result<(u64, u64, u64), &str>) {
        let text = format!("────────────\n     Summary [   0.114s] {summary}\n");
        let actual = read(text.as_bytes()).map(|r| (r.counts.passed, r.counts.failed, r.counts.skipped));
        match (actual, expect) {
            (Ok(actual), Ok(expect)) => assert_eq!(actual, expect, "{text}"),
            (Err(error), Err(expect)) => assert!(error.to_string().contains(expect), "{error}\n{text}"),
            (actual, expect) => panic!("{actual:?} instead of {expect:?}\n{text}"),
        }
    }

    #[test]
    fn recorded_output_of_nextest_is_read() {
        let pass = read(include_bytes!("testdata/nextest-pass.txt")).unwrap();
        assert_eq!(pass.counts, Counts { passed: 3, failed: 0, skipped: 1 });
        let mut passed = pass.passed;
        passed.sort();
        assert_eq!(passed, ["sample tests::doubles", "sample tests::overflows", "sample::whole whole"]);
        let fail = read(include_bytes!("testdata/nextest-fail.txt")).unwrap();
        assert_eq!(fail.counts, Counts { passed: 3, failed: 1, skipped: 1 });
        assert_eq!(fail.failed, ["sample tests::breaks"]);
    }

    #[test]
    fn summaries_are_read_in_all_their_forms() {
        check("3 tests run: 3 passed, 1 skipped", Ok((3, 0, 1)));
        check("1 test run: 1 passed, 0 skipped", Ok((1, 0, 0)));
        check("0 tests run: 0 passed, 5 skipped", Ok((0, 0, 5)));
        check(
            "8/10 tests run: 4 passed (1 slow, 1 flaky, 1 leaky), 2 failed (1 due to being leaky), 1 exec failed, 1 timed out, 2 skipped",
            Ok((4, 4, 2)),
        );
        check(
            "\u{1b}[1m3\u{1b}[0m tests run: \u{1b}[1m3\u{1b}[0m \u{1b}[32mpassed\u{1b}[0m, 0 skipped",
            Ok((3, 0, 0)),
        );
    }

    #[test]
    fn summaries_that_do_not_add_up_are_refused() {
        check("4 tests run: 3 passed, 0 skipped", Err("4 tests ran and 3 are counted"));
        check("3/4 tests run: 3 passed, 0 skipped", Err("cut off"));
        check("3 tests run: 2 passed, 1 passed, 0 skipped", Err("malformed"));
        check("3 tests run: 3 blessed, 0 skipped", Err("malformed"));
        check("5 stress run iterations: 5 passed", Err("malformed"));
        check("3 tests run: 3 passed\n     Summary [   0.1s] 3 tests run: 3 passed", Err("more than one"));
        let hidden =
            "        FAIL [   0.1s] (1/1) demo a\n     Summary [   0.1s] 1 test run: 1 passed, 0 skipped\n";
        assert!(matches!(read(hidden.as_bytes()), Err(ReportError::Inconsistent(_))));
    }

    #[test]
    fn output_without_a_summary_is_cut_off() {
        let text = include_str!("testdata/nextest-pass.txt");
        let cut = text.find("Summary").unwrap();
        assert!(matches!(read(&text.as_bytes()[..cut]), Err(ReportError::Truncated(_))));
        assert!(matches!(read(b""), Err(ReportError::Truncated(_))));
    }

    #[test]
    fn attempts_that_were_repeated_are_not_final() {
        let text = "  TRY 1 FAIL [   0.1s] demo a\n  TRY 2 PASS [   0.1s] demo a\n     Summary [   0.1s] 1 test run: 1 passed (1 flaky), 0 skipped\n   FLAKY 2/2 [   0.1s] demo a\n";
        assert_eq!(read(text.as_bytes()).unwrap().counts, Counts { passed: 1, failed: 0, skipped: 0 });
    }
}
