//! The texts of new files of a delivery repository. What they say is read back by the readers of this crate; values that
//! a reader would refuse make a text that it refuses.

use crate::{
    delivery::{
        approvals::RequireApprovals,
        environment::{Require, RequireProvenance, RequireSource},
        freeze::FreezeWindow,
        rollback::{FailureKind, Rollback},
        sbom::RequireSbom,
        scans::{BlockLevel, RequireManifest, RequireScan},
        target::Place,
    },
    pipeline::On,
    read,
    yaml::is_hidden,
};
use plimsoll_model::{Digest, EnvironmentName, Opaque, RelPath, record::NetworkMode};
use std::fmt::Write as _;

/// A new `delivery.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewDelivery {
    /// Name of the team.
    pub team: Option<String>,
}

/// A new `projects/<project>.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProject {
    /// Random identity.
    pub id: Opaque,
    /// Path or URL of the repository.
    pub repository: String,
    /// Directory of the project in it.
    pub path: Option<RelPath>,
    /// Full names of the protected refs.
    pub protected: Vec<String>,
    /// Approved pipelines.
    pub pipelines: Vec<Digest>,
}

/// A new entry of `people.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewPerson {
    /// Name.
    pub name: String,
    /// Mail addresses.
    pub git_emails: Vec<String>,
    /// Lines of `authorized_keys(5)`.
    pub ssh_keys: Vec<String>,
    /// Roles.
    pub roles: Vec<String>,
    /// Whether it is a robot.
    pub robot: bool,
}

/// A new `environments/<environment>/environment.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEnvironment {
    /// Random identity.
    pub id: Opaque,
    /// The environment in which the artifact must run first.
    pub after: Option<EnvironmentName>,
    /// Seconds that it must have run there; 0 without such an environment.
    pub soak_seconds: u64,
    /// What a release must show.
    pub require: Require,
    /// When nothing new starts.
    pub freeze: Vec<FreezeWindow>,
    /// When a release that just started gives way to the one before.
    pub rollback: Option<Rollback>,
}

/// A new `environments/<environment>/<project>/target.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTarget {
    /// On which machine.
    pub place: Place,
    /// Port inside the sandbox.
    pub port: u16,
    /// Port on this machine's loopback.
    pub listen: u16,
    /// Path that answers with status 200 when the service is well.
    pub health: String,
}

impl NewDelivery {
    /// The file.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::from(
            "# What holds for all projects and environments of this delivery repository.\nversion: 1\n",
        );
        if let Some(team) = &self.team {
            let _ = writeln!(text, "team: {}", scalar(team));
        }
        text.push_str("# Package registries beside those of each client's own configuration:\n");
        text.push_str("# registries:\n#   - {ecosystem: cargo, index: \"sparse+https://packages.example.org/index/\"}\n");
        text
    }
}

impl NewProject {
    /// The file.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text =
            String::from("# Where the project comes from, and which pipelines may build it.\nversion: 1\n");
        let _ = writeln!(text, "id: {}   # stays when the project is renamed", scalar(self.id.as_str()));
        let _ = writeln!(text, "repository: {}", scalar(&self.repository));
        if let Some(path) = &self.path {
            let _ = writeln!(text, "path: {}", scalar(path.as_str()));
        }
        text.push_str(
            "protected:   # only commits behind these refs can be released; they only move forward\n",
        );
        items(&mut text, "  ", self.protected.iter().map(|name| scalar(name)));
        if self.pipelines.is_empty() {
            text.push_str("pipelines: []   # digests of approved pipelines\n");
        } else {
            text.push_str("pipelines:   # digests of approved pipelines\n");
            items(&mut text, "  ", self.pipelines.iter().map(|digest| scalar(&digest.to_string())));
        }
        text
    }
}

/// The text of `people.yaml`.
#[must_use]
pub fn render_people(people: &[NewPerson]) -> String {
    let mut text = String::from(
        "# Whose keys count. Names, mail addresses and keys belong to one person only.\nversion: 1\n",
    );
    if people.is_empty() {
        text.push_str("people: []\n");
        return text;
    }
    text.push_str("people:\n");
    for person in people {
        let _ = writeln!(text, "  - name: {}", scalar(&person.name));
        for (key, values) in
            [("git-emails", &person.git_emails), ("ssh-keys", &person.ssh_keys), ("roles", &person.roles)]
        {
            if !values.is_empty() {
                let _ = writeln!(text, "    {key}:");
                items(&mut text, "      ", values.iter().map(|value| scalar(value)));
            }
        }
        if person.robot {
            text.push_str("    robot: true\n");
        }
    }
    text
}

impl NewEnvironment {
    /// The file.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text =
            String::from("# What this environment asks for before anything starts in it.\nversion: 1\n");
        let _ = writeln!(text, "id: {}   # stays when the environment is renamed", scalar(self.id.as_str()));
        if let Some(after) = &self.after {
            let _ = writeln!(text, "after: {}", scalar(after.as_str()));
        }
        if self.soak_seconds > 0 {
            let _ = writeln!(text, "soak: {}", duration(self.soak_seconds));
        }
        require_text(&mut text, &self.require);
        if !self.freeze.is_empty() {
            text.push_str("freeze:\n");
            items(&mut text, "  ", self.freeze.iter().map(freeze_text));
        }
        if let Some(rollback) = &self.rollback {
            let _ = writeln!(text, "rollback: {}", rollback_text(rollback));
        }
        text
    }
}

fn require_text(text: &mut String, require: &Require) {
    text.push_str("require:\n");
    if let Some(source) = &require.source {
        let _ = writeln!(text, "  source: {}", source_text(*source));
    }
    if let Some(provenance) = &require.provenance {
        let _ = writeln!(text, "  provenance: {}", provenance_text(provenance));
    }
    let tests = require.tests.iter().map(|(name, on)| format!("{}: {}", scalar(name.as_str()), on_text(*on)));
    section(text, "tests", tests);
    let scans = require.scans.iter();
    section(
        text,
        "scans",
        scans.map(|(name, scan)| format!("{}: {}", scalar(name.as_str()), scan_text(scan))),
    );
    if let Some(sbom) = require.sbom {
        let word = match sbom {
            RequireSbom::Any => "any",
            RequireSbom::Complete => "complete",
        };
        let _ = writeln!(text, "  sbom: {word}");
    }
    if let Some(approvals) = &require.approvals {
        let _ = writeln!(text, "  approvals: {}", approvals_text(approvals));
    }
    if !require.policies.is_empty() {
        let _ = writeln!(text, "  policies: {}", list(&require.policies));
    }
}

fn list<'t>(texts: impl IntoIterator<Item = &'t String>) -> String {
    let texts: Vec<_> = texts.into_iter().map(|text| scalar(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// Seconds in the largest unit that holds them whole.
fn duration(seconds: u64) -> String {
    match seconds {
        _ if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

fn approvals_text(approvals: &RequireApprovals) -> String {
    let expire = duration(approvals.expire_seconds);
    let unsigned = if approvals.unsigned_needs_extra { ", unsigned: extra-approval" } else { "" };
    format!("{{count: {}, from: {}, expire: {expire}{unsigned}}}", approvals.count, list(&approvals.from))
}

fn freeze_text(window: &FreezeWindow) -> String {
    let (from, to) = window.span.texts();
    format!("{{from: {}, to: {}, zone: {}}}", quoted(&from), quoted(&to), scalar(window.zone.name()))
}

fn rollback_text(rollback: &Rollback) -> String {
    let on = rollback.on.iter().map(|kind| match kind {
        FailureKind::Start => "start",
        FailureKind::Health => "health",
    });
    let on: Vec<_> = on.collect();
    format!("{{automatic: true, on: [{}], confirm: {}}}", on.join(", "), duration(rollback.confirm_seconds))
}

fn section(text: &mut String, name: &str, entries: impl Iterator<Item = String>) {
    let entries: Vec<_> = entries.collect();
    if !entries.is_empty() {
        let _ = writeln!(text, "  {name}: {{{}}}", entries.join(", "));
    }
}

fn source_text(source: RequireSource) -> String {
    let asked = [("protected", source.protected), ("signed", source.signed)];
    let asked: Vec<_> =
        asked.iter().filter(|(_, asked)| *asked).map(|(key, _)| format!("{key}: true")).collect();
    format!("{{{}}}", asked.join(", "))
}

fn provenance_text(provenance: &RequireProvenance) -> String {
    let mut asked = Vec::new();
    if let Some(builder) = &provenance.builder {
        asked.push(format!("builder: {}", list(builder)));
    }
    if let Some(network) = &provenance.network {
        let modes: Vec<_> = network.iter().map(|mode| network_text(*mode)).collect();
        asked.push(format!("network: [{}]", modes.join(", ")));
    }
    format!("{{{}}}", asked.join(", "))
}

const fn network_text(mode: NetworkMode) -> &'static str {
    match mode {
        NetworkMode::None => "none",
        NetworkMode::Locked => "locked",
        NetworkMode::Recorded => "recorded",
        NetworkMode::Tunnelled => "tunnelled",
    }
}

const fn on_text(on: On) -> &'static str {
    match on {
        On::Source => "source",
        On::Artifact => "artifact",
    }
}

fn scan_text(scan: &RequireScan) -> String {
    let block = match scan.block {
        BlockLevel::Note => "low",
        BlockLevel::Warning => "medium",
        BlockLevel::Error => "high",
        BlockLevel::Critical => "critical",
    };
    let keys = [
        Some(format!("block: {block}")),
        scan.new.map(|new| format!("new: {new}")),
        scan.database_age.map(|age| format!("database-age: {}", duration(age))),
        scan.comments.then(|| "comments: true".to_owned()),
        scan.tool.map(|tool| format!("tool: {}", scalar(&tool.to_string()))),
        scan.rules.map(|rules| format!("rules: {}", scalar(&rules.to_string()))),
        scan.manifest.map(|manifest| match manifest {
            RequireManifest::Ready => "manifest: ready".to_owned(),
            RequireManifest::Digest(digest) => format!("manifest: {}", scalar(&digest.to_string())),
        }),
        (!scan.vex.is_empty()).then(|| format!("vex: {}", list(&scan.vex))),
        scan.licenses.as_ref().map(|names| format!("licenses: {}", list(names))),
    ];
    format!("{{{}}}", keys.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

impl NewTarget {
    /// The file.
    #[must_use]
    pub fn render(&self) -> String {
        let (place, loopback) = match &self.place {
            Place::Local => ("local:\n".to_owned(), "on this machine's loopback"),
            Place::Host { agent } => {
                (format!("host:\n  agent: {}\n", scalar(agent)), "on that machine's loopback")
            }
        };
        format!(
            "# Where the project lives in this environment.\nversion: 1\n{place}  port: {}   # inside the sandbox\n  listen: {}   # {loopback}\n  health: {}\n",
            self.port,
            self.listen,
            scalar(&self.health)
        )
    }
}

fn items(text: &mut String, indent: &str, values: impl Iterator<Item = String>) {
    for value in values {
        let _ = writeln!(text, "{indent}- {value}");
    }
}

/// Text as a YAML scalar that means this text, in quotes unless it is plain in every position.
pub(crate) fn scalar(text: &str) -> String {
    let first = |c: char| c.is_alphanumeric() || c == '/' || c == '_';
    let plain = |c: char| c.is_alphanumeric() || "/_.@+- ".contains(c);
    let tame = text.starts_with(first) && text.chars().all(plain) && text.trim() == text;
    if tame && read::plain_kind(text) == "text" { text.to_owned() } else { quoted(text) }
}

/// Text in double quotes (YAML 1.2.2 section 7.3.1); what a reviewer would not see is escaped.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if is_hidden(c) => {
                let _ = write!(quoted, "\\U{:08x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
