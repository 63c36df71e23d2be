//! The text that Rust's stable test harness prints: per binary a `running N tests`, a line for each test and a
//! `test result:`. The result line counts; the lines between must not say more than it admits.
//!
//! Residual: the tests write to the same stream. A test that ends the process with status 0 after printing a result
//! line that adds up, or a target with `harness = false`, can claim any count. Neither turns a failing run into a
//! pass, since cargo's exit status is not theirs once a harness has seen a failure; it means that the count of a
//! passing run is as honest as the code under test.

use super::text::{number, plain};
use super::{Counts, ReportError, TestReport, Verdict, inconsistent, malformed};

/// Reads the standard output of `cargo test`. No binary at all gives a report of zero tests.
pub(super) fn read(bytes: &[u8]) -> Result<TestReport, ReportError> {
    let text = String::from_utf8_lossy(bytes);
    let mut report = TestReport::default();
    let mut open: Option<Block> = None;
    for line in text.split('\n') {
        let line = plain(line);
        if let Some(announced) = running(&line) {
            if open.is_some() {
                return Err(inconsistent("a `running` line before the result of the one before it"));
            }
            open = Some(Block { announced, seen: Counts::default(), details: false });
        } else if let Some(result) = line.strip_prefix("test result: ") {
            let block =
                open.take().ok_or_else(|| inconsistent("a `test result:` that no binary announced"))?;
            report.counts.add(block.close(result)?);
        } else if let Some(block) = &mut open {
            block.read_line(&line, &mut report);
        }
    }
    match open {
        Some(block) => Err(ReportError::Truncated(format!("{} tests announced, no result", block.announced))),
        None => Ok(report),
    }
}

/// One test binary between its announcement and its result.
struct Block {
    announced: u64,
    seen: Counts,
    /// Whether `failures:` was printed: what follows is mostly the captured output of failed tests.
    details: bool,
}

impl Block {
    /// Among the details only a further failure is of interest.
    fn read_line(&mut self, line: &str, report: &mut TestReport) {
        self.details |= line == "failures:";
        match test_line(line) {
            Some((_, Verdict::Failed)) if self.details => self.seen.failed += 1,
            Some((name, verdict)) if !self.details => {
                self.seen.see(verdict);
                report.name(verdict, name);
            }
            _ => {}
        }
    }

    /// Fewer lines than counted are believed: output of a test can run into a line and hide it. More are not: that
    /// is what remains when a result is forged after a real failure was printed.
    fn close(self, result: &str) -> Result<Counts, ReportError> {
        let parsed = parse_result(result).ok_or_else(|| malformed(format!("`test result: {result}`")))?;
        let counts = parsed.counts;
        let total = counts.passed + counts.failed + counts.skipped + parsed.measured;
        if total != self.announced {
            return Err(inconsistent(format!("{} tests announced and {total} counted", self.announced)));
        }
        if parsed.ok != (counts.failed == 0) {
            return Err(inconsistent(format!("`{result}` does not fit its own counts")));
        }
        let seen = self.seen;
        if seen.failed > counts.failed || seen.passed > counts.passed || seen.skipped > counts.skipped {
            return Err(inconsistent("more tests are listed than the result counts"));
        }
        Ok(counts)
    }
}

/// `running 1 test`, `running 12 tests`.
fn running(line: &str) -> Option<u64> {
    let rest = line.strip_prefix("running ")?;
    number(rest.strip_suffix(" tests").or_else(|| rest.strip_suffix(" test"))?)
}

/// `test NAME ... ok`, `FAILED`, `ignored` or `ignored, REASON`, with an optional time behind the first two.
fn test_line(line: &str) -> Option<(&str, Verdict)> {
    let (name, ending) = line.strip_prefix("test ")?.split_once(" ... ")?;
    let is = |word: &str, next: &str| {
        ending.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with(next))
    };
    let verdict = match () {
        () if is("ok", " <") => Verdict::Passed,
        () if is("FAILED", " ") => Verdict::Failed,
        () if is("ignored", ",") => Verdict::Skipped,
        () => return None,
    };
    Some((name, verdict))
}

struct Parsed {
    ok: bool,
    counts: Counts,
    measured: u64,
}

/// `ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.16s`, the last part optional.
fn parse_result(result: &str) -> Option<Parsed> {
    let (status, fields) = result.split_once(". ")?;
    let ok = match status {
        "ok" => true,
        "FAILED" => false,
        _ => return None,
    };
    let mut fields = fields.split("; ");
    let mut field = |name: &str| number(fields.next()?.strip_suffix(name)?);
    let (passed, failed, skipped) = (field(" passed")?, field(" failed")?, field(" ignored")?);
    let (measured, _filtered) = (field(" measured")?, field(" filtered out")?);
    match (fields.next(), fields.next()) {
        (None, _) => {}
        (Some(time), None) if time.starts_with("finished in ") && time.ends_with('s') => {}
        _ => return None,
    }
    Some(Parsed { ok, counts: Counts { passed, failed, skipped }, measured })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Result<(u64, u64, u64), &str>) {
        let actual = read(text.as_bytes()).map(|r| (r.counts.passed, r.counts.failed, r.counts.skipped));
        match (actual, expect) {
            (Ok(actual), Ok(expect)) => assert_eq!(actual, expect, "{text}"),
            (Err(error), Err(expect)) => assert!(error.to_string().contains(expect), "{error}\n{text}"),
            (actual, expect) => panic!("{actual:?} instead of {expect:?}\n{text}"),
        }
    }

    const RESULT: &str = "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";

    #[test]
    fn recorded_output_of_cargo_test_is_read() {
        let pass = read(include_bytes!("testdata/libtest-pass.txt")).unwrap();
        assert_eq!(pass.counts, Counts { passed: 4, failed: 0, skipped: 1 });
        assert!(pass.passed.iter().any(|name| name == "tests::overflows - should panic"));
        assert_eq!(pass.passed[3], "src/lib.rs - double (line 5)");
        assert_eq!(pass.skipped, ["tests::slow"]);
        let fail = read(include_bytes!("testdata/libtest-fail.txt")).unwrap();
        assert_eq!(fail.counts, Counts { passed: 4, failed: 1, skipped: 1 });
        assert_eq!(fail.failed, ["tests::breaks"]);
    }

    #[test]
    fn binaries_add_up() {
        check("", Ok((0, 0, 0)));
        check(
            "\nrunning 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n",
            Ok((0, 0, 0)),
        );
        let one = format!("running 1 test\ntest a ... ok\n\n{RESULT}; finished in 0.01s\n");
        check(&one, Ok((1, 0, 0)));
        check(&one.replace('\n', "\r\n"), Ok((1, 0, 0)));
        check(&format!("{one}\nall doctests ran in 0.1s\n{one}"), Ok((2, 0, 0)));
        check(
            "running 1 test\ntest a ... bench:  1 ns/iter (+/- 0)\ntest result: ok. 0 passed; 0 failed; 0 ignored; 1 measured; 0 filtered out",
            Ok((0, 0, 0)),
        );
    }

    #[test]
    fn output_of_a_test_may_run_into_the_lines() {
        check(&format!("running 1 test\nstarting server... test a ... ok\n\n{RESULT}\n"), Ok((1, 0, 0)));
        check(&format!("running 1 test\ntest a ... hello from a child\nok\n\n{RESULT}\n"), Ok((1, 0, 0)));
        check(&format!("test not::mine ... FAILED\nrunning 1 test\n{RESULT}\n"), Ok((1, 0, 0)));
    }

    #[test]
    fn a_binary_that_ended_early_is_cut_off() {
        check("running 3 tests\ntest a ... ok\n", Err("cut off"));
        check("running 3 tests\ntest a ... ok\ntest result: ok. 3 pas", Err("malformed"));
        check(&format!("running 1 test\nrunning 1 test\n{RESULT}"), Err("contradicts"));
    }

    #[test]
    fn a_forged_result_does_not_hide_a_failure() {
        let forged = "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        check(&format!("running 2 tests\ntest b ... FAILED\n{forged}"), Err("more tests are listed"));
        check(
            &format!("running 2 tests\nfailures:\ntest b ... FAILED\n{forged}"),
            Err("more tests are listed"),
        );
        check(&format!("running 3 tests\n{forged}"), Err("3 tests announced and 2 counted"));
        check(forged, Err("no binary announced"));
        check(&format!("running 2 tests\n{forged}{forged}"), Err("no binary announced"));
        check(&format!("running 2 tests\n{}", forged.replace("ok.", "FAILED.")), Err("own counts"));
        check(&format!("running 2 tests\n{}", forged.replace("0 failed", "0 broken")), Err("malformed"));
        check(&format!("running 2 tests\n{}", forged.replace("2 passed", "-2 passed")), Err("malformed"));
    }

    #[test]
    fn names_are_printable_and_bounded_and_counts_are_not() {
        let lines: String =
            (0..super::super::MAX_NAMES + 5).map(|n| format!("test t{n}\u{202e} ... ok\n")).collect();
        let total = super::super::MAX_NAMES as u64 + 5;
        let result = RESULT.replace("1 passed", &format!("{total} passed"));
        let report = read(format!("running {total} tests\n{lines}{result}").as_bytes()).unwrap();
        assert_eq!((report.counts.passed, report.passed.len()), (total, super::super::MAX_NAMES));
        assert_eq!(report.passed[0], "t0\u{fffd}");
    }
}
