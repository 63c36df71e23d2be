//! What it costs that connections to a service go through a front and into its sandbox: against the same program without
//! anything in between, and against HAProxy in between.

use super::{
    Bench, Measurement,
    case::{Case, Side, succeed},
    hosted,
    load::{Load, Mode, within},
    machine::said,
    service::{self, Running},
    shop::Shop,
};
use crate::project::Result;
use std::{path::Path, process::Command, rc::Rc};

/// Clients at once where the time for all requests is taken.
const CLIENTS: usize = 4;
/// The answer of the service everywhere.
const VERSION: &str = "v1";

pub(super) fn measurements(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    let ways = Rc::new(Ways::open(bench)?);
    let mut measurements = Vec::new();
    for asked in ASKED {
        for (name, port) in [("direct connection".to_owned(), ways.direct), (haproxy_name(), ways.haproxy)] {
            let (ours, peer) = (asked.side("plimsoll", &ways, ways.front), asked.side(&name, &ways, port));
            let what = asked.what();
            let case = Case { name: asked.name, what, limit: None, pairs: 31, ours, peer };
            measurements.push(Measurement::Case(case));
        }
    }
    Ok(measurements)
}

/// What is asked, and what is taken of it.
#[derive(Clone, Copy)]
struct Asked {
    name: &'static str,
    mode: Mode,
    requests: usize,
    taken: Taken,
}

#[derive(Clone, Copy)]
enum Taken {
    /// The time for all requests of several clients.
    All,
    /// The time within which this part of the requests of a single client was answered.
    Within(f64),
}

const ASKED: [Asked; 6] = [
    Asked { name: "proxy-kept", mode: Mode::Kept, requests: 2_000, taken: Taken::All },
    Asked { name: "proxy-kept-p50", mode: Mode::Kept, requests: 2_000, taken: Taken::Within(0.5) },
    Asked { name: "proxy-kept-p99", mode: Mode::Kept, requests: 2_000, taken: Taken::Within(0.99) },
    Asked { name: "proxy-fresh", mode: Mode::Fresh, requests: 250, taken: Taken::All },
    Asked { name: "proxy-fresh-p50", mode: Mode::Fresh, requests: 500, taken: Taken::Within(0.5) },
    Asked { name: "proxy-fresh-p99", mode: Mode::Fresh, requests: 500, taken: Taken::Within(0.99) },
];

impl Asked {
    fn what(self) -> String {
        let connections = match self.mode {
            Mode::Kept => "a connection that is kept",
            Mode::Fresh => "a connection for each",
        };
        match self.taken {
            Taken::All => {
                format!("{} requests of {CLIENTS} clients, {connections}", self.requests * CLIENTS)
            }
            Taken::Within(part) => {
                format!("request of a single client, {connections}: {} % take at most", part * 100.0)
            }
        }
    }

    fn side(self, name: &str, ways: &Rc<Ways>, port: u16) -> Side {
        let Self { mode, requests, taken, .. } = self;
        // What answers lives as long as somebody asks it.
        let ways = Rc::clone(ways);
        let load = move |clients| {
            let _ways = &ways;
            Load { port, mode, clients, requests }.run()
        };
        match taken {
            Taken::All => Side::new(name, move || load(CLIENTS).map(drop)),
            Taken::Within(part) => Side::measured(name, move || within(load(1)?, part)),
        }
    }
}

/// The service, and three ways to it.
struct Ways {
    shop: Shop,
    /// Plimsoll's front.
    front: u16,
    /// The program itself.
    direct: u16,
    /// HAProxy before the program.
    haproxy: u16,
    _running: [Running; 2],
}

impl Ways {
    fn open(bench: &Bench<'_>) -> Result<Self> {
        let [front, direct, haproxy] = [service::free_port()?, service::free_port()?, service::free_port()?];
        let service = service::compiled(bench)?;
        let program = service::version(&service, VERSION)?;
        let running = [
            Running::start(Command::new(program).arg(direct.to_string()))?,
            start_haproxy(&bench.scratch, haproxy, direct)?,
        ];
        let ways = Self { shop: shop(bench, &service, front)?, front, direct, haproxy, _running: running };
        succeed(&mut ways.shop.plimsoll(&["run"]))?;
        succeed(&mut ways.shop.plimsoll(&["promote", "shop", "--to", "local"]))?;
        for port in [front, direct, haproxy] {
            service::until_it_answers(port, VERSION)?;
        }
        Ok(ways)
    }
}

impl Drop for Ways {
    fn drop(&mut self) {
        hosted::stop(&mut self.shop.plimsoll(&["stop", "shop@local"]));
    }
}

fn shop(bench: &Bench<'_>, service: &Path, port: u16) -> Result<Shop> {
    let (listen, bytes) = (port.to_string(), std::fs::read(service)?);
    Shop::of(bench, &["--environments", "local", "--listen", &listen], |repository| {
        repository.write_executable("service", bytes);
        repository.write("version", format!("\n{VERSION}"));
        repository.write("plimsoll.yaml", service::PIPELINE);
    })
}

/// Passes bytes on, as Plimsoll does: it does not look into requests.
fn start_haproxy(scratch: &Path, port: u16, to: u16) -> Result<Running> {
    let file = scratch.join("haproxy.cfg");
    let text = format!(
        "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1m\n  timeout server 1m\n\
         listen front\n  bind 127.0.0.1:{port}\n  server service 127.0.0.1:{to}\n"
    );
    std::fs::write(&file, text)?;
    Running::start(haproxy().args(["-db", "-f"]).arg(file))
}

/// Debian has it where only root looks for programs.
fn haproxy() -> Command {
    let debian = Path::new("/usr/sbin/haproxy");
    Command::new(if debian.exists() { debian } else { Path::new("haproxy") })
}

fn haproxy_name() -> String {
    let version = said(haproxy().arg("-v"));
    let version = version.split(' ').nth(2).unwrap_or("unknown").split('-').next().unwrap_or_default();
    format!("HAProxy {version}")
}
