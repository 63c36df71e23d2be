//! Exceptions from the command that prints them to the release that they let go, and back.

use crate::{
    advisories::{lock, record},
    service::{EXECUTABLE, Shop, service_pipeline},
};
use plimsoll_model::Timestamp;
use std::{fs, process::Command, time::Duration};

const EXCEPTIONS: &str = "environments/local/shop/exceptions.yaml";

/// A shop with a package of which an advisory is known, refused for it.
fn vulnerable() -> Shop {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*EXECUTABLE);
        world.repository.write("plimsoll.yaml", service_pipeline() + "  - {scan: [dependencies]}\n");
        world.repository.write("Cargo.lock", lock("1.6.0"));
    });
    let records = shop.world.scratch("records", b"").with_file_name("osv");
    fs::create_dir(&records).unwrap();
    let record = record("RUSTSEC-2021-0003", "2023-06-13T13:10:24Z", "1.6.1");
    fs::write(records.join("RUSTSEC-2021-0003.json"), record).unwrap();
    shop.world.json(&["advisories", "import", records.to_str().unwrap()]).ok();
    shop.commit_version("v2");
    shop.world.json(&["run"]).ok();
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    shop
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

pub(crate) fn soon() -> String {
    day(Timestamp::now() + 30 * DAY)
}

/// The person of the delivery repository.
pub(crate) fn owner(shop: &Shop) -> String {
    let people = fs::read_to_string(shop.world.delivery().join("people.yaml")).unwrap();
    let name = people.split("name: ").nth(1).unwrap().lines().next().unwrap();
    name.trim_matches(['"', ',', '}']).to_owned()
}

/// Puts the entries that `why --exceptions` printed into force, with a person, a reason and a day.
pub(crate) fn except(shop: &Shop, printed: &str, owner: &str, expires: &str) {
    let filled = printed
        .replace("owner:\n", &format!("owner: {owner}\n"))
        .replace("reason:\n", "reason: nothing calls it\n");
    let filled = filled.replace("expires:", &format!("expires: {expires}"));
    fs::write(shop.world.delivery().join(EXCEPTIONS), filled).unwrap();
    commit(shop, "an exception");
}

#[test]
fn a_finding_is_let_go_by_a_person_until_a_day_and_anybody_can_check_it_offline() {
    let shop = vulnerable();
    let world = &shop.world;
    let owner = &owner(&shop);
    let printed = world.plimsoll(&["why", "shop@local", "--exceptions"]).ok().stdout;
    for part in ["advisory: \"RUSTSEC-2021-0003\"", "package: \"pkg:cargo/smallvec@1.6.0\"", "Cargo.lock"] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    // It is a rule like any other: pushing it is not enough.
    except(&shop, &printed, owner, &soon());
    shop.promote().ended(1).refused(&["E-POLICY-UNSIGNED"]);
    world.sign_policy();
    shop.promote().ok();
    let why = world.plimsoll(&["why", "shop@local"]).ok().stdout;
    assert!(why.contains(&format!("by {owner}: nothing calls it")), "{why}");
    let file = world.scratch("release.tar", b"");
    let file = file.to_str().unwrap();
    world.json(&["dossier", "shop@local", "--output", file]).ok();
    world.json(&["verify", file]).ok();
    // It ends by itself.
    except(&shop, &printed, owner, &day(Timestamp::now() - DAY));
    world.sign_policy();
    shop.commit_version("v3");
    world.json(&["run"]).ok();
    let refused = shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    assert!(refused.stdout.contains(&format!("the exception of {owner} ended at")), "{refused:#?}");
    let why = world.plimsoll(&["why", "shop@local"]).ok().stdout;
    assert!(why.contains("ended at"), "{why}");
}

#[test]
fn what_is_wrong_with_an_exception_is_shown_before_anybody_signs_it() {
    let shop = vulnerable();
    let delivery = shop.world.delivery();
    let printed = shop.world.plimsoll(&["why", "shop@local", "--exceptions"]).ok().stdout;
    let check = || shop.world.plimsoll(&["check", delivery.to_str().unwrap()]);
    except(&shop, &printed, "nobody-like-that", &soon());
    let refused = check().ended(2);
    assert!(refused.stderr.contains("nobody in people.yaml is called"), "{refused:#?}");
    fs::write(delivery.join(EXCEPTIONS), "version: 1\nexceptions: []\n").unwrap();
    check().ok();
}

/// Adds files to the delivery repository as one commit.
pub(crate) fn commit(shop: &Shop, message: &str) {
    for command in [["add", "."].as_slice(), &["commit", "-qm", message]] {
        let ran = shop.world.repository.command(&shop.world.delivery()).args(command).status();
        assert!(ran.unwrap().success());
    }
}

/// Has the person of the delivery repository sign this document.
pub(crate) fn sign_vex(shop: &Shop, name: &str) {
    let mut sign = Command::new("ssh-keygen");
    sign.args(["-q", "-Y", "sign", "-n", "plimsoll-vex", "-f"]).arg(shop.world.person.private_path());
    assert!(sign.arg(shop.world.delivery().join("vex").join(name)).status().unwrap().success());
    commit(shop, "signed");
}

#[test]
fn a_signed_vex_document_of_somebody_who_is_named_lets_a_release_go() {
    let shop = vulnerable();
    let (world, delivery) = (&shop.world, shop.world.delivery());
    let owner = owner(&shop);
    let document = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"doc","author":"us","timestamp":"2026-01-01T00:00:00Z",
        "version":1,"statements":[{"vulnerability":{"name":"RUSTSEC-2021-0003"},"products":[{"@id":"pkg:cargo/smallvec@1.6.0"}],
        "status":"not_affected","impact_statement":"nothing calls it"}]}"#;
    fs::create_dir(delivery.join("vex")).unwrap();
    fs::write(delivery.join("vex/smallvec.json"), document).unwrap();
    commit(&shop, "an opinion");
    world.change_delivery("environments/local/environment.yaml", |text| {
        text.replace("dependencies: {block: high", &format!("dependencies: {{vex: [{owner}], block: high"))
    });
    let refused = shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    assert!(refused.stdout.contains("nobody signed it"), "{refused:#?}");
    sign_vex(&shop, "smallvec.json");
    shop.promote().ok();
    let why = world.plimsoll(&["why", "shop@local"]).ok().stdout;
    assert!(why.contains(&format!("is not_affected by {owner} in the VEX document")), "{why}");
    for format in ["openvex", "cyclonedx"] {
        let written = world.plimsoll(&["why", "shop@local", "--vex", format]).ok().stdout;
        for part in ["pkg:cargo/smallvec@1.6.0", "RUSTSEC-2021-0003", "not_affected", "nothing calls it"] {
            assert!(written.contains(part), "{format} {part}: {written}");
        }
    }
    let file = world.scratch("release.tar", b"");
    let file = file.to_str().unwrap();
    world.json(&["dossier", "shop@local", "--output", file]).ok();
    world.json(&["verify", file]).ok();
    // Lock files of Cargo state no licences, so that a list of them refuses until somebody answers for the package.
    world.change_delivery("environments/local/environment.yaml", |text| {
        text.replace("block: high", "licenses: [MIT], block: high")
    });
    shop.commit_version("v3");
    world.json(&["run"]).ok();
    let refused = shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    assert!(refused.stdout.contains("packages have no licence that is allowed here"), "{refused:#?}");
}
