//! Checks and chores of this repository, run as `cargo xtask COMMAND`. Every rule of ARCHITECTURE.md that no lint can
//! hold is held here, by a function that returns what is wrong and by a test that feeds it something wrong.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people; nothing links to it")]

mod bench;
mod codes;
mod docs;
mod layering;
mod project;
mod reasons;
mod rules;
mod tidy;

use project::{Project, Result};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  layering         every crate has a floor and depends only downward (ARCHITECTURE.md, \"Floors\")
  tidy             no forgotten source or test file, no ignored test, `unsafe` in one crate only
  codes            every reason code is produced by a test
  docs             paths, links and `plimsoll` commands in *.md exist (needs target/debug/plimsoll)
  reasons          writes docs/reasons.md from the registry of reasons
  rules            writes docs/rules from the rules of the scanners
  bench [NAME…]    measures against real peers and writes bench/RESULTS.md (by `make bench`: optimised)";

fn main() -> ExitCode {
    plimsoll_sandbox::init_if_asked();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let command = arguments.first().map_or("", String::as_str);
    match run(command, arguments.get(1..).unwrap_or_default()) {
        Ok(Some(findings)) => report(command, &findings),
        Ok(None) => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("xtask {command}: {error}");
            ExitCode::from(3)
        }
    }
}

/// What is wrong with the project, one finding a line; `None` when there is no such command.
fn run(command: &str, rest: &[String]) -> Result<Option<Vec<String>>> {
    let check = match command {
        "layering" => layering::check,
        "tidy" => tidy::check,
        "codes" => codes::check,
        "docs" => docs::check,
        "reasons" => return reasons::write(&Project::open()?).map(|()| Some(Vec::new())),
        "rules" => return rules::write(&Project::open()?).map(|()| Some(Vec::new())),
        "bench" => return bench::run(&Project::open()?, rest).map(|()| Some(Vec::new())),
        _ => return Ok(None),
    };
    check(&Project::open()?).map(Some)
}

fn report(command: &str, findings: &[String]) -> ExitCode {
    for finding in findings {
        eprintln!("{finding}");
    }
    if findings.is_empty() {
        println!("xtask {command}: ok");
        return ExitCode::SUCCESS;
    }
    eprintln!("xtask {command}: {} finding(s)", findings.len());
    ExitCode::FAILURE
}
