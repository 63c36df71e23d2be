//! Reads the server name out of a TLS ClientHello (RFC 8446 4.1.2, RFC 6066 3) that may be spread over records. The
//! bytes are foreign: everything is bounded, nothing is guessed, and whatever is odd is refused.

use std::collections::BTreeSet;

/// Records, headers included, that a ClientHello may take.
pub(crate) const MAX_HELLO: usize = 64 << 10;

const RECORD_HEADER: usize = 5;
const MAX_RECORD: usize = 1 << 14;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_NAME: u16 = 0;
/// encrypted_client_hello (RFC 9849) and its predecessor encrypted_server_name.
const ENCRYPTED_NAME: [u16; 2] = [0xfe0d, 0xffce];

/// How far the greeting got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hello {
    /// More bytes are needed.
    Partial,
    /// It is whole; with the server name in lower case, if it has one.
    Whole(Option<String>),
}

/// Why the bytes are not an acceptable ClientHello.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HelloError {
    #[error("what follows is not TLS")]
    NotTls,
    #[error("the TLS greeting is malformed")]
    Malformed,
    #[error("the TLS greeting is larger than {MAX_HELLO} bytes")]
    TooLarge,
    #[error("the TLS greeting hides its server name (encrypted client hello)")]
    Encrypted,
}

/// Reads what has arrived so far.
pub(crate) fn read(bytes: &[u8]) -> Result<Hello, HelloError> {
    let mut message = Vec::new();
    let mut rest = bytes;
    loop {
        if let Some(body) = whole_message(&message)? {
            return client_hello(body).map(Hello::Whole);
        }
        match record(rest)? {
            Some((fragment, after)) => {
                message.extend_from_slice(fragment);
                rest = after;
            }
            None if bytes.len() >= MAX_HELLO => return Err(HelloError::TooLarge),
            None => return Ok(Hello::Partial),
        }
    }
}

/// A record's fragment and what follows it.
type Record<'a> = (&'a [u8], &'a [u8]);

/// The next record; none when it has not arrived whole.
fn record(bytes: &[u8]) -> Result<Option<Record<'_>>, HelloError> {
    if bytes.first().is_some_and(|kind| *kind != HANDSHAKE) || bytes.get(1).is_some_and(|major| *major != 3) {
        return Err(HelloError::NotTls);
    }
    let Some((header, rest)) = bytes.split_at_checked(RECORD_HEADER) else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
    if length == 0 || length > MAX_RECORD {
        return Err(HelloError::Malformed);
    }
    Ok(rest.split_at_checked(length))
}

/// The body of the handshake message, once it has arrived whole.
fn whole_message(message: &[u8]) -> Result<Option<&[u8]>, HelloError> {
    if message.first().is_some_and(|kind| *kind != CLIENT_HELLO) {
        return Err(HelloError::Malformed);
    }
    let Some((header, body)) = message.split_at_checked(4) else { return Ok(None) };
    let length = u32::from_be_bytes([0, header[1], header[2], header[3]]) as usize;
    match body.len() {
        _ if length > MAX_HELLO => Err(HelloError::TooLarge),
        have if have < length => Ok(None),
        have if have > length => Err(HelloError::Malformed),
        _ => Ok(Some(body)),
    }
}

fn client_hello(body: &[u8]) -> Result<Option<String>, HelloError> {
    let mut fields = Fields(body);
    fields.take(2 + 32)?; // legacy_version, random
    fields.vector8()?; // legacy_session_id
    fields.vector16()?; // cipher_suites
    fields.vector8()?; // legacy_compression_methods
    if fields.is_empty() {
        return Ok(None);
    }
    let mut extensions = Fields(fields.vector16()?);
    if !fields.is_empty() {
        return Err(HelloError::Malformed);
    }
    let mut seen = BTreeSet::new();
    let mut name = None;
    while !extensions.is_empty() {
        let kind = extensions.u16()?;
        let data = extensions.vector16()?;
        if !seen.insert(kind) {
            return Err(HelloError::Malformed);
        }
        if ENCRYPTED_NAME.contains(&kind) {
            return Err(HelloError::Encrypted);
        }
        if kind == SERVER_NAME {
            name = Some(server_name(data)?);
        }
    }
    Ok(name)
}

/// Exactly one name of type host_name; other types were never defined.
fn server_name(data: &[u8]) -> Result<String, HelloError> {
    let mut outer = Fields(data);
    let mut list = Fields(outer.vector16()?);
    let kind = list.take(1)?;
    let name = list.vector16()?;
    let text = str::from_utf8(name).ok().filter(|text| text.is_ascii() && !text.is_empty());
    match text {
        Some(text) if kind == [0] && list.is_empty() && outer.is_empty() => Ok(text.to_ascii_lowercase()),
        _ => Err(HelloError::Malformed),
    }
}

/// Length-prefixed fields (RFC 8446 3.4), read from the front.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], HelloError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(HelloError::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn u16(&mut self) -> Result<u16, HelloError> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn vector8(&mut self) -> Result<&'a [u8], HelloError> {
        let length = self.take(1)?[0];
        self.take(usize::from(length))
    }

    fn vector16(&mut self) -> Result<&'a [u8], HelloError> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sized16(data: &[u8]) -> Vec<u8> {
        [&u16::try_from(data.len()).unwrap().to_be_bytes()[..], data].concat()
    }

    fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
        [&kind.to_be_bytes()[..], &sized16(data)].concat()
    }

    fn name_extension(name: &str) -> Vec<u8> {
        extension(SERVER_NAME, &sized16(&[&[0], &sized16(name.as_bytes())[..]].concat()))
    }

    fn message(extensions: &[Vec<u8>]) -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([4, 1, 2, 3, 4]);
        body.extend([0, 2, 0x13, 0x01]);
        body.extend([1, 0]);
        body.extend(sized16(&extensions.concat()));
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&[CLIENT_HELLO], &length[1..], &body].concat()
    }

    fn records(message: &[u8], fragment: usize) -> Vec<u8> {
        message.chunks(fragment).flat_map(|part| [&[HANDSHAKE, 3, 1][..], &sized16(part)].concat()).collect()
    }

    /// A ClientHello as a client would send it to `name`.
    pub(crate) fn hello_to(name: Option<&str>, encrypted: bool) -> Vec<u8> {
        let mut extensions = vec![extension(43, &[2, 3, 4])];
        extensions.extend(name.map(name_extension));
        if encrypted {
            extensions.push(extension(0xfe0d, &[0; 16]));
        }
        records(&message(&extensions), MAX_RECORD)
    }

    #[test]
    fn greetings_are_read_strictly() {
        let name = || name_extension("Registry.Example");
        let whole = |extensions: &[Vec<u8>]| records(&message(extensions), MAX_RECORD);
        let two_names = sized16(&[&[0, 0, 1, b'a'][..], &[0, 0, 1, b'b']].concat());
        for (what, bytes, expected) in [
            ("a name", whole(&[name()]), Ok(Hello::Whole(Some("registry.example".into())))),
            ("no name", whole(&[]), Ok(Hello::Whole(None))),
            ("nothing yet", vec![], Ok(Hello::Partial)),
            ("plain HTTP", b"GET / HTTP/1.1\r\n".to_vec(), Err(HelloError::NotTls)),
            ("an alert", vec![21, 3, 1, 0, 2, 1, 0], Err(HelloError::NotTls)),
            ("SSLv2", vec![0x80, 0x2e, 1, 0, 2], Err(HelloError::NotTls)),
            ("an empty record", vec![HANDSHAKE, 3, 1, 0, 0], Err(HelloError::Malformed)),
            ("a ServerHello", vec![HANDSHAKE, 3, 1, 0, 4, 2, 0, 0, 0], Err(HelloError::Malformed)),
            ("an encrypted name", whole(&[name(), extension(0xfe0d, &[0])]), Err(HelloError::Encrypted)),
            ("its predecessor", whole(&[name(), extension(0xffce, &[0])]), Err(HelloError::Encrypted)),
            ("the name twice", whole(&[name(), name()]), Err(HelloError::Malformed)),
            ("two names", whole(&[extension(SERVER_NAME, &two_names)]), Err(HelloError::Malformed)),
            ("an empty name", whole(&[name_extension("")]), Err(HelloError::Malformed)),
            (
                "bytes behind the message",
                records(&[message(&[name()]), vec![0]].concat(), MAX_RECORD),
                Err(HelloError::Malformed),
            ),
            ("a huge message", vec![HANDSHAKE, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff], Err(HelloError::TooLarge)),
        ] {
            assert_eq!(read(&bytes), expected, "{what}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let _ = read(&bytes);
            let _ = read(&records(&[&[CLIENT_HELLO, 0][..], &sized16(&bytes)].concat(), 999));
        }

        #[test]
        fn fragmentation_changes_nothing(name in "[a-z]{1,20}\\.example", fragment in 1usize..200) {
            let bytes = records(&message(&[name_extension(&name)]), fragment);
            prop_assert_eq!(read(&bytes), Ok(Hello::Whole(Some(name))));
        }

        #[test]
        fn a_greeting_is_whole_only_when_all_of_it_arrived(cut in 0.0f64..1.0, fragment in 1usize..200) {
            let bytes = records(&message(&[name_extension("registry.example")]), fragment);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a short text")]
            let arrived = (bytes.len() as f64 * cut) as usize;
            prop_assert_eq!(read(&bytes[..arrived]), Ok(Hello::Partial));
        }

        #[test]
        fn a_flipped_byte_never_panics(at in 0usize..120, to in any::<u8>()) {
            let mut bytes = hello_to(Some("registry.example"), false);
            let at = at % bytes.len();
            bytes[at] = to;
            let _ = read(&bytes);
        }
    }
}
