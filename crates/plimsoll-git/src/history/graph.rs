//! Commits and trees of a history, small enough to be held whole, and the walk that says of each blob by which commit and at
//! which path it came in first.

use super::NONE;
use crate::commit::Parsed;
use gix_hash::ObjectId;
use gix_object::{TreeRefIter, bstr::ByteSlice as _, tree::EntryKind};
use plimsoll_model::{reason::printable, removed};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap, HashSet},
};

/// Most entries of all trees together: eight bytes of memory each.
const ENTRIES: usize = 100_000_000;
/// Deepest directory.
const DEPTH: usize = 256;
/// Longest path that is shown, in characters.
const SHOWN: usize = 4096;

/// Objects by number, as one thread read them.
#[derive(Default)]
pub(crate) struct Shelf {
    commits: HashMap<u32, Commit>,
    trees: HashMap<u32, (u32, u32)>,
    /// Number of an object, and of its name.
    entries: Vec<(u32, u32)>,
    names: Names,
    /// Which object an entry names that is not there, by the entry's place.
    absent: BTreeMap<u32, ObjectId>,
    pub(crate) problems: Vec<(u32, String)>,
}

struct Commit {
    tree: u32,
    parents: Vec<u32>,
    time: i64,
    /// What of it is not there.
    absent: Vec<ObjectId>,
}

#[derive(Default)]
struct Names {
    known: HashMap<Vec<u8>, u32>,
    texts: Vec<Vec<u8>>,
}

impl Names {
    fn number(&mut self, name: &[u8]) -> u32 {
        if let Some(number) = self.known.get(name) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(NONE);
        self.texts.push(name.to_vec());
        self.known.insert(name.to_vec(), number);
        number
    }
}

impl Shelf {
    /// Takes a commit, whose content was hashed. `lookup` gives numbers of objects.
    pub(crate) fn commit(
        &mut self,
        number: u32,
        id: ObjectId,
        content: &[u8],
        lookup: &dyn Fn(&ObjectId) -> Option<u32>,
    ) {
        let parsed = match Parsed::new(id, content).and_then(|parsed| Ok((parsed.seconds()?, parsed))) {
            Ok((time, parsed)) => Ok((time, parsed.tree(), parsed.parents().collect::<Vec<_>>())),
            Err(error) => Err(error.to_string()),
        };
        let (time, tree, parents) = match parsed {
            Ok(parsed) => parsed,
            Err(problem) => return self.problems.push((number, problem)),
        };
        let absent = parents.iter().chain([&tree]).filter(|id| lookup(id).is_none()).copied().collect();
        let parents = parents.iter().filter_map(lookup).collect();
        let tree = lookup(&tree).unwrap_or(NONE);
        self.commits.insert(number, Commit { tree, parents, time, absent });
    }

    /// Gives back what is needed only while objects are taken.
    pub(crate) fn settle(&mut self) {
        self.entries.shrink_to_fit();
        self.names.known = HashMap::new();
    }

    /// Takes a tree, whose content was hashed.
    pub(crate) fn tree(
        &mut self,
        number: u32,
        id: ObjectId,
        content: &[u8],
        lookup: &dyn Fn(&ObjectId) -> Option<u32>,
    ) {
        let start = self.entries.len();
        for entry in TreeRefIter::from_bytes(content, id.kind()) {
            let Ok(entry) = entry else {
                return self.problems.push((number, "it does not have the form of a tree".into()));
            };
            // A submodule's commit is of another repository.
            if entry.mode.kind() == EntryKind::Commit {
                continue;
            }
            if self.entries.len() >= ENTRIES {
                return self.problems.push((number, format!("all trees have more than {ENTRIES} entries")));
            }
            let named = entry.oid.to_owned();
            let object = lookup(&named).unwrap_or(NONE);
            if let (NONE, Ok(at)) = (object, u32::try_from(self.entries.len())) {
                self.absent.insert(at, named);
            }
            self.entries.push((object, self.names.number(entry.filename)));
        }
        if let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(self.entries.len())) {
            self.trees.insert(number, (start, end));
        }
    }
}

/// Where a blob came in first.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    /// In which commit, by its place in the order of the walk; [`NONE`] for what no commit holds.
    pub(crate) commit: u32,
    directory: u32,
    name: u32,
}

/// The walk. What was seen is not looked into again, so that a whole history takes one look at each tree.
pub(crate) struct Walk<'a> {
    shelves: &'a [Shelf],
    /// Whether what is not there is a problem; where only new objects are at hand, the rest is the old repository's.
    whole: bool,
    seen: Vec<bool>,
    /// By object: where it came in, for blobs.
    origins: Vec<Option<Origin>>,
    /// Each with the one above it and its own name.
    directories: Vec<(u32, u32)>,
    pub(crate) commits: Vec<u32>,
    pub(crate) problems: Vec<(String, String)>,
    reported: HashSet<ObjectId>,
}

/// Names carry their shelf in the highest bits.
fn packed_name(shelf: usize, name: u32) -> u32 {
    (u32::try_from(shelf).unwrap_or(0) << 28) | (name & 0x0fff_ffff)
}

impl<'a> Walk<'a> {
    /// A walk over `objects` objects.
    pub(crate) fn new(shelves: &'a [Shelf], objects: usize, whole: bool) -> Self {
        Self {
            shelves,
            whole,
            seen: vec![false; objects],
            origins: vec![None; objects],
            directories: vec![],
            commits: vec![],
            problems: vec![],
            reported: HashSet::new(),
        }
    }

    /// Walks everything that commits reach, parents before their children. What was walked before stays as it was.
    pub(crate) fn commits(&mut self, tips: &[u32], id_of: &dyn Fn(u32) -> String) {
        for number in self.ordered(tips, id_of) {
            let order = u32::try_from(self.commits.len()).unwrap_or(NONE);
            self.commits.push(number);
            let Some(commit) = self.shelves.iter().find_map(|shelf| shelf.commits.get(&number)) else {
                continue;
            };
            if self.whole {
                for id in &commit.absent {
                    self.problems.push((
                        id.to_string(),
                        format!("commit {} needs it, and it is missing", id_of(number)),
                    ));
                }
            }
            if removed!("history-trees") && !tips.contains(&number) {
                continue;
            }
            self.object(commit.tree, Origin { commit: order, directory: NONE, name: NONE });
        }
    }

    /// Marks everything that was walked as known: none of it will be wanted.
    pub(crate) fn forget(&mut self) {
        self.origins.iter_mut().for_each(|origin| *origin = None);
        self.commits.clear();
        self.problems.clear();
    }

    /// All commits behind `tips` that were not walked yet, oldest first: by parents, and where those leave a choice by the
    /// time that the committer claims.
    fn ordered(&mut self, tips: &[u32], id_of: &dyn Fn(u32) -> String) -> Vec<u32> {
        let mut found: HashMap<u32, usize> = HashMap::new();
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        let mut open: Vec<u32> = tips.to_vec();
        while let Some(number) = open.pop() {
            if std::mem::replace(&mut self.seen[number as usize], true) {
                continue;
            }
            let Some(commit) = self.shelves.iter().find_map(|shelf| shelf.commits.get(&number)) else {
                if self.whole {
                    self.problems.push((id_of(number), "this commit cannot be read".into()));
                }
                continue;
            };
            found.insert(number, 0);
            let parents = if removed!("history-parents") { 1 } else { commit.parents.len() };
            for parent in commit.parents.iter().take(parents) {
                children.entry(*parent).or_default().push(number);
                open.push(*parent);
            }
        }
        let time = |number: u32| {
            self.shelves.iter().find_map(|shelf| shelf.commits.get(&number)).map_or(0, |commit| commit.time)
        };
        for (parent, children) in &children {
            if found.contains_key(parent) {
                children.iter().for_each(|child| *found.entry(*child).or_default() += 1);
            }
        }
        let ready = found.iter().filter(|(_, waits)| **waits == 0).map(|(number, _)| *number);
        let mut ready: BinaryHeap<_> =
            ready.map(|number| Reverse((time(number), id_of(number), number))).collect();
        let mut ordered = Vec::with_capacity(found.len());
        while let Some(Reverse((_, _, number))) = ready.pop() {
            ordered.push(number);
            for child in children.get(&number).into_iter().flatten() {
                if let Some(waits) = found.get_mut(child) {
                    *waits -= 1;
                    if *waits == 0 {
                        ready.push(Reverse((time(*child), id_of(*child), *child)));
                    }
                }
            }
        }
        ordered
    }

    /// Walks a tree, or notes a blob.
    fn object(&mut self, number: u32, origin: Origin) {
        let mut open = vec![(number, origin, 0_usize)];
        while let Some((number, origin, depth)) = open.pop() {
            if number == NONE || std::mem::replace(&mut self.seen[number as usize], true) {
                continue;
            }
            let tree = self
                .shelves
                .iter()
                .enumerate()
                .find_map(|(at, shelf)| Some((at, *shelf.trees.get(&number)?)));
            let Some((at, (start, end))) = tree else {
                self.origins[number as usize] = Some(origin);
                continue;
            };
            if depth > DEPTH {
                self.problems.push((self.path(origin), format!("it is more than {DEPTH} directories deep")));
                continue;
            }
            let directory = u32::try_from(self.directories.len()).unwrap_or(NONE);
            self.directories.push((origin.directory, origin.name));
            let shelf = &self.shelves[at];
            // From the end, so that the walk goes in the order of names.
            for entry in (start..end).rev() {
                let (object, name) = shelf.entries[entry as usize];
                let below = Origin { commit: origin.commit, directory, name: packed_name(at, name) };
                if object == NONE {
                    self.absent(shelf, entry, below);
                } else {
                    open.push((object, below, depth + 1));
                }
            }
        }
    }

    fn absent(&mut self, shelf: &Shelf, entry: u32, at: Origin) {
        let Some(id) = shelf.absent.get(&entry).filter(|_| self.whole) else { return };
        if self.reported.insert(*id) {
            self.problems.push((self.path(at), format!("its object {id} is missing")));
        }
    }

    /// Notes something that is not there.
    pub(crate) fn problem(&mut self, what: String, problem: String) {
        self.problems.push((what, problem));
    }

    /// Leaves an object out: it is known.
    pub(crate) fn known(&mut self, number: u32) {
        self.seen[number as usize] = true;
    }

    /// Walks what a ref names instead of a commit.
    pub(crate) fn other(&mut self, number: u32) {
        self.object(number, Origin { commit: NONE, directory: NONE, name: NONE });
    }

    /// Where a blob came in; none for one that was not walked.
    pub(crate) fn origin(&self, number: u32) -> Option<Origin> {
        self.origins.get(number as usize).copied().flatten()
    }

    /// The path of an origin, as it is shown.
    pub(crate) fn path(&self, origin: Origin) -> String {
        let mut names = vec![];
        let (mut directory, mut name) = (origin.directory, origin.name);
        loop {
            if name != NONE {
                names.push(self.name(name));
            }
            let Some((above, own)) = self.directories.get(directory as usize) else { break };
            (directory, name) = (*above, *own);
        }
        names.reverse();
        printable(&names.join("/"), SHOWN)
    }

    fn name(&self, name: u32) -> String {
        let text = self.shelves.get((name >> 28) as usize);
        let text = text.and_then(|shelf| shelf.names.texts.get((name & 0x0fff_ffff) as usize));
        text.map(|text| text.as_bstr().to_str_lossy().into_owned()).unwrap_or_default()
    }
}
