//! `plimsoll man`: manual pages, one for each command.

use crate::{
    cli::{Arguments, Man},
    failure::Failure,
    output::Output,
};
use clap::CommandFactory as _;
use std::{fs, io};

pub(crate) fn man(arguments: &Man, output: &Output) -> Result<(), Failure> {
    let to = &arguments.to;
    let failed = |error: io::Error| Failure::broken(format!("failed to write to {}", to.display()), &error);
    fs::create_dir_all(to).map_err(failed)?;
    clap_mangen::generate_to(Arguments::command(), to).map_err(failed)?;
    let next = format!("man -l {}", to.join("plimsoll.1").display());
    let text = format!("written   {}\nnext      {next}", to.display());
    output.result(&text, &serde_json::json!({ "written": to, "next": next }));
    Ok(())
}
