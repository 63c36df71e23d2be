//! Secrets in one small file, in a large tree, and what that takes of memory. The tree is the published sources of all of
//! Plimsoll's dependencies, by its lock file, and RustSec's advisories.

use super::{
    Bench, Measurement,
    case::{Case, say, succeed},
    footprint::peak,
    scanner::{Place, checked_out, clone},
};
use crate::project::Result;
use std::{fs, path::Path, process::Command, rc::Rc};

/// What all of them are asked to find: nobody takes a private key for anything else.
const PLANTED: &str = "planted.pem";

const OURS: &str = "scan secrets INPUT";
const BETTERLEAKS: &str = "INPUT --silent --no-banner --exit-code 0 -o REPORT";
const GITLEAKS: &str =
    "dir INPUT --no-banner --log-level error --exit-code 0 --report-format json --report-path REPORT";
const KINGFISHER: &str =
    "scan INPUT --turbo --no-validate --no-update-check --quiet --format json --output REPORT";
const DETECT_SECRETS: &str = "scan --all-files .";
const TRUFFLEHOG: &str = "filesystem INPUT --no-verification --no-update --json";

pub(super) fn measurements(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    let mut found = tiny(bench)?;
    found.extend(tree(bench)?);
    Ok(found)
}

/// Nothing is kept from one scan to the next; a runner that starts fresh has no cache of compiled rules either.
fn tiny(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    let folder = bench.scratch.join("tiny");
    fs::create_dir(&folder)?;
    plant(&folder)?;
    let place = Place::new(bench, folder, PLANTED)?;
    let case = |limit, pairs, name: &str, words| -> Result<Measurement> {
        let home = place.home.clone();
        let fresh = move || Ok(fs::remove_dir_all(&home).and_then(|()| fs::create_dir(&home))?);
        let peer = place.peer(name, words)?.prepared(fresh);
        let what = "secrets in one small file, nothing cached".to_owned();
        let ours = place.ours(OURS);
        Ok(Measurement::Case(Case { name: "secrets-tiny", what, limit, pairs, ours, peer }))
    };
    Ok(vec![
        case(Some(0.05), 31, "betterleaks", BETTERLEAKS)?,
        case(Some(0.05), 15, "gitleaks", GITLEAKS)?,
        case(Some(0.05), 15, "detect-secrets", DETECT_SECRETS)?,
        case(Some(0.05), 15, "trufflehog", TRUFFLEHOG)?,
        case(Some(0.05), 6, "kingfisher", KINGFISHER)?,
        memory(&place, "memory-secrets-tiny", OURS, "a scan of one small file for secrets"),
    ])
}

/// Beside kingfisher alone, by far the fastest here (gitleaks takes more than a minute of processor time), and with its
/// compiled rules kept from run to run: without them it would only be slower.
fn tree(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    let folder = bench.scratch.join("tree");
    let mut vendor = Command::new("cargo");
    vendor.args(["vendor", "--quiet", "--locked", "--versioned-dirs"]).arg(folder.join("vendor"));
    say(vendor.current_dir(bench.project.root()))?;
    checked_out(&clone("rustsec", "PLIMSOLL_BENCH_RUSTSEC")?, "main", &folder.join("advisories"))?;
    fs::remove_dir_all(folder.join("advisories/.git"))?;
    plant(&folder)?;
    let what = format!("secrets in a tree of {} files", count(&folder)?);
    let place = Place::new(bench, folder, PLANTED)?;
    let (ours, peer) = (place.ours(OURS), place.peer("kingfisher", KINGFISHER)?);
    let case = Case { name: "secrets-tree", what, limit: Some(0.5), pairs: 15, ours, peer };
    Ok(vec![
        Measurement::Case(case),
        memory(&place, "memory-secrets-tree", OURS, "a scan of the same tree for secrets"),
    ])
}

fn plant(folder: &Path) -> Result<()> {
    // In the oldest notation of them all, which every scanner knows.
    let mut key = Command::new("openssl");
    succeed(key.args(["genrsa", "-traditional", "-out"]).arg(folder.join(PLANTED)).arg("2048"))
}

fn count(folder: &Path) -> Result<usize> {
    let mut files = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files += if entry.file_type()?.is_dir() { count(&entry.path())? } else { 1 };
    }
    Ok(files)
}

/// The most that a scan holds at once.
pub(super) fn memory(place: &Rc<Place>, name: &'static str, words: &'static str, what: &str) -> Measurement {
    let file = place.home.with_file_name(name);
    let place = Rc::clone(place);
    let command = move || place.command(&format!("--state STATE {words} --report REPORT"));
    let mut figure = peak(name, what, &file, command);
    (figure.limit, figure.samples) = (Some(150e6), 3);
    Measurement::Figure(figure)
}
