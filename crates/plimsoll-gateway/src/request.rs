//! Reads a CONNECT request (RFC 9110 9.3.6, RFC 9112). The bytes are foreign: one form is accepted, with strict line
//! ends and without anything that another reader could understand differently.

use plimsoll_engine::ports::Host;
use std::str::FromStr as _;

/// Bytes of a request, with its header.
pub(crate) const MAX_HEAD: usize = 8 << 10;
const MAX_FIELDS: usize = 64;

/// Where a client wants to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: Host,
    pub(crate) port: u16,
}

/// Why a request is refused; with what the client asked for, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    #[error("the request is malformed")]
    Malformed,
    #[error("the request is larger than {MAX_HEAD} bytes")]
    TooLarge,
    #[error("only CONNECT is served; plain HTTP is refused")]
    NotConnect { asked: String },
    #[error("it is not a host and a port")]
    Authority { asked: String },
    #[error("the Host header names another host")]
    OtherHost { asked: String },
    #[error("a CONNECT request has no body")]
    Body { asked: String },
}

impl RequestError {
    /// What the client asked for.
    pub(crate) fn asked(&self) -> &str {
        match self {
            Self::Malformed | Self::TooLarge => "?",
            Self::NotConnect { asked }
            | Self::Authority { asked }
            | Self::OtherHost { asked }
            | Self::Body { asked } => asked,
        }
    }
}

/// Length of the request that `bytes` begin with, its empty line included; none when it has not arrived whole.
pub(crate) fn head_length(bytes: &[u8]) -> Result<Option<usize>, RequestError> {
    let window = &bytes[..bytes.len().min(MAX_HEAD)];
    match window.windows(4).position(|four| four == b"\r\n\r\n") {
        Some(at) => Ok(Some(at + 4)),
        None if bytes.len() >= MAX_HEAD => Err(RequestError::TooLarge),
        None => Ok(None),
    }
}

/// Reads a whole request.
pub(crate) fn read(head: &[u8]) -> Result<Target, RequestError> {
    let text = str::from_utf8(head).map_err(|_| RequestError::Malformed)?;
    let text = text.strip_suffix("\r\n\r\n").ok_or(RequestError::Malformed)?;
    let mut lines = text.split("\r\n");
    let asked = request_line(lines.next().unwrap_or_default())?;
    let target = target(asked).ok_or_else(|| RequestError::Authority { asked: asked.into() })?;
    let mut hosts = 0;
    for (at, line) in lines.enumerate() {
        let (name, value) = field(line).filter(|_| at < MAX_FIELDS).ok_or(RequestError::Malformed)?;
        match name.to_ascii_lowercase().as_str() {
            "host" => {
                hosts += 1;
                if hosts > 1 || !names(value, &target) {
                    return Err(RequestError::OtherHost { asked: asked.into() });
                }
            }
            "content-length" | "transfer-encoding" => return Err(RequestError::Body { asked: asked.into() }),
            _ => {}
        }
    }
    Ok(target)
}

/// The request target of a CONNECT.
fn request_line(line: &str) -> Result<&str, RequestError> {
    if line.bytes().any(|b| b.is_ascii_control()) {
        return Err(RequestError::Malformed);
    }
    let mut parts = line.split(' ');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("CONNECT"), Some(asked), Some("HTTP/1.1" | "HTTP/1.0"), None) => Ok(asked),
        (Some("CONNECT"), ..) => Err(RequestError::Malformed),
        (Some(_), Some(asked), Some(version), None) if version.starts_with("HTTP/") => {
            Err(RequestError::NotConnect { asked: origin(asked).into() })
        }
        _ => Err(RequestError::Malformed),
    }
}

/// The host of an absolute-form target, for the record; paths and queries can carry secrets and stay out of it.
fn origin(asked: &str) -> &str {
    let Some((_, rest)) = asked.split_once("://") else { return "?" };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("?");
    authority.rsplit('@').next().unwrap_or("?")
}

fn target(authority: &str) -> Option<Target> {
    let (host, port) = authority.rsplit_once(':')?;
    // An IPv6 address without brackets would lose its last group to the port.
    if host.contains(':') && !host.starts_with('[') {
        return None;
    }
    let canonical = !port.starts_with('0') && port.bytes().all(|b| b.is_ascii_digit());
    let port = port.parse().ok().filter(|_| canonical)?;
    Some(Target { host: Host::from_str(host).ok()?, port })
}

/// A header field: a token, a colon, and text without control characters. Folded lines have no token.
fn field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let clean = value.bytes().all(|b| b == b'\t' || !b.is_ascii_control());
    (!name.is_empty() && name.bytes().all(token) && clean).then_some((name, value.trim_matches([' ', '\t'])))
}

/// Whether a Host header says the same as the request target; its port may be left out.
fn names(value: &str, to: &Target) -> bool {
    target(value).is_some_and(|named| named == *to) || Host::from_str(value).is_ok_and(|host| host == to.host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(request: &str) -> Result<String, RequestError> {
        read(request.as_bytes()).map(|target| format!("{} {}", target.host, target.port))
    }

    #[test]
    fn one_form_of_connect_is_accepted() {
        for (request, expected) in [
            (
                "CONNECT registry.example:443 HTTP/1.1\r\nHost: registry.example:443\r\n\r\n",
                "registry.example 443",
            ),
            (
                "CONNECT registry.example:443 HTTP/1.1\r\nHost: registry.example\r\n\r\n",
                "registry.example 443",
            ),
            (
                "CONNECT Registry.EXAMPLE:443 HTTP/1.1\r\nhost: registry.example:443\r\n\r\n",
                "registry.example 443",
            ),
            ("CONNECT registry.example:443 HTTP/1.0\r\n\r\n", "registry.example 443"),
            (
                "CONNECT registry.example:8443 HTTP/1.1\r\nUser-Agent: a b\r\nProxy-Connection: Keep-Alive\r\n\r\n",
                "registry.example 8443",
            ),
            ("CONNECT 192.0.2.1:443 HTTP/1.1\r\n\r\n", "192.0.2.1 443"),
            ("CONNECT [2001:db8::1]:443 HTTP/1.1\r\n\r\n", "2001:db8::1 443"),
        ] {
            assert_eq!(check(request).as_deref(), Ok(expected), "{request:?}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let asked = |text: &str| text.to_owned();
        for (request, expected) in [
            ("\r\n\r\n", RequestError::Malformed),
            ("CONNECT\r\n\r\n", RequestError::Malformed),
            ("CONNECT  registry.example:443 HTTP/1.1\r\n\r\n", RequestError::Malformed),
            ("CONNECT registry.example:443\r\n\r\n", RequestError::Malformed),
            ("CONNECT registry.example:443 HTTP/2\r\n\r\n", RequestError::Malformed),
            ("connect registry.example:443 HTTP/1.1\r\n\r\n", RequestError::NotConnect { asked: asked("?") }),
            ("CONNECT registry.example:443 HTTP/1.1\nHost: evil.example\r\n\r\n", RequestError::Malformed),
            (
                "CONNECT registry.example:443 HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
                RequestError::OtherHost { asked: asked("registry.example:443") },
            ),
            ("CONNECT registry.example:443 HTTP/1.1\r\nA: a\r\n b\r\n\r\n", RequestError::Malformed),
            ("CONNECT registry.example:443 HTTP/1.1\r\nA : a\r\n\r\n", RequestError::Malformed),
            ("CONNECT registry.example:443 HTTP/1.1\r\nA: \0\r\n\r\n", RequestError::Malformed),
            (
                "CONNECT registry.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
                RequestError::OtherHost { asked: asked("registry.example:443") },
            ),
            (
                "CONNECT registry.example:443 HTTP/1.1\r\nHost: registry.example\r\nHost: registry.example\r\n\r\n",
                RequestError::OtherHost { asked: asked("registry.example:443") },
            ),
            (
                "CONNECT registry.example:443 HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
                RequestError::Body { asked: asked("registry.example:443") },
            ),
            (
                "CONNECT registry.example:443 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                RequestError::Body { asked: asked("registry.example:443") },
            ),
            (
                "GET http://registry.example/secret?token HTTP/1.1\r\n\r\n",
                RequestError::NotConnect { asked: asked("registry.example") },
            ),
            (
                "GET http://user:pass@registry.example/ HTTP/1.1\r\n\r\n",
                RequestError::NotConnect { asked: asked("registry.example") },
            ),
            (
                "GET / HTTP/1.1\r\nHost: registry.example\r\n\r\n",
                RequestError::NotConnect { asked: asked("?") },
            ),
        ] {
            assert_eq!(check(request), Err(expected), "{request:?}");
        }
    }

    #[test]
    fn a_target_is_a_plain_host_and_a_plain_port() {
        for bad in [
            "registry.example",
            "registry.example:",
            ":443",
            "registry.example:0",
            "registry.example:0443",
            "registry.example:+443",
            "registry.example:65536",
            "registry.example.:443",
            "registry.example:443:443",
            "user@registry.example:443",
            "https://registry.example:443",
            "registry.example/:443",
            "2001:db8::1:443",
            "127.1:443",
            "0x7f000001:443",
            "2130706433:443",
            "registry%2eexample:443",
            "registry.example%00:443",
        ] {
            let request = format!("CONNECT {bad} HTTP/1.1\r\n\r\n");
            assert_eq!(check(&request), Err(RequestError::Authority { asked: bad.into() }), "{bad}");
        }
    }

    #[test]
    fn a_request_ends_at_its_empty_line_or_its_limit() {
        assert_eq!(head_length(b"CONNECT"), Ok(None));
        assert_eq!(head_length(b"CONNECT a:1 HTTP/1.1\r\n\r\n\x16\x03"), Ok(Some(24)));
        assert_eq!(head_length(&[b'a'; MAX_HEAD]), Err(RequestError::TooLarge));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
            let _ = head_length(&bytes);
            let _ = read(&bytes);
            let _ = read(&[b"CONNECT ", &bytes[..], b" HTTP/1.1\r\n\r\n"].concat());
        }

        #[test]
        fn whatever_is_accepted_is_said_the_same_way_by_everybody(text in "[ -~]{0,40}") {
            if let Some(target) = target(&text) {
                let host = target.host.to_string();
                let again = if host.contains(':') { format!("[{host}]:{}", target.port) } else { format!("{host}:{}", target.port) };
                prop_assert_eq!(super::target(&again), Some(target));
            }
        }
    }
}
