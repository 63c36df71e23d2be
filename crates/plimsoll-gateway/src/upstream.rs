//! The network of this machine, as the gateway uses it: look a name up, recognise own addresses, connect.

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _, UdpSocket},
    sync::mpsc,
    thread,
    time::Duration,
};

/// What a gateway asks of the network. It decides nothing: every address is judged by the gateway, and the address
/// that was judged is the one that is connected to.
pub trait Upstream: Send + Sync {
    /// The addresses of a host name.
    ///
    /// # Errors
    /// When the name cannot be looked up within `limit`.
    fn resolve(&self, name: &str, limit: Duration) -> io::Result<Vec<IpAddr>>;

    /// Whether an address belongs to this machine.
    fn is_own(&self, address: IpAddr) -> bool;

    /// Opens a connection.
    ///
    /// # Errors
    /// When nobody answers within `limit`.
    fn connect(&self, address: SocketAddr, limit: Duration) -> io::Result<TcpStream>;
}

/// The resolver and the network of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Upstream for System {
    /// Asks the system's resolver, which knows no time limit, in a thread of its own that is left behind when it takes
    /// too long.
    fn resolve(&self, name: &str, limit: Duration) -> io::Result<Vec<IpAddr>> {
        let (answer, answered) = mpsc::channel();
        let name = name.to_owned();
        thread::Builder::new().name("resolver".into()).spawn(move || {
            let addresses = (name.as_str(), 0).to_socket_addrs();
            let addresses = addresses.map(|found| found.map(|address| address.ip()).collect::<Vec<_>>());
            // Nobody listens any more when the limit has passed.
            let _ = answer.send(addresses);
        })?;
        answered.recv_timeout(limit).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Only an own address can be bound to. Where `ip_nonlocal_bind` lets every address be bound, all count as own and
    /// nothing is reachable: the safe side.
    fn is_own(&self, address: IpAddr) -> bool {
        UdpSocket::bind((address, 0)).is_ok()
    }

    fn connect(&self, address: SocketAddr, limit: Duration) -> io::Result<TcpStream> {
        TcpStream::connect_timeout(&address, limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_addresses_are_recognised_and_others_are_not() {
        for (address, own) in [("127.0.0.1", true), ("127.9.9.9", true), ("192.0.2.1", false)] {
            assert_eq!(System.is_own(address.parse().unwrap()), own, "{address}");
        }
    }
}
