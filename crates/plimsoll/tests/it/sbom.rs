//! `plimsoll sbom`: the list of what a tree depends on, and what it says of itself.

use crate::{
    advisories::lock,
    artifact::cosign_as,
    service::{EXECUTABLE, Shop, service_pipeline},
    world::{Ran, World, text},
};
use serde_json::{Value, json as object};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const CARGO: &str = "version = 4\n\n[[package]]\nname = \"itoa\"\nversion = \"1.0.1\"\n\
    source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\n\
    [[package]]\nname = \"shop\"\nversion = \"0.1.0\"\ndependencies = [\"itoa\"]\n";

fn list(world: &World, arguments: &[&str]) -> Value {
    serde_json::from_str(&world.plimsoll(&[&["sbom", "--name", "shop"], arguments].concat()).ok().stdout)
        .unwrap()
}

#[test]
fn a_tree_is_listed_in_either_notation_and_the_same_content_gives_the_same_bytes() {
    let world = World::empty();
    world.repository.write("Cargo.lock", CARGO);
    let document = list(&world, &[]);
    assert_eq!(document["specVersion"], "1.6");
    assert_eq!(document["components"][1]["purl"], "pkg:cargo/itoa@1.0.1");
    assert_eq!(document["compositions"][0]["aggregate"], "complete");
    assert_eq!(list(&world, &[]), document);
    let dated = list(&world, &["--created", "2026-01-31T12:00:00Z"]);
    assert_eq!(dated["metadata"]["timestamp"], "2026-01-31T12:00:00Z");
    let file = world.scratch("shop.spdx.json", b"");
    world.plimsoll(&["sbom", "--format", "spdx", "--output", file.to_str().unwrap()]).ok();
    let spdx: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(spdx["spdxVersion"], "SPDX-2.3");
}

#[test]
fn a_list_that_lacks_something_says_so_in_the_file_and_on_the_terminal() {
    let world = World::empty();
    world.repository.write("requirements.txt", "flask>=2\n");
    world.repository.write("web/package-lock.json", "{");
    let shown = world.plimsoll(&["sbom"]).ok();
    assert!(shown.stderr.contains("completeness: incomplete"), "{}", shown.stderr);
    let document: Value = serde_json::from_str(&shown.stdout).unwrap();
    let reasons: Vec<_> =
        document["metadata"]["properties"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(
        reasons,
        ["plimsoll:incomplete:requirements.txt", "plimsoll:incomplete:web/package-lock.json"]
    );
}

#[test]
fn a_tree_without_lock_files_is_unknown_and_wrong_use_is_told() {
    let world = World::empty();
    assert_eq!(list(&world, &[])["compositions"][0]["aggregate"], "unknown");
    world.plimsoll(&["sbom", "nowhere"]).ended(2);
    world.plimsoll(&["sbom", "--format", "word"]).ended(2);
    world.plimsoll(&["sbom", "--run", "0"]).ended(2);
    world.plimsoll(&["sbom", "--output", "/nowhere/bom.json"]).ended(3);
    world.repository.write("notes.txt", "nothing\n");
    world.plimsoll(&["sbom", "notes.txt"]).ended(2);
}

/// A shop whose pipeline lists what its artifact is made of, and whose environment asks for this of the list.
fn shop(require: &str) -> Shop {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*EXECUTABLE);
        world.repository.write("plimsoll.yaml", service_pipeline() + "  - {scan: [sbom]}\n");
        world.repository.write("Cargo.lock", lock("1.6.1"));
    });
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        assert!(text.contains("sbom: any"), "{text}");
        text.replace("sbom: any", &format!("sbom: {require}")) + "# asked for\n"
    });
    shop
}

/// What lies in a directory that a run was exported to.
fn exported(shop: &Shop, run: &Value) -> std::path::PathBuf {
    let to = shop.world.home().join(format!("exported-{}", text(&run["run"])));
    shop.world.plimsoll(&["export", text(&run["run"]), "--to", to.to_str().unwrap()]).ok();
    to
}

fn json(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

#[test]
fn a_run_signs_what_its_artifact_is_made_of_and_an_environment_asks_for_it() {
    let shop = shop("complete");
    let run = shop.world.json(&["run"]).ok().value();
    let to = exported(&shop, &run);
    let (bundle, list) = (to.join("sbom.sigstore.json"), json(&to.join("sbom.cdx.json")));
    let verified = shop.world.json(&["verify", bundle.to_str().unwrap()]).ok().value();
    assert_eq!(
        (&verified["predicateType"], &verified["role"]),
        (&"https://cyclonedx.org/bom".into(), &"scanner".into())
    );
    assert_eq!(verified["predicate"], list);
    let accepted = judged(&shop.world, "cyclonedx", &[to.join("sbom.cdx.json")]);
    assert_eq!(accepted.status, 0, "{}", accepted.stdout);
    let subjects = verified["subject"].as_array().unwrap();
    let manifest = text(&run["artifact"]["manifest"]).trim_start_matches("sha256:");
    assert_eq!(subjects[0]["digest"]["sha256"], manifest);
    assert_eq!(subjects.len(), 2, "the file of the artifact too: {subjects:?}");
    assert_eq!(list["metadata"]["component"]["name"], "shop");
    assert_eq!(list["metadata"]["component"]["version"], shop.world.repository.head().as_str());
    let program = plimsoll_model::Digest::of(&fs::read(env!("CARGO_BIN_EXE_plimsoll")).unwrap());
    assert_eq!(list["metadata"]["tools"]["components"][0]["hashes"][0]["content"], program.hex());
    let named: Vec<_> =
        list["components"].as_array().unwrap().iter().map(|it| text(&it["bom-ref"])).collect();
    let expect = ["Cargo.lock#shop@0.1.0", "pkg:cargo/parking_lot_core@0.8.0", "pkg:cargo/smallvec@1.6.1"];
    assert_eq!(named, expect);
    assert_eq!(list["components"][2]["properties"][0]["value"], "false", "this build fetched nothing");
    // Without another commit it is the same list, and the same statement.
    let again = shop.world.json(&["run"]).ok().value();
    assert_eq!(json(&exported(&shop, &again).join("sbom.cdx.json")), list);
    shop.promote().ok();
    assert_eq!(shop.answer().as_deref(), Some("v1"));
    // A list that lacks something is a list all the same; what to make of it is for the environment to say.
    shop.world.repository.write("requirements.txt", "flask>=2\n");
    shop.commit_version("v2");
    shop.world.json(&["run"]).ok();
    let refused = shop.promote().ended(1).refused(&["E-EVIDENCE-INCOMPLETE"]);
    assert!(refused.parameter("E-EVIDENCE-INCOMPLETE", "detail").starts_with("requirements.txt: "));
    let environment = "environments/local/environment.yaml";
    shop.world.change_delivery(environment, |text| text.replace("sbom: complete", "sbom: any"));
    shop.promote().ok();
    assert_eq!(shop.answer().as_deref(), Some("v2"));
}

#[test]
fn a_run_without_a_list_is_refused_where_one_is_asked_for() {
    let shop = Shop::new();
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        text.replace("require:\n", "require:\n  sbom: any\n")
    });
    shop.world.json(&["run"]).ok();
    let refused = shop.promote().ended(1).refused(&["E-EVIDENCE-MISSING"]);
    assert_eq!(refused.parameter("E-EVIDENCE-MISSING", "check"), "sbom");
}

/// What the libraries of CycloneDX and SPDX say of these files.
fn judged(world: &World, kind: &str, files: &[PathBuf]) -> Ran {
    let path = std::env::var_os("PATH").unwrap();
    let mut places = std::env::split_paths(&path).map(|place| place.join("sbom-judge"));
    let judge = places.find(|place| place.is_file()).expect("sbom-judge is missing: dev/install.sh judges");
    let mut command = Command::new(judge);
    Ran::of(command.arg(kind).args(files).env_clear().env("HOME", world.home()))
}

/// A tree with whatever makes lists hard to write well: addresses that are none, licences that nobody knows, a text that is
/// too long, the same lock file twice.
fn odd(world: &World) {
    let addresses = [
        "git@github.com:a/b.git#c0ffee",
        "git+ssh://git@github.com:a/b.git",
        "github:a/b#c0ffee",
        "https://example.com/a b.tgz",
        "https://example.com/ü",
        "https://example.com/%zz",
        "../x.tgz",
        "https://exa mple/",
        "c:\\x.tgz",
        "https://u:p@h/x|y",
        "<>",
        "ssh://git@[bad/x",
        "git+file:///x",
        "1:2",
        "https://example.com:x/a#b#c",
        "a@b@c://",
    ];
    let licenses = [
        "MIT",
        "(MIT OR Foo)",
        "LicenseRef-x",
        "MIT AND LicenseRef-x",
        "GPL-2.0+",
        "MIT/Apache-2.0",
        "SEE LICENSE IN x",
        "",
    ];
    let mut packages = object!({"": {"name": "shop", "version": "1"}});
    for (at, address) in addresses.into_iter().enumerate() {
        packages[format!("node_modules/p{at}")] =
            object!({"version": "1.0.0", "resolved": address, "license": licenses[at % licenses.len()]});
    }
    let registry = "https://registry.npmjs.org/x/-/x.tgz";
    packages["node_modules/long"] = object!({"version": "9".repeat(1500), "resolved": registry});
    packages["node_modules/@a b/ü"] =
        object!({"version": "1 2", "resolved": registry, "integrity": "sha1-AAAA sha512-BB md5-CC"});
    let lock = object!({"name": "shop", "lockfileVersion": 3, "packages": packages}).to_string();
    world.repository.write("package-lock.json", &lock);
    world.repository.write("a b/Cargo.lock", CARGO);
    world.repository.write("c/Cargo.lock", CARGO.replace("shop", "other"));
    world.repository.write("d/Cargo.lock", CARGO.split_inclusive("\n\n").take(2).collect::<String>());
    world.repository.write("e/Cargo.lock", CARGO.split_inclusive("\n\n").take(2).collect::<String>());
    world
        .repository
        .write("requirements.txt", "flask>=2\nx @ https://example.com/x.whl\ny @ git+ssh://git@[bad/x\n");
}

/// Lists of trees, by the judges that the specifications' own projects wrote.
#[test]
fn the_judges_of_both_formats_accept_our_lists_and_refuse_broken_ones() {
    let world = World::empty();
    odd(&world);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plimsoll-dependencies/tests/fixtures");
    let empty = world.home().join("empty");
    fs::create_dir(&empty).unwrap();
    for (kind, breaks) in [("cyclonedx", "\"bomFormat\""), ("spdx", "\"SPDXID\"")] {
        let list = |name: &str, tree: &Path, created: &[&str]| {
            let file = world.home().join(format!("{kind}-{name}.json"));
            let asked =
                ["sbom", tree.to_str().unwrap(), "--format", kind, "--output", file.to_str().unwrap()];
            world.plimsoll(&[&asked[..], created].concat()).ok();
            file
        };
        let files = [
            list("odd", &world.repository.path(), &["--created", "2026-01-31T12:00:00.5Z"]),
            list("fixtures", &fixtures, &[]),
            list("empty", &empty, &[]),
        ];
        let accepted = judged(&world, kind, &files);
        assert_eq!(
            (accepted.status, accepted.stdout.matches(": ok\n").count()),
            (0, 3),
            "{}",
            accepted.stdout
        );
        let text = fs::read_to_string(&files[0]).unwrap();
        let wrong =
            [text.replacen(breaks, "\"other\"", 1), text[..text.len() - 9].to_owned(), "{}".to_owned()];
        let wrong = [0, 1, 2].map(|at| world.scratch(&format!("broken-{at}.json"), wrong[at].as_bytes()));
        let refused = judged(&world, kind, &wrong);
        assert_eq!((refused.status, refused.stdout.matches(": ok\n").count()), (1, 0), "{}", refused.stdout);
    }
}

/// The judge that never heard of Plimsoll.
#[test]
fn cosign_accepts_the_list_for_the_artifact_and_for_nothing_else() {
    let shop = shop("any");
    let run = shop.world.json(&["run"]).ok().value();
    let to = exported(&shop, &run);
    let key = |role: &str| {
        let key = shop.world.plimsoll(&["trust", "key", role]).ok().stdout;
        shop.world.scratch(role, key.as_bytes())
    };
    let bundle = to.join("sbom.sigstore.json");
    let judged =
        |role: &str, kind: &str, file: &Path| cosign_as(&shop.world, &key(role), kind, &bundle, file).status;
    for kind in ["cyclonedx", "https://cyclonedx.org/bom"] {
        assert_eq!(judged("scanner", kind, &to.join("manifest.json")), 0, "{kind}");
        assert_eq!(judged("scanner", kind, &to.join("files/service")), 0, "{kind}");
    }
    let other = shop.world.scratch("other", b"not what was built");
    assert_ne!(judged("scanner", "cyclonedx", &other), 0);
    assert_ne!(judged("scanner", "spdxjson", &to.join("manifest.json")), 0);
    assert_ne!(judged("builder", "cyclonedx", &to.join("manifest.json")), 0);
}
