//! Trust roots after the first: keys come and go by the word of those whom the root before names, and every machine that
//! pinned an earlier root follows by itself, or not at all.

use crate::{
    service::{Shop, free_port},
    world::{Ran, World, pipeline, text},
};
use plimsoll_testkit::SshKey;
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const ROOT: &str = "trust/root.json";

/// The binary on another machine: with a state directory and a home of its own.
fn elsewhere(world: &World, arguments: &[&str]) -> Ran {
    let home = world.state().with_file_name("elsewhere");
    fs::create_dir_all(&home).unwrap();
    fs::write(home.join(".gitconfig"), "[user]\n\tname = Bob\n\temail = bob@example.org\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.arg("--json").arg("--state").arg(home.join("state")).args(arguments).current_dir(&home);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", &home);
    Ran::of(command.stdin(Stdio::null()))
}

/// `plimsoll trust` in the work tree of the delivery repository, by whoever has this key.
fn trust_by(world: &World, key: &Path, arguments: &[&str]) -> Ran {
    let (delivery, key) = (world.delivery(), key.to_str().unwrap());
    let place = ["-C", delivery.to_str().unwrap(), "--key", key];
    world.json(&[&["trust"], arguments, &place].concat())
}

fn trust(world: &World, arguments: &[&str]) -> Ran {
    trust_by(world, &world.person.private_path(), arguments)
}

/// A delivery repository without a service.
fn delivered() -> World {
    let world = World::new(&pipeline("echo x > out/x"));
    let (delivery, key) = (world.delivery(), world.person.private_path());
    world.plimsoll(&["init", "--delivery", delivery.to_str().unwrap(), "--key", key.to_str().unwrap()]).ok();
    world
}

/// The file with the public key that another machine made for a role.
fn key_of_another(world: &World, role: &str) -> PathBuf {
    let made = elsewhere(world, &["trust", "key", role, "--create"]).ok().value();
    world.scratch("another.pub", text(&made["key"]).as_bytes())
}

fn git(world: &World, arguments: &[&str]) -> String {
    let output = world.repository.command(&world.delivery()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Commits a root in the place of the one that is there, with these people's signatures.
fn commit_root(world: &World, root: &str, signers: &[&SshKey]) {
    let directory = world.delivery().join("trust");
    for file in crate::world::entries(&directory) {
        fs::remove_file(file).unwrap();
    }
    fs::write(directory.join("root.json"), root).unwrap();
    for (number, signer) in signers.iter().enumerate() {
        let signature = signer.sign("plimsoll-root", root.as_bytes());
        fs::write(directory.join(format!("root.json.{number}.sig")), signature).unwrap();
    }
    git(world, &["add", "-A"]);
    git(world, &["commit", "-qm", "another root"]);
}

fn root(world: &World) -> Value {
    serde_json::from_str(&fs::read_to_string(world.delivery().join(ROOT)).unwrap()).unwrap()
}

fn changed(world: &World, change: impl FnOnce(&mut Value)) -> String {
    let mut root = root(world);
    change(&mut root);
    serde_json::to_string_pretty(&root).unwrap()
}

fn keys_of(shown: &Value, role: &str) -> usize {
    shown["keys"].as_array().unwrap().iter().filter(|key| key["role"] == role).count()
}

#[test]
fn a_key_that_was_added_is_believed_on_every_machine_that_pinned_the_root_before() {
    let shop = Shop::new();
    let world = &shop.world;
    shop.deliver("v2");
    let delivery = world.delivery();
    elsewhere(world, &["trust", "pin", delivery.to_str().unwrap()]).ok();
    let file = key_of_another(world, "agent:local");
    let added = trust(world, &["add", "agent:local", file.to_str().unwrap()]).ok().value();
    assert_eq!(
        (&added["number"], &added["lacks"], &added["role"]),
        (&json!(2), &json!(0), &json!("agent:local"))
    );
    assert_eq!(git(world, &["status", "--porcelain"]), "");
    let signatures = git(world, &["ls-files", "trust"]);
    assert_eq!(signatures, "trust/root.json\ntrust/root.json.carl-committer.sig");

    // Each machine takes it over when it looks at the repository the next time.
    shop.deliver("v3");
    assert_eq!(shop.answer().as_deref(), Some("v3"));
    let shown = world.json(&["trust", "show"]).ok().value();
    assert_eq!((&shown["number"], keys_of(&shown, "agent:local")), (&json!(2), 2));
    let key = world.person.private_path();
    elsewhere(world, &["approve", "shop@local", "--yes", "--key", key.to_str().unwrap()]).ended(2);
    let shown = elsewhere(world, &["trust", "show"]).ok().value();
    assert_eq!((&shown["number"], keys_of(&shown, "agent:local")), (&json!(2), 2));
    // What was decided before still verifies.
    world.plimsoll(&["dossier", "shop@local", "--output", "shop.tar"]).ok();
    world.plimsoll(&["verify", "shop.tar"]).ok();
    let committed = delivery.join(ROOT);
    world.plimsoll(&["verify", "shop.tar", "--root", committed.to_str().unwrap()]).ok();

    let added = text(&added["key"]).to_owned();
    let removed = trust(world, &["remove", "agent:local", &added]).ok().value();
    assert_eq!(removed["number"], 3);
    shop.deliver("v4");
    let shown = world.json(&["trust", "show"]).ok().value();
    assert_eq!((&shown["number"], keys_of(&shown, "agent:local")), (&json!(3), 1));
}

#[test]
fn a_root_that_does_not_follow_the_pinned_one_is_refused() {
    let world = delivered();
    let promote = || world.json(&["promote", "shop", "--to", "local"]);
    let first = fs::read_to_string(world.delivery().join(ROOT)).unwrap();
    let by = &world.person;
    let next = |change: fn(&mut Value)| {
        changed(&world, |root| {
            root["number"] = json!(2);
            change(root);
        })
    };
    // Signed by nobody, by a stranger, and by somebody whom only it names.
    let stranger = SshKey::generate();
    let lax = next(|root| root["policy_signers"] = json!([]));
    commit_root(&world, &lax, &[]);
    promote().refused(&["E-THRESHOLD"]);
    commit_root(&world, &lax, &[&stranger]);
    promote().refused(&["E-THRESHOLD"]);
    let mut own: Value = serde_json::from_str(&lax).unwrap();
    own["root_keys"] = json!([{ "name": "mallory", "key": stranger.public_line() }]);
    commit_root(&world, &own.to_string(), &[&stranger]);
    promote().refused(&["E-THRESHOLD"]);
    // Signed well, and another root.
    commit_root(&world, &changed_genesis(&first), &[by]);
    promote().refused(&["E-TRUST-ROOT"]);
    // What follows is taken over, and what was before it is refused from then on.
    let good: Value = serde_json::from_str(&first).unwrap();
    let second = good.to_string().replace("\"number\":1", "\"number\":2");
    commit_root(&world, &second, &[by]);
    promote().ended(2);
    assert_eq!(world.json(&["trust", "show"]).ok().value()["number"], 2);
    commit_root(&world, &first, &[by]);
    promote().refused(&["E-TRUST-ROOT"]);
    commit_root(&world, &second.replace("\"policy_signers\":[", "\"policy_signers\": ["), &[by]);
    promote().refused(&["E-TRUST-ROOT"]);
    commit_root(&world, &second, &[by]);
    promote().ended(2);
}

fn changed_genesis(root: &str) -> String {
    let mut root: Value = serde_json::from_str(root).unwrap();
    (root["genesis"], root["number"]) = (json!("7".repeat(32)), json!(2));
    root.to_string()
}

#[test]
fn what_cannot_become_a_root_changes_nothing() {
    let world = delivered();
    let before = git(&world, &["rev-parse", "HEAD"]);
    let unchanged = || {
        assert_eq!(git(&world, &["rev-parse", "HEAD"]), before);
        assert_eq!(git(&world, &["status", "--porcelain"]), "");
    };
    let path = |path: PathBuf| path.to_str().unwrap().to_owned();
    let another = path(key_of_another(&world, "agent:local"));
    let own = path(world.state().join("keys/builder.pub"));
    let secret = path(world.state().join("keys/builder.pem"));
    let noise = path(world.scratch("noise", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"));
    let unknown = format!("sha256:{}", "0".repeat(64));
    let cases: [(&[&str], &str); 7] = [
        (&["add", "builder", &own], "stands for builder already"),
        (&["add", "agent:local", &own], "stands for builder already, and a key has one role"),
        (&["add", "builder", &secret], "private key"),
        (&["add", "builder", &noise], "no public key"),
        (&["add", "builder", "/nowhere"], "/nowhere"),
        (&["remove", "builder", &unknown], "no key"),
        (&["sign"], "has a signature by Carl Committer already"),
    ];
    for (arguments, problem) in cases {
        let ran = trust(&world, arguments).ended(2);
        assert!(text(&ran.value()["error"]).contains(problem), "{arguments:?}: {ran:#?}");
        unchanged();
    }
    // By somebody whom the root does not name, with a key that cannot sign, and where nothing can be committed.
    let add = ["add", "agent:local", another.as_str()];
    let stranger = SshKey::generate();
    trust_by(&world, &stranger.private_path(), &add).ended(2);
    unchanged();
    let mute = world.scratch("mute.pub", world.person.public_line().as_bytes());
    trust_by(&world, &mute, &add).ended(3);
    unchanged();
    let hook = world.delivery().join(".git/hooks/pre-commit");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    trust(&world, &add).ended(3);
    unchanged();
    fs::remove_file(hook).unwrap();
    // On top of what is not committed, and outside a delivery repository.
    let file = world.delivery().join("trust/root.json.x.sig");
    fs::write(&file, "").unwrap();
    trust(&world, &add).ended(2);
    fs::remove_file(file).unwrap();
    unchanged();
    world.json(&[&["trust"], &add[..], &["-C", "/"]].concat()).ended(2);
    trust(&world, &add).ok();
    assert_eq!(root(&world)["number"], 2);
}

#[test]
fn a_root_that_two_must_sign_counts_after_the_second_signature() {
    let world = delivered();
    let bob = SshKey::generate();
    let two = changed(&world, |root| {
        (root["number"], root["threshold"]) = (json!(2), json!(2));
        let key = json!({ "name": "Bob", "key": bob.public_line() });
        root["root_keys"].as_array_mut().unwrap().push(key);
    });
    commit_root(&world, &two, &[&world.person, &bob]);
    let promote = || world.json(&["promote", "shop", "--to", "local"]);
    promote().ended(2);
    let file = key_of_another(&world, "agent:local");
    let added = trust(&world, &["add", "agent:local", file.to_str().unwrap()]).ok().value();
    assert_eq!((&added["number"], &added["signatures"], &added["lacks"]), (&json!(3), &json!(1), &json!(1)));
    promote().refused(&["E-THRESHOLD"]);
    // Neither the same person again nor a further change stands in for the second person.
    trust(&world, &["sign"]).ended(2);
    trust(&world, &["add", "agent:local", file.to_str().unwrap()]).refused(&["E-THRESHOLD"]);
    promote().refused(&["E-THRESHOLD"]);
    let signed = trust_by(&world, &bob.private_path(), &["sign"]).ok().value();
    assert_eq!(
        (&signed["signatures"], &signed["lacks"], &signed["by"]),
        (&json!(2), &json!(0), &json!("Bob"))
    );
    promote().ended(2);
    let shown = world.json(&["trust", "show"]).ok().value();
    assert_eq!((&shown["number"], keys_of(&shown, "agent:local")), (&json!(3), 2));
}

#[test]
fn an_environment_can_be_added_by_hand() {
    let shop = Shop::new();
    let world = &shop.world;
    world.plimsoll(&["run"]).ok();
    let to_qa = || world.json(&["promote", "shop", "--to", "qa"]);
    to_qa().ended(2);
    let port = free_port();
    let environments = world.delivery().join("environments");
    let target = fs::read_to_string(environments.join("local/shop/target.yaml")).unwrap();
    let target = target.replace(&format!("listen: {}", shop.port), &format!("listen: {port}"));
    fs::create_dir_all(environments.join("qa/shop")).unwrap();
    fs::write(environments.join("qa/shop/target.yaml"), target).unwrap();
    let environment =
        format!("version: 1\nid: \"{}\"\nrequire:\n  tests: {{unit: source}}\n", "5a".repeat(16));
    fs::write(environments.join("qa/environment.yaml"), environment).unwrap();
    git(world, &["add", "-A"]);
    git(world, &["commit", "-qm", "qa"]);
    world.sign_policy();
    world.json(&["trust", "key", "decision:qa"]).ended(2);
    for role in ["decision:qa", "agent:qa"] {
        let made = world.json(&["trust", "key", role, "--create"]).ok().value();
        assert_eq!(world.json(&["trust", "key", role, "--create"]).ok().value(), made, "one key");
        let file = world.scratch("qa.pub", text(&made["key"]).as_bytes());
        trust(world, &["add", role, file.to_str().unwrap()]).ok();
    }
    to_qa().ok();
    assert_eq!(crate::service::answer(port).as_deref(), Some("v1"));
}
