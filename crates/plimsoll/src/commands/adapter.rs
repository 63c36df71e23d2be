//! `plimsoll adapter`: the manifests of foreign scanners, and the conformance suite that each of them passes.

use crate::{
    cli::adapter::{AdapterCommand, AdapterTest},
    context::{self, Context},
    failure::Failure,
    output::Output,
};
use plimsoll_engine::{
    conformance::{Candidate, Room, Trial},
    ports::Tools as _,
};
use plimsoll_model::RelPath;
use plimsoll_pipeline::{
    Adapter,
    adapter::{InputKind, READY, Ready},
};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Bytes of a manifest.
const LIMIT: u64 = 1 << 20;
/// The recorded report among the files of a sample.
const RECORDED: &str = "recorded";

pub(crate) fn adapter(
    context: &Context,
    command: &AdapterCommand,
    output: &Output,
) -> Result<ExitCode, Failure> {
    match command {
        AdapterCommand::List => list(context, output),
        AdapterCommand::Show { manifest } => show(manifest, output),
        AdapterCommand::Test(arguments) => test(context, arguments, output),
    }
}

fn list(context: &Context, output: &Output) -> Result<ExitCode, Failure> {
    let tools = context.tools();
    let (mut text, mut all) = (String::new(), Vec::new());
    for ready in READY {
        let manifest = read(&format!("adapters/{}.yaml", ready.name), ready.manifest.as_bytes())?;
        let found = tools.find(&manifest.tool);
        let data = manifest.data.as_deref().filter(|data| !Path::new(data).is_dir());
        let state = match (&found, manifest.input.kind) {
            (_, InputKind::Recorded) => "reads a report".to_owned(),
            (Ok(_), _) => data.map_or_else(
                || "ready".to_owned(),
                |data| format!("needs the data in {data}: {}", manifest.tool.install),
            ),
            (Err(_), _) => format!("needs {}: {}", manifest.tool.executable, manifest.tool.install),
        };
        text.push_str(&format!("{:<12} {}\n{:<12}   {state}\n", ready.name, manifest.about, ""));
        all.push(json!({
            "name": ready.name,
            "about": manifest.about,
            "format": manifest.report.format,
            "input": manifest.input.kind,
            "tool": found.ok().map(|found| found.digest),
            "install": manifest.tool.install,
        }));
    }
    output.result(&text, &json!({ "adapters": all }));
    Ok(ExitCode::SUCCESS)
}

fn show(named: &str, output: &Output) -> Result<ExitCode, Failure> {
    let (manifest, text, ready) = find(named)?;
    let candidate = candidate(&manifest, ready.is_some())?;
    let digest = candidate.digest();
    let shown = format!("{}\n# digest  {digest}\n", text.trim_end());
    output.result(&shown, &json!({ "manifest": manifest, "digest": digest, "ready": ready.is_some() }));
    Ok(ExitCode::SUCCESS)
}

fn test(context: &Context, arguments: &AdapterTest, output: &Output) -> Result<ExitCode, Failure> {
    let (manifest, _, ready) = find(&arguments.manifest)?;
    let candidate = candidate(&manifest, ready.is_some())?;
    let mut golden = ready.map(|ready| ready.report.to_vec());
    let mut trials = Vec::new();
    let serves = manifest.input.kind == InputKind::Service;
    if serves && (arguments.path.is_some() || golden.is_none()) {
        let name = &manifest.name;
        return Err(Failure::Usage(format!(
            "{name} looks at a running service, which only `plimsoll run` starts"
        )));
    }
    if !arguments.reports && !serves {
        let subject = Subject::of(&manifest, ready, arguments)?;
        context.prepare()?;
        let toolchain = context::toolchain(&context.state.join("toolchain.cache"))?;
        let (sandbox, tools) = (context::sandbox()?, context.tools());
        let room = Room { sandbox: &sandbox, tools: &tools, toolchain: &toolchain };
        let failed = |error| Failure::from_run(error, output);
        let (ran, report) =
            candidate.rehearse(&room, subject.path(), subject.recorded.as_ref()).map_err(failed)?;
        let own = report.filter(|_| ran.passed && golden.is_none());
        golden = golden.or(own);
        trials.push(ran);
        trials.extend(candidate.look_around(&room, subject.path()).map_err(failed)?);
    }
    let Some(golden) = golden else {
        show_trials(&manifest, &trials, output);
        return Ok(ExitCode::from(1));
    };
    trials.extend(candidate.reports(&golden));
    show_trials(&manifest, &trials, output);
    Ok(if trials.iter().all(|trial| trial.passed) { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn show_trials(manifest: &Adapter, trials: &[Trial], output: &Output) {
    let mut text = String::new();
    for trial in trials {
        let mark = if trial.passed { "ok" } else { "NO" };
        text.push_str(&format!("{mark}  {:<40} {}", trial.name, trial.actual));
        if !trial.passed {
            text.push_str(&format!("  (expected: {})", trial.expected));
        }
        text.push('\n');
    }
    let failed = trials.iter().filter(|trial| !trial.passed).count();
    text.push_str(&match failed {
        0 => format!("{} passes all {}\n", manifest.name, trials.len()),
        failed => format!("{} fails {failed} of {}\n", manifest.name, trials.len()),
    });
    let document = json!({ "adapter": manifest.name, "passed": failed == 0, "trials": trials });
    output.result(&text, &document);
}

/// What a tool is run on.
struct Subject {
    named: PathBuf,
    /// A directory that goes when this does.
    sample: Option<tempfile::TempDir>,
    recorded: Option<RelPath>,
}

impl Subject {
    fn of(manifest: &Adapter, ready: Option<&Ready>, arguments: &AdapterTest) -> Result<Self, Failure> {
        let is_recorded = manifest.input.kind == InputKind::Recorded;
        if let Some(path) = &arguments.path {
            let named = fs::canonicalize(path)
                .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
            if !named.is_dir() {
                return Err(Failure::Usage(format!("{} is no directory", path.display())));
            }
            let recorded = arguments.recorded.as_deref().map(|name| name.parse::<RelPath>()).transpose();
            let recorded = recorded.map_err(|error| Failure::Usage(format!("--recorded: {error}")))?;
            if recorded.is_some() != is_recorded {
                let usage = if is_recorded {
                    "name the report with --recorded"
                } else {
                    "it reads no recorded report"
                };
                return Err(Failure::Usage(format!("{}: {usage}", manifest.name)));
            }
            return Ok(Self { named, sample: None, recorded });
        }
        let Some(ready) = ready else {
            return Err(Failure::Usage(format!("name a directory to run {} on", manifest.name)));
        };
        let failed = |error: std::io::Error| Failure::broken("failed to write the sample", &error);
        let sample = tempfile::tempdir().map_err(failed)?;
        for (path, text) in ready.sample {
            let file = sample.path().join(path);
            fs::create_dir_all(file.parent().unwrap_or(sample.path())).map_err(failed)?;
            fs::write(file, text).map_err(failed)?;
        }
        if is_recorded {
            fs::write(sample.path().join(RECORDED), ready.report).map_err(failed)?;
        }
        let recorded = if is_recorded { RECORDED.parse().ok() } else { None };
        // The tool runs as another user.
        readable(sample.path()).map_err(failed)?;
        Ok(Self { named: sample.path().to_owned(), sample: Some(sample), recorded })
    }

    fn path(&self) -> &Path {
        self.sample.as_ref().map_or(&self.named, tempfile::TempDir::path)
    }
}

fn readable(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755))
}

/// The manifest of this name that comes with this program, or the one in this file.
fn find(named: &str) -> Result<(Adapter, String, Option<&'static Ready>), Failure> {
    if let Some(ready) = READY.iter().find(|ready| ready.name == named) {
        let manifest = read(&format!("adapters/{named}.yaml"), ready.manifest.as_bytes())?;
        return Ok((manifest, ready.manifest.to_owned(), Some(ready)));
    }
    let unknown = |error: &dyn std::fmt::Display| {
        let names: Vec<&str> = READY.iter().map(|ready| ready.name).collect();
        Failure::Usage(format!("{named}: {error}; with plimsoll come {}", names.join(", ")))
    };
    let length = fs::metadata(named).map_err(|error| unknown(&error))?.len();
    if length > LIMIT {
        return Err(unknown(&format!("it is larger than {LIMIT} bytes")));
    }
    let bytes = fs::read(named).map_err(|error| unknown(&error))?;
    let manifest = read(named, &bytes)?;
    Ok((manifest, String::from_utf8_lossy(&bytes).into_owned(), None))
}

fn read(file: &str, bytes: &[u8]) -> Result<Adapter, Failure> {
    Adapter::read(file, bytes).map_err(|errors| Failure::Usage(errors.render().trim_end().to_owned()))
}

fn candidate(manifest: &Adapter, ready: bool) -> Result<Candidate, Failure> {
    Candidate::new(manifest.clone(), ready)
        .map_err(|error| Failure::broken("failed to use a manifest", &error))
}
