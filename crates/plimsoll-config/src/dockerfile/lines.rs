//! From the text of a Dockerfile to its instructions as one line each, as BuildKit joins them: parser directives, comments,
//! continuations with either escape character, and here-documents. Every character keeps its place in the file.

use crate::{joined::Joined, source::Source};
use std::ops::Range;

/// One instruction before its words are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) joined: Joined,
    /// From its first character to the end of its last line, here-documents included.
    pub(crate) span: Range<usize>,
    pub(crate) heredocs: Vec<Heredoc>,
    /// An empty line inside a continuation, which BuildKit will refuse one day.
    pub(crate) empty_continuation: Option<Range<usize>>,
}

/// Text that belongs to an instruction and follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heredoc {
    /// Its lines in the file, without the last that ends it.
    pub(crate) content: Range<usize>,
}

/// What stands in comments before the first instruction and governs the whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directives {
    /// The image that builds the file, and its place.
    pub(crate) syntax: Option<(String, Range<usize>)>,
    pub(crate) escape: char,
}

/// Reads the directives and lines of a file.
///
/// # Errors
///
/// What a builder would refuse, in one line.
pub(crate) fn read(source: &Source) -> Result<(Directives, Vec<Line>), String> {
    let directives = directives(source)?;
    let mut reader = Reader { source, escape: directives.escape, next: 0 };
    let mut lines = Vec::new();
    while let Some(line) = reader.instruction()? {
        lines.push(line);
    }
    Ok((directives, lines))
}

fn directives(source: &Source) -> Result<Directives, String> {
    let mut directives = Directives { syntax: None, escape: '\\' };
    for index in 0.. {
        let line = source.line(index);
        let Some((name, value)) = line.trim_start().strip_prefix('#').and_then(|line| line.split_once('='))
        else {
            break;
        };
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "syntax" if !value.is_empty() => {
                let at = source.line_start(index) + (value.as_ptr() as usize - line.as_ptr() as usize);
                directives.syntax = Some((value.to_owned(), at..at + value.len()));
            }
            "escape" => match value {
                "\\" | "`" => directives.escape = if value == "`" { '`' } else { '\\' },
                _ => return Err("its escape character is neither \\ nor `".to_owned()),
            },
            "check" | "syntax" => {}
            _ => break,
        }
    }
    Ok(directives)
}

struct Reader<'s> {
    source: &'s Source,
    escape: char,
    next: usize,
}

impl Reader<'_> {
    /// Place and text of the next line.
    fn line(&mut self) -> Option<(Range<usize>, &str)> {
        let start = self.source.line_start(self.next);
        if start >= self.source.text.len() {
            return None;
        }
        let text = self.source.line(self.next);
        self.next += 1;
        Some((start..start + text.len(), text))
    }

    fn instruction(&mut self) -> Result<Option<Line>, String> {
        let escape = self.escape;
        let (mut place, begin) = loop {
            let Some((place, text)) = self.line() else { return Ok(None) };
            let blanks = text.len() - text.trim_start().len();
            let body = &text[blanks..];
            let nothing = body.is_empty() || body.starts_with('#') || body.trim_end() == escape.to_string();
            if !nothing {
                break (place.start + blanks..place.end, place.start + blanks);
            }
        };
        let mut line = Line {
            joined: Joined::default(),
            span: place.clone(),
            heredocs: Vec::new(),
            empty_continuation: None,
        };
        loop {
            let (kept, goes_on) = continuation(self.source.slice(&place), escape);
            line.joined.push(self.source, place.start..place.start + kept);
            line.span = begin..place.end;
            if !goes_on {
                break;
            }
            match self.continued(&mut line) {
                Some(next) => place = next,
                None => break,
            }
        }
        self.heredocs(&mut line)?;
        Ok(Some(line))
    }

    /// The next line of a continued instruction, past comments and empty lines.
    fn continued(&mut self, line: &mut Line) -> Option<Range<usize>> {
        loop {
            let (place, text) = self.line()?;
            if text.trim().is_empty() {
                line.empty_continuation.get_or_insert(place);
            } else if !text.trim_start().starts_with('#') {
                return Some(place);
            }
        }
    }

    fn heredocs(&mut self, line: &mut Line) -> Result<(), String> {
        for wanted in wanted(&line.joined.text, self.escape) {
            let start = self.source.line_start(self.next);
            loop {
                let number = self.next;
                let Some((place, text)) = self.line() else {
                    return Err(format!(
                        "a here-document of line {} does not end",
                        1 + self.source.line_of(line.span.start)
                    ));
                };
                let text = if wanted.chomp { text.trim_start_matches('\t') } else { text };
                if text == wanted.name {
                    line.span.end = place.end;
                    line.heredocs.push(Heredoc { content: start..self.source.line_start(number) });
                    break;
                }
            }
        }
        Ok(())
    }
}

/// How much of a line counts, and whether the next belongs to it.
fn continuation(line: &str, escape: char) -> (usize, bool) {
    let end = line.trim_end_matches([' ', '\t']);
    match end.strip_suffix(escape) {
        // Two of them are one that is escaped.
        Some(before) if !before.ends_with(escape) => (before.len(), true),
        _ => (line.len(), false),
    }
}

/// A here-document that a line asks for.
struct Wanted {
    name: String,
    chomp: bool,
}

fn wanted(text: &str, escape: char) -> Vec<Wanted> {
    let mut words = text.split_whitespace();
    let is = |word: Option<&str>, names: &[&str]| {
        word.is_some_and(|word| names.iter().any(|name| word.eq_ignore_ascii_case(name)))
    };
    let first = words.next();
    let first = if is(first, &["ONBUILD"]) { words.next() } else { first };
    let body = words.find(|word| !word.starts_with("--")).unwrap_or("");
    if !text.contains("<<") || !is(first, &["RUN", "COPY", "ADD"]) || is_json(text, body) {
        return Vec::new();
    }
    raw_words(text, escape).iter().filter_map(|word| heredoc_name(word)).collect()
}

fn is_json(text: &str, body: &str) -> bool {
    body.starts_with('[') && text.trim_end().ends_with(']')
}

/// `2<<-'EOF'` and the like.
fn heredoc_name(word: &str) -> Option<Wanted> {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
    let (chomp, rest) = rest.strip_prefix('-').map_or((false, rest), |rest| (true, rest));
    if rest.is_empty() || rest.contains('<') {
        return None;
    }
    let name: String = rest.chars().filter(|c| !matches!(c, '"' | '\'' | '\\')).collect();
    (!name.is_empty()).then_some(Wanted { name, chomp })
}

/// Words with their quotes, split where a shell would.
fn raw_words(text: &str, escape: char) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let last = words.len() - 1;
        match quote {
            None if c.is_whitespace() => {
                words.push(String::new());
                continue;
            }
            None if c == '\'' || c == '"' => quote = Some(c),
            Some(open) if c == open => quote = None,
            _ => {}
        }
        words[last].push(c);
        if c == escape && quote != Some('\'') {
            words[last].extend(chars.next());
        }
    }
    words
}
