//! A bill as it leaves the sandbox in which foreign files were read, and comes back to whoever signs it: checked, so that
//! what is written from it is well formed whatever happened in there.

use super::Bill;
use crate::{component::Hash, inventory::MAX_ENTRIES};
use plimsoll_model::reason::printable;

/// Bytes of a bill. One of the largest published lock files takes some 20 MiB.
pub(super) const MAX_BILL: usize = 64 << 20;
/// Characters of a text in it.
const MAX_TEXT: usize = 4096;

/// Why bytes are no bill.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// More than [`MAX_BILL`].
    #[error("it has more than {MAX_BILL} bytes")]
    TooLarge,
    /// Not JSON, or not of this form.
    #[error("it is malformed: {0}")]
    Malformed(String),
    /// More packages than a file may name, or four times as many requests.
    #[error("it lists more than {MAX_ENTRIES} packages")]
    TooMany,
    /// Something names a package that is not listed.
    #[error("`{0}` is not listed")]
    Unlisted(String),
    /// Not as many hexadecimal digits as its function has.
    #[error("`{0}` is no digest")]
    Digest(String),
    /// A text that no file of packages has.
    #[error("`{0}` cannot be part of a list")]
    Text(String),
}

impl Bill {
    /// As JSON, for [`Bill::from_json`].
    ///
    /// # Errors
    /// Never for what readers make; serialising reports what it cannot write.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Reads what [`Bill::to_json`] wrote, or what claims to be that.
    ///
    /// # Errors
    /// When it is not well formed: see [`ExchangeError`]. Whether it is true, nobody can tell from it.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ExchangeError> {
        if bytes.len() > MAX_BILL {
            return Err(ExchangeError::TooLarge);
        }
        let bill: Self = serde_json::from_slice(bytes)
            .map_err(|error| ExchangeError::Malformed(printable(&error.to_string(), 200)))?;
        bill.is_closed()?;
        bill.entries.values().flat_map(|entry| &entry.hashes).try_for_each(digits)?;
        bill.texts().try_for_each(plain)?;
        Ok(bill)
    }

    /// Whatever is named is listed, under its own name.
    fn is_closed(&self) -> Result<(), ExchangeError> {
        if self.entries.len() > MAX_ENTRIES || self.edges.len() > 4 * MAX_ENTRIES {
            return Err(ExchangeError::TooMany);
        }
        let unlisted = |reference: &str| ExchangeError::Unlisted(printable(reference, 200));
        let renamed = self.entries.iter().find(|(reference, entry)| **reference != entry.reference);
        if let Some((reference, _)) = renamed {
            return Err(unlisted(reference));
        }
        let edges = self.edges.iter().flat_map(|(from, to)| [from, to]);
        let members = self.parts.iter().flat_map(|part| &part.members);
        match edges.chain(&self.roots).chain(members).find(|name| !self.entries.contains_key(*name)) {
            Some(reference) => Err(unlisted(reference)),
            None => Ok(()),
        }
    }

    /// Every text that ends up in a document.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let subject = [self.subject.name.as_str(), self.subject.version.as_str()].into_iter();
        let entries = self.entries.values().flat_map(|entry| {
            let own = [&entry.reference, &entry.name, &entry.version, &entry.distribution].into_iter();
            let found = entry.occurrences.iter().map(|(path, _)| path);
            let hashes = entry.hashes.iter().map(|Hash { hex, .. }| hex);
            let origin = entry.origin.iter().flat_map(|origin| [&origin.name, &origin.version]);
            let others = entry.purl.iter().chain(&entry.license).chain(entry.source.address());
            own.chain(found).chain(hashes).chain(origin).chain(others).map(String::as_str)
        });
        let parts = self.parts.iter().map(|part| part.path.as_str());
        let gaps = self.gaps.iter().flat_map(|(path, problem)| [path.as_str(), problem.as_str()]);
        subject.chain(entries).chain(parts).chain(gaps)
    }
}

fn plain(text: &str) -> Result<(), ExchangeError> {
    let plain = text.len() <= MAX_TEXT && !text.chars().any(char::is_control);
    if plain { Ok(()) } else { Err(ExchangeError::Text(printable(text, 200))) }
}

fn digits(hash: &Hash) -> Result<(), ExchangeError> {
    let digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    let whole = hash.hex.len() == 2 * hash.algorithm.length() && hash.hex.bytes().all(digit);
    if whole { Ok(()) } else { Err(ExchangeError::Digest(printable(&hash.hex, 200))) }
}
