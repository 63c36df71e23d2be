//! Manifests of foreign scanners: from text to what a run does and how a signer reads what came of it. A manifest cannot
//! ask for a network, a secret or a place to write beside its report.

pub(crate) mod file;
mod pattern;
mod ready;
#[cfg(test)]
mod tests;

pub use pattern::FilePattern;
pub use ready::{READY, Ready, ready};

use crate::{
    diagnostic::{FileErrors, Findings},
    pipeline::{On, check},
    read::{self, Spanned, did_you_mean, nearest},
    value::Argument,
};
use file::{ManifestFile, ManifestInputFile, ManifestLimitsFile, ManifestSeverityFile};
use plimsoll_model::{Digest, RelPath, ReportFormat, SeverityMap, ToolName, jcs, removed};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Version of the form that [`Adapter::digest`] is taken over.
const SCHEMA: u32 = 1;
/// Files that one scan may be given by name: a command line holds no more.
const MAX_FILES: usize = 10_000;

/// Where a scanner finds the revision.
pub const SOURCE: &str = "/src";
/// Where it finds what was built.
pub const ARTIFACT: &str = "/artifact";
/// The directory that it may write to.
pub const REPORT_DIRECTORY: &str = "/plimsoll-report";
/// Name of the report in it.
pub const REPORT_FILE: &str = "report";
/// Where its configuration stands.
pub const CONFIG: &str = "/plimsoll-config";
/// Where its data stands.
pub const DATA: &str = "/plimsoll-data";
/// Where it reaches the service that it looks at.
pub const SERVICE: &str = "127.0.0.1:3128";

/// A checked manifest. Only [`Adapter::read`] makes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Adapter {
    /// Its name.
    pub name: ToolName,
    /// What it looks for, in one line.
    pub about: String,
    /// The program.
    pub tool: AdapterTool,
    /// What it looks at.
    pub input: AdapterInput,
    /// Its arguments, with placeholders.
    pub arguments: Vec<String>,
    /// Its environment, beside what every sandbox has.
    pub env: BTreeMap<String, String>,
    /// Its configuration.
    pub config: Option<String>,
    /// Directory of the host with its data, absolute.
    pub data: Option<String>,
    /// How its report is read.
    pub report: AdapterReport,
    /// What its words for severity mean.
    pub severity: SeverityMap,
    /// What it may use up.
    pub limits: AdapterLimits,
}

/// The program of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AdapterTool {
    /// An absolute path, or a name.
    pub executable: String,
    /// What is hashed.
    pub identity: Identity,
    /// Digests that may run; any if there is none.
    pub accepted: BTreeSet<Digest>,
    /// The command that puts it on a machine.
    pub install: String,
}

/// What of a tool is hashed, and seen by the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// The executable.
    File,
    /// The directory of the Python virtual environment that it lies in.
    Venv,
}

/// What a scanner looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AdapterInput {
    /// Revision or artifact.
    pub kind: InputKind,
    /// Which files it is given; it looks for itself if there is none.
    pub files: Vec<FilePattern>,
    /// Files of the project that would configure it.
    pub refuses: Vec<FilePattern>,
}

/// See [`AdapterInput::kind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InputKind {
    /// The revision.
    Source,
    /// What was built.
    Artifact,
    /// Either.
    Any,
    /// A report in the revision that somebody recorded elsewhere.
    Recorded,
    /// What was built, as a running service.
    Service,
}

/// How a report is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AdapterReport {
    /// Its format.
    pub format: ReportFormat,
    /// Where it is.
    pub at: ReportPlace,
    /// How many rules the tool applies, where its reports do not say.
    pub rules: Option<u64>,
    /// Exit statuses that mean that something was found.
    pub found: BTreeSet<i32>,
}

/// Where a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReportPlace {
    /// A file.
    File,
    /// Standard output.
    Stdout,
}

/// What a scanner may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AdapterLimits {
    /// Seconds.
    pub seconds: u64,
    /// Bytes of memory.
    pub memory: u64,
    /// Bytes of the report.
    pub report: u64,
}

/// A manifest as a plan uses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PlannedAdapter {
    /// Its digest.
    pub digest: Digest,
    /// Whether it comes with this program.
    pub ready: bool,
    /// What it says.
    pub manifest: Adapter,
    /// Why it cannot say anything about this revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<Obstacle>,
}

/// Why a scanner cannot say anything about a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Obstacle {
    /// There is no file that it knows.
    NoFiles,
    /// There are more than it can be given.
    TooManyFiles,
    /// This file of the project would configure it.
    Configured(RelPath),
    /// It looks at a running service, and the pipeline names none; or the other way round.
    Service,
}

impl Adapter {
    /// Reads a manifest. `file` is its name for messages.
    ///
    /// # Errors
    /// Everything that is wrong with it (`E-FILE-INVALID`, `E-TEMPLATE-UNTRUSTED`).
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, Box<FileErrors>> {
        read::file(file, bytes, manifest)
    }

    /// The digest by which an environment pins it: over the canonical JSON of the checked form, so comments, formatting and
    /// spelt-out defaults do not count, and everything else does.
    ///
    /// # Errors
    /// Never for a manifest that was read; the error of the canonical writer otherwise.
    pub fn digest(&self) -> Result<Digest, jcs::JcsError> {
        #[derive(Serialize)]
        struct Canonical<'a> {
            schema: u32,
            manifest: &'a Adapter,
        }
        jcs::digest(&Canonical { schema: SCHEMA, manifest: self })
    }

    /// The whole command for a subject that has these files, and what keeps it from saying anything about it. The first
    /// word is the tool as the manifest names it. `recorded` is the report that somebody recorded.
    pub fn command<'a>(
        &self,
        on: On,
        recorded: Option<&RelPath>,
        paths: impl Iterator<Item = &'a RelPath> + Clone,
    ) -> (Vec<String>, Option<Obstacle>) {
        let any = |patterns: &[FilePattern], path: &RelPath| patterns.iter().any(|one| one.matches(path));
        let files: Vec<_> =
            paths.clone().filter(|path| any(&self.input.files, path)).take(MAX_FILES + 1).collect();
        let subject = match on {
            On::Source => SOURCE,
            On::Artifact => ARTIFACT,
        };
        let configures = |path: &&RelPath| !removed!("adapter-config") && any(&self.input.refuses, path);
        let configured = paths.clone().find(configures);
        let obstacle = match (configured, files.len()) {
            (Some(path), _) => Some(Obstacle::Configured(path.clone())),
            (None, 0) if !removed!("adapter-files") && !self.input.files.is_empty() => {
                Some(Obstacle::NoFiles)
            }
            (None, count) if count > MAX_FILES => Some(Obstacle::TooManyFiles),
            (None, _) => None,
        };
        let recorded = recorded.map(|path| format!("{subject}/{path}")).unwrap_or_default();
        let mut argv = vec![self.tool.executable.clone()];
        for argument in &self.arguments {
            if argument == "{files}" {
                // Absolute, so that no name of a file is taken for an option.
                argv.extend(files.iter().map(|path| format!("{subject}/{path}")));
            } else {
                argv.push(fill(argument, subject, &recorded));
            }
        }
        (argv, obstacle)
    }

    /// What keeps it from saying anything where there is a service to look at, or none.
    pub(crate) fn without_service(&self, given: bool) -> Option<Obstacle> {
        ((self.input.kind == InputKind::Service) != given).then_some(Obstacle::Service)
    }
}

/// Values have no braces of their own that would be looked at again, but for names of files, which come last.
fn fill(argument: &str, subject: &str, recorded: &str) -> String {
    argument
        .replace("{subject}", subject)
        .replace("{report}", &format!("{REPORT_DIRECTORY}/{REPORT_FILE}"))
        .replace("{config}", CONFIG)
        .replace("{data}", DATA)
        .replace("{service}", SERVICE)
        .replace("{recorded}", recorded)
}

fn manifest(file: ManifestFile, found: &mut Findings) -> Option<Adapter> {
    arguments(&file, found);
    selection(&file.input, found);
    let accepted = check::distinct(file.tool.accepted.unwrap_or_default(), "is listed twice", found);
    let statuses = file.report.found.unwrap_or_default();
    Some(Adapter {
        name: file.name,
        about: file.about.0,
        tool: AdapterTool {
            executable: file.tool.executable.0,
            identity: file.tool.identity.unwrap_or(Identity::File),
            accepted,
            install: file.tool.install.0,
        },
        input: AdapterInput {
            kind: file.input.kind,
            files: file.input.files.map(|files| files.value).unwrap_or_default(),
            refuses: file.input.refuses.map(|files| files.value).unwrap_or_default(),
        },
        arguments: file.arguments.into_iter().map(|argument| argument.value.0).collect(),
        env: check::sandbox_variables(file.env, found),
        config: file.config.map(|config| config.value.0),
        data: file.data.map(|data| data.value.0),
        report: AdapterReport {
            format: file.report.format,
            at: file.report.at,
            rules: file.report.rules.map(|rules| rules.0),
            found: statuses.into_iter().filter_map(|status| i32::try_from(status.value.0).ok()).collect(),
        },
        severity: file.severity.map_or_else(SeverityMap::default, severity),
        limits: limits(file.limits.as_ref()),
    })
}

fn severity(file: ManifestSeverityFile) -> SeverityMap {
    let default = SeverityMap::default();
    let words = file.words.into_iter().flat_map(|words| words.0);
    SeverityMap {
        property: file.property.map(|property| property.0),
        words: words.map(|(word, severity)| (word.value.0.to_lowercase(), severity)).collect(),
        error: file.error.unwrap_or(default.error),
        warning: file.warning.unwrap_or(default.warning),
        note: file.note.unwrap_or(default.note),
    }
}

fn limits(file: Option<&ManifestLimitsFile>) -> AdapterLimits {
    let time = file.and_then(|limits| limits.time).map_or(600, |time| time.0);
    let memory = file.and_then(|limits| limits.memory).map_or(4096, |memory| memory.0);
    let report = file.and_then(|limits| limits.report).map_or(64, |report| report.0);
    AdapterLimits { seconds: time, memory: memory << 20, report: report << 20 }
}

fn selection(input: &ManifestInputFile, found: &mut Findings) {
    for (key, list, fits) in [
        ("files", &input.files, input.kind == InputKind::Source),
        ("refuses", &input.refuses, input.kind == InputKind::Source),
    ] {
        let Some(list) = list else { continue };
        if !fits {
            found.add(&list.span, format!("`{key}` is about files of the source, and `kind` is not"));
        } else if list.value.is_empty() {
            found.help(&list.span, "an empty list selects nothing", "leave it out");
        }
    }
}

/// Placeholders are known, stand where there is something to put, and what the tool needs is handed to it.
fn arguments(file: &ManifestFile, found: &mut Findings) {
    let known = [
        ("{subject}", true, false),
        ("{report}", file.report.at == ReportPlace::File, true),
        ("{config}", file.config.is_some(), true),
        ("{data}", file.data.is_some(), true),
        ("{recorded}", file.input.kind == InputKind::Recorded, true),
        ("{service}", file.input.kind == InputKind::Service, true),
        ("{files}", file.input.files.is_some(), true),
    ];
    for argument in &file.arguments {
        for name in placeholders(&argument.value) {
            match known.iter().find(|(known, ..)| *known == name) {
                None => unknown(argument, name, known.map(|(known, ..)| known), found),
                Some((_, false, _)) => {
                    found.add(
                        &argument.span,
                        format!("this manifest says nothing that `{name}` could stand for"),
                    );
                }
                Some(("{files}", ..)) if argument.value.0 != "{files}" => {
                    found.add(&argument.span, "`{files}` is an argument of its own");
                }
                Some(_) => {}
            }
        }
    }
    let used = |name: &str| file.arguments.iter().any(|argument| argument.value.0.contains(name));
    let place = file.arguments.first().map_or(0..0, |argument| argument.span.clone());
    for (name, _, _) in known.iter().filter(|(name, given, needed)| *given && *needed && !used(name)) {
        found.add(&place, format!("no argument has `{name}`, so the tool does not learn of it"));
    }
}

fn unknown(argument: &Spanned<Argument>, name: &str, known: [&str; 7], found: &mut Findings) {
    let message = format!("`{name}` stands for nothing");
    match nearest(name, known) {
        Some(near) => found.help(&argument.span, message, did_you_mean(near)),
        None => found.help(&argument.span, message, format!("known: {}", known.join(", "))),
    }
}

/// Words in braces, with these.
fn placeholders(argument: &Argument) -> impl Iterator<Item = &str> {
    let text = argument.0.as_str();
    text.match_indices('{').filter_map(move |(at, _)| {
        let inner = &text[at + 1..];
        let end = inner.find(|c: char| !c.is_ascii_lowercase())?;
        (end > 0 && inner[end..].starts_with('}')).then(|| &text[at..at + end + 2])
    })
}
