//! Signing identities. Each is as narrow as one kind of statement, because stock verifiers accept any signed bundle
//! on a digest (docs/concepts.md, "Roles").

use crate::EnvironmentName;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Who signs: one key per role, one kind of claim per key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Build provenance and run statements.
    Builder,
    /// Results of tests and adapters.
    Scanner,
    /// What a revision is: its commit, tree, author and signature.
    Source,
    /// Decisions that allow, for one environment.
    Decision(EnvironmentName),
    /// What runs in one environment, as its agent sees it.
    Agent(EnvironmentName),
    /// Decisions that refuse. No door trusts this key.
    Refusal,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builder => f.write_str("builder"),
            Self::Scanner => f.write_str("scanner"),
            Self::Source => f.write_str("source"),
            Self::Decision(environment) => write!(f, "decision:{environment}"),
            Self::Agent(environment) => write!(f, "agent:{environment}"),
            Self::Refusal => f.write_str("refusal"),
        }
    }
}

/// Text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a role: expected builder, scanner, source, refusal, decision:<environment> or agent:<environment>"
)]
pub struct RoleError(String);

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        match text {
            "builder" => Ok(Self::Builder),
            "scanner" => Ok(Self::Scanner),
            "source" => Ok(Self::Source),
            "refusal" => Ok(Self::Refusal),
            _ => of_an_environment(text).ok_or_else(|| RoleError(text.to_owned())),
        }
    }
}

fn of_an_environment(text: &str) -> Option<Role> {
    let (kind, name) = text.split_once(':')?;
    let environment = name.parse().ok()?;
    match kind {
        "decision" => Some(Role::Decision(environment)),
        "agent" => Some(Role::Agent(environment)),
        _ => None,
    }
}

impl Serialize for Role {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Role {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Role".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^(builder|scanner|source|refusal|(decision|agent):[a-z0-9-]+)$" })
    }
}
