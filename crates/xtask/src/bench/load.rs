//! Requests to a service on this machine: a counted number, timed one by one, or without a pause until told to end.

use crate::project::Result;
use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

const LAST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const NEXT: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
/// How long an answer may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a client does with its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// One for all its requests.
    Kept,
    /// One for each request.
    Fresh,
}

/// So many clients at once, each with so many requests one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) port: u16,
    pub(super) mode: Mode,
    pub(super) clients: usize,
    pub(super) requests: usize,
}

impl Load {
    /// How long each request took.
    ///
    /// # Errors
    /// When a single one is not answered.
    pub(super) fn run(self) -> Result<Vec<Duration>> {
        let clients: Vec<_> = (0..self.clients).map(|_| thread::spawn(move || self.client())).collect();
        let mut all = Vec::new();
        for client in clients {
            all.extend(client.join().map_err(|_| "a client panicked")??);
        }
        Ok(all)
    }

    fn client(self) -> io::Result<Vec<Duration>> {
        let mut kept = if self.mode == Mode::Kept { Some(Client::connect(self.port)?) } else { None };
        let mut times = Vec::with_capacity(self.requests);
        for _ in 0..self.requests {
            let start = Instant::now();
            match &mut kept {
                Some(client) => client.ask(NEXT)?,
                None => ask_bytes(self.port)?,
            };
            times.push(start.elapsed());
        }
        Ok(times)
    }
}

/// The time within which `part` of all requests were answered, as in 0.99.
pub(super) fn within(mut times: Vec<Duration>, part: f64) -> Result<Duration> {
    times.sort_unstable();
    let place = (times.len() as f64 * part).ceil() as usize;
    Ok(*times.get(place.saturating_sub(1)).ok_or("no request was made")?)
}

/// What is answered to one request on a connection of its own.
pub(super) fn ask(port: u16) -> io::Result<String> {
    String::from_utf8(ask_bytes(port)?).map_err(io::Error::other)
}

fn ask_bytes(port: u16) -> io::Result<Vec<u8>> {
    Client::connect(port)?.ask(LAST)
}

/// A client's end of a connection.
struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// The body of a whole answer with status 200.
    fn ask(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        self.0.get_mut().write_all(request)?;
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        if !line.starts_with("HTTP/1.1 200 ") {
            return Err(io::Error::other(format!("the answer is {line:?}")));
        }
        let mut length = 0;
        while line != "\r\n" {
            line.clear();
            if self.0.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(body)
    }
}

/// What became of requests without a pause.
#[derive(Debug, Default)]
pub(super) struct Count {
    pub(super) asked: u64,
    pub(super) lost: u64,
    /// Of one that was lost.
    pub(super) problem: Option<String>,
}

/// Clients that ask, each time on a connection of its own, until they are told to end.
pub(super) struct Steady {
    end: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Count>>,
}

impl Steady {
    pub(super) fn start(port: u16, clients: usize) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let client = |_| {
            let end = Arc::clone(&end);
            thread::spawn(move || until(port, &end))
        };
        Self { clients: (0..clients).map(client).collect(), end }
    }

    pub(super) fn end(self) -> Result<Count> {
        self.end.store(true, Ordering::Relaxed);
        let mut all = Count::default();
        for client in self.clients {
            let Count { asked, lost, problem } = client.join().map_err(|_| "a client panicked")?;
            all = Count { asked: all.asked + asked, lost: all.lost + lost, problem: all.problem.or(problem) };
        }
        Ok(all)
    }
}

fn until(port: u16, end: &AtomicBool) -> Count {
    let mut count = Count::default();
    while !end.load(Ordering::Relaxed) {
        count.asked += 1;
        if let Err(error) = ask_bytes(port) {
            count.lost += 1;
            count.problem.get_or_insert(error.to_string());
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// Answers each connection with the next of `answers`, whatever it is asked.
    fn server(answers: &'static [&'static str]) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for (stream, answer) in listener.incoming().zip(answers) {
                let mut stream = stream.unwrap();
                stream.read_exact(&mut [0; LAST.len()]).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        port
    }

    #[test]
    fn only_a_whole_answer_that_says_200_is_one() {
        let port = server(&[
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nv1",
            "HTTP/1.1 503 Oops\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nv",
            "HTTP/1.1 200 OK\r\nContent-",
            "",
        ]);
        assert_eq!(ask(port).unwrap(), "v1");
        for _ in 0..4 {
            assert!(ask(port).is_err());
        }
    }

    #[test]
    fn a_percentile_is_a_time_that_was_taken() {
        let times: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(within(times.clone(), 0.5).unwrap(), Duration::from_millis(100));
        assert_eq!(within(times, 0.99).unwrap(), Duration::from_millis(198));
        assert!(within(vec![], 0.5).is_err());
    }
}
