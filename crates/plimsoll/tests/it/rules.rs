//! Rules of the user from their import to a finding and to the gate. What a rule means is tested beside the engine.

use crate::{
    secret_modes::Place,
    service::{EXECUTABLE, Shop, service_pipeline},
};
use serde_json::Value;
use std::{fs, io::Write as _, path::PathBuf, process::Stdio};

/// A rule of a made-up provider, and what it finds.
const ACME: &str = "[[rules]]\nid = 'acme-key'\ndescription = 'a key of Acme'\nregex = '''acme_([a-z0-9]{12})\\b'''\n\
                    keywords = ['acme_']\n[[rules.allowlists]]\npaths = ['^fixtures/']\n";
const KEY: &str = "acme_k3j9x0q2m7vt";

fn place() -> (Place, PathBuf) {
    let place = Place::new();
    let rules = place.path("acme.toml");
    fs::write(&rules, ACME).unwrap();
    (place, rules)
}

/// Rules of the findings of `plimsoll scan secrets`, which must end with `status`, and the digest of what was imported.
fn scan(place: &Place, status: i32, arguments: &[&str]) -> (Vec<String>, Value) {
    let ran = place.plimsoll(&[&["--json", "scan", "secrets"], arguments].concat()).ended(status);
    assert!(!ran.stdout.contains(KEY), "the report holds the secret");
    let report = ran.value()["reports"][0].clone();
    let rule = |found: &Value| found["rule"].as_str().unwrap().to_owned();
    (report["findings"].as_array().unwrap().iter().map(rule).collect(), report["imported_rules"].clone())
}

#[test]
fn rules_of_gitleaks_are_imported_shown_applied_and_taken_out_of_use() {
    let (place, rules) = place();
    let file = rules.to_str().unwrap();
    place.repository.write("a.conf", KEY);
    place.repository.write("fixtures/b.conf", KEY);
    assert_eq!(scan(&place, 0, &[]), (vec![], Value::Null));
    assert!(place.plimsoll(&["rules", "show"]).ok().stdout.contains("plimsoll rules import"));
    let imported = place.plimsoll(&["--json", "rules", "import", file]).ok().value()["rules"][0].clone();
    assert_eq!((&imported["engine"], &imported["rules"]), (&"secrets".into(), &1.into()));
    let shown = place.plimsoll(&["--json", "rules", "show"]).ok().value()["rules"][0].clone();
    assert_eq!(shown, imported);
    assert_eq!(scan(&place, 1, &[]), (vec!["secrets/imported/acme-key".into()], imported["digest"].clone()));
    let text = place.plimsoll(&["scan"]).ended(1).stdout;
    for part in [
        "a key of Acme",
        "a.conf:1:6",
        "explain secrets/imported/acme-key",
        imported["digest"].as_str().unwrap(),
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(place.plimsoll(&["explain", "secrets/imported/acme-key"]).ok().stdout.contains("imported"));
    place.plimsoll(&["rules", "remove", "secrets"]).ok();
    assert_eq!(scan(&place, 0, &[]), (vec![], Value::Null));
    assert_eq!(
        scan(&place, 1, &["--rules", file]),
        (vec!["secrets/imported/acme-key".into()], imported["digest"].clone())
    );
}

#[test]
fn imported_rules_look_wherever_secrets_are_looked_for() {
    let (place, rules) = place();
    let rules = rules.to_str().unwrap();
    let found = |arguments: &[&str]| {
        let (found, _) = scan(&place, 1, &[arguments, &["--rules", rules]].concat());
        assert_eq!(found, ["secrets/imported/acme-key"], "{arguments:?}");
    };
    place.repository.write("a.conf", KEY);
    place.repository.commit("with a key");
    found(&[]);
    found(&["--history"]);
    let directory = place.repository.path();
    let tar = place.path("image.tar");
    let made = std::process::Command::new("tar")
        .arg("-cf")
        .arg(&tar)
        .arg("-C")
        .arg(&directory)
        .arg("a.conf")
        .status();
    assert!(made.unwrap().success());
    found(&["--image", tar.to_str().unwrap()]);
    let mut child = place
        .command(&directory, &["scan", "secrets", "--rules", rules, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(KEY.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("secrets/imported/acme-key"));
    // The hook has no flags: it applies what was imported.
    place.plimsoll(&["rules", "import", rules]).ok();
    place.repository.write("b.conf", KEY);
    place.repository.git(&["add", "b.conf"]);
    let refused = place.plimsoll(&["hook", "pre-commit"]).ended(1);
    assert!(format!("{refused:?}").contains("E-SRC-SECRET"), "{refused:?}");
}

#[test]
fn rules_that_cannot_be_used_change_nothing_and_say_why() {
    let (place, rules) = place();
    place.plimsoll(&["rules", "import", rules.to_str().unwrap()]).ok();
    let before = place.plimsoll(&["rules", "show"]).ok().stdout;
    let check = |name: &str, content: &[u8], expect: &[&str]| {
        let path = place.path(name);
        fs::write(&path, content).unwrap();
        for command in [&["rules", "import"][..], &["scan", "secrets", "--rules"]] {
            let ran = place.plimsoll(&[command, &[path.to_str().unwrap()]].concat()).ended(2);
            for part in expect {
                assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
            }
        }
    };
    check(
        "bad.toml",
        b"[[rules]]\nid = 'a'\nregex = '('\n[[rules]]\nid = 'b'\nregex = 'a(?=b)'\n",
        &["bad.toml:3: rule a", "bad.toml:6: rule b"],
    );
    check("no.toml", b"rules = [", &["no.toml:1"]);
    check("empty.toml", b"", &["there is no rule"]);
    check("large.toml", &vec![b'#'; 10 << 20], &["more than"]);
    check("latin.toml", b"# \xff\n", &["UTF-8"]);
    check("rules.txt", b"", &[".toml"]);
    place.plimsoll(&["rules", "import", "nowhere.toml"]).ended(2);
    place.plimsoll(&["rules", "remove", "config"]).ended(2);
    assert_eq!(place.plimsoll(&["rules", "show"]).ok().stdout, before);
    // What was altered in the state directory is not applied, and not taken for none either.
    let stored = place.path("state").join("scan/rules/secrets.json");
    fs::write(&stored, b"{}").unwrap();
    place.plimsoll(&["scan", "secrets"]).ended(3);
    place.plimsoll(&["hook", "pre-commit"]).ended(3);
}

/// A31c: the environment names the rules; the machine that runs with others, or with none, is seen.
#[test]
fn a_gate_asks_for_the_rules_that_it_names() {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*EXECUTABLE);
        world.repository.write("plimsoll.yaml", service_pipeline() + "  - {scan: [secrets]}\n");
    });
    let rules = shop.world.scratch("acme.toml", ACME.as_bytes());
    let rules = rules.to_str().unwrap();
    let imported = shop.world.json(&["rules", "import", rules]).ok().value();
    let digest = imported["rules"][0]["digest"].as_str().unwrap().to_owned();
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        assert!(text.contains("secrets: {block: high}"), "{text}");
        text.replace("secrets: {block: high}", &format!("secrets: {{block: high, rules: \"{digest}\"}}"))
    });
    let run = |version: &str| {
        shop.commit_version(version);
        shop.world.json(&["run"]).ok();
    };
    run("v1");
    shop.promote().ok();
    shop.world.json(&["rules", "remove", "secrets"]).ok();
    run("v2");
    shop.promote().ended(1).refused(&["E-EVIDENCE-RULES"]);
    let other = shop.world.scratch("other.toml", b"[[rules]]\nid = 'acme-key'\nregex = 'nothing'\n");
    shop.world.json(&["rules", "import", other.to_str().unwrap()]).ok();
    run("v3");
    shop.promote().ended(1).refused(&["E-EVIDENCE-RULES"]);
    shop.world.json(&["rules", "import", rules]).ok();
    shop.world.repository.write("settings.conf", KEY);
    run("v4");
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    let why = shop.world.plimsoll(&["why", "shop@local"]).ok().stdout;
    assert!(why.contains("settings.conf:1") && why.contains("a key of Acme") && !why.contains(KEY), "{why}");
    fs::remove_file(shop.world.repository.path().join("settings.conf")).unwrap();
    run("v5");
    shop.promote().ok();
}
