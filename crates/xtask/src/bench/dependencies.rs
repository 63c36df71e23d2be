//! Four lock files beside osv-scanner, with the same advisories and no network, and one of them beside `cargo audit` with
//! its own. `bench/dependencies/osv_zip.py` makes the archives.

use super::{
    Bench, Measurement,
    case::{Case, succeed},
    machine::cached,
    scanner::{Place, checked_out, clone},
};
use crate::project::Result;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

const OURS: &str = "scan dependencies INPUT";
const OSV_SCANNER: &str = "scan source --offline --offline-vulnerabilities --local-db-path DATABASE --no-resolve \
                           --no-call-analysis=all --format json --output-file REPORT --recursive INPUT";
const CARGO_AUDIT: &str = "audit --db RUSTSEC --no-fetch --stale --json --file INPUT";

pub(super) fn measurements(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    // Outside of the checkout, where neither side has a repository to ask.
    let locks = bench.scratch.join("locks");
    let kept = bench.project.root().join("bench/dependencies/locks");
    succeed(Command::new("cp").arg("-r").arg(kept).arg(&locks))?;
    import(bench)?;
    let four = Place::new(bench, locks.clone(), "RUSTSEC-2020-0159")?;
    let what = "four lock files (Cargo, Go, npm, pip), by the same advisories".to_owned();
    let peer = four.peer("osv-scanner", OSV_SCANNER)?;
    let name = "dependencies";
    let all = Case { name, what, limit: Some(0.02), pairs: 31, ours: four.ours(OURS), peer };
    let one = Place::new(bench, locks.join("cargo/Cargo.lock"), "RUSTSEC-2020-0159")?;
    let what = "one Cargo.lock, by RustSec's advisories".to_owned();
    let peer = one.peer("cargo-audit", CARGO_AUDIT)?;
    let cargo = Case { name, what, limit: None, pairs: 31, ours: one.ours(OURS), peer };
    Ok(vec![Measurement::Case(all), Measurement::Case(cargo)])
}

/// Both sides get the same records; `cargo audit` reads a checkout.
fn import(bench: &Bench<'_>) -> Result<()> {
    let rustsec = clone("rustsec", "PLIMSOLL_BENCH_RUSTSEC")?;
    let (clones, database) = (cached("bench")?, bench.scratch.join("database"));
    let script = bench.project.root().join("bench/dependencies/osv_zip.py");
    // checkov's environment has a reader of YAML.
    let mut python = Command::new(cached("python/checkov/bin/python")?);
    succeed(python.arg(script).args([&clones, &database]))?;
    checked_out(&rustsec, "main", &bench.scratch.join("rustsec"))?;
    let mut import = Command::new(bench.program());
    import.arg("--state").arg(bench.scratch.join("state")).args(["--quiet", "advisories", "import"]);
    succeed(import.args(archives(&database)))
}

fn archives(database: &Path) -> [PathBuf; 4] {
    let folder = database.join("osv-scalibr");
    ["crates.io", "Go", "PyPI", "npm"].map(|ecosystem| folder.join(ecosystem).join("all.zip"))
}
