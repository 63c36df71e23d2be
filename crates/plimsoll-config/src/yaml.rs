//! From text to YAML documents with the place of every key and value: the only module that knows the YAML library. Reading
//! is bounded in depth and in values, those that aliases repeat included, so that nothing expands beyond its budget.

pub(crate) mod duplicate_key;
pub(crate) mod edit;

use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle, Span};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// Nested lists and mappings.
pub(crate) const MAX_DEPTH: usize = 100;
/// Values of one file, keys and what aliases repeat included.
pub(crate) const MAX_NODES: usize = 1_000_000;

/// One document of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) root: Node,
    /// Keys that stand again in their mapping. The last of them counts.
    pub(crate) duplicates: Vec<Key>,
}

/// A value and its place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// What an alias repeats keeps the place where it was written.
    pub(crate) span: Range<usize>,
    /// A tag as it was written, such as `!Ref`.
    pub(crate) tag: Option<String>,
    pub(crate) value: Value,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Text, or whatever the plain text means (YAML 1.2.2 section 10.3, core schema).
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    /// In the order of the text; no key stands twice.
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) span: Range<usize>,
    pub(crate) text: String,
}

/// Why a text is no YAML that can be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {line})")]
pub(crate) struct Error {
    /// Line from 1.
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// All documents of a text, empty ones left out.
///
/// # Errors
///
/// The first place that is not valid YAML, or where a budget is spent.
pub(crate) fn parse(text: &str) -> Result<Vec<Document>, Error> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let parser = Parser::new_from_str_with_options(text, options);
    Reader { parser, text, nodes: 0, anchors: BTreeMap::new(), duplicates: Vec::new() }.documents()
}

static NOTHING: [Node; 0] = [];
static NO_ENTRIES: [(Key, Node); 0] = [];

impl Node {
    /// The value of `key`, if this is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    /// Key and value.
    pub(crate) fn entry(&self, key: &str) -> Option<&(Key, Self)> {
        self.entries().iter().find(|(known, _)| known.text == key)
    }

    /// The value at the end of a way of keys.
    pub(crate) fn at(&self, way: &[&str]) -> Option<&Self> {
        way.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The entries of a mapping; none of anything else.
    pub(crate) fn entries(&self) -> &[(Key, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &NO_ENTRIES,
        }
    }

    /// The items of a list; none of anything else.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &NOTHING,
        }
    }

    /// The text of a scalar, whatever it means.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The texts of a list's scalars.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.items().iter().filter_map(Self::text)
    }

    /// Whether plain text says nothing, as `null` and no text at all do.
    pub(crate) fn is_null(&self) -> bool {
        self.plain().is_some_and(|text| matches!(text, "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The truth value of plain text, as the readers of Kubernetes and of pipelines take it (YAML 1.1).
    pub(crate) fn truth(&self) -> Option<bool> {
        match self.plain()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    /// The whole number of plain text.
    pub(crate) fn number(&self) -> Option<i64> {
        self.plain()?.parse().ok()
    }

    fn plain(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, plain: true } => Some(text),
            _ => None,
        }
    }

    /// Values in it, itself and keys included.
    fn size(&self) -> usize {
        match &self.value {
            Value::Scalar { .. } => 1,
            Value::List(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Value::Map(entries) => 1 + entries.iter().map(|(_, value)| 1 + value.size()).sum::<usize>(),
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    text: &'a str,
    nodes: usize,
    /// What was anchored in the document that is being read, with its size.
    anchors: BTreeMap<usize, (Node, usize)>,
    duplicates: Vec<Key>,
}

type Read<T> = Result<T, Error>;
/// An event of the parser, its place, and the tag before it.
type Step<'a> = (Event<'a>, Range<usize>, Option<String>);

impl<'a> Reader<'a> {
    fn documents(mut self) -> Read<Vec<Document>> {
        let mut documents = Vec::new();
        loop {
            let (event, span, tag) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(documents),
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => self.anchors.clear(),
                event => {
                    let root = self.node((event, span, tag), 0)?;
                    let duplicates = std::mem::take(&mut self.duplicates);
                    if !root.is_null() {
                        documents.push(Document { root, duplicates });
                    }
                }
            }
        }
    }

    fn next(&mut self) -> Read<Step<'a>> {
        match self.parser.next_event() {
            None => Ok((Event::StreamEnd, 0..0, None)),
            Some(Ok((event, span))) => {
                let tag = span.tag_span().and_then(|tag| self.text.get(self.place(&tag)).map(str::to_owned));
                let place = self.place(&span);
                Ok((event, place, tag))
            }
            Some(Err(error)) => {
                let at = error.marker().byte_offset().unwrap_or(self.text.len());
                self.fail(at, format!("is not valid YAML: {}", error.info()))
            }
        }
    }

    fn fail<T>(&self, at: usize, message: String) -> Read<T> {
        let before = self.text.as_bytes().get(..at).unwrap_or(self.text.as_bytes());
        Err(Error { line: 1 + before.iter().filter(|byte| **byte == b'\n').count(), message })
    }

    fn place(&self, span: &Span) -> Range<usize> {
        let range = span.byte_range().unwrap_or(0..0);
        let end = range.end.min(self.text.len());
        range.start.min(end)..end
    }

    fn node(&mut self, (event, span, tag): Step<'a>, depth: usize) -> Read<Node> {
        self.count(&span, 1)?;
        if depth > MAX_DEPTH {
            return self.fail(span.start, format!("is nested deeper than {MAX_DEPTH} levels"));
        }
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain && tag.as_deref() != Some("!!str");
                (anchor, Node { span, tag, value: Value::Scalar { text: text.into_owned(), plain } })
            }
            Event::SequenceStart(_, anchor, _) => (anchor, self.list(span, tag, depth)?),
            Event::MappingStart(_, anchor, _) => (anchor, self.map(span, tag, depth)?),
            Event::Alias(anchor) => return self.alias(anchor, &span),
            _ => return self.fail(span.start, "is not valid YAML: unexpected here".to_owned()),
        };
        if anchor != 0 {
            let size = node.size();
            self.count(&node.span, size)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, span: &Range<usize>) -> Read<Node> {
        match self.anchors.get(&anchor).map(|(_, size)| *size) {
            Some(size) => self.count(span, size)?,
            None => return self.fail(span.start, "is an alias of what is not whole yet".to_owned()),
        }
        match self.anchors.get(&anchor) {
            Some((node, _)) => Ok(node.clone()),
            None => self.fail(span.start, "is an alias of nothing".to_owned()),
        }
    }

    fn count(&mut self, span: &Range<usize>, nodes: usize) -> Read<()> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return self.fail(span.start, format!("has more than {MAX_NODES} values, aliases written out"));
        }
        Ok(())
    }

    fn list(&mut self, mut span: Range<usize>, tag: Option<String>, depth: usize) -> Read<Node> {
        let mut items = Vec::new();
        loop {
            let step = self.next()?;
            if step.0 == Event::SequenceEnd {
                span.end = items.last().map_or(step.1.end, |item: &Node| item.span.end.max(step.1.end));
                return Ok(Node { span, tag, value: Value::List(items) });
            }
            items.push(self.node(step, depth + 1)?);
        }
    }

    fn map(&mut self, mut span: Range<usize>, tag: Option<String>, depth: usize) -> Read<Node> {
        let mut entries = Entries::default();
        loop {
            let step = self.next()?;
            if step.0 == Event::MappingEnd {
                span.end = span.end.max(step.1.end);
                self.duplicates.append(&mut entries.duplicates);
                return Ok(Node { span, tag, value: Value::Map(entries.whole()) });
            }
            let key = self.node(step, depth + 1)?;
            let step = self.next()?;
            let value = self.node(step, depth + 1)?;
            entries.add(key, value, self.text);
        }
    }
}

/// The entries of a mapping that is being read.
#[derive(Default)]
struct Entries {
    list: Vec<(Key, Node)>,
    known: BTreeMap<String, usize>,
    /// What `<<` brings in; keys of the mapping itself win over it.
    merged: Vec<(Key, Node)>,
    duplicates: Vec<Key>,
}

impl Entries {
    fn add(&mut self, key: Node, value: Node, source: &str) {
        let text = match key.value {
            Value::Scalar { text, plain } => {
                if plain && text == "<<" {
                    return self.merge(value);
                }
                text
            }
            // A list or mapping as a key has no name that a rule could ask for.
            _ => source.get(key.span.clone()).unwrap_or("").to_owned(),
        };
        let key = Key { span: key.span, text };
        match self.known.get(&key.text) {
            Some(&at) => {
                self.duplicates.push(key.clone());
                self.list[at] = (key, value);
            }
            None => {
                self.known.insert(key.text.clone(), self.list.len());
                self.list.push((key, value));
            }
        }
    }

    fn merge(&mut self, value: Node) {
        match value.value {
            Value::Map(entries) => self.merged.extend(entries),
            Value::List(items) => items.into_iter().for_each(|item| self.merge(item)),
            Value::Scalar { .. } => {}
        }
    }

    fn whole(mut self) -> Vec<(Key, Node)> {
        let mut known: BTreeSet<String> = self.known.into_keys().collect();
        let merged = self.merged.into_iter().filter(|(key, _)| known.insert(key.text.clone()));
        self.list.extend(merged);
        self.list
    }
}

#[cfg(test)]
mod tests;
