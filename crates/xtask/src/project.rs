//! The checkout that the checks look at: where it is, which files it has, and what cargo says of it.

use cargo_metadata::{Metadata, MetadataCommand};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Errors here are for a person at a terminal and are only ever shown.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A checkout with a Cargo workspace at its root.
pub(crate) struct Project {
    /// What `cargo metadata` says, dependencies of this host included.
    pub(crate) metadata: Metadata,
}

impl Project {
    /// Opens the workspace of the current directory.
    pub(crate) fn open() -> Result<Self> {
        let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let options = ["--locked", "--filter-platform", &host].map(str::to_owned);
        Ok(Self { metadata: MetadataCommand::new().other_options(options).exec()? })
    }

    /// The folder of the checkout.
    pub(crate) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// A file that cargo built.
    pub(crate) fn built(&self, profile: &str, name: &str) -> PathBuf {
        self.metadata.target_directory.join(profile).join(name).into_std_path_buf()
    }

    /// Files of the checkout, relative to its root: committed, and new ones that are not ignored.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let listing = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(self.root())
            .output()?;
        if !listing.status.success() {
            return Err(format!("git ls-files: {}", String::from_utf8_lossy(&listing.stderr)).into());
        }
        let names = String::from_utf8(listing.stdout)?;
        let present = |name: &&str| !name.is_empty() && self.root().join(name).is_file();
        Ok(names.split('\0').filter(present).map(PathBuf::from).collect())
    }

    /// Files of the checkout with this extension.
    pub(crate) fn files_with(&self, extension: &str) -> Result<Vec<PathBuf>> {
        let mut files = self.files()?;
        files.retain(|file| file.extension().is_some_and(|e| e == extension));
        Ok(files)
    }
}
