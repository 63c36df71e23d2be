//! A repository that is a table of commits.

use super::path;
use plimsoll_engine::ports::{
    Author, CommitDetail, CommitFacts, CommitSignature, Range, Resolved, Source, SourceError,
};
use plimsoll_fs::FsError;
use plimsoll_model::{Code, CommitId, Digest, Entry, RelPath, Timestamp, Tree};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    os::fd::BorrowedFd,
    sync::Mutex,
};

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

    pub(crate) fn with(mut self, name: &str, text: &str) -> Self {
        self.files.insert(path(name), text.as_bytes().to_vec());
        self
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

    /// A commit and everything behind it. A later commit has a greater id, and no parent is later than its child.
    fn closure(&self, from: &CommitId) -> Result<BTreeSet<CommitId>, SourceError> {
        let (mut found, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(id) = open.pop() {
            if found.insert(id.clone()) {
                open.extend(self.get(&id)?.parents);
            }
        }
        Ok(found)
    }

    fn details(
        &self,
        ids: Vec<&CommitId>,
        allowed_keys: &[String],
    ) -> Result<Vec<CommitDetail>, SourceError> {
        let detail = |id| {
            let facts = self.commit(id, allowed_keys)?;
            Ok(CommitDetail { message: facts.summary.clone(), facts })
        };
        ids.into_iter().rev().map(detail).collect()
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

    fn range(
        &self,
        base: Option<&CommitId>,
        head: &CommitId,
        allowed_keys: &[String],
        limit: usize,
    ) -> Result<Range, SourceError> {
        let Some(base) = base else {
            let commits = self.details(vec![head], allowed_keys)?;
            return Ok(Range { commits, dropped: vec![], base_is_ancestor: true });
        };
        let (ours, theirs) = (self.closure(head)?, self.closure(base)?);
        let (commits, dropped) = (ours.difference(&theirs), theirs.difference(&ours));
        let (commits, dropped): (Vec<_>, Vec<_>) = (commits.collect(), dropped.collect());
        if commits.len() + dropped.len() > limit {
            let problem = format!("there are more than {limit}");
            return Err(SourceError::Failed { action: "list the commits of the change".into(), problem });
        }
        Ok(Range {
            commits: self.details(commits, allowed_keys)?,
            dropped: self.details(dropped, allowed_keys)?,
            base_is_ancestor: ours.contains(base),
        })
    }

    fn changed_paths(
        &self,
        commit: &CommitId,
        parent: Option<&CommitId>,
    ) -> Result<BTreeSet<String>, SourceError> {
        let now = self.get(commit)?;
        let parents = parent.map_or(now.parents, |parent| vec![parent.clone()]);
        if parents.is_empty() {
            return Ok(now.files.keys().map(ToString::to_string).collect());
        }
        let mut changed = BTreeSet::new();
        for parent in parents {
            let before = self.get(&parent)?.files;
            let paths = now.files.keys().chain(before.keys());
            changed.extend(
                paths.filter(|path| now.files.get(*path) != before.get(*path)).map(ToString::to_string),
            );
        }
        Ok(changed)
    }

    fn last_change(&self, head: &CommitId, path: &RelPath) -> Result<Option<CommitId>, SourceError> {
        let mut at = head.clone();
        let now = self.files(&at, Some(path))?;
        if now.is_empty() && self.file(&at, path, u64::MAX)?.is_none() {
            return Ok(None);
        }
        while let Some(parent) = self.get(&at)?.parents.first().cloned() {
            let same = self.files(&parent, Some(path))? == now
                && self.file(&parent, path, u64::MAX)? == self.file(head, path, u64::MAX)?;
            if !same {
                break;
            }
            at = parent;
        }
        Ok(Some(at))
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
