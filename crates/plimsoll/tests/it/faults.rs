//! A state directory that is not as it was left, or not for this command alone.

use crate::{
    journal, processes,
    world::{Ran, World, pipeline},
};
use std::fs;

fn good() -> World {
    World::new(&pipeline("echo x > out/x"))
}

#[test]
fn state_of_a_newer_version_is_left_alone() {
    let world = good();
    world.plimsoll(&["run"]).ok();
    let format = world.state().join("format.json");
    fs::write(&format, r#"{"version":2}"#).unwrap();
    for command in ["run", "status"] {
        world.json(&[command]).ended(2).refused(&["E-STATE-NEWER"]);
    }
    fs::write(&format, r#"{"version":1}"#).unwrap();
    world.json(&["run"]).ok();
}

#[test]
fn a_second_engine_is_told_who_is_at_work() {
    let world = World::new(&pipeline("sleep 2; echo x > out/x"));
    let first = world.spawn(&["--json", "run"]);
    processes::until("the first holds the lock", || {
        let holder = fs::read_to_string(world.state().join("lock")).unwrap_or_default();
        holder.contains(&first.id().to_string())
    });
    // It stands still, so that it has the lock for as long as the other one asks.
    processes::signal(first.id(), "STOP");
    let second = world.json(&["run"]).ended(1).refused(&["E-STATE-LOCKED"]);
    assert_eq!(second.parameter("E-STATE-LOCKED", "pid"), format!("{} (run)", first.id()));
    world.json(&["status"]).ok();
    processes::signal(first.id(), "CONT");
    Ran::from(first.wait_with_output().unwrap()).ok();
    assert_eq!(
        journal::entries(&world).iter().filter(|entry| entry["event"]["event"] == "opened").count(),
        1
    );
}

#[test]
fn an_edited_journal_is_noticed_before_anything_is_added() {
    type Edit = fn(&str) -> String;
    let edits: [(&str, Edit); 4] = [
        ("another outcome", |text| text.replacen("passed", "failed", 1)),
        ("another commit", |text| text.replacen("\"commit\":\"", "\"commit\":\"0", 1)),
        ("an entry less", |text| text.split_inclusive('\n').skip(1).collect()),
        ("two entries in another order", |text| {
            let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
            lines.swap(1, 2);
            lines.concat()
        }),
    ];
    let world = good();
    world.plimsoll(&["run"]).ok();
    let path = world.state().join("journal.jsonl");
    let honest = fs::read_to_string(&path).unwrap();
    for (what, edit) in edits {
        let edited = edit(&honest);
        fs::write(&path, &edited).unwrap();
        let ran = world.json(&["run"]).ended(1);
        assert_eq!(ran.codes(), ["E-LOG-EDITED"], "{what}: {ran:#?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), edited, "{what}");
    }
    fs::write(&path, &honest).unwrap();
    world.json(&["run"]).ok();
}

#[test]
fn a_disk_that_takes_nothing_more_is_told_and_the_same_command_passes_later() {
    let script = "head -c 30000000 /dev/zero > out/x";
    let world = World::new(&pipeline(script));
    // The limit of 20 MiB holds for every file of the engine and its signers; a step has its own.
    let limited = ["bash", "-c", "trap '' XFSZ; ulimit -Sf 20480; exec \"$@\"", "limited"];
    let ran = Ran::of(&mut world.prefixed(&limited, &["--json", "run"]));
    ran.ended(1).refused(&["E-STATE-FULL"]);
    assert!(world.left_in_work().is_empty());
    world.json(&["run"]).ok();
    journal::entries(&world);
}

#[test]
fn a_state_directory_that_others_may_write_to_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = good();
    fs::set_permissions(world.state(), fs::Permissions::from_mode(0o777)).unwrap();
    let ran = world.json(&["run"]).ended(3);
    assert!(ran.stdout.contains("others may write to it"), "{ran:#?}");
}
