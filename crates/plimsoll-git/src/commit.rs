//! What a commit says, after its bytes were hashed: parents, names, time, and what its signature is worth.

use crate::{error::bad_object, objects::commit_id, signature};
use gix_hash::ObjectId;
use gix_object::{
    CommitRef, CommitRefIter,
    bstr::{BStr, ByteSlice},
};
use plimsoll_engine::ports::{Author, CommitFacts, CommitSignature, SourceError};
use plimsoll_model::{Timestamp, reason::printable};

/// Most characters of a name, an address or a summary that are kept.
const SHOWN: usize = 200;
/// Longest message, in bytes.
const MESSAGE: usize = 1 << 20;

/// A commit whose form was checked.
pub(crate) struct Parsed<'a> {
    id: ObjectId,
    content: &'a [u8],
    commit: CommitRef<'a>,
}

impl<'a> Parsed<'a> {
    /// Reads the verified content of the commit `id`.
    ///
    /// # Errors
    /// `E-SRC-OBJECT` when it does not have the form of a commit.
    pub(crate) fn new(id: ObjectId, content: &'a [u8]) -> Result<Self, SourceError> {
        let commit = CommitRef::from_bytes(content, id.kind()).map_err(|error| bad_object(&id, error))?;
        Ok(Self { id, content, commit })
    }

    /// The tree.
    pub(crate) fn tree(&self) -> ObjectId {
        self.commit.tree()
    }

    /// The parents, in order.
    pub(crate) fn parents(&self) -> impl Iterator<Item = ObjectId> + '_ {
        self.commit.parents()
    }

    /// When it was committed, by its own word, in seconds since 1970.
    ///
    /// # Errors
    /// `E-SRC-OBJECT` when that is no time.
    pub(crate) fn seconds(&self) -> Result<i64, SourceError> {
        let committer = self.commit.committer().map_err(|error| bad_object(&self.id, error))?;
        let seconds = committer.time.split(' ').next().and_then(|seconds| seconds.parse().ok());
        seconds.ok_or_else(|| bad_object(&self.id, "its committer has no time"))
    }

    /// Everything, with the signature judged by `allowed_keys`.
    ///
    /// # Errors
    /// `E-SRC-OBJECT` when a name or time is malformed; a failure when an allowed key cannot be read.
    pub(crate) fn facts(&self, allowed_keys: &[String]) -> Result<CommitFacts, SourceError> {
        let malformed = |error| bad_object(&self.id, error);
        let committed = Timestamp::from_second(self.seconds()?);
        let author = self.commit.author().map_err(malformed)?;
        let committer = self.commit.committer().map_err(malformed)?;
        Ok(CommitFacts {
            commit: commit_id(&self.id)?,
            parents: self.parents().map(|id| commit_id(&id)).collect::<Result<_, _>>()?,
            author: Author { name: shown(author.name), email: shown(author.email) },
            committer: Author { name: shown(committer.name), email: shown(committer.email) },
            committed: committed.map_err(|error| bad_object(&self.id, error))?,
            summary: summary(self.commit.message),
            signature: self.signature(allowed_keys)?,
        })
    }

    /// The whole message, made printable line by line.
    ///
    /// # Errors
    /// `E-SRC-OBJECT` when it has more than a mebibyte: cut, it could hide whom it names.
    pub(crate) fn message(&self) -> Result<String, SourceError> {
        if self.commit.message.len() > MESSAGE {
            return Err(bad_object(&self.id, format!("its message has more than {MESSAGE} bytes")));
        }
        let text = self.commit.message.to_str_lossy();
        Ok(text.lines().map(|line| printable(line, MESSAGE)).collect::<Vec<_>>().join("\n"))
    }

    fn signature(&self, allowed_keys: &[String]) -> Result<CommitSignature, SourceError> {
        let bad = |problem: &str| Ok(CommitSignature::Bad { problem: problem.to_owned() });
        let is_signature = |name: &BStr| name == "gpgsig" || name == "gpgsig-sha256";
        match self.commit.extra_headers.iter().filter(|(name, _)| is_signature(name)).count() {
            0 => return Ok(CommitSignature::Unsigned),
            1 => {}
            _ => return bad("more than one signature"),
        }
        let found = CommitRefIter::signature(self.content, self.id.kind());
        match found.map_err(|error| bad_object(&self.id, error))? {
            None => bad("a signature over another form of the commit"),
            Some((armored, signed)) => signature::judge(&armored, &signed.to_bstring(), allowed_keys),
        }
    }
}

fn shown(text: &BStr) -> String {
    printable(&text.to_str_lossy(), SHOWN)
}

fn summary(message: &BStr) -> String {
    let first = message.lines().map(ByteSlice::trim).find(|line| !line.is_empty());
    first.map(|line| shown(line.into())).unwrap_or_default()
}
