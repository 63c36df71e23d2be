//! Shows what the secrets engine makes of a folder, for measuring and training (`bench/secrets`):
//! `secrets explain FOLDER` prints every candidate with its numbers as JSON lines, `secrets gate FOLDER` and
//! `secrets audit FOLDER` print what a scan reports, and `secrets time FOLDER` how fast it is.
#![expect(
    clippy::disallowed_methods,
    reason = "a tool for developers, outside the engine: it reads files and a clock"
)]

use plimsoll_scan::{ProjectKey, secrets};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, folder] = arguments.as_slice() else { return ExitCode::from(2) };
    let root = Path::new(folder);
    let mut files = Vec::new();
    let walked = walk(root, &mut files);
    files.sort();
    let done = walked.and_then(|()| match mode.as_str() {
        "explain" => each(root, &files, explain),
        "gate" => each(root, &files, |path, bytes| scan(secrets::Point::Gate, path, bytes)),
        "audit" => each(root, &files, |path, bytes| scan(secrets::Point::Audit, path, bytes)),
        "time" => time(root, &files),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    });
    if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), files)?;
        } else if entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn each(
    root: &Path,
    files: &[PathBuf],
    lines: impl Fn(&str, &[u8]) -> Vec<serde_json::Value>,
) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for file in files {
        let path = file.strip_prefix(root).unwrap_or(file).to_string_lossy();
        for line in lines(&path, &std::fs::read(file)?) {
            writeln!(out, "{line}")?;
        }
    }
    out.flush()
}

fn explain(path: &str, bytes: &[u8]) -> Vec<serde_json::Value> {
    let all = secrets::explain(path, bytes).into_iter().map(|explained| {
        let features: serde_json::Map<_, _> =
            explained.features.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        serde_json::json!({
            "path": path, "line": explained.line, "rule": explained.rule, "confidence": explained.confidence,
            "start": explained.range.start, "end": explained.range.end, "features": features,
        })
    });
    all.collect()
}

fn scan(point: secrets::Point, path: &str, bytes: &[u8]) -> Vec<serde_json::Value> {
    let scanned = secrets::Scanner::new(point, ProjectKey::new([0; 32])).scan(path, bytes);
    let shown = |finding: &plimsoll_scan::Finding| serde_json::to_value(finding).unwrap_or_default();
    scanned.findings.iter().chain(&scanned.suppressed).map(shown).collect()
}

fn time(root: &Path, files: &[PathBuf]) -> io::Result<()> {
    let read = files
        .iter()
        .map(|file| Ok((file.strip_prefix(root).unwrap_or(file).to_string_lossy(), std::fs::read(file)?)));
    let read = read.collect::<io::Result<Vec<_>>>()?;
    let scanner = secrets::Scanner::new(secrets::Point::Audit, ProjectKey::new([0; 32]));
    let start = std::time::Instant::now();
    scanner.scan("first", b"nothing");
    let first = start.elapsed();
    let start = std::time::Instant::now();
    let found: usize = read.iter().map(|(path, bytes)| scanner.scan(path, bytes).findings.len()).sum();
    let elapsed = start.elapsed();
    let bytes: usize = read.iter().map(|(_, bytes)| bytes.len()).sum();
    let rate = bytes as f64 / 1e6 / elapsed.as_secs_f64();
    writeln!(
        io::stdout(),
        "{} files, {bytes} bytes, {found} findings, first {first:?}, all {elapsed:?}, {rate:.0} MB/s",
        files.len()
    )
}
