//! The `plimsoll` command: wiring only. What a command does is in `commands/`, one file each.

mod advisories;
mod agent;
mod assembler;
mod board;
mod cli;
mod commands;
mod context;
mod data;
mod decisions;
mod door;
mod dossiers;
mod failure;
mod foreign;
mod highest;
mod installed;
mod interrupt;
mod merged;
mod observations;
mod output;
mod people;
mod places;
mod promotion;
mod records;
mod released;
mod rulesets;
mod scanning;
mod service;
mod toolchain;
mod unpacker;

use std::process::ExitCode;

fn main() -> ExitCode {
    // A sandbox's first process is this binary started again: nothing may run before this line.
    plimsoll_sandbox::init_if_asked();
    let arguments = cli::Arguments::read();
    #[cfg(plimsoll_sensitivity)]
    plimsoll_model::sensitivity::remove(arguments.shared.without_control.clone());
    let output = output::Output::new(arguments.shared.json, arguments.shared.quiet);
    match commands::dispatch(&arguments, &output) {
        Ok(code) => code,
        Err(failure) => failure.report(&output),
    }
}
