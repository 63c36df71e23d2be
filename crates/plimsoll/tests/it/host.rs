//! A machine that keeps an environment for a shop, and whoever asks its service without a pause.

use crate::{
    processes,
    service::{Shop, answer},
    world::{Ran, World, entries, text},
};
use plimsoll_model::CommitId;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    io::Read as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// A machine that keeps an environment: a state directory and a home of its own, and the agent's process.
pub(crate) struct Host {
    pub(crate) state: PathBuf,
    pub(crate) home: PathBuf,
    process: Option<Child>,
}

impl Host {
    /// Enrolled for `staging` as `prod-1`, and believed by the delivery repository.
    pub(crate) fn enroll(shop: &Shop) -> Self {
        let host = Self::named(&shop.world, "host");
        host.enrolled(shop).ok();
        host.believed(&shop.world);
        host
    }

    /// From now on the delivery repository believes it; gives the fingerprint of its key.
    pub(crate) fn believed(&self, world: &World) -> String {
        let keys = entries(&self.state.join("keys"));
        let key =
            keys.iter().find(|key| key.extension().is_some_and(|extension| extension == "pub")).unwrap();
        let environment = key.file_stem().unwrap().to_str().unwrap().trim_start_matches("agent-");
        let (delivery, person) = (world.delivery(), world.person.private_path());
        let [delivery, person, file] = [&delivery, &person, key].map(|path| path.to_str().unwrap());
        let role = format!("agent:{environment}");
        let added = world.json(&["trust", "add", &role, file, "-C", delivery, "--key", person]).ok().value();
        text(&added["key"]).to_owned()
    }

    pub(crate) fn named(world: &World, name: &str) -> Self {
        let home = world.home().with_file_name(name);
        fs::create_dir(&home).unwrap();
        Self { state: home.join("state"), home, process: None }
    }

    pub(crate) fn enrolled(&self, shop: &Shop) -> Ran {
        self.enrolled_in(shop, "staging")
    }

    pub(crate) fn enrolled_in(&self, shop: &Shop, environment: &str) -> Ran {
        let (delivery, layout) = (shop.world.delivery(), shop.world.state().join("layout"));
        let [delivery, layout] = [&delivery, &layout].map(|path| path.to_str().unwrap());
        let enroll = ["agent", "enroll", "prod-1", "--environment", environment];
        self.plimsoll(&[&enroll[..], &["--delivery", delivery, "--artifacts", layout]].concat())
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.prefixed(&[], arguments)
    }

    /// The binary, started by other programs.
    fn prefixed(&self, prefix: &[&str], arguments: &[&str]) -> Command {
        let words: Vec<&str> = [prefix, &[env!("CARGO_BIN_EXE_plimsoll")]].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg("--state").arg(&self.state).args(arguments).env_clear();
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin").env("HOME", &self.home);
        command.current_dir(&self.home).stdin(Stdio::null());
        command
    }

    pub(crate) fn plimsoll(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.command(&[&["--json"], arguments].concat()))
    }

    /// Starts the agent, which looks once a second.
    pub(crate) fn run(&mut self) {
        self.run_by(&[]);
    }

    /// The same, started by other programs.
    pub(crate) fn run_by(&mut self, prefix: &[&str]) {
        let mut command = self.prefixed(prefix, &["agent", "run", "--interval", "1"]);
        let log = fs::File::options().create(true).append(true).open(self.home.join("log")).unwrap();
        self.process = Some(command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// What the agent told at the terminal.
    pub(crate) fn told(&self) -> String {
        let mut told = String::new();
        fs::File::open(self.home.join("log")).unwrap().read_to_string(&mut told).unwrap();
        told
    }

    /// Process id of the supervisor that has the traffic.
    pub(crate) fn supervisor(&self) -> String {
        self.supervisor_of("shop@staging")
    }

    /// The same of another unit.
    pub(crate) fn supervisor_of(&self, unit: &str) -> String {
        self.record_of(unit)["supervisor"].to_string()
    }

    /// Changes a file of the release that serves.
    pub(crate) fn tamper(&self) {
        let release = format!("services/shop@staging/release-{}", self.supervisor());
        let file = self.state.join(release).join("root/service");
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        fs::write(&file, "another program").unwrap();
    }

    pub(crate) fn record(&self) -> Value {
        self.record_of("shop@staging")
    }

    pub(crate) fn record_of(&self, unit: &str) -> Value {
        let file = self.state.join("services").join(unit).join("service.json");
        serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.kill();
        for service in entries(&self.state.join("services")) {
            let unit = service.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let _ = self.command(&["stop", &unit]).output();
        }
        // One that was about to take over when its agent was killed heard nothing of that.
        let supervisors = format!("--state\0{}\0--dossier", self.state.display());
        processes::with(&supervisors).into_iter().for_each(processes::kill);
    }
}

/// A shop whose staging lives with the agent `prod-1`; version `v1` is built.
pub(crate) fn hosted() -> Shop {
    hosted_in(&["staging"])
}

/// The same in these environments, each after the one before and without approvals.
pub(crate) fn hosted_in(environments: &[&str]) -> Shop {
    let shop = Shop::with(environments);
    for name in environments {
        shop.world.change_delivery(&format!("environments/{name}/shop/target.yaml"), |target| {
            target.replace("local:\n", "host:\n  agent: prod-1\n")
        });
    }
    for name in &environments[1..] {
        shop.world.change_delivery(&format!("environments/{name}/environment.yaml"), |text| {
            let lines = text.lines().filter(|line| !line.contains("approvals"));
            lines.map(|line| format!("{line}\n")).collect()
        });
    }
    shop.world.plimsoll(&["run"]).ok();
    shop
}

/// The same with its agent at work, and `v1` promoted.
pub(crate) fn serving() -> (Shop, Host) {
    let shop = hosted();
    let mut host = Host::enroll(&shop);
    host.run();
    promote(&shop).ok();
    (shop, host)
}

pub(crate) fn promote(shop: &Shop) -> Ran {
    shop.world.json(&["promote", "shop", "--to", "staging"])
}

pub(crate) fn deliver(shop: &Shop, version: &str) -> Ran {
    shop.commit_version(version);
    shop.world.plimsoll(&["run"]).ok();
    promote(shop)
}

/// The row of shop@staging on the board of whoever promotes.
pub(crate) fn board(shop: &Shop) -> Value {
    shop.world.json(&["status"]).ok().value()["environments"][0].clone()
}

pub(crate) fn problem(shop: &Shop) -> String {
    board(shop)["observation"]["problem"]["code"].as_str().unwrap_or_default().to_owned()
}

/// The newest commit of the delivery repository, as an agent names it.
pub(crate) fn delivery_head(shop: &Shop) -> String {
    let mut git = shop.world.repository.command(&shop.world.delivery());
    let head = git.args(["rev-parse", "HEAD"]).output().unwrap().stdout;
    String::from_utf8(head).unwrap().trim().parse::<CommitId>().unwrap().short().to_owned()
}

/// A commit to the delivery repository that Plimsoll did not make.
pub(crate) fn commit_delivery(shop: &Shop, message: &str) {
    let git = |arguments: &[&str]| {
        let status = shop.world.repository.command(&shop.world.delivery()).args(arguments).status();
        assert!(status.unwrap().success());
    };
    git(&["add", "-A"]);
    git(&["commit", "-qm", message]);
}

/// Asks a service without a pause until it is told to end or forgotten.
pub(crate) struct Load {
    over: Arc<AtomicBool>,
    lost: Arc<AtomicU32>,
    asking: Option<JoinHandle<(u32, BTreeSet<String>)>>,
}

/// What came of it.
pub(crate) struct Loaded {
    pub(crate) asked: u32,
    /// Requests that got no answer.
    pub(crate) lost: u32,
    /// Every answer that was ever given.
    pub(crate) answers: BTreeSet<String>,
}

impl Load {
    pub(crate) fn on(port: u16) -> Self {
        let (over, lost) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let (ended, missed) = (Arc::clone(&over), Arc::clone(&lost));
        let asking = thread::spawn(move || {
            let (mut asked, mut answers) = (0, BTreeSet::new());
            while !ended.load(Ordering::Relaxed) {
                asked += 1;
                match answer(port).filter(|body| !body.is_empty()) {
                    Some(body) => drop(answers.insert(body)),
                    None => drop(missed.fetch_add(1, Ordering::Relaxed)),
                }
                thread::sleep(Duration::from_millis(5));
            }
            (asked, answers)
        });
        Self { over, lost, asking: Some(asking) }
    }

    /// Requests that got no answer so far.
    pub(crate) fn lost(&self) -> u32 {
        self.lost.load(Ordering::Relaxed)
    }

    pub(crate) fn end(mut self) -> Loaded {
        self.over.store(true, Ordering::Relaxed);
        let (asked, answers) = self.asking.take().expect("it asks").join().expect("it asked");
        Loaded { asked, lost: self.lost(), answers }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}
