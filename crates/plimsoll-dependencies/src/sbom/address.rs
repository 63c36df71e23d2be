//! Addresses as lock files have them, written so that other tools take them: as a URI reference (RFC 3986), and as a place
//! from which SPDX lets a package be downloaded.

use std::fmt::Write as _;

/// What stands for itself in a path, a query or a fragment, besides letters and digits.
const PLAIN: &str = "-._~:/?@!$&'()*+,;=";
/// The same for a user or the name of a host.
const NAME: &str = "-._~!$&'()*+,;=";

/// An address as a URI reference. `git@host:path`, which is none, is the same place over SSH; what may not stand in a
/// reference is escaped.
pub(super) fn uri(address: &str) -> String {
    let over_ssh = match address.split_once(':') {
        Some((host, path)) if host.contains('@') && !host.contains('/') => {
            Some(format!("ssh://{host}/{path}"))
        }
        _ => None,
    };
    let address = over_ssh.as_deref().unwrap_or(address);
    match address.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            format!("{scheme}://{}{}", authority(&rest[..end]), tail(&rest[end..]))
        }
        _ => match address.split_once(':') {
            // A first segment with a colon would be a scheme (section 4.2).
            Some((first, rest)) if !is_scheme(first) && !first.contains(['/', '?', '#']) => {
                format!("{}%3A{}", escaped(first, NAME), tail(rest))
            }
            _ => tail(address),
        },
    }
}

/// As a place to download from, if it is one: by a protocol that SPDX lists, on a host with a name of the domain name
/// system (SPDX 2.3, "Package download location field", as its tools read it).
pub(super) fn download(address: &str) -> Option<String> {
    let uri = uri(address);
    let (scheme, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default().split(':').next().unwrap_or_default();
    let protocol = scheme.strip_prefix("git+").unwrap_or(scheme);
    let known = ["http", "https", "ssh", "git", "svn", "sftp", "ftp"].contains(&protocol);
    (known && is_domain(host)).then_some(uri)
}

fn is_domain(host: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let top = host.rsplit_once('.').map_or("", |(_, top)| top);
    host.split(['.', '-']).all(word) && top.len() > 1 && top.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_scheme(text: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(rest)
}

/// User, host and port. What follows a colon and is no port is the path, as in `ssh://git@host:path`.
fn authority(text: &str) -> String {
    let (user, place) = text.rsplit_once('@').map_or(("", text), |(user, place)| (user, place));
    let user =
        if user.is_empty() { String::new() } else { format!("{}@", escaped(user, &format!("{NAME}:"))) };
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (place, None),
    };
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_address = |text: &&str| text.parse::<std::net::Ipv6Addr>().is_ok();
    let host = match literal.filter(is_address) {
        Some(_) => host.to_owned(),
        None => escaped(host, NAME),
    };
    match port {
        None => format!("{user}{host}"),
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => format!("{user}{host}:{port}"),
        Some(path) => format!("{user}{host}/{}", escaped(path, PLAIN)),
    }
}

/// A path with its query and fragment, of which there is one.
fn tail(text: &str) -> String {
    match text.split_once('#') {
        Some((before, fragment)) => format!("{}#{}", escaped(before, PLAIN), escaped(fragment, PLAIN)),
        None => escaped(text, PLAIN),
    }
}

fn escaped(text: &str, keep: &str) -> String {
    let hex = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
    let mut out = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        let escape = byte == b'%' && hex(at + 1) && hex(at + 2);
        let letter = char::from(byte);
        if escape || byte.is_ascii_alphanumeric() || keep.contains(letter) {
            out.push(letter);
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lock_files_have_becomes_a_reference() {
        for (address, expect) in [
            ("https://example.com/a.tgz?x=1#b", "https://example.com/a.tgz?x=1#b"),
            ("git@github.com:foo/bar.git#abc", "ssh://git@github.com/foo/bar.git#abc"),
            ("git+ssh://git@github.com:foo/bar.git", "git+ssh://git@github.com/foo/bar.git"),
            ("ssh://git@host:2222/x", "ssh://git@host:2222/x"),
            ("https://exa mple/a b|c", "https://exa%20mple/a%20b%7Cc"),
            ("https://example.com/%zz%20#a#b", "https://example.com/%25zz%20#a%23b"),
            ("https://example.com/ü", "https://example.com/%C3%BC"),
            ("http://[::1]:80/x", "http://[::1]:80/x"),
            ("ssh://git@[bad/x[1]", "ssh://git@%5Bbad/x%5B1%5D"),
            ("a@b@c://x", "ssh://a%40b@c///x"),
            ("../x:y", "../x:y"),
            ("1:2", "1%3A2"),
            ("file:../x", "file:../x"),
            ("<>", "%3C%3E"),
            ("", ""),
        ] {
            assert_eq!(uri(address), expect, "{address}");
        }
    }

    #[test]
    fn spdx_downloads_from_hosts_with_a_name() {
        for (address, expect) in [
            ("git+https://example.com/a", Some("git+https://example.com/a")),
            ("https://u:p@a-b.example:80/x", Some("https://u:p@a-b.example:80/x")),
            ("http://127.0.0.1/x", None),
            ("http://[::1]/x", None),
            ("https://localhost/x", None),
            ("git+file:///x", None),
            ("c:\\x", None),
        ] {
            assert_eq!(download(address).as_deref(), expect, "{address}");
        }
    }
}
