//! The only way out of a sandbox. The engine says which hosts a client may reach; an adapter serves the listener of
//! [`super::Network::Gateway`] by these rules and records every decision.

use plimsoll_model::record::NetworkEvent;
use std::{
    fmt, io,
    net::{IpAddr, TcpListener},
    str::FromStr,
    time::Duration,
};

/// A host as clients name it: a DNS name in lower case without a trailing dot, or a literal address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A name of at least one label: letters, digits, `-` and `_`; the last label is not a number.
    Name(String),
    /// An IP address.
    Address(IpAddr),
}

/// Text that names no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a host name: {problem}")]
pub struct HostError {
    text: String,
    problem: &'static str,
}

impl FromStr for Host {
    type Err = HostError;

    /// Reads a name, an IPv4 address, or an IPv6 address with or without brackets.
    fn from_str(text: &str) -> Result<Self, HostError> {
        let error = |problem| Err(HostError { text: text.chars().take(200).collect(), problem });
        let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Ok(address) = bracketed.unwrap_or(text).parse::<IpAddr>() {
            let brackets_fit = bracketed.is_none() || address.is_ipv6();
            return if brackets_fit {
                Ok(Self::Address(address))
            } else {
                error("an IPv4 address in brackets")
            };
        }
        let name = text.to_ascii_lowercase();
        if name.len() > 253 {
            return error("it is longer than 253 bytes");
        }
        if !name.split('.').all(is_label) {
            return error("a label is empty, too long or has other characters than letters, digits, - and _");
        }
        if name.rsplit('.').next().is_some_and(is_number) {
            return error("it looks like a number, which resolvers take for an address");
        }
        Ok(Self::Name(name))
    }
}

fn is_label(label: &str) -> bool {
    let inside = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=63).contains(&label.len())
        && label.bytes().all(inside)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn is_number(label: &str) -> bool {
    let digits = label.strip_prefix("0x").unwrap_or(label);
    label.bytes().all(|b| b.is_ascii_digit())
        || (digits.len() < label.len() && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// A host that a client may reach.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AllowedHost {
    /// The host.
    pub host: Host,
    /// Whether every name below it is meant as well.
    pub subdomains: bool,
    /// The port.
    pub port: u16,
    /// Whether it may stand at a private address. Loopback, link-local, metadata and own addresses are refused either
    /// way.
    pub private: bool,
}

impl AllowedHost {
    /// The host on port 443, alone, at a public address.
    #[must_use]
    pub const fn exactly(host: Host) -> Self {
        Self { host, subdomains: false, port: 443, private: false }
    }

    /// Whether this entry allows `host` and `port`.
    #[must_use]
    pub fn matches(&self, host: &Host, port: u16) -> bool {
        self.port == port && (self.host == *host || (self.subdomains && is_below(host, &self.host)))
    }
}

fn is_below(host: &Host, domain: &Host) -> bool {
    match (host, domain) {
        (Host::Name(host), Host::Name(domain)) => {
            host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        }
        _ => false,
    }
}

/// What a client may use up on its way out. Every limit is finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EgressLimits {
    /// Bytes of one connection, both directions together.
    pub connection_bytes: u64,
    /// Bytes of all connections, both directions together.
    pub total_bytes: u64,
    /// Connections at one time; more are refused.
    pub connections: usize,
    /// How long a connection may be silent.
    pub idle: Duration,
    /// How long a connection may last.
    pub connection_time: Duration,
    /// How long a request and a TLS greeting may take to arrive, each.
    pub greeting_time: Duration,
    /// Events that are kept; more are counted.
    pub events: usize,
}

impl Default for EgressLimits {
    fn default() -> Self {
        Self {
            connection_bytes: 4 << 30,
            total_bytes: 8 << 30,
            connections: 64,
            idle: Duration::from_secs(60),
            connection_time: Duration::from_secs(20 * 60),
            greeting_time: Duration::from_secs(10),
            events: 10_000,
        }
    }
}

/// Everything that decides what leaves a sandbox. Without hosts, nothing does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EgressRules {
    /// Who may be reached.
    pub hosts: Vec<AllowedHost>,
    /// What may be used up.
    pub limits: EgressLimits,
}

/// How [`NetworkEvent::refused`] begins when no rule was against the connection, and the host could not be looked up or
/// did not answer.
pub const UNREACHABLE: &str = "unreachable: ";

/// What happened at a gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EgressRecord {
    /// Every connection that was asked for, in the order in which they ended.
    pub events: Vec<NetworkEvent>,
    /// How many more there were than [`EgressLimits::events`].
    pub unrecorded: u64,
}

/// Serves gateways.
pub trait Egress: Send + Sync {
    /// Serves `listener` in the background by `rules` until [`EgressSession::finish`].
    ///
    /// # Errors
    /// When the listener or a thread cannot be set up; then nothing is served.
    fn serve(&self, listener: TcpListener, rules: EgressRules) -> io::Result<Box<dyn EgressSession>>;
}

/// A gateway at work. Dropping it ends it.
pub trait EgressSession: Send {
    /// Ends all connections and tells what happened.
    fn finish(self: Box<Self>) -> EgressRecord;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Host {
        Host::Name(text.into())
    }

    #[test]
    fn a_host_is_a_plain_name_or_an_address() {
        for (text, host) in [
            ("registry.example", Some(name("registry.example"))),
            ("Registry.EXAMPLE", Some(name("registry.example"))),
            ("xn--bcher-kva.example", Some(name("xn--bcher-kva.example"))),
            ("localhost", Some(name("localhost"))),
            ("192.0.2.1", Some(Host::Address([192, 0, 2, 1].into()))),
            ("[2001:db8::1]", Some(Host::Address("2001:db8::1".parse().unwrap()))),
            ("2001:db8::1", Some(Host::Address("2001:db8::1".parse().unwrap()))),
            ("", None),
            (".", None),
            ("registry.example.", None),
            (".registry.example", None),
            ("registry..example", None),
            ("user@registry.example", None),
            ("registry.example:443", None),
            ("registry.example/", None),
            ("registry.example\0.evil.example", None),
            ("registry.example%00", None),
            ("bücher.example", None),
            ("-a.example", None),
            ("*.example", None),
            ("[192.0.2.1]", None),
            ("[::1", None),
            ("127.1", None),
            ("2130706433", None),
            ("0x7f.1", None),
            ("0x7f000001", None),
            ("a.0x7f", None),
            ("[fe80::1%eth0]", None),
        ] {
            assert_eq!(text.parse().ok(), host, "{text:?}");
        }
    }

    #[test]
    fn a_domain_covers_its_subdomains_and_no_look_alikes() {
        let domain = AllowedHost { subdomains: true, ..AllowedHost::exactly(name("registry.example")) };
        for (host, port, allowed) in [
            ("registry.example", 443, true),
            ("index.registry.example", 443, true),
            ("a.b.registry.example", 443, true),
            ("registry.example", 80, false),
            ("evilregistry.example", 443, false),
            ("registry.example.evil.example", 443, false),
            ("example", 443, false),
        ] {
            assert_eq!(domain.matches(&name(host), port), allowed, "{host}:{port}");
        }
        let exact = AllowedHost::exactly(name("registry.example"));
        assert!(!exact.matches(&name("index.registry.example"), 443));
    }
}
