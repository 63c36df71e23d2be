//! A small HTTP service, compiled once. It keeps each connection for as long as its client does. What it answers stands
//! behind the last newline of its own file, so that a pipeline makes another version of it with `cat`.

use super::{Bench, case::succeed, load};
use crate::project::Result;
use std::{
    io::Write as _,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

/// Listens on the port of its first argument, or on 8080.
const SOURCE: &str = r#"
use std::{io::{Read, Write}, net::{TcpListener, TcpStream}};
fn main() {
    let mut arguments = std::env::args();
    let own = std::fs::read(arguments.next().unwrap()).unwrap();
    let port = arguments.next().map_or(8080, |port| port.parse().unwrap());
    let version = String::from_utf8_lossy(own.rsplit(|byte| *byte == b'\n').next().unwrap()).into_owned();
    let version: &'static str = version.leak();
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || serve(stream, version));
    }
}
fn serve(mut stream: TcpStream, version: &str) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let has = |request: &[u8], text: &[u8]| request.windows(text.len()).any(|part| part == text);
    loop {
        let (mut request, mut part) = (Vec::new(), [0; 4096]);
        while !has(&request, b"\r\n\r\n") {
            let length = stream.read(&mut part).ok().filter(|length| *length > 0)?;
            request.extend_from_slice(&part[..length]);
        }
        let length = version.len();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{version}");
        stream.write_all(answer.as_bytes()).ok()?;
        if has(&request, b"Connection: close") {
            return None;
        }
    }
}
"#;

/// A project that makes the service from its two files.
pub(super) const PIPELINE: &str = "\
version: 1
project: shop
build:
  steps:
    - {name: make, run: 'cat service version > out/service; chmod +x out/service', out: [out]}
  artifact: {files: [out/service]}
evidence:
  - {test: unit, on: source, run: [/bin/true]}
";

/// How long a service may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two questions whether it answers.
const PAUSE: Duration = Duration::from_millis(1);

/// Compiles the service. Gives its file.
pub(super) fn compiled(bench: &Bench<'_>) -> Result<PathBuf> {
    let (source, service) = (bench.scratch.join("service.rs"), bench.scratch.join("service"));
    std::fs::write(&source, SOURCE)?;
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "-O", "-Cstrip=symbols", "-Cpanic=abort", "-o"]);
    succeed(rustc.arg(&service).arg(&source))?;
    Ok(service)
}

/// The version `name` of the compiled service, as a program of its own beside it.
pub(super) fn version(service: &Path, name: &str) -> Result<PathBuf> {
    let file = service.with_file_name(format!("service-{name}"));
    std::fs::copy(service, &file)?;
    std::fs::File::options().append(true).open(&file)?.write_all(format!("\n{name}").as_bytes())?;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))?;
    Ok(file)
}

/// A port that nothing listens on, below those that the system gives to clients.
pub(super) fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 400)? * 25;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed) % 2_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
}

/// A program that ends with this value.
pub(super) struct Running(Child);

impl Running {
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        Ok(Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that ended already is no problem here.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until whoever listens on `port` answers `version`.
pub(super) fn until_it_answers(port: u16, version: &str) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    while load::ask(port).ok().as_deref() != Some(version) {
        if Instant::now() >= until {
            return Err(format!("nothing on port {port} answers {version}").into());
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}
