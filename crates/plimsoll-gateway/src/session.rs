//! One connection from its request to its end: judge the request, the addresses and the greeting, in this order, and
//! send nothing to the host before all three are right.

use crate::{
    Shared, address, hello,
    hello::{Hello, HelloError},
    request::{self, RequestError, Target},
    tunnel::{self, Budget, Cut},
    wait::Ended,
};
use plimsoll_engine::ports::{AllowedHost, Host, UNREACHABLE};
use plimsoll_model::{reason::printable, record::NetworkEvent};
use std::{
    io::{self, Write as _},
    net::{IpAddr, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

const RESOLVE_TIME: Duration = Duration::from_secs(15);
const CONNECT_TIME: Duration = Duration::from_secs(15);
/// Addresses of one name that are looked at.
const MAX_ADDRESSES: usize = 16;

/// Why a connection was refused or cut.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Denial {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("it is not a host that this fetch may reach")]
    NotAllowed,
    #[error("{0}")]
    Address(String),
    #[error("{UNREACHABLE}its name cannot be looked up: {0}")]
    Unresolved(io::Error),
    #[error("{UNREACHABLE}{0}")]
    Unreachable(io::Error),
    #[error("too many connections at once")]
    TooMany,
    #[error("the client did not finish its request in time")]
    Slow,
    #[error("the client closed the connection before it had asked")]
    Closed,
    #[error("cut off when the client's sandbox ended")]
    Stopped,
    #[error(transparent)]
    Hello(#[from] HelloError),
    #[error("the TLS greeting names {0} instead")]
    OtherName(String),
    #[error("the TLS greeting names no server")]
    NoName,
    #[error(transparent)]
    Cut(#[from] Cut),
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
}

impl From<Ended> for Denial {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Deadline => Self::Slow,
            Ended::Stopped => Self::Stopped,
        }
    }
}

/// Serves one connection and records what came of it.
pub(crate) fn serve(client: TcpStream, shared: &Shared) {
    let mut session = Session {
        shared,
        client,
        event: NetworkEvent { host: "?".into(), port: 0, address: None, refused: None, sent: 0, received: 0 },
        answered: false,
    };
    if let Err(denial) = session.run() {
        session.refuse(&denial);
    }
    shared.record(session.event);
}

/// Refuses a connection unread, because there are too many.
pub(crate) fn refuse(client: TcpStream, shared: &Shared) {
    let event =
        NetworkEvent { host: "?".into(), port: 0, address: None, refused: None, sent: 0, received: 0 };
    let mut session = Session { shared, client, event, answered: false };
    session.refuse(&Denial::TooMany);
    shared.record(session.event);
}

struct Session<'a> {
    shared: &'a Shared,
    client: TcpStream,
    event: NetworkEvent,
    /// Whether the client has been told that it is connected, so that no refusal can be sent any more.
    answered: bool,
}

impl Session<'_> {
    fn run(&mut self) -> Result<(), Denial> {
        self.client.set_nonblocking(true)?;
        let (target, rest) = self.request()?;
        let host = self.connect(&target)?;
        self.client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        self.answered = true;
        let greeting = self.greeting(&target.host, rest)?;
        self.tunnel(&host, greeting)
    }

    /// The request, and what the client sent behind it.
    fn request(&mut self) -> Result<(Target, Vec<u8>), Denial> {
        let deadline = Instant::now() + self.shared.rules.limits.greeting_time;
        let mut bytes = Vec::new();
        let length = loop {
            if let Some(length) = request::head_length(&bytes)? {
                break length;
            }
            self.more(&mut bytes, deadline)?;
        };
        let rest = bytes.split_off(length);
        let target = request::read(&bytes).inspect_err(|error| {
            self.event.host = printable(error.asked(), 300);
        })?;
        self.event.host = target.host.to_string();
        self.event.port = target.port;
        Ok((target, rest))
    }

    fn more(&mut self, bytes: &mut Vec<u8>, deadline: Instant) -> Result<(), Denial> {
        let mut buffer = [0; 4096];
        match self.shared.stopped.read(&mut self.client, &mut buffer, deadline)? {
            Ok(0) => Err(Denial::Closed),
            Ok(count) => {
                bytes.extend_from_slice(&buffer[..count]);
                Ok(())
            }
            Err(ended) => Err(ended.into()),
        }
    }

    /// Connects to the first address of an allowed host that may be connected to.
    fn connect(&mut self, target: &Target) -> Result<TcpStream, Denial> {
        let rules = &self.shared.rules.hosts;
        let allowed = rules.iter().filter(|rule| rule.matches(&target.host, target.port));
        let private = allowed.map(|AllowedHost { private, .. }| *private).reduce(|a, b| a || b);
        let private = private.ok_or(Denial::NotAllowed)?;
        let mut problem = None;
        for address in self.addresses(&target.host)? {
            let own = self.shared.upstream.is_own(address);
            if let Some(objection) = address::objection(address, own, private) {
                problem = problem.or(Some(Denial::Address(objection)));
                continue;
            }
            let address = SocketAddr::new(address, target.port);
            match self.shared.upstream.connect(address, CONNECT_TIME) {
                Ok(host) => {
                    host.set_nonblocking(true)?;
                    // Small records of the TLS handshake must not wait for each other.
                    host.set_nodelay(true)?;
                    self.client.set_nodelay(true)?;
                    self.event.address = Some(address.ip().to_string());
                    return Ok(host);
                }
                Err(error) => problem = Some(Denial::Unreachable(error)),
            }
        }
        Err(problem.unwrap_or_else(|| Denial::Unresolved(io::ErrorKind::NotFound.into())))
    }

    fn addresses(&self, host: &Host) -> Result<Vec<IpAddr>, Denial> {
        let name = match host {
            Host::Address(address) => return Ok(vec![*address]),
            Host::Name(name) => name,
        };
        let found = self.shared.upstream.resolve(name, RESOLVE_TIME).map_err(Denial::Unresolved)?;
        let mut addresses: Vec<IpAddr> = Vec::new();
        for address in found {
            if !addresses.contains(&address) && addresses.len() < MAX_ADDRESSES {
                addresses.push(address);
            }
        }
        Ok(addresses)
    }

    /// Everything that the client sent up to the end of its TLS greeting, which must name the host of the request.
    fn greeting(&mut self, host: &Host, mut bytes: Vec<u8>) -> Result<Vec<u8>, Denial> {
        let deadline = Instant::now() + self.shared.rules.limits.greeting_time;
        let name = loop {
            match hello::read(&bytes)? {
                Hello::Whole(name) => break name,
                Hello::Partial => self.more(&mut bytes, deadline)?,
            }
        };
        match (host, name) {
            (Host::Name(host), Some(name)) if *host == name => Ok(bytes),
            // RFC 6066 3: literal addresses are not permitted as server names.
            (Host::Address(_), None) => Ok(bytes),
            (_, Some(name)) => Err(Denial::OtherName(printable(&name, 300))),
            (Host::Name(_), None) => Err(Denial::NoName),
        }
    }

    fn tunnel(&mut self, host: &TcpStream, greeting: Vec<u8>) -> Result<(), Denial> {
        let limits = &self.shared.rules.limits;
        let budget = Budget {
            bytes: limits.connection_bytes,
            total: limits.total_bytes,
            used: &self.shared.bytes,
            idle: limits.idle,
            deadline: Instant::now() + limits.connection_time,
        };
        let (moved, cut) = tunnel::run(&self.client, host, greeting, &budget, &self.shared.stopped);
        self.event.sent = moved.sent;
        self.event.received = moved.received;
        // The sandbox ends when the client is done; connections that it kept open for later are no refusals.
        cut.filter(|cut| *cut != Cut::Stopped).map_or(Ok(()), |cut| Err(cut.into()))
    }

    /// Tells the client, if it still can be told, and the record.
    fn refuse(&mut self, denial: &Denial) {
        let problem = printable(&denial.to_string(), 500);
        if !self.answered {
            let status =
                if matches!(denial, Denial::Unresolved(_) | Denial::Unreachable(_)) { 502 } else { 403 };
            let line = format!("E-NET-DENIED {}:{}: {problem}", self.event.host, self.event.port);
            let line: String = line.chars().map(|c| if c.is_ascii_graphic() { c } else { ' ' }).collect();
            let answer = format!(
                "HTTP/1.1 {status} {line}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{line}\n",
                line.len() + 1
            );
            // Whoever does not read why it was refused is refused all the same.
            let _ = self.client.write_all(answer.as_bytes());
        }
        self.event.refused = Some(problem);
    }
}
