//! Lets connections in: each one that arrives on the host is connected to the service inside its sandbox, and bytes
//! are copied both ways.

use plimsoll_engine::ports::Connector;
use std::{
    io,
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Connections at one time; further ones are closed at once.
const CONNECTION_LIMIT: usize = 1024;

/// The way into the running instance; replaced when it is restarted.
pub(crate) type Inside = Arc<RwLock<Option<Arc<dyn Connector>>>>;

/// Serves `listener` from a thread of its own until the process ends.
pub(crate) fn serve(listener: TcpListener, port: u16, inside: Inside) {
    let open = Arc::new(AtomicUsize::new(0));
    thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(outside) = connection else { continue };
            if open.fetch_add(1, Ordering::Relaxed) >= CONNECTION_LIMIT {
                open.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let (open, inside) = (Arc::clone(&open), Arc::clone(&inside));
            thread::spawn(move || {
                // A connection that breaks is the client's to see; there is nobody else to tell.
                let _ = carry(outside, port, &inside);
                open.fetch_sub(1, Ordering::Relaxed);
            });
        }
    });
}

fn carry(outside: TcpStream, port: u16, inside: &Inside) -> io::Result<()> {
    let connector = inside.read().ok().and_then(|connector| connector.clone());
    let connector = connector.ok_or(io::ErrorKind::ConnectionRefused)?;
    let service = connector.connect(port)?;
    let (from_service, to_outside) = (service.try_clone()?, outside.try_clone()?);
    let back = thread::spawn(move || copy(&from_service, &to_outside));
    copy(&outside, &service);
    // The copying thread does not panic; its connection ends with the service's.
    let _ = back.join();
    Ok(())
}

/// Copies until the end, then tells the reader that there is no more; the other direction goes on.
fn copy(mut from: &TcpStream, mut to: &TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    struct Loopback(u16);

    impl Connector for Loopback {
        fn connect(&self, _: u16) -> io::Result<TcpStream> {
            TcpStream::connect(("127.0.0.1", self.0))
        }
    }

    #[test]
    fn bytes_pass_both_ways_and_ends_are_passed_on() {
        let service = TcpListener::bind("127.0.0.1:0").unwrap();
        let connector: Arc<dyn Connector> = Arc::new(Loopback(service.local_addr().unwrap().port()));
        let echo = thread::spawn(move || {
            let (mut stream, _) = service.accept().unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).unwrap();
            stream.write_all(&all).unwrap();
        });
        let front = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = front.local_addr().unwrap();
        serve(front, 1, Arc::new(RwLock::new(Some(connector))));
        let mut client = TcpStream::connect(address).unwrap();
        client.write_all(b"ahoy").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "ahoy");
        echo.join().unwrap();
    }

    #[test]
    fn without_an_instance_a_connection_just_closes() {
        let front = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = front.local_addr().unwrap();
        serve(front, 1, Arc::new(RwLock::new(None)));
        let mut answer = Vec::new();
        let mut client = TcpStream::connect(address).unwrap();
        assert_eq!(client.read_to_end(&mut answer).unwrap_or(0), 0);
    }
}
