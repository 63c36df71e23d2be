//! `plimsoll completions`: a script that makes a shell complete commands, options and files.

use crate::{cli::Arguments, output::Output};
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

pub(crate) fn completions(shell: Shell, output: &Output) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut visible(&Arguments::command()), "plimsoll", &mut script);
    let script = String::from_utf8_lossy(&script);
    output.result(&script, &serde_json::json!({ "shell": shell.to_string(), "script": script }));
}

/// The command without what only this program says to itself: generators take hidden subcommands for others.
fn visible(command: &Command) -> Command {
    let shown = command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set());
    Command::new("plimsoll")
        .version(env!("CARGO_PKG_VERSION"))
        .args(command.get_arguments().cloned())
        .subcommands(shown.cloned())
}
