//! The unpacker as an attacker would like to meet it: archives that name what is not theirs. It has nothing to lose in
//! its sandbox; here it is shown that it would not even try.

use crate::world::{Ran, World, entries};
use plimsoll_model::Digest;
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// An entry of an archive: its name, its kind, where it links to, and its content.
type Entry = (&'static str, u8, &'static str, &'static str);

const FILE: u8 = b'0';
const HARD_LINK: u8 = b'1';
const LINK: u8 = b'2';
const DEVICE: u8 = b'3';
const FIFO: u8 = b'6';

/// An archive as no tool would write it (ustar, POSIX.1-2024, pax).
fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = vec![];
    for (name, kind, link, content) in entries {
        let mut header = [0_u8; 512];
        let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
        put(0, name);
        put(100, "0000755\0");
        put(124, &format!("{:011o}\0", content.len()));
        put(148, "        ");
        put(157, link);
        put(257, "ustar\x0000");
        header[156] = *kind;
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend(header);
        bytes.extend(content.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// A layout with an image of one layer, whatever that holds; gives the digest of its manifest.
fn image(layout: &Path, layer: &[u8]) -> Digest {
    fs::create_dir_all(layout.join("blobs/sha256")).unwrap();
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let blob = |bytes: &[u8]| {
        let digest = Digest::of(bytes);
        fs::write(layout.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
        json!({"digest": digest, "size": bytes.len()})
    };
    let with = |mut descriptor: serde_json::Value, kind: &str| {
        descriptor["mediaType"] = format!("application/vnd.oci.image.{kind}").into();
        descriptor
    };
    let rootfs = json!({"type": "layers", "diff_ids": [Digest::of(layer)]});
    let config = json!({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs});
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": with(blob(config.to_string().as_bytes()), "config.v1+json"),
        "layers": [with(blob(layer), "layer.v1.tar")]
    });
    let manifest = manifest.to_string();
    blob(manifest.as_bytes());
    Digest::of(manifest.as_bytes())
}

/// Has the unpacker take an image of this layer apart. What it left, and how it ended.
fn unpacked(world: &World, entries: &[Entry]) -> (PathBuf, Ran) {
    let layout = world.home().join("layout");
    let _ = fs::remove_dir_all(world.home().join("place"));
    let to = world.home().join("place/unpacked");
    fs::create_dir_all(&to).unwrap();
    let artifact = image(&layout, &archive(entries)).to_string();
    let [from, out] = [&layout, &to].map(|path| path.to_str().unwrap());
    let ran = world.plimsoll(&["__unpacker", &artifact, "--from", from, "--to", out]);
    (to, ran)
}

/// Nothing lies beside what was unpacked, nor in the place that was aimed at.
fn stayed_inside(world: &World, what: &str) {
    let beside: Vec<_> = entries(&world.home().join("place"));
    assert_eq!(beside, [world.home().join("place/unpacked")], "{what}");
    assert!(!Path::new("/tmp/plimsoll-escaped").exists(), "{what}");
}

#[test]
fn an_archive_that_names_what_is_not_its_own_is_refused_and_writes_nothing_there() {
    let world = World::empty();
    let cases: [(&str, &[Entry]); 9] = [
        ("a name that leads up", &[("../escaped", FILE, "", "x")]),
        ("one that leads up from within", &[("a/../../escaped", FILE, "", "x")]),
        ("a file below a link that leads to nothing", &[("a", LINK, "../..", ""), ("a/b/c", FILE, "", "x")]),
        ("a link to a file outside", &[("a", HARD_LINK, "/etc/passwd", "")]),
        ("a link up to a file outside", &[("a", HARD_LINK, "../../escaped", "")]),
        ("a device", &[("a", DEVICE, "", "")]),
        ("a fifo", &[("a", FIFO, "", "")]),
        ("a file below a file", &[("a", FILE, "", "x"), ("a/b", FILE, "", "x")]),
        ("a name with an escape", &[("a\u{1b}[2J", FILE, "", "x")]),
    ];
    for (what, entries) in cases {
        let (to, ran) = unpacked(&world, entries);
        let ran = ran.ended(3);
        assert_eq!(ran.value()["result"], "broken", "{what}: {ran:#?}");
        assert!(!ran.stdout.contains('\u{1b}'), "{what}: {ran:#?}");
        assert!(!to.join("tree.json").exists(), "{what}: all of it or nothing");
        stayed_inside(&world, what);
    }
}

#[test]
fn what_is_its_own_is_unpacked_and_an_absolute_name_is_one_of_the_archive() {
    let world = World::empty();
    let (to, ran) = unpacked(
        &world,
        &[
            ("usr/bin/", b'5', "", ""),
            ("usr/bin/service", FILE, "", "program"),
            ("bin", LINK, "/usr/bin", ""),
            ("/tmp/plimsoll-escaped", FILE, "", "x"),
            ("again", HARD_LINK, "usr/bin/service", ""),
        ],
    );
    let ran = ran.ok();
    assert_eq!(ran.stdout, "");
    let tree: serde_json::Value = serde_json::from_slice(&fs::read(to.join("tree.json")).unwrap()).unwrap();
    let program = Digest::of(b"program");
    assert_eq!(
        tree["usr/bin/service"],
        json!({"type": "file", "digest": program, "size": 7, "executable": true})
    );
    assert_eq!(tree["again"], tree["usr/bin/service"]);
    assert_eq!(tree["bin"], json!({"type": "symlink", "target": "usr/bin"}));
    assert_eq!(fs::read(to.join(program.hex())).unwrap(), b"program");
    assert_eq!(tree.as_object().unwrap().len(), 4, "{tree}");
    stayed_inside(&world, "an absolute name");
}

#[test]
fn a_layer_that_is_not_the_one_that_the_image_names_is_not_unpacked() {
    let world = World::empty();
    let (to, _) = unpacked(&world, &[("a", FILE, "", "honest")]);
    let layout = world.home().join("layout");
    let (honest, other) = (archive(&[("a", FILE, "", "honest")]), archive(&[("a", FILE, "", "edited")]));
    let artifact = image(&layout, &honest).to_string();
    fs::write(layout.join("blobs/sha256").join(Digest::of(&honest).hex()), other).unwrap();
    fs::remove_dir_all(&to).unwrap();
    fs::create_dir(&to).unwrap();
    let [from, out] = [&layout, &to].map(|path| path.to_str().unwrap());
    world.plimsoll(&["__unpacker", &artifact, "--from", from, "--to", out]).ended(3);
    assert!(!to.join("tree.json").exists());
}
