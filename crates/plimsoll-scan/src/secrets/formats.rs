//! Secrets with an inner structure that is parsed: private keys in PEM, JSON Web Tokens, addresses with a password,
//! authorization headers, passwords on command lines.

use super::shape::{self, ALNUM, TOKEN, URL_SAFE};
use super::value;
use std::ops::Range;

/// How far a private key may reach.
const PEM: usize = 32 * 1024;
/// Longest user or password in an address.
const USER: usize = 128;

/// What was found, and how sure the structure alone makes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) range: Range<usize>,
    /// Where it says whose it is: the user of an address, the scheme of a header.
    pub(crate) name: Range<usize>,
    pub(crate) confidence: f32,
}

/// A private key from its `-----BEGIN` or `PuTTY-User-Key-File-` at `at` to its end.
pub(crate) fn private_key(bytes: &[u8], at: usize) -> Option<Found> {
    let window = &bytes[at..bytes.len().min(at + PEM)];
    if window.len() > 20 && window[..20].eq_ignore_ascii_case(b"putty-user-key-file-") {
        let window = &window[..window.len().min(8192)];
        let lines = memchr::memmem::find(window, b"Private-Lines:")?;
        // A program that writes such files has the words, but not the number.
        window.get(lines + 15).filter(|byte| byte.is_ascii_digit())?;
        let end = memchr::memmem::find(&window[lines..], b"Private-MAC:")?;
        let mass = window[lines..lines + end].iter().filter(|byte| shape::BASE64.has(**byte)).count();
        (mass > 64).then_some(())?;
        return Some(Found { range: at..at + lines + end, name: at..at, confidence: 0.99 });
    }
    let label =
        window.get(10..)?.iter().take(40).take_while(|byte| ALNUM.has(**byte) || **byte == b' ').count();
    let header = &window[10..10 + label];
    if !value::has(header, "private key") || !window[10 + label..].starts_with(b"-----") {
        return None;
    }
    let body = 10 + label + 5;
    // The next dashes must be its end: a key without one is cut off, and looking further would be quadratic.
    let dashes = memchr::memmem::find(&window[body..], b"-----").map(|found| body + found);
    let end = dashes.filter(|end| window[*end..].starts_with(b"-----END"));
    let text = &window[body..end.or(dashes).unwrap_or(window.len()).min(body + 16 * 1024)];
    let mass = text.iter().filter(|byte| shape::BASE64.has(**byte)).count();
    let encrypted =
        value::has(header, "encrypted") || value::has(&text[..text.len().min(120)], "proc-type: 4,encrypted");
    let joined =
        value::has_any(&text[..text.len().min(200)], &["...", "${", "{{", "<", "your", "xxxx", "\u{2026}"]);
    let confidence = match end {
        _ if mass < 40 || joined => return None,
        _ if encrypted => 0.6,
        Some(_) if value::counts(text).entropy > 3.5 => 0.99,
        Some(_) => 0.6,
        None => 0.7,
    };
    let end = end.map_or(body + 64.min(text.len()), |end| {
        end + window[end + 8..]
            .iter()
            .take(48)
            .position(|byte| *byte == b'\n' || *byte == b'"')
            .map_or(8, |tail| tail + 8)
    });
    Some(Found { range: at..at + end.min(window.len()), name: at..at, confidence })
}

/// A JSON Web Token (RFC 7519) of three parts whose first decodes to a header with an algorithm.
pub(crate) fn web_token(bytes: &[u8], at: usize) -> Option<Found> {
    let before = at.checked_sub(1).map(|before| bytes[before]);
    if !bytes[at..].starts_with(b"eyJ")
        || before.is_some_and(|byte| URL_SAFE.has(byte) || byte == b'.') && !escaped(bytes, at)
    {
        return None;
    }
    let part = |from: usize| bytes[from..].iter().take(8192).take_while(|byte| URL_SAFE.has(**byte)).count();
    let header = at + part(at);
    (bytes.get(header) == Some(&b'.')).then_some(())?;
    let claims = header + 1 + part(header + 1);
    (claims > header + 8 && bytes.get(claims) == Some(&b'.')).then_some(())?;
    let end = claims + 1 + part(claims + 1);
    let decoded = decoded_start(&bytes[at..header])?;
    (value::has(&decoded, "\"alg\"") || value::has(&decoded, "\"typ\"") || value::has(&decoded, "\"enc\""))
        .then_some(())?;
    // Without a signature it opens nothing.
    (end > claims + 1).then_some(())?;
    Some(Found { range: at..end, name: at..at, confidence: 0.97 })
}

fn escaped(bytes: &[u8], at: usize) -> bool {
    at >= 2 && bytes[at - 2] == b'\\' && matches!(bytes[at - 1], b'n' | b't')
}

/// What base64 of either alphabet decodes to, up to a length that holds any header.
fn decoded_start(text: &[u8]) -> Option<Vec<u8>> {
    super::decode::base64(&text[..text.len().min(512) / 4 * 4])
}

/// The password of an address `scheme://user:password@host`, given where `://` is.
pub(crate) fn address_password(bytes: &[u8], at: usize) -> Option<Found> {
    let user_start = at + 3;
    let rest = bytes.get(user_start..)?;
    let user = rest.iter().take(USER).take_while(|byte| !ends_user(**byte)).count();
    (rest.get(user) == Some(&b':')).then_some(())?;
    let start = user_start + user + 1;
    let after = &bytes[start..bytes.len().min(start + USER)];
    let stop = after
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || b"\"'`<>\\,".contains(byte))
        .unwrap_or(after.len());
    let end = after[..stop].iter().rposition(|byte| *byte == b'@')?;
    let password = &after[..end];
    let host = &after[end + 1..stop];
    (!password.is_empty() && !password.contains(&b'/')).then_some(())?;
    let user = &rest[..user];
    let said = value::template(password) || value::placeholder(password) || value::expression(password);
    let named = ["password", "pass", "passwd", "pwd", "pw", "secret", "token", "key", "user", "username"]
        .iter()
        .any(|word| password.eq_ignore_ascii_case(word.as_bytes()));
    let example = value::has_any(host, &["example.", "host", "server", "domain", "your", "hostname"])
        && !value::has(host, "localhost");
    let confidence = match () {
        () if said || password.len() < 2 || password.starts_with(b"*") => return None,
        () if example && named => return None,
        () if named => 0.45,
        () if example || password == user => 0.55,
        () if host.is_empty() => 0.4,
        () => 0.85,
    };
    Some(Found { range: start..start + end, name: user_start..start - 1, confidence })
}

fn ends_user(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b":/?#@\"'`<>\\,;()[]".contains(&byte)
}

/// What follows `Basic ` or `Bearer ` at `end`.
pub(crate) fn header_credentials(bytes: &[u8], start: usize, end: usize) -> Option<Found> {
    let basic = bytes[start..end].eq_ignore_ascii_case(b"basic ");
    let before = start.checked_sub(1).map(|at| bytes[at]);
    if before.is_some_and(|byte| ALNUM.has(byte)) {
        return None;
    }
    let length =
        bytes[end..].iter().take(2048).take_while(|byte| TOKEN.has(**byte) || **byte == b'%').count();
    let range = end..end + length;
    let text = bytes[range.clone()].trim_ascii_end();
    let confidence = if basic { basic_confidence(text)? } else { bearer_confidence(text)? };
    Some(Found {
        range: range.start..range.start + text.len(),
        name: start..end.saturating_sub(1).max(start),
        confidence,
    })
}

fn basic_confidence(text: &[u8]) -> Option<f32> {
    (text.len() >= 6).then_some(())?;
    let unescaped: Vec<u8> = String::from_utf8_lossy(text).replace("%3D", "=").into_bytes();
    let decoded = super::decode::base64(&unescaped)?;
    let text = std::str::from_utf8(&decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    let shown = |text: &str| text.chars().all(|char| !char.is_control());
    (shown(user) && shown(password) && !(user.is_empty() && password.is_empty())).then_some(0.93)
}

fn bearer_confidence(text: &[u8]) -> Option<f32> {
    let counts = value::counts(text);
    let word = value::identifier(text) || counts.digits == 0 && counts.length < 20 || value::expression(text);
    match () {
        () if counts.length < 8 || value::template(text) || value::placeholder(text) || word => None,
        () if counts.length >= 20 && counts.entropy > 3.2 => Some(0.92),
        () => Some(0.6),
    }
}

/// The password that a command at `at` is given: `curl -u user:…`, `mysql -p…`, `sshpass -p …`, `net use … /user:`.
pub(crate) fn command_password(bytes: &[u8], start: usize, end: usize) -> Option<Found> {
    let line = super::text::line_around(bytes, end, 400);
    let rest = &bytes[end..line.end];
    let command = bytes[start..end].to_ascii_lowercase();
    let argument = match command.as_slice() {
        b"curl " => after_colon(rest, flag(rest, &[b" -u ", b" --user ", b"-u "])?)?,
        b"mysql" => glued(rest, flag(rest, &[b" -p"])?)?,
        b"convertto-securestring" => word(rest, flag(rest, &[b" -String ", b" "])?)?,
        b"sshpass" => word(rest, flag(rest, &[b" -p ", b" -p"])?)?,
        _ => return None,
    };
    let text = &rest[argument.clone()];
    let plain =
        !value::template(text) && !value::placeholder(text) && !text.starts_with(b"$") && text.len() > 1;
    let confidence = if value::has(text, "pass") && text.len() < 10 { 0.5 } else { 0.8 };
    plain.then_some(Found { range: end + argument.start..end + argument.end, name: start..end, confidence })
}

fn flag(rest: &[u8], flags: &[&[u8]]) -> Option<usize> {
    flags
        .iter()
        .find_map(|flag| rest.windows(flag.len()).position(|part| part == *flag).map(|at| at + flag.len()))
}

fn word(rest: &[u8], at: usize) -> Option<Range<usize>> {
    let quote = rest.get(at).copied().filter(|byte| matches!(byte, b'"' | b'\''));
    let start = at + usize::from(quote.is_some());
    let length = rest[start.min(rest.len())..].iter().take_while(|byte| match quote {
        Some(quote) => **byte != quote,
        None => !byte.is_ascii_whitespace() && !b"\"'`;|)".contains(byte),
    });
    let length = length.count();
    (length > 0).then_some(start..start + length)
}

fn glued(rest: &[u8], at: usize) -> Option<Range<usize>> {
    let next = rest.get(at)?;
    (!next.is_ascii_whitespace() && *next != b'-').then_some(())?;
    word(rest, at)
}

fn after_colon(rest: &[u8], at: usize) -> Option<Range<usize>> {
    let word = word(rest, at)?;
    let colon = rest[word.clone()].iter().position(|byte| *byte == b':')?;
    let start = word.start + colon + 1;
    (start < word.end && !rest[word.clone()].windows(3).any(|part| part == b"://")).then_some(start..word.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str, found: Option<Found>) -> Option<&str> {
        found.map(|found| &text[found.range])
    }

    #[test]
    fn the_password_of_an_address_is_found_and_an_example_is_not() {
        let check = |text: &str, expect: Option<&str>| {
            let at = text.find("://").unwrap();
            assert_eq!(shown(text, address_password(text.as_bytes(), at)), expect, "{text}");
        };
        check("postgres://app:s3cr3t@db:5432/main", Some("s3cr3t"));
        check("amqp://guest:p@ss@rabbit/", Some("p@ss"));
        check("https://user:pass@example.com/", None);
        check("https://host:8080/a@b", None);
        check("https://user:${PASSWORD}@host/", None);
        check("https://host/path", None);
        check("git://x", None);
    }

    #[test]
    fn a_basic_header_must_decode_to_user_and_password() {
        let check = |text: &str, expect: Option<&str>| {
            let end = text.find(' ').unwrap() + 1;
            assert_eq!(shown(text, header_credentials(text.as_bytes(), 0, end)), expect, "{text}");
        };
        check("Basic Zm9vOmJhcg==\"", Some("Zm9vOmJhcg=="));
        check("Basic knowledge", None);
        check("Bearer token", None);
        check("Bearer ${TOKEN}", None);
        // plimsoll:allow secrets/authorization-header an invented token
        check("Bearer 8fK2mQ0xV9bT4zR7wL1yN6cD3", Some("8fK2mQ0xV9bT4zR7wL1yN6cD3"));
    }

    #[test]
    fn a_command_with_a_password_is_found() {
        let check = |text: &str, expect: Option<&str>| {
            let end = text.find(' ').unwrap();
            let end = if text.starts_with("curl") { end + 1 } else { end };
            assert_eq!(shown(text, command_password(text.as_bytes(), 0, end)), expect, "{text}");
        };
        check("curl -u admin:hunter2 https://h/", Some("hunter2"));
        check("curl -u admin https://h/", None);
        check("mysql -u root -phunter2 db", Some("hunter2"));
        check("mysql -u root -p db", None);
        check("sshpass -p 'hunter 2' ssh h", Some("hunter 2"));
        check("mysql -uroot -p$PASS", None);
    }

    #[test]
    fn a_private_key_needs_a_body() {
        let begin = ["-----BEGIN RSA ", "PRIVATE KEY-----\n"].concat();
        let end = ["-----END RSA ", "PRIVATE KEY-----\n"].concat();
        let body = "MIIEpAIBAAKCAQEAx9KJh2fPq0VbWcZtYsN3uEoLrGiD\n".repeat(4);
        let whole = format!("{begin}{body}{end}");
        assert!(private_key(whole.as_bytes(), 0).is_some_and(|found| found.range == (0..whole.len() - 1)));
        assert_eq!(private_key(format!("{begin}...\n{end}").as_bytes(), 0), None);
        assert_eq!(private_key(b"-----BEGIN CERTIFICATE-----\nMIIE\n", 0), None);
        assert_eq!(private_key(b"-----BEGIN", 0), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..300) {
            let at = at.min(bytes.len());
            private_key(&bytes, at);
            web_token(&bytes, at);
            address_password(&bytes, at);
            header_credentials(&bytes, 0, at);
            command_password(&bytes, 0, at);
        }

        #[test]
        fn text_near_the_formats_makes_no_parser_panic(text in "(-----BEGIN|PuTTY-User-Key-File-|eyJ|://|Basic |curl -u |mysql -p)[a-z:@./= \"-]{0,60}") {
            for at in 0..=text.len() {
                private_key(text.as_bytes(), at);
                web_token(text.as_bytes(), at);
                address_password(text.as_bytes(), at);
                header_credentials(text.as_bytes(), 0, at);
            }
            command_password(text.as_bytes(), 0, text.len().min(5));
        }
    }
}
