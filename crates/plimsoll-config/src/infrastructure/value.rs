//! Values of attributes with their places. What is not known before it is applied is a value of its own.

use std::ops::Range;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Attribute {
    pub(super) span: Range<usize>,
    pub(super) value: Value,
}

/// What an attribute is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Truth(bool),
    Number(f64),
    Text(String),
    List(Vec<Attribute>),
    Map(Vec<(String, Attribute)>),
    /// Not known, with the words that stand there.
    Unknown(String),
}

/// What is at the end of a way through attributes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Hit<'a> {
    Known(&'a Attribute),
    /// Something on the way is not known.
    Unknown(&'a Attribute),
    /// It is not there; in this attribute it would be.
    Absent(&'a Attribute),
}

impl Attribute {
    /// The entry of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(known, _)| known == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// All ends of a way; each element of a list is gone through.
    pub(super) fn find<'a>(&'a self, way: &[&str]) -> Vec<Hit<'a>> {
        let Some((key, rest)) = way.split_first() else {
            return match &self.value {
                Value::Unknown(_) => vec![Hit::Unknown(self)],
                Value::Null => vec![Hit::Absent(self)],
                _ => vec![Hit::Known(self)],
            };
        };
        match &self.value {
            Value::Unknown(_) => vec![Hit::Unknown(self)],
            Value::List(items) if !items.is_empty() => items.iter().flat_map(|item| item.find(way)).collect(),
            Value::Map(_) => match self.get(key) {
                Some(inner)
                    if inner.value == Value::Null
                        || inner.value == Value::List(Vec::new()) && !rest.is_empty() =>
                {
                    vec![Hit::Absent(self)]
                }
                Some(inner) => inner.find(rest),
                None => vec![Hit::Absent(self)],
            },
            _ => vec![Hit::Absent(self)],
        }
    }

    /// The first end of a way.
    pub(super) fn at(&self, way: &[&str]) -> Hit<'_> {
        self.find(way).into_iter().next().unwrap_or(Hit::Absent(self))
    }

    /// The text at the end of a way, where it is known.
    pub(super) fn text(&self, way: &[&str]) -> Option<&str> {
        match self.at(way) {
            Hit::Known(Self { value: Value::Text(text), .. }) => Some(text),
            _ => None,
        }
    }

    /// Itself, or its elements if it is a list.
    pub(super) fn each(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }
}

impl Value {
    /// A scalar as people write it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Truth(truth) => truth.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) => "a map".to_owned(),
            Self::Unknown(words) => words.clone(),
        }
    }

    /// A truth value, also one that is written as text.
    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Self::Truth(truth) => Some(*truth),
            Self::Text(text) => match text.to_ascii_lowercase().as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// A number, also one that is written as text.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }
}
