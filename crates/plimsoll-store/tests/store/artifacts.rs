//! Artifacts: what they hold, that they are the same everywhere, and what is refused.

use super::{Fresh, code, path, shown, time};
use plimsoll_engine::ports::StoreError;
use plimsoll_model::{Code, Digest, Entry, Tree};
use plimsoll_store::artifact::{
    Assembled, Base, Image, artifact_tree, assemble_files, assemble_image, place,
};
use std::fs;

pub(super) fn image(base: Base) -> Image {
    Image {
        base,
        entrypoint: vec!["/shop".into()],
        cmd: vec![],
        env: Default::default(),
        architecture: "amd64".into(),
        created: time(1_700_000_000),
    }
}

pub(super) fn assemble(fresh: &Fresh, tree: &Tree, base: Base) -> Result<Assembled, StoreError> {
    assemble_image(fresh.blobs(), tree, &image(base))
}

/// A tiny executable for 64-bit Linux that asks for a loader, or for none.
pub(super) fn executable(interpreter: Option<&str>) -> Vec<u8> {
    let name = interpreter.map_or_else(Vec::new, |name| [name.as_bytes(), b"\0"].concat());
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend([2, 0, 62, 0, 1, 0, 0, 0]);
    let words =
        |file: &mut Vec<u8>, words: &[u64]| words.iter().for_each(|word| file.extend(word.to_le_bytes()));
    words(&mut file, &[0, 64, 0]);
    file.extend([0, 0, 0, 0, 64, 0, 56, 0, u8::from(interpreter.is_some()), 0, 64, 0, 0, 0, 0, 0]);
    if interpreter.is_some() {
        file.extend([3, 0, 0, 0, 4, 0, 0, 0]);
        words(&mut file, &[120, 120, 120, name.len() as u64, name.len() as u64, 1]);
    }
    file.extend(name);
    file
}

fn shop(fresh: &Fresh) -> Tree {
    let mut tree = fresh.tree(&[("shop*", &executable(None)), ("etc/shop/config", b"port: 8080\n")]);
    tree.entries.insert(path("etc/current"), Entry::Symlink { target: "shop".into() });
    tree.entries.insert(path("data"), Entry::EmptyDirectory);
    let long = ["a-directory-with-a-long-name"; 6].join("/");
    tree.entries.extend(fresh.tree(&[(&long, b"deep")]).entries);
    tree
}

#[test]
fn an_image_has_the_same_digest_everywhere() {
    let golden = "sha256:3f612ba592060a9cf4118a597851dbb2a6c955287a662d14787c5cf4819dec98";
    for _ in 0..2 {
        let fresh = Fresh::new();
        let assembled = assemble(&fresh, &shop(&fresh), Base::Scratch).unwrap();
        assert_eq!(assembled.manifest.to_string(), golden);
    }
}

#[test]
fn an_artifact_of_files_has_the_same_digest_everywhere() {
    let fresh = Fresh::new();
    let tree = fresh.tree(&[("shop*", b"binary"), ("share/readme", b"text")]);
    let assembled = assemble_files(fresh.blobs(), &tree).unwrap();
    assert_eq!(
        assembled.manifest.to_string(),
        "sha256:e0afb70c363c4a484d05f522ae19b1b0b28a4e90e5b0f7a750614f59f9529bb4"
    );
    assert_eq!(assembled.artifact_type.as_deref(), Some("application/vnd.plimsoll.files.v1"));
    let manifest = fresh.blobs().read(&assembled.manifest, 4096).unwrap();
    assert_eq!(manifest.len() as u64, assembled.size);
    let files: Vec<_> = assembled.files.iter().map(|file| (file.path.as_str(), file.digest)).collect();
    assert_eq!(files, [("share/readme", Digest::of(b"text")), ("shop", Digest::of(b"binary"))]);
}

#[test]
fn an_artifact_is_unpacked_as_what_it_was_made_of() {
    let fresh = Fresh::new();
    let tree = shop(&fresh);
    let image = assemble(&fresh, &tree, Base::Scratch).unwrap();
    assert_eq!(artifact_tree(fresh.blobs(), &image.manifest).unwrap(), tree);
    let tree = fresh.tree(&[("shop*", b"binary"), ("share/readme", b"text")]);
    let files = assemble_files(fresh.blobs(), &tree).unwrap();
    assert_eq!(artifact_tree(fresh.blobs(), &files.manifest).unwrap(), tree);
}

#[test]
fn an_artifact_of_files_holds_nothing_but_files() {
    let fresh = Fresh::new();
    let with = |name: &str, entry: Entry| {
        let mut tree = fresh.tree(&[("a", b"a")]);
        tree.entries.insert(path(name), entry);
        assemble_files(fresh.blobs(), &tree)
    };
    assert_eq!(code(with("link", Entry::Symlink { target: "a".into() })), Some(Code::OutKind));
    assert_eq!(code(with("empty", Entry::EmptyDirectory)), Some(Code::OutKind));
    assert_eq!(code(assemble_files(fresh.blobs(), &Tree::default())), Some(Code::OutMissing));
    let digest = Digest::of(b"never stored");
    let absent = with("gone", Entry::File { digest, size: 12, executable: false });
    assert!(matches!(absent, Err(StoreError::Missing(missing)) if missing == digest));
}

#[test]
fn an_executable_without_its_loader_is_refused() {
    let fresh = Fresh::new();
    let loader = "/lib64/ld-linux-x86-64.so.2";
    let dynamic = executable(Some(loader));
    let alone = fresh.tree(&[("bin/shop*", &dynamic)]);
    assert_eq!(
        shown(assemble(&fresh, &alone, Base::Scratch)),
        "E-ART-INTERPRETER: bin/shop needs /lib64/ld-linux-x86-64.so.2, which is not in the image"
    );
    let complete = fresh.tree(&[("bin/shop*", &dynamic), ("lib64/ld-linux-x86-64.so.2*", b"loader")]);
    assert!(assemble(&fresh, &complete, Base::Scratch).is_ok());
    let mut linked = fresh.tree(&[("bin/shop*", &dynamic), ("usr/lib/ld.so*", b"loader")]);
    linked.entries.insert(path("lib64"), Entry::Symlink { target: "usr/lib64".into() });
    let link = Entry::Symlink { target: "../lib/ld.so".into() };
    linked.entries.insert(path("usr/lib64/ld-linux-x86-64.so.2"), link);
    assert!(assemble(&fresh, &linked, Base::Scratch).is_ok(), "the loader is found through links");
    let mut circle = alone.clone();
    circle.entries.insert(path("lib64"), Entry::Symlink { target: "lib64".into() });
    assert_eq!(code(assemble(&fresh, &circle, Base::Scratch)), Some(Code::ArtInterpreter));
}

#[test]
fn the_machines_own_programs_are_read_like_the_crafted_ones() {
    let fresh = Fresh::new();
    let own = fs::read(std::env::current_exe().unwrap()).unwrap();
    let dynamic = own.windows(8).any(|window| window == b"/ld-linux" as &[u8] || window == b"ld-linux");
    let tree = fresh.tree(&[("test*", &own)]);
    let refused = code(assemble(&fresh, &tree, Base::Scratch)) == Some(Code::ArtInterpreter);
    assert_eq!(refused, dynamic);
}

#[test]
fn hostile_executables_do_no_harm() {
    let fresh = Fresh::new();
    let whole = executable(Some("/lib/ld.so"));
    for cut in 0..whole.len() {
        let tree = fresh.tree(&[("shop*", &whole[..cut])]);
        let result = assemble(&fresh, &tree, Base::Scratch);
        assert!(result.is_ok() || code(result) == Some(Code::ArtInterpreter), "cut at {cut}");
    }
    let mut endless = whole;
    endless[96..104].copy_from_slice(&u64::MAX.to_le_bytes());
    let tree = fresh.tree(&[("shop*", &endless)]);
    assert_eq!(code(assemble(&fresh, &tree, Base::Scratch)), Some(Code::ArtInterpreter));
}

#[test]
fn a_name_that_would_remove_something_from_a_base_is_refused() {
    let fresh = Fresh::new();
    for (name, refused) in
        [("etc/.wh.shadow", true), (".wh..wh..opq", true), (".wh.d/x", true), ("a.wh.b", false)]
    {
        let result = assemble(&fresh, &fresh.tree(&[(name, b"")]), Base::Scratch);
        assert_eq!(code(result) == Some(Code::OutKind), refused, "{name}");
    }
}

#[test]
fn damaged_content_does_not_become_part_of_an_image() {
    let fresh = Fresh::new();
    let tree = fresh.tree(&[("shop", b"binary")]);
    let file = fresh.blob_path(&Digest::of(b"binary"));
    fs::remove_file(&file).unwrap();
    fs::write(&file, b"Binary").unwrap();
    assert_eq!(code(assemble(&fresh, &tree, Base::Scratch)), Some(Code::DigestMismatch));
}

#[test]
fn outputs_are_placed_where_the_pipeline_says() {
    let fresh = Fresh::new();
    let outputs =
        fresh.tree(&[("target/shop*", b"binary"), ("site/a", b"a"), ("site/b/c", b"c"), ("left", b"")]);
    let placed = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(from, to)| (path(from), path(to))).collect();
        place(&outputs, &files)
            .map(|tree| tree.entries.keys().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(
        placed(&[("target/shop", "shop"), ("site", "srv/www")]).unwrap(),
        "shop srv/www/a srv/www/b/c"
    );
    let refused = |files: &[(&str, &str)]| placed(files).unwrap_err().code;
    assert_eq!(refused(&[("gone", "x")]), Code::OutMissing);
    assert_eq!(refused(&[("target/shop", "x"), ("left", "x")]), Code::OutKind);
    assert_eq!(refused(&[("target/shop", "x"), ("left", "x/y")]), Code::OutKind);
}
