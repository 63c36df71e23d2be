//! Rules that somebody wrote for gitleaks, applied beside Plimsoll's own. They are regular expressions, which are searched
//! in linear time and within limits; what they find is masked, keyed and reported as every other secret.

mod allow;
mod file;
mod go;
mod pattern;

use super::text::line_around;
use crate::{
    finding::{Rule as Described, Severity},
    ruleset::{RuleProblem, RuleSet},
};
use aho_corasick::AhoCorasick;
use allow::{AllowList, Found};
use file::Reader;
use memchr::memchr_iter;
use plimsoll_model::Digest;
use regex_automata::{Input, meta::Regex};
use std::ops::Range;

/// Matches of one rule in one text that are looked at; more are a gap.
const MATCHES: usize = 10_000;
/// Matches of a required rule that are looked at.
const OTHERS: usize = 1000;
/// Bytes of a line on either side of a match that lists for lines look at.
const LINE: usize = 4096;

/// What all imported rules are to reports; the name of each follows after a slash.
pub(crate) static RULE: Described = Described {
    id: "secrets/imported",
    title: "what an imported rule describes",
    severity: Severity::High,
    help: "A rule that was imported on this machine found it, in a file of the format of gitleaks: `plimsoll rules show` \
           lists the files, and the part of the name after `secrets/imported/` is the `id` of the rule there.\n\n**What to \
           do:** if it is a secret, replace it where it is used, since everybody with a clone has it and the history keeps \
           it; then read it from a secret store or the environment. If the rule is wrong, change it or its `allowlists` and \
           import it again. If only this place is none, say why on the same line: `plimsoll:allow secrets/imported/NAME \
           reason`.\n\nBad: `acme_key = \"…\"`\n\nGood: `acme_key = os.environ[\"ACME_KEY\"]`",
    references: &["https://github.com/gitleaks/gitleaks#configuration"],
};

/// Imported rules, ready to be applied.
#[derive(Debug, Clone)]
pub struct Imported {
    rules: Vec<Rule>,
    lists: Vec<AllowList>,
    keywords: Option<AhoCorasick>,
    notes: Vec<String>,
    digest: Digest,
}

#[derive(Debug, Clone)]
struct Rule {
    name: String,
    message: String,
    /// The first and last of its keywords, of all; none where it has none.
    keywords: Option<Range<usize>>,
    regex: Option<Regex>,
    path: Option<Regex>,
    /// The group that is the secret; 0: the first that holds anything.
    group: usize,
    /// Bits a character that the secret must have more of.
    entropy: f64,
    /// Whether it only serves as a requirement of others.
    silent: bool,
    lists: Vec<usize>,
    required: Vec<Required>,
}

/// Another rule that must find something close by.
#[derive(Debug, Clone)]
struct Required {
    rule: usize,
    lines: Option<u32>,
    columns: Option<u32>,
}

/// Something that a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    rule: usize,
    pub(super) matched: Range<usize>,
    pub(super) secret: Range<usize>,
}

impl Imported {
    /// Reads the files of a set.
    ///
    /// # Errors
    /// Every problem of every file, up to a hundred.
    pub fn read(set: &RuleSet) -> Result<Self, Vec<RuleProblem>> {
        let problem =
            |problem: String| RuleProblem { file: "all files".into(), line: 1, rule: None, problem };
        let digest = set.digest().map_err(|error| vec![problem(error.to_string())])?;
        let mut reader = Reader::new(digest);
        set.files().iter().for_each(|file| reader.file(file));
        let imported = reader.finish()?;
        match imported.rules.is_empty() {
            true => Err(vec![problem("there is no rule".into())]),
            false => Ok(imported),
        }
    }

    /// How many rules there are.
    #[must_use]
    pub fn rules(&self) -> usize {
        self.rules.len()
    }

    /// What stands in the files and has no effect here.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The digest of the set.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The place of every match that counts, with the name of its rule. What Plimsoll's own rules find has no part in it;
    /// this is for comparing with other tools.
    #[must_use]
    pub fn matches(&self, path: &str, bytes: &[u8]) -> Vec<(&str, Range<usize>)> {
        self.find(path, bytes).0.into_iter().map(|hit| (self.name(&hit), hit.matched)).collect()
    }

    pub(super) fn name(&self, hit: &Hit) -> &str {
        self.rules.get(hit.rule).map_or("", |rule| &rule.name)
    }

    pub(super) fn message(&self, hit: &Hit) -> &str {
        self.rules.get(hit.rule).map_or("", |rule| &rule.message)
    }

    /// Names and messages of the rules that a path alone breaks.
    pub(super) fn of_path<'a>(&'a self, path: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let alone = self.rules.iter().filter(|rule| rule.regex.is_none() && !rule.silent);
        let alone = alone.filter(move |rule| rule.path.as_ref().is_some_and(|own| own.is_match(path)));
        let open = alone.filter(move |rule| !self.lists(rule).any(|list| list.excepts_file(path)));
        open.map(|rule| (rule.name.as_str(), rule.message.as_str()))
    }

    fn lists<'a>(&'a self, rule: &'a Rule) -> impl Iterator<Item = &'a AllowList> {
        rule.lists.iter().filter_map(|index| self.lists.get(*index))
    }

    /// Everything that the rules find, in order of place, and which of them found too much to say all of it.
    pub(super) fn find(&self, path: &str, bytes: &[u8]) -> (Vec<Hit>, Vec<&str>) {
        let excepted: Vec<bool> = self.lists.iter().map(|list| list.excepts_file(path)).collect();
        let present = self.present(bytes);
        let search = Search { imported: self, path, bytes, excepted };
        let (mut hits, mut cut) = (Vec::new(), Vec::new());
        for (index, rule) in self.rules.iter().enumerate().filter(|(_, rule)| !rule.silent) {
            let asked = rule.keywords.clone().is_none_or(|range| present[range].iter().any(|here| *here));
            if asked {
                let (found, whole) = search.rule(index, rule);
                hits.extend(search.supported(rule, found));
                cut.extend((!whole).then_some(rule.name.as_str()));
            }
        }
        hits.sort_by_key(|hit| (hit.matched.start, hit.matched.end, hit.rule));
        (self.specific(bytes, hits), cut)
    }

    /// Which keywords stand in the text.
    fn present(&self, bytes: &[u8]) -> Vec<bool> {
        let Some(automaton) = &self.keywords else { return Vec::new() };
        let mut present = vec![false; automaton.patterns_len()];
        automaton.find_overlapping_iter(bytes).for_each(|hit| present[hit.pattern().as_usize()] = true);
        present
    }

    /// Without what a rule with `generic` in its name found where another one found the same.
    fn specific(&self, bytes: &[u8], hits: Vec<Hit>) -> Vec<Hit> {
        let generic = |hit: &Hit| self.name(hit).to_lowercase().contains("generic");
        let named: Vec<&Hit> = hits.iter().filter(|hit| !generic(hit)).collect();
        let better = |hit: &Hit| {
            let secret = &bytes[hit.secret.clone()];
            // Those that begin before it ends; how far back they may reach is bounded.
            let after = named.partition_point(|other| other.matched.start < hit.matched.end);
            let near = named[after.saturating_sub(64)..after].iter();
            near.filter(|other| other.matched.end > hit.matched.start)
                .any(|other| memchr::memmem::find(&bytes[other.secret.clone()], secret).is_some())
        };
        let kept: Vec<bool> = hits.iter().map(|hit| !generic(hit) || !better(hit)).collect();
        hits.into_iter().zip(kept).filter_map(|(hit, kept)| kept.then_some(hit)).collect()
    }
}

/// One text.
struct Search<'a> {
    imported: &'a Imported,
    path: &'a str,
    bytes: &'a [u8],
    /// Which lists except the whole file.
    excepted: Vec<bool>,
}

impl Search<'_> {
    /// What a rule finds, and whether that is all of it.
    fn rule(&self, index: usize, rule: &Rule) -> (Vec<Hit>, bool) {
        let Some(regex) = &rule.regex else { return (vec![], true) };
        let elsewhere = rule.path.as_ref().is_some_and(|path| !path.is_match(self.path));
        if elsewhere || rule.lists.iter().any(|list| self.excepted.get(*list) == Some(&true)) {
            return (vec![], true);
        }
        let mut found = regex.find_iter(Input::new(self.bytes));
        let matches = found.by_ref().take(MATCHES);
        let hits = matches.filter_map(|matched| self.hit(index, rule, regex, matched.range())).collect();
        (hits, found.next().is_none())
    }

    fn hit(&self, index: usize, rule: &Rule, regex: &Regex, range: Range<usize>) -> Option<Hit> {
        let matched = trimmed(self.bytes, range);
        let secret = self.secret(rule, regex, &matched)?;
        let text = &self.bytes[secret.clone()];
        if rule.entropy > 0.0 && entropy(text) <= rule.entropy {
            return None;
        }
        let line = || {
            let start = line_around(self.bytes, matched.start, LINE).start;
            start..line_around(self.bytes, matched.end, LINE).end.max(matched.end)
        };
        let found = Found {
            path: self.path,
            secret: text,
            matched: &self.bytes[matched.clone()],
            line: &self.bytes[line()],
        };
        let open = !self.imported.lists(rule).any(|list| list.excepts(&found));
        open.then_some(Hit { rule: index, matched, secret })
    }

    /// The group that is the secret, or all of it. The groups are those of the match alone, as where the rules come from.
    fn secret(&self, rule: &Rule, regex: &Regex, matched: &Range<usize>) -> Option<Range<usize>> {
        let text = &self.bytes[matched.clone()];
        let mut groups = regex.create_captures();
        regex.search_captures(&Input::new(text), &mut groups);
        let moved = |span: regex_automata::Span| matched.start + span.start..matched.start + span.end;
        let secret = match (groups.is_match(), rule.group) {
            (false, _) => matched.clone(),
            (true, 0) => (1..groups.group_len())
                .find_map(|group| groups.get_group(group).filter(|span| !span.is_empty()))
                .map_or_else(|| matched.clone(), moved),
            (true, group) => moved(groups.get_group(group)?),
        };
        (!secret.is_empty()).then_some(secret)
    }

    /// Those hits near which the required rules find something too.
    fn supported(&self, rule: &Rule, hits: Vec<Hit>) -> Vec<Hit> {
        if rule.required.is_empty() || hits.is_empty() {
            return hits;
        }
        let ends: Vec<usize> = memchr_iter(b'\n', self.bytes).collect();
        // Line and column in bytes, both from 0.
        let place = |hit: &Hit| {
            let line = ends.partition_point(|end| *end < hit.matched.start);
            let start = line.checked_sub(1).and_then(|before| ends.get(before)).map_or(0, |end| end + 1);
            (line, hit.matched.start - start)
        };
        let found = |required: &Required| {
            let other = self.imported.rules.get(required.rule);
            let hits = other.map(|rule| self.rule(required.rule, rule).0).unwrap_or_default();
            hits.iter().take(OTHERS).map(place).collect::<Vec<_>>()
        };
        let others: Vec<_> = rule.required.iter().map(|required| (required, found(required))).collect();
        let within = |distance: usize, most: Option<u32>| most.is_none_or(|most| distance <= most as usize);
        let near = |hit: &Hit| {
            let own = place(hit);
            others.iter().all(|(required, places)| {
                places.iter().any(|other| {
                    within(own.0.abs_diff(other.0), required.lines)
                        && within(own.1.abs_diff(other.1), required.columns)
                })
            })
        };
        hits.into_iter().filter(near).collect()
    }
}

/// Without the line ends around.
fn trimmed(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let text = &bytes[range.clone()];
    let start = text.iter().take_while(|byte| **byte == b'\n').count();
    let end = text.iter().rev().take_while(|byte| **byte == b'\n').count();
    range.start + start..(range.end - end).max(range.start + start)
}

/// Bits a character (Shannon), where the share of a character is of the bytes, as where the rules come from.
fn entropy(text: &[u8]) -> f64 {
    let mut counts = std::collections::BTreeMap::<char, u32>::new();
    String::from_utf8_lossy(text).chars().for_each(|char| *counts.entry(char).or_default() += 1);
    let length = text.len() as f64;
    counts.into_values().map(|count| f64::from(count) / length).map(|share| -share * share.log2()).sum()
}

#[cfg(test)]
mod tests;
