//! Rules that somebody imported on this machine. They lie below `scan/rules` of the state directory, one set for each scanner
//! that takes some, and appear at the same place of the one that a scan finds in its sandbox. The project that is looked at
//! has no part in them.

use crate::{commands::scan::tree::Files, context::Context, failure::Failure};
use plimsoll_engine::ports::Mount;
use plimsoll_model::{Digest, ScanEngine};
use plimsoll_scan::{
    malware::Yara,
    ruleset::{MAX_FILE, MAX_SET, RuleFile, RuleProblem, RuleSet},
    secrets::imported::Imported,
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

/// Where the sets are, below the state directory.
const DIRECTORY: &str = "scan/rules";
/// The scanners that take rules.
pub(crate) const ENGINES: [ScanEngine; 2] = [ScanEngine::Secrets, ScanEngine::Malware];
/// How long YARA rules may take for one file.
pub(crate) const TIME: Duration = Duration::from_secs(60);
/// What refuses rules says first.
const REFUSED: &str = "these rules cannot be used";

/// The set that is in use for a scanner; none where none was imported.
///
/// # Errors
/// When there is one that cannot be read.
pub(crate) fn stored(context: &Context, engine: ScanEngine) -> Result<Option<RuleSet>, Failure> {
    let path = path(context, engine);
    let broken = |error: &(dyn std::error::Error + 'static)| {
        let what = Failure::broken(format!("failed to read {}", path.display()), error).text();
        Failure::Broken { what, next: Some("plimsoll rules import FILES".to_owned()) }
    };
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|error| broken(&error))?,
    };
    let mut bytes = Vec::new();
    // JSON writes some characters with six bytes.
    file.take(6 * MAX_SET as u64).read_to_end(&mut bytes).map_err(|error| broken(&error))?;
    let set = RuleSet::parse(&bytes).map_err(|error| broken(&error))?;
    match set.engine == engine {
        true => Ok(Some(set)),
        false => Err(broken(&io::Error::other(format!("it is for {}", set.engine)))),
    }
}

/// What names the set that is in use for a scanner.
///
/// # Errors
/// As [`stored`].
pub(crate) fn imported(context: &Context, engine: ScanEngine) -> Result<Option<Digest>, String> {
    let set = stored(context, engine).map_err(|failure| failure.text())?;
    set.map(|set| set.digest()).transpose().map_err(|error| error.to_string())
}

/// Takes a set into use, in place of the one before.
///
/// # Errors
/// When the disk takes nothing more: then the old one stays in use.
pub(crate) fn store(context: &Context, set: &RuleSet) -> Result<(), Failure> {
    let path = path(context, set.engine);
    let failed = |error: &(dyn std::error::Error + 'static)| {
        Failure::broken(format!("failed to write {}", path.display()), error)
    };
    let bytes = set.to_bytes().map_err(|error| failed(&error))?;
    context.prepare()?;
    write(&path, &bytes).map_err(|error| failed(&error))
}

/// The file appears whole, or not at all.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent)?;
    let fresh = parent.join(format!(".fresh.{}", std::process::id()));
    let mut file = File::create(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    File::open(parent)?.sync_all()
}

/// Takes a set out of use; whether there was one.
///
/// # Errors
/// When it is there and stays.
pub(crate) fn remove(context: &Context, engine: ScanEngine) -> Result<bool, Failure> {
    let path = path(context, engine);
    match fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::broken(format!("failed to remove {}", path.display()), &error)),
    }
}

/// The sets as scans in a sandbox see them.
pub(crate) fn mounts(context: &Context, state: &str) -> Vec<Mount> {
    let mount = |engine: ScanEngine| {
        let source = path(context, engine);
        let target = format!("{state}/{DIRECTORY}/{engine}.json");
        source.is_file().then_some(Mount::ReadOnly { source, target })
    };
    ENGINES.into_iter().filter_map(mount).collect()
}

fn path(context: &Context, engine: ScanEngine) -> PathBuf {
    context.state.join(DIRECTORY).join(format!("{engine}.json"))
}

/// The files that were named, and those of a directory that are rules by their name, for each scanner.
///
/// # Errors
/// Bad use: there is none, it is no text, it is too large, or nobody takes such rules.
pub(crate) fn gather(paths: &[PathBuf]) -> Result<BTreeMap<ScanEngine, RuleSet>, Failure> {
    let mut found: BTreeMap<ScanEngine, Vec<RuleFile>> = BTreeMap::new();
    let mut left = MAX_SET;
    for named in paths {
        let files = Files::everything_at(named)?;
        let usage = |path: &str, problem: &str| Failure::Usage(format!("{path}: {problem}"));
        let before = left;
        for (index, path) in files.paths().enumerate() {
            let engine = match (engine_of(&path), named.is_dir()) {
                (Some(engine), false) => engine,
                (None, true) => continue,
                // A directory of sources has many such files that are no rules.
                (Some(ScanEngine::Secrets), true) => continue,
                (Some(engine), true) => engine,
                (None, false) => {
                    return Err(usage(
                        &path,
                        "rules are in files that end in .toml (of gitleaks, for secrets), .yar or .yara (for malware)",
                    ));
                }
            };
            let opened = files.open(index).map_err(|problem| usage(&path, &problem))?;
            let Some(file) = opened else { continue };
            let text = read(file).map_err(|problem| usage(&path, &problem))?;
            left = left
                .checked_sub(text.len().max(1))
                .ok_or_else(|| usage(&path, &format!("all rules together have more than {MAX_SET} bytes")))?;
            found.entry(engine).or_default().push(RuleFile { name: path, text });
        }
        if left == before {
            return Err(usage(&named.display().to_string(), "there are no rules"));
        }
    }
    Ok(found.into_iter().map(|(engine, files)| (engine, RuleSet::new(engine, files))).collect())
}

fn engine_of(path: &str) -> Option<ScanEngine> {
    match Path::new(path).extension()?.to_str()? {
        "toml" => Some(ScanEngine::Secrets),
        "yar" | "yara" => Some(ScanEngine::Malware),
        _ => None,
    }
}

fn read(file: File) -> Result<String, String> {
    let mut bytes = Vec::new();
    file.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > MAX_FILE {
        return Err(format!("it has more than {MAX_FILE} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is no text in UTF-8".to_owned())
}

/// The rules for secrets that these files hold; where none is named, those in use, if any.
///
/// # Errors
/// Every problem of the files at once.
pub(crate) fn secrets(context: &Context, named: &[PathBuf]) -> Result<Option<Imported>, Failure> {
    let set = match named {
        [] => stored(context, ScanEngine::Secrets)?,
        named => Some(only(gather(named)?, ScanEngine::Secrets)?),
    };
    set.map(|set| Imported::read(&set)).transpose().map_err(|problems| refused(&problems))
}

/// The rules for malware that these files and directories hold; where none is named, those in use, if any.
///
/// # Errors
/// As [`secrets`].
pub(crate) fn malware(context: &Context, named: &[PathBuf]) -> Result<Option<Yara>, Failure> {
    let set = match named {
        [] => stored(context, ScanEngine::Malware)?,
        named => Some(only(gather(named)?, ScanEngine::Malware)?),
    };
    set.map(|set| Yara::read(&set, TIME)).transpose().map_err(|problems| refused(&problems))
}

/// What was gathered for this scanner; rules for another one are no rules here.
fn only(mut sets: BTreeMap<ScanEngine, RuleSet>, engine: ScanEngine) -> Result<RuleSet, Failure> {
    let set = sets.remove(&engine);
    match (set, sets.pop_first()) {
        (_, Some((other, _))) => {
            Err(Failure::Usage(format!("those are rules for {other}, not for {engine}")))
        }
        (Some(set), None) => Ok(set),
        (None, None) => Err(Failure::Usage(format!("there are no rules for {engine}"))),
    }
}

/// All problems, one in a line.
pub(crate) fn refused(problems: &[RuleProblem]) -> Failure {
    let lines: String = problems.iter().map(|problem| format!("\n  {problem}")).collect();
    Failure::Usage(format!("{REFUSED}:{lines}"))
}
