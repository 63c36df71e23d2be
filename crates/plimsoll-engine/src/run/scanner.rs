//! The scans of Plimsoll itself. They read what nobody trusts, so they run as every check does: this program in a sandbox
//! of its own, with nothing to steal.

use super::job::{ARTIFACT, Job, SOURCE};
use crate::ports::{Limits, Mount};
use plimsoll_model::ScanEngine;
use plimsoll_pipeline::{On, PlannedCheck};
use std::{collections::BTreeMap, path::PathBuf};

/// Where the program appears.
const PROGRAM: &str = "/plimsoll";
/// The state directory of a scan in its sandbox.
pub const SCAN_STATE: &str = "/plimsoll-state";
/// Where it leaves its report; not below the source, where it could hide a directory of the project.
const REPORT: &str = "/plimsoll-report";
/// Name of that directory among what the sandbox wrote.
pub(super) const REPORT_NAME: &str = "report";
/// The report in it.
pub(super) const REPORT_FILE: &str = "scan.sarif";

/// The list of packages in it.
pub(super) const BILL_FILE: &str = "bill.json";

/// What scans.
#[derive(Debug, Clone)]
pub struct Scanner {
    /// The executable of this program.
    pub program: PathBuf,
    /// What scans need beside their subject, below [`SCAN_STATE`]: the key of secret fingerprints, the advisories.
    pub data: Vec<Mount>,
}

impl Scanner {
    /// The sandbox in which the files that name packages are read, those of the source and those of the artifact.
    pub(super) fn bill(&self, check: &PlannedCheck, artifact: PathBuf) -> Job {
        let written = format!("{REPORT}/{BILL_FILE}");
        self.in_sandbox(&["__bill", SOURCE, ARTIFACT, &written], vec![], check, Some(artifact))
    }

    /// The sandbox of one scan.
    pub(super) fn job(&self, engine: ScanEngine, check: &PlannedCheck, artifact: Option<PathBuf>) -> Job {
        let subject = match check.on {
            On::Source => SOURCE,
            On::Artifact => ARTIFACT,
        };
        let report = format!("{REPORT}/{REPORT_FILE}");
        let words = ["--state", SCAN_STATE, "scan", engine.as_str(), subject, "--report", &report];
        self.in_sandbox(&words, self.data.clone(), check, artifact)
    }

    fn in_sandbox(
        &self,
        words: &[&str],
        data: Vec<Mount>,
        check: &PlannedCheck,
        artifact: Option<PathBuf>,
    ) -> Job {
        let program = Mount::ReadOnly { source: self.program.clone(), target: PROGRAM.into() };
        let report = Mount::Writable { name: REPORT_NAME.into(), target: REPORT.into() };
        Job {
            argv: std::iter::once(&PROGRAM).chain(words).map(|word| (*word).to_owned()).collect(),
            env: BTreeMap::new(),
            writable: vec![],
            inputs: vec![],
            mounts: [program, report].into_iter().chain(data).collect(),
            artifact,
            cwd: SOURCE,
            limits: Limits::within(check.timeout_seconds),
            service: None,
        }
    }
}
