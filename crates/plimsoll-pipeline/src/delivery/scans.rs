//! `require: scans:`: which findings block in an environment, and what else a scan must show.

use super::environment::{EMPTY, Yes};
use crate::{
    diagnostic::Findings,
    read::{Entries, Spanned, mapping, words},
    value::{Number, Within},
};
use plimsoll_model::{CheckName, Digest, ScanEngine};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

mapping! {
    /// Which findings of a scan block.
    RequireScanFile {
        /// The lowest level that blocks. Findings of Plimsoll's own scans are of severity `low` (with `info`), `medium`,
        /// `high` or `critical`; those of adapters of level `note`, `warning` or `error`, which count as low, medium and
        /// high. With `block: critical` errors of an adapter block. Default, with `new`: `low`.
        block: Option<BlockLevel>,
        /// How many findings of that level may be new against what runs there. Default: none may be at all, old or new.
        /// Only for Plimsoll's own scans.
        new: Option<Number<0, 1000>>,
        /// Age that the data of the scan may have when a release is decided: as in `24h`, up to a year.
        /// Only for
        /// `dependencies`. Default: any.
        database_age: Option<Within<8760>>,
        /// Whether findings that a comment in the source allows count as allowed. Only `true`; leave it out to let them
        /// block as any other.
        comments: Option<Yes>,
        /// Digest of the executable that must have judged. Default: any.
        tool: Option<Digest>,
        /// Digest of the rules that must have been imported and applied, as `plimsoll rules show` prints it. Only for
        /// `secrets`. Default: any, or none.
        rules: Option<Digest>,
    }
}

/// What is asked of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RequireScan {
    /// The lowest level that blocks.
    pub block: BlockLevel,
    /// Digest of the executable that must have judged.
    pub tool: Option<Digest>,
    /// How many findings may be new against what runs; none: there may be no finding at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<u64>,
    /// Seconds that the data may be old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_age: Option<u64>,
    /// Digest of the rules that must have been imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Digest>,
    /// Whether comments in the source allow findings.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub comments: bool,
}

impl schemars::JsonSchema for BlockLevel {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BlockLevel".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "enum": ["low", "medium", "high", "critical", "note", "warning", "error"] })
    }
}

impl RequireScan {
    /// Asks that nothing of this level or above was found, and nothing else.
    #[must_use]
    pub const fn blocking(block: BlockLevel) -> Self {
        Self { block, tool: None, new: None, database_age: None, rules: None, comments: false }
    }
}

/// How much a finding matters to the tool that made it, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockLevel {
    /// Every finding blocks.
    Note,
    /// Warnings and errors block.
    Warning,
    /// Errors block.
    Error,
    /// Findings of severity critical block, and errors of tools that have no such word.
    Critical,
}

words!(BlockLevel {
    "low" => Self::Note, "medium" => Self::Warning, "high" => Self::Error, "critical" => Self::Critical,
    "note" => Self::Note, "warning" => Self::Warning, "error" => Self::Error,
});

/// The scans of an environment, each with everything that it asks for.
pub(super) fn check(
    file: Option<Spanned<Entries<CheckName, RequireScanFile>>>,
    found: &mut Findings,
) -> BTreeMap<CheckName, RequireScan> {
    let Some(Spanned { span, value: Entries(entries) }) = file else { return BTreeMap::new() };
    if entries.is_empty() {
        found.help(&span, EMPTY, "name a scan: `secrets: {new: 0}`");
    }
    let scans = entries.into_iter().map(|(name, file)| {
        let scan = scan(&name, &file, found);
        (name.value, scan)
    });
    scans.collect()
}

fn scan(name: &Spanned<CheckName>, file: &RequireScanFile, found: &mut Findings) -> RequireScan {
    let engine = ScanEngine::of_check(name.value.as_str());
    if file.block.is_none() && file.new.is_none() {
        found.help(&name.span, EMPTY, "write `block: high`, or `new: 0` for nothing new");
    }
    for (key, given) in [("new", file.new.is_some()), ("comments", file.comments.is_some())] {
        if given && engine.is_none() {
            let help = "those are secrets, dependencies and config, and artifact-secrets and so on";
            found.help(&name.span, format!("`{key}` is only for scans by Plimsoll itself"), help);
        }
    }
    if file.database_age.is_some() && engine != Some(ScanEngine::Dependencies) {
        let message = "`database-age` is only for `dependencies`: nothing else has a database";
        found.help(&name.span, message, "leave it out");
    }
    if file.rules.is_some() && engine != Some(ScanEngine::Secrets) {
        found.help(
            &name.span,
            "`rules` is only for `secrets`: nothing else takes imported rules",
            "leave it out",
        );
    }
    RequireScan {
        block: file.block.unwrap_or(BlockLevel::Note),
        tool: file.tool,
        new: file.new.map(|new| new.0),
        database_age: file.database_age.map(|age| age.0),
        rules: file.rules,
        comments: file.comments.is_some(),
    }
}
