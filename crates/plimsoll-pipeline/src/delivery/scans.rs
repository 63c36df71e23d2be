//! `require: scans:`: which findings block in an environment, and what else a scan must show.

use super::{
    environment::{EMPTY, Yes},
    people::PersonName,
};
use crate::{
    diagnostic::Findings,
    read::{Entries, Read, Spanned, mapping, words},
    value::{Number, Within, parse, texts},
    yaml::Node,
};
use plimsoll_model::{CheckName, Digest, ScanEngine};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

mapping! {
    /// Which findings of a scan block.
    RequireScanFile {
        /// The lowest level that blocks. Findings of Plimsoll's own scans are of severity `low` (with `info`), `medium`,
        /// `high` or `critical`; those of adapters of level `note`, `warning` or `error`, which count as low, medium and
        /// high where no manifest says otherwise. With `block: critical` errors of an adapter without a manifest block. Default,
        /// with `new`: `low`.
        block: Option<BlockLevel>,
        /// How many findings of that level may be new against what runs there. Default: none may be at all, old or new.
        /// For an adapter without a manifest all count as new.
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
        /// `secrets` and `malware`. Default: any, or none.
        rules: Option<Digest>,
        /// People of people.yaml whose signed VEX documents count. Only for `dependencies` and foreign scanners.
        /// Default: nobody's.
        vex: Option<Spanned<Vec<Spanned<PersonName>>>>,
        /// Licences that dependencies may have, as in `[MIT, Apache-2.0]`; one that is not stated is none of them. Only for
        /// `dependencies`. Default: licences are not looked at.
        licenses: Option<Spanned<Vec<Spanned<LicenseName>>>>,
        /// The manifest by which a foreign scanner must have been run: its digest, as `plimsoll adapter show` prints it, or
        /// `ready` for the one of this name that comes with Plimsoll. Default: any.
        manifest: Option<RequireManifest>,
    }
}

texts! {
    /// Identifier of a licence.
    LicenseName("^[A-Za-z0-9.+-]+( WITH [A-Za-z0-9.+-]+)?$") = |text| {
        spdx::Licensee::parse(text).map(|_| ()).map_err(|_| {
            format!("`{text}` is no SPDX licence: expected one as MIT or `GPL-2.0-only WITH Classpath-exception-2.0`")
        })
    };
}

/// What is asked of a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The manifest by which it must have been made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<RequireManifest>,
    /// Whether comments in the source allow findings.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub comments: bool,
    /// Names of those whose VEX documents count.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub vex: BTreeSet<String>,
    /// Licences that dependencies may have; none: they are not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licenses: Option<BTreeSet<String>>,
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

/// The manifest by which a foreign scanner must have been run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequireManifest {
    /// The one of the check's name that comes with this program.
    Ready,
    /// The one of this digest.
    Digest(Digest),
}

impl Read for RequireManifest {
    fn read(node: &Node, found: &mut Findings) -> Option<Self> {
        parse(node, found, |text| match text {
            "ready" => Ok(Self::Ready),
            digest => digest.parse().map(Self::Digest).map_err(|error| format!("{error}, or `ready`")),
        })
    }
}

impl schemars::JsonSchema for RequireManifest {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RequireManifest".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^(ready|sha256:[0-9a-f]{64})$" })
    }
}

impl RequireScan {
    /// Asks that nothing of this level or above was found, and nothing else.
    #[must_use]
    pub const fn blocking(block: BlockLevel) -> Self {
        let vex = BTreeSet::new();
        Self {
            block,
            tool: None,
            new: None,
            database_age: None,
            rules: None,
            manifest: None,
            comments: false,
            vex,
            licenses: None,
        }
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
        let scan = scan(&name, file, found);
        (name.value, scan)
    });
    scans.collect()
}

fn scan(name: &Spanned<CheckName>, file: RequireScanFile, found: &mut Findings) -> RequireScan {
    let engine = ScanEngine::of_check(name.value.as_str());
    if file.block.is_none() && file.new.is_none() {
        found.help(&name.span, EMPTY, "write `block: high`, or `new: 0` for nothing new");
    }
    if file.manifest.is_some() && engine.is_some() {
        found.help(&name.span, "a scan by Plimsoll itself has no manifest", "leave `manifest` out");
    }
    if file.vex.is_some() && engine.is_some_and(|engine| engine != ScanEngine::Dependencies) {
        let message = "`vex` is only for `dependencies` and foreign scanners: nothing else has advisories";
        found.help(&name.span, message, "leave it out");
    }
    let dependencies = [
        ("database-age", file.database_age.is_some(), "has a database"),
        ("licenses", file.licenses.is_some(), "has licences"),
    ];
    for (key, given, what) in dependencies {
        if given && engine != Some(ScanEngine::Dependencies) {
            let message = format!("`{key}` is only for `dependencies`: nothing else {what}");
            found.help(&name.span, message, "leave it out");
        }
    }
    if file.rules.is_some() && !matches!(engine, Some(ScanEngine::Secrets | ScanEngine::Malware)) {
        let message = "`rules` is only for `secrets` and `malware`: nothing else takes imported rules";
        found.help(&name.span, message, "leave it out");
    }
    RequireScan {
        block: file.block.unwrap_or(BlockLevel::Note),
        tool: file.tool,
        new: file.new.map(|new| new.0),
        database_age: file.database_age.map(|age| age.0),
        rules: file.rules,
        manifest: file.manifest,
        comments: file.comments.is_some(),
        vex: file.vex.map(|list| distinct(list, |PersonName(name)| name, found)).unwrap_or_default(),
        licenses: file.licenses.map(|list| distinct(list, |LicenseName(name)| name, found)),
    }
}

/// The names of a list, with a diagnostic where there is none or one stands twice.
fn distinct<T>(
    list: Spanned<Vec<Spanned<T>>>,
    name: impl Fn(T) -> String,
    found: &mut Findings,
) -> BTreeSet<String> {
    if list.value.is_empty() {
        found.help(&list.span, "names nothing", "leave the key out to not ask for it");
    }
    let mut names = BTreeSet::new();
    for Spanned { span, value } in list.value {
        if !names.insert(name(value)) {
            found.help(&span, "is listed twice", "keep one of them");
        }
    }
    names
}
