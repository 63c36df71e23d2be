//! Where a command works: the state directory, the sandbox, the toolchain, what is pinned. The only place that reads
//! the environment.

use crate::{failure::Failure, toolchain::RustToolchain};
use plimsoll_attest::{PublicKey, Trust, TrustRoot};
use plimsoll_engine::ports::{Journal as _, Source as _};
use plimsoll_engine::{
    derive::required,
    fetch::{ClientConfig, FetchError},
    run::{Client, Toolchain},
};
use plimsoll_git::{DeliveryMirror, GitSource, Transport};
use plimsoll_model::{Code, CommitId, Digest, RelPath, Role, Timestamp};
use plimsoll_pipeline::Delivery;
use plimsoll_sandbox::{HostTools, LinuxSandbox, Options, toolchain as host};
use plimsoll_sign::RoleKeys;
use plimsoll_store::StateDir;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// Roles whose keys every installation has.
pub(crate) const RUN_ROLES: [Role; 3] = [Role::Builder, Role::Scanner, Role::Source];
/// File of the state directory that pins the trust root.
const PINNED: &str = "pinned.json";

/// The state directory by its path, opened as a command needs it.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) state: PathBuf,
}

/// What this machine trusts, outside the repository that it polices.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pinned {
    /// Version of this shape; 1.
    pub(crate) version: u32,
    /// Where the delivery repository is: a path of this machine or a URL.
    pub(crate) delivery: String,
    /// The trust root, as it was accepted.
    pub(crate) root: String,
    /// Its signatures.
    pub(crate) signatures: Vec<String>,
    /// Digests of the trust roots that were pinned before it: what was decided under them may still be checked.
    #[serde(default)]
    pub(crate) earlier: BTreeSet<Digest>,
}

impl Context {
    /// The state directory that was asked for, or the one of this user.
    ///
    /// # Errors
    /// When there is neither a flag nor a home directory.
    pub(crate) fn new(state: Option<&Path>) -> Result<Self, Failure> {
        let asked = state.map(Path::to_owned);
        let home = || std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        let xdg = || std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let usual =
            || xdg().or_else(|| home().map(|home| home.join(".local/state"))).map(|dir| dir.join("plimsoll"));
        let state = asked.or_else(usual).ok_or_else(|| {
            Failure::Usage("there is no home directory: name a state directory with --state".into())
        })?;
        let state = std::path::absolute(&state)
            .map_err(|error| Failure::broken("failed to find the state directory", &error))?;
        Ok(Self { state })
    }

    /// The state directory for the one command that writes to it.
    pub(crate) fn writer(&self, command: &str) -> Result<StateDir, Failure> {
        self.prepare()?;
        let state = StateDir::open_writer(&self.state, command)?;
        went_on(&state)?;
        Ok(state)
    }

    /// Makes the state directory for a command that keeps something there and records nothing.
    pub(crate) fn prepare(&self) -> Result<(), Failure> {
        if let Some(parent) = self.state.parent() {
            fs::create_dir_all(parent)
                .map_err(|error| Failure::broken(format!("failed to make {}", parent.display()), &error))?;
        }
        Ok(StateDir::prepare(&self.state)?)
    }

    /// The state directory for a process that works for its writer.
    pub(crate) fn member(&self) -> Result<StateDir, Failure> {
        Ok(StateDir::open_member(&self.state)?)
    }

    /// The state directory for looking.
    pub(crate) fn reader(&self) -> Result<StateDir, Failure> {
        if StateDir::is_unused(&self.state)? {
            return Err(Failure::Usage(format!(
                "nothing has run here yet: nothing is recorded in {}",
                self.state.display()
            )));
        }
        Ok(StateDir::open_reader(&self.state)?)
    }

    /// The keys of this machine's roles.
    pub(crate) fn keys(&self) -> RoleKeys {
        RoleKeys::new(self.state.join("keys"))
    }

    /// The delivery repository as it was fetched last.
    pub(crate) fn delivery(&self) -> Result<GitSource, Failure> {
        let pinned = self.pinned()?.ok_or_else(not_pinned)?;
        Ok(self.mirror(&pinned)?.source()?)
    }

    /// This machine's mirror of the delivery repository.
    pub(crate) fn mirror(&self, pinned: &Pinned) -> Result<DeliveryMirror, Failure> {
        let transport = Transport {
            ssh_agent: std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from),
            certificates: certificates(),
        };
        Ok(DeliveryMirror::open(&self.state.join("delivery"), &pinned.delivery, transport)?)
    }

    /// Believes the trust root of a delivery repository for the first time: whoever asks for it compares its genesis
    /// with somebody who knows.
    ///
    /// # Errors
    /// When the repository cannot be reached; `E-TRUST-ROOT` and `E-THRESHOLD` for a root that cannot be used.
    pub(crate) fn pin_first(&self, delivery: &str) -> Result<(Pinned, CommitId), Failure> {
        let (delivery, earlier) = (location(delivery), BTreeSet::new());
        let empty = Pinned { version: 1, delivery, root: String::new(), signatures: vec![], earlier };
        let mirror = self.mirror(&empty)?;
        let head = mirror.fetch()?;
        let (root, signatures) = committed_root(&mirror.source()?, &head)?;
        let pinned = Pinned { root, signatures, ..empty };
        pinned.accept()?;
        self.pin(&pinned)?;
        Ok((pinned, head))
    }

    /// Fetches the delivery repository, and takes over a newer trust root that the pinned one's threshold has signed.
    ///
    /// # Errors
    /// When the repository cannot be reached, and `E-TRUST-ROOT` and `E-THRESHOLD` for a root that does not follow.
    pub(crate) fn refresh(&self) -> Result<(Pinned, CommitId), Failure> {
        let pinned = self.pinned()?.ok_or_else(not_pinned)?;
        let mirror = self.mirror(&pinned)?;
        let head = mirror.fetch()?;
        let pinned = self.adopt(pinned, &mirror.source()?, &head)?;
        Ok((pinned, head))
    }

    /// Takes over a newer trust root of a commit that the pinned one's threshold has signed.
    ///
    /// # Errors
    /// `E-TRUST-ROOT` and `E-THRESHOLD` for a root that does not follow.
    pub(crate) fn adopt(
        &self,
        pinned: Pinned,
        delivery: &GitSource,
        head: &CommitId,
    ) -> Result<Pinned, Failure> {
        let (root, signatures) = committed_root(delivery, head)?;
        if root == pinned.root {
            return Ok(pinned);
        }
        let texts: Vec<&str> = signatures.iter().map(String::as_str).collect();
        TrustRoot::accept(root.as_bytes(), &texts, Some(&pinned.accept()?))?;
        let mut earlier = pinned.earlier;
        earlier.insert(Digest::of(pinned.root.as_bytes()));
        let next = Pinned { version: 1, delivery: pinned.delivery, root, signatures, earlier };
        self.pin(&next)?;
        Ok(next)
    }

    /// Foreign scanners, where this user's programs are.
    pub(crate) fn tools(&self) -> HostTools {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let search = std::env::split_paths(&path).filter(|directory| directory.is_absolute()).collect();
        HostTools { search, cache: self.state.join("tools") }
    }

    /// Where services keep their records.
    pub(crate) fn services(&self) -> PathBuf {
        self.state.join("services")
    }

    /// What is pinned, if anything is.
    pub(crate) fn pinned(&self) -> Result<Option<Pinned>, Failure> {
        let path = self.state.join(PINNED);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::broken(format!("failed to read {}", path.display()), &error)),
        };
        let read = serde_json::from_slice(&text);
        read.map(Some).map_err(|error| Failure::broken(format!("failed to read {}", path.display()), &error))
    }

    /// Pins a trust root and its delivery repository.
    pub(crate) fn pin(&self, pinned: &Pinned) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::broken("failed to pin the trust root", &error);
        let temporary = self.state.join("tmp").join(format!("{PINNED}.{}", std::process::id()));
        let text = serde_json::to_vec_pretty(pinned).map_err(|error| failed(error.into()))?;
        fs::write(&temporary, text).map_err(failed)?;
        fs::File::open(&temporary).and_then(|file| file.sync_all()).map_err(failed)?;
        fs::rename(&temporary, self.state.join(PINNED)).map_err(failed)
    }

    /// The keys that are believed: those of the pinned root; without one, this machine's own.
    pub(crate) fn trust(&self) -> Result<Trust, Failure> {
        match self.pinned()? {
            Some(pinned) => Ok(pinned.accept()?.trust().clone()),
            None => self.own_trust(&RUN_ROLES),
        }
    }

    /// The public keys of roles of this machine.
    pub(crate) fn own_trust(&self, roles: &[Role]) -> Result<Trust, Failure> {
        let keys = self.keys();
        let mut found = Vec::new();
        for role in roles.iter().filter(|role| keys.exists(role)) {
            found.push((role.clone(), public_key(&keys, role)?));
        }
        Ok(Trust::new(found)?)
    }
}

/// Looks at the whole journal before anything is added to it: its chain holds, and time went on since its newest entry.
fn went_on(state: &StateDir) -> Result<(), Failure> {
    let entries = state.journal().entries()?;
    let now = Timestamp::now();
    match entries.last() {
        Some(newest) if now < newest.time => {
            Err(Code::Clock.reason().with("now", now).with("last", newest.time).into())
        }
        _ => Ok(()),
    }
}

impl Pinned {
    /// The root, with its threshold checked again.
    pub(crate) fn accept(&self) -> Result<TrustRoot, Failure> {
        let signatures: Vec<&str> = self.signatures.iter().map(String::as_str).collect();
        Ok(TrustRoot::accept(self.root.as_bytes(), &signatures, None)?)
    }
}

/// A location as it is remembered: a path of this machine in full, anything else as it is.
pub(crate) fn location(named: &str) -> String {
    match Path::new(named).canonicalize() {
        Ok(path) => path.display().to_string(),
        Err(_) => named.to_owned(),
    }
}

/// `trust/root.json` of a commit with the texts of its signatures.
pub(crate) fn committed_root(
    delivery: &GitSource,
    commit: &CommitId,
) -> Result<(String, Vec<String>), Failure> {
    let text = |path: &str| {
        Ok::<_, Failure>(String::from_utf8_lossy(&required(delivery, commit, path)?).into_owned())
    };
    let tree = delivery.tree(commit, None)?;
    let named = |path: &&str| path.starts_with("trust/root.json") && path.ends_with(".sig");
    let signatures = tree.entries.keys().map(RelPath::as_str).filter(named).map(text);
    Ok((text("trust/root.json")?, signatures.collect::<Result<_, _>>()?))
}

/// The public half of a role's key.
pub(crate) fn public_key(keys: &RoleKeys, role: &Role) -> Result<PublicKey, Failure> {
    let path = keys.public_path(role);
    let failed = |error: &(dyn std::error::Error + 'static)| {
        Failure::broken(format!("failed to read {}", path.display()), error)
    };
    let pem = fs::read_to_string(&path).map_err(|error| failed(&error))?;
    PublicKey::from_pem(&pem).map_err(|error| failed(&error))
}

/// The sandbox of this machine.
///
/// # Errors
/// When not even its filter can be made.
pub(crate) fn sandbox() -> Result<LinuxSandbox, Failure> {
    Ok(LinuxSandbox::new(Options::default())?)
}

/// What steps build with on this machine.
///
/// # Errors
/// When a directory of it cannot be read.
pub(crate) fn toolchain(cache: &Path) -> Result<Toolchain, Failure> {
    let failed = |error: io::Error| Failure::broken("failed to read the host's toolchain", &error);
    let mut rust = None;
    let sysroots = |rust: &Option<RustToolchain>| -> Vec<PathBuf> {
        rust.iter().map(|rust| rust.sysroot.clone()).collect()
    };
    let manifest = host::toolchain_manifest(cache, || {
        rust = RustToolchain::find()?;
        Ok::<_, Failure>(sysroots(&rust))
    });
    let manifest = manifest.map_err(failed)??;
    let extra = sysroots(&rust);
    let mounts = host::toolchain_mounts(&extra, certificates().as_deref()).map_err(failed)?;
    let mut directories: Vec<PathBuf> = extra.iter().map(|sysroot| sysroot.join("bin")).collect();
    directories.extend(["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from));
    let path =
        directories.iter().map(|directory| directory.display().to_string()).collect::<Vec<_>>().join(":");
    Ok(Toolchain {
        mounts,
        path,
        directories,
        cargo: rust.map(|rust| rust.sysroot.join("bin/cargo").display().to_string()),
        digest: manifest.digest,
    })
}

/// What the operator told cargo and Plimsoll about registries; nothing of a project counts.
///
/// # Errors
/// When a configuration cannot be read.
pub(crate) fn client(delivery: Option<&GitSource>) -> Result<Client, Failure> {
    let config = match cargo_home().map(|home| fs::read_to_string(home.join("config.toml"))) {
        Some(Ok(text)) => ClientConfig::parse(&text).map_err(|error| match error {
            FetchError::Refused(reasons) => Failure::Refused(reasons),
            other => Failure::broken("cargo's configuration cannot be read", &other),
        })?,
        Some(Err(_)) | None => ClientConfig::default(),
    };
    let registries = match delivery {
        Some(delivery) => {
            let head = delivery.resolve("HEAD")?.commit;
            let bytes = required(delivery, &head, "delivery.yaml")?;
            Delivery::read("delivery.yaml", &bytes)
                .map_err(|errors| Failure::Refused(errors.reasons()))?
                .registries
        }
        None => vec![],
    };
    let certificates = config.certificates().cloned().or_else(certificates);
    Ok(Client { config, registries, certificates })
}

fn cargo_home() -> Option<PathBuf> {
    let named = std::env::var_os("CARGO_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    named.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")))
}

/// A bundle of certificate authorities that the operator told programs to use.
pub(crate) fn certificates() -> Option<PathBuf> {
    static NAMED: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
        let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
        named.filter(|path| path.is_file())
    });
    NAMED.clone()
}

/// A refusal because nothing is pinned.
pub(crate) fn not_pinned() -> Failure {
    Code::TrustRoot
        .reason()
        .with("problem", "none is pinned here: plimsoll init --delivery ../delivery")
        .into()
}
