//! What the prefilter looks for: the literal starts of tokens, and the words that give a value its role. One pass over the
//! bytes finds all of them, by a table of their first three bytes; nothing else looks at a file in which it finds none.

use super::tokens::{self, Token};

/// What a keyword announces.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A token with a known shape.
    Token(&'static Token),
    /// A name that may be given a secret.
    Name,
    /// `-----BEGIN`, before a private key or something harmless.
    Pem,
    /// `://`, perhaps with credentials.
    Url,
    /// `eyJ`, the start of a JSON object in base64.
    Jwt,
    /// The scheme of an authorization header.
    Scheme,
    /// A command whose flags take a password.
    Command,
    /// A comment that allows what is on its line.
    Allow,
}

const NAMES: &[&str] = &[
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "auth",
    "cred",
    "salt",
    "nonce",
    "jwt",
    "psw",
    "hmac",
    "session",
    "cookie",
    "connectionstring",
    "signature",
    "contrase",
    "senha",
    "identified by",
    "webhook",
    "_pw",
];
const OTHERS: &[(&str, Kind)] = &[
    ("-----begin", Kind::Pem),
    ("putty-user-key-file-", Kind::Pem),
    ("://", Kind::Url),
    ("eyj", Kind::Jwt),
    ("basic ", Kind::Scheme),
    ("bearer ", Kind::Scheme),
    ("curl ", Kind::Command),
    ("mysql", Kind::Command),
    ("sshpass", Kind::Command),
    ("convertto-securestring", Kind::Command),
    ("plimsoll:allow", Kind::Allow),
    ("gitleaks:allow", Kind::Allow),
    ("betterleaks:allow", Kind::Allow),
    ("allowlist secret", Kind::Allow),
];

/// Every keyword with what it announces, those of tokens first.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, Kind)> {
    let tokens = tokens::ALL.iter().copied().flatten();
    let tokens = tokens.flat_map(|token| token.keywords.iter().map(move |word| (*word, Kind::Token(token))));
    tokens.chain(NAMES.iter().map(|word| (*word, Kind::Name))).chain(OTHERS.iter().copied())
}

/// A keyword that was found.
pub(crate) struct Hit {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Bytes that every keyword has.
const LEAST: usize = 3;
/// Places in eight bytes from which on there are as many.
const PLACES: usize = 8 - LEAST + 1;
/// Makes letters lower case, eight bytes at a time.
const FOLD: u64 = 0x2020_2020_2020_2020;
/// Bytes whose keywords are put in order together.
const BLOCK: usize = 16 << 10;

/// A keyword with the hash of its first three bytes.
#[derive(Clone, Copy)]
struct Word {
    hash: u16,
    text: &'static str,
    kind: Kind,
}

/// Keywords by the hash of their first three bytes.
struct Prefilter {
    /// Whether some keyword has this hash: a bit each, small enough to stay close to the processor.
    starts: [u64; 1 << 10],
    /// Hashes that some keyword has before those of an element of `starts`.
    before: [u16; 1 << 10],
    /// By the place of a hash among those that some keyword has: its first keyword.
    first: [u16; COUNT],
    words: [Word; COUNT],
}

const COUNT: usize = {
    let (mut count, mut group) = (NAMES.len() + OTHERS.len(), 0);
    while group < tokens::ALL.len() {
        let mut token = 0;
        while token < tokens::ALL[group].len() {
            count += tokens::ALL[group][token].keywords.len();
            token += 1;
        }
        group += 1;
    }
    count
};

/// Made when the program is: a scan begins without making anything.
static PREFILTER: Prefilter = Prefilter::new();

/// The same for upper case and lower case, and for a few other bytes that a comparison tells apart.
const fn hash([a, b, c]: [u8; LEAST]) -> u16 {
    hash_of(u32::from_le_bytes([a, b, c, 0]) | 0x2020_2020)
}

/// Of the lower three bytes of four that were folded.
const fn hash_of(folded: u32) -> u16 {
    ((folded & 0x00ff_ffff).wrapping_mul(0x9e37_79b1) >> 16) as u16
}

/// Keywords in the order of their hashes; those with the same hash in the order of [`all`].
struct Words([Word; COUNT], usize);

impl Words {
    const fn add(&mut self, text: &'static str, kind: Kind) {
        let bytes = text.as_bytes();
        let hash = hash([bytes[0], bytes[1], bytes[2]]);
        let mut at = self.1;
        while at > 0 && self.0[at - 1].hash > hash {
            self.0[at] = self.0[at - 1];
            at -= 1;
        }
        self.0[at] = Word { hash, text, kind };
        self.1 += 1;
    }

    const fn all() -> Self {
        let mut words = Self([Word { hash: 0, text: "", kind: Kind::Name }; COUNT], 0);
        let (mut group, mut at) = (0, 0);
        while group < tokens::ALL.len() {
            let mut token = 0;
            while token < tokens::ALL[group].len() {
                let named = &tokens::ALL[group][token];
                let mut word = 0;
                while word < named.keywords.len() {
                    words.add(named.keywords[word], Kind::Token(named));
                    word += 1;
                }
                token += 1;
            }
            group += 1;
        }
        while at < NAMES.len() {
            words.add(NAMES[at], Kind::Name);
            at += 1;
        }
        at = 0;
        while at < OTHERS.len() {
            words.add(OTHERS[at].0, OTHERS[at].1);
            at += 1;
        }
        words
    }
}

impl Prefilter {
    const fn new() -> Self {
        let words = Words::all().0;
        let (mut starts, mut before, mut first) = ([0; 1 << 10], [0; 1 << 10], [0; COUNT]);
        let (mut at, mut hashes, mut element) = (0, 0, 0);
        while element < starts.len() {
            before[element] = hashes as u16;
            while at < COUNT && words[at].hash as usize >> 6 == element {
                if at == 0 || words[at - 1].hash != words[at].hash {
                    starts[element] |= 1u64 << (words[at].hash & 63);
                    first[hashes] = at as u16;
                    hashes += 1;
                }
                at += 1;
            }
            element += 1;
        }
        Self { starts, before, first, words }
    }

    /// Adds the keywords that begin in a part of `bytes`. Six places are asked about at once, which all are in one word of
    /// the processor; nearly always none of them begins a keyword.
    fn find(&self, bytes: &[u8], part: std::ops::Range<usize>, hits: &mut Vec<Hit>) {
        let seen = &bytes[part.start..(part.end + LEAST - 1).min(bytes.len())];
        let mut done = 0;
        while let Some(eight) = seen[done..].first_chunk::<8>() {
            let folded = u64::from_le_bytes(*eight) | FOLD;
            let begins = |place: usize| self.begins(hash_of((folded >> (8 * place)) as u32));
            if (0..PLACES).fold(false, |any, place| any | begins(place)) {
                for place in (0..PLACES).filter(|place| begins(*place)) {
                    self.compare(
                        bytes,
                        part.start + done + place,
                        hash_of((folded >> (8 * place)) as u32),
                        hits,
                    );
                }
            }
            done += PLACES;
        }
        for (place, three) in (done..).zip(seen[done..].windows(LEAST)) {
            let hash = hash([three[0], three[1], three[2]]);
            if self.begins(hash) {
                self.compare(bytes, part.start + place, hash, hits);
            }
        }
    }

    /// Whether a keyword has this hash.
    fn begins(&self, hash: u16) -> bool {
        self.starts[usize::from(hash >> 6)] >> (hash & 63) & 1 == 1
    }

    #[inline(never)]
    fn compare(&self, bytes: &[u8], at: usize, hash: u16, hits: &mut Vec<Hit>) {
        let element = usize::from(hash >> 6);
        let lower = self.starts[element] & ((1 << (hash & 63)) - 1);
        let place = usize::from(self.before[element]) + lower.count_ones() as usize;
        let words = &self.words[usize::from(self.first[place])..];
        // Most words of a text that begin as a keyword go on otherwise.
        let next = bytes.get(at + LEAST).map_or(0, |byte| byte | 0x20);
        for Word { text, kind, .. } in words.iter().take_while(|word| word.hash == hash) {
            if text.as_bytes().get(LEAST).is_some_and(|byte| byte | 0x20 != next) {
                continue;
            }
            let end = at + text.len();
            if bytes.get(at..end).is_some_and(|found| found.eq_ignore_ascii_case(text.as_bytes())) {
                hits.push(Hit { kind: *kind, start: at, end });
            }
        }
    }
}

/// Every keyword in `bytes`, overlapping ones too, in order of their ends.
pub(crate) fn hits(bytes: &[u8]) -> impl Iterator<Item = Hit> {
    let mut open: Vec<Hit> = Vec::new();
    let mut next = 0;
    std::iter::from_fn(move || {
        let from = next;
        (from < bytes.len()).then_some(())?;
        next = (from + BLOCK).min(bytes.len());
        PREFILTER.find(bytes, from..next, &mut open);
        open.sort_by_key(|hit| (hit.end, hit.start));
        // What ends later may end after what begins later.
        let later = open.partition_point(|hit| hit.end <= next);
        let later = open.split_off(later);
        Some(std::mem::replace(&mut open, later))
    })
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aho_corasick::AhoCorasick;
    use proptest::prelude::*;

    #[test]
    fn every_keyword_has_three_bytes_and_starts_its_token() {
        for (word, kind) in all() {
            assert!(word.len() >= 3, "{word}");
            if let Kind::Token(token) = kind {
                let starts = token.keywords.iter().any(|keyword| keyword.starts_with(word));
                assert!(starts, "{word} of {}", token.rule.id);
            }
        }
    }

    #[test]
    fn keywords_are_found_in_any_case_and_inside_each_other() {
        let words = |text: &str| {
            hits(text.as_bytes()).map(|hit| text[hit.start..hit.end].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(words("API_SECRETKEY"), ["SECRET", "KEY"]);
        assert!(words("nothing to see").is_empty());
    }

    proptest! {
        /// Beside an automaton of all keywords.
        #[test]
        fn no_keyword_is_passed_over(parts in proptest::collection::vec((0usize..1000, "[a-zA-Z_:/ -]{0,6}"), 0..40), gap in 0usize..40_000) {
            let words: Vec<&str> = all().map(|(word, _)| word).collect();
            let mut text = "x".repeat(gap);
            parts.iter().for_each(|(word, more)| text.extend([words[word % words.len()], more]));
            let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(&words).unwrap();
            let theirs = automaton.find_overlapping_iter(&text).map(|hit| (hit.end(), hit.start()));
            let ours = hits(text.as_bytes()).map(|hit| (hit.end, hit.start));
            prop_assert_eq!(ours.collect::<Vec<_>>(), theirs.collect::<Vec<_>>());
        }
    }
}
