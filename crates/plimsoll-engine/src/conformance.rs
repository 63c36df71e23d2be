//! What every foreign scanner has to stand before anybody relies on it: its report is read, and hostile versions of that
//! report never are; and where it runs there is no network, no secret, and nothing to write to but its report.

use crate::{
    ports::{Exit, Sandbox, Stream, Tools},
    run::{Equipped, RunError, Surroundings, Toolchain},
    signer::{ended_well, read_foreign},
};
use plimsoll_attest::report::{ScanReport, judge_scan};
use plimsoll_fs::Standing;
use plimsoll_model::{Code, Digest, Outcome, RelPath, ReportFormat, Timestamp};
use plimsoll_pipeline::{
    Adapter, On, PlannedAdapter,
    adapter::{InputKind, Obstacle, REPORT_FILE, ReportPlace},
};
use serde_json::{Value, json};
use std::{
    io::Read as _,
    os::fd::AsFd as _,
    path::{Path, PathBuf},
};

/// The revision of subjects that are none.
const REVISION: &str = "0000000000000000000000000000000000000000";
/// What Plimsoll or the shell that looks around sets itself.
const OWN: &[&str] = &[
    "PATH",
    "HOME",
    "CARGO_HOME",
    "TMPDIR",
    "LANG",
    "TZ",
    "SOURCE_DATE_EPOCH",
    "PLIMSOLL_REVISION",
    "PWD",
    "SHLVL",
    "OLDPWD",
    "_",
];
/// Says what there is where a scanner runs; its argument is the subject.
const LOOK_AROUND: &str = r#"env | sed 's/=.*//; s/^/env /'
sed '1,2d; s/:.*//; s/^ */net /' /proc/net/dev
touch "$1/plimsoll-was-here" 2>/dev/null && echo "wrote $1"
ls -A "$HOME" | sed 's/^/home /'
"#;

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Trial {
    /// What was tried.
    pub name: &'static str,
    /// What had to come of it.
    pub expected: String,
    /// What came of it.
    pub actual: String,
    /// Whether they agree.
    pub passed: bool,
}

impl Trial {
    fn new(name: &'static str, expected: &str, actual: String) -> Self {
        let passed = expected == actual;
        Self { name, expected: expected.to_owned(), actual, passed }
    }
}

/// A manifest as a plan would use it, and what it is tried with.
pub struct Candidate {
    planned: PlannedAdapter,
    on: On,
}

impl Candidate {
    /// # Errors
    /// Never for a manifest that was read.
    pub fn new(manifest: Adapter, ready: bool) -> Result<Self, RunError> {
        let digest = manifest.digest().map_err(|error| RunError::internal("name a manifest", &error))?;
        let on = if manifest.input.kind == InputKind::Artifact { On::Artifact } else { On::Source };
        Ok(Self { planned: PlannedAdapter { digest, ready, manifest, obstacle: None }, on })
    }

    /// Its digest.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.planned.digest
    }

    /// What a report amounts to, in the words of the trials.
    fn said(&self, report: Option<&[u8]>, exit: Exit) -> (String, Option<ScanReport>) {
        let read = read_foreign(&self.planned, self.on, report);
        let well = ended_well(&self.planned, &read, exit);
        let (outcome, reason) = judge_scan(&read, well, None, REVISION);
        let said = match (outcome, reason, &read) {
            (Outcome::Passed, _, Ok(report)) if report.results.is_empty() => "nothing found".to_owned(),
            (Outcome::Passed, ..) => "findings".to_owned(),
            (_, Some(reason), _) => reason.code.to_string(),
            (outcome, None, _) => outcome.to_string(),
        };
        (said, read.ok())
    }

    /// Tries a recorded report with findings, and what somebody hostile could make of it.
    #[must_use]
    pub fn reports(&self, golden: &[u8]) -> Vec<Trial> {
        let manifest = &self.planned.manifest;
        let found = manifest.report.found.first().map_or(Exit::Status(0), |status| Exit::Status(*status));
        let mut trials = vec![Trial::new("a recorded report", "findings", self.said(Some(golden), found).0)];
        let parse = Code::EvidenceParse.to_string();
        let large = usize::try_from(manifest.limits.report).unwrap_or(usize::MAX).saturating_add(1);
        let padded = || [golden, &vec![b' '; large.saturating_sub(golden.len())]].concat();
        for (name, bytes) in [
            ("no report", None),
            ("an empty report", Some(vec![])),
            ("a report that is cut off", Some(golden[..golden.len() / 2].to_vec())),
            ("a report that is larger than its limit", Some(padded())),
            ("a report that is malformed", Some([b"\0", golden].concat())),
            ("a report with keys that stand twice", Some(twice(golden))),
        ] {
            trials.push(Trial::new(name, &parse, self.said(bytes.as_deref(), found).0));
        }
        if let Some(bytes) = elsewhere(manifest.report.format, golden) {
            let (said, _) = self.said(Some(&bytes), found);
            trials.push(Trial::new("a finding outside of the subject", Code::EvidenceSubject.as_str(), said));
        }
        if let Some(bytes) = of_another_revision(manifest.report.format, golden) {
            let (said, _) = self.said(Some(&bytes), found);
            trials.push(Trial::new("a report about another revision", Code::EvidenceSubject.as_str(), said));
        }
        let crashed = Exit::Status(if manifest.report.found.contains(&70) { 71 } else { 70 });
        for (name, exit) in [("a tool that crashed", crashed), ("a tool that was killed", Exit::TimedOut)] {
            trials.push(Trial::new(name, Code::EvidenceSelf.as_str(), self.said(Some(golden), exit).0));
        }
        trials
    }

    /// Runs the tool for real on what lies in `subject`, and gives its report with what came of reading it.
    ///
    /// # Errors
    /// When the machine fails; what the tool does is no error.
    pub fn rehearse(
        &self,
        room: &Room<'_>,
        subject: &Path,
        recorded: Option<&RelPath>,
    ) -> Result<(Trial, Option<Vec<u8>>), RunError> {
        let name = "the tool, run for real";
        let readable =
            |actual: String| Trial { name, expected: "a report that is read".into(), passed: false, actual };
        let paths = paths(subject)?;
        let (argv, obstacle) = self.planned.manifest.command(self.on, recorded, paths.iter());
        match obstacle {
            None => {}
            Some(Obstacle::Configured(path)) => return Ok((readable(format!("refused for {path}")), None)),
            Some(Obstacle::NoFiles) => return Ok((readable("no file that it knows".into()), None)),
            Some(Obstacle::TooManyFiles) => return Ok((readable("too many files".into()), None)),
            Some(Obstacle::Service) => return Ok((readable("there is no service".into()), None)),
        }
        let equipped = match Equipped::find(room.tools, &self.planned) {
            Ok(equipped) => equipped,
            Err(problem) => {
                let install = &self.planned.manifest.tool.install;
                return Ok((readable(format!("{problem}; next: {install}")), None));
            }
        };
        let (exit, report, printed) = self.run(room, subject, argv, &equipped)?;
        let (said, read) = self.said(report.as_deref(), exit);
        let passed = matches!(said.as_str(), "findings" | "nothing found");
        let last = printed.trim_end().lines().next_back().unwrap_or_default();
        let actual = match read {
            Some(read) if passed => format!("{} findings by {}", read.results.len(), version(&read)),
            _ => format!("{said}, {exit}: {}", plimsoll_model::reason::printable(last, 200)),
        };
        Ok((Trial { passed, ..readable(actual) }, report))
    }

    /// Looks around where the tool would run.
    ///
    /// # Errors
    /// When the machine fails.
    pub fn look_around(&self, room: &Room<'_>, subject: &Path) -> Result<Vec<Trial>, RunError> {
        let place = match self.on {
            On::Source => plimsoll_pipeline::adapter::SOURCE,
            On::Artifact => plimsoll_pipeline::adapter::ARTIFACT,
        };
        let equipped = Equipped::nothing();
        let argv = ["/bin/sh", "-c", LOOK_AROUND, "look-around", place].map(str::to_owned).to_vec();
        let (_, report, printed) = self.run(room, subject, argv, &equipped)?;
        let text = report.map_or(printed, |bytes| String::from_utf8_lossy(&bytes).into_owned());
        let told = |what: &str| {
            let lines = text.lines().filter_map(|line| line.strip_prefix(what)).map(str::to_owned);
            lines.collect::<Vec<String>>()
        };
        let env = &self.planned.manifest.env;
        let foreign =
            told("env ").into_iter().filter(|name| !OWN.contains(&name.as_str()) && !env.contains_key(name));
        let list = |found: Vec<String>| if found.is_empty() { "none".to_owned() } else { found.join(", ") };
        Ok(vec![
            Trial::new("networks", "lo", list(told("net "))),
            Trial::new("variables that nobody asked for", "none", list(foreign.collect())),
            Trial::new("files of somebody's home", "none", list(told("home "))),
            Trial::new("what it looks at, written to", "none", list(told("wrote "))),
        ])
    }

    fn run(
        &self,
        room: &Room<'_>,
        subject: &Path,
        argv: Vec<String>,
        equipped: &Equipped,
    ) -> Result<(Exit, Option<Vec<u8>>, String), RunError> {
        let around = Surroundings {
            toolchain: room.toolchain.mounts.clone(),
            path: room.toolchain.path.clone(),
            source: subject.to_owned(),
            vendor: None,
            commit: REVISION.parse().map_err(|error| RunError::internal("name a revision", &error))?,
            committed: Timestamp::UNIX_EPOCH,
        };
        let artifact = (self.on == On::Artifact).then(|| subject.to_owned());
        let env = self.planned.manifest.env.clone();
        let plan = equipped.job(&self.planned, (argv, env), artifact).sandbox(&around);
        let running = room.sandbox.start(&plan, None)?;
        let (mut stdout, mut printed) = (Vec::new(), Vec::new());
        let finished = running.wait(&mut |stream, bytes| {
            if stream == Stream::Out {
                stdout.extend_from_slice(bytes);
            }
            printed.extend_from_slice(bytes);
        })?;
        let report = match self.planned.manifest.report.at {
            ReportPlace::Stdout => Some(stdout).filter(|report| !report.is_empty()),
            ReportPlace::File => {
                let most = self.planned.manifest.limits.report.saturating_add(1);
                finished.writable.values().find_map(|root| written(root.as_fd(), most))
            }
        };
        Ok((finished.exit, report, String::from_utf8_lossy(&printed).into_owned()))
    }
}

/// Where candidates run.
pub struct Room<'a> {
    /// Sandboxes.
    pub sandbox: &'a dyn Sandbox,
    /// Tools.
    pub tools: &'a dyn Tools,
    /// What every sandbox has.
    pub toolchain: &'a Toolchain,
}

fn written(root: std::os::fd::BorrowedFd<'_>, most: u64) -> Option<Vec<u8>> {
    let Ok(Standing::File(file, _)) = plimsoll_fs::open_listed(root, Path::new(REPORT_FILE)) else {
        return None;
    };
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).ok().map(|_| bytes)
}

/// The files of a directory, in order.
fn paths(directory: &Path) -> Result<Vec<RelPath>, RunError> {
    let root = plimsoll_fs::open_directory(directory)?;
    let listed = plimsoll_fs::list(root.as_fd(), Path::new("."), &[".git"]);
    let name = |path: PathBuf| path.to_str().and_then(|path| path.parse().ok());
    let mut paths: Vec<RelPath> = listed.files.into_iter().filter_map(name).collect();
    paths.sort();
    Ok(paths)
}

fn version(report: &ScanReport) -> String {
    let first = report.tools.first();
    let name = first.map_or("no name", |tool| tool.name.as_str());
    match first.and_then(|tool| tool.version.as_deref()) {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    }
}

/// A key, or in XML an attribute, that stands twice at the beginning.
fn twice(golden: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(golden);
    if let Some(at) = text.find('{').filter(|_| !text.trim_start().starts_with('<')) {
        return format!("{}\"x\":1,\"x\":2,{}", &text[..=at], &text[at + 1..]).into_bytes();
    }
    let name = text.find("<testsuite").map(|at| at + "<testsuite".len());
    let end =
        name.and_then(|from| text[from..].find([' ', '>', '/']).map(|at| from + at)).unwrap_or(text.len());
    format!("{} x=\"1\" x=\"2\"{}", &text[..end], &text[end..]).into_bytes()
}

/// The report with its first finding in a file that is not of the subject; none for formats without files.
fn elsewhere(format: ReportFormat, golden: &[u8]) -> Option<Vec<u8>> {
    let mut report: Value = serde_json::from_slice(golden).ok()?;
    match format {
        ReportFormat::Sarif => {
            let run = report["runs"].as_array_mut()?.iter_mut().find(|run| run["results"][0].is_object())?;
            let place = json!({"physicalLocation": {"artifactLocation": {"uri": "../../etc/passwd"}}});
            run["results"][0]["locations"] = json!([place]);
        }
        ReportFormat::Sonarqube => {
            let issue = report["issues"].as_array_mut()?.first_mut()?;
            let project = issue["project"].as_str()?.to_owned();
            issue["component"] = json!(format!("{project}:../../etc/passwd"));
        }
        ReportFormat::Cyclonedx | ReportFormat::Junit | ReportFormat::Zap => return None,
    }
    serde_json::to_vec(&report).ok()
}

/// The report as one of another commit; none for formats that do not say.
fn of_another_revision(format: ReportFormat, golden: &[u8]) -> Option<Vec<u8>> {
    let mut report: Value = serde_json::from_slice(golden).ok().filter(|_| format == ReportFormat::Sarif)?;
    let of = json!([{"repositoryUri": "https://example.org/other", "revisionId": "c0ffee"}]);
    report["runs"].as_array_mut()?.first_mut()?["versionControlProvenance"] = of;
    serde_json::to_vec(&report).ok()
}
