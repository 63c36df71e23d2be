//! `plimsoll trace`: commit, materials, run, artifact, evidence, decision, process; from any of them to all others.

use super::{status, stop, why};
use crate::{
    cli::{ProjectAt, Trace},
    context::Context,
    failure::Failure,
    installed::{self, Seen},
    output::Output,
    places,
    records::{self, DecisionRecord, Found, RunRecord},
};
use environments::Environment;
use plimsoll_attest::{
    Statement, Verified,
    predicate::{Provenance, common::ResourceDescriptor},
    verify,
};
use plimsoll_engine::ports::Blobs as _;
use plimsoll_host::{Installed, Look, ServiceRecord, ServiceState};
use plimsoll_model::{Digest, Role};
use plimsoll_store::StateDir;
use serde::Serialize;
use std::{fs::File, os::fd::AsFd as _};

mod environments;

/// Bytes of a bundle.
const LIMIT: u64 = 32 << 20;

/// One way from a commit to whatever came of it.
#[derive(Debug, Serialize)]
struct Way {
    run: RunRecord,
    materials: Vec<String>,
    decisions: Vec<DecisionRecord>,
    processes: Vec<Process>,
    installed: Vec<Seen>,
    environments: Vec<Environment>,
}

/// A process that runs the artifact.
#[derive(Debug, Serialize)]
struct Process {
    unit: String,
    service: ServiceRecord,
    /// Digest of the file that the process executes, read from the process itself.
    actual: Option<Digest>,
    /// What its supervisor saw of it; none where it has not looked yet.
    look: Option<Look>,
}

pub(crate) fn trace(context: &Context, arguments: &Trace, output: &Output) -> Result<(), Failure> {
    let state = context.reader()?;
    let services = status::services(context)?;
    let installed = installed::all(context)?;
    let decisions = records::decisions(&state)?;
    let runs: Vec<Found> = records::list(&state)?.collect::<Result<_, _>>()?;
    let runs: Vec<RunRecord> = runs.into_iter().filter_map(|found| found.record).collect();
    let places = places::known_places(context)?;
    let services_here = services.iter().map(|(unit, service)| (unit, service.decision));
    let here = services_here.chain(installed.iter().map(|(unit, installed)| (unit, installed.decision)));
    let here: Vec<_> = here.filter(|(unit, _)| unit.to_string() == arguments.of).map(|(_, d)| d).collect();
    let wanted = wanted(&arguments.of, &runs, &decisions, &here);
    let elsewhere = environments::made_elsewhere(&places, &arguments.of, &runs);
    if wanted.is_empty() && elsewhere.is_empty() {
        let of = &arguments.of;
        return Err(Failure::Usage(format!(
            "nothing is known of {of}; expected a commit, run, digest or PROJECT@ENVIRONMENT"
        )));
    }
    let mut ways = Vec::new();
    for run in wanted {
        let way = way(context, &state, run, &decisions, &services)?;
        let installed = seen(context, &state, &way.decisions, &installed)?;
        ways.push(Way { installed, environments: environments::of_run(&places, run), ..way });
    }
    let text: String = ways.iter().map(way_text).chain(elsewhere.iter().map(Environment::text)).collect();
    output.result(&text, &environments::with_elsewhere(&ways, &elsewhere));
    Ok(())
}

/// What is installed under one of these decisions.
fn seen(
    context: &Context,
    state: &StateDir,
    decisions: &[DecisionRecord],
    installed: &[(ProjectAt, Installed)],
) -> Result<Vec<Seen>, Failure> {
    let own = |installed: &Installed| decisions.iter().any(|d| d.decision == installed.decision);
    let own = installed.iter().filter(|(_, installed)| own(installed));
    own.map(|(unit, installed)| installed::look(context, state, unit, installed)).collect()
}

/// The runs that `of` leads to; `here` are the decisions behind what it names on this machine.
fn wanted<'a>(
    of: &str,
    runs: &'a [RunRecord],
    decisions: &[DecisionRecord],
    here: &[Digest],
) -> Vec<&'a RunRecord> {
    let hex = of.trim_start_matches("sha256:");
    let begins = |digest: &Digest| hex.len() >= 8 && digest.hex().starts_with(hex);
    let decided = decisions.iter().filter(|d| begins(&d.decision) || here.contains(&d.decision));
    let decided: Vec<_> = decided.map(|decision| &decision.run).collect();
    let of_run = |run: &&RunRecord| {
        let artifact = run.artifact.as_ref();
        let files =
            artifact.is_some_and(|a| begins(&a.manifest) || a.files.iter().any(|file| begins(&file.digest)));
        let named =
            of.len() >= 7 && (run.commit.as_str().starts_with(of) || run.run.as_str().starts_with(of));
        named || files || decided.contains(&&run.run) || run.statements.iter().any(|s| begins(&s.statement))
    };
    runs.iter().filter(of_run).collect()
}

fn way(
    context: &Context,
    state: &StateDir,
    run: &RunRecord,
    decisions: &[DecisionRecord],
    services: &[(ProjectAt, ServiceRecord)],
) -> Result<Way, Failure> {
    let decisions: Vec<DecisionRecord> =
        decisions.iter().filter(|decision| decision.run == run.run).cloned().collect();
    let mut processes = Vec::new();
    for (unit, service) in services {
        let own = decisions.iter().any(|decision| decision.decision == service.decision);
        if own && service.state == ServiceState::Serving {
            for decision in decisions.iter().filter(|decision| decision.decision == service.decision) {
                // A record is only believed as far as the signed decision behind it.
                why::verified(context, state, unit, decision)?;
            }
            processes.push(Process {
                unit: unit.to_string(),
                service: service.clone(),
                actual: executable(service.process),
                look: look(context, unit),
            });
        }
    }
    let (materials, run) = (materials(context, state, run)?, run.clone());
    Ok(Way { run, materials, decisions, processes, installed: vec![], environments: vec![] })
}

/// What went into the build.
fn materials(context: &Context, state: &StateDir, run: &RunRecord) -> Result<Vec<String>, Failure> {
    let inputs = inputs(context, state, run)?.into_iter();
    Ok(inputs.filter_map(|input| input.uri.or(input.name)).collect())
}

/// What went into the build, by the signed provenance; nothing where the run made no artifact.
pub(crate) fn inputs(
    context: &Context,
    state: &StateDir,
    run: &RunRecord,
) -> Result<Vec<ResourceDescriptor>, Failure> {
    let Some(record) = run.statement("artifact") else { return Ok(vec![]) };
    let bundle = state.layout().read(&record.bundle, LIMIT)?;
    let provenance: Verified<Statement<Provenance>> = verify(&bundle, &context.trust()?, &Role::Builder)?;
    Ok(provenance.value().predicate.build_definition.resolved_dependencies.clone())
}

/// The digest of what a process executes, from the process itself.
pub(crate) fn executable(process: u32) -> Option<Digest> {
    let file = File::open(format!("/proc/{process}/exe")).ok()?;
    plimsoll_fs::open_and_hash(file.as_fd()).ok()
}

fn look(context: &Context, unit: &ProjectAt) -> Option<Look> {
    stop::directory(context, unit).ok()?.look()
}

/// How the process differs from what was decided.
fn difference(process: &Process) -> String {
    let mut found = Vec::new();
    if process.actual.is_some_and(|actual| actual != process.service.executable) {
        found.push("another file is executed".to_owned());
    }
    if let Some(look) = &process.look {
        found.extend(look.drift.iter().map(|drift| format!("{}: {}", drift.what, drift.cause)));
        found.extend(look.problem.iter().map(|problem| format!("cannot be looked at: {problem}")));
    }
    match process.actual {
        Some(_) if found.is_empty() => "as decided".into(),
        None if found.is_empty() => "cannot be read".into(),
        _ => format!("NOT AS DECIDED: {}", found.join("; ")),
    }
}

fn way_text(way: &Way) -> String {
    let run = &way.run;
    let mut text = format!("commit    {}\n  tree    {}\n", run.commit, run.tree);
    let shown = way.materials.iter().take(8);
    text.extend(shown.map(|material| format!("  input   {material}\n")));
    if way.materials.len() > 8 {
        text.push_str(&format!("  input   … {} more (--json lists them)\n", way.materials.len() - 8));
    }
    text.push_str(&format!("run       {}  {}\n", run.run, run.tier));
    if let Some(artifact) = &run.artifact {
        text.push_str(&format!("artifact  {}\n", artifact.manifest));
        text.extend(artifact.files.iter().map(|file| format!("  file    {}  {}\n", file.digest, file.path)));
    }
    for statement in &run.statements {
        text.push_str(&format!(
            "evidence  {}  {} by {}\n",
            statement.statement, statement.name, statement.role
        ));
    }
    for decision in &way.decisions {
        let verdict = if decision.allowed { "allowed" } else { "refused" };
        text.push_str(&format!("decision  {}  {} {verdict}\n", decision.decision, decision.unit));
    }
    for process in &way.processes {
        let fits = difference(process);
        let actual = process.actual.map_or_else(|| "unknown".to_owned(), |digest| digest.to_string());
        text.push_str(&format!(
            "process   {}  {}  executes {actual}  {fits}\n",
            process.service.process, process.unit
        ));
    }
    text.extend(way.installed.iter().map(Seen::text));
    text.extend(way.environments.iter().map(Environment::text));
    text
}
