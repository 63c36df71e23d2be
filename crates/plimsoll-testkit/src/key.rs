//! SSH keys without a passphrase, each in a directory of its own that goes with the value.

use crate::command::{isolated, output};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// An SSH key pair that `ssh-keygen` made.
#[derive(Debug)]
pub struct SshKey {
    directory: TempDir,
}

impl SshKey {
    /// An Ed25519 key.
    ///
    /// # Panics
    /// When `ssh-keygen` fails.
    #[must_use]
    pub fn generate() -> Self {
        Self::generate_as("ed25519")
    }

    /// A key of the type that `ssh-keygen -t` calls `kind`, as in `ecdsa` or `rsa`.
    ///
    /// # Panics
    /// When `ssh-keygen` fails.
    #[must_use]
    pub fn generate_as(kind: &str) -> Self {
        let key = Self { directory: tempfile::tempdir().expect("a temporary directory") };
        let arguments = ["-q", "-t", kind, "-N", "", "-C", "fixture", "-f"];
        output(isolated("ssh-keygen", key.directory.path()).args(arguments).arg(key.private_path()));
        key
    }

    /// The file of the private key; the public one lies beside it with the suffix `.pub`.
    #[must_use]
    pub fn private_path(&self) -> PathBuf {
        self.directory.path().join("key")
    }

    /// The public key as a line of `authorized_keys(5)`, without a line end.
    ///
    /// # Panics
    /// When the file is gone.
    #[must_use]
    pub fn public_line(&self) -> String {
        let path = self.private_path().with_extension("pub");
        fs::read_to_string(path).expect("the public key").trim_end().to_owned()
    }

    /// The fingerprint that `ssh-keygen -l` shows, as in `SHA256:…`.
    ///
    /// # Panics
    /// When `ssh-keygen` fails.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let shown = output(isolated("ssh-keygen", self.directory.path()).arg("-lf").arg(self.private_path()));
        let shown = String::from_utf8_lossy(&shown);
        shown.split_whitespace().nth(1).expect("a fingerprint").to_owned()
    }

    /// The armoured signature that `ssh-keygen -Y sign` makes over `message` in `namespace`.
    ///
    /// # Panics
    /// When `ssh-keygen` fails.
    #[must_use]
    pub fn sign(&self, namespace: &str, message: &[u8]) -> String {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let file = scratch.path().join("message");
        fs::write(&file, message).expect("the message");
        let mut command = isolated("ssh-keygen", scratch.path());
        output(command.args(["-q", "-Y", "sign", "-n", namespace, "-f"]).arg(self.private_path()).arg(&file));
        fs::read_to_string(signature_path(&file)).expect("the signature")
    }
}

fn signature_path(message: &Path) -> PathBuf {
    message.with_extension("sig")
}
