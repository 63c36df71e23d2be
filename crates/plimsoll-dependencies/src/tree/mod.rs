//! JSON, TOML and YAML as one kind of tree in which every value knows where it stands, so that a reader of a lock file is
//! only about the lock file. Reading is bounded in depth and in values, and a key that stands twice is refused: two
//! tools could then see two different files.

mod json;
mod toml;
mod yaml;

use crate::format::Unreadable;
use std::{borrow::Cow, ops::Range};

/// Nested lists and maps; the deepest real files are old `package-lock.json`, with some twenty.
const MAX_DEPTH: usize = 128;
/// Values of one file, keys not counted. The largest real files have some 400,000.
const MAX_NODES: usize = 2_000_000;

/// A value and the bytes of the file it was read from.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    pub(crate) span: Range<usize>,
    value: Value<'a>,
}

#[derive(Debug, Clone)]
enum Value<'a> {
    /// A string, and any scalar of YAML.
    Text(Cow<'a, str>),
    /// A number, a truth value or nothing, as written.
    Literal(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Map(Map<'a>),
}

/// The entries of a map by their keys, in no more memory than they need: a lock file has thousands of small maps.
#[derive(Debug, Clone)]
struct Map<'a>(Box<[(Cow<'a, str>, Entry<'a>)]>);

impl<'a> Map<'a> {
    /// # Errors
    /// When a key stands twice.
    fn new(entries: impl IntoIterator<Item = (Cow<'a, str>, Entry<'a>)>) -> Result<Self, Unreadable> {
        let mut entries: Box<[_]> = entries.into_iter().collect();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        match entries.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(twice(&pair[0].0)),
            None => Ok(Self(entries)),
        }
    }

    fn get(&self, key: &str) -> Option<&Entry<'a>> {
        let at = self.0.binary_search_by(|(known, _)| known.as_ref().cmp(key)).ok()?;
        self.0.get(at).map(|(_, entry)| entry)
    }
}

/// A value of a map, with where its key begins.
#[derive(Debug, Clone)]
pub(crate) struct Entry<'a> {
    key: usize,
    pub(crate) node: Node<'a>,
}

impl Entry<'_> {
    /// From the key's beginning to the value's end.
    pub(crate) fn span(&self) -> Range<usize> {
        self.key..self.node.span.end.max(self.key)
    }
}

impl<'a> Node<'a> {
    /// The tree of a JSON text.
    pub(crate) fn json(text: &'a str) -> Result<Self, Unreadable> {
        json::parse(text)
    }

    /// The tree of a TOML text.
    pub(crate) fn toml(text: &'a str) -> Result<Self, Unreadable> {
        toml::parse(text)
    }

    /// The tree of the first document of a YAML text.
    pub(crate) fn yaml(text: &'a str) -> Result<Self, Unreadable> {
        yaml::parse(text)
    }

    /// The value of `key`, if this is a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(map) => map.get(key).map(|entry| &entry.node),
            _ => None,
        }
    }

    /// The value at the end of a way of keys.
    pub(crate) fn at(&self, way: &[&str]) -> Option<&Self> {
        way.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The string at `key`.
    pub(crate) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// Whether the value at `key` is `true`.
    pub(crate) fn is_true(&self, key: &str) -> bool {
        self.get(key).and_then(Self::word) == Some("true")
    }

    /// The entries of the map at `key`; none where there is none.
    pub(crate) fn entries_of(&self, key: &str) -> impl Iterator<Item = (&str, &Entry<'a>)> {
        self.get(key).into_iter().flat_map(Self::entries)
    }

    /// The items of the list at `key`; none where there is none.
    pub(crate) fn items_of(&self, key: &str) -> &[Self] {
        self.get(key).map(Self::items).unwrap_or_default()
    }

    /// The entries of a map, by key; none of anything else.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &Entry<'a>)> {
        let map = match &self.value {
            Value::Map(map) => Some(&map.0),
            _ => None,
        };
        map.into_iter().flatten().map(|(key, entry)| (key.as_ref(), entry))
    }

    /// The items of a list; none of anything else.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// A string.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A string, a number or a truth value, as written.
    pub(crate) fn word(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Literal(text) => Some(text),
            _ => None,
        }
    }
}

/// Counts values and depth against the limits.
#[derive(Default)]
struct Bounds {
    nodes: usize,
}

impl Bounds {
    fn count(&mut self, depth: usize) -> Result<(), Unreadable> {
        self.nodes += 1;
        match self.nodes > MAX_NODES {
            true => Err(too_many()),
            false if depth > MAX_DEPTH => {
                Err(Unreadable::new(format!("it is nested deeper than {MAX_DEPTH} levels")))
            }
            false => Ok(()),
        }
    }
}

fn too_many() -> Unreadable {
    Unreadable::new(format!("it has more than {MAX_NODES} values"))
}

fn twice(key: &str) -> Unreadable {
    Unreadable::new(format!(
        "the key `{}` stands twice in one place",
        key.chars().take(100).collect::<String>()
    ))
}

#[cfg(test)]
mod tests;
