//! Canonical JSON (RFC 8785). Whatever is hashed or compared goes through here, so that equal values have equal bytes.

use crate::Digest;
use serde::{Serialize, de::DeserializeOwned};

/// A value has no canonical JSON form, or bytes are not one.
#[derive(Debug, thiserror::Error)]
pub enum JcsError {
    /// The value cannot be written, for example because a map has a key that is no string.
    #[error("failed to write canonical JSON: {0}")]
    Write(serde_json::Error),
    /// The bytes are not JSON, or not of the expected shape.
    #[error("failed to read canonical JSON: {0}")]
    Read(serde_json::Error),
    /// The bytes are JSON of the expected shape, but not in its one canonical form.
    #[error("the JSON is not in canonical form (RFC 8785)")]
    NotCanonical,
}

/// The canonical bytes of `value`.
///
/// # Errors
/// When the value has no JSON form.
pub fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, JcsError> {
    serde_json_canonicalizer::to_vec(value).map_err(JcsError::Write)
}

/// The digest of the canonical bytes of `value`.
///
/// # Errors
/// When the value has no JSON form.
pub fn digest<T: Serialize>(value: &T) -> Result<Digest, JcsError> {
    to_bytes(value).map(|bytes| Digest::of(&bytes))
}

/// Reads a value from bytes that must be in canonical form, so that no two byte strings mean the same value.
/// Duplicate keys and reordered keys are refused by the comparison.
///
/// # Errors
/// When the bytes are not JSON, not of this shape, or not canonical.
pub fn from_bytes<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, JcsError> {
    let value: T = serde_json::from_slice(bytes).map_err(JcsError::Read)?;
    if to_bytes(&value)? == bytes { Ok(value) } else { Err(JcsError::NotCanonical) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn only_the_canonical_form_is_read() {
        let read = |text: &str| from_bytes::<BTreeMap<String, u64>>(text.as_bytes());
        assert!(read(r#"{"a":1,"b":2}"#).is_ok());
        for bad in [r#"{"b":2,"a":1}"#, r#"{"a":1,"a":1}"#, r#"{"a": 1}"#, "{\"a\":1}\n", r#"{"a":1.0}"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
