//! Other ways to run `/bin/true`. Those that isolate show it the host's `/usr` read-only, in namespaces of its own without
//! a network.

use super::{
    case::{Side, succeed},
    machine::said,
};
use crate::project::Result;
use plimsoll_testkit::GitFixture;
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
    let words = podman_words(scratch)?;
    Ok(Side::new(podman_name(), move || succeed(Command::new("podman").args(&words))))
}

/// Three containers one after the other, by a shell: what a pipeline of three steps is in a system that isolates each.
pub(super) fn podman_three_times(scratch: &Path) -> Result<Side> {
    let words = podman_words(scratch)?;
    let script = "for step in first second third; do podman \"$@\"; done";
    Ok(Side::new(podman_name(), move || {
        succeed(Command::new("sh").args(["-euc", script, "sh"]).args(&words))
    }))
}

/// act with its jobs on the host: three steps as processes, without isolation, evidence or signatures.
pub(super) fn act(scratch: &Path) -> Result<Side> {
    let repository = GitFixture::new();
    repository.write(".github/workflows/noop.yaml", WORKFLOW);
    repository.commit("a workflow");
    let home = scratch.join("home");
    std::fs::create_dir(&home)?;
    let name = said(Command::new("act").arg("--version")).replace("version ", "");
    let options = ["push", "--quiet", "--platform", "self-hosted=-self-hosted"];
    Ok(Side::new(format!("{name}, nothing isolated or signed"), move || {
        succeed(Command::new("act").args(options).current_dir(repository.path()).env("HOME", &home))
    }))
}

const WORKFLOW: &str = "\
on: push
jobs:
  noop:
    runs-on: self-hosted
    steps: [{run: /bin/true}, {run: /bin/true}, {run: /bin/true}]
";

fn podman_name() -> String {
    said(Command::new("podman").arg("--version")).replace("version ", "")
}

fn podman_words(scratch: &Path) -> Result<Vec<PathBuf>> {
    let root = scratch.join("podman");
    root_folder(&root.join("rootfs"))?;
    let mut words = podman_arguments(&root);
    words.extend(["--rootfs".into(), root.join("rootfs"), "/bin/true".into()]);
    Ok(words)
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
