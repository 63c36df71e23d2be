//! A sandbox that plays scripts: what a command would do, as a function of what it would see.

use plimsoll_engine::ports::{
    Connector, Exit, Finished, IsolationUnavailable, Mount, Running, Sandbox, SandboxError, SandboxPlan,
    Stopper, Stream,
};
use plimsoll_model::record::IsolationRecord;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    net::TcpListener,
    os::fd::OwnedFd,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex},
};
use tempfile::TempDir;

pub(crate) fn isolation() -> IsolationRecord {
    IsolationRecord {
        backend: "scripted".into(),
        namespaces: vec![],
        landlock_abi: 0,
        seccomp: None,
        unprivileged: false,
        own_uid: false,
        limits: BTreeMap::new(),
        network_attempts: None,
    }
}

type Script = Arc<dyn Fn(&mut Act<'_>) -> Exit + Send + Sync>;

/// Plays the script that was given for the first word of a command.
#[derive(Default)]
pub(crate) struct Scripted {
    scripts: BTreeMap<String, Script>,
    /// Every command that was started, in order.
    started: Mutex<Vec<String>>,
    /// What commands wrote, until nobody can want to freeze it any more.
    kept: Arc<Mutex<Vec<TempDir>>>,
    /// How often every command asks for another machine.
    network_attempts: Option<u64>,
}

impl Scripted {
    pub(crate) fn that_asks_for_the_network(mut self, attempts: Option<u64>) -> Self {
        self.network_attempts = attempts;
        self
    }

    pub(crate) fn when(
        mut self,
        command: &str,
        script: impl Fn(&mut Act<'_>) -> Exit + Send + Sync + 'static,
    ) -> Self {
        self.scripts.insert(command.into(), Arc::new(script));
        self
    }

    pub(crate) fn started(&self) -> Vec<String> {
        self.started.lock().unwrap().clone()
    }
}

impl Sandbox for Scripted {
    fn probe(&self) -> Result<IsolationRecord, IsolationUnavailable> {
        Ok(isolation())
    }

    fn start(&self, plan: &SandboxPlan, _: Option<OwnedFd>) -> Result<Box<dyn Running>, SandboxError> {
        let name = &plan.argv[0];
        let script =
            self.scripts.get(name).ok_or_else(|| SandboxError::Plan(format!("no script for {name}")))?;
        let mut started = self.started.lock().unwrap();
        started.push(name.clone());
        let time = started.iter().filter(|other| *other == name).count();
        let writable = plan.mounts.iter().filter_map(|mount| match mount {
            Mount::Writable { name, .. } => Some((name.clone(), tempfile::tempdir().unwrap())),
            _ => None,
        });
        let stage = Stage { plan: plan.clone(), writable: writable.collect(), time, stop: Arc::default() };
        Ok(Box::new(Play {
            stage,
            script: script.clone(),
            kept: self.kept.clone(),
            network_attempts: self.network_attempts,
        }))
    }
}

struct Stage {
    plan: SandboxPlan,
    writable: BTreeMap<String, TempDir>,
    time: usize,
    stop: Arc<Stop>,
}

#[derive(Default)]
struct Stop {
    asked: Mutex<bool>,
    bell: Condvar,
}

struct Handle(Arc<Stop>);

impl Stopper for Handle {
    fn terminate(&self) {
        self.kill();
    }

    fn kill(&self) {
        *self.0.asked.lock().unwrap() = true;
        self.0.bell.notify_all();
    }
}

struct Play {
    stage: Stage,
    script: Script,
    kept: Arc<Mutex<Vec<TempDir>>>,
    network_attempts: Option<u64>,
}

/// What a script can do.
pub(crate) struct Act<'a> {
    stage: &'a Stage,
    output: &'a mut dyn FnMut(Stream, &[u8]),
}

impl Act<'_> {
    /// How often this command was started, this time included.
    pub(crate) fn time(&self) -> usize {
        self.stage.time
    }

    pub(crate) fn plan(&self) -> &SandboxPlan {
        &self.stage.plan
    }

    pub(crate) fn print(&mut self, text: &str) {
        (self.output)(Stream::Out, text.as_bytes());
    }

    pub(crate) fn complain(&mut self, text: &str) {
        (self.output)(Stream::Err, text.as_bytes());
    }

    /// Where a path below the source can be written, on the host.
    pub(crate) fn place(&self, path: &str) -> PathBuf {
        let found = self.stage.writable.iter().find_map(|(name, directory)| {
            let rest = path.strip_prefix(name.as_str())?;
            Some(directory.path().join(rest.trim_start_matches('/')))
        });
        found.unwrap_or_else(|| panic!("{path} is read-only"))
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let place = self.place(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }

    /// Reads an absolute path inside, through the read-only mount that is innermost there.
    pub(crate) fn read(&self, path: &str) -> Option<String> {
        let mounts = self.stage.plan.mounts.iter().rev();
        let place = mounts.clone().find_map(|mount| match mount {
            Mount::ReadOnly { source, target } => {
                let rest = path.strip_prefix(target.as_str())?;
                Some(if rest.is_empty() { source.clone() } else { source.join(rest.trim_start_matches('/')) })
            }
            _ => None,
        });
        fs::read_to_string(place?).ok()
    }

    /// Waits to be killed.
    pub(crate) fn sleep(&self) -> Exit {
        let stop = &self.stage.stop;
        let _woken = stop.bell.wait_while(stop.asked.lock().unwrap(), |asked| !*asked).unwrap();
        Exit::Cancelled
    }
}

impl Running for Play {
    fn pid(&self) -> u32 {
        1
    }

    fn take_gateway(&mut self) -> Option<TcpListener> {
        None
    }

    fn stopper(&self) -> Box<dyn Stopper> {
        Box::new(Handle(self.stage.stop.clone()))
    }

    fn connector(&self) -> Box<dyn Connector> {
        unreachable!("nothing connects to a step")
    }

    fn wait(self: Box<Self>, output: &mut dyn FnMut(Stream, &[u8])) -> Result<Finished, SandboxError> {
        let exit = (self.script)(&mut Act { stage: &self.stage, output });
        let open = |(name, directory): (&String, &TempDir)| {
            (name.clone(), OwnedFd::from(File::open(directory.path()).unwrap()))
        };
        let writable = self.stage.writable.iter().map(open).collect();
        self.kept.lock().unwrap().extend(self.stage.writable.into_values());
        let record = IsolationRecord { network_attempts: self.network_attempts, ..isolation() };
        Ok(Finished { exit, record, writable })
    }
}
