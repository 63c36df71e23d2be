//! What a build that is not made for it has nothing of: a way to remove controls.

use crate::world::World;
use std::fs;

#[test]
fn no_control_can_be_removed_from_this_binary() {
    let binary = fs::read(env!("CARGO_BIN_EXE_plimsoll")).unwrap();
    // The argument, and names of controls that are not words of their own.
    for part in [
        "without-control",
        "permit-chain",
        "approval-about",
        "highest-started",
        "history-parents",
        "report-blob",
    ] {
        assert!(!binary.windows(part.len()).any(|bytes| bytes == part.as_bytes()), "{part}");
    }
    let world = World::empty();
    world.plimsoll(&["--without-control", "signature", "status"]).ended(2);
}
