//! Typed names and identifiers. Each is checked when it is made, so that a value of the type is always well formed.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Text that does not have the form that an identifier asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind}: expected {expected}")]
pub struct IdError {
    text: String,
    kind: &'static str,
    expected: &'static str,
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $expected:literal, $pattern:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    let text = text.chars().take(80).collect();
                    Err(IdError { text, kind: $kind, expected: $expected })
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

fn is_name(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let edge = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|&b| inner(b))
        && edge(bytes[0])
        && edge(bytes[bytes.len() - 1])
}

fn is_hex(text: &str, lengths: &[usize]) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

identifier!(
    /// The name of a project, as in `shop`.
    ProjectName, "project name", "1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit",
    "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", is_name
);
identifier!(
    /// The name of a step of a pipeline.
    StepName, "step name", "1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit",
    "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", is_name
);
identifier!(
    /// The name of a planned check: a test, or an adapter.
    CheckName, "check name", "1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit",
    "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", is_name
);
identifier!(
    /// The name of a foreign tool behind an adapter.
    ToolName, "tool name", "1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit",
    "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", is_name
);
identifier!(
    /// The name of an environment, as in `production`.
    EnvironmentName, "environment name", "1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit",
    "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", is_name
);
identifier!(
    /// A git commit: 40 (SHA-1) or 64 (SHA-256) lowercase hexadecimal digits.
    CommitId, "commit id", "40 or 64 lowercase hexadecimal digits", "^([0-9a-f]{40}|[0-9a-f]{64})$",
    |text| is_hex(text, &[40, 64])
);
identifier!(
    /// One run of one plan: 32 lowercase hexadecimal digits from a random source.
    RunId, "run id", "32 lowercase hexadecimal digits", "^[0-9a-f]{32}$", |text| is_hex(text, &[32])
);
identifier!(
    /// A random identity that survives renaming: of a project, an environment or a trust root.
    Opaque, "random id", "32 lowercase hexadecimal digits", "^[0-9a-f]{32}$", |text| is_hex(text, &[32])
);

impl CommitId {
    /// The first twelve digits, for people; never for comparison.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl RunId {
    /// The id made of 16 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(hex::encode(bytes))
    }
}

impl Opaque {
    /// The id made of 16 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(hex::encode(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_narrow_form() {
        for good in ["a", "shop", "shop-2", "0", &"x".repeat(63)] {
            assert!(good.parse::<ProjectName>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "Shop", "a_b", "a/b", "..", "a b", "ä", "a\n", &"x".repeat(64)] {
            assert!(bad.parse::<ProjectName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn commit_ids_are_full_and_lower_case() {
        assert!("0123456789abcdef0123456789abcdef01234567".parse::<CommitId>().is_ok());
        for bad in ["HEAD", "0123456", "0123456789ABCDEF0123456789abcdef01234567"] {
            assert!(bad.parse::<CommitId>().is_err(), "{bad}");
        }
    }
}
