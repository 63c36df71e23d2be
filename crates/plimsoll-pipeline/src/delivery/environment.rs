//! `environments/<environment>/environment.yaml`: what an environment asks for. Leaving something out is visible; there
//! is no way to ask for something and mean the opposite.

use super::{
    approvals::{self, RequireApprovals, RequireApprovalsFile},
    freeze::{self, FreezeFile, FreezeWindow},
    rollback::{self, Rollback, RollbackFile},
    sbom::RequireSbom,
    scans::{self, RequireScan, RequireScanFile},
};
use crate::{
    diagnostic::{FileErrors, Findings},
    pipeline::On,
    read::{self, Entries, Read, Spanned, mapping},
    value::{Version, Within, texts},
    yaml::Node,
};
use plimsoll_model::{CheckName, EnvironmentName, Opaque, record::NetworkMode};
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
        /// The environment in which the artifact must run before it may start here, as in `staging`. Default none.
        after: Option<Spanned<EnvironmentName>>,
        /// How long it must have run there, as in `30m`; at most `720h`. Only with `after`. Default: no time.
        soak: Option<Spanned<Within<720>>>,
        /// What a release must show. It cannot be left out or empty.
        require: Spanned<RequireFile>,
        /// When nothing new starts, at most 50 windows. What runs may restart. Default never.
        freeze: Option<Spanned<Vec<Spanned<FreezeFile>>>>,
        /// When a release that just started gives way to the one before. Default never.
        rollback: Option<RollbackFile>,
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
        /// Scans by the names of their checks, and which of their findings block.
        scans: Option<Spanned<Entries<CheckName, RequireScanFile>>>,
        /// The list of what the artifact is made of: `complete`, or `any` for one that may lack something and says what.
        sbom: Option<RequireSbom>,
        /// People who must have agreed.
        approvals: Option<RequireApprovalsFile>,
        /// Rules in Rego that must not deny, as in `policies/production.rego`; at most 20.
        policies: Option<Spanned<Vec<Spanned<PolicyPath>>>>,
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

texts! {
    /// Name of a builder.
    BuilderName("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$") = |text| {
        text.parse::<plimsoll_model::ToolName>().map(|_| ()).map_err(|_| {
            format!("`{text}` is not a builder: expected 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit")
        })
    };
}

texts! {
    /// Path of a file of rules.
    PolicyPath("^policies/[A-Za-z0-9_-]+\\.rego$") = policy_path;
}

/// Judges the path of a file of rules. Its name stands in gates and reasons, so it is a plain word.
fn policy_path(text: &str) -> Result<(), String> {
    let name = text.strip_prefix("policies/").and_then(|name| name.strip_suffix(".rego"));
    let plain = |name: &str| {
        let word = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        word && (1..=63).contains(&name.len())
    };
    match name {
        Some(name) if name.ends_with("_test") && plain(name) => {
            Err(format!("`{text}` holds tests of rules: expected the rules, in a file without `_test`"))
        }
        Some(name) if plain(name) => Ok(()),
        _ => Err(format!(
            "`{text}` is not a file of rules: expected `policies/<name>.rego`, the name of letters, digits, _ and -"
        )),
    }
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
    /// The environment in which the artifact must run first.
    pub after: Option<EnvironmentName>,
    /// Seconds that it must have run there; 0 unless there is such an environment.
    pub soak_seconds: u64,
    /// What a release must show.
    pub require: Require,
    /// When nothing new starts, in the order of the file.
    pub freeze: Vec<FreezeWindow>,
    /// When a release that just started gives way to the one before.
    pub rollback: Option<Rollback>,
}

/// What a release must show. One that was read asks for something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Require {
    /// What must hold for the revision.
    pub source: Option<RequireSource>,
    /// What must hold for the build.
    pub provenance: Option<RequireProvenance>,
    /// Tests that must have passed, and what they must have looked at.
    pub tests: BTreeMap<CheckName, On>,
    /// Scans by the names of their checks.
    pub scans: BTreeMap<CheckName, RequireScan>,
    /// The list of what the artifact is made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sbom: Option<RequireSbom>,
    /// People who must have agreed.
    pub approvals: Option<RequireApprovals>,
    /// Files of rules that must not deny, as `policies/<name>.rego`.
    #[serde(default)]
    pub policies: BTreeSet<String>,
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

impl Environment {
    /// Reads `environment.yaml`. `file` is its name for messages.
    ///
    /// # Errors
    /// Everything that is wrong with it; also when it asks for nothing.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, Box<FileErrors>> {
        read::file(file, bytes, check)
    }
}

pub(super) const EMPTY: &str = "asks for nothing";

fn check(file: EnvironmentFile, found: &mut Findings) -> Option<Environment> {
    if let (None, Some(soak)) = (&file.after, &file.soak) {
        let help = "write `after: <environment>` beside it, or leave `soak` out";
        found.help(&soak.span, "nothing says where the release soaks", help);
    }
    Some(Environment {
        id: file.id,
        after: file.after.map(|after| after.value),
        soak_seconds: file.soak.map_or(0, |soak| soak.value.0),
        require: require(file.require, found),
        freeze: file.freeze.map(|windows| freeze::windows(windows, found)).unwrap_or_default(),
        rollback: file.rollback.map(|rollback| rollback::check(rollback, found)),
    })
}

fn require(file: Spanned<RequireFile>, found: &mut Findings) -> Require {
    let RequireFile { source, provenance, tests, scans, sbom, approvals, policies } = file.value;
    let nothing = source.is_none()
        && provenance.is_none()
        && tests.is_none()
        && scans.is_none()
        && sbom.is_none()
        && approvals.is_none()
        && policies.is_none();
    if nothing {
        found.help(&file.span, EMPTY, "an environment asks for something: `tests: {unit: source}`");
    }
    Require {
        tests: entries(tests, found, |on| on),
        scans: scans::check(scans, found),
        sbom,
        source: source.map(|source| self::source(&source, found)),
        provenance: provenance.map(|provenance| self::provenance(provenance, found)),
        approvals: approvals.map(|approvals| approvals::check(approvals, found)),
        policies: policies.map(|policies| self::policies(policies, found)).unwrap_or_default(),
    }
}

/// Files of rules of one environment.
const MAX_POLICIES: usize = 20;

fn policies(file: Spanned<Vec<Spanned<PolicyPath>>>, found: &mut Findings) -> BTreeSet<String> {
    if file.value.is_empty() {
        found.help(
            &file.span,
            EMPTY,
            "name a file, as in `[policies/production.rego]`, or leave `policies` out",
        );
    }
    if file.value.len() > MAX_POLICIES {
        found.help(&file.span, format!("names more than {MAX_POLICIES} files"), "join rules in one file");
    }
    let mut policies = BTreeSet::new();
    for Spanned { span, value: PolicyPath(path) } in file.value {
        if !policies.insert(path) {
            found.help(&span, "is listed twice", "keep one of them");
        }
    }
    policies
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
