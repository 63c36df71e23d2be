//! A clock that was set back, by Debian's `faketime`.

use crate::{
    journal,
    world::{Ran, World, pipeline},
};
use std::process::Command;

#[test]
fn a_clock_that_went_back_is_refused_before_anything_runs() {
    let there = Command::new("faketime").arg("--version").output();
    assert!(there.is_ok(), "faketime is missing: apt-get install --no-install-recommends faketime");
    let world = World::new(&pipeline("echo x > out/x"));
    world.json(&["run"]).ok();
    let before = journal::entries(&world);

    let ran = Ran::of(&mut world.prefixed(&["faketime", "-f", "-1d"], &["--json", "run"]));
    ran.ended(1).refused(&["E-CLOCK"]);
    assert_eq!(journal::entries(&world), before);

    world.json(&["run"]).ok();
}
