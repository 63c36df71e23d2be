//! What a manifest says, and what it cannot say.

use super::*;
use proptest::prelude::*;

const MINE: &str = "version: 1
name: mine
about: What I look for
tool: {executable: mine, install: make mine}
input: {kind: source, files: [\"*.x\"], refuses: [.minerc]}
arguments: [--out, \"{report}\", --rules, \"{config}\", \"{files}\"]
config: |
  rule: 1
report: {format: sarif, at: file}
";

fn good(text: &str) -> Adapter {
    Adapter::read("mine.yaml", text.as_bytes()).unwrap_or_else(|errors| panic!("{}", errors.render()))
}

fn refused(text: &str, expect: &str) {
    let errors = Adapter::read("mine.yaml", text.as_bytes()).expect_err(expect).render();
    assert!(errors.contains(expect), "{expect}\n{errors}");
}

fn command(text: &str, paths: &[&str]) -> (Vec<String>, Option<Obstacle>) {
    let paths: Vec<RelPath> = paths.iter().map(|path| path.parse().unwrap()).collect();
    good(text).command(On::Source, None, paths.iter())
}

#[test]
fn every_ready_manifest_is_read_and_is_called_as_its_file() {
    let names: Vec<_> = READY.iter().map(|ready| ready.name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(names, sorted);
    for Ready { name, manifest: text, .. } in READY {
        assert_eq!(good(text).name.as_str(), *name);
        assert_eq!(ready(name), Some(good(text)));
    }
    assert_eq!(ready("unheard-of"), None);
}

#[test]
fn a_command_names_the_files_and_the_places_of_the_sandbox() {
    let (argv, obstacle) = command(MINE, &["-rf.x", "a b/{config}.x", "other"]);
    let expect = [
        "mine",
        "--out",
        "/plimsoll-report/report",
        "--rules",
        "/plimsoll-config",
        "/src/-rf.x",
        "/src/a b/{config}.x",
    ];
    assert_eq!((argv, obstacle), (expect.map(str::to_owned).to_vec(), None));
}

/// It learns where the service is, and whether there is one is for the pipeline and the manifest to agree.
#[test]
fn a_scanner_of_a_service_is_told_its_address() {
    let text = MINE
        .replace("kind: source, files: [\"*.x\"], refuses: [.minerc]", "kind: service")
        .replace("{files}", "http://{service}/");
    let (argv, _) = command(&text, &[]);
    assert_eq!(argv.last().map(String::as_str), Some("http://127.0.0.1:3128/"));
    assert_eq!(good(&text).without_service(true), None);
    assert_eq!(good(&text).without_service(false), Some(Obstacle::Service));
    assert_eq!(good(MINE).without_service(true), Some(Obstacle::Service));
    refused(&text.replace("http://{service}/", "x"), "no argument has `{service}`");
    refused(&MINE.replace("{files}", "{service}"), "says nothing that `{service}` could stand for");
}

#[test]
fn a_revision_without_files_or_with_configuration_is_no_clean_one() {
    assert_eq!(command(MINE, &["y"]).1, Some(Obstacle::NoFiles));
    let configured = Obstacle::Configured("sub/.minerc".parse().unwrap());
    assert_eq!(command(MINE, &["a.x", "sub/.minerc"]).1, Some(configured));
}

#[test]
fn what_a_manifest_does_not_say_does_not_count() {
    let digest = good(MINE).digest().unwrap();
    let spelt =
        MINE.replace("at: file}", "at: file, found: []}\nseverity: {error: high}\nlimits: {time: 10m}");
    assert_eq!(good(&format!("{spelt}# a comment\n")).digest().unwrap(), digest);
    for (from, to) in [
        ("rule: 1", "rule: 2"),
        ("--rules", "--no-rules"),
        ("*.x", "*.y"),
        ("at: file", "at: stdout"),
        ("at: file}", "at: file}\nseverity: {error: low}"),
    ] {
        let changed = MINE
            .replace(from, to)
            .replace("--out, \"{report}\", ", if to == "at: stdout" { "" } else { "--out, \"{report}\", " });
        assert_ne!(good(&changed).digest().unwrap(), digest, "{to}");
    }
}

#[test]
fn placeholders_stand_for_something_and_are_all_used() {
    for (from, to, expect) in [
        ("\"{config}\"", "\"{confg}\"", "did you mean `{config}`?"),
        ("\"{config}\"", "\"{data}\"", "nothing that `{data}` could stand for"),
        ("\"{config}\"", "x", "no argument has `{config}`"),
        ("\"{report}\"", "x", "no argument has `{report}`"),
        ("\"{files}\"", "\"in={files}\"", "an argument of its own"),
        ("kind: source", "kind: artifact", "`files` is about files of the source"),
        ("[.minerc]", "[]", "an empty list selects nothing"),
        ("[.minerc]", "[../x]", "mine.yaml:5"),
        ("at: file", "at: file, network: true", "unknown key `network`"),
        ("at: file", "at: file, found: [0]", "a whole number from 1 to 255"),
        ("executable: mine", "executable: bin/mine", "is not an absolute path"),
        ("about: What I look for\n", "about: What I look for\nsecrets: [TOKEN]\n", "unknown key `secrets`"),
        ("about: What I look for\n", "about: What I look for\nenv: {PATH: /x}\n", "is set by Plimsoll"),
    ] {
        assert!(MINE.contains(from), "{from}");
        refused(&MINE.replacen(from, to, 1), expect);
    }
}

proptest! {
    #[test]
    fn damaged_manifests_are_errors_and_never_more(at in 0..MINE.len(), byte: u8) {
        let mut bytes = MINE.as_bytes().to_vec();
        bytes[at] = byte;
        if let Err(errors) = Adapter::read("mine.yaml", &bytes) {
            prop_assert!(!errors.render().is_empty());
        }
    }
}
