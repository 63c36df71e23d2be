//! Services from images: an image runs alone, and says nothing that would have it load something else.

use crate::{
    service::{MAKE, SELF_CONTAINED, Shop, pipeline},
    world::entries,
};
use plimsoll_model::Digest;
use serde_json::{Value, json};
use std::{fs, path::Path};

/// A shop that has built an image of one file, on a base that has this environment and nothing else.
fn shop(environment: &[&str]) -> Shop {
    let shop = Shop::from(&["local"], |world| {
        let layout = world.home().join("bases");
        let base = format!("{}@{}", layout.display(), base(&layout, environment));
        world.repository.write_executable("service", &*SELF_CONTAINED);
        let image =
            format!("image: {{base: \"{base}\", files: {{out/service: /service}}, entrypoint: [/service]}}");
        world.repository.write("plimsoll.yaml", pipeline(MAKE, &image));
    });
    shop.world.plimsoll(&["run"]).ok();
    shop
}

/// An image layout as another tool could have made it (OCI image specification 1.1).
fn base(layout: &Path, environment: &[&str]) -> Digest {
    fs::create_dir_all(layout.join("blobs/sha256")).unwrap();
    let blob = |value: &Value| {
        let bytes = value.to_string().into_bytes();
        let digest = Digest::of(&bytes);
        fs::write(layout.join("blobs/sha256").join(digest.hex()), &bytes).unwrap();
        (digest, bytes.len())
    };
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let (digest, size) = blob(&json!({
        "architecture": architecture, "os": "linux", "config": {"Env": environment},
        "rootfs": {"type": "layers", "diff_ids": []}
    }));
    let config =
        json!({"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": size});
    blob(&json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config, "layers": []
    }))
    .0
}

#[test]
fn an_image_runs_alone_and_is_in_order() {
    let shop = shop(&["PATH=/bin", "OLD_LD_PRELOAD=/service"]);
    shop.promote().ok();
    assert_eq!(shop.answer().as_deref(), Some("v1"));
    let releases = entries(&shop.world.state().join("services/shop@local"));
    let release = releases.iter().find(|path| path.is_dir()).unwrap();
    assert_eq!(entries(release), [release.join("root")], "what it was unpacked from is gone");
    for look in shop.looks(2) {
        assert!(look.is_in_order(), "{look:?}");
    }
}

#[test]
fn an_image_that_would_have_the_service_load_other_code_is_not_started() {
    for variable in ["LD_PRELOAD=/service", "PYTHONPATH=/tmp"] {
        let shop = shop(&["PATH=/bin", variable]);
        let refused = shop.promote().ended(1).refused(&["E-LOADER"]);
        let name = variable.split('=').next().unwrap();
        assert_eq!(refused.parameter("E-LOADER", "name"), name);
        assert_eq!(shop.answer(), None);
        let services = shop.world.json(&["status"]).ok().value();
        assert_eq!(services["services"], json!([]), "{name}");
    }
}
