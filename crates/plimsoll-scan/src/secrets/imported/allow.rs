//! What the authors of imported rules except from them: lists of expressions for paths, secrets, matches and lines, and of
//! words. A list of the file as a whole is about its rules, never about those of Plimsoll.

use aho_corasick::AhoCorasick;
use regex_automata::meta::Regex;

/// What the expressions of a list are held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Secret,
    Match,
    Line,
}

/// One list.
#[derive(Debug, Clone)]
pub(super) struct AllowList {
    /// Whether all of what it names must hold, and not just one.
    pub(super) all: bool,
    /// Whether it names commits. A file is looked at whatever commit it is of, so none of them ever holds.
    pub(super) commits: bool,
    pub(super) paths: Option<Regex>,
    pub(super) target: Target,
    pub(super) regexes: Option<Regex>,
    pub(super) words: Option<AhoCorasick>,
}

/// What was found, as lists look at it.
pub(super) struct Found<'a> {
    pub(super) path: &'a str,
    pub(super) secret: &'a [u8],
    pub(super) matched: &'a [u8],
    pub(super) line: &'a [u8],
}

impl AllowList {
    /// Whether a whole file is excepted.
    pub(super) fn excepts_file(&self, path: &str) -> bool {
        let more = self.all && (self.commits || self.regexes.is_some() || self.words.is_some());
        !more && self.paths.as_ref().is_some_and(|paths| paths.is_match(path))
    }

    /// Whether this is excepted. The lists of whole files were asked before.
    pub(super) fn excepts(&self, found: &Found<'_>) -> bool {
        let target = match self.target {
            Target::Secret => found.secret,
            Target::Match => found.matched,
            Target::Line => found.line,
        };
        let regex = self.regexes.as_ref().map(|regexes| regexes.is_match(target));
        let word = self.words.as_ref().map(|words| words.is_match(found.secret));
        if !self.all {
            return regex == Some(true) || word == Some(true);
        }
        let path = self.paths.as_ref().map(|paths| paths.is_match(found.path));
        !self.commits && [regex, word, path].into_iter().flatten().all(|holds| holds)
    }
}
