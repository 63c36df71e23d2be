//! What vouches for a statement: its signature, the role of its key, its subject, and the journal.

use super::{
    keys, signed, twins, verify,
    world::{World, pipeline},
};
use plimsoll_attest::{Bundle, seal};
use plimsoll_engine::{fetch::Lock, signer::Key as _};
use plimsoll_model::{Code, Digest, Role, record::Material, sensitivity};
use std::{fs, path::PathBuf};

/// A world with a run, and the bundle of its provenance.
fn built() -> (World, PathBuf) {
    let world = World::new(&pipeline("echo x > out/x"));
    let run = world.json(&["run"]).ok().value();
    let statements = run["statements"].as_array().unwrap();
    let provenance = statements.iter().find(|statement| statement["name"] == "artifact").unwrap();
    let bundle = world.blob(&provenance["bundle"]);
    (world, bundle)
}

#[test]
fn a_changed_statement() {
    let (world, bundle) = built();
    let bundle = Bundle::parse(&fs::read(bundle).unwrap()).unwrap();
    let said = String::from_utf8(bundle.envelope().payload.clone()).unwrap();
    let key = keys(&world).load(&Role::Builder).unwrap();
    let signature = bundle.envelope().signatures[0].sig.clone();
    let changed = said.replacen(world.repository.head().as_str(), &"0".repeat(40), 1);
    assert_ne!(said, changed);
    let changed = seal::<()>(changed.as_bytes(), key.public(), |_| Ok(signature)).unwrap();
    let file = world.scratch("changed", &changed);
    twins("signature", &["E-SIGNATURE"], verify(&world, &[file.to_str().unwrap()]));
}

#[test]
fn a_provenance_by_the_key_for_test_results() {
    let (world, bundle) = built();
    let payload = Bundle::parse(&fs::read(bundle).unwrap()).unwrap().envelope().payload.clone();
    let file = world.scratch("forged", &signed(&world, &Role::Scanner, &payload));
    twins("role", &["E-ROLE"], verify(&world, &[file.to_str().unwrap()]));
}

#[test]
fn the_statement_of_another_artifact() {
    let (world, bundle) = built();
    let other = world.scratch("other", b"not what was built");
    let words = [bundle.to_str().unwrap(), "--subject", other.to_str().unwrap()];
    twins("subject", &["E-SUBJECT"], verify(&world, &words));
}

#[test]
fn an_edited_journal() {
    let (world, _) = built();
    let path = world.state().join("journal.jsonl");
    let honest = fs::read_to_string(&path).unwrap();
    let edited = honest.replacen("passed", "failed", 1);
    assert_ne!(honest, edited);
    fs::write(&path, edited).unwrap();
    twins("journal-chain", &["E-LOG-EDITED"], |without| world.json(&[without, &["run"]].concat()));
}

#[test]
fn a_package_with_another_content_than_was_locked() {
    let checksum = Digest::of(b"honest").hex();
    let lock = format!(
        "version = 4\n\n[[package]]\nname = \"shelf\"\nversion = \"1.0.0\"\n\
         source = \"registry+https://registry.example/index\"\nchecksum = \"{checksum}\"\n"
    );
    let lock = Lock::parse(lock.as_bytes()).unwrap();
    let fetched = [Material { uri: "pkg:cargo/shelf@1.0.0".into(), digest: Digest::of(b"evil") }];
    assert_eq!(lock.disagreements(&fetched)[0].code, Code::LockHash);
    sensitivity::remove(["lock-hash".to_owned()]);
    assert_eq!(lock.disagreements(&fetched), []);
}
