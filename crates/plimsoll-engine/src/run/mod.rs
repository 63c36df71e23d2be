//! One run, from a commit to a signed run statement. The executor does and observes; signers derive and judge. The
//! order of things is in [`execute`]; the loop that runs units is in `units`.

mod checks;
mod error;
mod event;
mod fetching;
mod foreign;
mod job;
mod scanner;
mod service;
mod steps;
mod units;
mod workspace;

pub(crate) use checks::tool_of;
pub use error::RunError;
pub use event::Event;
pub(crate) use fetching::judge_materials;
pub(crate) use foreign::Equipped;
pub(crate) use job::Surroundings;
pub use scanner::{SCAN_STATE, Scanner};

use crate::{
    derive,
    fetch::ClientConfig,
    ports::{Assemble, Blobs, Egress, Mount, Sandbox, Signer, Source, Tools},
    signer::{CloseArtifact, Closed, Open, Opened, Request, Response, Signed, protocol::ArtifactRecord},
};
use plimsoll_model::{Code, Digest, Outcome, Reason, RelPath, Role, Timestamp, Tree};
use plimsoll_pipeline::{Plan, Registry};
use std::{
    collections::BTreeMap,
    os::fd::AsFd,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    thread,
};
use units::Floor;
use workspace::Workspace;

/// The toolchain that steps find in their sandboxes.
#[derive(Debug, Clone)]
pub struct Toolchain {
    /// Its mounts.
    pub mounts: Vec<Mount>,
    /// `PATH` inside; its directories are the same on the host, but for the toolchain's own.
    pub path: String,
    /// Directories of [`Toolchain::path`] on the host, in order.
    pub directories: Vec<PathBuf>,
    /// The package manager's own binary inside, for the fetch phase.
    pub cargo: Option<String>,
    /// Digest of its manifest.
    pub digest: Digest,
}

impl Toolchain {
    /// Where the executable that a sandbox finds under `name` lies on the host.
    pub(crate) fn find(&self, name: &str) -> Option<PathBuf> {
        if name.starts_with('/') {
            return Some(PathBuf::from(name)).filter(|path| path.is_file());
        }
        self.directories.iter().map(|directory| directory.join(name)).find(|path| path.is_file())
    }
}

/// What the operator of this machine told the package manager, for the fetch phase.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// Its own configuration.
    pub config: ClientConfig,
    /// Registries of the delivery repository.
    pub registries: Vec<Registry>,
    /// A bundle of certificate authorities on this machine.
    pub certificates: Option<PathBuf>,
}

/// What a run needs of the world.
pub struct World<'a> {
    /// The content store.
    pub blobs: &'a dyn Blobs,
    /// Where foreign code runs.
    pub sandbox: &'a dyn Sandbox,
    /// The repository.
    pub source: &'a dyn Source,
    /// Artifacts out of outputs.
    pub assemble: &'a dyn Assemble,
    /// The way out for the fetch phase.
    pub egress: &'a dyn Egress,
    /// What steps build with.
    pub toolchain: &'a Toolchain,
    /// What the fetch phase goes by.
    pub client: &'a Client,
    /// What scans.
    pub scanner: &'a Scanner,
    /// Where foreign scanners are found.
    pub tools: &'a dyn Tools,
    /// A path that does not exist yet, for the run's directory.
    pub directory: PathBuf,
    /// The clock.
    pub clock: fn() -> Timestamp,
    /// Set from outside to stop the run.
    pub interrupted: &'a AtomicBool,
}

/// The signers of a run.
pub struct Signers<'a> {
    /// Signs provenance and the run statement.
    pub builder: &'a mut dyn Signer,
    /// Signs results of checks.
    pub scanner: &'a mut dyn Signer,
    /// Signs what the revision is.
    pub source: &'a mut dyn Signer,
}

/// A statement that a run made.
#[derive(Debug, Clone)]
pub struct MadeStatement {
    /// What it is about: `source`, `artifact`, a check, or `run`.
    pub name: String,
    /// Who signed it.
    pub role: Role,
    /// The statement.
    pub signed: Signed,
}

/// What a run came to.
#[derive(Debug)]
pub struct Report {
    /// What the signers derived.
    pub opened: Opened,
    /// Outcome of each step, in order.
    pub steps: Vec<(String, Outcome)>,
    /// Outcome of each check, in order.
    pub checks: Vec<(String, Outcome)>,
    /// The artifact, if the build passed.
    pub artifact: Option<ArtifactRecord>,
    /// Every statement, the run statement last.
    pub statements: Vec<MadeStatement>,
    /// Why steps and checks did not pass.
    pub reasons: Vec<Reason>,
}

impl Report {
    /// Whether every step and every check passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.artifact.is_some()
            && self.steps.iter().chain(&self.checks).all(|(_, outcome)| *outcome == Outcome::Passed)
    }

    fn keep(&mut self, name: &str, role: Role, closed: Closed) {
        self.reasons.extend(closed.reasons);
        if let Some(signed) = closed.signed {
            self.statements.push(MadeStatement { name: name.into(), role, signed });
        }
    }
}

/// Runs a commit's pipeline. Steps, an artifact and checks that fail are part of the report; only what keeps the run from a run
/// statement is an error.
///
/// # Errors
/// When a signer refuses, when a rule of fetching or freezing says no before there is anything to state, when the
/// machine fails, or when somebody interrupts.
pub fn execute(
    world: &World<'_>,
    signers: &mut Signers<'_>,
    open: &Open,
    watch: &mut dyn FnMut(Event<'_>),
) -> Result<Report, RunError> {
    let opened = open_run(signers, open)?;
    let derived = derive::pipeline(world.source, open)?;
    agree(&opened, &derived)?;
    watch(Event::Opened { plan: opened.plan, tier: opened.tier, reasons: &opened.reasons });
    let mut run = Run::prepare(world, open, &derived, opened)?;
    run.close_source(signers)?;
    run.fetch(signers, watch)?;
    let started = (world.clock)();
    run.build(signers, watch)?;
    run.assemble(signers, started, watch)?;
    run.check(signers, watch)?;
    run.finish(signers)
}

/// Opens the run with every signer; all must derive the same. The builder is first, since the others look for what it
/// journals; they derive at the same time.
fn open_run(signers: &mut Signers<'_>, open: &Open) -> Result<Opened, RunError> {
    let request = Request::Open(open.clone());
    let ask = |signer: &mut dyn Signer| match signer.ask(&request)? {
        Response::Opened(opened) => Ok(opened),
        Response::Refused { reasons } => Err(RunError::Refused(reasons)),
        Response::Closed(_) | Response::Decided(_) | Response::Described(_) => Err(out_of_turn()),
    };
    let first = ask(signers.builder)?;
    let (scanner, source) = thread::scope(|scope| {
        let scanner = scope.spawn(|| ask(signers.scanner));
        let source = ask(signers.source);
        (scanner.join().unwrap_or_else(|_| Err(out_of_turn())), source)
    });
    let same = |other: Opened| (other.plan, other.tree) == (first.plan, first.tree);
    if same(scanner?) && same(source?) { Ok(first) } else { Err(out_of_turn()) }
}

fn out_of_turn() -> RunError {
    RunError::Internal { action: "talk to a signer".into(), problem: "it answered out of turn".into() }
}

/// The executor must see what the signers saw.
fn agree(opened: &Opened, derived: &derive::Derived) -> Result<(), RunError> {
    if opened.plan == derived.plan_digest {
        return Ok(());
    }
    let reason = Code::RefMoved.reason().with("reference", "the commit's pipeline");
    Err(reason.with("first", opened.plan).with("second", derived.plan_digest).into())
}

pub(crate) fn closed(answer: Response) -> Result<Closed, RunError> {
    match answer {
        Response::Closed(closed) => Ok(closed),
        Response::Refused { reasons } => Err(RunError::Refused(reasons)),
        Response::Opened(_) | Response::Decided(_) | Response::Described(_) => Err(out_of_turn()),
    }
}

/// A run under way.
pub(crate) struct Run<'a> {
    pub(crate) world: &'a World<'a>,
    pub(crate) open: &'a Open,
    pub(crate) plan: &'a Plan,
    /// The exported source.
    pub(crate) tree: Tree,
    pub(crate) workspace: Workspace,
    pub(crate) around: Surroundings,
    pub(crate) report: Report,
    /// Frozen outputs by the path below the source that the step named.
    pub(crate) outputs: BTreeMap<RelPath, PathBuf>,
}

impl<'a> Run<'a> {
    fn prepare(
        world: &'a World<'a>,
        open: &'a Open,
        derived: &'a derive::Derived,
        opened: Opened,
    ) -> Result<Self, RunError> {
        let workspace = Workspace::create(world.directory.clone())?;
        let (source, descriptor) = workspace.directory("src")?;
        let tree = world.source.export(&open.commit, open.subdirectory.as_ref(), descriptor.as_fd())?;
        let digest = tree.digest().map_err(|error| RunError::internal("name the exported tree", &error))?;
        if digest != opened.tree {
            let reason = Code::DigestMismatch.reason().with("what", "the exported tree");
            return Err(reason.with("actual", digest).with("expected", opened.tree).into());
        }
        let plan = &derived.plan;
        workspace::make_mount_points(&source, steps::writable(plan).iter(), steps::outputs(plan).iter())?;
        let around = Surroundings {
            toolchain: world.toolchain.mounts.clone(),
            path: world.toolchain.path.clone(),
            source,
            vendor: None,
            commit: open.commit.clone(),
            committed: derived.committed,
        };
        let report = Report {
            opened,
            steps: vec![],
            checks: vec![],
            artifact: None,
            statements: vec![],
            reasons: vec![],
        };
        Ok(Self { world, open, plan, tree, workspace, around, report, outputs: BTreeMap::new() })
    }

    fn close_source(&mut self, signers: &mut Signers<'_>) -> Result<(), RunError> {
        let closed = closed(signers.source.ask(&Request::CloseSource)?)?;
        self.report.keep("source", Role::Source, closed);
        Ok(())
    }

    /// The floor that units run on.
    pub(crate) fn floor<'b>(world: &'b World<'_>, around: &'b Surroundings) -> Floor<'b> {
        Floor {
            blobs: world.blobs,
            sandbox: world.sandbox,
            around,
            clock: world.clock,
            interrupted: world.interrupted,
        }
    }

    fn assemble(
        &mut self,
        signers: &mut Signers<'_>,
        started: Timestamp,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), RunError> {
        if self.report.steps.iter().any(|(_, outcome)| *outcome != Outcome::Passed) {
            return Ok(());
        }
        let close =
            CloseArtifact { toolchain: self.world.toolchain.digest, started, finished: (self.world.clock)() };
        let closed = closed(signers.builder.ask(&Request::CloseArtifact(close))?)?;
        watch(match &closed.artifact {
            Some(artifact) => Event::Assembled { artifact: artifact.manifest },
            None => Event::Ended {
                name: "artifact",
                attempt: 1,
                outcome: closed.outcome,
                reasons: &closed.reasons,
            },
        });
        self.report.artifact = closed.artifact.clone();
        self.report.keep("artifact", Role::Builder, closed);
        Ok(())
    }

    fn finish(mut self, signers: &mut Signers<'_>) -> Result<Report, RunError> {
        let closed = closed(signers.builder.ask(&Request::Finish)?)?;
        self.report.keep("run", Role::Builder, closed);
        Ok(self.report)
    }

    /// Writes a tree of stored content into a fresh directory of the run.
    pub(crate) fn materialise(&self, name: &str, tree: &Tree) -> Result<PathBuf, RunError> {
        let (path, descriptor) = self.workspace.directory(name)?;
        let time = self.around.committed.as_second();
        workspace::unpack(self.world.blobs, tree, descriptor.as_fd(), time)?;
        Ok(path)
    }

    /// A path below the run's directory on the host.
    pub(crate) fn place(root: &Path, path: &RelPath) -> PathBuf {
        root.join(path.as_str())
    }
}
