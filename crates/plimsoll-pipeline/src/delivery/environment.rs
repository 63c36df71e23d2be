//! `environments/<environment>/environment.yaml`: what an environment asks for. Leaving something out is visible; there
//! is no way to ask for something and mean the opposite.

use crate::{
    diagnostic::{FileErrors, Findings},
    pipeline::On,
    read::{self, Entries, Read, Spanned, mapping, words},
    value::{Version, texts},
    yaml::Node,
};
use plimsoll_model::{CheckName, Digest, Opaque, record::NetworkMode};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

mapping! {
    /// `environments/<environment>/environment.yaml`: what an environment asks for before anything starts in it.
    EnvironmentFile {
        /// Version of this form of file; always 1, and always the first key.
        #[expect(dead_code, reason = "judged before anything else is read")]
        version: Version,
        /// Random identity of the environment, 32 hexadecimal digits. It stays when the environment is renamed.
        id: Opaque,
        /// What a release must show. It cannot be left out or empty.
        require: Spanned<RequireFile>,
    }
}

mapping! {
    /// What a release must show. At least one of the keys.
    RequireFile {
        /// What must hold for the revision.
        source: Option<Spanned<RequireSourceFile>>,
        /// What must hold for the build.
        provenance: Option<Spanned<RequireProvenanceFile>>,
        /// Tests that must have passed, and what they must have looked at.
        tests: Option<Spanned<Entries<CheckName, On>>>,
        /// Scans by adapter, and which of their findings block.
        scans: Option<Spanned<Entries<CheckName, RequireScanFile>>>,
    }
}

mapping! {
    /// What must hold for the revision. At least one of the keys.
    RequireSourceFile {
        /// The commit is reachable from a protected ref of the project. Only `true`; leave it out to not ask for it.
        protected: Option<Yes>,
        /// The commit is signed by a key in people.yaml. Only `true`; leave it out to not ask for it.
        signed: Option<Yes>,
    }
}

mapping! {
    /// What must hold for the build. At least one of the keys.
    RequireProvenanceFile {
        /// Builders that are believed. A run on somebody's own machine is `local`.
        builder: Option<Spanned<Vec<Spanned<BuilderName>>>>,
        /// How bytes from outside may have come in.
        network: Option<Spanned<Vec<Spanned<NetworkMode>>>>,
    }
}

mapping! {
    /// Which findings of a scan block.
    RequireScanFile {
        /// The lowest level that blocks.
        block: BlockLevel,
        /// Digest of the executable that must have judged. Default: any.
        tool: Option<Digest>,
    }
}

texts! {
    /// Name of a builder.
    BuilderName("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$") = |text| {
        text.parse::<plimsoll_model::ToolName>().map(|_| ()).map_err(|_| {
            format!("`{text}` is not a builder: expected 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit")
        })
    };
}

/// `true`, and nothing else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Yes;

impl Read for Yes {
    fn read(node: &Node, found: &mut Findings) -> Option<Self> {
        if bool::read(node, found)? {
            return Some(Self);
        }
        let message = "`false` would look like a requirement and be none";
        found.help(&node.span, message, "leave the key out to not ask for it");
        found.lose()
    }
}

impl schemars::JsonSchema for Yes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Yes".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "const": true })
    }
}

/// A checked `environment.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Environment {
    /// Random identity.
    pub id: Opaque,
    /// What a release must show.
    pub require: Require,
}

/// What a release must show. One that was read asks for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Require {
    /// What must hold for the revision.
    pub source: Option<RequireSource>,
    /// What must hold for the build.
    pub provenance: Option<RequireProvenance>,
    /// Tests that must have passed, and what they must have looked at.
    pub tests: BTreeMap<CheckName, On>,
    /// Scans by adapter.
    pub scans: BTreeMap<CheckName, RequireScan>,
}

/// What must hold for the revision; at least one is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RequireSource {
    /// The commit is reachable from a protected ref.
    pub protected: bool,
    /// The commit is signed by a key in people.yaml.
    pub signed: bool,
}

/// What must hold for the build; at least one is given, and none is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RequireProvenance {
    /// Builders that are believed; none: any.
    pub builder: Option<BTreeSet<String>>,
    /// How bytes from outside may have come in; none: any.
    pub network: Option<BTreeSet<NetworkMode>>,
}

/// What is asked of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RequireScan {
    /// The lowest level that blocks.
    pub block: BlockLevel,
    /// Digest of the executable that must have judged.
    pub tool: Option<Digest>,
}

/// How much a finding matters to the tool that made it, from least to most.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum BlockLevel {
    /// Every finding blocks.
    Note,
    /// Warnings and errors block.
    Warning,
    /// Errors block.
    Error,
}

words!(BlockLevel { "note" => Self::Note, "warning" => Self::Warning, "error" => Self::Error });

impl Environment {
    /// Reads `environment.yaml`. `file` is its name for messages.
    ///
    /// # Errors
    /// Everything that is wrong with it; also when it asks for nothing.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, Box<FileErrors>> {
        read::file(file, bytes, check)
    }
}

const EMPTY: &str = "asks for nothing";

fn check(file: EnvironmentFile, found: &mut Findings) -> Option<Environment> {
    let RequireFile { source, provenance, tests, scans } = file.require.value;
    if source.is_none() && provenance.is_none() && tests.is_none() && scans.is_none() {
        found.help(&file.require.span, EMPTY, "an environment asks for something: `tests: {unit: source}`");
    }
    let tests = entries(tests, found, |on| on);
    let scans = entries(scans, found, |scan| RequireScan { block: scan.block, tool: scan.tool });
    let source = source.map(|source| self::source(&source, found));
    let provenance = provenance.map(|provenance| self::provenance(provenance, found));
    Some(Environment { id: file.id, require: Require { source, provenance, tests, scans } })
}

/// The entries as a map, with a diagnostic when there is none.
fn entries<V, T>(
    file: Option<Spanned<Entries<CheckName, V>>>,
    found: &mut Findings,
    value: impl Fn(V) -> T,
) -> BTreeMap<CheckName, T> {
    let Some(Spanned { span, value: Entries(entries) }) = file else { return BTreeMap::new() };
    if entries.is_empty() {
        found.add(&span, EMPTY);
    }
    entries.into_iter().map(|(name, entry)| (name.value, value(entry))).collect()
}

fn source(file: &Spanned<RequireSourceFile>, found: &mut Findings) -> RequireSource {
    let (protected, signed) = (file.value.protected.is_some(), file.value.signed.is_some());
    if !protected && !signed {
        found.help(&file.span, EMPTY, "write `protected: true`, `signed: true` or both");
    }
    RequireSource { protected, signed }
}

fn provenance(file: Spanned<RequireProvenanceFile>, found: &mut Findings) -> RequireProvenance {
    let RequireProvenanceFile { builder, network } = file.value;
    if builder.is_none() && network.is_none() {
        found.help(&file.span, EMPTY, "write `builder`, `network` or both");
    }
    let builder = builder.map(|names| some_of(names, found).into_iter().map(|name| name.0).collect());
    RequireProvenance { builder, network: network.map(|modes| some_of(modes, found)) }
}

/// The values as a set, with a diagnostic when there is none, which nothing could satisfy.
fn some_of<T: Ord>(list: Spanned<Vec<Spanned<T>>>, found: &mut Findings) -> BTreeSet<T> {
    if list.value.is_empty() {
        found.add(&list.span, "an empty list cannot be satisfied");
    }
    list.value.into_iter().map(|item| item.value).collect()
}
