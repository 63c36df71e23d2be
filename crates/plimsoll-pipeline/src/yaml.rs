//! From bytes to a tree of YAML nodes with their places: the only module that knows the YAML library. Reading is bounded
//! in size, depth and nodes; anchors, aliases, tags, directives and further documents are refused, so that a file says
//! what its text shows and nothing expands.

use crate::diagnostic::Findings;
use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle, Span};
use std::{collections::BTreeSet, ops::Range};

/// Bytes of one file.
pub(crate) const MAX_BYTES: usize = 1 << 20;
/// Nested lists and mappings.
pub(crate) const MAX_DEPTH: usize = 32;
/// Values of one file, keys included.
pub(crate) const MAX_NODES: usize = 20_000;

/// A value and its place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) value: Value,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Text, or whatever the unquoted text means (YAML 1.2.2 section 10.3, core schema).
    Scalar { text: String, quoted: bool },
    /// A list.
    List(Vec<Node>),
    /// A mapping in the order of the text; no key stands twice.
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) span: Range<usize>,
    pub(crate) text: String,
}

/// The text of a file: UTF-8, without byte order mark, not too large, nothing in it that a terminal would not show.
/// Gives what can be shown of it beside.
pub(crate) fn text(bytes: &[u8], found: &mut Findings) -> (String, bool) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.len() > MAX_BYTES {
        found.add(&(0..0), format!("is larger than {MAX_BYTES} bytes"));
        return (String::new(), false);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), is_visible(text, found)),
        Err(error) => {
            let at = error.valid_up_to();
            found.add(&(at..at + 1), "is not UTF-8 from here on");
            (String::from_utf8_lossy(bytes).into_owned(), false)
        }
    }
}

/// What to do about invisible characters.
pub(crate) const UNSEEN: &str = "what a reviewer cannot see has no place in this file";

fn is_visible(text: &str, found: &mut Findings) -> bool {
    let Some((at, c)) = text.char_indices().find(|&(_, c)| is_hidden(c)) else { return true };
    let message = format!("has the invisible character U+{:04X}", u32::from(c));
    found.help(&(at..at + c.len_utf8()), message, UNSEEN);
    false
}

/// Whether a character is a control (other than tab and line ends) or changes the direction of the text around it.
pub(crate) fn is_hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Parses one document. Syntax errors end the reading; other refusals are collected.
pub(crate) fn parse(text: &str, found: &mut Findings) -> Option<Node> {
    let options = granit_parser::options! {
        disallow_directives: true,
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let parser = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader { parser, text, nodes: 0, found };
    reader.document().or_else(|| reader.found.lose())
}

struct Reader<'a, 'f> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    text: &'a str,
    nodes: usize,
    found: &'f mut Findings,
}

impl<'a> Reader<'a, '_> {
    fn document(&mut self) -> Option<Node> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                Event::StreamEnd => break,
                _ if root.is_some() => {
                    self.found.add(&span, "a second document begins here; a file has one");
                    return None;
                }
                event => root = Some(self.node(event, span, 0)?),
            }
        }
        if root.is_none() {
            self.found.help(&(0..0), "is empty", "begin with `version: 1`");
        }
        root
    }

    /// The next event and its place.
    fn next(&mut self) -> Option<(Event<'a>, Range<usize>)> {
        match self.parser.next_event()? {
            Ok((event, span)) => {
                if let Some(tag) = span.tag_span() {
                    let place = self.place(&tag);
                    self.found.help(&place, "tags are refused", "write the value without it");
                }
                let place = self.place(&span);
                Some((event, place))
            }
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(self.text.len()).min(self.text.len());
                self.syntax(at, &error.info());
                None
            }
        }
    }

    fn syntax(&mut self, at: usize, error: &str) {
        let line = self.text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |line| line + 1);
        let indent = self.text[line..].chars().take_while(|c| c.is_whitespace() && *c != '\n');
        let message = format!("is not valid YAML: {error}");
        if indent.into_iter().any(|c| c == '\t') {
            self.found.help(&(at..at), message, "indent with spaces, not with tabs");
        } else {
            self.found.add(&(at..at), message);
        }
    }

    fn place(&self, span: &Span) -> Range<usize> {
        let range = span.byte_range().unwrap_or(0..0);
        let end = range.end.min(self.text.len());
        range.start.min(end)..end
    }

    fn node(&mut self, event: Event<'a>, span: Range<usize>, depth: usize) -> Option<Node> {
        self.count(&span, depth)?;
        match event {
            Event::Scalar(text, style, anchor, _) => {
                self.anchor(anchor, &span);
                let quoted = style != ScalarStyle::Plain;
                Some(Node { span, value: Value::Scalar { text: text.into_owned(), quoted } })
            }
            Event::SequenceStart(_, anchor, _) => {
                self.anchor(anchor, &span);
                self.list(span, depth)
            }
            Event::MappingStart(_, anchor, _) => {
                self.anchor(anchor, &span);
                self.map(span, depth)
            }
            Event::Alias(_) => {
                self.found.help(&span, "aliases are refused", "write the value out");
                self.found.lose::<()>();
                Some(Node { span, value: Value::Scalar { text: String::new(), quoted: true } })
            }
            _ => {
                self.found.add(&span, "is not valid YAML: unexpected here");
                None
            }
        }
    }

    fn count(&mut self, span: &Range<usize>, depth: usize) -> Option<()> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            self.found.add(span, format!("the file has more than {MAX_NODES} values"));
            return None;
        }
        if depth > MAX_DEPTH {
            self.found.add(span, format!("is nested deeper than {MAX_DEPTH} levels"));
            return None;
        }
        Some(())
    }

    fn anchor(&mut self, anchor: usize, span: &Range<usize>) {
        if anchor != 0 {
            self.found.help(span, "anchors are refused", "write the value out where it is used");
        }
    }

    fn list(&mut self, mut span: Range<usize>, depth: usize) -> Option<Node> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, end) => {
                    span.end = span.end.max(end.end);
                    return Some(Node { span, value: Value::List(items) });
                }
                (event, at) => items.push(self.node(event, at, depth + 1)?),
            }
        }
    }

    fn map(&mut self, mut span: Range<usize>, depth: usize) -> Option<Node> {
        let mut entries = Vec::new();
        let mut seen = BTreeSet::new();
        loop {
            let (event, at) = self.next()?;
            if event == Event::MappingEnd {
                span.end = span.end.max(at.end);
                return Some(Node { span, value: Value::Map(entries) });
            }
            let key = self.node(event, at, depth + 1)?;
            let (event, at) = self.next()?;
            let value = self.node(event, at, depth + 1)?;
            let Value::Scalar { text, .. } = key.value else {
                self.found.add(&key.span, "a key is a word, not a list or mapping");
                continue;
            };
            if seen.insert(text.clone()) {
                entries.push((Key { span: key.span, text }, value));
            } else {
                self.found.help(&key.span, format!("the key `{text}` stands twice"), "keep one of them");
            }
        }
    }
}
