//! What the scans of this machine need beside their subject: the key of secret fingerprints, the advisories, and rules. They lie
//! below `scan/` of the state directory, and appear at the same place of the one that a scan finds in its sandbox.

use crate::{advisories, context::Context, failure::Failure, rulesets};
use plimsoll_engine::{
    ports::Mount,
    run::{SCAN_STATE, Scanner},
};
use plimsoll_model::{Digest, ScanEngine};
use plimsoll_scan::ProjectKey;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// The key of secret fingerprints, below the state directory: 64 hexadecimal digits.
const KEY: &str = "scan/fingerprint.key";

impl Context {
    /// What a run's scans need: this program, and what lies below `scan/`.
    ///
    /// # Errors
    /// When the program cannot be found, or the key of fingerprints can neither be read nor made.
    pub(crate) fn scanner(&self) -> Result<Scanner, Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::broken("failed to find this program's own file", &error))?;
        // As content and not as the file itself: the scan runs under another user, who may not read that.
        let key = Mount::File {
            target: format!("{SCAN_STATE}/{KEY}"),
            content: Digest::from_bytes(self.key_bytes()?).hex(),
        };
        let data = [Some(key), advisories::mount(self, SCAN_STATE)].into_iter().flatten();
        Ok(Scanner { program, data: data.chain(rulesets::mounts(self, SCAN_STATE)).collect() })
    }

    /// The key of secret fingerprints of this machine, made when it is first needed.
    ///
    /// # Errors
    /// When it can neither be read nor made.
    pub(crate) fn project_key(&self) -> Result<ProjectKey, Failure> {
        Ok(ProjectKey::new(self.key_bytes()?))
    }

    fn key_bytes(&self) -> Result<[u8; 32], Failure> {
        let path = self.state.join(KEY);
        let failed = |error: io::Error| Failure::broken(format!("failed to read {}", path.display()), &error);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.prepare()?;
                make(&path).map_err(failed)?
            }
            other => other.map_err(failed)?,
        };
        let bytes = Digest::from_hex(text.trim()).map(|digits| *digits.as_bytes());
        bytes.map_err(|_| {
            let next = format!("rm {}; what was found before then counts as new", path.display());
            Failure::Broken {
                what: format!("{} is no key of fingerprints", path.display()),
                next: Some(next),
            }
        })
    }
}

/// The digest of the rules that a scanner of this program has together with these imported ones, as it stands in its
/// reports.
pub(crate) fn rules_digest(engine: ScanEngine, imported: Option<Digest>) -> Digest {
    match engine {
        ScanEngine::Secrets => plimsoll_scan::secrets::rules_digest(imported),
        ScanEngine::Config => plimsoll_config::rules_digest(),
        ScanEngine::Dependencies => plimsoll_dependencies::rules::rules_digest(),
        ScanEngine::Malware => plimsoll_scan::malware::rules_digest(imported),
    }
}

/// Makes the key, unless another process just did.
fn make(path: &Path) -> io::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent)?;
    let fresh = parent.join(format!(".fingerprint.{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    file.write_all(Digest::from_bytes(bytes).hex().as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&fresh, path);
    fs::remove_file(&fresh)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::read_to_string(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let state = tempfile::tempdir().unwrap();
        let context = Context { state: state.path().join("state") };
        let first = context.key_bytes().unwrap();
        assert_eq!(context.key_bytes().unwrap(), first);
        let path = context.state.join(KEY);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "short").unwrap();
        assert_eq!(context.key_bytes().unwrap_err().status(), 3);
    }
}
