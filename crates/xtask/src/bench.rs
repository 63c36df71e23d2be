//! Measurements against real peers: alternated pairs in one run, so that a busy machine slows both sides alike, and
//! ratios with intervals, so that noise is not read as a result. No timing decides a test.

mod case;
mod machine;
mod peers;
mod report;
mod sandbox;
mod stats;

use crate::project::{Project, Result};
use case::Case;
use std::path::PathBuf;

/// Runs the measurements whose names start with one of `names` (all without any), and writes raw numbers and report.
pub(crate) fn run(project: &Project, names: &[String]) -> Result<()> {
    if cfg!(debug_assertions) {
        return Err("an unoptimised program is not what people run: make bench".into());
    }
    let folder = project.root().join("bench");
    let scratch = tempfile::tempdir()?;
    let bench = Bench { project, scratch: scratch.path().to_owned() };
    let wanted =
        |case: &Case| names.is_empty() || names.iter().any(|name| case.name.starts_with(name.as_str()));
    let cases: Vec<Case> = bench.cases()?.into_iter().filter(wanted).collect();
    if cases.is_empty() {
        return Err("there is no such measurement".into());
    }
    for case in cases {
        println!("{} against {}, {} pairs", case.name, case.peer.name, case.pairs);
        let measured = report::Measured::of(case, project)?;
        println!("  {}", measured.line()?);
        measured.save(&folder.join("raw"))?;
    }
    report::write(&folder)
}

/// What every measurement needs.
struct Bench<'a> {
    project: &'a Project,
    /// A folder that goes when the run ends.
    scratch: PathBuf,
}

impl Bench<'_> {
    fn cases(&self) -> Result<Vec<Case>> {
        let mut cases = sandbox::start_cases(self)?;
        cases.extend(sandbox::build_cases(self)?);
        Ok(cases)
    }
}
