//! The result of one attempt of a test (in-toto attestation framework, "test-result" 0.1). The subject is what was
//! tested: the exported tree, or the artifact.

use super::{
    Predicate,
    common::{Ending, On, ResourceDescriptor},
};
use plimsoll_model::{CheckName, Digest, Outcome, Reason, RunId, Timestamp, record::IsolationRecord};
use serde::{Deserialize, Serialize};

/// A test result. The lists of names are cut where the report is read; the counts of [`TestCheck`] are whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TestResult {
    /// The result as other tools read it.
    pub result: TestVerdict,
    /// What configured the test: the pipeline.
    pub configuration: Vec<ResourceDescriptor>,
    /// Names of tests that passed, as the report says.
    pub passed_tests: Vec<String>,
    /// Names of tests that failed, as the report says.
    pub failed_tests: Vec<String>,
    /// Names of tests that warned; empty in what Plimsoll writes.
    pub warned_tests: Vec<String>,
    /// What Plimsoll adds, and what its gates judge by.
    #[serde(rename = "plimsoll_check")]
    pub check: TestCheck,
}

impl Predicate for TestResult {
    const TYPE: &'static str = "https://in-toto.io/attestation/test-result/v0.1";
}

/// The result of a [`TestResult`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TestVerdict {
    /// Everything passed.
    Passed,
    /// Everything passed, with warnings; written by others.
    Warned,
    /// Anything else.
    Failed,
}

impl From<Outcome> for TestVerdict {
    fn from(outcome: Outcome) -> Self {
        if outcome == Outcome::Passed { Self::Passed } else { Self::Failed }
    }
}

/// One attempt of a test, as it was observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestCheck {
    /// The run.
    pub run: RunId,
    /// Digest of the plan.
    pub plan: Digest,
    /// The check.
    pub check: CheckName,
    /// What it looked at.
    pub on: On,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// What came of it, by the signer's own judgement. Only `passed` passes.
    pub outcome: Outcome,
    /// Why it did not pass.
    pub reasons: Vec<Reason>,
    /// How its command ended.
    pub exit: Ending,
    /// What the report counted; none without a report.
    pub counts: Option<TestCounts>,
    /// Format of the report, as in `libtest`; none without a report.
    pub report: Option<String>,
    /// Digest of everything it printed, cut at the log limit.
    pub log: Digest,
    /// How it was isolated.
    pub isolation: IsolationRecord,
    /// When it started, by the engine's clock.
    pub started: Timestamp,
    /// When it ended, by the engine's clock.
    pub finished: Timestamp,
}

/// Numbers of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestCounts {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests that did not run.
    pub skipped: u64,
}
