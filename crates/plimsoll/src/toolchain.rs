//! The host's Rust toolchain: found by asking the real compiler, outside of any project, so that no file of a project
//! can choose it.

use crate::failure::Failure;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A Rust sysroot: `bin/cargo`, `bin/rustc` and libraries, without any shim in between.
#[derive(Debug, Clone)]
pub(crate) struct RustToolchain {
    /// Directory on the host.
    pub(crate) sysroot: PathBuf,
}

impl RustToolchain {
    /// The sysroot of the `rustc` on `PATH`; none where there is no Rust.
    ///
    /// # Errors
    /// When `rustc` is there and does not answer.
    pub(crate) fn find() -> Result<Option<Self>, Failure> {
        let Some(rustc) = on_path("rustc") else { return Ok(None) };
        let asked = Command::new(&rustc).args(["--print", "sysroot"]).current_dir("/").output();
        let output =
            asked.map_err(|error| Failure::broken(format!("failed to run {}", rustc.display()), &error))?;
        let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        if !output.status.success() || !sysroot.join("bin/cargo").is_file() {
            let what = format!("{} --print sysroot names no directory with bin/cargo", rustc.display());
            return Err(Failure::Broken { what, next: Some("rustup toolchain install stable".into()) });
        }
        Ok(Some(Self { sysroot }))
    }
}

/// The first executable `name` on `PATH`.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
