//! What stops a scan of ours that found something, did not look, or was told not to.

use super::{
    LOCK, added, import,
    packed::{gzip, tar},
    promote, run,
    service::{self, Shop},
    twins,
    world::{self, World, text},
};
use plimsoll_model::Digest;
use plimsoll_testkit::SshKey;
use std::fs;

/// A shop whose environment asks for a scan of its configuration, and a commit with this Dockerfile that ran.
fn scanned(dockerfile: &str) -> Shop {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*service::EXECUTABLE);
        world.repository.write("plimsoll.yaml", service::service_pipeline() + "  - {scan: [config]}\n");
        world.repository.write("Dockerfile", dockerfile);
    });
    shop.world.json(&["run"]).ok();
    shop
}

#[test]
fn a_release_in_which_a_scan_found_a_secret() {
    let shop = scanned("FROM scratch\nENV API_TOKEN=tr0ub4dor\nUSER 10001:10001\n");
    twins("scans", &["E-EVIDENCE-FAILED"], promote(&shop));
    assert_eq!(shop.answer().as_deref(), Some("v1"));
}

/// A31c: the project that is looked at says that there is nothing to see.
#[test]
fn a_finding_that_the_source_silences() {
    let allow = "# plimsoll:allow config/dockerfile-secret-in-env nothing to see";
    let shop = scanned(&format!("FROM scratch\n{allow}\nENV API_TOKEN=tr0ub4dor\nUSER 10001:10001\n"));
    twins("scan-comments", &["E-EVIDENCE-CONFIG"], promote(&shop));
}

/// A31c: the machine that scans was given rules that find nothing.
#[test]
fn a_scan_by_other_rules_than_the_environment_names() {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*service::EXECUTABLE);
        world.repository.write("plimsoll.yaml", service::service_pipeline() + "  - {scan: [secrets]}\n");
    });
    let named = format!("secrets: {{block: high, rules: \"{}\"}}", Digest::of(b"the rules of the team"));
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        assert!(text.contains("secrets: {block: high}"), "{text}");
        text.replace("secrets: {block: high}", &named)
    });
    let rules =
        shop.world.scratch("none.toml", b"[[rules]]\nid = 'none'\nregex = 'plimsoll-zq7x-[0-9]{9}'\n");
    shop.world.json(&["rules", "import", rules.to_str().unwrap()]).ok();
    shop.world.json(&["run"]).ok();
    twins("scan-rules", &["E-EVIDENCE-RULES"], promote(&shop));
}

/// Somebody answered for a finding, until a day that is over.
#[test]
fn a_finding_whose_exception_ended() {
    let shop = scanned("FROM scratch\nENV API_TOKEN=tr0ub4dor\nUSER 10001:10001\n");
    let people = fs::read_to_string(shop.world.delivery().join("people.yaml")).unwrap();
    let owner = people.split("name: ").nth(1).unwrap().lines().next().unwrap();
    let exceptions = format!(
        "version: 1\nexceptions:\n- scan: config\n  rule: config/dockerfile-secret-in-env\n  path: Dockerfile\n  \
         owner: {owner}\n  reason: a test\n  expires: 2026-01-01\n"
    );
    added(&shop, "environments/local/shop/exceptions.yaml", &exceptions);
    shop.world.sign_policy();
    twins("exception-expiry", &["E-EVIDENCE-FAILED"], promote(&shop));
}

/// Whoever may push to the delivery repository says that a vulnerability does not matter.
#[test]
fn a_vex_document_that_nobody_signed() {
    let lock = "version = 4\n\n[[package]]\nname = \"smallvec\"\nversion = \"1.6.0\"\n\
                source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*service::EXECUTABLE);
        world.repository.write("plimsoll.yaml", service::service_pipeline() + "  - {scan: [dependencies]}\n");
        world.repository.write("Cargo.lock", lock);
    });
    let record = shop.world.scratch(
        "RUSTSEC-2021-0003.json",
        br#"{"id":"RUSTSEC-2021-0003","modified":"2023-06-13T13:10:24Z",
        "affected":[{"package":{"ecosystem":"crates.io","name":"smallvec"},"ranges":[{"type":"SEMVER",
        "events":[{"introduced":"0.6.3"},{"fixed":"1.6.1"}]}]}]}"#,
    );
    let records = record.with_file_name("osv");
    fs::create_dir(&records).unwrap();
    fs::rename(&record, records.join("RUSTSEC-2021-0003.json")).unwrap();
    shop.world.json(&["advisories", "import", records.to_str().unwrap()]).ok();
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        let people = fs::read_to_string(shop.world.delivery().join("people.yaml")).unwrap();
        let named = people.split("name: ").nth(1).unwrap().lines().next().unwrap();
        text.replace("dependencies: {block: high", &format!("dependencies: {{vex: [{named}], block: high"))
    });
    shop.commit_version("v2");
    shop.world.json(&["run"]).ok();
    let document = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"doc","statements":[{"vulnerability":
        {"name":"RUSTSEC-2021-0003"},"products":[{"@id":"pkg:cargo/smallvec@1.6.0"}],"status":"not_affected"}]}"#;
    added(&shop, "vex/smallvec.json", document);
    twins("vex-signer", &["E-EVIDENCE-FAILED"], promote(&shop));
}

#[test]
fn a_release_whose_list_of_packages_lacks_something() {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*service::EXECUTABLE);
        world.repository.write("plimsoll.yaml", service::service_pipeline() + "  - {scan: [sbom]}\n");
        world.repository.write("requirements.txt", "flask>=2\n");
    });
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        text.replace("sbom: any", "sbom: complete")
    });
    shop.world.json(&["run"]).ok();
    twins("sbom", &["E-EVIDENCE-INCOMPLETE"], promote(&shop));
}

#[test]
fn a20d_a_pushed_secret() {
    let world = World::empty();
    let key = fs::read(SshKey::generate().private_path()).unwrap();
    world.repository.write("key.pem", key);
    world.repository.git(&["add", "-A"]);
    world.json(&["hook", "pre-commit"]).ended(1).refused(&["E-SRC-SECRET"]);
    world.plimsoll(&["--without-control", "pushed-secret", "hook", "pre-commit"]).ok();
}

#[test]
fn a_pushed_right_for_everybody() {
    let world = World::empty();
    let binding = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: open}\n\
                   roleRef: {kind: ClusterRole, name: view}\nsubjects: [{kind: Group, name: 'system:unauthenticated'}]\n";
    world.repository.write("roles.yaml", binding);
    world.repository.git(&["add", "-A"]);
    world.json(&["hook", "pre-commit"]).ended(1).refused(&["E-SRC-CRITICAL"]);
    world.plimsoll(&["--without-control", "pushed-critical", "hook", "pre-commit"]).ok();
}

/// Scans of ours that know none of the files, or have no rules.
#[test]
fn a31b_a_scan_that_looked_at_nothing() {
    for scan in ["config", "malware"] {
        let rest = format!("evidence:\n  - {{scan: [{scan}]}}\n");
        let world = World::new(&world::pipeline_with("echo x > out/x", "out: [out]", &rest));
        twins("report-empty", &["E-EVIDENCE-EMPTY"], run(&world));
    }
}

#[test]
fn a31d_old_advisories() {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*service::EXECUTABLE);
        world.repository.write("plimsoll.yaml", service::service_pipeline() + "  - {scan: [dependencies]}\n");
        world.repository.write("Cargo.lock", LOCK);
    });
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        text.replace("dependencies: {block: high}", "dependencies: {block: high, database-age: 24h}")
    });
    import(&shop.world, "2023-06-13");
    shop.world.json(&["run"]).ok();
    twins("scan-age", &["E-EVIDENCE-STALE"], promote(&shop));
}

/// A scan for secrets finds these files and, without the control, says that all is clean.
fn overlooked(control: &str, world: &World, words: &[&str], expect: &[&str]) {
    let scan = |without: &[&str]| world.json(&[without, &["scan", "secrets"], words].concat());
    let found = scan(&[]).ended(1).value();
    let findings = found["reports"][0]["findings"].as_array().unwrap();
    let mut paths: Vec<_> = findings.iter().map(|finding| text(&finding["location"]["path"])).collect();
    paths.sort_unstable();
    assert_eq!(paths, expect, "{control}");
    let overlooked = scan(&["--without-control", control]).ok().value();
    assert_eq!(text(&overlooked["reports"][0]["verdict"]), "clean", "{control}");
}

fn secret() -> Vec<u8> {
    fs::read(SshKey::generate().private_path()).unwrap()
}

#[test]
fn a20a_a_secret_that_left_the_tip() {
    let world = World::empty();
    world.repository.write("README", "nothing to see\n");
    world.repository.write("deploy/key.pem", secret());
    world.repository.commit("by mistake");
    world.repository.remove("deploy/key.pem");
    world.repository.commit("gone");
    overlooked("history-trees", &world, &["--history"], &["deploy/key.pem"]);
}

#[test]
fn a20b_a_secret_in_another_encoding() {
    let world = World::empty();
    let secret = secret();
    let each = |form: fn(u8) -> String| secret.iter().map(|byte| form(*byte)).collect::<String>();
    world.repository.write("gzip", gzip(&secret));
    world.repository.write("hex", each(|byte| format!("{byte:02x}")));
    world.repository.write("url", each(|byte| format!("%{byte:02X}")));
    overlooked("decoding", &world, &[], &["gzip", "hex", "url"]);
}

#[test]
fn a20c_a_secret_of_a_branch_that_was_merged_and_removed() {
    let world = World::empty();
    let repository = &world.repository;
    repository.write("README", "nothing to see\n");
    repository.commit("one");
    repository.branch("side");
    repository.write("side.pem", secret());
    repository.commit("on a branch");
    repository.remove("side.pem");
    repository.commit("gone from the branch");
    repository.checkout("main");
    repository.merge("side");
    repository.git(&["branch", "-qD", "side"]);
    overlooked("history-parents", &world, &["--history"], &["side.pem"]);
}

#[test]
fn a20e_a_secret_that_a_later_layer_hides() {
    let world = World::empty();
    let layers = world.home().join("layout/blobs/sha256");
    fs::create_dir_all(&layers).unwrap();
    fs::write(layers.join("aa"), tar(&[("app/key.pem", &secret())])).unwrap();
    fs::write(layers.join("bb"), tar(&[("app/.wh.key.pem", b"")])).unwrap();
    let layout = world.home().join("layout");
    let words = ["--image", layout.to_str().unwrap()];
    overlooked("every-layer", &world, &words, &["blobs/sha256/aa!/app/key.pem"]);
}

/// A key of a pipeline that nobody reads would look like a promise to whoever approves it.
#[test]
fn a31g_a_flag_beside_a_scan() {
    let rest = "evidence:\n  - {scan: [config], passed: true}\n";
    let world = World::empty();
    world.repository.write("Dockerfile", "FROM scratch\nUSER 10001:10001\n");
    world.commit_pipeline(&world::pipeline_with("echo x > out/x", "out: [out]", rest));
    run(&world)(&[]).ended(2).refused(&["E-FILE-INVALID"]);
    run(&world)(&["--without-control", "unknown-keys"]).ok();
}
