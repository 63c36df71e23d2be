//! File trees by content: what a commit exports, what a step leaves behind, what a toolchain consists of.

use crate::{Digest, jcs};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// A path below some root: `/`-separated, UTF-8, no empty, `.` or `..` component, no control character, at most 4,096
/// bytes and 255 in a component.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RelPath(String);

/// Text that is not a path below a root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path:?} is not a path below the root: {problem}")]
pub struct RelPathError {
    path: String,
    problem: &'static str,
}

impl RelPath {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The components, outermost first; at least one.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The last component.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The path without its last component; none for a path of one component.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// This path followed by `below`.
    #[must_use]
    pub fn join(&self, below: &Self) -> Self {
        Self(format!("{}/{}", self.0, below.0))
    }

    /// Whether this is `ancestor` or lies below it.
    #[must_use]
    pub fn starts_with(&self, ancestor: &Self) -> bool {
        self.0.strip_prefix(&ancestor.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// What remains below `ancestor`; none when this is `ancestor` or not below it.
    #[must_use]
    pub fn below(&self, ancestor: &Self) -> Option<Self> {
        let rest = self.0.strip_prefix(&ancestor.0)?.strip_prefix('/')?;
        Some(Self(rest.to_owned()))
    }
}

impl FromStr for RelPath {
    type Err = RelPathError;

    fn from_str(text: &str) -> Result<Self, RelPathError> {
        let error = |problem| Err(RelPathError { path: text.chars().take(200).collect(), problem });
        if text.len() > 4096 {
            return error("it is longer than 4,096 bytes");
        }
        if text.starts_with('/') {
            return error("it is absolute");
        }
        if text.chars().any(char::is_control) {
            return error("it has a control character");
        }
        for component in text.split('/') {
            match component {
                "" => return error("a component is empty"),
                "." | ".." => return error("it has a `.` or `..` component"),
                _ if component.len() > 255 => return error("a component is longer than 255 bytes"),
                _ => {}
            }
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RelPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for RelPath {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RelPath".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "minLength": 1, "pattern": "^[^/]" })
    }
}

/// One entry of a [`Tree`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Entry {
    /// A regular file.
    File {
        /// Digest of its content.
        digest: Digest,
        /// Length in bytes.
        size: u64,
        /// Whether its owner may execute it; no other mode bit is kept.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        executable: bool,
    },
    /// A symbolic link whose target stays below the root; kept as data, never followed.
    Symlink {
        /// The target as written.
        target: String,
    },
    /// A directory without entries. Other directories are implied by what is below them.
    EmptyDirectory,
}

/// Files by path, in order of the paths' bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tree {
    /// Every entry, by its path below the root.
    pub entries: BTreeMap<RelPath, Entry>,
}

impl Tree {
    /// SHA-256 of the canonical JSON of the entries: equal exactly for equal paths, contents, link targets and
    /// executable bits.
    ///
    /// # Errors
    /// Never for a tree that was built from [`RelPath`]s; the error of the canonical writer otherwise.
    pub fn digest(&self) -> Result<Digest, jcs::JcsError> {
        jcs::digest(self)
    }

    /// Total size of all files, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        let sizes = self.entries.values().map(|entry| match entry {
            Entry::File { size, .. } => *size,
            Entry::Symlink { .. } | Entry::EmptyDirectory => 0,
        });
        sizes.fold(0, u64::saturating_add)
    }
}

/// Whether a symbolic link at `link` with this `target` stays below the root: relative, and `..` only at its beginning,
/// as often as the link is deep. A `..` behind a name could follow another link first and climb from wherever that
/// leads, so it is refused even where it looks harmless.
#[must_use]
pub fn symlink_is_contained(link: &RelPath, target: &str) -> bool {
    if target.is_empty()
        || target.starts_with('/')
        || target.len() > 4096
        || target.chars().any(char::is_control)
    {
        return false;
    }
    let mut depth = link.components().count() - 1;
    let mut descended = false;
    for component in target.split('/') {
        match component {
            "" | "." => {}
            ".." if depth == 0 || descended => return false,
            ".." => depth -= 1,
            _ => descended = true,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        text.parse().unwrap()
    }

    #[test]
    fn paths_stay_below_their_root() {
        for good in ["a", "a/b", ".hidden", "a b", "a/..b", "ä"] {
            assert!(good.parse::<RelPath>().is_ok(), "{good}");
        }
        for bad in ["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\nb", "a\u{1b}[2J"] {
            assert!(bad.parse::<RelPath>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn prefixes_end_at_component_borders() {
        assert!(path("a/b").starts_with(&path("a")));
        assert!(path("a").starts_with(&path("a")));
        assert!(!path("ab").starts_with(&path("a")));
        assert_eq!(path("a/b/c").below(&path("a")), Some(path("b/c")));
    }

    #[test]
    fn symlinks_that_leave_the_root_are_not_contained() {
        for (link, target, contained) in [
            ("a", "b", true),
            ("a/b", "../c", true),
            ("a/b", "../../c", false),
            ("a", "..", false),
            ("a", "/etc/passwd", false),
            ("a/b/c", "../../d/../../e", false),
            ("a", "b/../..", false),
            ("a", "b/../c", false),
            ("a", "", false),
        ] {
            assert_eq!(symlink_is_contained(&path(link), target), contained, "{link} -> {target}");
        }
    }
}
