//! Flags and subcommands. Help shows the everyday verbs first.

pub(crate) mod adapter;
pub(crate) mod audit;
pub(crate) mod hook;
pub(crate) mod rules;
pub(crate) mod scan;

use clap::{Args as _, FromArgMatches as _, Parser, Subcommand};
use plimsoll_model::{Digest, EnvironmentName, ProjectName, Role, Timestamp, ToolName};
use std::{ffi::OsString, path::PathBuf};

/// A commit to production along a path that is auditable, reproducible and bounded.
#[derive(Debug, Parser)]
#[command(
    name = "plimsoll",
    version,
    max_term_width = 100,
    after_help = "Exit status: 0 allowed or done, 1 refused, 2 usage or configuration, 3 could not tell, 130 interrupted."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) shared: Shared,

    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

// What every command takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Shared {
    /// Directory for keys, artifacts, journal and logs [default: $XDG_STATE_HOME/plimsoll]
    #[arg(long, global = true, env = "PLIMSOLL_STATE", value_name = "DIR", hide_env_values = true)]
    pub(crate) state: Option<PathBuf>,

    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Print results and errors only
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    /// Remove a control, to show that it is what stops an attack
    #[cfg(plimsoll_sensitivity)]
    #[arg(long, global = true, hide = true, value_name = "CONTROL")]
    pub(crate) without_control: Vec<String>,
}

impl Arguments {
    /// From the command line; ends the program where that has no meaning, or asks for help. Hooks scan at every change: that
    /// command is tried without making the thirty others, and whatever does not fit it alone is read as all are.
    pub(crate) fn read() -> Self {
        Self::scan(std::env::args_os().collect()).unwrap_or_else(Self::parse)
    }

    /// A command line of `plimsoll scan` that is right as it stands.
    fn scan(words: Vec<OsString>) -> Option<Self> {
        words.iter().any(|word| word == "scan").then_some(())?;
        let scan = scan::Scan::augment_args(clap::Command::new("scan"));
        let alone = Shared::augment_args(clap::Command::new("plimsoll")).subcommand(scan);
        let mut matches = alone.try_get_matches_from(words).ok()?;
        Self::from_arg_matches_mut(&mut matches).ok()
    }
}

/// The subcommands, in the order of help. What one takes is made when it is the one that was asked for; so the types
/// behind them have no documentation of their own, which would then stand in the place of what is said here.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Write a plimsoll.yaml for this project, or with --delivery a delivery repository
    Init(Init),
    /// Build, test and sign one commit
    Run(Run),
    /// Show runs, and what runs here
    Status,
    /// Tell why a decision came out as it did
    Why(Why),
    /// Show what a release changes, and sign that it may start
    Approve(Approve),
    /// Decide about the newest artifact and, if allowed, start it
    Promote(Promote),
    /// Go back to a release that was allowed here before
    Rollback(Rollback),
    /// Look for secrets, vulnerable packages and risky configuration
    Scan(scan::Scan),
    /// Make git refuse commits and pushes with secrets
    Hook(hook::HookArguments),
    /// List what a tree, an artifact or an image depends on, and how complete the list is
    Sbom(Sbom),
    /// Harden the pipelines that a team has: GitHub Actions, GitLab CI, Jenkins, Argo Workflows
    Audit(audit::Audit),
    /// Check a bundle or a dossier, offline
    Verify(Verify),
    /// Say what this machine can enforce, and what to change
    Doctor,
    /// Read the files of a project or delivery repository and report every error
    Check(Check),
    /// Print the log of a step, a check or a service
    Logs(Logs),
    /// Follow a commit to the process that runs it, and back
    Trace(Trace),
    /// Write the newest decision, with everything it was computed from, to one file
    Dossier(DossierArguments),
    /// Write a run's artifact and its bundles to a directory, for other tools
    Export(Export),
    /// Stop a service
    Stop(Unit),
    /// Explain a reason code, or a rule of a scan
    Explain(Explain),
    /// List, show and try the manifests of foreign scanners
    Adapter(adapter::AdapterArguments),
    /// Import and show what is known about packages
    Advisories(AdvisoriesArguments),
    /// Import and show rules of your own for scans
    Rules(rules::Rules),
    /// Keep an environment on this machine as the delivery repository says
    Agent(AgentArguments),
    /// Show and sign the rules of a delivery repository
    Policy(PolicyArguments),
    /// Show, export and change what is trusted
    Trust(TrustArguments),
    /// Print a script that makes a shell complete commands and options
    Completions(Completions),
    /// Write manual pages
    Man(Man),
    /// A signer of one role, asked on its standard input
    #[command(name = "__signer", hide = true)]
    Signer(Signer),
    /// The supervisor of one service
    #[command(name = "__supervisor", hide = true)]
    Supervisor(Supervisor),
    /// Lists the packages of a source and its artifact for whoever signs the list
    #[command(name = "__bill", hide = true)]
    Bill(Bill),
    /// Takes an artifact apart
    #[command(name = "__unpacker", hide = true)]
    Unpacker(Unpacker),
}

// `plimsoll init`
#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    /// Make a delivery repository here for the project in this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) delivery: Option<PathBuf>,
    /// Its environments, each after the one before
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "local", requires = "delivery")]
    pub(crate) environments: Vec<EnvironmentName>,
    /// SSH public key of the first person [default: git's user.signingKey, then ~/.ssh/id_ed25519.pub]
    #[arg(long, value_name = "FILE", requires = "delivery")]
    pub(crate) key: Option<PathBuf>,
    /// Port of this machine's loopback on which the project is to serve; further environments take the ones after it
    #[arg(long, value_name = "PORT", default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) listen: u16,
}

// `plimsoll run`
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// Commit, branch or tag
    #[arg(default_value = "HEAD")]
    pub(crate) revision: String,
    /// The git repository [default: the one around this directory]
    #[arg(long, short = 'C', value_name = "DIR", default_value = ".")]
    pub(crate) repository: PathBuf,
}

// A project in an environment.
#[derive(Debug, clap::Args)]
pub(crate) struct Unit {
    /// As in shop@local
    #[arg(value_name = "PROJECT@ENVIRONMENT")]
    pub(crate) unit: ProjectAt,
}

// `plimsoll why`
#[derive(Debug, clap::Args)]
pub(crate) struct Why {
    #[command(flatten)]
    pub(crate) of: Unit,
    /// Print an exceptions.yaml for the findings that hold the release back, to fill in and sign
    #[arg(long)]
    pub(crate) exceptions: bool,
    /// Print what passed by exceptions and VEX documents, as a VEX document of this format
    #[arg(long, value_name = "FORMAT", conflicts_with = "exceptions")]
    pub(crate) vex: Option<VexFormat>,
}

/// A form of VEX document.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum VexFormat {
    /// OpenVEX 0.2.0.
    Openvex,
    /// CycloneDX 1.6.
    Cyclonedx,
}

/// `project@environment`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProjectAt {
    pub(crate) project: ProjectName,
    pub(crate) environment: EnvironmentName,
}

impl std::str::FromStr for ProjectAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (project, environment) =
            text.split_once('@').ok_or("expected PROJECT@ENVIRONMENT, as in shop@local")?;
        let project = project.parse().map_err(|e: plimsoll_model::id::IdError| e.to_string())?;
        let environment = environment.parse().map_err(|e: plimsoll_model::id::IdError| e.to_string())?;
        Ok(Self { project, environment })
    }
}

impl std::fmt::Display for ProjectAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.project, self.environment)
    }
}

// `plimsoll promote`
#[derive(Debug, clap::Args)]
pub(crate) struct Promote {
    /// The project
    pub(crate) project: ProjectName,
    /// The environment
    #[arg(long)]
    pub(crate) to: EnvironmentName,
    /// Run to promote, by its id or the beginning of it [default: the newest of the project]
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
}

// `plimsoll rollback`
#[derive(Debug, clap::Args)]
pub(crate) struct Rollback {
    /// As in shop@production
    #[arg(value_name = "PROJECT@ENVIRONMENT")]
    pub(crate) unit: ProjectAt,
    /// Earlier decision to go back to, by its digest or the beginning of it [default: the newest that allowed another
    /// release than the current one]
    #[arg(long, value_name = "DECISION")]
    pub(crate) to: Option<String>,
}

// `plimsoll verify`
#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// A *.sigstore.json bundle, or a dossier
    pub(crate) file: PathBuf,
    /// The artifact (a file, or a manifest) that the statement must be about
    #[arg(long, value_name = "FILE")]
    pub(crate) subject: Option<PathBuf>,
    /// Trust this root instead of the pinned one: a root.json beside its signatures
    #[arg(long, value_name = "FILE")]
    pub(crate) root: Option<PathBuf>,
}

// `plimsoll check`
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// A project directory or a delivery repository
    #[arg(default_value = ".")]
    pub(crate) directory: PathBuf,
}

// `plimsoll logs`
#[derive(Debug, clap::Args)]
pub(crate) struct Logs {
    /// A run (its id or the beginning of it), or PROJECT@ENVIRONMENT
    pub(crate) of: String,
    /// A step or check of the run [default: all]
    pub(crate) step: Option<String>,
}

// `plimsoll trace`
#[derive(Debug, clap::Args)]
pub(crate) struct Trace {
    /// A commit, a run, an artifact or decision digest, or PROJECT@ENVIRONMENT
    pub(crate) of: String,
}

// `plimsoll dossier`
#[derive(Debug, clap::Args)]
pub(crate) struct DossierArguments {
    /// As in shop@local
    #[arg(value_name = "PROJECT@ENVIRONMENT")]
    pub(crate) unit: ProjectAt,
    /// File to write [default: PROJECT-ENVIRONMENT.dossier.tar]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

// `plimsoll export`
#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// A run, by its id or the beginning of it
    pub(crate) run: String,
    /// Directory to make
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
}

// `plimsoll sbom`
#[derive(Debug, clap::Args)]
pub(crate) struct Sbom {
    /// A file or directory; in a git work tree what git ignores is left out
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Notation
    #[arg(long, value_name = "FORMAT", default_value = "cyclonedx")]
    pub(crate) format: SbomFormat,
    /// File to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Name of what is listed [default: that of the file or directory]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Time of the list, as in 2026-01-31T12:00:00Z [default: none, so that the same content gives the same bytes]
    #[arg(long, value_name = "TIME")]
    pub(crate) created: Option<Timestamp>,
    /// Say of each package whether this run fetched it, by its id or the beginning of it
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
}

/// Notations of a list of components.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum SbomFormat {
    /// CycloneDX 1.6, JSON
    Cyclonedx,
    /// SPDX 2.3, JSON
    Spdx,
}

// `plimsoll explain`
#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// A reason code or a rule, as in E-NET-DENIED or config/dockerfile-root-user; all codes without one
    pub(crate) code: Option<String>,
}

// `plimsoll completions`
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

// `plimsoll man`
#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// Directory to write to, as /usr/local/share/man/man1
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
}

// `plimsoll approve`
#[derive(Debug, clap::Args)]
pub(crate) struct Approve {
    /// As in shop@production
    #[arg(value_name = "PROJECT@ENVIRONMENT")]
    pub(crate) unit: ProjectAt,
    /// SSH public key to sign with [default: git's user.signingKey, then ~/.ssh/id_ed25519.pub]
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Do not ask again
    #[arg(long)]
    pub(crate) yes: bool,
    /// Sign instead that this commit names you as author or co-author and that you did not take part
    #[arg(long, value_name = "COMMIT")]
    pub(crate) disclaim: Option<String>,
}

// `plimsoll advisories`
#[derive(Debug, clap::Args)]
pub(crate) struct AdvisoriesArguments {
    #[command(subcommand)]
    pub(crate) command: AdvisoriesCommand,
}

// What to do about advisories.
#[derive(Debug, Subcommand)]
pub(crate) enum AdvisoriesCommand {
    /// Compile advisories in the OSV format into the index that scans use, in place of the one before
    Import(Import),
    /// Show which index is in use, and how new it is
    Show,
}

// `plimsoll advisories import`
#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// ZIP archives of records, directories, or git repositories
    #[arg(value_name = "ADVISORIES", required = true)]
    pub(crate) sources: Vec<PathBuf>,
    /// Commit, branch or tag of the repositories [default: HEAD]
    #[arg(long)]
    pub(crate) revision: Option<String>,
    /// Catalogue of known exploited vulnerabilities (KEV), as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) kev: Option<PathBuf>,
    /// Predictions of exploitation (EPSS), as CSV, with gzip or without
    #[arg(long, value_name = "FILE")]
    pub(crate) epss: Option<PathBuf>,
    /// Take the index with this digest even if the one in use is newer
    #[arg(long, value_name = "DIGEST")]
    pub(crate) older: Option<Digest>,
}

// `plimsoll agent`
#[derive(Debug, clap::Args)]
pub(crate) struct AgentArguments {
    #[command(subcommand)]
    pub(crate) command: AgentCommand,
}

// What to do about this machine's agent.
#[derive(Debug, Subcommand)]
pub(crate) enum AgentCommand {
    /// Make this machine the agent of an environment
    Enroll(AgentEnroll),
    /// Follow the delivery repository, in the foreground; what it starts outlives it
    Run {
        /// Seconds between two looks
        #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
        interval: u64,
    },
    /// Show what the agent remembers
    Show,
}

// `plimsoll agent enroll`
#[derive(Debug, clap::Args)]
pub(crate) struct AgentEnroll {
    /// Its name, as `agent:` in target.yaml
    pub(crate) name: ToolName,
    /// The environment that it keeps
    #[arg(long)]
    pub(crate) environment: EnvironmentName,
    /// The delivery repository: a path of this machine or a URL [default: the one that is pinned here]
    #[arg(long, value_name = "LOCATION")]
    pub(crate) delivery: Option<String>,
    /// OCI layout that artifacts come from: the promoter's, or a copy [default: the one in the state directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) artifacts: Option<PathBuf>,
}

// `plimsoll policy`
#[derive(Debug, clap::Args)]
pub(crate) struct PolicyArguments {
    #[command(subcommand)]
    pub(crate) command: PolicyCommand,
}

// What to do about policies.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Sign all policy files of a delivery repository as they are, and commit the statement
    Sign {
        /// A work tree of the delivery repository
        #[arg(long, short = 'C', value_name = "DIR", default_value = ".")]
        directory: PathBuf,
        /// SSH public key to sign with [default: git's user.signingKey, then ~/.ssh/id_ed25519.pub]
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Run the tests of the policies in Rego, and look for policies that cannot refuse anything
    Test {
        /// A work tree of the delivery repository
        #[arg(long, short = 'C', value_name = "DIR", default_value = ".")]
        directory: PathBuf,
    },
    /// Decide again about what stands everywhere, by the policy files as they lie in a work tree
    Preflight {
        /// A work tree of the delivery repository
        #[arg(long, short = 'C', value_name = "DIR", default_value = ".")]
        directory: PathBuf,
    },
    /// Show which policy files are in force
    Show {
        /// A work tree of the delivery repository
        #[arg(long, short = 'C', value_name = "DIR", default_value = ".")]
        directory: PathBuf,
    },
}

// `plimsoll trust`
#[derive(Debug, clap::Args)]
pub(crate) struct TrustArguments {
    #[command(subcommand)]
    pub(crate) command: TrustCommand,
}

// What to do about trust.
#[derive(Debug, Subcommand)]
pub(crate) enum TrustCommand {
    /// Show the pinned root and the keys of each role
    Show,
    /// Pin the trust root of a delivery repository that somebody else made
    Pin {
        /// A path of this machine, or a URL
        delivery: String,
    },
    /// Print the public key of a role of this machine, for tools such as cosign
    Key {
        /// As in builder
        role: Role,
        /// Make one where there is none
        #[arg(long)]
        create: bool,
    },
    /// Let a key stand for a role: write and sign the next trust root, and commit it
    Add {
        /// As in agent:production
        role: Role,
        /// What `plimsoll trust key ROLE` printed where the key is
        #[arg(value_name = "KEYFILE")]
        file: PathBuf,
        #[command(flatten)]
        ceremony: Ceremony,
    },
    /// Let a key stand for a role no longer: write and sign the next trust root, and commit it
    Remove {
        /// As in agent:production
        role: Role,
        /// As `plimsoll trust show` prints it
        fingerprint: Digest,
        #[command(flatten)]
        ceremony: Ceremony,
    },
    /// Sign a trust root that needs more than one person
    Sign {
        #[command(flatten)]
        ceremony: Ceremony,
    },
}

// Where a trust root is changed, and by whom.
#[derive(Debug, clap::Args)]
pub(crate) struct Ceremony {
    /// A work tree of the delivery repository
    #[arg(long, short = 'C', value_name = "DIR", default_value = ".")]
    pub(crate) directory: PathBuf,
    /// SSH public key to sign with [default: git's user.signingKey, then ~/.ssh/id_ed25519.pub]
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
}

// `plimsoll __signer`
#[derive(Debug, clap::Args)]
pub(crate) struct Signer {
    #[arg(long)]
    pub(crate) role: Role,
    #[arg(long)]
    pub(crate) repository: Option<PathBuf>,
}

// `plimsoll __supervisor`
#[derive(Debug, clap::Args)]
pub(crate) struct Supervisor {
    pub(crate) unit: ProjectAt,
    /// Blob of the dossier to start from
    #[arg(long)]
    pub(crate) dossier: Digest,
    #[arg(long)]
    pub(crate) why: crate::door::Why,
}

// `plimsoll __bill`
#[derive(Debug, clap::Args)]
pub(crate) struct Bill {
    pub(crate) source: PathBuf,
    pub(crate) artifact: PathBuf,
    pub(crate) to: PathBuf,
}

// `plimsoll __unpacker`
#[derive(Debug, clap::Args)]
pub(crate) struct Unpacker {
    /// Digest of the artifact's manifest
    pub(crate) artifact: Digest,
    /// OCI layout with its blobs
    #[arg(long)]
    pub(crate) from: PathBuf,
    /// Empty directory
    #[arg(long)]
    pub(crate) to: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn a_scan_is_read_alone_as_it_is_read_among_all_commands() {
        let check = |line: &str, alone: bool| {
            let words = || line.split(' ').map(OsString::from).collect::<Vec<_>>();
            let whole = Arguments::try_parse_from(words()).ok().map(|arguments| format!("{arguments:?}"));
            let quick = Arguments::scan(words()).map(|arguments| format!("{arguments:?}"));
            assert_eq!(quick.is_some(), alone, "{line}");
            assert!(quick.is_none() || quick == whole, "{line}: {quick:?}, {whole:?}");
        };
        for line in [
            "plimsoll scan",
            "plimsoll scan --json",
            "plimsoll scan secrets . --audit",
            "plimsoll --state scan scan secrets --history --since HEAD~1",
            "plimsoll -q scan dependencies --license MIT --license BSD-3-Clause x",
            "plimsoll scan malware --quiet scan",
            "plimsoll scan released --environment local",
        ] {
            check(line, true);
        }
        for line in [
            "plimsoll",
            "plimsoll status",
            "plimsoll scan --help",
            "plimsoll scan help",
            "plimsoll scan secrets --version",
            "plimsoll --version scan",
            "plimsoll scan nothing more",
            "plimsoll scan secrets --histori",
            "plimsoll hook install scan",
            "plimsoll explain scan",
            "plimsoll --state scan status",
        ] {
            check(line, false);
        }
    }

    #[test]
    fn the_help_of_a_command_says_what_the_list_of_commands_says() {
        let listed = Arguments::command();
        let mut built = listed.clone();
        built.build();
        for command in listed.get_subcommands() {
            let said = |command: &clap::Command| command.get_about().map(ToString::to_string);
            let own = built.find_subcommand(command.get_name()).and_then(said);
            assert!(own.is_some() && own == said(command), "{}: {own:?}", command.get_name());
        }
    }
}
