//! Base images: what is inherited, and what is refused.

use super::{
    Fresh,
    artifacts::{assemble, executable},
    code, path, shown,
};
use plimsoll_engine::ports::StoreError;
use plimsoll_model::{Code, Digest, Entry, Tree};
use plimsoll_store::{
    artifact::{Assembled, Base, artifact_tree},
    oci::{ImageConfig, LAYER_GZIP, Manifest, read_document},
};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

/// A base image as another tool could have made it, in a layout of its own.
struct ForeignBase {
    root: TempDir,
    digest: Digest,
}

/// An entry of a foreign tar: kind, name, content or link.
type Item<'a> = (EntryType, &'a str, &'a str);

const FILE: EntryType = EntryType::Regular;
const LINK: EntryType = EntryType::Symlink;
const HARD: EntryType = EntryType::Link;
const DIRECTORY: EntryType = EntryType::Directory;

fn tar(items: &[Item<'_>]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (kind, name, text) in items {
        let mut header = Header::new_ustar();
        header.set_entry_type(*kind);
        header.set_mode(0o755);
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        let content = if *kind == FILE { text.as_bytes() } else { b"" };
        if *kind == LINK || *kind == HARD {
            header.set_link_name_literal(text).unwrap();
        }
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

impl ForeignBase {
    fn new(layers: &[&[Item<'_>]]) -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("blobs/sha256")).unwrap();
        let tars: Vec<_> = layers.iter().map(|items| tar(items)).collect();
        let diff_ids: Vec<_> = tars.iter().map(|tar| Digest::of(tar).to_string()).collect();
        let descriptors: Vec<_> =
            tars.iter().map(|tar| descriptor(root.path(), LAYER_GZIP, &gzip(tar))).collect();
        let config = serde_json::json!({
            "architecture": "amd64", "os": "linux", "variant": "v1",
            "config": {"Env": ["PATH=/usr/bin"], "Cmd": ["sh"], "Entrypoint": ["/init"], "User": "65532",
                "Labels": {"a": "b"}},
            "rootfs": {"type": "layers", "diff_ids": diff_ids}, "history": [{"created_by": "somebody"}]
        });
        let config = descriptor(
            root.path(),
            "application/vnd.oci.image.config.v1+json",
            config.to_string().as_bytes(),
        );
        let manifest = serde_json::json!({"schemaVersion": 2, "config": config, "layers": descriptors});
        let digest = blob(root.path(), manifest.to_string().as_bytes());
        Self { root, digest }
    }

    fn base(&self) -> Base {
        Base::Layout { directory: self.root.path().to_owned(), digest: self.digest }
    }

    fn blob(&self, digest: &Digest) -> PathBuf {
        self.root.path().join("blobs/sha256").join(digest.hex())
    }
}

fn blob(root: &Path, bytes: &[u8]) -> Digest {
    let digest = Digest::of(bytes);
    fs::write(root.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
    digest
}

fn descriptor(root: &Path, media_type: &str, bytes: &[u8]) -> serde_json::Value {
    let digest = blob(root, bytes);
    serde_json::json!({"mediaType": media_type, "digest": digest.to_string(), "size": bytes.len()})
}

fn on(fresh: &Fresh, files: &[(&str, &[u8])], base: &ForeignBase) -> Result<Assembled, StoreError> {
    assemble(fresh, &fresh.tree(files), base.base())
}

fn unpacked(fresh: &Fresh, image: &Assembled) -> Tree {
    artifact_tree(fresh.blobs(), &image.manifest).unwrap()
}

#[test]
fn layers_add_up_as_the_specification_says() {
    let base = ForeignBase::new(&[
        &[
            (DIRECTORY, "./", ""),
            (DIRECTORY, "./usr/bin/", ""),
            (FILE, "usr/bin/busybox", "busybox"),
            (HARD, "usr/bin/sh", "usr/bin/busybox"),
            (LINK, "bin", "usr/bin"),
            (LINK, "absolute", "/usr/bin/sh"),
            (LINK, "usr/climbing", "../../../bin"),
            (FILE, "etc/removed", ""),
            (FILE, "opaque/old", ""),
            (FILE, "replaced/inside", ""),
        ],
        &[
            (FILE, "etc/.wh.removed", ""),
            (FILE, "opaque/new", "new"),
            (FILE, "opaque/.wh..wh..opq", ""),
            (FILE, "replaced", "now a file"),
            (FILE, "bin/through-the-link", "x"),
        ],
    ]);
    let fresh = Fresh::new();
    let image = on(&fresh, &[("shop*", b"binary")], &base).unwrap();
    let tree = unpacked(&fresh, &image);
    let shown: Vec<_> = tree
        .entries
        .iter()
        .map(|(path, entry)| match entry {
            Entry::Symlink { target } => format!("{path} -> {target}"),
            Entry::File { .. } => path.to_string(),
            Entry::EmptyDirectory => format!("{path}/"),
        })
        .collect();
    let expected = [
        "absolute -> usr/bin/sh",
        "bin -> usr/bin",
        "etc/",
        "opaque/new",
        "replaced",
        "shop",
        "usr/bin/busybox",
        "usr/bin/sh",
        "usr/bin/through-the-link",
        "usr/climbing -> ../bin",
    ];
    assert_eq!(shown, expected);
    assert_eq!(tree.entries[&path("usr/bin/sh")], tree.entries[&path("usr/bin/busybox")]);
}

#[test]
fn the_environment_of_a_base_stays_and_its_command_does_not() {
    let fresh = Fresh::new();
    let image = on(&fresh, &[("shop*", b"binary")], &ForeignBase::new(&[&[]])).unwrap();
    let manifest: Manifest = read_document(fresh.blobs(), &image.manifest).unwrap();
    let bytes = fresh.blobs().read(&manifest.config.digest, 4096).unwrap();
    let config: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        config["config"],
        serde_json::json!({"Entrypoint": ["/shop"], "Env": ["PATH=/usr/bin"], "User": "65532"})
    );
    assert_eq!(config["created"], "2023-11-14T22:13:20Z");
    let config: ImageConfig = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(config.rootfs.diff_ids.len(), 2);
}

#[test]
fn a_loader_is_found_in_the_base() {
    let fresh = Fresh::new();
    let dynamic = executable(Some("/lib64/ld-linux-x86-64.so.2"));
    let glibc: &[Item<'_>] = &[
        (LINK, "lib64", "usr/lib64"),
        (LINK, "usr/lib64/ld-linux-x86-64.so.2", "/usr/lib/x86_64-linux-gnu/ld.so"),
        (FILE, "usr/lib/x86_64-linux-gnu/ld.so", "loader"),
    ];
    assert!(on(&fresh, &[("shop*", &dynamic)], &ForeignBase::new(&[glibc])).is_ok());
    let removed: &[Item<'_>] = &[(FILE, "usr/lib/x86_64-linux-gnu/.wh.ld.so", "")];
    let without = ForeignBase::new(&[glibc, removed]);
    assert_eq!(code(on(&fresh, &[("shop*", &dynamic)], &without)), Some(Code::ArtInterpreter));
}

#[test]
fn what_a_base_holds_is_not_taken_away_by_accident() {
    let fresh = Fresh::new();
    let base =
        ForeignBase::new(&[&[(LINK, "bin", "usr/bin"), (FILE, "usr/bin/sh", ""), (FILE, "etc/hosts", "")]]);
    for (name, problem) in [
        ("bin/shop", Some("bin is no directory in it")),
        ("usr/bin", Some("it has a directory at usr/bin")),
        ("etc/hosts/shop", Some("etc/hosts is no directory in it")),
        ("etc/hosts", None),
        ("usr/bin/shop", None),
    ] {
        let result = on(&fresh, &[(name, b"x")], &base);
        match problem {
            Some(problem) => {
                assert!(shown(result).ends_with(&format!("cannot be used: {problem}")), "{name}")
            }
            None => assert!(result.is_ok(), "{name}"),
        }
    }
}

#[test]
fn a_base_that_is_not_what_its_digest_says_is_refused() {
    type Damage = fn(&mut ForeignBase);
    let layer = |base: &ForeignBase| {
        let manifest = fs::read(base.blob(&base.digest)).unwrap();
        let manifest: Manifest = serde_json::from_slice(&manifest).unwrap();
        base.blob(&manifest.layers[0].digest)
    };
    let damages: &[(Damage, &str)] = &[
        (|base| base.digest = Digest::of(b"another"), "is not in it"),
        (|base| drop(fs::write(base.blob(&base.digest), b"{}")), "has the digest"),
        (|base| fs::remove_dir_all(base.root.path()).unwrap(), "it is not there"),
    ];
    for (damage, problem) in damages {
        let mut base = ForeignBase::new(&[&[(FILE, "a", "a")]]);
        damage(&mut base);
        let refused = shown(on(&Fresh::new(), &[("shop", b"x")], &base));
        assert!(refused.starts_with("E-ART-BASE") && refused.contains(problem), "{refused}");
    }
    let base = ForeignBase::new(&[&[(FILE, "a", "a")]]);
    fs::write(layer(&base), b"another layer").unwrap();
    assert_eq!(code(on(&Fresh::new(), &[("shop", b"x")], &base)), Some(Code::ArtBase));
    let base = ForeignBase::new(&[&[(FILE, "a", "a")]]);
    let real = base.root.path().join("elsewhere");
    fs::rename(layer(&base), &real).unwrap();
    std::os::unix::fs::symlink(&real, layer(&base)).unwrap();
    assert_eq!(code(on(&Fresh::new(), &[("shop", b"x")], &base)), Some(Code::ArtBase), "no link is followed");
}

#[test]
fn a_layer_that_could_harm_is_refused() {
    let fresh = Fresh::new();
    let hostile: &[(&[Item<'_>], &str)] = &[
        (&[(FILE, "../escape", "")], "`.` or `..`"),
        (&[(EntryType::Char, "dev/null", "")], "dev/null is neither"),
        (&[(EntryType::Fifo, "fifo", "")], "fifo is neither"),
        (&[(HARD, "stolen", "../../etc/shadow")], "`.` or `..`"),
        (&[(HARD, "stolen", "etc/shadow")], "not there"),
        (&[(LINK, "a", "a"), (FILE, "a/b", "")], "leads to no directory"),
        (&[(FILE, "a", ""), (FILE, "a/b", "")], "a file and a directory"),
    ];
    for (layer, problem) in hostile {
        let refused = shown(on(&fresh, &[("shop", b"x")], &ForeignBase::new(&[layer])));
        assert!(refused.starts_with("E-ART-BASE") && refused.contains(problem), "{refused}");
    }
}

#[test]
fn an_index_is_a_base_for_the_platforms_it_has() {
    let fresh = Fresh::new();
    let mut base = ForeignBase::new(&[&[(FILE, "a", "a")]]);
    let manifest = fs::read(base.blob(&base.digest)).unwrap();
    let entry = |architecture| {
        serde_json::json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": base.digest.to_string(),
            "size": manifest.len(), "platform": {"os": "linux", "architecture": architecture}})
    };
    for (architecture, usable) in [("amd64", true), ("arm64", false)] {
        let index = serde_json::json!({"schemaVersion": 2, "manifests": [entry(architecture)]});
        let digest = blob(base.root.path(), index.to_string().as_bytes());
        let base = Base::Layout { directory: base.root.path().to_owned(), digest };
        assert_eq!(assemble(&fresh, &fresh.tree(&[("shop", b"x")]), base).is_ok(), usable, "{architecture}");
    }
    base.digest = Digest::of(b"");
    assert_eq!(code(on(&fresh, &[("shop", b"x")], &base)), Some(Code::ArtBase));
}
