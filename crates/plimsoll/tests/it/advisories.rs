//! Advisories from their import to a finding, and what an index that cannot be believed comes to.

use crate::world::{Ran, World, text};
use serde_json::Value;
use std::{fs, path::PathBuf};

/// A record about `smallvec`: its id, when it was changed, and the version that fixes it.
pub(crate) fn record(id: &str, modified: &str, fixed: &str) -> String {
    format!(
        r#"{{"id":"{id}","modified":"{modified}","aliases":["CVE-2021-25900"],"summary":"Buffer overflow in insert_many",
            "severity":[{{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}],
            "affected":[{{"package":{{"ecosystem":"crates.io","name":"smallvec"}},
              "ranges":[{{"type":"SEMVER","events":[{{"introduced":"0.6.3"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
    )
}

/// A lock file in which the project asks for `smallvec` through another package.
pub(crate) fn lock(smallvec: &str) -> String {
    let package = |name: &str, version: &str, more: &str| {
        format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{more}\n")
    };
    let registry = "source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
    [
        "version = 4\n\n".to_owned(),
        package("parking_lot_core", "0.8.0", &format!("{registry}dependencies = [\n \"smallvec\",\n]\n")),
        package("shop", "0.1.0", "dependencies = [\n \"parking_lot_core\",\n]\n"),
        package("smallvec", smallvec, registry),
    ]
    .concat()
}

/// A world with a project and a directory of advisories.
fn world(fixed: &str) -> (World, PathBuf) {
    let world = World::empty();
    world.repository.write("Cargo.lock", lock("1.6.0"));
    let advisories = world.scratch("kev.json", br#"{"vulnerabilities":[{"cveID":"CVE-2000-1"}]}"#);
    let advisories = advisories.with_file_name("advisories");
    fs::create_dir(&advisories).unwrap();
    fs::write(advisories.join("A.json"), record("RUSTSEC-2021-0003", "2023-06-13T13:10:24Z", fixed)).unwrap();
    (world, advisories)
}

pub(crate) fn import(world: &World, from: &std::path::Path, more: &[&str]) -> Ran {
    let from = from.to_str().unwrap();
    world.json(&[&["advisories", "import", from], more].concat())
}

fn scan(world: &World) -> Ran {
    world.json(&["scan", "dependencies"])
}

/// The one file of the index in use, or of its statement.
fn file(world: &World, ending: &str) -> PathBuf {
    let name = |path: &PathBuf| path.to_string_lossy().ends_with(ending);
    let all = fs::read_dir(world.state().join("advisories")).unwrap().map(|entry| entry.unwrap().path());
    all.filter(name).collect::<Vec<_>>().pop().unwrap()
}

#[test]
fn what_is_imported_is_found_explained_and_gone_when_it_is_updated() {
    let (world, advisories) = world("1.6.1");
    scan(&world).ended(3).refused(&["E-ADVISORY-INDEX"]);
    let imported = import(&world, &advisories, &[]).ok().value();
    assert_eq!(imported["advisories"]["advisories"], 1);
    let shown = world.json(&["advisories", "show"]).ok().value();
    assert_eq!(shown["advisories"]["updated"], "2023-06-13T13:10:24Z");
    assert_eq!(shown["advisories"]["index"], imported["advisories"]["index"]);
    let found = world.plimsoll(&["scan", "dependencies"]).ended(1).stdout;
    assert!(
        found.contains("smallvec 1.6.0 is vulnerable: Buffer overflow in insert_many (RUSTSEC-2021-0003)"),
        "{found}"
    );
    assert!(found.contains("Cargo.lock:") && found.contains("update smallvec to 1.6.1"), "{found}");
    let why = world.plimsoll(&["scan", "dependencies", "--explain", "CVE-2021-25900"]).ok().stdout;
    for line in [
        "shop 0.1.0",
        "asks for parking_lot_core 0.8.0",
        "asks for smallvec 1.6.0",
        "update smallvec to 1.6.1",
    ] {
        assert!(why.contains(line), "{line}: {why}");
    }
    world.plimsoll(&["scan", "dependencies", "--explain", "CVE-1-1"]).ended(2);
    world.repository.write("Cargo.lock", lock("1.6.1"));
    scan(&world).ok();
}

#[test]
fn an_index_that_was_cut_off_altered_or_signed_by_nobody_calls_nothing_clean() {
    let (world, advisories) = world("1.5.0");
    import(&world, &advisories, &[]).ok();
    scan(&world).ok();
    let (index, statement) = (file(&world, ".index"), file(&world, ".sigstore.json"));
    let (good_index, good_statement) = (fs::read(&index).unwrap(), fs::read(&statement).unwrap());
    let check = |expect: &str| {
        let ran = scan(&world).ended(3).refused(&["E-ADVISORY-INDEX"]);
        let problem = ran.parameter("E-ADVISORY-INDEX", "problem");
        assert!(problem.contains(expect), "{expect}: {problem}");
    };
    fs::write(&index, &good_index[..good_index.len() - 1]).unwrap();
    check("bytes where its head says");
    let mut altered = good_index.clone();
    *altered.last_mut().unwrap() ^= 1;
    fs::write(&index, &altered).unwrap();
    check("it was altered");
    let mut other = good_index.clone();
    other[16] = 9;
    fs::write(&index, &other).unwrap();
    check("version 9 of the format");
    other[16] = 1;
    fs::write(&index, &other).unwrap();
    check("this program reads version 2: import the advisories again");
    let mut newer = good_index.clone();
    newer[24] ^= 1;
    fs::write(&index, &newer).unwrap();
    check("was signed");
    let mut listed = good_index.clone();
    // The digest of the first page, after 72 bytes.
    listed[72] ^= 1;
    fs::write(&index, &listed).unwrap();
    check("was signed");
    fs::remove_file(&index).unwrap();
    check("is not there");
    fs::write(&index, &good_index).unwrap();
    fs::remove_file(&statement).unwrap();
    check("is not there");
    let forged = String::from_utf8(good_statement.clone()).unwrap().replace("\"sig\":\"M", "\"sig\":\"N");
    fs::write(&statement, forged).unwrap();
    check("its statement does not count");
    fs::write(&statement, &good_statement).unwrap();
    scan(&world).ok();
}

#[test]
fn an_older_index_is_refused_unless_somebody_names_it() {
    let (world, advisories) = world("1.6.1");
    import(&world, &advisories, &[]).ok();
    let old_files: Vec<_> = [".index", ".sigstore.json"]
        .map(|end| file(&world, end))
        .into_iter()
        .map(|path| (fs::read(&path).unwrap(), path))
        .collect();
    fs::write(advisories.join("B.json"), record("RUSTSEC-2026-0001", "2026-01-01T00:00:00Z", "1.7.0"))
        .unwrap();
    let newer = import(&world, &advisories, &[]).ok().value();
    fs::remove_file(advisories.join("B.json")).unwrap();
    let refused = import(&world, &advisories, &[]).ended(1).refused(&["E-ADVISORY-OLDER"]);
    assert_eq!(
        world.json(&["advisories", "show"]).ok().value()["advisories"]["index"],
        newer["advisories"]["index"]
    );
    // The old files, signed by the right key, under the new names: the journal says that they are not in use.
    let new_files = [".index", ".sigstore.json"].map(|end| {
        let name = text(&newer["advisories"]["index"]).replace("sha256:", "");
        world.state().join("advisories").join(name + end)
    });
    let good: Vec<_> = new_files.iter().map(|path| fs::read(path).unwrap()).collect();
    for ((old, _), path) in old_files.iter().zip(&new_files) {
        fs::write(path, old).unwrap();
    }
    scan(&world).ended(3).refused(&["E-ADVISORY-INDEX"]);
    for (bytes, path) in good.iter().zip(&new_files) {
        fs::write(path, bytes).unwrap();
    }
    let digest = refused.parameter("E-ADVISORY-OLDER", "index");
    import(&world, &advisories, &["--older", &digest]).ok();
    assert_eq!(world.json(&["advisories", "show"]).ok().value()["advisories"]["index"], Value::from(digest));
}

#[test]
fn records_come_from_a_repository_too_and_what_is_strange_is_told() {
    let (world, advisories) = world("1.6.1");
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command
            .current_dir(&advisories)
            .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
            .args(arguments);
        assert!(command.status().unwrap().success());
    };
    fs::write(advisories.join("broken.json"), "{\"id\": \"X-1\", \"modified\": 3}").unwrap();
    fs::write(advisories.join("schema.json"), "{}").unwrap();
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "advisories"]);
    fs::write(advisories.join("uncommitted.json"), record("X-2", "2024-01-01T00:00:00Z", "2.0.0")).unwrap();
    let kev = advisories.with_file_name("kev.json");
    let imported = import(&world, &advisories, &["--kev", kev.to_str().unwrap()]).ok().value();
    let (statement, left_out) = (&imported["advisories"], &imported["leftOut"]);
    assert_eq!(
        (&statement["advisories"], &statement["unreadable"], &statement["exploited"]),
        (&1.into(), &1.into(), &1.into())
    );
    assert!(text(&statement["sources"][0]).starts_with("commit "), "{statement}");
    assert!(text(&left_out["unreadable"][0]).contains("broken.json") && left_out["other"] == 1, "{left_out}");
}

#[test]
fn what_holds_no_advisory_is_not_imported() {
    let (world, advisories) = world("1.6.1");
    fs::remove_file(advisories.join("A.json")).unwrap();
    let problem = world.plimsoll(&["advisories", "import", advisories.to_str().unwrap()]).ended(2).stderr;
    assert!(problem.contains("no advisory"), "{problem}");
    fs::write(advisories.join("all.zip"), b"PK\x05\x06").unwrap();
    let problem = world.plimsoll(&["advisories", "import", advisories.to_str().unwrap()]).ended(2).stderr;
    assert!(problem.contains("no intact ZIP archive"), "{problem}");
    world.plimsoll(&["advisories", "import", "/nowhere"]).ended(2);
}

/// A new machine's first command may be a scan. What it keeps there stands in no later command's way.
#[test]
fn a_machine_that_only_ever_scanned_takes_advisories() {
    let (world, advisories) = world("1.6.1");
    world.plimsoll(&["scan"]).ended(3);
    let nothing = world.plimsoll(&["status"]).ended(0).stdout;
    assert!(nothing.contains("nothing runs here"), "{nothing}");
    import(&world, &advisories, &[]).ended(0);
    scan(&world).ended(1);
}

#[test]
fn a_lock_file_without_advisories_is_never_clean_beside_other_scans() {
    let (world, _) = world("1.6.1");
    let shown = world.plimsoll(&["scan"]).ended(3).stdout;
    assert!(shown.contains("none was imported here yet; next: plimsoll advisories import"), "{shown}");
    fs::remove_file(world.repository.path().join("Cargo.lock")).unwrap();
    world.repository.write("README.md", "nothing to scan");
    world.repository.write("Dockerfile", "FROM scratch\nUSER 10001:10001\nENTRYPOINT [\"/x\"]\n");
    let alone = world.plimsoll(&["scan"]);
    assert!(!alone.stdout.contains("none was imported"), "{}", alone.stdout);
}
