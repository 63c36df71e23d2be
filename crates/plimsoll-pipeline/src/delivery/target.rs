//! `environments/<environment>/<project>/target.yaml`: where a project lives in an environment, and what its service is
//! given there beside the artifact and its configuration.

use crate::{
    diagnostic::{FileErrors, Findings},
    loader::loader_variable,
    pipeline::file::Variables,
    read::{self, Spanned, mapping, words},
    value::{Argument, Port, Seconds, VariableName, Version, absolute_path, texts},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Seconds that a service may take to answer unless its file says otherwise.
pub const DEFAULT_START_TIMEOUT_SECONDS: u64 = 30;

mapping! {
    /// `environments/<environment>/<project>/target.yaml`: where a project lives in an environment: exactly one of
    /// `local`, `host` and `directory`. It is part of every release there.
    TargetFile {
        /// Version of this form of file; always 1, and always the first key.
        #[expect(dead_code, reason = "judged before anything else is read")]
        version: Version,
        /// The project runs on the machine of whoever promotes it.
        local: Option<Spanned<LocalFile>>,
        /// The project runs on a machine that has an agent.
        host: Option<Spanned<HostFile>>,
        /// The project is programs that are no service: they are installed on the machine of whoever promotes them.
        directory: Option<Spanned<DirectoryFile>>,
    }
}

mapping! {
    /// A service on the machine of whoever promotes it. It runs in a sandbox without a network; connections are passed
    /// in.
    LocalFile {
        /// Port that the service listens on inside its sandbox, on 127.0.0.1.
        port: Port,
        /// Port on this machine's loopback, from which connections are passed to the service.
        listen: Port,
        /// Path that answers with status 200 when the service is well, as in `/healthz`.
        health: HealthPath,
        /// How long the service may take to be well before it is stopped and the release counts as failed. Default `30s`.
        start_timeout: Option<Seconds>,
        /// Environment variables, beside those of the artifact, over which they win. Variables that load other code, as
        /// `LD_PRELOAD`, are refused. Default none.
        env: Option<Variables>,
        /// Arguments, after those of the artifact. Default none.
        args: Option<Vec<Argument>>,
    }
}

mapping! {
    /// A service on a machine that has an agent. It runs in a sandbox; connections are passed in.
    HostFile {
        /// Name of the agent that starts it.
        agent: AgentName,
        /// Port that the service listens on inside its sandbox, on 127.0.0.1.
        port: Port,
        /// Port on that machine's loopback, from which connections are passed to the service.
        listen: Port,
        /// Path that answers with status 200 when the service is well, as in `/healthz`.
        health: HealthPath,
        /// How long the service may take to be well before it is stopped and the release counts as failed. Default `30s`.
        start_timeout: Option<Seconds>,
        /// How a release takes over from the one before. `blue-green`: it starts beside it, and traffic moves when it is
        /// well. Default `blue-green`.
        #[expect(dead_code, reason = "it has one value")]
        strategy: Option<Strategy>,
        /// Directories of the service that stay when it is replaced, as in `/data`. Everything else that it writes is
        /// thrown away. Nothing in them can be executed; how large they become is not limited. While one release takes
        /// over from another, both see the same directories. In an image whose root has the path's first part, the whole
        /// path must be there. Default none.
        data: Option<Vec<Spanned<DataPath>>>,
        /// What the service may reach. Default `none`.
        #[expect(dead_code, reason = "it has one value")]
        network: Option<Reach>,
        /// Environment variables, beside those of the artifact, over which they win. Variables that load other code, as
        /// `LD_PRELOAD`, are refused. Default none.
        env: Option<Variables>,
        /// Arguments, after those of the artifact. Default none.
        args: Option<Vec<Argument>>,
    }
}

mapping! {
    /// A directory on the machine of whoever promotes, into which the files of a release are installed.
    DirectoryFile {
        /// Absolute path of the directory. `current` below it leads to the files of the release that was promoted last.
        /// Only the promoter and root may be able to write there. Its own parent must exist.
        path: InstallPath,
    }
}

texts! {
    /// Path of an HTTP request.
    HealthPath("^/[!-~]*$") = |text| {
        let good = text.starts_with('/') && !text.starts_with("//") && text.bytes().all(|b| b.is_ascii_graphic());
        if good && text.len() <= 1000 { Ok(()) } else { Err(format!("`{text}` is not a path of an HTTP request: expected `/…`")) }
    };
    /// Name of an agent.
    AgentName("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$") = |text| {
        text.parse::<plimsoll_model::ToolName>().map(|_| ()).map_err(|_| {
            format!("`{text}` is not an agent: expected 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit")
        })
    };
    /// A directory of a service that stays.
    DataPath("^/.+$") = data_path;
    /// A directory into which releases are installed.
    InstallPath("^/.+$") = |text| {
        let help = "expected an absolute path without `.`, `..` and `//`, as in `/opt/shop`";
        absolute_path(text).map_err(|_| format!("`{text}` is not a directory to install into: {help}"))?;
        match ["/proc", "/sys", "/dev"].iter().find(|kernel| within(text, kernel)) {
            Some(kernel) => Err(format!("{kernel} belongs to the kernel: {help}")),
            None => Ok(()),
        }
    };
}

/// How a release takes over from the one before.
#[derive(Debug, Clone, Copy, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Strategy {
    /// It starts beside it, and traffic moves when it is well.
    BlueGreen,
}

words!(Strategy { "blue-green" => Self::BlueGreen });

/// What a service may reach.
#[derive(Debug, Clone, Copy, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reach {
    /// Nothing.
    None,
}

words!(Reach { "none" => Self::None });

/// Directories that the sandbox makes, that show the release, or from which programs and libraries are loaded: what a
/// service once wrote must never be taken for one of these.
const TAKEN: &[&str] = &[
    "/proc",
    "/sys",
    "/dev",
    "/tmp",
    "/config",
    "/artifact",
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
];

fn data_path(text: &str) -> Result<(), String> {
    absolute_path(text).map_err(|_| {
        format!("`{text}` is not a directory for data: expected an absolute path without `.`, `..` and `//`, as in `/data`")
    })?;
    match TAKEN.iter().find(|taken| within(text, taken)) {
        Some(taken) => {
            Err(format!("{taken} belongs to the sandbox: expected a directory of its own, as in `/data`"))
        }
        None => Ok(()),
    }
}

/// Whether `inner` is `outer`, or below it.
fn within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A checked `target.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Target {
    /// A service that is started.
    Service(ServiceTarget),
    /// Programs that are installed.
    Directory {
        /// The directory: absolute, normalized, and not the root.
        path: String,
    },
}

/// A service, and what it is given beside its artifact and configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ServiceTarget {
    /// On which machine.
    pub place: Place,
    /// Port inside the sandbox.
    pub port: u16,
    /// Port on the machine's loopback.
    pub listen: u16,
    /// Path that answers with status 200 when the service is well.
    pub health: String,
    /// Seconds that it may take to be well.
    pub start_timeout_seconds: u64,
    /// Variables that win over those of the artifact; none is a [`loader_variable`].
    pub env: BTreeMap<String, String>,
    /// Arguments after those of the artifact.
    pub args: Vec<String>,
    /// Directories that stay: absolute, normalized, none below another, none that the sandbox or the release has.
    pub data: BTreeSet<String>,
}

/// On which machine a service runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Place {
    /// That of whoever promotes it.
    Local,
    /// That of an agent.
    Host {
        /// Name of the agent.
        agent: String,
    },
}

impl Target {
    /// Reads `target.yaml`. `file` is its name for messages.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, Box<FileErrors>> {
        read::file(file, bytes, check)
    }

    /// The name of the agent that looks after it; none where that is whoever promotes.
    #[must_use]
    pub fn agent(&self) -> Option<&str> {
        match self {
            Self::Service(ServiceTarget { place: Place::Host { agent }, .. }) => Some(agent),
            Self::Service(ServiceTarget { place: Place::Local, .. }) | Self::Directory { .. } => None,
        }
    }
}

fn check(file: TargetFile, found: &mut Findings) -> Option<Target> {
    match (file.local, file.host, file.directory) {
        (Some(local), None, None) => Some(Target::Service(self::local(local.value, found))),
        (None, Some(host), None) => Some(Target::Service(self::host(host.value, found))),
        (None, None, Some(directory)) => Some(Target::Directory { path: directory.value.path.0 }),
        (None, None, None) => {
            let help = "write `host: {agent: …, port: …, listen: …, health: …}`, `local` with these keys but `agent`, or `directory: {path: …}`";
            found.help(&(0..0), "nothing says where the project lives", help);
            None
        }
        (local, host, directory) => {
            let spans =
                [local.map(|file| file.span), host.map(|file| file.span), directory.map(|file| file.span)];
            let last = spans.into_iter().flatten().max_by_key(|span| span.start).unwrap_or_default();
            let help = "keep one of `local`, `host` and `directory`";
            found.help(&last, "a project has one target in an environment", help);
            None
        }
    }
}

fn local(file: LocalFile, found: &mut Findings) -> ServiceTarget {
    ServiceTarget {
        place: Place::Local,
        port: port(file.port),
        listen: port(file.listen),
        health: file.health.0,
        start_timeout_seconds: start_timeout(file.start_timeout),
        env: env(file.env, found),
        args: args(file.args),
        data: BTreeSet::new(),
    }
}

fn host(file: HostFile, found: &mut Findings) -> ServiceTarget {
    ServiceTarget {
        place: Place::Host { agent: file.agent.0 },
        port: port(file.port),
        listen: port(file.listen),
        health: file.health.0,
        start_timeout_seconds: start_timeout(file.start_timeout),
        env: env(file.env, found),
        args: args(file.args),
        data: data(file.data.unwrap_or_default(), found),
    }
}

/// The type of the number holds its range.
fn port(port: Port) -> u16 {
    u16::try_from(port.0).unwrap_or_default()
}

fn start_timeout(timeout: Option<Seconds>) -> u64 {
    timeout.map_or(DEFAULT_START_TIMEOUT_SECONDS, |timeout| timeout.0)
}

fn args(args: Option<Vec<Argument>>) -> Vec<String> {
    args.into_iter().flatten().map(|argument| argument.0).collect()
}

fn env(env: Option<Variables>, found: &mut Findings) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for (Spanned { span, value: VariableName(name) }, value) in env.into_iter().flat_map(|env| env.0) {
        if loader_variable(&name) {
            let message = format!("`{name}` would have the service load what no release names");
            found.help(
                &span,
                message,
                "put what the service needs into the artifact, and say the rest in `args`",
            );
        }
        variables.insert(name, value.0);
    }
    variables
}

fn data(paths: Vec<Spanned<DataPath>>, found: &mut Findings) -> BTreeSet<String> {
    let mut data: BTreeSet<String> = BTreeSet::new();
    for Spanned { span, value: DataPath(path) } in paths {
        if data.contains(&path) {
            found.help(&span, "is listed twice", "keep one of them");
        } else if let Some(other) = data.iter().find(|other| within(&path, other) || within(other, &path)) {
            found.help(&span, format!("overlaps with `{other}`"), "keep the outer one");
        }
        data.insert(path);
    }
    data
}
