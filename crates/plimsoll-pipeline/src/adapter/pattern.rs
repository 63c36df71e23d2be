//! Which files a manifest means: a name, or the last parts of a path; a star stands for anything within one part.

use crate::{diagnostic::Findings, read::Read, value::parse, yaml::Node};
use plimsoll_model::RelPath;
use serde::{Deserialize, Serialize};

/// A pattern for paths, as in `Dockerfile.*` or `.github/workflows/*.yml`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct FilePattern(String);

impl FilePattern {
    /// Whether the last parts of `path` are as the pattern says, one by one.
    #[must_use]
    pub fn matches(&self, path: &RelPath) -> bool {
        let mut parts = path.as_str().rsplit('/');
        self.0.rsplit('/').all(|pattern| parts.next().is_some_and(|part| fits(pattern, part)))
    }
}

/// Whether `part` is as `pattern` says. The pieces between stars are looked for from left to right, each once, so this
/// takes time in proportion to the length of both at most.
fn fits(pattern: &str, part: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == part };
    let Some(mut left) = part.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for piece in middle.split('*').filter(|piece| !piece.is_empty()) {
        match left.find(piece) {
            Some(at) => left = &left[at + piece.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

impl Read for FilePattern {
    fn read(node: &Node, found: &mut Findings) -> Option<Self> {
        let judge = |text: &str| {
            let path: Result<RelPath, _> = text.replace('*', "x").parse();
            path.map(|_| Self(text.to_owned())).map_err(|error| error.to_string())
        };
        parse(node, found, judge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ends_of_paths_are_matched_part_by_part() {
        for (pattern, path, expect) in [
            ("Dockerfile", "Dockerfile", true),
            ("Dockerfile", "a/b/Dockerfile", true),
            ("Dockerfile", "Dockerfile.dev", false),
            ("Dockerfile.*", "x/Dockerfile.dev", true),
            ("*.tf", "modules/net/main.tf", true),
            ("*.tf", "main.tf.json", false),
            (".github/workflows/*.yml", ".github/workflows/ci.yml", true),
            (".github/workflows/*.yml", "vendor/x/.github/workflows/ci.yml", true),
            (".github/workflows/*.yml", ".github/workflows/sub/ci.yml", false),
            (".github/workflows/*.yml", "workflows/ci.yml", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("*", "anything", true),
        ] {
            assert_eq!(
                FilePattern(pattern.into()).matches(&path.parse().unwrap()),
                expect,
                "{pattern} {path}"
            );
        }
    }
}
