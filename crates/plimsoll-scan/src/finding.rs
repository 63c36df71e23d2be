//! One finding: which rule, where, how bad, and what to do. Its fingerprint comes from content, never from a line or an
//! offset, so that it stays the same when the lines around it move.

pub use plimsoll_model::Severity;
use plimsoll_model::{CommitId, Digest, digest::Hasher};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A rule as reports describe it. One rule is one file; its page in `docs/rules` is made from this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// `engine/name`, as in `config/dockerfile-root-user`.
    pub id: &'static str,
    /// One line: what is wrong where it applies.
    pub title: &'static str,
    /// How bad that is, where the finding itself does not say otherwise.
    pub severity: Severity,
    /// Why it matters and what to do, as Markdown.
    pub help: &'static str,
    /// What to read: specifications, advisories, the attack in which it was used.
    pub references: &'static [&'static str],
}

impl Rule {
    /// Whether a finding's rule is this one, or one of those that somebody imported and that it stands for: then its name
    /// goes on after a slash.
    #[must_use]
    pub fn names(&self, rule: &str) -> bool {
        rule.strip_prefix(self.id).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Where something was found. Lines and columns count from 1, columns in characters; the end is exclusive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// Path below what was scanned, `/`-separated; of a part of a file as `app.jar!/lib/a.jar`.
    pub path: String,
    /// First line.
    pub line: u32,
    /// First column.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// Column after the last character.
    pub end_column: u32,
    /// The line as it may be shown: secrets are masked by whoever made the finding, control characters are replaced by
    /// whoever prints it. Empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub excerpt: String,
    /// The commit that brought it in, where history was scanned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Identifier of the rule, as [`Rule::id`].
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// One line for people. Never holds a secret.
    pub message: String,
    /// What to do, in one line; none where the rule's page says all there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The fix as a unified diff that `git apply` takes, where it can be computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// Where; none for what has no place in a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// What it is about: a package URL, a resource; empty for what is only a place.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Other names of the same: CVE, GHSA, RUSTSEC.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Who it is, across commits and tools.
    pub fingerprint: Fingerprint,
}

/// Identity of a finding that survives moved lines: SHA-256 over the rule and what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(Digest);

impl Fingerprint {
    /// Of something that is no secret: `parts` say what, such as a package URL and an advisory, or a normalised path
    /// and a resource.
    #[must_use]
    pub fn of(rule: &str, parts: &[&str]) -> Self {
        let bytes = std::iter::once(rule).chain(parts.iter().copied()).map(str::as_bytes);
        Self(framed(bytes))
    }

    /// Of a secret. It is keyed, since a digest of a weak password could be guessed.
    #[must_use]
    pub fn of_secret(key: &ProjectKey, rule: &str, secret: &[u8]) -> Self {
        // The construction of HMAC (RFC 2104); the key is exactly as long as SHA-256's output.
        let pad = |byte: u8| {
            let mut block = [byte; 64];
            block.iter_mut().zip(key.0).for_each(|(byte, key)| *byte ^= key);
            block
        };
        let inner = {
            let mut hasher = Hasher::new();
            hasher.update(&pad(0x36));
            hasher.update(framed([rule.as_bytes(), secret].into_iter()).as_bytes());
            hasher.finish()
        };
        let mut hasher = Hasher::new();
        hasher.update(&pad(0x5c));
        hasher.update(inner.as_bytes());
        Self(hasher.finish())
    }
}

impl Fingerprint {
    /// As a digest, for statements.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Digest of some parts, each after its length, so that no two lists of parts have the same bytes.
fn framed<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Digest {
    let mut hasher = Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finish()
}

/// The key of a project's secret fingerprints. Who has it can try guesses against a report; it signs nothing.
#[derive(Clone)]
pub struct ProjectKey([u8; 32]);

impl ProjectKey {
    /// From 32 bytes that nobody can guess.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// The page of a rule, as Markdown: what `plimsoll explain` prints and `docs/rules` holds.
#[must_use]
pub fn page(rule: &Rule) -> String {
    let mut page =
        format!("# {}\n\n{}. Severity: {}.\n\n{}\n", rule.id, rule.title, rule.severity, rule.help.trim());
    if !rule.references.is_empty() {
        page.push_str("\nReferences:\n\n");
        page.extend(rule.references.iter().map(|reference| format!("- {reference}\n")));
    }
    page
}
