use super::*;
use proptest::prelude::*;
use std::{io::Read as _, sync::LazyLock};

/// Made by rpm 4.18: forty packages with one more each, of which one has an epoch and one a header of several pages.
static SQLITE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let packed = include_bytes!("../../../tests/fixtures/rpm/rpmdb.sqlite.gz");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap();
    bytes
});
/// What `rpm -qa` says of it: name, epoch, version, release, architecture, source package, licence.
const INSTALLED: &str = include_str!("../../../tests/fixtures/rpm/installed.txt");
const PATH: &str = "var/lib/rpm/rpmdb.sqlite";

/// A database of SUSE's kind with this package.
fn suse(header: &[u8]) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let mut bytes = [&b"RpmP"[..], &number(0), &number(1), &number(1), &number(2)].concat();
    bytes.resize(32, 0);
    let blocks = (header.len() + 32).div_ceil(16);
    bytes.extend([&b"Slot"[..], &number(1), &number(256), &number(blocks)].concat());
    while bytes.len() < 4096 {
        bytes.extend([&b"Slot"[..], &[0; 12]].concat());
    }
    bytes.extend([&b"BlbS"[..], &number(1), &number(1), &number(header.len()), header].concat());
    bytes.resize(4096 + blocks * 16, 0);
    bytes
}

/// The header of a package with these texts.
fn header(texts: &[(Tag, &str)]) -> Vec<u8> {
    let (mut index, mut store) = (Vec::new(), Vec::new());
    for (tag, text) in texts {
        let entry = [*tag as u32, 6, u32::try_from(store.len()).unwrap(), 1];
        index.extend(entry.iter().flat_map(|number| number.to_be_bytes()));
        store.extend([text.as_bytes(), b"\0"].concat());
    }
    let sizes = [texts.len(), store.len()].map(|size| u32::try_from(size).unwrap().to_be_bytes());
    [sizes.concat(), index, store].concat()
}

const SHOP: [(Tag, &str); 3] = [(Tag::Name, "shop"), (Tag::Version, "1"), (Tag::Release, "2.sle")];

#[test]
fn every_package_is_read_as_rpm_itself_lists_it() {
    let graph = read(PATH, &SQLITE).unwrap();
    let mut listed: Vec<_> = graph
        .components
        .iter()
        .map(|component| {
            let origin = component.origin.as_ref().unwrap();
            let epoch = if component.version.contains(':') { "" } else { "0:" };
            let source = origin.version.split_once(':').map_or(&*origin.version, |(_, rest)| rest);
            let architecture = component.purl.rsplit_once("arch=").unwrap().1.split('&').next().unwrap();
            let (name, version, from) = (&component.name, &component.version, &origin.name);
            let license = component.license.as_ref().unwrap();
            format!("{name} {epoch}{version} {architecture} {from}-{source}.src.rpm {license}")
        })
        .collect();
    listed.sort();
    assert_eq!(listed, INSTALLED.lines().collect::<Vec<_>>());
    // Each but the first two asks for what the first one's second package provides.
    assert_eq!(graph.edges.len(), 38);
    assert!(graph.edges.iter().all(|(_, to)| graph.components[*to].name == "shop1-libs"));
}

#[test]
fn a_database_of_suse_is_read_too() {
    let graph = read("usr/lib/sysimage/rpm/Packages.db", &suse(&header(&SHOP))).unwrap();
    let told: Vec<_> = graph.components.iter().map(|component| component.purl.as_str()).collect();
    assert_eq!(told, ["pkg:rpm/shop@1-2.sle"]);
    let key = header(&[(Tag::Name, "gpg-pubkey"), (Tag::Version, "1"), (Tag::Release, "2")]);
    assert_eq!(read("Packages.db", &suse(&key)).unwrap().components.len(), 0);
}

#[test]
fn what_is_no_database_says_what_it_is() {
    let check = |bytes: &[u8], expect: &str| {
        let problem = read(PATH, bytes).unwrap_err().to_string();
        assert!(problem.contains(expect), "{expect}: {problem}");
    };
    let sqlite = SQLITE.as_slice();
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = sqlite.to_vec();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    check(b"", "Berkeley DB");
    check(b"\0\0\0\0\x61\x15\x06\0", "`rpmdb --rebuilddb`");
    check(&sqlite[..99], "it has no header");
    check(&sqlite[..4096], "cut off");
    check(&with(92, &[0; 4])[..4096], "cut off");
    check(&sqlite[..sqlite.len() / 2], "cut off");
    check(&with(16, &[0, 3]), "its pages have no size");
    check(&with(56, &[0, 0, 0, 2]), "does not fit");
    check(&with(100, &[2]), "a page of its table is something else");
    let mut renamed = sqlite.to_vec();
    // What was split left copies of the schema in the unused part of pages.
    let places = sqlite.windows(13).enumerate().filter(|(_, window)| window == b"tablePackages");
    places.for_each(|(at, _)| renamed[at + 5] = b'p');
    check(&renamed, "no table of packages");
    check(b"RpmP", "it was cut off");
    check(&suse(b""), "a package in it is cut off");
    check(&suse(&header(&SHOP[..2])), "no name or no version");
    let shop = suse(&header(&SHOP));
    check(&[&shop[..32], b"slot", &shop[36..]].concat(), "a slot is something else");
    check(&shop[..shop.len() - 16], "cut off");
}

/// Links of an SQLite database that lead to a page that was taken already.
#[test]
fn a_database_that_goes_in_circles_comes_to_an_end() {
    let found = SQLITE.chunks_exact(4096).position(|page| page[0] == 0x05).expect("an inner page");
    let mut bytes = SQLITE.clone();
    let last = found * 4096 + 8;
    bytes[last..last + 4].copy_from_slice(&u32::try_from(found + 1).unwrap().to_be_bytes());
    assert!(read(PATH, &bytes).unwrap_err().to_string().contains("two links lead to one page"));
}

proptest! {
    #[test]
    fn damaged_databases_are_read_or_refused(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20), cut in any::<prop::sample::Index>(), cuts in any::<bool>()) {
        let mut bytes = SQLITE.clone();
        for (at, byte) in changes {
            // Links and sizes lie at the beginning of pages.
            let at = at.index(bytes.len() / 64);
            bytes[at / 64 * 4096 + at % 64] = byte;
        }
        if cuts {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = read(PATH, &bytes);
    }

    #[test]
    fn damaged_headers_and_slots_are_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut one = header(&SHOP);
        let place = at.index(one.len());
        one[place] = byte;
        let _ = read("Packages.db", &suse(&one));
        let mut all = suse(&header(&SHOP));
        let place = if byte % 2 == 0 { at.index(64) } else { at.index(all.len()) };
        all[place] = byte;
        let _ = read("Packages.db", &all);
        all.truncate(cut.index(all.len()));
        let _ = read("Packages.db", &all);
    }

    #[test]
    fn no_bytes_are_too_strange_for_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..600), kind in 0..3_usize) {
        let beginning = [sqlite::MAGIC, ndb::MAGIC, b""][kind];
        let _ = read(PATH, &[beginning, &bytes].concat());
        if let Ok(header) = Header::read(&bytes) {
            let _ = (component(&header), header.texts(Tag::Requires).count());
        }
    }
}
