//! Reports that foreign tools write about tests and scans, read as hostile input: within limits, strictly, and never
//! as `no findings` when something is missing. A report is what a check says of itself, so [`judge_test`] and
//! [`judge_scan`] let it pass only where the exit status, which the engine observed, says the same.

mod cyclonedx;
mod fields;
mod findings;
mod json;
mod judge;
mod junit;
mod libtest;
mod nextest;
mod sarif;
mod scan;
mod sonarqube;
mod text;
mod zap;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod quirks;

pub use findings::{Found, Reading, advisory};
pub use judge::{judge_scan, judge_test};
pub use sarif::{Level, ScanReport, Tally, Tool, read_sarif};
pub use scan::{format_of, read_scan};

use plimsoll_model::{reason::printable, removed};
use std::{borrow::Cow, fmt};

/// Names of one list of a [`TestReport`] that are kept; counts go on beyond it.
pub const MAX_NAMES: usize = 10_000;
/// Characters of one name that are kept.
pub const MAX_NAME: usize = 256;

/// What a report may cost to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the report.
    pub bytes: usize,
    /// Values (JSON) or elements (XML) in it.
    pub nodes: usize,
    /// How deep they are nested; beyond 100 JSON is refused whatever this says.
    pub depth: usize,
}

impl Default for Limits {
    /// 64 MiB, a million values, 64 levels: room for thousands of findings, and some hundred MiB of memory at worst.
    fn default() -> Self {
        Self { bytes: 64 << 20, nodes: 1_000_000, depth: 64 }
    }
}

/// Why a report cannot be believed. None of these is ever `no findings`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// The file that the check promised is not there.
    #[error("there is none that is a file of at most 64 MiB")]
    Missing,
    /// It ends too early.
    #[error("cut off: {0}")]
    Truncated(String),
    /// It is larger than the limit.
    #[error("larger than {0}")]
    TooLarge(String),
    /// It is not of the format.
    #[error("malformed: {0}")]
    Malformed(String),
    /// Two things that it says cannot both be true.
    #[error("contradicts itself: {0}")]
    Inconsistent(String),
    /// Part of its content lies in another file, which nobody observed.
    #[error("refers to another file for {0}")]
    External(String),
}

fn malformed(problem: impl fmt::Display) -> ReportError {
    ReportError::Malformed(printable(&problem.to_string(), 200))
}

fn inconsistent(problem: impl fmt::Display) -> ReportError {
    ReportError::Inconsistent(printable(&problem.to_string(), 200))
}

/// Refuses a report of more than `limit` bytes.
fn within(bytes: &[u8], limit: usize) -> Result<(), ReportError> {
    if !removed!("report-size") && bytes.len() > limit {
        return Err(ReportError::TooLarge(format!("{limit} bytes")));
    }
    Ok(())
}

/// A UTF-8 byte order mark says nothing; some tools write one although JSON forbids it (RFC 8259 section 8.1).
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// UTF-16 with its byte order mark, as shells of Windows write what they redirect, as UTF-8; anything else as it is.
fn unicode(bytes: &[u8]) -> Result<Cow<'_, [u8]>, ReportError> {
    let decode = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (units, rest) = bytes.as_chunks::<2>();
        let text = char::decode_utf16(units.iter().copied().map(unit)).collect::<Result<String, _>>();
        match text {
            Ok(text) if rest.is_empty() => Ok(Cow::Owned(text.into_bytes())),
            _ => Err(malformed("neither UTF-8 nor UTF-16")),
        }
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => decode(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => decode(rest, u16::from_be_bytes),
        bytes => Ok(Cow::Borrowed(bytes)),
    }
}

/// Formats of test reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TestFormat {
    /// What `cargo test` prints on its standard output: Rust's stable test harness, one or more binaries and
    /// documentation tests.
    Libtest,
    /// What `cargo nextest run` prints for people on its standard error.
    Nextest,
    /// JUnit XML as pytest, nextest, Surefire and many others write it.
    Junit,
}

/// How many tests ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed, broke or timed out.
    pub failed: u64,
    /// Tests that were listed and did not run.
    pub skipped: u64,
}

impl Counts {
    fn see(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed => self.failed += 1,
            Verdict::Skipped => self.skipped += 1,
        }
    }

    fn add(&mut self, other: Self) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
        self.skipped = self.skipped.saturating_add(other.skipped);
    }
}

/// How one test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Passed,
    Failed,
    Skipped,
}

/// A test report. The counts are what a gate reads; names are for people, printable, at most [`MAX_NAMES`] a list
/// and [`MAX_NAME`] characters each, and can be fewer than the counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestReport {
    /// Names of tests that passed, in the order of the report.
    pub passed: Vec<String>,
    /// Names of tests that failed.
    pub failed: Vec<String>,
    /// What is said of each of `failed`, in its place and in one line; empty where nothing is. Formats without such words
    /// leave the list out.
    pub said: Vec<String>,
    /// Names of tests that did not run.
    pub skipped: Vec<String>,
    /// All of them, counted.
    pub counts: Counts,
}

impl TestReport {
    fn name(&mut self, verdict: Verdict, name: &str) {
        let list = match verdict {
            Verdict::Passed => &mut self.passed,
            Verdict::Failed => &mut self.failed,
            Verdict::Skipped => &mut self.skipped,
        };
        if list.len() < MAX_NAMES {
            list.push(printable(name.trim(), MAX_NAME));
        }
    }
}

/// Reads a test report within [`Limits::default`].
///
/// # Errors
/// When the report is too large, cut off, not of the format, or says two things that cannot both be true. A report of
/// zero tests is not an error here: [`judge_test`] refuses it.
pub fn read_tests(format: TestFormat, bytes: &[u8]) -> Result<TestReport, ReportError> {
    let limits = Limits::default();
    within(bytes, limits.bytes)?;
    match format {
        TestFormat::Libtest => libtest::read(bytes),
        TestFormat::Nextest => nextest::read(bytes),
        TestFormat::Junit => junit::read(bytes, limits),
    }
}
