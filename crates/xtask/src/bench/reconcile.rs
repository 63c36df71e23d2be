//! What keeping a machine costs: a turn of the pure decision what to do next, reading the rules of many units at a new
//! commit, and an agent with one unit and nothing to do.

use super::{
    Bench, How, Measurement,
    figure::{Figure, Unit},
    hosted::{Hosted, trust_root},
};
use crate::project::Result;
use plimsoll_attest::TrustRoot;
use plimsoll_engine::{delivery::Listing, ports::Source as _};
use plimsoll_git::GitSource;
use plimsoll_host::reconcile::{Current, Phase, Promoted, Seen, SeenUnit, Wanted, reconcile};
use plimsoll_model::{Digest, EnvironmentName, ProjectName, Timestamp};
use plimsoll_policy::gather;
use std::{path::Path, rc::Rc, time::Instant};

/// How many turns one sample is, since one is too short to be timed.
const AT_ONCE: u32 = 100;
/// Seconds between two looks of the idle agent, as many as nobody has to ask for.
const INTERVAL: u32 = 5;
/// Bytes that an idle agent may have.
const IDLE_LIMIT: f64 = 100e6;

pub(super) fn measurements(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    let hosted = Rc::new(Hosted::open(bench, INTERVAL)?);
    let mut figures = idle(&hosted, bench.how);
    figures.extend([turn("reconcile-100", 100)?, turn("reconcile-1000", 1_000)?]);
    figures.extend([rules("rules-100", &hosted, 100), rules("rules-1000", &hosted, 1_000)]);
    Ok(figures.into_iter().map(Measurement::Figure).collect())
}

/// One unit in ten has something new to start.
fn turn(name: &'static str, units: u32) -> Result<Figure> {
    let mut wanted = Wanted { environment: "staging".parse()?, frozen: None, units: [].into() };
    let mut seen = Seen::default();
    for number in 0..units {
        let digest = |what: &str| Digest::of(format!("{what} {number}").as_bytes());
        let decision = digest(if number % 10 == 0 { "newer" } else { "served" });
        let promoted = Promoted { decision, release: digest("release"), rollback: false, check: Ok(()) };
        wanted.units.insert(named(number)?, promoted);
        let current = Current { decision: digest("served"), grandfathered: false };
        let unit = SeenUnit { current: Some(current), phase: Phase::Serving, ..SeenUnit::default() };
        seen.units.insert(named(number)?, unit);
    }
    let take = move || {
        let (mut actions, start) = (0, Instant::now());
        for _ in 0..AT_ONCE {
            actions += reconcile(&wanted, &seen, Timestamp::UNIX_EPOCH).len();
        }
        let took = start.elapsed() / AT_ONCE;
        if actions as u32 != AT_ONCE * units.div_ceil(10) {
            return Err(format!("{actions} actions").into());
        }
        Ok(took.as_secs_f64())
    };
    let what =
        format!("what to do next with {units} units, of which one in ten has a new release; in process");
    Ok(Figure { name, what, unit: Unit::Seconds, limit: None, samples: 31, take: Box::new(take) })
}

fn named(number: u32) -> Result<ProjectName> {
    Ok(format!("shop-{number}").parse()?)
}

/// What an agent reads and verifies of the rules for each of its units whenever the delivery repository has a new commit.
fn rules(name: &'static str, hosted: &Rc<Hosted>, units: u32) -> Figure {
    let hosted = Rc::clone(hosted);
    let take = move || {
        let delivery = hosted.shop.delivery();
        multiply(&hosted, units)?;
        let root = trust_root(&delivery)?;
        let start = Instant::now();
        read_rules(&delivery, &root, units)?;
        Ok(start.elapsed().as_secs_f64())
    };
    let what = format!("rules for {units} units of one delivery repository, read and verified; in process");
    Figure { name, what, unit: Unit::Seconds, limit: None, samples: 5, take: Box::new(take) }
}

/// Copies of the one unit until there are so many more. Their rules are in force.
fn multiply(hosted: &Hosted, units: u32) -> Result<()> {
    let delivery = hosted.shop.delivery();
    let (project, unit) = (delivery.join("projects"), delivery.join("environments/staging"));
    if project.join(format!("shop-{}.yaml", units - 1)).exists() {
        return Ok(());
    }
    for number in 0..units {
        std::fs::copy(project.join("shop.yaml"), project.join(format!("shop-{number}.yaml")))?;
        let copy = unit.join(format!("shop-{number}"));
        std::fs::create_dir_all(&copy)?;
        for file in ["target.yaml", "release.json", "decision.sigstore.json"] {
            let text = std::fs::read_to_string(unit.join("shop").join(file))?;
            // The agent here has nothing to do with them: it would be busy while they are measured.
            std::fs::write(copy.join(file), text.replace("agent: here", "agent: elsewhere"))?;
        }
    }
    hosted.shop.commit_delivery("more of the same")?;
    hosted.shop.as_person(&["policy", "sign"])
}

fn read_rules(delivery: &Path, root: &TrustRoot, units: u32) -> Result<()> {
    let source = GitSource::open(delivery)?;
    let (head, environment) = (source.resolve("HEAD")?.commit, "staging".parse::<EnvironmentName>()?);
    let listing = Listing::of(&source, &head)?;
    for number in 0..units {
        let project = named(number)?;
        let files = listing.files(&source, &project, &environment)?;
        let set = gather::policy_set(&files, &project, &environment, root)?;
        set.signed.map_err(|reason| reason.to_string())?;
    }
    Ok(())
}

/// An agent that has nothing to do but look.
fn idle(hosted: &Rc<Hosted>, how: How) -> Vec<Figure> {
    let of = |name, what: &str, unit, limit, take: Box<dyn FnMut() -> Result<f64>>| Figure {
        name,
        what: format!("{what}; one unit, a look every {INTERVAL} s"),
        unit,
        limit,
        samples: 3,
        take,
    };
    let memory = |process: usize, field: &'static str| {
        let hosted = Rc::clone(hosted);
        Box::new(move || resident(hosted.processes()?[process], field))
    };
    let busy = {
        let hosted = Rc::clone(hosted);
        Box::new(move || seconds_per_minute(hosted.processes()?[0], how))
    };
    vec![
        of("idle-processor", "processor time of an idle agent in a minute", Unit::Seconds, None, busy),
        of("idle-memory", "memory of an idle agent", Unit::Bytes, Some(IDLE_LIMIT), memory(0, "Rss")),
        of("idle-memory-own", "its share, without what others have too", Unit::Bytes, None, memory(0, "Pss")),
        of("idle-supervisor", "memory of a supervisor", Unit::Bytes, None, memory(1, "Rss")),
        of("idle-supervisor-own", "its share", Unit::Bytes, None, memory(1, "Pss")),
    ]
}

/// Bytes of a process (proc(5), "smaps_rollup").
fn resident(process: u32, field: &str) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let value = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kibibytes: f64 = value.and_then(|value| value.trim().strip_suffix(" kB")).ok_or("no kB")?.parse()?;
    Ok(kibibytes * 1024.0)
}

/// Seconds of processor time that a process, and those that it started and waited for, take in a minute.
fn seconds_per_minute(process: u32, how: How) -> Result<f64> {
    let seconds = if how == How::Try { 15 } else { 60 };
    let before = ticks(process)?;
    std::thread::sleep(std::time::Duration::from_secs(seconds));
    // A hundred ticks are a second on every Linux (proc(5), USER_HZ).
    Ok((ticks(process)? - before) / 100.0 * 60.0 / seconds as f64)
}

/// proc(5), "stat": utime, stime, cutime and cstime are fields 14 to 17; the second, in brackets, may hold anything.
fn ticks(process: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, fields) = text.rsplit_once(')').ok_or("no name in brackets")?;
    let fields = fields.split_whitespace().skip(11).take(4);
    Ok(fields.map(str::parse::<f64>).sum::<std::result::Result<f64, _>>()?)
}
