//! A small HTTP service, compiled once. What it answers stands behind the last newline of its own file, so that a
//! pipeline makes another version of it with `cat`.

use crate::world::{Ran, World};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixListener},
    },
    process::Command,
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

/// A pipeline of a project `shop`: one step with this script and a place `out`, the keys of what is made of that, and a
/// test that passes unless the commit has a file `broken`.
pub(crate) fn pipeline(script: &str, artifact: &str) -> String {
    let script = script.replace('\n', "\n        ");
    let artifact = artifact.replace('\n', "\n    ");
    format!(
        "version: 1\nproject: shop\nbuild:\n  steps:\n    - name: make\n      run: |\n        {script}\n      out: [out]\n  \
         artifact:\n    {artifact}\nevidence:\n  - {{test: unit, on: source, run: test ! -e broken}}\n"
    )
}

/// What makes a version of the service.
pub(crate) const MAKE: &str = "cat service version > out/service; chmod +x out/service";

/// The pipeline of the service.
pub(crate) fn service_pipeline() -> String {
    pipeline(MAKE, "files: [out/service]")
}

/// What it does is the first word of its version.
const SOURCE: &str = r#"
use std::io::{Read, Write};
unsafe extern "C" {
    fn signal(number: i32, action: usize) -> usize;
    fn fork() -> i32;
}
fn main() {
    let own = std::fs::read(std::env::args().next().unwrap()).unwrap();
    let mut version = String::from_utf8_lossy(own.rsplit(|byte| *byte == b'\n').next().unwrap()).into_owned();
    println!("version {version}");
    let does = version.clone();
    let is = |word: &str| does.starts_with(word);
    let status = match () {
        () if is("ill") => "503 Service Unavailable",
        () if is("redirects") => "302 Found\r\nLocation: /",
        () => "200 OK",
    };
    if is("slow") {
        std::thread::sleep(std::time::Duration::from_millis(2500));
    }
    if is("quits") || (is("forks") && unsafe { fork() } != 0) {
        return;
    }
    if is("forks") {
        // Whoever answers at once may be asked before anybody knows that its parent has ended.
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    if is("stubborn") {
        unsafe { signal(15, 1) };
    }
    if is("dies") {
        std::thread::spawn(|| {
            std::thread::sleep(std::time::Duration::from_secs(3));
            std::process::exit(1);
        });
    }
    if is("keeps") {
        let mut kept = std::fs::File::options().create(true).append(true).open("/data/kept").unwrap();
        write!(kept, "{version};").unwrap();
        version = std::fs::read_to_string("/data/kept").unwrap();
    }
    let began = std::time::Instant::now();
    let (mut leaked, mut held) = (vec![], vec![]);
    if is("busy") {
        std::fs::write("/tmp/own", &version).unwrap();
        std::process::Command::new("/bin/sh").args(["-c", "sleep 1000 & wait"]).spawn().unwrap();
    }
    while is("leaks") && let Ok(file) = std::fs::File::open("/proc/self/exe") {
        leaked.push(file);
    }
    let address = match () {
        () if is("elsewhere") => "127.0.0.1:9090",
        () if is("anywhere") => "0.0.0.0:8080",
        () if is("six") => "[::1]:8080",
        () => "127.0.0.1:8080",
    };
    let listener = std::net::TcpListener::bind(address).unwrap();
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let mut request = [0; 1024];
        let length = stream.read(&mut request).unwrap_or(0);
        if is("becomes") && request[..length].starts_with(b"GET /become ") {
            let error = std::os::unix::process::CommandExt::exec(std::process::Command::new("/bin/sleep").arg("1000"));
            panic!("{error}");
        }
        if is("hangs") {
            held.push(stream);
            continue;
        }
        while is("streams") && stream.write_all(&[b'H'; 512]).is_ok() {}
        let sick = is("sickens") && began.elapsed().as_secs() > 3;
        let status = if sick { "503 Service Unavailable" } else { status };
        let _ = write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n\r\n{version}");
    }
}
"#;

pub(crate) static EXECUTABLE: LazyLock<Vec<u8>> = LazyLock::new(|| compile(&[]));

/// The service for an image that holds nothing else.
pub(crate) static SELF_CONTAINED: LazyLock<Vec<u8>> =
    LazyLock::new(|| compile(&["-Ctarget-feature=+crt-static"]));

fn compile(flags: &[&str]) -> Vec<u8> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (source, executable) = (directory.path().join("service.rs"), directory.path().join("service"));
    fs::write(&source, SOURCE).expect("a source file");
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "-Cstrip=symbols", "-Cpanic=abort"]).args(flags);
    rustc.arg("-o").arg(&executable).arg(&source);
    assert_eq!(Ran::of(&mut rustc).status, 0, "rustc does not compile the service");
    fs::read(executable).expect("the service")
}

/// A port that nothing listens on, below those that the system gives to clients. No other test gets it as long as this
/// process lives: there is a socket of its name.
pub(crate) fn free_port() -> u16 {
    static OURS: Mutex<Vec<UnixListener>> = Mutex::new(vec![]);
    let mut ours = OURS.lock().unwrap_or_else(PoisonError::into_inner);
    for port in 20_000..32_000 {
        let name = SocketAddr::from_abstract_name(format!("plimsoll-test-port-{port}")).expect("a name");
        if let Ok(name) = UnixListener::bind_addr(&name)
            && TcpListener::bind(("127.0.0.1", port)).is_ok()
        {
            ours.push(name);
            return port;
        }
    }
    panic!("there is no free port");
}

/// A world with the service, a delivery repository, and an environment `local` that listens on a port of its own.
pub(crate) struct Shop {
    pub(crate) world: World,
    pub(crate) port: u16,
    ports: Vec<u16>,
}

impl Shop {
    /// Version `v1` is committed, and nothing has run.
    pub(crate) fn new() -> Self {
        Self::with(&["local"])
    }

    /// The same with these environments, each after the one before, which listen on ports from `port` on.
    pub(crate) fn with(environments: &[&str]) -> Self {
        Self::from(environments, |world| {
            world.repository.write_executable("service", &*EXECUTABLE);
            world.repository.write("plimsoll.yaml", service_pipeline());
        })
    }

    /// The same with a service and a pipeline that `prepare` writes.
    pub(crate) fn from(environments: &[&str], prepare: impl FnOnce(&World)) -> Self {
        // Further environments take further ports.
        let ports: Vec<u16> = environments.iter().map(|_| free_port()).collect();
        let shop = Self { world: World::empty(), port: ports[0], ports };
        prepare(&shop.world);
        shop.commit_version("v1");
        let (delivery, key) = (shop.world.delivery(), shop.world.person.private_path().with_extension("pub"));
        let (delivery, key) = (delivery.to_str().expect("text"), key.to_str().expect("text"));
        let names = environments.join(",");
        shop.world.plimsoll(&["init", "--delivery", delivery, "--key", key, "--environments", &names]).ok();
        for ((name, port), listen) in environments.iter().zip(&shop.ports).zip(8080..) {
            shop.world.change_delivery(&format!("environments/{name}/shop/target.yaml"), |target| {
                let target = target.replace(&format!("listen: {listen}"), &format!("listen: {port}"));
                format!("{target}  start-timeout: 8s\n")
            });
        }
        shop
    }

    /// Commits a version to the current branch; it runs nowhere yet.
    pub(crate) fn commit_version(&self, version: &str) {
        self.world.repository.write("version", format!("\n{version}"));
        self.world.repository.commit(version);
    }

    /// Commits, builds and promotes a version, which then serves.
    pub(crate) fn deliver(&self, version: &str) -> serde_json::Value {
        self.commit_version(version);
        self.world.plimsoll(&["run"]).ok();
        self.promote().ok().value()
    }

    pub(crate) fn promote(&self) -> Ran {
        self.world.json(&["promote", "shop", "--to", "local"])
    }

    /// What the service answers; none when nobody does.
    pub(crate) fn answer(&self) -> Option<String> {
        self.answer_at(0)
    }

    /// What the service answers in an environment, by its place.
    pub(crate) fn answer_at(&self, environment: usize) -> Option<String> {
        answer(self.ports[environment])
    }

    /// The state of the service that `status` shows.
    pub(crate) fn state(&self) -> String {
        let status = self.world.json(&["status"]).ok().value();
        crate::world::text(&status["services"][0]["service"]["state"]).to_owned()
    }
}

/// What whoever listens on `port` answers; none when nobody does.
pub(crate) fn answer(port: u16) -> Option<String> {
    answer_about(port, "/")
}

/// The same about a path.
pub(crate) fn answer_about(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    // In one piece: the service reads once.
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}
