//! From YAML nodes to typed values. A mapping is declared once, with [`mapping!`]: its fields, their documentation, the
//! keys that are known, and the JSON Schema all come from that declaration. Reading goes on after an error, so that one
//! look shows everything.

use crate::{
    diagnostic::{FileErrors, Findings},
    yaml::{self, Key, Node, Value},
};
use plimsoll_model::removed;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::{borrow::Cow, ops::Range};

/// A value that can be read from a node.
pub(crate) trait Read: Sized {
    /// The value, or nothing and at least one diagnostic.
    fn read(node: &Node, found: &mut Findings) -> Option<Self>;

    /// The value of a key that is not there, for keys that may be left out.
    fn absent() -> Option<Self> {
        None
    }
}

/// Reads a whole file: text, tree, wire type `W`, and then `check`, which judges relations between values and is called
/// only when every value could be read.
pub(crate) fn file<W: Read, T>(
    name: &str,
    bytes: &[u8],
    check: impl FnOnce(W, &mut Findings) -> Option<T>,
) -> Result<T, Box<FileErrors>> {
    let mut found = Findings::default();
    let (text, sound) = yaml::text(bytes, &mut found);
    let root = if sound { yaml::parse(&text, &mut found) } else { None };
    found.show(text);
    let wire = root.filter(|root| version(root, &mut found)).and_then(|root| W::read(&root, &mut found));
    let value = wire.and_then(|wire| if found.is_complete() { check(wire, &mut found) } else { None });
    found.finish(name, value)
}

/// Whether the file is of a version that can be read at all: `version: 1`, as its first key.
fn version(root: &Node, found: &mut Findings) -> bool {
    let Value::Map(entries) = &root.value else {
        found.help(
            &root.span,
            format!("expected a mapping, found {}", kind(root)),
            "begin with `version: 1`",
        );
        return false;
    };
    let begin = root.span.start..root.span.start;
    match entries.iter().position(|(key, _)| key.text == "version") {
        None => {
            let first = entries.first().map_or(begin, |(key, _)| key.span.clone());
            found.help(&first, "the file does not say its version", "begin with `version: 1`");
            true
        }
        Some(at) => {
            let (key, value) = &entries[at];
            if at > 0 {
                found.help(&key.span, "`version` is not the first key", "begin with `version: 1`");
            }
            let known = matches!(&value.value, Value::Scalar { text, quoted: false } if text == "1");
            if !known {
                found.help(&value.span, "is not a version that this plimsoll reads", "write `version: 1`");
            }
            known
        }
    }
}

/// A value with its place.
#[derive(Debug, Clone)]
pub(crate) struct Spanned<T> {
    pub(crate) span: Range<usize>,
    pub(crate) value: T,
}

impl<T: Read> Read for Spanned<T> {
    fn read(node: &Node, found: &mut Findings) -> Option<Self> {
        T::read(node, found).map(|value| Self { span: node.span.clone(), value })
    }
}

impl<T: Read> Read for Option<T> {
    fn read(node: &Node, found: &mut Findings) -> Option<Self> {
        T::read(node, found).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(node: &Node, found: &mut Findings) -> Option<Self> {
        let Value::List(items) = &node.value else { return wrong(node, "a list", found) };
        Some(items.iter().filter_map(|item| T::read(item, found)).collect())
    }
}

/// A mapping whose keys are the user's own, in the order of the file.
#[derive(Debug, Clone)]
pub(crate) struct Entries<K, V>(pub(crate) Vec<(Spanned<K>, V)>);

impl<K: Read, V: Read> Read for Entries<K, V> {
    fn read(node: &Node, found: &mut Findings) -> Option<Self> {
        let Value::Map(entries) = &node.value else { return wrong(node, "a mapping", found) };
        let one = |(key, value): &(Key, Node)| {
            let text = Value::Scalar { text: key.text.clone(), quoted: true };
            let key = Spanned::<K>::read(&Node { span: key.span.clone(), value: text }, found);
            let value = V::read(value, found);
            key.zip(value)
        };
        Some(Self(entries.iter().filter_map(one).collect()))
    }
}

/// Keys under which a mapping has its own name, for refusals about what is inside it.
const SUBJECT_KEYS: &[&str] = &["name", "test", "adapter"];

/// The entries of a mapping that is being read, each to be taken once.
pub(crate) struct Fields<'n> {
    span: Range<usize>,
    entries: &'n [(Key, Node)],
}

impl<'n> Fields<'n> {
    /// The mapping, with a diagnostic for every key that is not one of `known`.
    pub(crate) fn of(node: &'n Node, known: &[&str], found: &mut Findings) -> Option<Self> {
        let Value::Map(entries) = &node.value else { return wrong(node, "a mapping", found) };
        let subject = entries.iter().find(|(key, _)| SUBJECT_KEYS.contains(&key.text.as_str()));
        if let Some((_, Node { value: Value::Scalar { text, .. }, .. })) = subject {
            found.speak_of(text);
        }
        let known: Vec<String> = known.iter().map(|field| key(field)).collect();
        let is_unknown = |key: &Key| !removed!("unknown-keys") && !known.contains(&key.text);
        for (unknown, _) in entries.iter().filter(|(key, _)| is_unknown(key)) {
            let near = nearest(&unknown.text, known.iter().map(String::as_str));
            if near.is_some() {
                found.lose::<()>();
            }
            let help = near.map_or_else(|| format!("known keys: {}", known.join(", ")), did_you_mean);
            found.help(&unknown.span, format!("unknown key `{}`", unknown.text), help);
        }
        Some(Self { span: node.span.clone(), entries })
    }

    /// The value of `field`, whose key is the same with `-` for `_`.
    pub(crate) fn take<T: Read>(&self, field: &str, found: &mut Findings) -> Option<T> {
        let name = key(field);
        match self.entries.iter().find(|(key, _)| key.text == name) {
            Some((_, node)) => T::read(node, found),
            None => T::absent().or_else(|| {
                let first = self.entries.first().map_or(&self.span, |(key, _)| &key.span);
                found.help(first, format!("the key `{name}` is missing"), format!("write `{name}: …`"));
                found.lose()
            }),
        }
    }
}

/// The key in files for a field in code.
fn key(field: &str) -> String {
    field.replace('_', "-")
}

/// Says that `node` is not what was expected.
pub(crate) fn wrong<T>(node: &Node, expected: &str, found: &mut Findings) -> Option<T> {
    let message = format!("expected {expected}, found {}", kind(node));
    match &node.value {
        Value::Scalar { text, quoted: false } if expected.contains("text") && !is_null(text) => {
            found.help(&node.span, message, format!("write it in quotes: \"{text}\""));
        }
        _ => found.add(&node.span, message),
    }
    found.lose()
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// What a node is, in words.
pub(crate) fn kind(node: &Node) -> &'static str {
    match &node.value {
        Value::List(_) => "a list",
        Value::Map(_) => "a mapping",
        Value::Scalar { quoted: true, .. } => "text",
        Value::Scalar { text, quoted: false } => plain_kind(text),
    }
}

/// What unquoted text means (YAML 1.2.2 section 10.3.2).
pub(crate) fn plain_kind(text: &str) -> &'static str {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let based = |prefix: &str, radix| {
        digits
            .strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_digit(radix)))
    };
    match text {
        _ if is_null(text) => "nothing",
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => "a truth value",
        _ if matches!(digits, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") => "a number",
        _ if based("0x", 16) || based("0o", 8) => "a number",
        _ if digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && digits.parse::<f64>().is_ok() =>
        {
            "a number"
        }
        _ => "text",
    }
}

/// The text of a node that means text; anything else is a diagnostic.
pub(crate) fn text<'n>(node: &'n Node, found: &mut Findings) -> Option<&'n str> {
    match &node.value {
        Value::Scalar { text, .. } if kind(node) == "text" => Some(text),
        _ => wrong(node, "text", found),
    }
}

impl Read for bool {
    fn read(node: &Node, found: &mut Findings) -> Option<Self> {
        match &node.value {
            Value::Scalar { text, quoted: false } if text == "true" => Some(true),
            Value::Scalar { text, quoted: false } if text == "false" => Some(false),
            _ => wrong(node, "`true` or `false`", found),
        }
    }
}

/// Reads a whole number without sign, leading zeros or other spelling.
pub(crate) fn number(node: &Node, lowest: u64, highest: u64, found: &mut Findings) -> Option<u64> {
    let expected = format!("a whole number from {lowest} to {highest}");
    let Value::Scalar { text, quoted: false } = &node.value else { return wrong(node, &expected, found) };
    match text.parse::<u64>() {
        Ok(number) if number.to_string() == *text && (lowest..=highest).contains(&number) => Some(number),
        _ => {
            found.add(&node.span, format!("expected {expected}"));
            found.lose()
        }
    }
}

pub(crate) fn did_you_mean(near: &str) -> String {
    format!("did you mean `{near}`?")
}

/// Words that a slip is compared with, so that a hostile file does not keep anybody busy.
const MAX_CANDIDATES: usize = 500;

/// The known word that `word` is most probably a slip of.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if word.len() > 40 {
        return None;
    }
    let lower = word.to_lowercase().replace('_', "-");
    let similar = known.into_iter().take(MAX_CANDIDATES).filter(|known| known.len() <= word.len() + 14);
    let distances = similar.map(|known| (distance(&lower, known), known));
    let (distance, near) = distances.min()?;
    (distance <= near.len().max(3) / 3).then_some(near)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut cost = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cost = cost.min(rows[i - 2][j - 2] + 1);
            }
            row.push(cost);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// Declares a mapping of a file: each field is a key (with `-` for `_`), optional when its type is an [`Option`].
macro_rules! mapping {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, schemars::JsonSchema)]
        #[schemars(rename_all = "kebab-case", deny_unknown_fields)]
        pub(crate) struct $name { $($(#[$field_doc])* pub(crate) $field: $kind,)* }

        impl $crate::read::Read for $name {
            fn read(node: &$crate::yaml::Node, found: &mut $crate::diagnostic::Findings) -> Option<Self> {
                let fields = $crate::read::Fields::of(node, &[$(stringify!($field)),*], found)?;
                $(let $field = fields.take(stringify!($field), found);)*
                Some(Self { $($field: $field?),* })
            }
        }
    };
}
pub(crate) use mapping;

/// Declares how words of a file stand for values.
macro_rules! words {
    ($kind:ty { $($word:literal => $value:expr),* $(,)? }) => {
        impl $crate::read::Read for $kind {
            fn read(node: &$crate::yaml::Node, found: &mut $crate::diagnostic::Findings) -> Option<Self> {
                const WORDS: &[&str] = &[$($word),*];
                let text = $crate::read::text(node, found)?;
                match text {
                    $($word => Some($value),)*
                    _ => $crate::read::unknown_word(node, text, WORDS, found),
                }
            }
        }
    };
}
pub(crate) use words;

pub(crate) fn unknown_word<T>(node: &Node, text: &str, words: &[&str], found: &mut Findings) -> Option<T> {
    let message = format!("expected one of {}, found `{text}`", words.join(", "));
    match nearest(text, words.iter().copied()) {
        Some(near) => found.help(&node.span, message, did_you_mean(near)),
        None => found.add(&node.span, message),
    }
    found.lose()
}

impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<K: JsonSchema, V: JsonSchema> JsonSchema for Entries<K, V> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Map_of_{}_to_{}", K::schema_name(), V::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let keys = generator.subschema_for::<K>();
        let values = generator.subschema_for::<V>();
        schemars::json_schema!({ "type": "object", "propertyNames": keys, "additionalProperties": values })
    }
}
