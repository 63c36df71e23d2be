//! Scanners as commands: what one is told, and whether its report names what is known to be there. A fast scan that
//! found nothing is a failure, not a result.

use super::{
    Bench,
    case::{Side, succeed},
    machine::{cached, noted},
};
use crate::project::Result;
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    rc::Rc,
    time::{Duration, Instant},
};

/// Statuses of scanners that did their work: nothing found or none asked for, findings, and kingfisher's word for those.
const DONE: &[i32] = &[0, 1, 200];

/// What is looked at, where reports go, and a text that every report has.
pub(super) struct Place {
    /// A file or folder.
    pub(super) input: PathBuf,
    /// Of the scanners, with nothing of the caller's in it.
    pub(super) home: PathBuf,
    program: PathBuf,
    scratch: PathBuf,
    found: &'static str,
}

impl Place {
    pub(super) fn new(bench: &Bench<'_>, input: PathBuf, found: &'static str) -> Result<Rc<Self>> {
        let scratch = bench.scratch.clone();
        let home = scratch.join("home");
        std::fs::create_dir_all(&home)?;
        Ok(Rc::new(Self { input, home, program: bench.program(), scratch, found }))
    }

    /// Plimsoll. Its report is in the same notation whether something was found or not, and then it ends with 0.
    pub(super) fn ours(self: &Rc<Self>, words: &str) -> Side {
        let scan = self.scan("plimsoll", &format!("--state STATE {words} --report REPORT"));
        Side::measured("plimsoll", move || scan.run())
    }

    /// The command alone.
    pub(super) fn command(&self, words: &str) -> Command {
        self.told("plimsoll", words)
    }

    /// Another scanner: its name, and the words after it, where INPUT is what is looked at (FILES the files of
    /// that folder) and REPORT the file to write. Without REPORT what it prints is the report.
    pub(super) fn peer(self: &Rc<Self>, name: &str, words: &str) -> Result<Side> {
        let scan = self.scan(name, words);
        Ok(Side::measured(format!("{name} {}, `{words}`", noted(name)?), move || scan.run()))
    }

    fn scan(self: &Rc<Self>, name: &str, words: &str) -> Scan {
        Scan { place: Rc::clone(self), name: name.to_owned(), words: words.to_owned() }
    }

    fn told(&self, name: &str, words: &str) -> Command {
        let program = if name == "plimsoll" { self.program.clone() } else { PathBuf::from(name) };
        let mut command = Command::new(program);
        for word in words.split_whitespace() {
            match word {
                "INPUT" => command.arg(&self.input),
                "FILES" => command.args(files(&self.input)),
                "REPORT" => command.arg(self.report(name)),
                "STATE" | "DATABASE" | "RUSTSEC" => command.arg(self.scratch.join(word.to_lowercase())),
                word => command.arg(word),
            };
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("HOME", &self.home).stdin(Stdio::null());
        if self.input.is_dir() {
            command.current_dir(&self.input);
        }
        command
    }

    fn report(&self, name: &str) -> PathBuf {
        self.scratch.join(format!("{name}.json"))
    }
}

/// A scanner and what it is told.
struct Scan {
    place: Rc<Place>,
    name: String,
    words: String,
}

impl Scan {
    fn run(&self) -> Result<Duration> {
        let report = self.place.report(&self.name);
        let mut command = self.place.told(&self.name, &self.words);
        command.stdout(File::create(&report)?).stderr(Stdio::null());
        if self.words.contains("REPORT") {
            std::fs::remove_file(&report)?;
            command.stdout(Stdio::null());
        }
        let start = Instant::now();
        let status = command.status()?;
        let took = start.elapsed();
        if !status.code().is_some_and(|code| DONE.contains(&code)) {
            return Err(format!("{command:?}: {status}").into());
        }
        let text = std::fs::read(&report)?;
        let found = self.place.found.as_bytes();
        if !text.windows(found.len()).any(|window| window == found) {
            return Err(format!("{command:?} found nothing in {}", self.place.found).into());
        }
        Ok(took)
    }
}

/// Every file of a folder without folders, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files
}

/// A published repository that `dev/install.sh bench` cloned, or that a variable names.
pub(super) fn clone(name: &str, variable: &str) -> Result<PathBuf> {
    let folder = match std::env::var_os(variable) {
        Some(named) => PathBuf::from(named),
        None => cached(&format!("bench/{name}"))?,
    };
    if folder.is_dir() {
        return Ok(folder);
    }
    let needed = format!(
        "needs a clone of {name} in {}: dev/install.sh bench makes it, or {variable}",
        folder.display()
    );
    Err(format!("{needed} names one").into())
}

/// The files of a revision of a clone, in a folder.
pub(super) fn checked_out(clone: &Path, revision: &str, to: &Path) -> Result<()> {
    let quiet = ["clone", "--quiet", "--depth", "1", "--branch", revision];
    let from = format!("file://{}", std::fs::canonicalize(clone)?.display());
    succeed(Command::new("git").args(quiet).arg(from).arg(to))
}
