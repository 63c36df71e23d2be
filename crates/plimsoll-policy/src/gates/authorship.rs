//! Whether somebody takes part in a commit, under any of their names, addresses or keys. Recognising too many people
//! asks somebody else; recognising too few lets people approve their own work.

use plimsoll_attest::predicate::{
    DeltaCommit,
    source::{Person as Named, Signature},
};
use plimsoll_pipeline::Person;
use std::{collections::BTreeSet, fmt};

/// Where a commit names a person as author or co-author: what that person can disclaim. Nothing where the person signed
/// or committed it, which no disclaimer lifts.
#[must_use]
pub fn disclaimable<'c>(person: &Person, commit: &'c DeltaCommit) -> Vec<&'c Named> {
    let identity = Identity::from(person);
    let named = std::iter::once(&commit.author).chain(&commit.co_authors).filter(|named| identity.is(named));
    let named: Vec<&Named> = named.collect();
    if identity.part_in(commit, &named).is_some() { vec![] } else { named }
}

/// How somebody takes part in a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Signer,
    Committer,
    Author,
    CoAuthor,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signer => "signer",
            Self::Committer => "committer",
            Self::Author => "author",
            Self::CoAuthor => "co-author",
        })
    }
}

/// Everything that one person is recognised by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Identity {
    names: BTreeSet<String>,
    emails: BTreeSet<String>,
    keys: BTreeSet<String>,
}

impl From<&Person> for Identity {
    fn from(person: &Person) -> Self {
        Self {
            names: BTreeSet::from([folded(&person.name)]),
            emails: person.git_emails.iter().map(|email| email.to_lowercase()).collect(),
            keys: person.ssh_keys.iter().map(|key| key.fingerprint.clone()).collect(),
        }
    }
}

impl Identity {
    /// Whoever has a key that is known by a name elsewhere, with everything that people.yaml says about the key and the
    /// name.
    pub(super) fn of_key(fingerprint: &str, name: &str, people: &[Person]) -> Self {
        let mut identity = Self {
            names: BTreeSet::from([folded(name)]),
            emails: BTreeSet::new(),
            keys: BTreeSet::from([fingerprint.to_owned()]),
        };
        for person in people.iter().map(Self::from) {
            if person.keys.contains(fingerprint) || person.names.contains(&folded(name)) {
                identity.names.extend(person.names);
                identity.emails.extend(person.emails);
                identity.keys.extend(person.keys);
            }
        }
        identity
    }

    /// Whether both can be the same person.
    pub(super) fn meets(&self, other: &Self) -> bool {
        !self.names.is_disjoint(&other.names) || !self.keys.is_disjoint(&other.keys)
    }

    /// How this person takes part in a commit; none if not at all. A mention as author or co-author that is among
    /// `disclaimed` does not count; a signature or having committed always does.
    pub(super) fn part_in(&self, commit: &DeltaCommit, disclaimed: &[&Named]) -> Option<Part> {
        let mentioned = |named: &Named| self.is(named) && !disclaimed.contains(&named);
        if self.signed(commit) {
            Some(Part::Signer)
        } else if self.is(&commit.committer) {
            Some(Part::Committer)
        } else if mentioned(&commit.author) {
            Some(Part::Author)
        } else if commit.co_authors.iter().any(mentioned) {
            Some(Part::CoAuthor)
        } else {
            None
        }
    }

    /// A key can have gone to somebody else since the signature was read: then it counts for both.
    fn signed(&self, commit: &DeltaCommit) -> bool {
        match &commit.signature {
            Signature::Good { person, fingerprint } => {
                self.keys.contains(fingerprint) || self.names.contains(&folded(person))
            }
            Signature::Unsigned | Signature::Bad { .. } => false,
        }
    }

    /// An address that people.yaml lists, or the name under any address.
    fn is(&self, named: &Named) -> bool {
        self.emails.contains(&named.email.trim().to_lowercase()) || self.names.contains(&folded(&named.name))
    }
}

/// A name without letter case, spaces and punctuation. Where nothing is left, the name as it is.
fn folded(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    let folded: String = letters.flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect();
    if folded.is_empty() { name.trim().to_owned() } else { folded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_their_letters() {
        for same in ["ADA EXAMPLE", " ada   example ", "Ada\u{200b} Example", "Ada.Example", "AdaExample"] {
            assert_eq!(folded(same), folded("Ada Example"), "{same}");
        }
        assert_eq!(folded("STRASSER"), folded("Straßer"));
        for other in ["Ada", "Ada Exampl", "Ada Beispiel", "", "-"] {
            assert_ne!(folded(other), folded("Ada Example"), "{other}");
        }
        assert_ne!(folded("-"), folded("+"));
    }
}
