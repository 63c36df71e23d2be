//! Measurements against real peers: alternated pairs in one run, so that a busy machine slows both sides alike, and
//! ratios with intervals, so that noise is not read as a result. What has no peer is a figure. No timing decides a test.

mod build;
mod case;
mod config;
mod delivery;
mod dependencies;
mod figure;
mod footprint;
mod history;
mod hosted;
mod load;
mod machine;
mod peers;
mod pipeline;
mod progress;
mod proxy;
mod reconcile;
mod report;
mod sandbox;
mod scanner;
mod secrets;
mod service;
mod shop;
mod stats;
mod verify;

use crate::project::{Project, Result};
use case::Case;
use figure::Figure;
use report::Measured;
use std::path::PathBuf;

/// Measurements that are prepared together, since preparing some takes longer than measuring others.
struct Group {
    name: &'static str,
    make: fn(&Bench<'_>) -> Result<Vec<Measurement>>,
}

/// In the order in which they run.
const GROUPS: &[Group] = &[
    Group { name: "footprint", make: footprint::measurements },
    Group { name: "sandbox-start", make: sandbox::measurements },
    Group { name: "verify", make: verify::measurements },
    Group { name: "pipeline", make: pipeline::measurements },
    Group { name: "delivery", make: delivery::measurements },
    Group { name: "reconcile", make: reconcile::measurements },
    Group { name: "proxy", make: proxy::measurements },
    Group { name: "secrets", make: secrets::measurements },
    Group { name: "secrets-history", make: history::measurements },
    Group { name: "dependencies", make: dependencies::measurements },
    Group { name: "config", make: config::measurements },
    Group { name: "build", make: build::measurements },
];

/// Something to measure.
enum Measurement {
    /// Against a peer, as a ratio.
    Case(Case),
    /// By itself.
    Figure(Figure),
}

/// What every measurement needs.
struct Bench<'a> {
    project: &'a Project,
    /// A folder that goes when the run ends.
    scratch: PathBuf,
    how: How,
}

/// How often, and whether anything is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// As often as each measurement asks for; numbers and report are written as they come.
    Keep,
    /// A few times, to see that everything runs to its end. Nothing is written.
    Try,
}

/// Runs the groups of measurements with these names (all without any). `--try` runs them a few times and writes nothing.
/// What was measured is kept at once; a measurement that fails does not hold up the others.
pub(crate) fn run(project: &Project, arguments: &[String]) -> Result<()> {
    if cfg!(debug_assertions) {
        return Err("an unoptimised program is not what people run: make bench".into());
    }
    let (how, groups) = selected(arguments)?;
    let scratch = tempfile::tempdir()?;
    let mut failed = Vec::new();
    for group in groups {
        let place = scratch.path().join(group.name);
        std::fs::create_dir(&place)?;
        println!("{}", group.name);
        let bench = Bench { project, scratch: place, how };
        if let Err(error) = bench.group(group) {
            eprintln!("  failed: {error}");
            failed.push(group.name);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
}

fn selected(arguments: &[String]) -> Result<(How, Vec<&'static Group>)> {
    let (options, names): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|argument| argument.starts_with('-'));
    let how = match options.as_slice() {
        [] => How::Keep,
        [option] if *option == "--try" => How::Try,
        _ => return Err("the only option is --try".into()),
    };
    let known = |name: &&&String| GROUPS.iter().any(|group| group.name == name.as_str());
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let all: Vec<&str> = GROUPS.iter().map(|group| group.name).collect();
        return Err(format!("there is no measurement {unknown}, only {}", all.join(", ")).into());
    }
    let wanted = |group: &&Group| names.is_empty() || names.iter().any(|name| *name == group.name);
    Ok((how, GROUPS.iter().filter(wanted).collect()))
}

impl Bench<'_> {
    /// The optimised program.
    fn program(&self) -> PathBuf {
        self.project.built("release", "plimsoll")
    }

    fn group(&self, group: &Group) -> Result<()> {
        let folder = self.project.root().join("bench");
        for measurement in (group.make)(self)? {
            let measured = Measured::of(measurement, self.how, self.project)?;
            println!("  {}", measured.line()?);
            if self.how == How::Keep {
                measured.save(&folder.join("raw"))?;
                report::write(&folder)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &[&str], expect: std::result::Result<(How, &[&str]), &str>) {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        match (selected(&arguments), expect) {
            (Ok((how, groups)), Ok((expected, names))) => {
                assert_eq!(how, expected);
                assert_eq!(groups.iter().map(|group| group.name).collect::<Vec<_>>(), names);
            }
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            (got, expected) => panic!("{arguments:?}: {:?}, not {expected:?}", got.map(|(how, _)| how)),
        }
    }

    #[test]
    fn measurements_are_chosen_by_name_and_run_in_one_order() {
        check(&["build", "verify"], Ok((How::Keep, &["verify", "build"])));
        check(&["--try", "pipeline"], Ok((How::Try, &["pipeline"])));
        let all = GROUPS.iter().map(|group| group.name).collect::<Vec<_>>();
        check(&[], Ok((How::Keep, &all)));
        check(&["proxy", "delivery", "reconcile"], Ok((How::Keep, &["delivery", "reconcile", "proxy"])));
        check(&["sandbox"], Err("there is no measurement sandbox, only footprint, "));
        check(&["--fast"], Err("the only option is --try"));
    }
}
