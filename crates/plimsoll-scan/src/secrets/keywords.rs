//! What the prefilter looks for: the literal starts of tokens, and the words that give a value its role. One automaton
//! finds all of them in one pass over the bytes; nothing else looks at a file in which it finds none.

use super::tokens::{self, Token};
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::sync::LazyLock;

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

/// Every keyword with what it announces, in the order of the automaton's patterns.
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

struct Prefilter {
    automaton: AhoCorasick,
    kinds: Vec<Kind>,
}

/// Building it takes about a millisecond, once a process, and only when the first file is scanned.
static PREFILTER: LazyLock<Option<Prefilter>> = LazyLock::new(|| {
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(all().map(|(word, _)| word))
        .ok()?;
    Some(Prefilter { automaton, kinds: all().map(|(_, kind)| kind).collect() })
});

/// Every keyword in `bytes`, overlapping ones too, in order of their ends; none where the automaton could not be built,
/// which depends on the keywords alone and is a gap of every scan.
pub(crate) fn hits(bytes: &[u8]) -> Option<impl Iterator<Item = Hit>> {
    let prefilter = PREFILTER.as_ref()?;
    let found = prefilter.automaton.find_overlapping_iter(bytes);
    Some(found.map(|hit| Hit {
        kind: prefilter.kinds[hit.pattern().as_usize()],
        start: hit.start(),
        end: hit.end(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            hits(text.as_bytes()).unwrap().map(|hit| text[hit.start..hit.end].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(words("API_SECRETKEY"), ["SECRET", "KEY"]);
        assert!(words("nothing to see").is_empty());
    }
}
