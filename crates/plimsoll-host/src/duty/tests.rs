//! Supervisors of a service that lives in this process: real sockets, real hand-overs, no sandbox.

use crate::{
    control::{self, Claim},
    health::HealthCheck,
    record::{ServiceDirectory, ServiceRecord, ServiceState, Setback},
    supervisor::{Fallback, Progress, Service, Starter, SuperviseError, Trigger},
};
use plimsoll_engine::ports::{
    Connector, Exit, Finished, IsolationUnavailable, Limits, Network, Running, Sandbox, SandboxError,
    SandboxPlan, Stopper, Stream,
};
use plimsoll_model::{Code, Digest, Timestamp, record::IsolationRecord};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::{
        fd::OwnedFd,
        unix::net::{UnixListener, UnixStream},
    },
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Longest wait for something that must happen.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a release behaves, as long as it runs.
#[derive(Default)]
struct Behaviour {
    ill: AtomicBool,
    starts: AtomicUsize,
    ends: Mutex<Vec<Sender<Exit>>>,
}

impl Behaviour {
    /// Every instance ends.
    fn die(&self) {
        self.end(Exit::Status(1));
    }

    fn end(&self, exit: Exit) {
        for end in self.ends.lock().unwrap().drain(..) {
            let _ = end.send(exit);
        }
    }
}

/// Starts services that answer with the name of their release.
struct Fake {
    name: String,
    behaviour: Arc<Behaviour>,
}

impl Sandbox for Fake {
    fn probe(&self) -> Result<IsolationRecord, IsolationUnavailable> {
        Err(IsolationUnavailable { problem: "it is a test".into(), remedy: vec![] })
    }

    fn start(&self, _: &SandboxPlan, _: Option<OwnedFd>) -> Result<Box<dyn Running>, SandboxError> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let gone = Arc::new(AtomicBool::new(false));
        let (name, behaviour, over) = (self.name.clone(), Arc::clone(&self.behaviour), Arc::clone(&gone));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                answer(stream.unwrap(), &name, behaviour.ill.load(Ordering::SeqCst));
            }
        });
        self.behaviour.starts.fetch_add(1, Ordering::SeqCst);
        let (sender, ends) = mpsc::channel();
        self.behaviour.ends.lock().unwrap().push(sender.clone());
        Ok(Box::new(Instance { address, gone, sender, ends }))
    }
}

fn answer(mut stream: TcpStream, name: &str, ill: bool) {
    let mut request = [0; 1024];
    let length = stream.read(&mut request).unwrap_or(0);
    let asks_health = request[..length].starts_with(b"GET /healthz");
    let status = if ill && asks_health { "503 Ill" } else { "200 OK" };
    let _ = write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n\r\n{name}");
}

struct Instance {
    address: SocketAddr,
    gone: Arc<AtomicBool>,
    sender: Sender<Exit>,
    ends: Receiver<Exit>,
}

struct Handle(SocketAddr, Arc<AtomicBool>, Mutex<Sender<Exit>>);

impl Stopper for Handle {
    fn terminate(&self) {
        let _ = self.2.lock().unwrap().send(Exit::Status(0));
    }

    fn kill(&self) {
        let _ = self.2.lock().unwrap().send(Exit::Cancelled);
    }
}

impl Connector for Handle {
    fn connect(&self, _: u16) -> io::Result<TcpStream> {
        if self.1.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::NotConnected.into());
        }
        TcpStream::connect(self.0)
    }
}

impl Instance {
    fn handle(&self) -> Handle {
        Handle(self.address, Arc::clone(&self.gone), Mutex::new(self.sender.clone()))
    }
}

impl Running for Instance {
    fn pid(&self) -> u32 {
        u32::from(self.address.port())
    }

    fn take_gateway(&mut self) -> Option<TcpListener> {
        None
    }

    fn stopper(&self) -> Box<dyn Stopper> {
        Box::new(self.handle())
    }

    fn connector(&self) -> Box<dyn Connector> {
        Box::new(self.handle())
    }

    fn wait(self: Box<Self>, _: &mut dyn FnMut(Stream, &[u8])) -> Result<Finished, SandboxError> {
        let exit = self.ends.recv().unwrap();
        self.gone.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        Err(SandboxError::Plan(format!("it was a test, and ended by {exit}")))
    }
}

/// What a supervisor told.
#[derive(Debug)]
enum Told {
    Serving(ServiceRecord),
    Alone(ServiceRecord),
    FellBack(Setback),
    Ended(Result<(), SuperviseError>),
}

struct Release {
    behaviour: Arc<Behaviour>,
    told: Receiver<Told>,
}

impl Release {
    fn next(&self) -> Told {
        self.told.recv_timeout(PATIENCE).unwrap()
    }

    fn serving(&self) -> ServiceRecord {
        match self.next() {
            Told::Serving(record) => record,
            other => panic!("{other:?}"),
        }
    }

    fn alone(&self) -> ServiceRecord {
        match self.next() {
            Told::Alone(record) => record,
            other => panic!("{other:?}"),
        }
    }

    fn alone_after_serving(&self) {
        self.serving();
        self.alone();
    }

    fn fell_back(&self) -> Setback {
        match self.next() {
            Told::FellBack(setback) => setback,
            other => panic!("{other:?}"),
        }
    }

    fn ended(&self) -> Result<(), SuperviseError> {
        loop {
            if let Told::Ended(result) = self.next() {
                return result;
            }
        }
    }
}

struct House {
    directory: tempfile::TempDir,
    listen: SocketAddr,
}

/// An address that is this test's alone: whoever asks for any port gets one of 127.0.0.1.
fn free() -> SocketAddr {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let [.., high, low] = std::process::id().to_be_bytes();
    let number = u8::try_from(NEXT.fetch_add(1, Ordering::SeqCst)).unwrap();
    SocketAddr::from(([127, 1 + number, high, low], 8080))
}

fn decision(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

fn to(name: &str, on: &[Trigger], confirm: Duration) -> Option<Fallback> {
    Some(Fallback { to: decision(name), on: on.to_vec(), confirm })
}

const LONG: Duration = Duration::from_secs(600);
const BOTH: &[Trigger] = &[Trigger::Start, Trigger::Health];

impl House {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), listen: free() }
    }

    fn directory(&self) -> ServiceDirectory {
        ServiceDirectory::open(self.directory.path().join("shop@local")).unwrap()
    }

    fn start(&self, name: &str, fallback: Option<Fallback>) -> Release {
        self.start_with(name, fallback, self.listen, Arc::default(), true)
    }

    fn start_with(
        &self,
        name: &str,
        fallback: Option<Fallback>,
        listen: SocketAddr,
        behaviour: Arc<Behaviour>,
        wanted: bool,
    ) -> Release {
        let (sender, told) = mpsc::channel();
        let sandbox = Fake { name: name.to_owned(), behaviour: Arc::clone(&behaviour) };
        let mut service = service(fallback, listen);
        if behaviour.ill.load(Ordering::SeqCst) {
            service.health.timeout = Duration::from_secs(1);
        }
        let directory = self.directory();
        let claim =
            Claim { decision: decision(name), release: Digest::of(format!("release {name}").as_bytes()) };
        let _: JoinHandle<()> = thread::spawn(move || {
            let clock: fn() -> Timestamp = Timestamp::now;
            let starter =
                Starter { claim, service: &service, sandbox: &sandbox, directory: &directory, clock };
            let mut progress = |progress: Progress<'_>| {
                let _ = sender.send(match progress {
                    Progress::Serving(record) => Told::Serving(record.clone()),
                    Progress::Alone(record) => Told::Alone(record.clone()),
                    Progress::FellBack(setback) => Told::FellBack(setback.clone()),
                });
            };
            let ended = starter.supervise(|| wanted, &mut progress);
            let _ = sender.send(Told::Ended(ended));
        });
        Release { behaviour, told }
    }

    /// One request.
    fn ask(&self) -> io::Result<String> {
        ask(self.listen)
    }

    fn record(&self) -> ServiceRecord {
        self.directory().read().unwrap()
    }

    fn until(&self, what: &str, holds: impl Fn(&ServiceRecord) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !holds(&self.record()) {
            assert!(Instant::now() < until, "waited for {what}: {:?}", self.record());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let body = answer.strip_prefix("HTTP/1.1 200 OK\r\n").and_then(|rest| rest.split_once("\r\n\r\n"));
    body.map(|(_, body)| body.to_owned()).ok_or_else(|| io::Error::other(format!("no answer: {answer:?}")))
}

fn service(fallback: Option<Fallback>, listen: SocketAddr) -> Service {
    Service {
        project: "shop".parse().unwrap(),
        environment: "local".parse().unwrap(),
        plan: SandboxPlan {
            argv: vec![],
            env: BTreeMap::new(),
            cwd: "/".into(),
            mounts: vec![],
            network: Network::None,
            limits: Limits::default(),
        },
        executable: File::open("/dev/null").unwrap().into(),
        executable_digest: Digest::of(b""),
        root: None,
        config: None,
        health: HealthCheck { port: 1, path: "/healthz".into(), timeout: PATIENCE },
        listen,
        fallback,
    }
}

/// Asks again and again, from threads of its own, until it is dropped; counts.
struct Load {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<(usize, Vec<String>)>>,
}

impl Load {
    fn on(address: SocketAddr) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let threads = (0..2).map(|_| {
            let over = Arc::clone(&over);
            thread::spawn(move || {
                let (mut answered, mut failed) = (0, vec![]);
                while !over.load(Ordering::SeqCst) {
                    match ask(address) {
                        Ok(_) => answered += 1,
                        Err(error) => failed.push(error.to_string()),
                    }
                }
                (answered, failed)
            })
        });
        Self { threads: threads.collect(), over }
    }

    /// Nothing failed.
    fn held(self) {
        self.over.store(true, Ordering::SeqCst);
        for thread in self.threads {
            let (answered, failed) = thread.join().unwrap();
            assert_eq!(failed, Vec::<String>::new(), "of {answered}");
            assert!(answered > 0);
        }
    }
}

#[test]
fn fifty_switches_under_load_lose_no_request() {
    let house = House::new();
    let mut before = house.start("v0", None);
    before.alone_after_serving();
    let load = Load::on(house.listen);
    for number in 1..=50 {
        let name = format!("v{number}");
        // Every second one is replaced within its confirm window.
        let fallback = if number % 2 == 0 { to(&format!("v{}", number - 1), BOTH, LONG) } else { None };
        let next = house.start(&name, fallback);
        let record = next.serving();
        assert_eq!(record.confirm.is_some(), number % 2 == 0);
        if record.confirm.is_none() {
            next.alone();
            before.ended().unwrap();
        }
        assert_eq!(house.ask().unwrap(), name);
        before = next;
    }
    load.held();
    control::stop(&house.directory()).unwrap();
    before.ended().unwrap();
}

#[test]
fn a_release_that_gets_ill_in_its_window_gives_the_traffic_back_and_no_request_is_lost() {
    let house = House::new();
    let old = house.start("old", None);
    old.alone_after_serving();
    let new = house.start("new", to("old", &[Trigger::Health], LONG));
    let record = new.serving();
    assert_eq!(record.standby.unwrap().decision, decision("old"));
    assert!(record.confirm.unwrap() > record.since);
    let load = Load::on(house.listen);
    new.behaviour.ill.store(true, Ordering::SeqCst);
    let setback = new.fell_back();
    assert_eq!(house.ask().unwrap(), "old");
    load.held();
    new.ended().unwrap();
    assert_eq!((setback.reason.code, setback.decision), (Code::Fallback, decision("new")));
    assert!(setback.reason.sentence().contains("503"), "{}", setback.reason);
    assert!(!setback.reason.next().contains('{'), "{}", setback.reason.next());
    assert_eq!(house.directory().setback(), Some(setback));
    let back = house.record();
    assert_eq!((back.state, back.decision, back.standby), (ServiceState::Serving, decision("old"), None));
    assert!(back.since > record.since);
    // The next one is not marked by it.
    house.start("newer", to("old", BOTH, LONG)).serving();
    assert_eq!(house.directory().setback(), None);
}

#[test]
fn a_release_whose_process_ends_in_its_window_gives_the_traffic_back() {
    let house = House::new();
    house.start("old", None).alone_after_serving();
    let new = house.start("new", to("old", &[Trigger::Start], LONG));
    new.serving();
    new.behaviour.die();
    assert_eq!(new.fell_back().reason.code, Code::Fallback);
    assert_eq!(house.ask().unwrap(), "old");
    new.ended().unwrap();
    assert_eq!(new.behaviour.starts.load(Ordering::SeqCst), 1);
}

#[test]
fn only_what_the_environment_names_triggers_a_fallback() {
    let house = House::new();
    house.start("old", None).alone_after_serving();
    let new = house.start("new", to("old", &[Trigger::Health], LONG));
    new.serving();
    new.behaviour.die();
    house.until("a restart", |record| record.restarts == 1 && record.state == ServiceState::Serving);
    assert_eq!(house.ask().unwrap(), "new");
    assert!(house.record().standby.is_some());
}

#[test]
fn a_release_that_no_decision_names_is_not_fallen_back_to() {
    let house = House::new();
    let old = house.start("old", None);
    old.alone_after_serving();
    let new = house.start("new", to("another", BOTH, LONG));
    assert_eq!(new.serving().confirm, None);
    assert_eq!(new.alone().standby, None);
    old.ended().unwrap();
    new.behaviour.die();
    house.until("a restart", |record| record.restarts == 1 && record.state == ServiceState::Serving);
    assert_eq!(house.ask().unwrap(), "new");
}

#[test]
fn after_the_window_the_one_before_ends() {
    let house = House::new();
    let old = house.start("old", None);
    old.alone_after_serving();
    let new = house.start("new", to("old", BOTH, Duration::from_millis(300)));
    assert!(new.serving().standby.is_some());
    let record = new.alone();
    old.ended().unwrap();
    assert_eq!((record.standby, record.confirm, record.state), (None, None, ServiceState::Serving));
    new.behaviour.ill.store(true, Ordering::SeqCst);
    assert_eq!(house.ask().unwrap(), "new");
}

#[test]
fn a_standby_that_dies_is_no_way_back() {
    let house = House::new();
    let old = house.start("old", None);
    old.alone_after_serving();
    let new = house.start("new", to("old", BOTH, LONG));
    new.serving();
    // It is started again as often as any other, and then it is given up.
    house.until("the standby to be gone", |record| {
        old.behaviour.die();
        record.standby.is_none() && record.confirm.is_none()
    });
    old.ended().unwrap();
    new.alone();
    new.behaviour.die();
    house.until("a restart", |record| record.restarts == 1 && record.state == ServiceState::Serving);
    assert_eq!(house.ask().unwrap(), "new");
}

/// What is left when a new supervisor is killed right after it got the socket: its connection ends.
#[test]
fn a_successor_that_dies_without_a_word_leaves_the_traffic_where_it_was() {
    let house = House::new();
    house.start("old", None).alone_after_serving();
    let load = Load::on(house.listen);
    for round in 0..20 {
        let path = house.directory().path().join("control.sock");
        let mut stream = loop {
            match UnixStream::connect(&path) {
                Ok(stream) => break stream,
                Err(_) => thread::yield_now(),
            }
        };
        let claim = Claim { decision: decision("new"), release: decision("its release") };
        let claim = serde_json::to_string(&claim).unwrap();
        stream.write_all(format!("handover {claim}\n").as_bytes()).unwrap();
        if round % 2 == 0 {
            let mut answer = [0; 8];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"listener");
        }
        drop(stream);
        assert_eq!(house.ask().unwrap(), "old", "round {round}");
    }
    load.held();
    let until = Instant::now() + PATIENCE;
    while house.directory().setback().is_none() {
        assert!(Instant::now() < until);
        thread::sleep(Duration::from_millis(5));
    }
    let setback = house.directory().setback().unwrap();
    assert_eq!((setback.reason.code, setback.decision), (Code::Fallback, decision("new")));
    control::stop(&house.directory()).unwrap();
}

#[test]
fn stopping_ends_the_standby_too() {
    let house = House::new();
    let old = house.start("old", None);
    old.alone_after_serving();
    let new = house.start("new", to("old", BOTH, LONG));
    new.serving();
    control::stop(&house.directory()).unwrap();
    old.ended().unwrap();
    new.ended().unwrap();
    assert_eq!(house.record().state, ServiceState::Stopped);
    assert!(house.ask().is_err());
    assert!(control::stop(&house.directory()).is_err());
    // And the port is free for the next.
    house.start("next", None).alone_after_serving();
    assert_eq!(house.ask().unwrap(), "next");
}

#[test]
fn what_does_not_get_healthy_or_is_not_wanted_or_finds_its_port_taken_changes_nothing() {
    let house = House::new();
    house.start("old", None).alone_after_serving();
    let before = house.record();
    let ill = Arc::<Behaviour>::default();
    ill.ill.store(true, Ordering::SeqCst);
    let unhealthy = house.start_with("ill", None, house.listen, ill, true).ended().unwrap_err();
    let SuperviseError::Unhealthy(reason) = unhealthy else { panic!("{unhealthy:?}") };
    assert_eq!(reason.code, Code::Health);
    assert_eq!(house.directory().setback().map(|setback| setback.reason), Some(reason));
    let unwanted = house.start_with("late", None, house.listen, Arc::default(), false).ended();
    assert!(matches!(unwanted, Err(SuperviseError::Unwanted)), "{unwanted:?}");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let refused = house.start_with("elsewhere", None, address, Arc::default(), true).ended();
    assert!(matches!(refused, Err(SuperviseError::Io { .. })), "{refused:?}");
    assert_eq!(house.ask().unwrap(), "old");
    house.until("the traffic to be back", |record| record.decision == before.decision);
    house.start("new", None).serving();
    assert_eq!(house.ask().unwrap(), "new");
}

#[test]
fn a_release_can_move_to_another_port() {
    let house = House::new();
    house.start("old", None).alone_after_serving();
    let address = free();
    let new = house.start_with("new", None, address, Arc::default(), true);
    new.alone_after_serving();
    assert_eq!(ask(address).unwrap(), "new");
    assert!(house.ask().is_err());
}

#[test]
fn nonsense_on_the_control_socket_changes_nothing() {
    let house = House::new();
    house.start("old", None).alone_after_serving();
    let path = house.directory().path().join("control.sock");
    let silent = UnixStream::connect(&path).unwrap();
    for nonsense in [
        &b"\n"[..],
        b"stop",
        b"stop now\n",
        b"stop\nstop\n",
        b"retire\n",
        b"resume\n",
        b"handover\n",
        b"handover {}\n",
        b"handover {\"decision\":1,\"release\":2}\n",
        b"\xff\xfe\n",
        &[b'x'; 64 << 10],
    ] {
        let mut stream = UnixStream::connect(&path).unwrap();
        // It hangs up in the middle of what is too long.
        let _ = stream.write_all(nonsense);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        assert_eq!(stream.read(&mut [0; 16]).unwrap_or(0), 0, "{nonsense:?}");
    }
    drop(silent);
    assert_eq!(house.ask().unwrap(), "old");
    control::stop(&house.directory()).unwrap();
}

/// A supervisor of a version that knows one word.
#[test]
fn a_supervisor_that_knows_no_hand_over_is_stopped() {
    let house = House::new();
    let first = UnixListener::bind(house.directory().path().join("control.sock")).unwrap();
    let port = TcpListener::bind(house.listen).unwrap();
    let stopped = thread::spawn(move || {
        for stream in first.incoming() {
            let (mut stream, mut word) = (stream.unwrap(), [0; 5]);
            if stream.read_exact(&mut word).is_ok() && &word == b"stop\n" {
                drop(port);
                stream.write_all(b"stopped\n").unwrap();
                return;
            }
        }
    });
    house.start("new", None).alone_after_serving();
    stopped.join().unwrap();
    assert_eq!(house.ask().unwrap(), "new");
}
