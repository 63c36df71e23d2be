//! `rollback` of an environment: when a release that just started gives way, by itself, to the one before.

use crate::{
    diagnostic::Findings,
    read::{Read, Spanned, mapping, words},
    value::Seconds,
    yaml::Node,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

mapping! {
    /// When a release that just started gives way, by itself, to the one that ran before.
    RollbackFile {
        /// Only `true`; leave `rollback` out to not ask for it.
        #[expect(dead_code, reason = "it has one value, which is that of `rollback` being there")]
        automatic: Automatic,
        /// What counts as failed: `start`, when the release does not become healthy in time; `health`, when it becomes
        /// unhealthy or ends within the confirm window.
        on: Spanned<Vec<Spanned<FailureKind>>>,
        /// How long the release before stays ready after traffic moved, as in `10m`; at most `24h`.
        confirm: Seconds,
    }
}

/// `true`, and nothing else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Automatic;

impl Read for Automatic {
    fn read(node: &Node, found: &mut Findings) -> Option<Self> {
        if bool::read(node, found)? {
            return Some(Self);
        }
        let message = "`false` would look like a rollback and be none";
        found.help(&node.span, message, "leave `rollback` out to not ask for it");
        found.lose()
    }
}

impl schemars::JsonSchema for Automatic {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Automatic".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "const": true })
    }
}

/// How a release that just started can fail.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// It does not become healthy within its start timeout.
    Start,
    /// It becomes unhealthy, or ends, within the confirm window.
    Health,
}

words!(FailureKind { "start" => Self::Start, "health" => Self::Health });

/// When a release that just started gives way to the one that ran before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rollback {
    /// What counts as failed; at least one.
    pub on: BTreeSet<FailureKind>,
    /// Seconds after traffic moved during which the release before stays ready; from 1 to those of a day.
    pub confirm_seconds: u64,
}

pub(crate) fn check(file: RollbackFile, found: &mut Findings) -> Rollback {
    if file.on.value.is_empty() {
        found.help(&file.on.span, "nothing counts as failed", "write `start`, `health` or both");
    }
    let mut on = BTreeSet::new();
    for Spanned { span, value } in file.on.value {
        if !on.insert(value) {
            found.help(&span, "is listed twice", "keep one of them");
        }
    }
    Rollback { on, confirm_seconds: file.confirm.0 }
}
