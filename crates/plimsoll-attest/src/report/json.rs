//! JSON as hostile input: keys that stand twice are refused, because two readers would see two documents, and size,
//! number of values and depth are limited while reading.

use super::{Limits, ReportError, malformed, unicode, within, without_mark};
use plimsoll_model::removed;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::{cell::Cell, fmt};

/// Reads exactly one JSON value, with an optional byte order mark before it.
pub(super) fn parse(bytes: &[u8], limits: Limits) -> Result<Value, ReportError> {
    within(bytes, limits.bytes)?;
    let bytes = &*unicode(bytes)?;
    let budget = Cell::new(limits.nodes);
    let mut reader = serde_json::Deserializer::from_slice(without_mark(bytes));
    let value = Node { budget: &budget, depth: limits.depth }.deserialize(&mut reader);
    let end = |value| if removed!("report-end") { Ok(value) } else { reader.end().map(|()| value) };
    value.and_then(end).map_err(|error| match () {
        () if budget.get() == 0 => ReportError::TooLarge(format!("{} values", limits.nodes)),
        () if error.is_eof() => ReportError::Truncated(error.to_string()),
        () => malformed(error),
    })
}

/// One value, and what is left for it and everything in it.
#[derive(Clone, Copy)]
struct Node<'a> {
    budget: &'a Cell<usize>,
    depth: usize,
}

impl Node<'_> {
    fn inner<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Self { depth, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.budget.get().checked_sub(1) {
            Some(left @ 1..) => self.budget.set(left),
            _ => {
                self.budget.set(0);
                return Err(D::Error::custom("too many values"));
            }
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut list = Vec::new();
        while let Some(value) = items.next_element_seed(inner)? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if !removed!("unique-keys") && map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` stands twice")));
            }
            let value = entries.next_value_seed(inner)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(text: &str, expect: Result<Value, &str>) {
        match (parse(text.as_bytes(), Limits { bytes: 1000, nodes: 10, depth: 3 }), expect) {
            (Ok(actual), Ok(expect)) => assert_eq!(actual, expect, "{text}"),
            (Err(error), Err(expect)) => assert!(error.to_string().contains(expect), "{error}\n{text}"),
            (actual, expect) => panic!("{actual:?} instead of {expect:?}\n{text}"),
        }
    }

    #[test]
    fn one_value_is_read_with_or_without_a_mark() {
        check(r#"{"a": [1, -2, 0.5, "x", null, true]}"#, Ok(json!({"a": [1, -2, 0.5, "x", null, true]})));
        check("\u{feff}{}", Ok(json!({})));
        check("{} {}", Err("malformed"));
        check("\u{feff}\u{feff}{}", Err("malformed"));
        check("", Err("cut off"));
        check(r#"{"a": ["#, Err("cut off"));
        check("[1e999]", Err("malformed"));
        check("[NaN]", Err("malformed"));
    }

    #[test]
    fn keys_that_stand_twice_are_refused_at_any_depth() {
        check(r#"{"a": 1, "a": 1}"#, Err("`a` stands twice"));
        check(r#"[{"b": {"a": 1, "\u0061": 2}}]"#, Err("`a` stands twice"));
        check(r#"[{"a": 1}, {"a": 1}]"#, Ok(json!([{"a": 1}, {"a": 1}])));
    }

    #[test]
    fn size_number_and_depth_are_limited() {
        check("[1,2,3,4,5,6,7,8]", Ok(json!([1, 2, 3, 4, 5, 6, 7, 8])));
        check("[1,2,3,4,5,6,7,8,9,10]", Err("larger than 10 values"));
        check("[[[1]]]", Ok(json!([[[1]]])));
        check("[[[[1]]]]", Err("nested too deeply"));
        check(&format!("\"{}\"", "x".repeat(999)), Err("larger than 1000 bytes"));
        let deep = "[".repeat(100_000);
        let limits = Limits { depth: usize::MAX, ..Limits::default() };
        assert!(matches!(parse(deep.as_bytes(), limits), Err(ReportError::Malformed(_))));
    }
}
