//! Each control is what stops its attack: the attack is refused, and with that one control removed it succeeds. Only a
//! build with `--cfg plimsoll_sensitivity` can remove a control (`make sensitivity`); elsewhere this file is empty, and a
//! test of the released binary shows that it has no such thing (`it/released.rs`).
#![cfg(plimsoll_sensitivity)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]
#![allow(dead_code, reason = "the modules of other tests serve these too")]

mod adapters;
mod attest;
mod delivery;
#[path = "../it/packed.rs"]
mod packed;
#[path = "../it/processes.rs"]
mod processes;
mod scans;
#[path = "../it/service.rs"]
mod service;
mod signers;
#[path = "../it/world.rs"]
mod world;

use plimsoll_attest::seal;
use plimsoll_engine::signer::Key as _;
use plimsoll_model::Role;
use plimsoll_sign::RoleKeys;
use service::Shop;
use std::fs;
use world::{Ran, World};

/// The attack is refused with these codes, and succeeds without the control.
fn twins(control: &str, codes: &[&str], attack: impl Fn(&[&str]) -> Ran) {
    attack(&[]).ended(1).refused(codes);
    attack(&["--without-control", control]).ok();
}

/// Each of these controls alone is enough to refuse the attack; without any of them it succeeds.
fn layers(controls: &[&str], codes: &[&str], attack: impl Fn(&[&str]) -> Ran) {
    let without = |controls: Vec<&str>| -> Ran {
        let words: Vec<&str> = controls.iter().flat_map(|control| ["--without-control", control]).collect();
        attack(&words)
    };
    attack(&[]).ended(1).refused(codes);
    for alone in controls {
        let others = controls.iter().copied().filter(|control| control != alone).collect();
        without(others).ended(1).refused(codes);
    }
    without(controls.to_vec()).ok();
}

fn promote<'a>(shop: &'a Shop) -> impl Fn(&[&str]) -> Ran + 'a {
    |without| shop.world.json(&[without, &["promote", "shop", "--to", "local"]].concat())
}

fn verify<'a>(world: &'a World, words: &'a [&str]) -> impl Fn(&[&str]) -> Ran + 'a {
    move |without| world.json(&[without, &["verify"], words].concat())
}

fn run(world: &World) -> impl Fn(&[&str]) -> Ran + '_ {
    move |without| world.json(&[without, &["run"]].concat())
}

fn keys(world: &World) -> RoleKeys {
    RoleKeys::new(world.state().join("keys"))
}

/// A bundle around `payload`, signed by the key of a role of this world.
fn signed(world: &World, role: &Role, payload: &[u8]) -> Vec<u8> {
    let key = keys(world).load(role).unwrap();
    seal::<()>(payload, key.public(), |message| Ok(key.sign(message))).unwrap()
}

#[test]
fn this_binary_can_remove_controls() {
    assert!(fs::read(env!("CARGO_BIN_EXE_plimsoll")).unwrap().windows(15).any(|at| at == b"without-control"));
}

/// Adds a file to the delivery repository.
fn added(shop: &Shop, path: &str, text: &str) {
    let delivery = shop.world.delivery();
    let file = delivery.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
    for command in [["add", "."].as_slice(), &["commit", "-qm", "more"]] {
        let ran = shop.world.repository.command(&delivery).args(command).status();
        assert!(ran.unwrap().success());
    }
}

/// A report of a tool with one rule that found nothing.
const CLEAN: &str =
    r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"lint","rules":[{"id":"a"}]}},"results":[]}]}"#;

const LOCK: &str = "version = 4\n\n[[package]]\nname = \"shelf\"\nversion = \"1.0.0\"\n\
                    source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";

/// Takes advisories into use whose newest record is of this day.
fn import(world: &World, day: &str) {
    let directory = world.scratch("marker", b"").with_file_name(format!("osv-{day}"));
    fs::create_dir(&directory).unwrap();
    let record = format!(
        r#"{{"id":"RUSTSEC-2021-0003","modified":"{day}T00:00:00Z","affected":[{{"package":{{"ecosystem":"crates.io","name":"other"}},
            "ranges":[{{"type":"SEMVER","events":[{{"introduced":"0.6.3"}},{{"fixed":"1.6.1"}}]}}]}}]}}"#
    );
    fs::write(directory.join("RUSTSEC-2021-0003.json"), record).unwrap();
    world.json(&["advisories", "import", directory.to_str().unwrap()]).ok();
}
