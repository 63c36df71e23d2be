//! The sandbox against the real kernel: its contract, and an escape suite that runs on this implementation and on
//! bubblewrap. The binary is its own probe: inside a sandbox it is started as `probe NAME …`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test program: without a `#[test]` the linter does not see that"
)]

mod backend;
mod contract;
mod escape;
mod persistent;
mod probe;

use libtest_mimic::{Arguments, Trial};

fn main() -> std::process::ExitCode {
    plimsoll_sandbox::init_if_asked();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "probe") {
        return probe::main(&arguments[1..]);
    }
    let trials: Vec<Trial> =
        contract::trials().into_iter().chain(escape::trials()).chain(persistent::trials()).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
