//! TOML 1.0 with places, from the parser of the `toml` crate.

use super::{Bounds, Entry, MAX_NODES, Map, Node, Value, too_many};
use crate::format::Unreadable;
use std::borrow::Cow;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

pub(super) fn parse(text: &str) -> Result<Node<'_>, Unreadable> {
    // Each value has one of these before it; the parser itself has no limit.
    let values = text.bytes().filter(|byte| matches!(byte, b'=' | b',' | b'[')).count();
    if values > 2 * MAX_NODES {
        return Err(too_many());
    }
    let table = DeTable::parse(text)
        .map_err(|error| Unreadable::new(format!("it is not valid TOML: {}", error.message())))?;
    let (span, mut bounds) = (table.span(), Bounds::default());
    Ok(Node { span, value: map(table.into_inner(), &mut bounds, 0)? })
}

fn map<'a>(table: DeTable<'a>, bounds: &mut Bounds, depth: usize) -> Result<Value<'a>, Unreadable> {
    let entries = table.into_iter().map(|(key, value)| {
        let start = key.span().start;
        Ok((key.into_inner(), Entry { key: start, node: node(value, bounds, depth + 1)? }))
    });
    Map::new(entries.collect::<Result<Vec<_>, _>>()?).map(Value::Map)
}

fn node<'a>(value: Spanned<DeValue<'a>>, bounds: &mut Bounds, depth: usize) -> Result<Node<'a>, Unreadable> {
    bounds.count(depth)?;
    let span = value.span();
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text),
        DeValue::Integer(number) => Value::Literal(Cow::Owned(number.as_str().to_owned())),
        DeValue::Float(number) => Value::Literal(Cow::Owned(number.as_str().to_owned())),
        DeValue::Boolean(truth) => Value::Literal(Cow::Borrowed(if truth { "true" } else { "false" })),
        DeValue::Datetime(time) => Value::Literal(Cow::Owned(time.to_string())),
        DeValue::Array(items) => {
            let items = items.into_iter().map(|item| node(item, bounds, depth + 1));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => map(table, bounds, depth)?,
    };
    Ok(Node { span, value })
}
