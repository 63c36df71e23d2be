//! The checks: tests, adapters and scans, each in its own sandbox, on the revision or on the frozen artifact.

use super::{
    Event, MadeStatement, Run, RunError, Signers, closed,
    foreign::{self, Equipped},
    job::{Job, SOURCE},
    scanner::{BILL_FILE, REPORT_FILE, REPORT_NAME},
    units::{Attempt, Director, Ready, Unit, run_units},
    workspace::freeze_file,
};
use crate::{
    ports::{Limits, ToolProblem},
    signer::{CloseCheck, CloseToolless, Closed, Request},
};
use plimsoll_attest::Bundle;
use plimsoll_model::{Digest, Outcome, Reason, RelPath};
use plimsoll_pipeline::{CheckKind, On, PlannedCheck, TestReport, pipeline::ReportStream};
use std::{
    fs::File,
    os::fd::AsFd,
    path::{Path, PathBuf},
};

impl Run<'_> {
    /// Runs all checks and closes every attempt. Without an artifact, checks of the artifact are skipped.
    pub(super) fn check(
        &mut self,
        signers: &mut Signers<'_>,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), RunError> {
        let artifact = self.unpack_artifact()?;
        let runnable = |check: &&PlannedCheck| artifact.is_some() || check.on == On::Source;
        let checks: Vec<PlannedCheck> = self.plan.checks.iter().filter(runnable).cloned().collect();
        let units: Vec<Unit> = checks
            .iter()
            .map(|check| Unit {
                name: check.name.to_string(),
                needs: vec![],
                attempts: u32::from(check.retry) + 1,
            })
            .collect();
        let (world, around) = (self.world, self.around.clone());
        let tools = vec![None; checks.len()];
        let data = vec![None; checks.len()];
        let mut director = Checks { run: self, signers, checks: &checks, tools, data, artifact };
        let outcomes = run_units(&units, &Run::floor(world, &around), &mut director, watch)?;
        let outcome_of = |check: &PlannedCheck| {
            let ran = checks.iter().position(|other| other.name == check.name);
            ran.map_or(Outcome::Skipped, |at| outcomes[at])
        };
        self.report.checks =
            self.plan.checks.iter().map(|check| (check.name.to_string(), outcome_of(check))).collect();
        Ok(())
    }

    fn unpack_artifact(&self) -> Result<Option<PathBuf>, RunError> {
        let wanted = self.plan.checks.iter().any(|check| check.on == On::Artifact);
        match &self.report.artifact {
            Some(artifact) if wanted => {
                let tree = self.world.assemble.tree(&artifact.manifest)?;
                self.materialise("artifact", &tree).map(Some)
            }
            Some(_) if !wanted => Ok(Some(PathBuf::new())),
            _ => Ok(None),
        }
    }
}

struct Checks<'r, 'w, 's, 'p> {
    run: &'r mut Run<'w>,
    signers: &'s mut Signers<'p>,
    checks: &'r [PlannedCheck],
    /// Digest of the executable of each adapter's tool, as the sandbox found it, taken before the tool ran.
    tools: Vec<Option<Digest>>,
    /// Digest of the data of each scanner that has some.
    data: Vec<Option<Digest>>,
    artifact: Option<PathBuf>,
}

impl Checks<'_, '_, '_, '_> {
    fn report(&self, check: &PlannedCheck, attempt: &Attempt) -> Result<Option<Digest>, RunError> {
        let blobs = self.run.world.blobs;
        if attempt.unserved {
            return Ok(None);
        }
        Ok(match &check.kind {
            CheckKind::Test { report: None } => None,
            CheckKind::Test { report: Some(TestReport::Libtest(stream) | TestReport::Nextest(stream)) } => {
                Some(blobs.put(match stream {
                    ReportStream::Stdout => &attempt.stdout,
                    ReportStream::Stderr => &attempt.stderr,
                })?)
            }
            CheckKind::Test { report: Some(TestReport::Junit(path)) }
            | CheckKind::Adapter { sarif: path, .. } => freeze_file(blobs, &attempt.finished.writable, path)?,
            CheckKind::Manifest { .. } => match &check.adapter {
                Some(planned) => foreign::report(blobs, planned, attempt)?,
                None => None,
            },
            CheckKind::Scan { .. } => freeze_file(blobs, &attempt.finished.writable, &left(REPORT_FILE)?)?,
            CheckKind::Sbom => freeze_file(blobs, &attempt.finished.writable, &left(BILL_FILE)?)?,
        })
    }

    /// Stores what the builder signed about the artifact, under the digest that it wrote into the journal: what the build
    /// fetched is read there.
    fn hand_over_provenance(&self) -> Result<(), RunError> {
        let statements = &self.run.report.statements;
        let Some(made) = statements.iter().find(|made| made.name == "artifact") else { return Ok(()) };
        let bundle = Bundle::parse(made.signed.bundle.as_bytes())
            .map_err(|error| RunError::internal("read the provenance", &error))?;
        self.run.world.blobs.put(&bundle.envelope().payload)?;
        Ok(())
    }

    /// Closes an attempt whose tool is not there; nothing else of the run ends with it.
    fn without_tool(
        &mut self,
        unit: usize,
        attempt: u32,
        problem: Option<ToolProblem>,
    ) -> Result<Ready, RunError> {
        let problem = problem.map(|problem| problem.0);
        let close = CloseToolless { check: self.checks[unit].name.clone(), attempt, problem };
        let closed = closed(self.signers.scanner.ask(&Request::CloseToolless(close))?)?;
        let (outcome, reasons) = self.keep(unit, closed);
        Ok(Ready::Judged(outcome, reasons))
    }

    fn keep(&mut self, unit: usize, closed: Closed) -> (Outcome, Vec<Reason>) {
        let check = &self.checks[unit];
        self.run.report.reasons.extend(closed.reasons.iter().cloned());
        if let Some(signed) = closed.signed {
            let (name, role) = (check.name.to_string(), check.role.clone());
            self.run.report.statements.push(MadeStatement { name, role, signed });
        }
        (closed.outcome, closed.reasons)
    }
}

/// The executable behind an adapter; none for a test.
pub(crate) fn tool_of(check: &PlannedCheck) -> Option<&str> {
    match &check.kind {
        CheckKind::Adapter { tool, .. } => tool.as_deref().or(check.argv.first().map(String::as_str)),
        CheckKind::Manifest { .. } => check.argv.first().map(String::as_str),
        CheckKind::Test { .. } | CheckKind::Scan { .. } | CheckKind::Sbom => None,
    }
}

/// Where a scan of ours leaves a file, as [`freeze_file`] names it.
fn left(file: &str) -> Result<RelPath, RunError> {
    let path = format!("{REPORT_NAME}/{file}");
    path.parse().map_err(|error| RunError::internal("name a report", &error))
}

fn hash_file(path: &Path) -> Result<Digest, RunError> {
    let file = File::open(path).map_err(|source| RunError::io(format!("open {}", path.display()), source))?;
    Ok(plimsoll_fs::open_and_hash(file.as_fd())?)
}

impl Director for Checks<'_, '_, '_, '_> {
    fn job(&mut self, unit: usize, attempt: u32) -> Result<Ready, RunError> {
        let check = &self.checks[unit];
        if let Some(planned) = &check.adapter {
            if planned.obstacle.is_some() {
                return self.without_tool(unit, attempt, None);
            }
            let equipped = match Equipped::find(self.run.world.tools, planned) {
                Ok(equipped) => equipped,
                Err(problem) => return self.without_tool(unit, attempt, Some(problem)),
            };
            (self.tools[unit], self.data[unit]) = (Some(equipped.digest()), equipped.data_digest());
            let artifact = self.artifact.clone().filter(|_| check.on == On::Artifact);
            let command = (check.argv.clone(), check.env.clone());
            let service = foreign::service(check, artifact.as_ref());
            return Ok(Ready::Run(Job { service, ..equipped.job(planned, command, artifact) }));
        }
        if let Some(name) = tool_of(check) {
            let Some(path) = self.run.world.toolchain.find(name) else {
                return self.without_tool(unit, attempt, None);
            };
            self.tools[unit] = Some(hash_file(&path)?);
        }
        if check.kind == CheckKind::Sbom
            && let Some(artifact) = self.artifact.clone()
        {
            let scanner = self.run.world.scanner;
            self.tools[unit] = Some(hash_file(&scanner.program)?);
            return Ok(Ready::Run(scanner.bill(check, artifact)));
        }
        if let CheckKind::Scan { engine } = check.kind {
            let scanner = self.run.world.scanner;
            self.tools[unit] = Some(hash_file(&scanner.program)?);
            let artifact = self.artifact.clone().filter(|_| check.on == On::Artifact);
            return Ok(Ready::Run(scanner.job(engine, check, artifact)));
        }
        Ok(Ready::Run(Job {
            argv: check.argv.clone(),
            env: check.env.clone(),
            writable: check.writable.clone(),
            inputs: vec![],
            mounts: vec![],
            artifact: self.artifact.clone().filter(|_| check.on == On::Artifact),
            cwd: SOURCE,
            limits: Limits::within(check.timeout_seconds),
            service: None,
        }))
    }

    fn ended(
        &mut self,
        unit: usize,
        attempt: u32,
        result: Attempt,
    ) -> Result<(Outcome, Vec<Reason>), RunError> {
        let check = &self.checks[unit];
        let report = self.report(check, &result)?;
        if check.kind == CheckKind::Sbom {
            self.hand_over_provenance()?;
        }
        let artifact = self.run.report.artifact.as_ref().map(|artifact| artifact.manifest);
        let close = CloseCheck {
            check: check.name.clone(),
            attempt,
            observed: result.observed,
            report,
            artifact: artifact.filter(|_| check.on == On::Artifact),
            tool: self.tools[unit],
            data: self.data[unit],
        };
        let closed = closed(self.signers.scanner.ask(&Request::CloseCheck(close))?)?;
        Ok(self.keep(unit, closed))
    }
}
