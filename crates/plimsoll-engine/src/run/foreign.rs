//! Foreign scanners that a manifest describes. Each runs as any check does, with less: its tool and its data appear
//! read-only, it starts in an empty directory, and beside its report it can write nothing that lasts.

use super::{
    RunError,
    job::{Job, SCRATCH, ServiceJob},
    units::Attempt,
    workspace::freeze_file,
};
use crate::ports::{Blobs, FoundTool, Limits, Mount, ToolProblem, Tools};
use plimsoll_model::{Digest, RelPath};
use plimsoll_pipeline::{
    CheckKind, PlannedAdapter, PlannedCheck,
    adapter::{CONFIG, DATA, REPORT_DIRECTORY, REPORT_FILE, ReportPlace},
};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// Name of the report's directory among what the sandbox wrote.
const REPORT: &str = "report";

/// What a scanner is started with.
pub(crate) struct Equipped {
    tool: FoundTool,
    data: Option<(PathBuf, Digest)>,
}

impl Equipped {
    /// What of the machine the manifest asks for.
    ///
    /// # Errors
    /// When something is not there, or is not what the manifest accepts.
    pub(crate) fn find(tools: &dyn Tools, planned: &PlannedAdapter) -> Result<Self, ToolProblem> {
        let manifest = &planned.manifest;
        let tool = tools.find(&manifest.tool)?;
        let accepted = &manifest.tool.accepted;
        if !accepted.is_empty() && !accepted.contains(&tool.digest) {
            return Err(ToolProblem(format!(
                "the one here is {}, which its manifest does not accept",
                tool.digest
            )));
        }
        let data = manifest.data.as_deref().map(|directory| tools.data(directory)).transpose()?;
        Ok(Self { tool, data })
    }

    /// The shell of every sandbox and nothing else, to look around.
    pub(crate) fn nothing() -> Self {
        let tool = FoundTool { program: "/bin/sh".into(), mounts: vec![], digest: Digest::of(b"") };
        Self { tool, data: None }
    }

    /// Digest of the tool.
    pub(super) const fn digest(&self) -> Digest {
        self.tool.digest
    }

    /// Digest of its data.
    pub(super) fn data_digest(&self) -> Option<Digest> {
        self.data.as_ref().map(|(_, digest)| *digest)
    }

    /// The sandbox of one attempt.
    pub(crate) fn job(
        &self,
        planned: &PlannedAdapter,
        (mut argv, env): (Vec<String>, BTreeMap<String, String>),
        artifact: Option<PathBuf>,
    ) -> Job {
        let manifest = &planned.manifest;
        if let Some(program) = argv.first_mut() {
            program.clone_from(&self.tool.program);
        }
        let mut mounts = self.tool.mounts.clone();
        mounts.push(Mount::Writable { name: REPORT.into(), target: REPORT_DIRECTORY.into() });
        mounts.extend(manifest.config.clone().map(|content| Mount::File { target: CONFIG.into(), content }));
        let data = self.data.iter().map(|(source, _)| source.clone());
        mounts.extend(data.map(|source| Mount::ReadOnly { source, target: DATA.into() }));
        let default = Limits::default();
        Job {
            argv,
            env,
            writable: vec![],
            inputs: vec![],
            mounts,
            artifact,
            cwd: SCRATCH,
            limits: Limits {
                wall: Some(Duration::from_secs(manifest.limits.seconds)),
                memory: manifest.limits.memory,
                // What it prints can be its report.
                log: default.log.saturating_add(manifest.limits.report),
                output: manifest.limits.report.saturating_mul(2),
                ..default
            },
            service: None,
        }
    }
}

/// The service that a scanner looks at: a program of the artifact, which sees what tests of the artifact see.
pub(super) fn service(check: &PlannedCheck, artifact: Option<&PathBuf>) -> Option<Box<ServiceJob>> {
    let CheckKind::Manifest { service: Some(service), .. } = &check.kind else { return None };
    let job = Job {
        argv: service.run.clone(),
        env: service.env.clone(),
        writable: vec![],
        inputs: vec![],
        mounts: vec![],
        artifact: artifact.cloned(),
        cwd: SCRATCH,
        // It ends with its scanner.
        limits: Limits::within(check.timeout_seconds.saturating_add(60)),
        service: None,
    };
    Some(Box::new(ServiceJob { job, port: service.port }))
}

/// The report of an attempt; none where there is no such file, or nothing was printed.
pub(super) fn report(
    blobs: &dyn Blobs,
    planned: &PlannedAdapter,
    attempt: &Attempt,
) -> Result<Option<Digest>, RunError> {
    match planned.manifest.report.at {
        ReportPlace::Stdout if attempt.stdout.is_empty() => Ok(None),
        ReportPlace::Stdout => Ok(Some(blobs.put(&attempt.stdout)?)),
        ReportPlace::File => {
            let path: Result<RelPath, _> = format!("{REPORT}/{REPORT_FILE}").parse();
            let path = path.map_err(|error| RunError::internal("name a report", &error))?;
            Ok(freeze_file(blobs, &attempt.finished.writable, &path)?)
        }
    }
}
