//! Fields of JSON objects, of the type that a format gives them. An absent field and `null` are the same.

use super::{ReportError, malformed};
use serde_json::{Map, Value};

pub(super) type Object = Map<String, Value>;

fn wrong_type(key: &str) -> ReportError {
    malformed(format!("`{key}` has another type"))
}

pub(super) fn text<'a>(object: &'a Object, key: &str) -> Result<Option<&'a str>, ReportError> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong_type(key)),
    }
}

/// An index; -1 stands for none (section 3.7.4).
pub(super) fn position(object: &Object, key: &str) -> Result<Option<usize>, ReportError> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) if value.as_i64() == Some(-1) => Ok(None),
        Some(value) => {
            let index = value.as_u64().and_then(|index| usize::try_from(index).ok());
            index.map(Some).ok_or_else(|| wrong_type(key))
        }
    }
}

pub(super) fn object<'a>(object: &'a Object, key: &str) -> Result<Option<&'a Object>, ReportError> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => as_object(value, key).map(Some),
    }
}

pub(super) fn as_object<'a>(value: &'a Value, key: &str) -> Result<&'a Object, ReportError> {
    value.as_object().ok_or_else(|| wrong_type(key))
}

pub(super) fn list<'a>(object: &'a Object, key: &str) -> Result<Option<&'a [Value]>, ReportError> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(list)) => Ok(Some(list)),
        Some(_) => Err(wrong_type(key)),
    }
}

/// The objects of a list; no list is an empty one.
pub(super) fn objects<'a>(
    object: &'a Object,
    key: &str,
) -> Result<impl Iterator<Item = Result<&'a Object, ReportError>>, ReportError> {
    let key_of_items = key.to_owned();
    let items = list(object, key)?.unwrap_or_default();
    Ok(items.iter().map(move |item| as_object(item, &key_of_items)))
}
