//! Referrers, and layouts that other tools read.

use super::{
    Fresh,
    artifacts::{assemble, executable},
    code,
};
use plimsoll_engine::ports::StoreError;
use plimsoll_model::{Code, Digest};
use plimsoll_store::{
    IndexEntry,
    artifact::{Assembled, Base},
    bundle_referrer,
    oci::Annotations,
};
use std::{
    collections::BTreeSet,
    fs,
    io::Read,
    path::Path,
    process::{Command, Output},
};

const BUNDLE: &[u8] = br#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}"#;
const PREDICATE: &str = "https://slsa.dev/provenance/v1";

/// An image in the index with one signed statement about it.
fn released() -> (Fresh, Assembled) {
    let fresh = Fresh::new();
    let tree = fresh.tree(&[("shop*", &executable(None)), ("etc/config", b"port: 8080\n")]);
    let image = assemble(&fresh, &tree, Base::Scratch).unwrap();
    let entry = IndexEntry {
        descriptor: image.descriptor(),
        name: Some("shop".into()),
        annotations: Annotations::new(),
    };
    let referrer = bundle_referrer(fresh.blobs(), &image.descriptor(), BUNDLE, PREDICATE, None).unwrap();
    fresh.state.layout().add_entries(vec![entry, referrer]).unwrap();
    (fresh, image)
}

#[test]
fn a_referrer_has_the_form_that_cosign_reads() {
    let (fresh, image) = released();
    let referrers = fresh.state.layout().referrers(&image.manifest).unwrap();
    let [referrer] = referrers.as_slice() else { panic!("{referrers:?}") };
    let bytes = fresh.blobs().read(&referrer.descriptor.digest, 4096).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let expected = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": bundle,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "size": 2,
            "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
        "layers": [{"mediaType": bundle, "size": BUNDLE.len(), "digest": Digest::of(BUNDLE).to_string()}],
        "subject": {"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": image.size,
            "digest": image.manifest.to_string()},
        "annotations": {"dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": PREDICATE}
    });
    assert_eq!(manifest, expected);
    assert_eq!(referrer.predicate_type(), Some(PREDICATE));
    assert_eq!(referrer.bundle().map(|layer| layer.digest), Some(Digest::of(BUNDLE)));
}

#[test]
fn what_the_index_says_of_a_manifest_is_not_believed() {
    let (fresh, image) = released();
    let other = assemble(&fresh, &fresh.tree(&[("other", b"")]), Base::Scratch).unwrap();
    let mut about_other =
        bundle_referrer(fresh.blobs(), &other.descriptor(), BUNDLE, PREDICATE, None).unwrap();
    about_other.descriptor.artifact_type = None;
    about_other.annotations.clear();
    fresh.state.layout().add_entries(vec![about_other]).unwrap();
    assert_eq!(fresh.state.layout().referrers(&image.manifest).unwrap().len(), 1);
    assert_eq!(fresh.state.layout().referrers(&other.manifest).unwrap().len(), 1);
}

#[test]
fn a_manifest_that_cannot_be_read_is_not_taken_for_no_referrer() {
    let (fresh, image) = released();
    let referrers = fresh.state.layout().referrers(&image.manifest).unwrap();
    fs::remove_file(fresh.blob_path(&referrers[0].descriptor.digest)).unwrap();
    assert!(matches!(fresh.state.layout().referrers(&image.manifest), Err(StoreError::Missing(_))));
}

#[test]
fn an_export_holds_the_artifact_and_its_referrers_and_nothing_else() {
    let (fresh, image) = released();
    fresh.blobs().put(b"something else").unwrap();
    let other = assemble(&fresh, &fresh.tree(&[("other", b"")]), Base::Scratch).unwrap();
    let entry = IndexEntry { descriptor: other.descriptor(), name: None, annotations: Annotations::new() };
    fresh.state.layout().add_entries(vec![entry]).unwrap();
    let out = fresh.root.path().join("out");
    fresh.state.layout().export_directory(&image.descriptor(), "shop", &out).unwrap();
    let blobs: BTreeSet<_> =
        fs::read_dir(out.join("blobs/sha256")).unwrap().map(|e| e.unwrap().file_name()).collect();
    // The manifest, its configuration and layer; the referrer, its empty configuration and its bundle.
    assert_eq!(blobs.len(), 6);
    let index: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("index.json")).unwrap()).unwrap();
    assert_eq!(index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"], "shop");
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2);
    assert!(
        fresh.state.layout().export_directory(&image.descriptor(), "shop", &out).is_err(),
        "not over another"
    );
}

#[test]
fn an_exported_tar_is_the_directory_and_always_the_same() {
    let (fresh, image) = released();
    let export = || {
        let mut tar = Vec::new();
        fresh.state.layout().export_tar(&image.descriptor(), "shop", &mut tar).unwrap();
        tar
    };
    let tar = export();
    assert_eq!(tar, export());
    let out = fresh.root.path().join("out");
    fresh.state.layout().export_directory(&image.descriptor(), "shop", &out).unwrap();
    for entry in tar::Archive::new(tar.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = out.join(entry.path().unwrap());
        if entry.header().entry_type().is_file() {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            assert_eq!(content, fs::read(path).unwrap());
        } else {
            assert!(path.is_dir());
        }
    }
}

#[test]
fn damaged_content_is_not_exported() {
    let (fresh, image) = released();
    let config = fresh.blob_path(&Digest::of(BUNDLE));
    fs::remove_file(&config).unwrap();
    fs::write(&config, vec![b'x'; BUNDLE.len()]).unwrap();
    let mut tar = Vec::new();
    let exported = fresh.state.layout().export_tar(&image.descriptor(), "shop", &mut tar);
    assert_eq!(code(exported), Some(Code::DigestMismatch));
}

/// Runs a tool that Debian has, or says how to get it.
fn tool(name: &str, arguments: &[&str], directory: &Path) -> Output {
    let output = Command::new(name).args(arguments).current_dir(directory).output();
    let Ok(output) = output else { panic!("this test needs {name}: apt-get install --yes skopeo umoci") };
    assert!(output.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn skopeo_and_umoci_read_the_export_and_the_store_itself() {
    let (fresh, image) = released();
    let root = fresh.root.path();
    fresh.state.layout().export_directory(&image.descriptor(), "shop", &root.join("out")).unwrap();
    let store = fresh.state.layout().path().to_str().unwrap();
    for layout in ["out", store] {
        let inspected = tool("skopeo", &["inspect", &format!("oci:{layout}:shop")], root).stdout;
        let inspected: serde_json::Value = serde_json::from_slice(&inspected).unwrap();
        assert_eq!(inspected["Digest"], image.manifest.to_string());
    }
    // umoci checks every digest and diff id while it unpacks.
    tool("umoci", &["unpack", "--rootless", "--image", "out:shop", "bundle"], root);
    assert_eq!(fs::read(root.join("bundle/rootfs/etc/config")).unwrap(), b"port: 8080\n");
    assert_eq!(fs::read(root.join("bundle/rootfs/shop")).unwrap(), executable(None));
}
