//! How large the program is, on disk and in memory.

use super::{
    Bench, Measurement,
    case::succeed,
    figure::{Figure, Unit},
    shop::Shop,
};
use crate::project::Result;
use std::{path::Path, process::Command, rc::Rc};

pub(super) fn measurements(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    let shop = Rc::new(Shop::open(bench)?);
    let bundle = shop.exported()?.join("artifact.sigstore.json");
    let size = std::fs::metadata(shop.program())?.len();
    let program = Figure {
        name: "program-size",
        what: "the program on disk".to_owned(),
        unit: Unit::Bytes,
        limit: Some(40e6),
        samples: 1,
        take: Box::new(move || Ok(size as f64)),
    };
    let file = bench.scratch.join("peak");
    let run = {
        let shop = Rc::clone(&shop);
        peak("memory-run", "`plimsoll run`", &file, move || shop.plimsoll(&["run"]))
    };
    let verify = peak("memory-verify", "`plimsoll verify BUNDLE`", &file, move || {
        let mut command = shop.plimsoll(&["verify"]);
        command.arg(&bundle);
        command
    });
    Ok([program, run, verify].map(Measurement::Figure).into())
}

/// The largest resident set of any one process of a command: the kernel does not add them up.
pub(super) fn peak(
    name: &'static str,
    what: &str,
    file: &Path,
    command: impl Fn() -> Command + 'static,
) -> Figure {
    let file = file.to_path_buf();
    let take = move || {
        succeed(&mut timed(&command(), &file))?;
        let kibibytes: f64 = std::fs::read_to_string(&file)?.trim().parse()?;
        Ok(kibibytes * 1024.0)
    };
    let what = format!("memory of the largest process of {what}");
    Figure { name, what, unit: Unit::Bytes, limit: None, samples: 15, take: Box::new(take) }
}

/// The same command under `time`, which writes its peak to a file.
fn timed(command: &Command, file: &Path) -> Command {
    let mut timed = Command::new("time");
    timed.args(["-f", "%M", "-o"]).arg(file).arg(command.get_program()).args(command.get_args());
    timed.env_clear();
    timed.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(directory) = command.get_current_dir() {
        timed.current_dir(directory);
    }
    timed
}
