//! `plimsoll audit`: the pipelines that a team has, judged and hardened.

use crate::world::World;
use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

const WORKFLOW: &str = ".github/workflows/triage.yml";

/// Weak in five ways; all of them have a fix that can be computed.
const WEAK: &str = "\
on: issues
jobs:
  triage:
    runs-on: ubuntu-24.04
    steps:
      - name: get it
        uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with:
          fetch-depth: 1
      - run: |
          echo \"a new issue: ${{ github.event.issue.title }}\"
          notify --token ${{ secrets.CHAT }}
      - if: ${{ github.event.issue.number > 5 }} && success()
        run: make
";
const JENKINSFILE: &str = "node {\n  timeout(5) {\n    sh \"git checkout ${env.CHANGE_BRANCH}\"\n  }\n}\n";

fn world() -> World {
    let world = World::empty();
    world.repository.write(WORKFLOW, WEAK);
    world.repository.write("Jenkinsfile", JENKINSFILE);
    world.repository.commit("pipelines");
    world
}

/// Hands a patch to the real git.
fn git_apply(world: &World, patch: &str) {
    let mut git = Command::new("git");
    git.arg("-C").arg(world.repository.path()).args(["apply", "--verbose", "-"]).stdin(Stdio::piped());
    let mut git = git.spawn().unwrap();
    git.stdin.take().unwrap().write_all(patch.as_bytes()).unwrap();
    assert!(git.wait().unwrap().success(), "{patch}");
}

#[test]
fn after_its_patch_is_applied_the_findings_are_gone() {
    let world = world();
    let shown = world.plimsoll(&["audit"]).ended(1).stdout;
    for part in [
        WORKFLOW,
        "--> .github/workflows/triage.yml:11:30",
        "plimsoll explain config/github-script-injection",
        "Jenkinsfile:3:22",
        "plimsoll audit --diff | git apply",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let patch = world.plimsoll(&["audit", "--diff"]).ended(1).stdout;
    git_apply(&world, &patch);
    world.plimsoll(&["audit"]).ok();
    assert_eq!(world.plimsoll(&["audit", "--diff"]).ok().stdout, "");
    let fixed = fs::read_to_string(world.repository.path().join(WORKFLOW)).unwrap();
    for part in [
        "permissions:\n  contents: read\n",
        "persist-credentials: false",
        "ISSUE_TITLE: ${{ github.event.issue.title }}",
        "\"${CHAT}\"",
    ] {
        assert!(fixed.contains(part), "{part}: {fixed}");
    }
}

#[test]
fn it_writes_the_same_fixes_and_never_over_what_git_does_not_have() {
    let world = world();
    let patch = world.plimsoll(&["audit", "--diff"]).ended(1).stdout;
    world.repository.write("Jenkinsfile", format!("// mine\n{JENKINSFILE}"));
    let refused = world.plimsoll(&["audit", "--apply"]).ended(2);
    assert!(refused.stderr.contains("Jenkinsfile has changes that git does not have"), "{refused:#?}");
    assert_eq!(fs::read_to_string(world.repository.path().join(WORKFLOW)).unwrap(), WEAK, "all or nothing");
    world.repository.write("Jenkinsfile", JENKINSFILE);
    let applied = world.json(&["audit", "--apply"]).ok().value();
    assert_eq!(applied["changed"], serde_json::json!([WORKFLOW, "Jenkinsfile"]));
    let with_audit = world.repository.git(&["diff"]);
    let added = |diff: &str| {
        diff.lines()
            .filter(|line| line.starts_with('+') && !line.starts_with("+++"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(added(&with_audit), added(&patch));
}

#[test]
fn what_cannot_be_read_is_no_clean_audit() {
    let world = World::empty();
    world.plimsoll(&["audit"]).ended(3);
    world.repository.write(WORKFLOW, "on: [push\njobs: {}\n");
    let broken = world.json(&["audit"]).ended(3).value();
    assert!(broken["gaps"][0]["problem"].as_str().unwrap().contains("is not valid YAML"), "{broken}");
    world.repository.write(WORKFLOW, "on: push\npermissions: {}\njobs: {}\n");
    world.plimsoll(&["audit"]).ok();
}

#[test]
fn used_wrongly_it_says_so() {
    let world = world();
    world.plimsoll(&["audit", "nowhere"]).ended(2);
    world.plimsoll(&["audit", "Jenkinsfile"]).ended(2);
    world.plimsoll(&["audit", "--diff", "--apply"]).ended(2);
    world.plimsoll(&["audit", "--least", "worst"]).ended(2);
    let bare = tempfile::tempdir().unwrap();
    fs::write(bare.path().join("Jenkinsfile"), JENKINSFILE).unwrap();
    let outside = world.plimsoll(&["audit", "--apply", bare.path().to_str().unwrap()]).ended(2);
    assert!(outside.stderr.contains("is in no git work tree"), "{outside:#?}");
    world.plimsoll(&["audit", "--diff", bare.path().to_str().unwrap()]).ended(1);
}
