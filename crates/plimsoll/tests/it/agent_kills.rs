//! An agent, the supervisor of a release that it starts, its unpacker, a promotion or its signers, killed at any moment while versions
//! follow each other under load: what answers was promoted, the newest comes to serve, and nothing is left.

use crate::{
    host::{Host, Load, board, hosted, problem, promote},
    journal,
    kills::Delays,
    processes::{self, until},
    service::Shop,
    world::{Ran, entries, text},
};
use plimsoll_attest::Bundle;
use plimsoll_model::Digest;
use std::{collections::BTreeSet, fs, process::Child, thread, time::Duration};

const SHOPS: usize = 5;
/// In each shop.
const POINTS: usize = 10;

/// What is killed while a version is promoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Agent,
    NewSupervisor,
    Unpacker,
    Promotion,
    Signer,
}

impl Victim {
    const ALL: [Self; 5] = [Self::Agent, Self::NewSupervisor, Self::Unpacker, Self::Promotion, Self::Signer];
}

/// One shop whose versions follow each other, and what happens to it.
struct Run {
    shop: Shop,
    host: Host,
    delays: Delays,
    promotion: Option<Child>,
    /// Supervisors that were killed.
    killed: Vec<u32>,
}

impl Run {
    fn new() -> Self {
        let shop = hosted();
        let mut host = Host::enroll(&shop);
        host.run();
        promote(&shop).ok();
        Self { shop, host, delays: Delays::new(), promotion: None, killed: vec![] }
    }

    /// Kills at a moment of a promotion. Whether the service may have lost requests by that.
    fn kill(&mut self, victim: Victim, before: u32) -> bool {
        match victim {
            Victim::Agent => {
                thread::sleep(self.delays.next(3000));
                self.host.kill();
                thread::sleep(self.delays.next(300));
                self.host.run();
            }
            Victim::NewSupervisor => return self.kill_supervisor(before),
            Victim::Unpacker => self.kill_unpacker(before),
            Victim::Promotion => {
                thread::sleep(self.delays.next(2000));
                self.promotion.as_mut().unwrap().kill().unwrap();
            }
            Victim::Signer => {
                let mark = format!("--role\0decision:staging\0--state\0{}", self.state());
                let signers = self.found(&mark);
                thread::sleep(self.delays.next(100));
                signers.into_iter().for_each(processes::kill);
            }
        }
        false
    }

    /// One that was found stands still before it is killed, so that the record says whether it had the traffic.
    fn kill_supervisor(&mut self, before: u32) -> bool {
        let mark = self.supervisors();
        let mut found = vec![];
        self.until_or_over(|| {
            found = processes::with(&mark);
            found.retain(|pid| *pid != before);
            !found.is_empty()
        });
        thread::sleep(self.delays.next(800));
        let Some(newest) = found.pop() else { return false };
        processes::signal(newest, "STOP");
        let serves = self.host.supervisor() == newest.to_string();
        processes::kill(newest);
        self.killed.push(newest);
        serves
    }

    /// It lives for moments, so nobody sleeps between two looks.
    fn kill_unpacker(&mut self, before: u32) {
        let mark = self.supervisors();
        let promotion = self.promotion.as_mut().unwrap();
        while promotion.try_wait().unwrap().is_none() {
            let new = processes::with(&mark).into_iter().filter(|pid| *pid != before);
            let unpackers: Vec<u32> = new.flat_map(|pid| processes::below(pid, "__unpacker")).collect();
            if !unpackers.is_empty() {
                unpackers.into_iter().for_each(processes::kill);
                return;
            }
        }
    }

    fn supervisors(&self) -> String {
        format!("__supervisor\0shop@staging\0--state\0{}", self.host.state.display())
    }

    /// Processes of this mark, as soon as there are some; none if the promotion ends before.
    fn found(&mut self, mark: &str) -> Vec<u32> {
        let mut found = vec![];
        self.until_or_over(|| {
            found = processes::with(mark);
            !found.is_empty()
        });
        found
    }

    fn until_or_over(&mut self, mut holds: impl FnMut() -> bool) {
        let promotion = self.promotion.as_mut().unwrap();
        while !holds() && promotion.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn state(&self) -> String {
        self.shop.world.state().display().to_string()
    }

    fn serving(&self) -> u32 {
        self.host.supervisor().parse().unwrap()
    }

    /// One version, one kill. Gives the decision that serves after it.
    fn point(&mut self, number: usize, load: &Load) -> String {
        let victim = Victim::ALL[number % Victim::ALL.len()];
        let context = format!("seed {}, point {number}, {victim:?}", self.delays.seed);
        self.shop.commit_version(&version(number));
        self.shop.world.plimsoll(&["run"]).ok();
        let (lost, before) = (load.lost(), self.serving());
        self.promotion = Some(self.shop.world.spawn(&["--json", "promote", "shop", "--to", "staging"]));
        let may_lose = self.kill(victim, before);
        let ran = Ran::from(self.promotion.take().unwrap().wait_with_output().unwrap());
        match victim {
            Victim::Agent => assert_eq!(ran.status, 0, "{context}: {ran:#?}"),
            // The agent waits before it tries the same decision again; the next version need not wait.
            Victim::NewSupervisor | Victim::Unpacker => {}
            Victim::Promotion | Victim::Signer => {
                let again =
                    Some(promote(&self.shop)).filter(|ran| ran.status != 1 || ran.codes() != ["E-REF-MOVED"]);
                // What was killed may have been on its way already.
                let again = again.unwrap_or_else(|| promote(&self.shop));
                assert_eq!(again.status, 0, "{context}: {again:#?}");
            }
        }
        until(&format!("{context}: it answers"), || self.shop.answer_at(0).is_some());
        assert!(may_lose || load.lost() == lost, "{context}: {} requests lost", load.lost() - lost);
        self.host.plimsoll(&["agent", "show"]).ok();
        journal::entries(&self.shop.world);
        text(&self.host.record()["decision"]).to_owned()
    }

    /// All points, and then everything is as the newest promotion says.
    fn run(mut self) {
        let load = Load::on(self.shop.port);
        let served: BTreeSet<String> = (0..POINTS).map(|number| self.point(number, &load)).collect();
        let context = format!("seed {}", self.delays.seed);
        self.newest_serves(&context);
        assert_eq!(self.shop.answer_at(0), Some(version(POINTS - 1)), "{context}");
        let loaded = load.end();
        let versions = (0..POINTS).map(version).chain(["v1".to_owned()]).collect();
        let strange: Vec<_> = loaded.answers.difference(&versions).collect();
        assert!(!self.killed.is_empty(), "{context}: no supervisor was found");
        assert!(strange.is_empty() && loaded.asked > 100, "{context}: {strange:?}, {} asked", loaded.asked);
        let decisions = decisions(&self.shop);
        assert!(served.is_subset(&decisions), "{context}: {served:?} served, promoted were {decisions:?}");
        self.leaves_nothing(&context);
    }

    /// In the end the newest decision serves, by itself. Only a release whose supervisor died in the middle of its
    /// hand-over was taken back, and is promoted once more.
    fn newest_serves(&self, context: &str) {
        let serves = || self.host.record()["decision"] == board(&self.shop)["promoted"]["decision"];
        until(&format!("{context}: the newest serves"), || serves() || problem(&self.shop) == "E-FALLBACK");
        if !serves() {
            promote(&self.shop).ok();
        }
        assert!(serves(), "{context}");
    }

    fn leaves_nothing(mut self, context: &str) {
        let service = self.host.state.join("services/shop@staging");
        let unpacked = || {
            let names = entries(&service).into_iter().filter_map(|path| Some(path.file_name()?.to_owned()));
            names.filter(|name| name.to_string_lossy().starts_with("release-")).count()
        };
        until(&format!("{context}: one release is unpacked"), || unpacked() == 1);
        self.host.kill();
        self.host.plimsoll(&["stop", "shop@staging"]).ok();
        let mark = self.shop.world.mark();
        processes::until_gone(&mark);
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(!mounts.contains(&mark), "{context}: {mounts}");
        for supervisor in &self.killed {
            processes::until_no_groups(&self.shop.world, *supervisor);
        }
    }
}

/// The version that is promoted at a point.
fn version(point: usize) -> String {
    format!("v{}", point + 2)
}

/// The decisions that ever stood in the delivery repository, by their payload.
fn decisions(shop: &Shop) -> BTreeSet<String> {
    const PATH: &str = "environments/staging/shop/decision.sigstore.json";
    let git = |arguments: &[&str]| {
        shop.world.repository.command(&shop.world.delivery()).args(arguments).output().unwrap().stdout
    };
    let commits = String::from_utf8(git(&["log", "--format=%H", "--", PATH])).unwrap();
    let decision = |commit: &str| {
        let bundle = git(&["show", &format!("{commit}:{PATH}")]);
        Digest::of(&Bundle::parse(&bundle).unwrap().envelope().payload).to_string()
    };
    commits.lines().map(decision).collect()
}

#[test]
fn fifty_kills_at_random_moments_never_serve_what_was_not_promoted_and_leave_nothing() {
    thread::scope(|scope| {
        for _ in 0..SHOPS {
            scope.spawn(|| Run::new().run());
        }
    });
}
