//! Killed at any moment, and then the same command again: it passes, the journal's chain holds, and nothing is left of
//! what was killed.

use crate::{
    journal, processes,
    service::Shop,
    world::{Ran, World, entries, pipeline, pipeline_with},
};
use std::{
    path::PathBuf,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Random delays from a seed that a failing test shows.
pub(crate) struct Delays {
    pub(crate) seed: u64,
    state: u64,
}

impl Delays {
    pub(crate) fn new() -> Self {
        let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos().into();
        Self { seed, state: seed }
    }

    /// Up to `limit` milliseconds. (The generator of MMIX.)
    pub(crate) fn next(&mut self, limit: u64) -> Duration {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_millis((self.state >> 33) % limit)
    }
}

/// A pipeline whose step takes some seconds and a little more, and is known by that number in its command line.
fn slow(seconds: u32) -> (World, String) {
    let mark = format!("{seconds}.3{}", std::process::id());
    (World::new(&pipeline(&format!("sleep {mark}\necho x > out/x"))), format!("sleep {mark}"))
}

/// Starts a command, kills it after a while, and gives its process id.
fn killed(world: &World, arguments: &[&str], delay: Duration) -> u32 {
    let mut child = world.spawn(arguments);
    thread::sleep(delay);
    processes::kill(child.id());
    child.wait().unwrap();
    child.id()
}

#[test]
fn an_engine_that_is_killed_at_ten_random_moments_leaves_nothing_that_hinders_the_next() {
    let (world, step) = slow(0);
    let mut delays = Delays::new();
    for round in 0..10 {
        let delay = delays.next(800);
        let context = format!("seed {}, round {round}, killed after {delay:?}", delays.seed);
        let engine = killed(&world, &["run"], delay);
        let again = world.json(&["run"]);
        assert_eq!(again.status, 0, "{context}: {again:#?}");
        journal::entries(&world);
        assert!(world.left_in_work().is_empty(), "{context}");
        processes::until_no_groups(&world, engine);
        processes::until_gone(&step);
    }
    processes::until_gone(&world.mark());
}

/// Keys come first, so the moments are early ones.
#[test]
fn an_engine_that_is_killed_while_it_makes_keys_leaves_whole_ones_or_none() {
    let mut delays = Delays::new();
    for round in 0..10 {
        let (world, _) = slow(0);
        let delay = delays.next(60);
        let context = format!("seed {}, round {round}, killed after {delay:?}", delays.seed);
        killed(&world, &["run"], delay);
        world.json(&["run"]).ok();
        let mut names: Vec<_> = entries(&world.state().join("keys"))
            .iter()
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        let whole = ["builder.pem", "builder.pub", "scanner.pem", "scanner.pub", "source.pem", "source.pub"];
        assert_eq!(names, whole, "{context}");
        processes::until_gone(&world.mark());
    }
}

#[test]
fn a_run_whose_signer_is_killed_breaks_and_the_next_passes() {
    for role in ["builder", "scanner", "source"] {
        // A check, so that the scanner's signer is needed to the end.
        let evidence = "evidence:\n  - {test: unit, on: source, run: \"true\"}\n";
        let world = World::new(&pipeline_with("sleep 3\necho x > out/x", "out: [out]", evidence));
        let child = world.spawn(&["--json", "run"]);
        let mark = format!("--role\u{0}{role}\u{0}--state\u{0}{}", world.state().display());
        let mut signer = vec![];
        processes::until("the signer", || {
            signer = processes::with(&mark);
            !signer.is_empty()
        });
        signer.into_iter().for_each(processes::kill);
        let ran = Ran::from(child.wait_with_output().unwrap());
        // The source's signer may have had its say already.
        assert!(ran.status == 3 || (role == "source" && ran.status == 0), "{role}: {ran:#?}");
        world.json(&["run"]).ok();
        journal::entries(&world);
        processes::until_gone(&world.mark());
    }
}

#[test]
fn a_promotion_that_is_killed_at_random_moments_can_be_repeated() {
    let shop = Shop::new();
    shop.world.plimsoll(&["run"]).ok();
    let mut delays = Delays::new();
    for round in 0..10 {
        let delay = delays.next(300);
        let context = format!("seed {}, round {round}, killed after {delay:?}", delays.seed);
        killed(&shop.world, &["promote", "shop", "--to", "local"], delay);
        let mut again = shop.promote();
        // What the killed one had sent to the delivery repository may still have arrived meanwhile.
        if again.stdout.contains("E-REF-MOVED") {
            again = shop.promote();
        }
        assert_eq!(again.status, 0, "{context}: {again:#?}");
        assert_eq!(shop.answer().as_deref(), Some("v1"), "{context}");
        journal::entries(&shop.world);
    }
    shop.world.json(&["stop", "shop@local"]).ok();
    processes::until_gone(&shop.world.mark());
}

#[test]
fn what_a_killed_promotion_started_never_replaces_what_was_promoted_after_it() {
    let shop = Shop::new();
    shop.deliver("v2");
    shop.commit_version("slow");
    shop.world.plimsoll(&["run"]).ok();
    let mut promotion = shop.world.spawn(&["promote", "shop", "--to", "local"]);
    let log = shop.world.state().join("services/shop@local/service.log");
    let logged = |text: &str| std::fs::read_to_string(&log).unwrap_or_default().contains(text);
    processes::until("the slow version begins", || logged("version slow"));
    processes::kill(promotion.id());
    promotion.wait().unwrap();
    shop.deliver("v3");
    let unit = format!("__supervisor\u{0}shop@local\u{0}--state\u{0}{}", shop.world.state().display());
    processes::until("only one supervisor is left", || processes::with(&unit).len() == 1);
    assert_eq!((shop.answer().as_deref(), shop.state().as_str()), (Some("v3"), "serving"));
}

#[test]
fn a_killed_supervisor_takes_its_service_along_and_the_next_promotion_serves() {
    let shop = Shop::new();
    let promoted = shop.deliver("v2");
    let pid = |name: &str| u32::try_from(promoted["service"][name].as_u64().unwrap()).unwrap();
    processes::kill(pid("supervisor"));
    processes::until("the service is gone", || !processes::exists(pid("process")));
    assert_eq!((shop.answer(), shop.state().as_str()), (None, "failed"));
    shop.promote().ok();
    assert_eq!((shop.answer().as_deref(), shop.state().as_str()), (Some("v2"), "serving"));
}

#[test]
fn an_interrupted_run_ends_in_order() {
    for signal in ["INT", "TERM"] {
        let (world, step) = slow_step();
        let child = world.spawn(&["--json", "run"]);
        processes::until("the step runs", || !processes::with(&step).is_empty());
        processes::signal(child.id(), signal);
        let engine = child.id();
        Ran::from(child.wait_with_output().unwrap()).ended(130);
        assert_eq!(processes::groups_of(engine), Vec::<PathBuf>::new(), "{signal}");
        assert!(world.left_in_work().is_empty(), "{signal}");
        processes::until_gone(&step);
        processes::until_gone(&world.mark());
        journal::entries(&world);
    }
}

/// A step that would not end by itself.
fn slow_step() -> (World, String) {
    let mark = format!("9{}", std::process::id());
    (World::new(&pipeline(&format!("trap '' TERM INT\nsleep {mark}"))), format!("sleep {mark}"))
}
