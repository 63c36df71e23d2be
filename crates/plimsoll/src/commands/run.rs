//! `plimsoll run`: one commit becomes a signed, verified artifact.

use super::signer;
use crate::{
    assembler::Assembler,
    cli,
    context::{self, Context, RUN_ROLES},
    decisions::note_refusal,
    failure::Failure,
    interrupt,
    output::Output,
    records::{CheckRecord, RunRecord, StatementRecord},
};
use plimsoll_engine::{
    derive::required,
    ports::{Blobs as _, Resolved, Source as _},
    run::{self, Event, Report, RunError, Signers, Toolchain, World},
    signer::Open,
};
use plimsoll_gateway::Gateway;
use plimsoll_git::GitSource;
use plimsoll_model::record::Tier;
use plimsoll_model::{CommitId, Digest, Outcome, ProjectName, RunId, Timestamp};
use plimsoll_pipeline::{Environment, Pipeline};
use plimsoll_sign::SignerProcess;
use plimsoll_store::{IndexEntry, RunDirectory, StateDir, bundle_referrer, oci::Descriptor};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::Write as _,
    os::fd::AsFd as _,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
};

/// Bytes of a pipeline's file.
const PIPELINE_LIMIT: u64 = 1 << 20;

pub(crate) fn run(context: &Context, arguments: &cli::Run, output: &Output) -> Result<ExitCode, Failure> {
    let repository = absolute(&arguments.repository)?;
    let source = GitSource::open(&repository)?;
    let resolved = source.resolve(&arguments.revision)?;
    let state = context.writer("run")?;
    // Looking at ten thousand files takes about as long as git does.
    thread::scope(|scope| {
        let toolchain = scope.spawn(|| context::toolchain(&context.state.join("toolchain.cache")));
        let toolchain = || {
            let broken =
                |_| Failure::Broken { what: "reading the host's toolchain broke off".into(), next: None };
            toolchain.join().map_err(broken)?
        };
        build(context, &state, (&source, &repository), resolved, toolchain, output)
    })
}

fn build(
    context: &Context,
    state: &StateDir,
    (source, repository): (&GitSource, &Path),
    resolved: Resolved,
    toolchain: impl FnOnce() -> Result<Toolchain, Failure>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    refresh(context, output)?;
    for role in &RUN_ROLES {
        let made = context.keys().load_or_create(role);
        made.map_err(|error| Failure::broken(format!("failed to make the {role} key"), &error))?;
    }
    let open = Open {
        run: random_run()?,
        requested: resolved.requested,
        reference: resolved.reference,
        commit: resolved.commit,
        subdirectory: source.prefix().cloned(),
        parameters: BTreeMap::new(),
    };
    output.progress(&format!("run {}  commit {}", &open.run.as_str()[..8], open.commit.short()));
    // They have something to read before they can answer, and so have we.
    let signers = RunSigners::start(context, repository)?;
    left_out(source, output);
    let toolchain = toolchain()?;
    let directory = state.runs().create(&open.run, Timestamp::now())?;
    let report = execute(context, state, (&open, &directory), source, signers, &toolchain, output);
    let report = report.map_err(|stopped| {
        show_errors(source, &open.commit, output);
        failure(state, &open, stopped, output)
    })?;
    let record = keep(state, &directory, &open, report)?;
    show(&record, first(context, &record.project).as_deref(), output);
    Ok(if record.passed { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Fetches the delivery repository. A run may be judged by what was fetched last; what it leads to is judged again.
fn refresh(context: &Context, output: &Output) -> Result<(), Failure> {
    if context.pinned()?.is_none() {
        return Ok(());
    }
    match context.refresh() {
        Err(Failure::Broken { what, .. }) if context.delivery().is_ok() => {
            output.progress(&format!("{what}; going on with what was fetched last"));
            Ok(())
        }
        fetched => fetched.map(|_| ()),
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    path.canonicalize().map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

fn random_run() -> Result<RunId, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Failure::broken("failed to find randomness", &error))?;
    Ok(RunId::from_random(bytes))
}

/// Says what is not part of the run, since only commits are built.
fn left_out(source: &GitSource, output: &Output) {
    let Ok(changed) = source.uncommitted() else { return };
    if !changed.is_empty() {
        let first: Vec<&str> = changed.keys().take(5).map(String::as_str).collect();
        let more = if changed.len() > first.len() { ", …" } else { "" };
        output.progress(&format!("not committed, so left out: {}{more}", first.join(", ")));
    }
}

/// Shows every error of the commit's pipeline with its place; a reason only counts them.
fn show_errors(source: &GitSource, commit: &CommitId, output: &Output) {
    let path = plimsoll_engine::derive::pipeline_path(source.prefix());
    let read = path.map(|path| (source.file(commit, &path, PIPELINE_LIMIT), path));
    if let Ok((Ok(Some(bytes)), path)) = read
        && let Err(errors) = Pipeline::read(path.as_str(), &bytes)
    {
        output.progress(errors.render().trim_end());
    }
}

/// The signer processes of a run.
struct RunSigners {
    builder: SignerProcess,
    scanner: SignerProcess,
    source: SignerProcess,
}

impl RunSigners {
    fn start(context: &Context, repository: &Path) -> Result<Self, Failure> {
        let start = |role| signer::start(context, role, Some(repository));
        let [builder, scanner, source] = &RUN_ROLES;
        Ok(Self { builder: start(builder)?, scanner: start(scanner)?, source: start(source)? })
    }
}

fn execute(
    context: &Context,
    state: &StateDir,
    (open, directory): (&Open, &RunDirectory),
    source: &GitSource,
    mut signers: RunSigners,
    toolchain: &Toolchain,
    output: &Output,
) -> Result<Report, Stopped> {
    let sandbox = context::sandbox()?;
    let delivery = context.pinned()?.map(|_| context.delivery()).transpose()?;
    let client = context::client(delivery.as_ref())?;
    let assembler = Assembler { blobs: state.layout(), project: signer::project_directory(source) };
    let scans = context.scanner()?;
    let work = context.state.join("work");
    sweep(&work)?;
    let world = World {
        blobs: state.layout(),
        sandbox: &sandbox,
        source,
        assemble: &assembler,
        egress: &Gateway::default(),
        toolchain,
        client: &client,
        scanner: &scans,
        tools: &context.tools(),
        directory: work.join(open.run.as_str()),
        clock: Timestamp::now,
        interrupted: interrupt::flag()
            .map_err(|error| Failure::broken("failed to listen for signals", &error))?,
    };
    let mut watcher = Watcher { output, directory, logs: BTreeMap::new() };
    let mut signers =
        Signers { builder: &mut signers.builder, scanner: &mut signers.scanner, source: &mut signers.source };
    Ok(run::execute(&world, &mut signers, open, &mut |event| watcher.see(&event))?)
}

/// Why there is no report.
enum Stopped {
    Run(RunError),
    Failure(Failure),
}

impl From<RunError> for Stopped {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// What the person hears. A refusal is written to the journal first.
fn failure(state: &StateDir, open: &Open, stopped: Stopped, output: &Output) -> Failure {
    let error = match stopped {
        Stopped::Failure(failure) => return failure,
        Stopped::Run(error) => error,
    };
    let failure = Failure::from_run(error, output);
    match note_refusal(state, &failure, None, Some(&open.run), None) {
        Ok(()) => failure,
        Err(unwritten) => unwritten,
    }
}

/// Removes what killed runs left behind. This process is the one writer, so nobody works there.
fn sweep(work: &Path) -> Result<(), Failure> {
    let failed = |error: &(dyn std::error::Error + 'static)| {
        Failure::broken(format!("failed to empty {}", work.display()), error)
    };
    fs::create_dir_all(work).map_err(|error| failed(&error))?;
    let directory = File::open(work).map_err(|error| failed(&error))?;
    for entry in fs::read_dir(work).map_err(|error| failed(&error))?.flatten() {
        if let Some(name) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
            plimsoll_fs::remove_tree(directory.as_fd(), &name).map_err(|error| failed(&error))?;
        }
    }
    Ok(())
}

/// Shows progress and keeps logs as they come, so that a run that dies leaves them.
struct Watcher<'a> {
    output: &'a Output,
    directory: &'a RunDirectory,
    logs: BTreeMap<String, File>,
}

impl Watcher<'_> {
    fn see(&mut self, event: &Event<'_>) {
        match event {
            Event::Opened { tier, reasons, .. } => {
                self.output.progress(&format!("tier {tier}"));
                for reason in *reasons {
                    self.output.progress(&format!("  {reason}"));
                }
            }
            Event::Started { name, attempt } if *attempt > 1 => {
                self.output.progress(&format!("          {name}  attempt {attempt}"));
            }
            Event::Started { name, .. } => self.output.progress(&format!("          {name} …")),
            Event::Output { name, attempt, bytes, .. } => self.log(name, *attempt, bytes),
            Event::Ended { name, outcome, reasons, .. } => {
                self.output.outcome(name, *outcome, "");
                for reason in *reasons {
                    self.output.progress(&format!("            {reason}"));
                }
            }
            Event::Assembled { artifact } => {
                self.output.outcome("artifact", Outcome::Passed, &artifact.to_string())
            }
        }
    }

    fn log(&mut self, name: &str, attempt: u32, bytes: &[u8]) {
        let file = format!("logs/{name}.{attempt}.log");
        if !self.logs.contains_key(&file)
            && let Some(opened) = file.parse().ok().and_then(|path| self.directory.append_log(&path).ok())
        {
            self.logs.insert(file.clone(), opened);
        }
        if let Some(log) = self.logs.get_mut(&file) {
            // The whole log becomes a blob; this copy is for looking at it meanwhile.
            let _ = log.write_all(bytes);
        }
    }
}

/// Stores what the run made: bundles as blobs and referrers, the artifact in the index, and a record of all of it.
fn keep(
    state: &StateDir,
    directory: &RunDirectory,
    open: &Open,
    report: Report,
) -> Result<RunRecord, Failure> {
    let layout = state.layout();
    let mut statements = Vec::new();
    let mut entries = Vec::new();
    let artifact = report.artifact.as_ref();
    if let Some(artifact) = artifact {
        let descriptor = Descriptor::new(&artifact.media_type, artifact.manifest, artifact.size);
        let annotations = [
            ("dev.plimsoll.commit".to_owned(), open.commit.to_string()),
            ("dev.plimsoll.run".to_owned(), open.run.to_string()),
        ];
        entries.push(IndexEntry { descriptor, name: None, annotations: annotations.into() });
    }
    for made in &report.statements {
        let bundle = layout.put(made.signed.bundle.as_bytes())?;
        if let Some(artifact) = artifact {
            let subject = Descriptor::new(&artifact.media_type, artifact.manifest, artifact.size);
            let bytes = made.signed.bundle.as_bytes();
            entries.push(bundle_referrer(layout, &subject, bytes, &made.signed.predicate_type, None)?);
        }
        statements.push(StatementRecord {
            name: made.name.clone(),
            role: made.role.clone(),
            predicate_type: made.signed.predicate_type.clone(),
            statement: made.signed.statement,
            bundle,
        });
    }
    layout.add_entries(entries)?;
    let passed = report.passed();
    let outcomes = |list: Vec<(String, Outcome)>| {
        list.into_iter().map(|(name, outcome)| CheckRecord { name, outcome }).collect::<Vec<_>>()
    };
    let record = RunRecord {
        version: 1,
        run: open.run.clone(),
        project: project(state, &open.run)?,
        commit: open.commit.clone(),
        tree: report.opened.tree,
        plan: report.opened.plan,
        pipeline: report.opened.pipeline,
        tier: report.opened.tier,
        untrusted: report.opened.reasons,
        finished: Timestamp::now(),
        passed,
        steps: outcomes(report.steps),
        checks: outcomes(report.checks),
        artifact: report.artifact,
        statements,
        reasons: unique(report.reasons),
    };
    record.save(directory)?;
    Ok(record)
}

/// The project that the builder's signer recorded for the run.
fn project(state: &StateDir, run: &RunId) -> Result<plimsoll_model::ProjectName, Failure> {
    use plimsoll_engine::ports::{Event, Journal as _};
    let entries = state.journal().entries()?;
    let opened = entries.into_iter().rev().find_map(|entry| match entry.event {
        Event::Opened { run: of, project, .. } if of == *run => Some(project),
        _ => None,
    });
    opened.ok_or_else(|| Failure::Broken { what: "the journal has no such run".into(), next: None })
}

fn unique(reasons: Vec<plimsoll_model::Reason>) -> Vec<plimsoll_model::Reason> {
    reasons.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

/// The environment of a project that comes after no other, as far as the delivery repository is at hand.
fn first(context: &Context, project: &ProjectName) -> Option<String> {
    let delivery = context.delivery().ok()?;
    let head = delivery.resolve("HEAD").ok()?.commit;
    let tree = delivery.tree(&head, Some(&"environments".parse().ok()?)).ok()?;
    let own = format!("/{project}/target.yaml");
    let mut environments = tree.entries.keys().filter_map(|path| path.as_str().strip_suffix(&own));
    let comes_first = |name: &&str| {
        let path = format!("environments/{name}/environment.yaml");
        let read = required(&delivery, &head, &path).ok();
        let declared = read.and_then(|bytes| Environment::read(&path, &bytes).ok());
        declared.is_some_and(|declared| declared.after.is_none())
    };
    environments.find(comes_first).map(str::to_owned)
}

fn show(record: &RunRecord, first: Option<&str>, output: &Output) {
    let bundle = |digest: &Digest| digest.short();
    let mut text =
        format!("run       {}\ncommit    {}\ntier      {}\n", record.run, record.commit, record.tier);
    if let Some(artifact) = &record.artifact {
        text.push_str(&format!("artifact  {}\n", artifact.manifest));
        for file in &artifact.files {
            text.push_str(&format!("  {}  {}\n", file.digest, file.path));
        }
    }
    for statement in &record.statements {
        text.push_str(&format!(
            "signed    {:<10} {:<8} bundle {}\n",
            statement.name,
            statement.role.to_string(),
            bundle(&statement.bundle)
        ));
    }
    text.push_str(if record.passed { "result    passed\n" } else { "result    not passed\n" });
    let next = match (record.passed, record.tier) {
        (true, Tier::Trusted) => {
            format!("next      plimsoll promote {} --to {}", record.project, first.unwrap_or("ENVIRONMENT"))
        }
        (true, Tier::Untrusted) => {
            format!("next      plimsoll export {} --to out", &record.run.as_str()[..8])
        }
        (false, _) => format!("next      plimsoll logs {}", &record.run.as_str()[..8]),
    };
    text.push_str(&next);
    output.result(&text, record);
    if !record.passed && !output.is_json() {
        output.refusal(&record.reasons, 1);
    }
}
