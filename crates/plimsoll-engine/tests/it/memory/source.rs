//! A repository that is a table of commits.

use super::path;
use plimsoll_engine::ports::{Author, CommitFacts, CommitSignature, Resolved, Source, SourceError};
use plimsoll_fs::FsError;
use plimsoll_model::{Code, CommitId, Digest, Entry, RelPath, Timestamp, Tree};
use std::{collections::BTreeMap, io::Read, os::fd::BorrowedFd, sync::Mutex};

#[derive(Debug, Clone, Default)]
pub(crate) struct Commit {
    pub(crate) parents: Vec<CommitId>,
    pub(crate) files: BTreeMap<RelPath, Vec<u8>>,
    /// Key line and fingerprint of whoever signed.
    pub(crate) signed: Option<(String, String)>,
}

impl Commit {
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(name, text)| (path(name), text.as_bytes().to_vec()));
        Self { files: files.collect(), ..Self::default() }
    }

    pub(crate) fn after(mut self, parent: &CommitId) -> Self {
        self.parents.push(parent.clone());
        self
    }
}

/// The id of the commit that tests call `number`.
pub(crate) fn commit_id(number: u64) -> CommitId {
    format!("{number:040x}").parse().unwrap()
}

pub(crate) struct MemorySource {
    commits: Mutex<BTreeMap<CommitId, Commit>>,
    refs: Mutex<BTreeMap<String, CommitId>>,
    pub(crate) location: String,
}

impl MemorySource {
    /// A repository at `location` with nothing in it.
    pub(crate) fn at(location: &str) -> Self {
        Self { commits: Mutex::default(), refs: Mutex::default(), location: location.into() }
    }

    /// Adds a commit and lets `reference` point to it.
    pub(crate) fn commit_to(&self, reference: &str, commit: Commit) -> CommitId {
        let mut commits = self.commits.lock().unwrap();
        let id = commit_id(commits.len() as u64 + 1);
        commits.insert(id.clone(), commit);
        self.refs.lock().unwrap().insert(reference.into(), id.clone());
        id
    }

    /// Lets `reference` point to a commit, wherever it pointed before.
    pub(crate) fn point(&self, reference: &str, commit: &CommitId) {
        self.refs.lock().unwrap().insert(reference.into(), commit.clone());
    }

    fn get(&self, id: &CommitId) -> Result<Commit, SourceError> {
        let missing = || Code::SrcObject.reason().with("object", id).with("problem", "it is missing");
        Ok(self.commits.lock().unwrap().get(id).cloned().ok_or_else(missing)?)
    }

    fn files(
        &self,
        id: &CommitId,
        below: Option<&RelPath>,
    ) -> Result<BTreeMap<RelPath, Vec<u8>>, SourceError> {
        let files = self.get(id)?.files.into_iter();
        Ok(files
            .filter_map(|(path, bytes)| Some((below.map_or(Some(path.clone()), |b| path.below(b))?, bytes)))
            .collect())
    }
}

fn tree_of(files: &BTreeMap<RelPath, Vec<u8>>) -> Tree {
    let entry = |bytes: &Vec<u8>| Entry::File {
        digest: Digest::of(bytes),
        size: bytes.len() as u64,
        executable: false,
    };
    Tree { entries: files.iter().map(|(path, bytes)| (path.clone(), entry(bytes))).collect() }
}

impl Source for MemorySource {
    fn resolve(&self, revision: &str) -> Result<Resolved, SourceError> {
        let requested = revision.to_owned();
        if let Ok(commit) = revision.parse::<CommitId>() {
            self.get(&commit)?;
            return Ok(Resolved { requested, reference: None, commit });
        }
        let reference = if revision == "HEAD" { "refs/heads/main" } else { revision };
        let unknown = || Code::SrcRevision.reason().with("revision", revision).with("path", &self.location);
        let commit = self.refs.lock().unwrap().get(reference).cloned().ok_or_else(unknown)?;
        Ok(Resolved { requested, reference: Some(reference.into()), commit })
    }

    fn commit(&self, commit: &CommitId, allowed_keys: &[String]) -> Result<CommitFacts, SourceError> {
        let found = self.get(commit)?;
        let author = Author { name: "Ada".into(), email: "ada@example.org".into() };
        let signature = match found.signed {
            None => CommitSignature::Unsigned,
            Some((line, fingerprint)) if allowed_keys.contains(&line) => {
                CommitSignature::Good { fingerprint }
            }
            Some(_) => CommitSignature::Bad { problem: "the key is not allowed".into() },
        };
        Ok(CommitFacts {
            commit: commit.clone(),
            parents: found.parents,
            author: author.clone(),
            committer: author,
            committed: Timestamp::from_second(1_700_000_000).unwrap(),
            summary: "a change".into(),
            signature,
        })
    }

    fn is_ancestor(&self, ancestor: &CommitId, commit: &CommitId) -> Result<bool, SourceError> {
        if ancestor == commit {
            return Ok(true);
        }
        let parents = self.get(commit)?.parents;
        for parent in parents {
            if self.is_ancestor(ancestor, &parent)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn tree(&self, commit: &CommitId, subdirectory: Option<&RelPath>) -> Result<Tree, SourceError> {
        Ok(tree_of(&self.files(commit, subdirectory)?))
    }

    fn file(&self, commit: &CommitId, path: &RelPath, _: u64) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.get(commit)?.files.remove(path))
    }

    fn export(
        &self,
        commit: &CommitId,
        subdirectory: Option<&RelPath>,
        destination: BorrowedFd<'_>,
    ) -> Result<Tree, SourceError> {
        let files = self.files(commit, subdirectory)?;
        let tree = tree_of(&files);
        let contents = |digest: &Digest| -> Result<Box<dyn Read>, FsError> {
            let bytes = files.values().find(|bytes| Digest::of(bytes) == *digest).unwrap();
            Ok(Box::new(std::io::Cursor::new(bytes.clone())))
        };
        plimsoll_fs::write_tree(&tree, &contents, destination, 0).unwrap();
        Ok(tree)
    }

    fn uncommitted(&self) -> Result<BTreeMap<String, String>, SourceError> {
        Ok(BTreeMap::new())
    }

    fn is_at(&self, location: &str) -> bool {
        location == self.location
    }

    fn uri(&self) -> String {
        format!("file:{}", self.location)
    }
}
