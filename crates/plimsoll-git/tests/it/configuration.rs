//! Nothing that the repository or the caller's environment is configured with has any influence, and nothing is run.

use crate::support::{export, open, path, refusal};
use plimsoll_engine::ports::Source;
use plimsoll_git::GitSource;
use plimsoll_model::Code;
use plimsoll_testkit::GitFixture;
use std::{fs, os::unix::fs::PermissionsExt};

/// A program that leaves a mark when it runs, and passes its input on.
fn trap(fixture: &GitFixture) -> (String, std::path::PathBuf) {
    let (program, mark) = (fixture.home().join("trap"), fixture.home().join("executed"));
    fs::write(&program, format!("#!/bin/sh\necho \"$0 $@\" >> {}\ncat\n", mark.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    (program.to_str().unwrap().to_owned(), mark)
}

#[test]
fn replace_refs_change_nothing() {
    let fixture = GitFixture::new();
    fixture.write("file", "honest");
    let honest = fixture.commit("honest");
    let blob = fixture.git(&["rev-parse", "HEAD:file"]);
    fixture.write("file", "evil");
    let evil = fixture.commit("evil");
    let source = open(&fixture);
    let tree = source.tree(&honest, None).unwrap();
    let other = fixture.git(&["rev-parse", "HEAD:file"]);
    fixture.git(&["replace", honest.as_str(), evil.as_str()]);
    fixture.git(&["replace", &blob, &other]);
    assert_eq!(fixture.git(&["cat-file", "-p", &format!("{honest}:file")]), "evil");
    assert_eq!(source.tree(&honest, None).unwrap(), tree);
    assert_eq!(source.commit(&honest, &[]).unwrap().summary, "honest");
    assert_eq!(source.file(&honest, &path("file"), 100).unwrap().unwrap(), b"honest");
    fs::write(fixture.path().join("file"), "honest").unwrap();
    assert_eq!(source.uncommitted().unwrap().get("file").map(String::as_str), Some(" M"));
}

#[test]
fn grafts_and_the_commit_graph_change_nothing() {
    let fixture = GitFixture::new();
    let root = fixture.commit("root");
    let tip = fixture.commit("tip");
    fixture.git(&["checkout", "-q", "--orphan", "other"]);
    let other = fixture.commit("other");
    let source = open(&fixture);
    fixture.git(&["commit-graph", "write", "--reachable"]);
    // Cut the tip from its parent, and give it another one.
    fs::write(fixture.path().join(".git/info/grafts"), format!("{tip} {other}\n")).unwrap();
    assert!(source.is_ancestor(&root, &tip).unwrap());
    assert!(!source.is_ancestor(&other, &tip).unwrap());
    assert_eq!(source.commit(&tip, &[]).unwrap().parents, [root]);
}

#[test]
fn settings_of_the_repository_change_nothing_and_run_nothing() {
    let fixture = GitFixture::new();
    fixture.write(".gitattributes", "* filter=evil diff=evil text=auto\n");
    fixture.write("file", "one\r\ntwo\n");
    fixture.write_executable("run", "#!/bin/sh\n");
    fixture.symlink("link", "file");
    let commit = fixture.commit("first");
    let before = export(&open(&fixture), &commit, None).1;
    let (program, mark) = trap(&fixture);
    let elsewhere = fixture.home().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let included = elsewhere.join("config");
    fs::write(&included, format!("[filter \"evil\"]\n\tclean = {program}\n")).unwrap();
    let root = fs::canonicalize(fixture.path()).unwrap();
    let settings = [
        ("core.worktree", elsewhere.to_str().unwrap()),
        ("core.autocrlf", "true"),
        ("core.eol", "crlf"),
        ("core.symlinks", "false"),
        ("core.fileMode", "false"),
        ("core.bare", "true"),
        ("core.hooksPath", &program),
        ("core.fsmonitor", &program),
        ("core.sshCommand", &program),
        ("core.editor", &program),
        ("core.pager", &program),
        ("core.alternateRefsCommand", &program),
        ("diff.external", &program),
        ("filter.evil.clean", &program),
        ("filter.evil.smudge", &program),
        ("filter.evil.process", &program),
        ("filter.evil.required", "true"),
        ("diff.evil.textconv", &program),
        ("diff.evil.command", &program),
        ("extensions.partialClone", "origin"),
        ("remote.origin.url", "ext::trap"),
        ("gpg.program", &program),
        ("core.repositoryFormatVersion", "99"),
        ("include.path", included.to_str().unwrap()),
    ];
    let config: String = settings.iter().map(|(key, value)| setting(key, value)).collect();
    fs::write(fixture.path().join(".git/config"), config).unwrap();

    let source = open(&fixture);
    assert_eq!(source.work_tree(), Some(root.as_path()));
    assert_eq!(source.resolve("HEAD").unwrap().commit, commit);
    assert_eq!(export(&source, &commit, None).1, before);
    fs::write(fixture.path().join("file"), "same-size").unwrap();
    source.uncommitted().unwrap();
    source.uri();
    assert!(!mark.exists(), "{}", fs::read_to_string(&mark).unwrap());
}

fn setting(key: &str, value: &str) -> String {
    let (section, name) = key.rsplit_once('.').unwrap();
    let section = section.split_once('.').map_or(section.to_owned(), |(a, b)| format!("{a} \"{b}\""));
    format!("[{section}]\n\t{name} = {value}\n")
}

/// The twin: the same trap does run under `git status` with the repository's own configuration.
#[test]
fn git_itself_would_run_the_filter_that_the_reader_does_not() {
    let fixture = GitFixture::new();
    fixture.write(".gitattributes", "* filter=evil\n");
    fixture.write("file", "content");
    fixture.commit("first");
    let (program, mark) = trap(&fixture);
    fixture.git(&["config", "filter.evil.clean", &program]);
    fixture.git(&["config", "core.fsmonitor", &program]);
    // Another content of the same length: git has to look at it, through the filter.
    fixture.write("file", "CONTENT");
    assert_eq!(open(&fixture).uncommitted().unwrap().get("file").map(String::as_str), Some(" M"));
    assert!(!mark.exists());
    fixture.git(&["status", "--porcelain"]);
    assert!(mark.exists());
}

#[test]
fn a_file_in_place_of_a_directory_of_objects_is_refused() {
    let fixture = GitFixture::new();
    let commit = fixture.commit("first");
    let loose = fixture.path().join(".git/objects").join(&commit.as_str()[..2]).join(&commit.as_str()[2..]);
    fs::remove_file(&loose).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &loose, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
        .unwrap();
    assert_eq!(refusal(open(&fixture).resolve("HEAD")), Code::SrcObject);
}

/// Variables of the caller, as a hook or a malicious wrapper would set them, in a process of its own.
#[test]
fn variables_of_the_caller_change_nothing() {
    let (fixture, other) = (GitFixture::new(), GitFixture::new());
    fixture.write("file", "honest");
    let commit = fixture.commit("first");
    other.commit("other");
    let (program, mark) = trap(&fixture);
    let test = std::env::current_exe().unwrap();
    let output = std::process::Command::new(test)
        .args(["--exact", "configuration::child_of_a_hostile_environment", "--nocapture"])
        .env("PLIMSOLL_TEST_REPOSITORY", fixture.path())
        .env("PLIMSOLL_TEST_COMMIT", commit.as_str())
        .env("GIT_DIR", other.path().join(".git"))
        .env("GIT_WORK_TREE", other.path())
        .env("GIT_OBJECT_DIRECTORY", other.path().join(".git/objects"))
        .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", other.path().join(".git/objects"))
        .env("GIT_INDEX_FILE", "/nonexistent")
        .env("GIT_NAMESPACE", "evil")
        .env("GIT_GRAFT_FILE", "/nonexistent")
        .env("GIT_REPLACE_REF_BASE", "refs/heads")
        .env("GIT_SHALLOW_FILE", "/nonexistent")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "core.fsmonitor")
        .env("GIT_CONFIG_VALUE_0", &program)
        .env("GIT_EXTERNAL_DIFF", &program)
        .env("GIT_TRACE", fixture.home().join("executed"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(!mark.exists());
}

/// Does nothing unless [`variables_of_the_caller_change_nothing`] started it.
#[test]
fn child_of_a_hostile_environment() {
    let Ok(repository) = std::env::var("PLIMSOLL_TEST_REPOSITORY") else { return };
    let commit = std::env::var("PLIMSOLL_TEST_COMMIT").unwrap().parse().unwrap();
    let source = GitSource::open(repository.as_ref()).unwrap();
    assert_eq!(source.resolve("HEAD").unwrap().commit, commit);
    assert_eq!(source.file(&commit, &path("file"), 10).unwrap().unwrap(), b"honest");
    assert!(source.is_ancestor(&commit, &commit).unwrap());
    assert!(source.uncommitted().unwrap().is_empty());
}
