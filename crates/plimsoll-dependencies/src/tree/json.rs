//! JSON (RFC 8259) with places. `serde_json` judges the grammar; what is read here is known to be valid.

use super::{Bounds, Entry, Map, Node, Value};
use crate::format::Unreadable;
use serde::de::IgnoredAny;
use std::borrow::Cow;

pub(super) fn parse(text: &str) -> Result<Node<'_>, Unreadable> {
    serde_json::from_str::<IgnoredAny>(text)
        .map_err(|error| Unreadable::new(format!("it is not valid JSON: {error}")))?;
    Reader { text, at: 0, bounds: Bounds::default(), open: Vec::new() }.value(0)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    bounds: Bounds,
    /// Entries of the maps that have not ended yet, the outermost first.
    open: Vec<(Cow<'a, str>, Entry<'a>)>,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Node<'a>, Unreadable> {
        self.bounds.count(depth)?;
        let (first, start) = (self.peek(), self.at);
        let value = match first {
            Some(b'{') => Value::Map(self.map(depth)?),
            Some(b'[') => Value::List(self.list(depth)?),
            Some(b'"') => Value::Text(self.string()?),
            _ => Value::Literal(self.literal()),
        };
        Ok(Node { span: start..self.at, value })
    }

    /// The next byte that is no space; stays before it.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.text.as_bytes().get(self.at).copied()
    }

    /// Goes past the next byte if it is the one.
    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn map(&mut self, depth: usize) -> Result<Map<'a>, Unreadable> {
        self.at += 1;
        let before = self.open.len();
        while self.peek() == Some(b'"') {
            let start = self.at;
            let key = self.string()?;
            self.take(b':');
            let node = self.value(depth + 1)?;
            self.take(b',');
            self.open.push((key, Entry { key: start, node }));
        }
        self.take(b'}');
        Map::new(self.open.drain(before..))
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node<'a>>, Unreadable> {
        self.at += 1;
        let mut items = Vec::new();
        while !matches!(self.peek(), Some(b']') | None) {
            items.push(self.value(depth + 1)?);
            self.take(b',');
        }
        self.take(b']');
        Ok(items)
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Unreadable> {
        let (start, bytes) = (self.at, self.text.as_bytes());
        let mut escaped = false;
        self.at += 1;
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        self.at = (self.at + 1).min(bytes.len());
        let written = self.text.get(start..self.at).unwrap_or_default();
        if escaped {
            let text = serde_json::from_str(written);
            return text
                .map(Cow::Owned)
                .map_err(|error| Unreadable::new(format!("it is not valid JSON: {error}")));
        }
        Ok(Cow::Borrowed(written.trim_matches('"')))
    }

    fn literal(&mut self) -> Cow<'a, str> {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace();
        let length = rest.iter().position(ends).unwrap_or(rest.len()).max(usize::from(!rest.is_empty()));
        self.at = start + length;
        Cow::Borrowed(self.text.get(start..self.at).unwrap_or_default())
    }
}
