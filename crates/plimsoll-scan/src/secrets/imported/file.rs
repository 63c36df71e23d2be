//! A file of rules in the format of gitleaks 8: TOML, of which everything is read or refused, with the line and all problems
//! at once. As there, case makes no difference in the names of keys.

use super::{
    Imported, Required, Rule,
    allow::{AllowList, Target},
    pattern,
};
use crate::ruleset::{Lines, MAX_FILE, MAX_PROBLEMS, RuleFile, RuleProblem};
use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError};
use plimsoll_model::{Digest, reason::printable};
use regex_automata::meta::Regex;
use std::{collections::BTreeMap, ops::Range};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Rules of all files together.
const RULES: usize = 2000;
/// Bytes of all compiled expressions and words together.
const COMPILED: usize = 192 << 20;
/// Keywords, and words, expressions and rules named by lists, all together.
const WORDS: usize = 100_000;
/// Bytes of a keyword or word.
const WORD: usize = 200;
/// Characters of a rule's name, and of its description.
const NAME: usize = 100;
const DESCRIPTION: usize = 200;

/// What was read of all files so far.
pub(super) struct Reader {
    imported: Imported,
    problems: Vec<RuleProblem>,
    keywords: Vec<String>,
    names: BTreeMap<String, usize>,
    compiled: usize,
    words: usize,
    /// Lists that are for rules with a name.
    targeted: Vec<(Named, usize)>,
    required: Vec<(Named, usize, Required)>,
}

/// The name of a rule, where it stands.
struct Named {
    name: String,
    file: String,
    line: u32,
}

/// One file, and the rule in it that is read.
struct Place<'a> {
    file: &'a RuleFile,
    lines: Lines,
    rule: Option<String>,
}

impl Place<'_> {
    fn named(&self, span: &Range<usize>, name: String) -> Named {
        Named { name, file: self.file.name.clone(), line: self.lines.at(span.start) }
    }
}

type Value<'i> = Spanned<DeValue<'i>>;

/// The keys of a table in lower case, each with its place and its value.
type Keys<'a, 'i> = BTreeMap<String, (Range<usize>, &'a Value<'i>)>;

impl Reader {
    /// Nothing yet, of a set with this digest.
    pub(super) fn new(digest: Digest) -> Self {
        let (rules, lists, notes) = (vec![], vec![], vec![]);
        Self {
            imported: Imported { rules, lists, keywords: None, notes, digest },
            problems: vec![],
            keywords: vec![],
            names: BTreeMap::new(),
            compiled: 0,
            words: 0,
            targeted: vec![],
            required: vec![],
        }
    }

    /// Reads one more file.
    pub(super) fn file(&mut self, file: &RuleFile) {
        let mut place = Place { file, lines: Lines::default(), rule: None };
        if file.text.len() > MAX_FILE {
            return self.refuse(&place, &(0..0), format!("the file has more than {MAX_FILE} bytes"));
        }
        place.lines = Lines::of(&file.text);
        let table = match DeTable::parse(&file.text) {
            Ok(table) => table,
            Err(error) => return self.refuse(&place, &error.span().unwrap_or_default(), error.message()),
        };
        let first = self.imported.rules.len();
        let mut keys = self.keys(&place, table.get_ref());
        for name in ["title", "description", "minversion"] {
            keys.remove(name);
        }
        if let Some((_, value)) = keys.remove("extend") {
            self.extend(&place, value);
        }
        let lists = [keys.remove("allowlist"), keys.remove("allowlists")].into_iter().flatten();
        let lists: Vec<_> = lists.flat_map(|(_, value)| self.tables(&place, value)).collect();
        let global: Vec<usize> =
            lists.into_iter().filter_map(|(span, table)| self.list(&place, &span, table, true)).collect();
        let rules = keys.remove("rules").map_or_else(Vec::new, |(_, value)| self.tables(&place, value));
        for (span, table) in rules {
            if self.imported.rules.len() >= RULES {
                self.refuse(&place, &span, format!("there are more than {RULES} rules"));
                break;
            }
            self.rule(&mut place, &span, table);
            place.rule = None;
        }
        self.unknown(&place, keys);
        self.imported.rules.iter_mut().skip(first).for_each(|rule| rule.lists.extend(&global));
    }

    /// All that was read, once lists and requirements have found the rules that they name.
    pub(super) fn finish(mut self) -> Result<Imported, Vec<RuleProblem>> {
        for (named, list) in std::mem::take(&mut self.targeted) {
            match self.named(&named) {
                Some(rule) => rule.lists.push(list),
                None => self.missing(named),
            }
        }
        for (named, from, mut required) in std::mem::take(&mut self.required) {
            match self.names.get(&named.name) {
                Some(rule) => {
                    required.rule = *rule;
                    self.imported.rules[from].required.push(required);
                }
                None => self.missing(named),
            }
        }
        let automaton = automaton_of(&self.keywords);
        self.imported.keywords = automaton.ok().filter(|_| !self.keywords.is_empty());
        if self.imported.keywords.is_none() && !self.keywords.is_empty() {
            let problem = "the keywords are too many or too long".to_owned();
            self.problems.push(RuleProblem { file: "all files".into(), line: 1, rule: None, problem });
        }
        self.problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        if self.problems.is_empty() { Ok(self.imported) } else { Err(self.problems) }
    }

    fn named(&mut self, named: &Named) -> Option<&mut Rule> {
        self.names.get(&named.name).and_then(|index| self.imported.rules.get_mut(*index))
    }

    fn missing(&mut self, named: Named) {
        if !self.full() {
            let problem = format!("there is no rule {}", printable(&named.name, NAME));
            self.problems.push(RuleProblem { file: named.file, line: named.line, rule: None, problem });
        }
    }

    /// Whether no more problems are told, so that nothing more has to be looked at.
    fn full(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS
    }

    fn refuse(&mut self, place: &Place<'_>, span: &Range<usize>, problem: impl Into<String>) {
        if !self.full() {
            let (file, line) = (place.file.name.clone(), place.lines.at(span.start));
            let rule = place.rule.clone();
            self.problems.push(RuleProblem { file, line, rule, problem: printable(&problem.into(), 300) });
        }
    }

    fn note(&mut self, place: &Place<'_>, span: &Range<usize>, text: &str) {
        if self.imported.notes.len() < MAX_PROBLEMS {
            let line = place.lines.at(span.start);
            self.imported.notes.push(format!("{}:{line}: {text}", place.file.name));
        }
    }

    fn keys<'a, 'i>(&mut self, place: &Place<'_>, table: &'a DeTable<'i>) -> Keys<'a, 'i> {
        let mut keys = Keys::new();
        for (key, value) in table {
            if keys.insert(key.get_ref().to_lowercase(), (key.span(), value)).is_some() {
                self.refuse(place, &key.span(), format!("`{}` stands twice", key.get_ref()));
            }
        }
        keys
    }

    fn unknown(&mut self, place: &Place<'_>, keys: Keys<'_, '_>) {
        for (name, (span, _)) in keys {
            self.refuse(place, &span, format!("`{name}` is not known here"));
        }
    }

    /// What a file builds on. Plimsoll's own rules are always applied, so there is nothing to switch on or off.
    fn extend(&mut self, place: &Place<'_>, value: &Value<'_>) {
        let Some(table) = value.get_ref().as_table() else {
            return self.refuse(place, &value.span(), "`extend` is a table");
        };
        let mut keys = self.keys(place, table);
        if let Some((span, _)) = keys.remove("usedefault") {
            self.note(place, &span, "`useDefault` is Plimsoll's own rules, which are applied in any case");
        }
        if let Some((span, _)) = keys.remove("disabledrules") {
            let text =
                "`disabledRules` has no effect: Plimsoll's own rules are not those of gitleaks, and stay";
            self.note(place, &span, text);
        }
        for name in ["path", "url"] {
            if let Some((span, _)) = keys.remove(name) {
                let problem = format!("`{name}` is not followed: import the other file beside this one");
                self.refuse(place, &span, problem);
            }
        }
        self.unknown(place, keys);
    }

    fn rule(&mut self, place: &mut Place<'_>, span: &Range<usize>, table: &DeTable<'_>) {
        if self.full() {
            return;
        }
        let mut keys = self.keys(place, table);
        let id = self.text(place, &mut keys, "id").unwrap_or_default();
        let name = slug(&id);
        place.rule = (!name.is_empty()).then(|| name.clone());
        if name.is_empty() {
            self.refuse(place, span, "a rule has no `id`");
        }
        let index = self.imported.rules.len();
        if self.names.insert(id, index).is_some() || self.imported.rules.iter().any(|rule| rule.name == name)
        {
            self.refuse(place, span, "there is another rule of this name");
        }
        let description = self.text(place, &mut keys, "description").unwrap_or_default();
        let regex = self.expression(place, &mut keys, "regex");
        let path = self.expression(place, &mut keys, "path");
        if regex.is_none() && path.is_none() && !table_has(table, &["regex", "path"]) {
            let problem = "it has neither `regex` nor `path`, and there is no rule that it could extend";
            self.refuse(place, span, problem);
        }
        let group = self.count(place, &mut keys, "secretgroup").unwrap_or(0);
        if regex.as_ref().is_some_and(|regex| group as usize >= regex.captures_len().max(1)) {
            self.refuse(place, span, format!("`secretGroup` is {group}, and there are fewer groups"));
        }
        let message = match description.trim() {
            "" => format!("it matches the imported rule {name}"),
            text => printable(text.trim_end_matches('.'), DESCRIPTION),
        };
        let keywords = self.keywords(place, &mut keys);
        let rule = Rule {
            keywords,
            message,
            regex,
            path,
            group: group as usize,
            entropy: self.number(place, &mut keys, "entropy").unwrap_or(0.0),
            silent: self.flag(place, &mut keys, "skipreport"),
            lists: self.own_lists(place, &mut keys),
            required: vec![],
            name,
        };
        self.imported.rules.push(rule);
        for (span, table) in
            keys.remove("required").map_or_else(Vec::new, |(_, value)| self.tables(place, value))
        {
            self.requirement(place, index, &span, table);
        }
        keys.remove("tags");
        self.unknown(place, keys);
    }

    fn own_lists(&mut self, place: &Place<'_>, keys: &mut Keys<'_, '_>) -> Vec<usize> {
        let lists = [keys.remove("allowlist"), keys.remove("allowlists")].into_iter().flatten();
        let lists: Vec<_> = lists.flat_map(|(_, value)| self.tables(place, value)).collect();
        lists.into_iter().filter_map(|(span, table)| self.list(place, &span, table, false)).collect()
    }

    fn requirement(&mut self, place: &Place<'_>, from: usize, span: &Range<usize>, table: &DeTable<'_>) {
        let mut keys = self.keys(place, table);
        let name = self.text(place, &mut keys, "id").unwrap_or_default();
        let required = Required {
            rule: 0,
            lines: self.count(place, &mut keys, "withinlines"),
            columns: self.count(place, &mut keys, "withincolumns"),
        };
        self.unknown(place, keys);
        self.required.push((place.named(span, name), from, required));
    }

    /// One list; its number where it is for all rules around it.
    fn list(
        &mut self,
        place: &Place<'_>,
        span: &Range<usize>,
        table: &DeTable<'_>,
        global: bool,
    ) -> Option<usize> {
        let mut keys = self.keys(place, table);
        let condition = self.text(place, &mut keys, "condition").unwrap_or_default().to_lowercase();
        if !["", "or", "||", "and", "&&"].contains(&condition.as_str()) {
            self.refuse(place, span, "`condition` is OR or AND");
        }
        let target = match self.text(place, &mut keys, "regextarget").as_deref() {
            None | Some("" | "secret") => Target::Secret,
            Some("match") => Target::Match,
            Some("line") => Target::Line,
            Some(_) => {
                self.refuse(place, span, "`regexTarget` is secret, match or line");
                Target::Secret
            }
        };
        let commits = keys.remove("commits");
        if let Some((span, _)) = &commits {
            let text = "`commits` has no effect: a file is looked at whatever commit it is of";
            self.note(place, span, text);
        }
        keys.remove("description");
        let paths = self.texts(place, &mut keys, "paths");
        let regexes = self.texts(place, &mut keys, "regexes");
        let words = self.texts(place, &mut keys, "stopwords");
        if commits.is_none() && paths.is_empty() && regexes.is_empty() && words.is_empty() {
            self.refuse(
                place,
                span,
                "a list without `commits`, `paths`, `regexes` and `stopwords` is of nothing",
            );
        }
        let targets = if global { self.texts(place, &mut keys, "targetrules") } else { vec![] };
        self.unknown(place, keys);
        let list = AllowList {
            all: ["and", "&&"].contains(&condition.as_str()),
            commits: commits.is_some(),
            paths: self.compiled(place, &paths),
            target,
            regexes: self.compiled(place, &regexes),
            words: self.automaton(place, span, &words),
        };
        let index = self.imported.lists.len();
        self.imported.lists.push(list);
        if targets.is_empty() {
            return Some(index);
        }
        let named = targets.into_iter().map(|(span, name)| (place.named(&span, name), index));
        self.targeted.extend(named);
        None
    }

    fn keywords(&mut self, place: &Place<'_>, keys: &mut Keys<'_, '_>) -> Option<Range<usize>> {
        let words = self.texts(place, keys, "keywords");
        let first = self.keywords.len();
        for (span, word) in words {
            if word.is_empty() || word.len() > WORD {
                self.refuse(place, &span, format!("a keyword has from 1 to {WORD} bytes"));
            } else {
                self.keywords.push(word);
            }
        }
        let range = first..self.keywords.len();
        (!range.is_empty()).then_some(range)
    }

    fn automaton(
        &mut self,
        place: &Place<'_>,
        span: &Range<usize>,
        words: &[(Range<usize>, String)],
    ) -> Option<AhoCorasick> {
        if words.is_empty() {
            return None;
        }
        if let Some((span, _)) = words.iter().find(|(_, word)| word.is_empty() || word.len() > WORD) {
            self.refuse(place, span, format!("a word of `stopwords` has from 1 to {WORD} bytes"));
            return None;
        }
        let automaton = automaton_of(words.iter().map(|(_, word)| word));
        match automaton {
            Ok(automaton) => self.weighed(place, span, automaton.memory_usage()).then_some(automaton),
            Err(_) => {
                self.refuse(place, span, "the words of `stopwords` are too many");
                None
            }
        }
    }

    fn expression(&mut self, place: &Place<'_>, keys: &mut Keys<'_, '_>, name: &str) -> Option<Regex> {
        let (_, value) = keys.remove(name)?;
        let text = self.string(place, value, name)?;
        if text.is_empty() {
            self.refuse(place, &value.span(), format!("`{name}` is empty"));
            return None;
        }
        self.compiled(place, &[(value.span(), text)])
    }

    fn compiled(&mut self, place: &Place<'_>, patterns: &[(Range<usize>, String)]) -> Option<Regex> {
        let (first, _) = patterns.first()?;
        if self.full() {
            return None;
        }
        let texts: Vec<&str> = patterns.iter().map(|(_, text)| text.as_str()).collect();
        let problem = match pattern::compile(&texts) {
            Ok(regex) => return self.weighed(place, first, regex.memory_usage()).then_some(regex),
            Err(problem) => problem,
        };
        let before = self.problems.len();
        for (span, text) in patterns {
            if let Err(problem) = pattern::compile(&[text]) {
                self.refuse(place, span, problem);
            }
        }
        if self.problems.len() == before {
            self.refuse(place, first, problem);
        }
        None
    }

    /// Whether so many more bytes may be kept.
    fn weighed(&mut self, place: &Place<'_>, span: &Range<usize>, bytes: usize) -> bool {
        self.compiled = self.compiled.saturating_add(bytes);
        let fits = self.compiled <= COMPILED;
        if !fits {
            self.refuse(
                place,
                span,
                format!("all rules together have more than {COMPILED} bytes when compiled"),
            );
        }
        fits
    }

    /// The tables of a list of tables, or the one that stands there alone.
    fn tables<'a, 'i>(
        &mut self,
        place: &Place<'_>,
        value: &'a Value<'i>,
    ) -> Vec<(Range<usize>, &'a DeTable<'i>)> {
        let list: Vec<&Value<'_>> = match value.get_ref() {
            DeValue::Array(array) => array.iter().collect(),
            _ => vec![value],
        };
        let mut tables = Vec::with_capacity(list.len());
        for value in list {
            match value.get_ref().as_table() {
                Some(table) => tables.push((value.span(), table)),
                None => self.refuse(place, &value.span(), "here stands a table"),
            }
        }
        tables
    }

    fn string(&mut self, place: &Place<'_>, value: &Value<'_>, name: &str) -> Option<String> {
        match value.get_ref().as_str() {
            Some(text) => Some(text.to_owned()),
            None => {
                self.refuse(place, &value.span(), format!("`{name}` is text"));
                None
            }
        }
    }

    fn text(&mut self, place: &Place<'_>, keys: &mut Keys<'_, '_>, name: &str) -> Option<String> {
        let (_, value) = keys.remove(name)?;
        self.string(place, value, name)
    }

    fn texts(
        &mut self,
        place: &Place<'_>,
        keys: &mut Keys<'_, '_>,
        name: &str,
    ) -> Vec<(Range<usize>, String)> {
        let Some((_, value)) = keys.remove(name) else { return vec![] };
        let Some(array) = value.get_ref().as_array() else {
            self.refuse(place, &value.span(), format!("`{name}` is a list of texts"));
            return vec![];
        };
        self.words = self.words.saturating_add(array.len());
        if self.words > WORDS {
            self.refuse(place, &value.span(), format!("all lists together have more than {WORDS} entries"));
            return vec![];
        }
        let texts = array.iter().filter_map(|value| Some((value.span(), self.string(place, value, name)?)));
        texts.collect()
    }

    fn count(&mut self, place: &Place<'_>, keys: &mut Keys<'_, '_>, name: &str) -> Option<u32> {
        let (_, value) = keys.remove(name)?;
        let number = value.get_ref().as_integer();
        let number = number.and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok());
        if number.is_none() {
            self.refuse(place, &value.span(), format!("`{name}` is a whole number"));
        }
        number
    }

    fn number(&mut self, place: &Place<'_>, keys: &mut Keys<'_, '_>, name: &str) -> Option<f64> {
        let (_, value) = keys.remove(name)?;
        let number: Option<f64> = match value.get_ref() {
            DeValue::Float(number) => number.as_str().parse().ok(),
            DeValue::Integer(number) => number.as_str().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| (0.0..=64.0).contains(number));
        if number.is_none() {
            self.refuse(place, &value.span(), format!("`{name}` is a number from 0 to 64"));
        }
        number
    }

    fn flag(&mut self, place: &Place<'_>, keys: &mut Keys<'_, '_>, name: &str) -> bool {
        let Some((_, value)) = keys.remove(name) else { return false };
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.refuse(place, &value.span(), format!("`{name}` is true or false"));
        }
        flag.unwrap_or(false)
    }
}

fn automaton_of<T: AsRef<[u8]>>(words: impl IntoIterator<Item = T>) -> Result<AhoCorasick, BuildError> {
    let mut builder = AhoCorasick::builder();
    builder.ascii_case_insensitive(true).kind(Some(AhoCorasickKind::ContiguousNFA)).build(words)
}

fn table_has(table: &DeTable<'_>, names: &[&str]) -> bool {
    table.iter().any(|(key, _)| names.iter().any(|name| key.get_ref().eq_ignore_ascii_case(name)))
}

/// The name of a rule as a part of ours: what is no letter, digit, dot, underscore or hyphen becomes a hyphen.
fn slug(id: &str) -> String {
    let known = |char: char| char.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&char);
    id.trim().chars().take(NAME).map(|char| if known(char) { char } else { '-' }).collect()
}
