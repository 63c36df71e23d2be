//! `plimsoll hook`, asked by the real git: neither a secret nor what is critical is committed or pushed, and everything else
//! is.

use crate::{
    advisories::{lock, record},
    secret_modes::Place,
    world::Ran,
};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

/// git in a directory, with the environment of the fixture and a home for the hook.
pub(crate) fn git(place: &Place, directory: &Path, arguments: &[&str]) -> Ran {
    let mut command: Command = place.repository.command(directory);
    command.env("PLIMSOLL_STATE", place.path("state"));
    Ran::of(command.args(arguments))
}

fn install(place: &Place, directory: &Path, more: &[&str]) -> Ran {
    Ran::of(&mut place.command(directory, &[&["hook", "install"], more].concat()))
}

/// A bare repository with the hook, of which the fixture's repository is a clone with one commit.
pub(crate) fn server(place: &Place) -> std::path::PathBuf {
    let server = place.path("server.git");
    place.repository.git(&["init", "-q", "--bare", "-b", "main", server.to_str().unwrap()]);
    place.repository.git(&["remote", "add", "origin", server.to_str().unwrap()]);
    place.repository.write("README", "nothing to see\n");
    place.repository.commit("one");
    install(place, &server, &["--server"]).ok();
    server
}

pub(crate) fn push(place: &Place, what: &[&str]) -> Ran {
    git(place, &place.repository.path(), &[&["push", "-q", "origin"], what].concat())
}

#[test]
fn a_staged_secret_is_not_committed() {
    let place = Place::new();
    let directory = place.repository.path();
    install(&place, &directory, &[]).ok();
    place.repository.write("clean", "nothing\n");
    place.repository.git(&["add", "-A"]);
    git(&place, &directory, &["commit", "-qm", "benign"]).ok();
    place.repository.write("key.pem", format!("a line\n{}", place.secret));
    place.repository.git(&["add", "-A"]);
    place.repository.write("key.pem", "taken out of the work tree only\n");
    let refused = git(&place, &directory, &["commit", "-qm", "attack"]).ended(1).stderr;
    assert!(refused.contains("E-SRC-SECRET") && refused.contains("key.pem:2"), "{refused}");
    assert!(refused.contains("next") && !refused.contains(place.body()), "{refused}");
    assert_eq!(place.repository.git(&["rev-list", "--count", "HEAD"]), "1");
    place.repository.git(&["add", "-A"]);
    git(&place, &directory, &["commit", "-qm", "repaired"]).ok();
}

#[test]
fn only_what_a_commit_takes_counts() {
    let place = Place::new();
    let directory = place.repository.path();
    for (path, content) in [("one", "1\n"), ("two", "2\n"), ("old.pem", place.secret.as_str())] {
        place.repository.write(path, content);
    }
    place.repository.commit("before there was a hook");
    install(&place, &directory, &[]).ok();
    // git commits a part of the index from an index of its own.
    let other = Place::new();
    place.repository.write("one", "1 changed\n");
    place.repository.write("two", &other.secret);
    place.repository.git(&["add", "-A"]);
    git(&place, &directory, &["commit", "-qm", "benign part", "one"]).ok();
    git(&place, &directory, &["commit", "-qm", "attack", "two"]).ended(1);
    place.repository.git(&["checkout", "-q", "HEAD", "--", "two"]);
    // A secret that was there before is no reason to stop other work on the file.
    place.repository.write("old.pem", format!("one more line\n{}", place.secret));
    git(&place, &directory, &["commit", "-qam", "beside an old one"]).ok();
    place.repository.write("old.pem", format!("{}{}", place.secret, other.secret));
    git(&place, &directory, &["commit", "-qam", "a new one beside it"]).ended(1);
}

#[test]
fn branches_tags_and_removals_are_taken_and_new_refs_to_a_secret_are_not() {
    let place = Place::new();
    server(&place);
    place.repository.annotated_tag("v1");
    push(&place, &["main", "v1", "main:side"]).ok();
    push(&place, &[":side"]).ok();
    push(&place, &["main:again"]).ok();
    place.repository.branch("topic");
    place.repository.write("key.pem", &place.secret);
    place.repository.commit("attack");
    push(&place, &["topic"]).ended(1);
    place.repository.annotated_tag("v2");
    push(&place, &["v2"]).ended(1);
    let blob = place.repository.git(&["rev-parse", "HEAD:key.pem"]);
    place.repository.git(&["tag", "alone", &blob]);
    push(&place, &["alone"]).ended(1);
}

#[test]
fn work_on_a_file_with_an_old_secret_can_be_pushed() {
    let place = Place::new();
    let server = server(&place);
    fs::remove_file(server.join("hooks/pre-receive")).unwrap();
    place.repository.write("old.pem", &place.secret);
    place.repository.commit("before there was a hook");
    push(&place, &["main"]).ok();
    install(&place, &server, &["--server"]).ok();
    place.repository.write("old.pem", format!("one more line\n{}", place.secret));
    place.repository.commit("beside an old one");
    push(&place, &["main"]).ok();
    place.repository.write("old.pem", format!("{}{}", place.secret, Place::new().secret));
    place.repository.commit("a new one beside it");
    push(&place, &["main"]).ended(1);
}

/// A place whose machine knows that `smallvec` was an attack until this version.
fn informed(fixed: &str) -> Place {
    let place = Place::new();
    let records = place.path("osv");
    fs::create_dir(&records).unwrap();
    let record = record("MAL-2026-1", "2026-06-13T13:10:24Z", fixed);
    fs::write(records.join("MAL-2026-1.json"), record).unwrap();
    place.plimsoll(&["advisories", "import", records.to_str().unwrap()]).ok();
    place
}

const MALICIOUS: &str = "1.6.0";
const HARMLESS: &str = "1.6.1";
/// A weakness that needs no advisories.
const FOR_EVERYBODY: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: open}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: 'system:unauthenticated'}
";

#[test]
fn what_is_critical_is_neither_committed_nor_pushed() {
    let place = informed(HARMLESS);
    let directory = place.repository.path();
    server(&place);
    push(&place, &["main"]).ok();
    let good = FOR_EVERYBODY.replace("system:unauthenticated", "developers");
    for (path, bad, good, rule) in [
        ("app/Cargo.lock", lock(MALICIOUS), lock(HARMLESS), "dependencies/malicious"),
        ("roles.yaml", FOR_EVERYBODY.to_owned(), good, "config/kubernetes-anonymous-bound"),
    ] {
        install(&place, &directory, &[]).ok();
        place.repository.write(path, &bad);
        place.repository.git(&["add", "-A"]);
        let refused = git(&place, &directory, &["commit", "-qm", "attack"]).ended(1).stderr;
        assert!(refused.contains("E-SRC-CRITICAL") && refused.contains(path), "{refused}");
        assert!(refused.contains(rule) && refused.contains("fix: "), "{refused}");
        git(&place, &directory, &["commit", "-qnm", "attack that asks nobody"]).ok();
        let refused = push(&place, &["main"]).ended(1).stderr;
        assert!(refused.contains("E-SRC-CRITICAL") && refused.contains(path), "{refused}");
        // What counts is where a branch ends: nobody is to write history anew because of a package.
        place.repository.write(path, good);
        place.repository.git(&["add", "-A"]);
        git(&place, &directory, &["commit", "-qm", "repaired"]).ok();
        push(&place, &["main"]).ok();
    }
}

#[test]
fn a_critical_finding_is_not_hidden_by_a_move_a_tag_or_another_branch() {
    let place = informed(HARMLESS);
    server(&place);
    push(&place, &["main"]).ok();
    place.repository.write("Cargo.lock", lock(MALICIOUS));
    place.repository.commit("attack");
    place.repository.git(&["mv", "Cargo.lock", "moved.lock"]);
    place.repository.git(&["commit", "-qm", "moved away"]);
    push(&place, &["main"]).ok();
    place.repository.write("deep/er/Cargo.lock", lock(MALICIOUS) + "# another file\n");
    place.repository.commit("attack");
    for what in ["main", "main:side"] {
        let refused = push(&place, &[what]).ended(1).stderr;
        assert!(refused.contains("deep/er/Cargo.lock"), "{refused}");
    }
    place.repository.annotated_tag("v1");
    push(&place, &["v1"]).ended(1);
}

#[test]
fn work_beside_an_old_critical_finding_can_be_committed_and_pushed() {
    let place = informed("1.6.9");
    let directory = place.repository.path();
    let server = server(&place);
    fs::remove_file(server.join("hooks/pre-receive")).unwrap();
    place.repository.write("Cargo.lock", lock(MALICIOUS));
    place.repository.write("roles.yaml", FOR_EVERYBODY);
    place.repository.commit("before there was a hook");
    push(&place, &["main"]).ok();
    install(&place, &server, &["--server"]).ok();
    install(&place, &directory, &[]).ok();
    place.repository.write("roles.yaml", format!("# a line more\n{FOR_EVERYBODY}"));
    // Another version that is no better brings nothing new.
    place.repository.write("Cargo.lock", lock(HARMLESS));
    place.repository.git(&["add", "-A"]);
    git(&place, &directory, &["commit", "-qm", "beside old ones"]).ok();
    push(&place, &["main"]).ok();
    place.repository.branch("topic");
    place.repository.write("Cargo.lock", lock("1.6.2"));
    place.repository.git(&["add", "-A"]);
    git(&place, &directory, &["commit", "-qm", "beside old ones"]).ok();
    push(&place, &["topic"]).ok();
}

/// Nine levels of ten directories each, of which git keeps nine.
#[test]
fn a_tree_of_a_billion_directories_is_refused_soon() {
    let place = Place::new();
    server(&place);
    let tree = |lines: &str| {
        fs::write(place.path("lines"), lines).unwrap();
        let mut command = place.repository.command(&place.repository.path());
        let made =
            command.arg("mktree").stdin(fs::File::open(place.path("lines")).unwrap()).output().unwrap();
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    };
    let mut id =
        tree(&format!("100644 blob {}\ta.yaml", place.repository.git(&["rev-parse", "HEAD:README"])));
    for _ in 0..9 {
        let lines: Vec<String> = (0..10).map(|name| format!("040000 tree {id}\t{name}")).collect();
        id = tree(&lines.join("\n"));
    }
    let commit = place.repository.git(&["commit-tree", "-m", "bomb", &id]);
    let refused = push(&place, &[&format!("{commit}:refs/heads/bomb")]).ended(1).stderr;
    assert!(refused.contains("it has too many entries"), "{refused}");
}

#[test]
fn lock_files_are_compared_with_the_advisories_in_use_or_with_none() {
    let compare = |place: &Place| {
        place.repository.write("Cargo.lock", lock(MALICIOUS));
        place.repository.git(&["add", "-A"]);
        place.plimsoll(&["hook", "pre-commit"])
    };
    let said = compare(&Place::new()).ok().stderr;
    assert!(
        said.contains("1 lock files were compared with no advisories: plimsoll advisories import"),
        "{said}"
    );
    let place = informed(HARMLESS);
    assert!(compare(&place).ended(1).stderr.contains("E-SRC-CRITICAL"));
    for file in fs::read_dir(place.path("state/advisories")).unwrap() {
        fs::write(file.unwrap().path(), "damaged").unwrap();
    }
    assert!(compare(&place).ended(1).stderr.contains("E-ADVISORY-INDEX"));
}

#[test]
fn a_hook_that_cannot_tell_says_no() {
    let place = Place::new();
    let server = server(&place);
    push(&place, &["main"]).ok();
    let run = |directory: &Path, hook: &str| Ran::of(&mut place.command(directory, &["hook", hook]));
    run(&server, "pre-receive").ok();
    let mut asked = place.command(&server, &["hook", "pre-receive"]);
    let list = place.path("list");
    let line = |text: &str| fs::write(&list, text).unwrap();
    line(&format!("{} {} refs/heads/main\n", "0".repeat(40), "1".repeat(40)));
    let ran = Ran::of(asked.stdin(fs::File::open(&list).unwrap()));
    assert!(ran.ended(2).stderr.contains("git receive-pack"));
    line("this is no list of refs\n");
    Ran::of(asked.stdin(fs::File::open(&list).unwrap())).ended(2);
    run(place.path("").as_path(), "pre-commit").ended(2);
    // A repository whose index is damaged.
    install(&place, &place.repository.path(), &[]).ok();
    fs::write(place.repository.path().join(".git/index"), "damaged").unwrap();
    assert_ne!(run(&place.repository.path(), "pre-commit").status, 0);
    // A hook whose program is gone.
    let hook = server.join("hooks/pre-receive");
    let text = fs::read_to_string(&hook).unwrap();
    fs::write(&hook, text.replace(env!("CARGO_BIN_EXE_plimsoll"), "/nowhere/plimsoll")).unwrap();
    let clone = place.path("clone");
    place.repository.git(&["clone", "-q", server.to_str().unwrap(), clone.to_str().unwrap()]);
    fs::write(clone.join("benign"), "nothing\n").unwrap();
    git(&place, &clone, &["add", "-A"]).ok();
    git(&place, &clone, &["commit", "-qm", "benign"]).ok();
    assert_ne!(git(&place, &clone, &["push", "-q"]).status, 0);
}

#[test]
fn installing_twice_is_installing_once_and_a_foreign_hook_stays() {
    let place = Place::new();
    let directory = place.repository.path();
    let hook = directory.join(".git/hooks/pre-commit");
    install(&place, &directory, &[]).ok();
    let text = fs::read_to_string(&hook).unwrap();
    assert_eq!(fs::metadata(&hook).unwrap().permissions().mode() & 0o777, 0o755);
    install(&place, &directory, &[]).ok();
    assert_eq!(fs::read_to_string(&hook).unwrap(), text);
    // An older one of our own is replaced.
    fs::write(&hook, text.replace("exec", "exec  ")).unwrap();
    install(&place, &directory, &[]).ok();
    assert_eq!(fs::read_to_string(&hook).unwrap(), text);
    let uninstall = || Ran::of(&mut place.command(&directory, &["hook", "uninstall"]));
    uninstall().ok();
    assert!(!hook.exists());
    uninstall().ok();
    fs::write(&hook, "#!/bin/sh\nexit 0\n").unwrap();
    let refused = install(&place, &directory, &[]).ended(2).stderr;
    assert!(refused.contains("plimsoll hook pre-commit || exit 1"), "{refused}");
    uninstall().ended(2);
    assert_eq!(fs::read_to_string(&hook).unwrap(), "#!/bin/sh\nexit 0\n");
}

#[test]
fn a_hook_that_git_would_never_ask_is_not_installed() {
    let place = Place::new();
    let directory = place.repository.path();
    install(&place, &directory, &["--server"]).ended(2);
    place.repository.git(&["config", "core.hooksPath", "/elsewhere"]);
    assert!(install(&place, &directory, &[]).ended(2).stderr.contains("/elsewhere"));
    let bare = place.path("bare.git");
    place.repository.git(&["init", "-q", "--bare", bare.to_str().unwrap()]);
    install(&place, &bare, &[]).ended(2);
    install(&place, &place.path(""), &[]).ended(2);
}
