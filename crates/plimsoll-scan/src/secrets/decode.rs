//! Encodings in which secrets are kept: base64 of both alphabets, hexadecimal digits, percent signs, gzip. What is decoded
//! is bounded by depth and by bytes, over the whole file.

use super::shape::{ANY_HEX, Class, TOKEN};
use super::wrap;
use plimsoll_model::removed;
use std::{io::Read, ops::Range};

/// How often what was decoded is decoded again.
pub(crate) const DEPTH: usize = 3;
/// Bytes that are decoded for one file, at all depths together.
pub(crate) const BUDGET: usize = 8 << 20;
/// The shortest run that is worth decoding: less holds no name with its value.
pub(super) const RUN: usize = 24;
/// The longest run that is decoded.
pub(super) const LONGEST: usize = 1 << 20;

/// Something in a file that was encoded.
pub(crate) struct Decoded {
    /// Where the encoded text stands: one part for each line that it was wrapped into.
    pieces: Vec<Range<usize>>,
    pub(crate) bytes: Vec<u8>,
}

impl Decoded {
    fn one(range: Range<usize>, bytes: Vec<u8>) -> Self {
        Self { pieces: vec![range], bytes }
    }

    /// Whether the encoded text goes over several lines.
    pub(crate) fn wrapped(&self) -> bool {
        self.pieces.len() > 1
    }

    /// Where `inner`, a part of what was decoded, stands in the file: in whole lines of the encoded text.
    pub(crate) fn place(&self, inner: &Range<usize>) -> Range<usize> {
        let total: usize = self.pieces.iter().map(Range::len).sum();
        // In base64 and in hexadecimal digits every byte takes as much text as every other.
        let offset = |at: usize| (at as u64 * total as u64 / self.bytes.len().max(1) as u64) as usize;
        let piece = |offset: usize| {
            let mut ends = self.pieces.iter().scan(0, |sum, piece| {
                *sum += piece.len();
                Some(*sum)
            });
            let at = ends.position(|end| offset < end).unwrap_or(self.pieces.len() - 1);
            &self.pieces[at]
        };
        piece(offset(inner.start)).start..piece(offset(inner.end.saturating_sub(1))).end
    }
}

/// Everything in `bytes` that decodes to text, as far as `budget` reaches, which is counted down. Whether it reached the
/// end is the second part.
pub(crate) fn all(bytes: &[u8], budget: &mut usize) -> (Vec<Decoded>, bool) {
    let mut found = Vec::new();
    if removed!("decoding") {
        return (found, true);
    }
    if let Some(text) = gunzip(bytes, budget) {
        found.push(Decoded::one(0..bytes.len(), text));
        return (found, *budget > 0);
    }
    let mut at = 0;
    while let Some(start) = next_run(bytes, at) {
        let more = bytes[start + RUN..].iter().take_while(|byte| ENCODED[usize::from(**byte)]).count();
        let first = start..start + RUN + more;
        let pieces = wrap::lines(bytes, &first);
        at = pieces.last().map_or(first.end, |last| last.end) + 1;
        let decoded = match joined(bytes, &pieces, budget) {
            Some(decoded) => vec![decoded],
            // What does not make one text may still be several.
            None => std::iter::once(first)
                .chain(pieces.into_iter().skip(1))
                .filter_map(|range| single(bytes, range, budget))
                .collect(),
        };
        for one in decoded {
            if one.bytes.len() > *budget {
                return (found, false);
            }
            *budget -= one.bytes.len();
            found.push(one);
        }
    }
    (found, true)
}

fn single(bytes: &[u8], range: Range<usize>, budget: &mut usize) -> Option<Decoded> {
    let fits = (RUN..=LONGEST).contains(&range.len());
    let text = fits.then(|| run(&bytes[range.clone()], budget)).flatten()?;
    Some(Decoded::one(range, text))
}

/// What lines that were wrapped decode to together; where it is nothing, perhaps without the last, which may be a word
/// that ends them.
fn joined(bytes: &[u8], pieces: &[Range<usize>], budget: &mut usize) -> Option<Decoded> {
    let mut of = |pieces: &[Range<usize>]| {
        (pieces.len() > 1).then_some(())?;
        let text: Vec<u8> = pieces.iter().flat_map(|piece| &bytes[piece.clone()]).copied().collect();
        run(&text, budget).map(|bytes| Decoded { pieces: pieces.to_vec(), bytes })
    };
    of(pieces).or_else(|| of(&pieces[..pieces.len().saturating_sub(1)]))
}

/// Where the next run begins, at or after `at`, which is not inside one. As many bytes as a run has at least are looked at
/// from their end: whatever breaks them there lets all before it be passed over, so that few bytes of a text are touched.
fn next_run(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(window) = bytes.get(at..at + RUN) {
        match window.iter().rposition(|byte| !ENCODED[usize::from(*byte)]) {
            Some(last) => at += last + 1,
            None => return Some(at),
        }
    }
    None
}

/// What an encoded run consists of.
const ENCODED: [bool; 256] = {
    let class: Class = TOKEN.and(b'%');
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] = class.has(byte);
        byte += 1;
    }
    table
};

/// What one run decodes to, if that is text or gzip.
fn run(text: &[u8], budget: &mut usize) -> Option<Vec<u8>> {
    let percents = text.iter().filter(|byte| **byte == b'%').count();
    if percents * 12 > text.len() {
        return percent(text).filter(|text| readable(text));
    }
    if text.iter().all(|byte| ANY_HEX.has(*byte)) {
        return hex::decode(text).ok().filter(|text| readable(text));
    }
    let start = text.iter().rposition(|byte| matches!(byte, b'.' | b'~')).map_or(0, |dot| dot + 1);
    let text = &text[start..];
    let middle =
        text.iter().position(|byte| *byte == b'=').filter(|at| text[*at..].iter().any(|byte| *byte != b'='));
    let text = &text[middle.map_or(0, |at| at + 1)..];
    // Words run together are not base64: it has upper case and lower case or digits.
    let mixed = text.iter().any(u8::is_ascii_uppercase) && text.iter().any(|byte| byte.is_ascii_lowercase());
    let decoded = (text.len() >= RUN && mixed).then(|| base64(text)).flatten()?;
    gunzip(&decoded, budget).or_else(|| readable(&decoded).then_some(decoded))
}

fn percent(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let pair = (*byte == b'%')
            .then(|| text.get(at + 1..at + 3).and_then(|pair| hex::decode(pair).ok()))
            .flatten();
        at += if pair.is_some() { 3 } else { 1 };
        bytes.push(pair.and_then(|pair| pair.first().copied()).unwrap_or(*byte));
    }
    Some(bytes)
}

/// Whether nearly all bytes are printable ASCII or line ends.
fn readable(bytes: &[u8]) -> bool {
    let plain = bytes.iter().filter(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t')).count();
    bytes.len() >= 8 && plain * 100 >= bytes.len() * 95
}

/// What gzip holds, up to the budget and a hundred times its own size.
fn gunzip(bytes: &[u8], budget: &mut usize) -> Option<Vec<u8>> {
    bytes.starts_with(&[0x1f, 0x8b, 8]).then_some(())?;
    let limit = (*budget).min(bytes.len().saturating_mul(100));
    let mut text = Vec::new();
    let mut reader = flate2::read::GzDecoder::new(bytes).take(limit as u64);
    // A broken end still leaves what came before it.
    let _ = reader.read_to_end(&mut text);
    if text.len() == limit {
        *budget = 0;
    }
    (!text.is_empty()).then_some(text)
}

/// Bytes of base64 in either alphabet, with or without padding; none where it is neither.
pub(crate) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let mut bytes = Vec::with_capacity(end * 3 / 4);
    let mut bits = 0u32;
    let mut held = 0;
    for byte in &text[..end] {
        bits = bits << 6 | u32::from(sextet(*byte)?);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    (held < 6).then_some(bytes)
}

fn sextet(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Beside the plain way to find runs: byte by byte.
        #[test]
        fn no_run_is_passed_over(text in "([a-z0-9]{1,9}[ ;]|[a-zA-Z0-9+/]{20,30}|[ ;]){0,20}") {
            let (mut at, mut found) = (0, vec![]);
            while let Some(start) = next_run(text.as_bytes(), at) {
                at = start + text[start..].bytes().take_while(|byte| ENCODED[usize::from(*byte)]).count();
                found.push(&text[start..at]);
            }
            let runs = text.split([' ', ';']).filter(|run| run.len() >= RUN);
            prop_assert_eq!(found, runs.collect::<Vec<_>>());
        }
    }

    fn check(text: &[u8], expect: &[&str]) {
        let mut budget = BUDGET;
        let (found, whole) = all(text, &mut budget);
        let found: Vec<_> =
            found.iter().map(|one| String::from_utf8_lossy(&one.bytes).into_owned()).collect();
        assert_eq!((found, whole), (expect.iter().map(|text| (*text).to_owned()).collect(), true));
    }

    #[test]
    fn what_is_encoded_is_decoded_once() {
        check(b"data: cGFzc3dvcmQ9aHVudGVyMiBhbmQgbW9yZQ==\n", &["password=hunter2 and more"]);
        check(b"x=70617373776f72643d68756e74657232206f6b", &[]);
        check(b"x: 70617373776f72643d68756e74657232206f6b", &["password=hunter2 ok"]);
        check(b"q: password%3Dhunter2%26user%3Droot", &["password=hunter2&user=root"]);
        check(b"nothing here to decode, only words_that_are_long_and_run_together", &[]);
    }

    #[test]
    fn a_bomb_is_cut_at_the_budget() {
        use std::io::Write;
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        writer.write_all(&vec![b'a'; 3 << 20]).unwrap();
        let bomb = writer.finish().unwrap();
        let mut budget = 1 << 18;
        let (found, whole) = all(&bomb, &mut budget);
        assert_eq!((found.len(), whole, budget), (1, false, 0));
        assert_eq!(found[0].bytes.len(), 1 << 18);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_decoding_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            all(&bytes, &mut 1000);
        }

        #[test]
        fn text_of_the_alphabet_makes_no_panic(text in "[A-Za-z0-9%=+/._-]{20,120}") {
            all(text.as_bytes(), &mut 1000);
        }
    }

    #[test]
    fn base64_is_read_in_both_alphabets() {
        assert_eq!(base64(b"Zm9vOmJhcg==").as_deref(), Some(b"foo:bar".as_slice()));
        assert_eq!(base64(b"Zm9vOmJhcg").as_deref(), Some(b"foo:bar".as_slice()));
        assert_eq!(base64(b"-_-_"), base64(b"+/+/"));
        assert_eq!(base64(b"a b"), None);
        assert_eq!(base64(b"Z"), None);
    }
}
