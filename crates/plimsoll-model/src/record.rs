//! What was observed while something ran. These records are facts for statements and gates, never wishes: a limit that
//! the machine could not enforce says so.

use crate::{Digest, RelPath};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How bytes from outside came in (docs/concepts.md, "Fetching").
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkMode {
    /// Nothing came in.
    None,
    /// Through an opaque tunnel, but every retained byte matched a hash of a lock file.
    Locked,
    /// Every request was intercepted and is a material.
    Recorded,
    /// Through an opaque tunnel; nobody knows what came in.
    Tunnelled,
}

impl NetworkMode {
    /// The name used in files, statements and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Locked => "locked",
            Self::Recorded => "recorded",
            Self::Tunnelled => "tunnelled",
        }
    }
}

/// Whether the origin of a run is believed: only what a trusted run made can be released.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// The commit is reachable from a protected ref, and the pipeline is approved.
    Trusted,
    /// Anything else.
    Untrusted,
}

impl Tier {
    /// The name used in files, statements and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::Untrusted => "untrusted",
        }
    }
}

impl std::fmt::Display for Tier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A place in the journal: everything before it, bound by a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogPosition {
    /// Number of entries before this place.
    pub size: u64,
    /// Digest of the last of them, which names its predecessor; the digest of no bytes when there is none.
    pub head: Digest,
}

/// How one limit was enforced on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Enforcement {
    /// By a version 2 control group.
    CgroupV2,
    /// By version 1 control groups.
    CgroupV1,
    /// By a resource limit of each process (`setrlimit(2)`), not of the whole tree.
    Rlimit,
    /// By the size of the file system that the sandbox writes to.
    Tmpfs,
    /// By the engine, which counts and kills.
    Engine,
    /// By nothing.
    NotEnforced,
}

/// A limit and who held it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitRecord {
    /// The limit, in the unit of its name: bytes, processes, milliseconds or entries.
    pub value: u64,
    /// What held it.
    pub enforced: Enforcement,
}

/// How one command was isolated, as far as the executor knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IsolationRecord {
    /// The implementation: `plimsoll` or `bubblewrap`.
    pub backend: String,
    /// Linux namespaces that were fresh, sorted: cgroup, ipc, mount, net, pid, user, uts.
    pub namespaces: Vec<String>,
    /// Version of the Landlock rules in force; 0 where the kernel has none.
    pub landlock_abi: u32,
    /// Digest of the seccomp filter program in force, if there was one.
    pub seccomp: Option<Digest>,
    /// Whether `no_new_privs` was set and every capability set was empty.
    pub unprivileged: bool,
    /// Whether the command ran under a host user other than the engine's.
    pub own_uid: bool,
    /// Limits by name: `memory`, `processes`, `wall-time`, `log`, `output`, `output-entries`.
    pub limits: BTreeMap<String, LimitRecord>,
    /// How often something in it asked for another machine: what had no route, and datagrams to a port of its own
    /// loopback where nobody listens, as from somebody who looks for a name server. None where nobody counted, as when
    /// it was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_attempts: Option<u64>,
}

/// An input, by digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// Where it came from, as a URI; for packages a package URL without query.
    pub uri: String,
    /// Digest of its bytes.
    pub digest: Digest,
}

/// One connection that a sandbox asked for, and the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkEvent {
    /// The host as the client named it, made printable.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The address that was connected to; none when the request was refused before that.
    pub address: Option<String>,
    /// Why it was refused; none when it was let through.
    pub refused: Option<String>,
    /// Bytes from the sandbox to the host.
    pub sent: u64,
    /// Bytes from the host to the sandbox.
    pub received: u64,
}

/// A file of a release or artifact, by digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputFile {
    /// Path below the root of the source.
    pub path: RelPath,
    /// Digest of its bytes.
    pub digest: Digest,
    /// Length in bytes.
    pub size: u64,
}
