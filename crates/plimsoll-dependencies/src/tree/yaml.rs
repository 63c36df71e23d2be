//! YAML 1.2 as package managers write it, with places. Aliases are refused: no lock file has them, and they are how a few
//! lines become gigabytes. Every scalar is text.

use super::{Bounds, Entry, MAX_DEPTH, Map, Node, Value};
use crate::format::Unreadable;
use serde_saphyr::granit_parser::{self, Event, Parser, Span, StrInput};
use std::{borrow::Cow, ops::Range};

pub(super) fn parse(text: &str) -> Result<Node<'_>, Unreadable> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let parser = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader { parser, length: text.len(), bounds: Bounds::default() };
    loop {
        match reader.next()? {
            (Event::StreamStart | Event::DocumentStart(..), _) => {}
            (Event::StreamEnd | Event::DocumentEnd, _) => return Err(Unreadable::new("it is empty")),
            step => return reader.node(step, 0),
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    length: usize,
    bounds: Bounds,
}

type Step<'a> = (Event<'a>, Range<usize>);

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Step<'a>, Unreadable> {
        match self.parser.next_event() {
            None => Ok((Event::StreamEnd, 0..0)),
            Some(Ok((event, span))) => Ok((event, self.place(&span))),
            Some(Err(error)) => Err(Unreadable::new(format!("it is not valid YAML: {}", error.info()))),
        }
    }

    fn place(&self, span: &Span) -> Range<usize> {
        let range = span.byte_range().unwrap_or(0..0);
        let end = range.end.min(self.length);
        range.start.min(end)..end
    }

    fn node(&mut self, (event, span): Step<'a>, depth: usize) -> Result<Node<'a>, Unreadable> {
        self.bounds.count(depth)?;
        match event {
            Event::Scalar(text, ..) => Ok(Node { span, value: Value::Text(text) }),
            Event::SequenceStart(..) => self.list(span, depth),
            Event::MappingStart(..) => self.map(span, depth),
            Event::Alias(_) => Err(Unreadable::new("it has an alias, which no lock file needs")),
            _ => Err(Unreadable::new("it is not valid YAML")),
        }
    }

    fn list(&mut self, mut span: Range<usize>, depth: usize) -> Result<Node<'a>, Unreadable> {
        let mut items = Vec::new();
        loop {
            let step = self.next()?;
            if step.0 == Event::SequenceEnd {
                return Ok(Node { span, value: Value::List(items) });
            }
            let item = self.node(step, depth + 1)?;
            span.end = span.end.max(item.span.end);
            items.push(item);
        }
    }

    fn map(&mut self, mut span: Range<usize>, depth: usize) -> Result<Node<'a>, Unreadable> {
        let mut entries = Vec::new();
        loop {
            let (event, place) = self.next()?;
            let key: Cow<'a, str> = match event {
                Event::MappingEnd => return Ok(Node { span, value: Value::Map(Map::new(entries)?) }),
                Event::Scalar(text, ..) => text,
                _ => return Err(Unreadable::new("it has a key that is no text")),
            };
            let step = self.next()?;
            let node = self.node(step, depth + 1)?;
            span.end = span.end.max(node.span.end).max(place.end);
            entries.push((key, Entry { key: place.start, node }));
        }
    }
}
