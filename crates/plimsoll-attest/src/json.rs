//! Reading JSON that somebody else wrote: within a size, without duplicate keys at any depth, and never deeper than
//! `serde_json` follows (128 levels). Also the two byte encodings of the formats here.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::{collections::BTreeSet, fmt};

/// Reads exactly one value of at most `limit` bytes. Text that follows it is refused.
///
/// # Errors
/// What is wrong, in words.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8], limit: usize) -> Result<T, String> {
    if bytes.len() > limit {
        return Err(format!("more than {limit} bytes"));
    }
    serde_json::from_slice::<UniqueKeys>(bytes).map_err(|error| error.to_string())?;
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

/// Any JSON value in which no object has a key twice. `serde_json` would silently take the last one into a map, while
/// another reader takes the first: the two would not agree on what was signed.
struct UniqueKeys;

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value::<Self>()?;
            if let Some(twice) = seen.replace(key) {
                return Err(A::Error::custom(format!("the key `{twice}` stands twice")));
            }
        }
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }
}

/// A list that must be empty: what it could hold is not checked here, and what is not checked is not carried along.
#[derive(Debug, Clone, Default)]
pub(crate) struct Empty;

impl<'de> Deserialize<'de> for Empty {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Vec::<IgnoredAny>::deserialize(deserializer)?.is_empty() {
            true => Ok(Self),
            false => Err(D::Error::custom("entries of a transparency log are not supported")),
        }
    }
}

/// Bytes as standard base64 with padding; one text for each byte string.
pub(crate) mod base64 {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64_STANDARD.decode(text).map_err(|error| D::Error::custom(format!("not base64: {error}")))
    }
}

/// A digest as 64 hexadecimal digits without the algorithm, as in-toto writes it.
pub(crate) mod hex {
    use plimsoll_model::Digest;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&digest.hex())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        Digest::from_hex(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_refused_at_any_depth() {
        let check = |text: &str| read::<serde_json::Value>(text.as_bytes(), 1 << 10);
        for good in [r#"{"a":1,"b":{"a":[{"a":null}]}}"#, "[true,-1,0.5,\"x\"]"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [r#"{"a":1,"a":1}"#, r#"{"x":[{"a":1,"b":2,"a":3}]}"#, r#"{"a":1,"\u0061":2}"#] {
            assert!(check(bad).unwrap_err().contains("`a` stands twice"), "{bad}");
        }
    }

    #[test]
    fn size_depth_and_trailing_text_are_limited() {
        let check = |text: &str| read::<serde_json::Value>(text.as_bytes(), 1 << 20);
        assert!(check(&format!("{}{}", "[".repeat(100), "]".repeat(100))).is_ok());
        for bad in [&"[".repeat(100_000), &format!("\"{}\"", "x".repeat(1 << 20)), "{} {}", ""] {
            assert!(check(bad).is_err());
        }
    }
}
