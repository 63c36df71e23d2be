//! Asks a service whether it is healthy: one HTTP request, one status line, strict limits.

use plimsoll_engine::ports::Connector;
use std::{
    io::{self, Read as _, Write as _},
    time::{Duration, Instant},
};

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Pause between two questions.
const PAUSE: Duration = Duration::from_millis(50);
/// Bytes of an answer that are looked at: a status line is shorter.
const ANSWER_LIMIT: usize = 1024;

/// How to find out whether a service is healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// Port inside the sandbox.
    pub port: u16,
    /// Absolute path of the request.
    pub path: String,
    /// How long a service may take to become healthy.
    pub timeout: Duration,
}

impl HealthCheck {
    /// Asks until the service is healthy, `gone()` says that it ended, or the time is over; then tells the last answer.
    ///
    /// # Errors
    /// What the service answered last, or that it ended.
    pub fn wait(&self, connector: &dyn Connector, gone: &dyn Fn() -> bool) -> Result<(), String> {
        let deadline = Instant::now() + self.timeout;
        let mut last = "it never answered".to_owned();
        while Instant::now() < deadline {
            if gone() {
                return Err(format!("the process ended before it was healthy; {last}"));
            }
            match self.ask(connector) {
                Ok(()) => return Ok(()),
                Err(problem) => last = problem,
            }
            std::thread::sleep(PAUSE);
        }
        Err(format!("not healthy within {} s: {last}", self.timeout.as_secs()))
    }

    /// Asks once. Only a status from 200 to 299 is healthy; redirects are not followed.
    ///
    /// # Errors
    /// What the service answered instead.
    pub fn ask(&self, connector: &dyn Connector) -> Result<(), String> {
        let line = self.status_line(connector).map_err(|error| error.to_string())?;
        match parse_status(&line) {
            Some(200..=299) => Ok(()),
            Some(status) => Err(format!("GET {} answered with status {status}", self.path)),
            None => Err(format!("GET {} was not answered in HTTP", self.path)),
        }
    }

    fn status_line(&self, connector: &dyn Connector) -> io::Result<Vec<u8>> {
        let mut stream = connector.connect(self.port)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let request = format!("GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", self.path);
        stream.write_all(request.as_bytes())?;
        let deadline = Instant::now() + PATIENCE;
        let mut answer = Vec::new();
        let mut piece = [0; 256];
        while !answer.contains(&b'\n') && answer.len() < ANSWER_LIMIT {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            stream.set_read_timeout(Some(left))?;
            match stream.read(&mut piece)? {
                0 => break,
                length => answer.extend_from_slice(&piece[..length]),
            }
        }
        Ok(answer)
    }
}

/// The status of an HTTP/1 status line (RFC 9112, section 4).
fn parse_status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let rest = line.strip_prefix("HTTP/1.1 ").or_else(|| line.strip_prefix("HTTP/1.0 "))?;
    let digits = rest.get(..3)?;
    let ends = rest.as_bytes().get(3).is_none_or(|byte| matches!(byte, b' ' | b'\r'));
    if ends && digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    struct Loopback(u16);

    impl Connector for Loopback {
        fn connect(&self, _: u16) -> io::Result<TcpStream> {
            TcpStream::connect(("127.0.0.1", self.0))
        }
    }

    fn check(answer: &'static [u8], healthy: bool) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connector = Loopback(listener.local_addr().unwrap().port());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 512];
            let _ = stream.read(&mut request).unwrap();
            let _ = stream.write_all(answer);
        });
        let health = HealthCheck { port: 80, path: "/healthz".into(), timeout: Duration::from_secs(1) };
        assert_eq!(health.ask(&connector).is_ok(), healthy, "{}", String::from_utf8_lossy(answer));
        server.join().unwrap();
    }

    #[test]
    fn only_a_success_status_in_http_is_healthy() {
        check(b"HTTP/1.1 200 OK\r\n\r\n", true);
        check(b"HTTP/1.0 204 No Content\r\n\r\n", true);
        check(b"HTTP/1.1 204\r\n\r\n", true);
        check(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", false);
        check(b"HTTP/1.1 500 Oops\r\n\r\n", false);
        check(b"HTTP/1.1 2000 Hm\r\n\r\n", false);
        check(b"HTTP/2 200\r\n\r\n", false);
        check(b"200 OK", false);
        check(b"", false);
        check(&[b'x'; 4096], false);
    }

    /// A service that does this with its connection; says whether one question ended in time, unhealthy.
    fn refuses(attack: impl FnOnce(TcpStream) + Send + 'static) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connector = Loopback(listener.local_addr().unwrap().port());
        std::thread::spawn(move || attack(listener.accept().unwrap().0));
        let health = HealthCheck { port: 80, path: "/healthz".into(), timeout: Duration::from_secs(1) };
        let began = Instant::now();
        let problem = health.ask(&connector).unwrap_err();
        assert!(began.elapsed() < 30 * PATIENCE, "{problem} took {:?}", began.elapsed());
        problem
    }

    #[test]
    fn an_endpoint_that_hangs_or_never_ends_is_unhealthy_within_a_limit() {
        refuses(|mut stream| {
            let _ = stream.read_to_end(&mut Vec::new());
        });
        refuses(|mut stream| {
            for byte in b"HTTP/1.1 200 OK".iter().cycle() {
                std::thread::sleep(Duration::from_millis(100));
                if stream.write_all(&[*byte]).is_err() {
                    return;
                }
            }
        });
        refuses(|mut stream| while stream.write_all(&[b'H'; 512]).is_ok() {});
    }

    #[test]
    fn what_follows_a_good_status_line_is_not_read_however_long_it_is() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connector = Loopback(listener.local_addr().unwrap().port());
        std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
            while stream.write_all(b"X-Endless: yes\r\n").is_ok() {}
        });
        let health = HealthCheck { port: 80, path: "/".into(), timeout: Duration::from_secs(1) };
        assert_eq!(health.ask(&connector), Ok(()));
    }

    #[test]
    fn a_service_that_ended_is_not_waited_for() {
        let health = HealthCheck { port: 80, path: "/".into(), timeout: Duration::from_secs(600) };
        let problem = health.wait(&Loopback(1), &|| true).unwrap_err();
        assert!(problem.contains("ended"), "{problem}");
    }
}
