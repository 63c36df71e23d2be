//! Other ways to run `/bin/true` isolated: each sees the host's `/usr` read-only, has its own namespaces, and no network.

use super::{
    case::{Side, succeed},
    machine::said,
};
use crate::project::Result;
use serde_json::{Value, json};
use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

/// Links at the root that Debian's programs expect.
pub(super) const ROOT_LINKS: &[(&str, &str)] =
    &[("usr/bin", "/bin"), ("usr/lib", "/lib"), ("usr/lib64", "/lib64")];

/// bubblewrap, with everything unshared.
pub(super) fn bubblewrap() -> Side {
    let mut command = Command::new("bwrap");
    command.args(["--unshare-all", "--new-session", "--die-with-parent", "--clearenv"]);
    command.args(["--ro-bind", "/usr", "/usr"]);
    for (target, link) in ROOT_LINKS {
        command.args(["--symlink", target, link]);
    }
    command.args(["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "/bin/true"]);
    Side::new(said(Command::new("bwrap").arg("--version")), move || succeed(&mut command))
}

/// runc, with a bundle made beforehand.
pub(super) fn runc(scratch: &Path) -> Result<Side> {
    let bundle = scratch.join("runc");
    root_folder(&bundle.join("rootfs"))?;
    succeed(Command::new("runc").arg("spec").arg("--bundle").arg(&bundle))?;
    let file = bundle.join("config.json");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
    config["process"]["terminal"] = json!(false);
    config["process"]["args"] = json!(["/bin/true"]);
    let usr = json!({"destination": "/usr", "type": "bind", "source": "/usr", "options": ["rbind", "ro"]});
    config["mounts"].as_array_mut().ok_or("runc's configuration has no mounts")?.push(usr);
    std::fs::write(&file, serde_json::to_vec(&config)?)?;
    let mut number = 0;
    let name = said(Command::new("runc").arg("--version")).replace("version ", "");
    Ok(Side::new(name, move || {
        number += 1;
        let id = format!("plimsoll-bench-{}-{number}", std::process::id());
        succeed(Command::new("runc").args(["run", "--bundle"]).arg(&bundle).arg(id))
    }))
}

/// podman on top of runc. The limits it sets by default are above what an ordinary machine allows, so they are named.
pub(super) fn podman(scratch: &Path) -> Result<Side> {
    let root = scratch.join("podman");
    root_folder(&root.join("rootfs"))?;
    let arguments = podman_arguments(&root);
    let name = said(Command::new("podman").arg("--version")).replace("version ", "");
    Ok(Side::new(name, move || {
        succeed(
            Command::new("podman").args(&arguments).arg("--rootfs").arg(root.join("rootfs")).arg("/bin/true"),
        )
    }))
}

fn podman_arguments(root: &Path) -> Vec<PathBuf> {
    let state = [("--root", "storage"), ("--runroot", "run")];
    let state = state.into_iter().flat_map(|(option, folder)| [PathBuf::from(option), root.join(folder)]);
    let options = "--storage-driver vfs --runtime runc run --rm --network none --ulimit nofile=1024:1024 \
                   --ulimit nproc=1024:1024 --volume /usr:/usr:ro";
    state.chain(options.split_whitespace().map(PathBuf::from)).collect()
}

/// A root file system that is empty but for mount points and links.
fn root_folder(root: &Path) -> Result<()> {
    for folder in ["usr", "proc", "dev", "sys", "tmp", "etc", "run"] {
        std::fs::create_dir_all(root.join(folder))?;
    }
    for (target, link) in ROOT_LINKS {
        symlink(target, root.join(link.trim_start_matches('/')))?;
    }
    Ok(())
}
