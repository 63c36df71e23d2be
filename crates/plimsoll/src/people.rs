//! The person at the terminal: who git says they are, and their SSH key, with which `ssh-keygen` signs for them from a
//! file, an agent or a security key.

use crate::{failure::Failure, toolchain};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Who uses git here, with their SSH key.
pub(crate) struct Me {
    pub(crate) name: String,
    pub(crate) email: String,
    /// The public key's file; `ssh-keygen` finds the private half beside it or in the agent.
    key_file: PathBuf,
    /// Its line.
    pub(crate) key: String,
}

impl Me {
    /// Asks git in `here`; `key` names another key than the usual one.
    ///
    /// # Errors
    /// When git knows no identity or there is no key.
    pub(crate) fn find(here: &Path, key: Option<&Path>) -> Result<Self, Failure> {
        let need = |name: &str, value: Option<String>| {
            value.ok_or_else(|| {
                Failure::Usage(format!("git does not know who you are: git config --global {name} …"))
            })
        };
        let name = need("user.name", git_config(here, "user.name"))?;
        let email = need("user.email", git_config(here, "user.email"))?;
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let candidates = [
            key.map(Path::to_owned),
            git_config(here, "user.signingKey").map(PathBuf::from).map(|path| home.join(path)),
            Some(home.join(".ssh/id_ed25519.pub")),
            Some(home.join(".ssh/id_ecdsa.pub")),
        ];
        let key_file = candidates.into_iter().flatten().map(public_half).find(|path| path.is_file());
        let key_file = key_file.ok_or_else(|| {
            Failure::Usage(
                "there is no SSH public key to sign with: ssh-keygen -t ed25519, or name one with --key"
                    .into(),
            )
        })?;
        let key = fs::read_to_string(&key_file)
            .map_err(|error| Failure::broken(format!("failed to read {}", key_file.display()), &error))?;
        Ok(Self { name, email, key_file, key: key.trim().to_owned() })
    }

    /// Signs a file, and gives the armoured signature, which also lies beside it with `.sig` added.
    ///
    /// # Errors
    /// When `ssh-keygen` does not.
    pub(crate) fn sign(&self, namespace: &str, file: &Path) -> Result<String, Failure> {
        let mut signature = file.as_os_str().to_owned();
        signature.push(".sig");
        // ssh-keygen asks before it replaces one.
        drop(fs::remove_file(&signature));
        let mut command = Command::new("ssh-keygen");
        command.args(["-Y", "sign", "-q", "-n", namespace, "-f"]).arg(&self.key_file).arg(file);
        run(command, &format!("sign {}", file.display()))?;
        fs::read_to_string(&signature)
            .map_err(|error| Failure::broken("failed to read the signature", &error))
    }
}

fn public_half(path: PathBuf) -> PathBuf {
    if path.extension().is_some_and(|extension| extension == "pub") {
        return path;
    }
    let mut name = path.into_os_string();
    name.push(".pub");
    name.into()
}

/// A value of git's configuration, as the person at the terminal set it.
fn git_config(here: &Path, name: &str) -> Option<String> {
    let output = Command::new(toolchain::on_path("git")?)
        .current_dir(here)
        .args(["config", "--get", name])
        .output()
        .ok()?;
    let value = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    Some(value).filter(|value| output.status.success() && !value.is_empty())
}

/// Runs a command of the person, who may be asked something on the terminal.
pub(crate) fn run(mut command: Command, what: &str) -> Result<(), Failure> {
    let output = command.stdin(Stdio::inherit()).output();
    let output = output.map_err(|error| Failure::broken(format!("failed to {what}"), &error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Failure::Broken { what: format!("failed to {what}: {}", said.trim()), next: None })
}
