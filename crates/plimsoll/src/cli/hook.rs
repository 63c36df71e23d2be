//! Flags of `plimsoll hook`.

use clap::Subcommand;
use std::path::PathBuf;

// `plimsoll hook`
#[derive(Debug, clap::Args)]
pub(crate) struct HookArguments {
    #[command(subcommand)]
    pub(crate) command: HookCommand,
}

// What to do about git's hooks.
#[derive(Debug, Subcommand)]
pub(crate) enum HookCommand {
    /// Make git ask about secrets and critical findings before each commit, or with --server before each push is accepted
    Install(Hook),
    /// Remove what was installed
    Uninstall(Hook),
    /// Look at what is to be committed, as git's pre-commit hook
    PreCommit,
    /// Look at what is pushed, as git's pre-receive hook
    PreReceive,
}

// Which hook.
#[derive(Debug, clap::Args)]
pub(crate) struct Hook {
    /// The git repository [default: the one around this directory]
    #[arg(long, short = 'C', value_name = "DIR", default_value = ".")]
    pub(crate) repository: PathBuf,
    /// The hook of a bare repository that others push to
    #[arg(long)]
    pub(crate) server: bool,
}
