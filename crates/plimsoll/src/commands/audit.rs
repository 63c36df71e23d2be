//! `plimsoll audit`: what is weak in the pipelines that a team already has, and the changes that make it better.

mod fixes;

use super::scan::{show, tree};
use crate::{cli::audit::Audit, failure::Failure, output::Output};
use owo_colors::OwoColorize as _;
use plimsoll_model::reason::printable;
use plimsoll_scan::{Finding, Gap};
use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// One pipeline and what was found in it.
struct Pipeline {
    path: String,
    text: String,
    /// Its text with every fix that can be computed.
    fixed: String,
    findings: Vec<Finding>,
}

/// All pipelines below a directory.
struct Audited {
    pipelines: Vec<Pipeline>,
    gaps: Vec<Gap>,
}

/// # Errors
/// When the directory cannot be opened, or a file cannot be changed.
pub(crate) fn audit(arguments: &Audit, output: &Output) -> Result<ExitCode, Failure> {
    if !arguments.path.is_dir() {
        return Err(Failure::Usage(format!("{} is no directory", arguments.path.display())));
    }
    let mut audited = look(&arguments.path)?;
    if audited.pipelines.is_empty() && audited.gaps.is_empty() {
        return Err(Failure::Broken {
            what: format!("there is no pipeline below {}", arguments.path.display()),
            next: Some("plimsoll audit DIRECTORY, where .github, .gitlab-ci.yml or a Jenkinsfile is".into()),
        });
    }
    if arguments.diff {
        let patch: String = audited.pipelines.iter().map(Pipeline::patch).collect();
        output.patch(&patch);
        return Ok(audited.status(arguments));
    }
    let changed = if arguments.apply { audited.apply(&arguments.path)? } else { Vec::new() };
    output.result(&audited.text(arguments, &changed), &audited.json(arguments, &changed));
    Ok(audited.status(arguments))
}

fn look(path: &Path) -> Result<Audited, Failure> {
    let mut audited = Audited { pipelines: Vec::new(), gaps: Vec::new() };
    let walked = tree::walk(path, &may_be_pipeline, &mut |path, bytes| {
        let Some(checked) = plimsoll_config::audit(path, bytes) else { return };
        audited.gaps.extend(checked.coverage.gaps);
        let text = String::from_utf8_lossy(bytes).into_owned();
        let fixed = if text.as_bytes() == bytes { fixes::fixed(path, &text) } else { text.clone() };
        let findings = checked.findings;
        audited.pipelines.push(Pipeline { path: path.to_owned(), text, fixed, findings });
    })?;
    audited.gaps.extend(walked.gaps);
    Ok(audited)
}

fn may_be_pipeline(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    name.ends_with(".yml") || name.ends_with(".yaml") || name.contains("jenkinsfile")
}

impl Pipeline {
    /// The change from what it is to what it would be.
    fn patch(&self) -> String {
        if self.text == self.fixed {
            return String::new();
        }
        let diff = similar::TextDiff::from_lines(&self.text, &self.fixed);
        let names = (format!("a/{}", self.path), format!("b/{}", self.path));
        diff.unified_diff().context_radius(3).header(&names.0, &names.1).to_string()
    }
}

impl Audited {
    /// Writes the fixes, and judges again; gives the files that were changed.
    fn apply(&mut self, root: &Path) -> Result<Vec<String>, Failure> {
        let broken =
            |error: plimsoll_engine::ports::SourceError| Failure::broken("failed to ask git", &error);
        let unsaved: BTreeSet<PathBuf> = match plimsoll_git::unsaved(root).map_err(broken)? {
            Some(paths) => paths.into_iter().collect(),
            None => {
                let path = root.display();
                return Err(Failure::Usage(format!(
                    "{path} is in no git work tree: use --diff, and apply it yourself"
                )));
            }
        };
        let changes: Vec<&Pipeline> =
            self.pipelines.iter().filter(|pipeline| pipeline.text != pipeline.fixed).collect();
        if let Some(lost) = changes.iter().find(|pipeline| unsaved.contains(Path::new(&pipeline.path))) {
            let path = &lost.path;
            return Err(Failure::Usage(format!(
                "{path} has changes that git does not have: commit them first"
            )));
        }
        for pipeline in &changes {
            write(&root.join(&pipeline.path), pipeline)?;
        }
        let changed: Vec<String> = changes.iter().map(|pipeline| pipeline.path.clone()).collect();
        *self = look(root)?;
        Ok(changed)
    }

    fn shown<'a>(&'a self, arguments: &Audit) -> impl Iterator<Item = (&'a Pipeline, Vec<&'a Finding>)> {
        let least = arguments.least;
        self.pipelines.iter().map(move |pipeline| {
            (pipeline, pipeline.findings.iter().filter(|found| found.severity >= least).collect())
        })
    }

    /// 0 clean, 1 findings, 3 something could not be read.
    fn status(&self, arguments: &Audit) -> ExitCode {
        let found = self.shown(arguments).any(|(_, findings)| !findings.is_empty());
        ExitCode::from(match () {
            () if found => 1,
            () if !self.gaps.is_empty() => 3,
            () => 0,
        })
    }

    fn text(&self, arguments: &Audit, changed: &[String]) -> String {
        let mut text: String = changed.iter().map(|path| format!("{} {path}\n", "changed".green())).collect();
        let (mut count, mut with_fix) = (0, 0);
        for (pipeline, findings) in self.shown(arguments).filter(|(_, findings)| !findings.is_empty()) {
            text.push_str(&format!("{}\n\n", printable(&pipeline.path, 400).bold().underline()));
            count += findings.len();
            with_fix += findings.iter().filter(|found| found.diff.is_some()).count();
            text.push_str(&show::findings(&findings));
        }
        text.push_str(&show::gaps(&self.gaps));
        text.push_str(&format!("{} pipelines, {count} findings", self.pipelines.len()));
        if with_fix > 0 {
            let how = "plimsoll audit --diff | git apply";
            text.push_str(&format!(", {with_fix} with a fix that can be applied: {how}"));
        }
        text
    }

    fn json(&self, arguments: &Audit, changed: &[String]) -> serde_json::Value {
        let pipelines: Vec<_> = self
            .shown(arguments)
            .map(|(pipeline, findings)| serde_json::json!({ "path": pipeline.path, "findings": findings }))
            .collect();
        serde_json::json!({ "pipelines": pipelines, "changed": changed, "gaps": self.gaps })
    }
}

/// Writes a file in place, and only if it still is what was judged; never through a link.
fn write(path: &Path, pipeline: &Pipeline) -> Result<(), Failure> {
    let what = || format!("failed to change {}", path.display());
    let broken = |error| Failure::broken(what(), &error);
    let is_file = fs::symlink_metadata(path).map_err(broken)?.is_file();
    if !is_file || fs::read(path).map_err(broken)? != pipeline.text.as_bytes() {
        return Err(Failure::Broken {
            what: format!("{}: it is not what was looked at", what()),
            next: None,
        });
    }
    let mut file = OpenOptions::new().write(true).truncate(true).open(path).map_err(broken)?;
    file.write_all(pipeline.fixed.as_bytes()).map_err(broken)
}
