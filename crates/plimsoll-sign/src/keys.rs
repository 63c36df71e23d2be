//! Role keys as files: one PKCS#8 PEM file with mode 0600 per role, beside its public half for other tools.

use p256::{
    ecdsa::{Signature, SigningKey, signature::Signer as _},
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, LineEnding},
};
use plimsoll_attest::PublicKey;
use plimsoll_engine::signer::Key;
use plimsoll_model::Role;
use rustix::fs::{Mode, OFlags};
use std::{
    fs::{self, File, Permissions},
    io::{self, Read, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Why a role key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key file is not there.
    #[error("there is no key for the role {role} at {path}; `plimsoll trust show` lists the keys that exist")]
    Missing {
        /// The role.
        role: Role,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Somebody else could read or replace the key.
    #[error(
        "{path} {problem}; `chmod 600 {path}` as its owner, and make a new key if somebody else may have read it"
    )]
    Exposed {
        /// The key file.
        path: PathBuf,
        /// How.
        problem: String,
    },
    /// The file holds no P-256 private key.
    #[error("{path} is not a P-256 private key in PKCS#8 PEM form")]
    Malformed {
        /// The key file.
        path: PathBuf,
    },
    /// The system gave no randomness, or the file could not be read or written.
    #[error("failed to {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The key file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A secret key of one role. It cannot be shown, copied or serialized, only used.
pub struct RoleKey {
    role: Role,
    key: SigningKey,
    public: PublicKey,
}

impl Key for RoleKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    /// ECDSA with SHA-256, deterministic (RFC 6979), as ASN.1 DER.
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.key.sign(message);
        signature.to_der().as_bytes().to_vec()
    }
}

impl RoleKey {
    /// The role it signs for.
    #[must_use]
    pub fn role(&self) -> &Role {
        &self.role
    }
}

/// The directory of role keys.
#[derive(Debug, Clone)]
pub struct RoleKeys {
    directory: PathBuf,
}

impl RoleKeys {
    /// Keys below `directory`, which need not exist yet.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    fn path(&self, role: &Role) -> PathBuf {
        self.directory.join(format!("{}.pem", role.to_string().replace(':', "-")))
    }

    /// Where the public half of a role's key lies, for tools such as cosign.
    #[must_use]
    pub fn public_path(&self, role: &Role) -> PathBuf {
        self.path(role).with_extension("pub")
    }

    /// Whether there is a key for `role`.
    #[must_use]
    pub fn exists(&self, role: &Role) -> bool {
        self.path(role).exists()
    }

    /// Reads the key of `role`.
    ///
    /// # Errors
    /// When it is missing, malformed, or open to anybody but its owner.
    pub fn load(&self, role: &Role) -> Result<RoleKey, KeyError> {
        let path = self.path(role);
        let io = |action| {
            let path = path.clone();
            move |source: io::Error| match source.kind() {
                io::ErrorKind::NotFound => KeyError::Missing { role: role.clone(), path },
                _ => KeyError::Io { action, path, source },
            }
        };
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let descriptor = rustix::fs::open(&path, flags, Mode::empty()).map_err(|e| io("open")(e.into()))?;
        let mut file = File::from(descriptor);
        refuse_exposed(&file, &path)?;
        let mut pem = Zeroizing::new(String::new());
        Read::by_ref(&mut file).take(16 * 1024).read_to_string(&mut pem).map_err(io("read"))?;
        let malformed = || KeyError::Malformed { path: path.clone() };
        let key = SigningKey::from_pkcs8_pem(&pem).map_err(|_| malformed())?;
        let public = key.verifying_key().to_public_key_pem(LineEnding::LF).map_err(|_| malformed())?;
        let public = PublicKey::from_pem(&public).map_err(|_| malformed())?;
        Ok(RoleKey { role: role.clone(), key, public })
    }

    /// Reads the key of `role`, making one first where there is none. Its public half lies beside it afterwards, and
    /// nothing is left of a process that was killed while it made either. Many that do this at once get the same key.
    ///
    /// # Errors
    /// Those of [`RoleKeys::load`], and failures to write.
    pub fn load_or_create(&self, role: &Role) -> Result<RoleKey, KeyError> {
        let _lock = self.lock(role)?;
        self.sweep(role)?;
        let key = match self.load(role) {
            Err(KeyError::Missing { .. }) => {
                self.create(role)?;
                self.load(role)?
            }
            other => other?,
        };
        self.publish(&key)?;
        Ok(key)
    }

    /// The directory, made where there is none, for one process at a time until the lock is dropped.
    fn lock(&self, role: &Role) -> Result<File, KeyError> {
        let path = self.path(role);
        let io = |action| {
            let path = path.clone();
            move |source: io::Error| KeyError::Io { action, path, source }
        };
        fs::create_dir_all(&self.directory).map_err(io("create the directory of"))?;
        let directory = File::open(&self.directory).map_err(io("open the directory of"))?;
        let mode = directory.metadata().map_err(io("look at the directory of"))?.mode();
        if mode & 0o077 != 0 {
            directory.set_permissions(Permissions::from_mode(0o700)).map_err(io("close the directory of"))?;
        }
        directory.lock().map_err(io("lock the directory of"))?;
        Ok(directory)
    }

    /// Where a file of `role` is while it is unfinished: it holds a secret, so it is not one of many names.
    fn unfinished(&self, role: &Role) -> PathBuf {
        self.path(role).with_extension("new")
    }

    /// Removes what a killed process left; whoever holds the lock knows that nobody is still writing it.
    fn sweep(&self, role: &Role) -> Result<(), KeyError> {
        let path = self.unfinished(role);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(KeyError::Io { action: "remove the unfinished", path, source })
            }
            _ => Ok(()),
        }
    }

    fn create(&self, role: &Role) -> Result<(), KeyError> {
        let path = self.path(role);
        let key = random_key().map_err(|source| KeyError::Io {
            action: "find randomness for",
            path: path.clone(),
            source,
        })?;
        let secret =
            key.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError::Malformed { path: path.clone() })?;
        self.write(role, &path, secret.as_bytes(), 0o600)
    }

    /// Writes the public half of a key beside it, unless it is there.
    fn publish(&self, key: &RoleKey) -> Result<(), KeyError> {
        let (path, pem) = (self.public_path(&key.role), key.public.to_pem());
        if fs::read(&path).is_ok_and(|content| content == pem.as_bytes()) {
            return Ok(());
        }
        self.write(&key.role, &path, pem.as_bytes(), 0o644)
    }

    /// The file appears whole, or not at all.
    fn write(&self, role: &Role, path: &Path, content: &[u8], mode: u32) -> Result<(), KeyError> {
        let unfinished = self.unfinished(role);
        let written = write_new(&unfinished, content, mode)
            .and_then(|()| fs::rename(&unfinished, path))
            .and_then(|()| File::open(&self.directory)?.sync_all());
        written.map_err(|source| {
            let _ = fs::remove_file(&unfinished);
            KeyError::Io { action: "write", path: path.to_owned(), source }
        })
    }
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::open(path, flags, Mode::from_raw_mode(mode))?);
    file.write_all(content)?;
    file.sync_all()
}

fn random_key() -> io::Result<SigningKey> {
    loop {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        getrandom::fill(bytes.as_mut_slice()).map_err(io::Error::other)?;
        // One in 2^32 random strings is not a scalar of the group; the next one is.
        if let Ok(key) = SigningKey::from_slice(bytes.as_slice()) {
            return Ok(key);
        }
    }
}

fn refuse_exposed(file: &File, path: &Path) -> Result<(), KeyError> {
    let exposed = |problem: String| Err(KeyError::Exposed { path: path.to_owned(), problem });
    let metadata = file.metadata().map_err(|source| KeyError::Io {
        action: "look at",
        path: path.to_owned(),
        source,
    })?;
    let own = rustix::process::geteuid().as_raw();
    if !metadata.is_file() {
        return exposed("is not a regular file".into());
    }
    if metadata.uid() != own {
        return exposed(format!("belongs to user {}, not to user {own}", metadata.uid()));
    }
    if metadata.mode() & 0o077 != 0 {
        return exposed(format!("has mode {:04o}, so others can reach it", metadata.mode() & 0o7777));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::{
        ecdsa::{VerifyingKey, signature::Verifier as _},
        pkcs8::DecodePublicKey as _,
    };

    fn keys() -> (tempfile::TempDir, RoleKeys) {
        let directory = tempfile::tempdir().unwrap();
        let keys = RoleKeys::new(directory.path().join("keys"));
        (directory, keys)
    }

    #[test]
    fn a_key_is_made_once_and_signs_for_its_public_half() {
        let (_directory, keys) = keys();
        let first = keys.load_or_create(&Role::Builder).unwrap();
        let second = keys.load_or_create(&Role::Builder).unwrap();
        assert_eq!(first.public().to_pem(), second.public().to_pem());
        let public = fs::read_to_string(keys.public_path(&Role::Builder)).unwrap();
        assert_eq!(public, first.public().to_pem());
        let verifier = VerifyingKey::from_public_key_pem(&public).unwrap();
        let signature = Signature::from_der(&first.sign(b"ship")).unwrap();
        assert!(verifier.verify(b"ship", &signature).is_ok());
        assert!(verifier.verify(b"shop", &signature).is_err());
    }

    #[test]
    fn roles_do_not_share_keys() {
        let (_directory, keys) = keys();
        let decision = Role::Decision("local".parse().unwrap());
        let builder = keys.load_or_create(&Role::Builder).unwrap().public().to_pem();
        assert_ne!(keys.load_or_create(&decision).unwrap().public().to_pem(), builder);
        assert!(matches!(keys.load(&Role::Scanner), Err(KeyError::Missing { .. })));
    }

    #[test]
    fn a_key_that_others_can_read_is_not_used() {
        let (_directory, keys) = keys();
        keys.load_or_create(&Role::Builder).unwrap();
        let path = keys.path(&Role::Builder);
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(keys.load(&Role::Builder), Err(KeyError::Exposed { .. })));
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert!(keys.load(&Role::Builder).is_ok());
    }

    #[test]
    fn what_is_no_key_is_refused_and_kept() {
        let (_directory, keys) = keys();
        keys.load_or_create(&Role::Builder).unwrap();
        let path = keys.path(&Role::Builder);
        fs::write(&path, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
        assert!(matches!(keys.load_or_create(&Role::Builder), Err(KeyError::Malformed { .. })));
        assert!(fs::read_to_string(&path).unwrap().contains("AAAA"));
    }

    /// Every state that a process leaves that is killed at some moment of making a key.
    #[test]
    fn killed_at_any_moment_the_next_one_ends_with_both_halves_and_nothing_else() {
        let (directory, other) = keys();
        let [whole, public] = {
            let key = other.load_or_create(&Role::Builder).unwrap();
            [fs::read_to_string(other.path(&Role::Builder)).unwrap(), key.public().to_pem()]
        };
        let half = |text: &str| text[..text.len() / 2].to_owned();
        for (moment, key, published, unfinished) in [
            ("the directory was made", None, None, None),
            ("a file was made", None, None, Some(String::new())),
            ("half of the key was written", None, None, Some(half(&whole))),
            ("the key was written", None, None, Some(whole.clone())),
            ("the key has its name", Some(&whole), None, None),
            ("half of the public half was written", Some(&whole), None, Some(half(&public))),
            ("the public half was written", Some(&whole), None, Some(public.clone())),
            ("both have their names", Some(&whole), Some(&public), None),
            ("somebody damaged the public half", Some(&whole), Some(&half(&public)), None),
        ] {
            let keys = RoleKeys::new(directory.path().join(moment));
            fs::create_dir(directory.path().join(moment)).unwrap();
            let place = |path: PathBuf, content: Option<&String>| {
                content.map(|content| write_new(&path, content.as_bytes(), 0o600).unwrap())
            };
            place(keys.path(&Role::Builder), key);
            place(keys.public_path(&Role::Builder), published);
            place(keys.unfinished(&Role::Builder), unfinished.as_ref());
            let made = keys.load_or_create(&Role::Builder).unwrap().public().to_pem();
            assert_eq!(made == public, key.is_some(), "{moment}: a key that had its name is kept, no other");
            assert_eq!(fs::read_to_string(keys.public_path(&Role::Builder)).unwrap(), made, "{moment}");
            assert_eq!(fs::read_dir(&keys.directory).unwrap().count(), 2, "{moment}");
        }
    }

    #[test]
    fn many_that_make_the_same_key_at_once_agree() {
        let (_directory, keys) = keys();
        let publics: std::collections::BTreeSet<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| keys.load_or_create(&Role::Builder).unwrap().public().to_pem()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(publics.len(), 1);
    }
}
