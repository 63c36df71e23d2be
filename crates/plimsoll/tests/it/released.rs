//! What a build that is not made for it has nothing of: a way to remove controls.

use crate::{attacks, world::World};
use std::{collections::BTreeSet, fs};

/// The argument that removes controls, and names of some of those that are not about hostile scans.
const OTHERS: [&str; 4] = ["without-control", "permit-chain", "approval-about", "highest-started"];

#[test]
fn no_control_can_be_removed_from_this_binary() {
    let binary = fs::read(env!("CARGO_BIN_EXE_plimsoll")).unwrap();
    let names: BTreeSet<&str> = attacks::controls().chain(OTHERS).collect();
    // One look at the binary, at whatever stands around a hyphen: what is a word of its own is in it for other reasons.
    let parts: Vec<_> = names.iter().filter_map(|name| Some((*name, name.find('-')?))).collect();
    assert!(parts.len() > 20, "{names:?}");
    for at in (0..binary.len()).filter(|at| binary[*at] == b'-') {
        let name = parts.iter().find(|(name, hyphen)| {
            at.checked_sub(*hyphen).is_some_and(|start| binary[start..].starts_with(name.as_bytes()))
        });
        assert_eq!(name, None);
    }
    let world = World::empty();
    world.plimsoll(&["--without-control", "signature", "status"]).ended(2);
}
