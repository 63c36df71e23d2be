use super::*;
use crate::{Inventory, inventory::FileGraph};
use plimsoll_model::Digest;

const LOCK: &[u8] = include_bytes!("../../tests/fixtures/cargo/v4/Cargo.lock");
const REQUIREMENTS: &[u8] = b"rich==13.7.1\nclick>=8\n";

fn bill(files: &[(&str, &[u8])]) -> Bill {
    let mut inventory = Inventory::new();
    for (path, bytes) in files {
        assert!(inventory.add(path, bytes));
    }
    Bill::of(Subject { name: "shop".into(), version: "1.0.0".into() }, &inventory.finish())
}

fn json(bytes: Result<Vec<u8>, serde_json::Error>) -> serde_json::Value {
    serde_json::from_slice(&bytes.unwrap()).unwrap()
}

#[test]
fn the_bytes_depend_on_nothing_but_the_content() {
    let one = bill(&[("a/Cargo.lock", LOCK), ("requirements.txt", REQUIREMENTS)]);
    let other = bill(&[("requirements.txt", REQUIREMENTS), ("a/Cargo.lock", LOCK)]);
    assert_eq!(one.cyclonedx(None).unwrap(), other.cyclonedx(None).unwrap());
    assert_eq!(one.spdx(None).unwrap(), other.spdx(None).unwrap());
    let less = bill(&[("a/Cargo.lock", LOCK)]);
    let serial = |bill: &Bill| json(bill.cyclonedx(None))["serialNumber"].clone();
    assert_ne!(serial(&one), serial(&less));
}

#[test]
fn a_package_of_two_files_is_one_entry_with_both_places() {
    let bill = bill(&[("a/Cargo.lock", LOCK), ("b/Cargo.lock", LOCK)]);
    let libc: Vec<_> = bill.entries.values().filter(|entry| entry.name == "libc").collect();
    assert_eq!(libc.len(), 1);
    assert_eq!(libc[0].occurrences.len(), 2);
    let own = bill.entries.values().filter(|entry| entry.is_own()).count();
    assert_eq!(own, 2, "each directory has its own package of that name");
}

#[test]
fn completeness_is_stated_for_the_whole_and_for_each_file() {
    let bill = bill(&[("Cargo.lock", LOCK), ("requirements.txt", REQUIREMENTS)]);
    let document = json(bill.cyclonedx(None));
    let aggregates: Vec<_> =
        document["compositions"].as_array().unwrap().iter().map(|it| it["aggregate"].clone()).collect();
    assert_eq!(aggregates, ["incomplete", "complete", "incomplete"]);
    let reason = &document["metadata"]["properties"][0];
    assert_eq!(reason["name"], "plimsoll:incomplete:requirements.txt");
    let comment = json(bill.spdx(None))["creationInfo"]["comment"].clone();
    assert!(comment.as_str().unwrap().starts_with("completeness: incomplete; requirements.txt: `click`"));
}

#[test]
fn a_file_that_cannot_be_read_leaves_the_bill_incomplete() {
    let bill = bill(&[("Cargo.lock", LOCK), ("package-lock.json", b"{")]);
    assert!(
        matches!(bill.completeness(), Completeness::Incomplete(why) if why.starts_with("package-lock.json: "))
    );
    let nothing = super::Bill::default();
    assert!(matches!(nothing.completeness(), Completeness::Unknown(_)));
}

#[test]
fn what_a_build_fetched_is_told_from_what_it_did_not_and_from_what_no_file_names() {
    let mut bill = bill(&[("Cargo.lock", LOCK)]);
    let digest = |hex: &str| Digest::from_hex(hex).unwrap();
    let itoa = bill.entries.values().find(|entry| entry.name == "itoa").unwrap().clone();
    let material = |uri: &str, digest| Material { uri: uri.to_owned(), digest };
    let stated = digest(&itoa.hashes[0].hex);
    bill.observe(&[
        material(&itoa.reference, stated),
        material("pkg:cargo/libc@0.2.191", Digest::of(b"another archive")),
        material("https://example.com/script.sh", Digest::of(b"curl it")),
    ]);
    let observed = |name: &str| -> Vec<Option<bool>> {
        bill.entries.values().filter(|entry| entry.name == name).map(|entry| entry.observed).collect()
    };
    assert_eq!(observed("itoa"), [Some(true)]);
    assert_eq!(observed("fastrand"), [Some(false)]);
    assert_eq!(
        observed("libc"),
        [Some(false), Some(true)],
        "its archive is not the one that the file states"
    );
    assert_eq!(observed("script.sh"), [Some(true)]);
    assert_eq!(observed("shop"), [None], "the project itself is not fetched");
}

#[test]
fn a_package_from_elsewhere_is_not_the_registrys() {
    let git = b"[[package]]\nname = \"itoa\"\nversion = \"1.0.19\"\nsource = \"git+https://example.com/itoa#abc\"\n";
    let bill = bill(&[("Cargo.lock", LOCK), ("x/Cargo.lock", git)]);
    let references: Vec<_> = bill
        .entries
        .values()
        .filter(|entry| entry.name == "itoa")
        .map(|entry| entry.reference.as_str())
        .collect();
    let theirs = "pkg:cargo/itoa@1.0.19?vcs_url=https:%2F%2Fexample.com%2Fitoa%23abc";
    assert_eq!(references, ["pkg:cargo/itoa@1.0.19", theirs]);
}

#[test]
fn a_licence_that_is_no_expression_stays_a_name() {
    let mut graph = Graph::default();
    for (name, license) in [("a", "MIT OR Apache-2.0"), ("b", "SEE LICENSE IN x")] {
        let mut component = Component::new(crate::Ecosystem::Npm, name, "1");
        component.license = Some(license.to_owned());
        graph.components.push(component);
    }
    let file = FileGraph { path: "package-lock.json".into(), format: crate::Format::NpmLock, graph };
    let bill = Bill::of(Subject::default(), &Found { graphs: vec![file], ..Found::default() });
    let components = json(bill.cyclonedx(None))["components"].clone();
    assert_eq!(components[0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
    assert_eq!(components[1]["licenses"][0]["license"]["name"], "SEE LICENSE IN x");
    assert_eq!(json(bill.spdx(None))["packages"][2]["licenseDeclared"], "NOASSERTION");
}

#[test]
fn a_bill_comes_back_as_it_was_handed_out() {
    let bill = bill(&[("Cargo.lock", LOCK), ("requirements.txt", REQUIREMENTS), ("package-lock.json", b"{")]);
    assert_eq!(Bill::from_json(&bill.to_json().unwrap()), Ok(bill));
}

proptest::proptest! {
    /// Whatever bytes come back: they are refused, or make a document.
    #[test]
    fn mutated_bills_are_refused_or_make_a_document(at in 0_usize..4000, byte: u8, cut in 0_usize..3) {
        let mut bytes = bill(&[("Cargo.lock", LOCK)]).to_json().unwrap();
        let place = at % bytes.len();
        match cut {
            0 => bytes.truncate(place),
            1 => bytes[place] = byte,
            _ => drop(bytes.remove(place)),
        }
        if let Ok(bill) = Bill::from_json(&bytes) {
            let document = json(bill.cyclonedx(None));
            proptest::prop_assert_eq!(&document["specVersion"], "1.6");
        }
    }
}
