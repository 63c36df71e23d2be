//! Every blob of a history, each looked at once, in the order of the packs, with the commit that brought it in. Commits and
//! trees are hashed again; blobs are decoded as git decodes them, and what cannot be decoded is a problem that is told,
//! never a blob less.

mod data;
mod delta;
mod graph;
mod hashing;
mod new;
mod pack;

use crate::{
    GitSource, Limits,
    objects::{Objects, commit_id, object_id},
    refs,
};
use gix_hash::ObjectId;
use gix_object::Kind;
use graph::{Shelf, Walk};
use hashing::ById;
use pack::{Mark, Object, Pack, Plan, Workbench};
use plimsoll_engine::ports::SourceError;
use plimsoll_model::CommitId;
use std::{
    collections::HashMap,
    ops::Range,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

pub use new::Pushed;

/// No object, commit, directory or name.
const NONE: u32 = u32::MAX;
/// Threads that decode and look.
const THREADS: usize = 2;
/// Largest blob that is looked at, in bytes.
const BLOB: u64 = 32 << 20;
/// Most packs of one repository.
const PACKS: usize = 4096;

/// A blob as it comes by.
#[derive(Debug)]
pub struct Blob<'a, T> {
    /// Where it came in first; empty where no commit holds it.
    pub path: &'a str,
    /// All of it.
    pub content: &'a [u8],
    /// Another blob of the same path, which it is a delta of. None where all of it has to be looked at.
    pub base: Option<Base<'a, T>>,
}

/// A blob that was looked at before another one.
#[derive(Debug)]
pub struct Base<'a, T> {
    /// All of it.
    pub content: &'a [u8],
    /// What was found in it.
    pub found: Option<&'a T>,
    /// How the other one differs, in order of place. Whatever lies between two changes stands here just so.
    pub changes: &'a [Change],
}

/// A part of a blob that its base does not have; an empty one where pieces meet that are no neighbours in the base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where in the blob.
    pub part: Range<usize>,
    /// Where in the base stands what follows the part; zero where nothing follows.
    pub next: usize,
}

/// Something that was found in a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit<T> {
    /// The oldest commit that holds the blob; none where only a ref names it, or nothing.
    pub commit: Option<CommitId>,
    /// Where it has it.
    pub path: String,
    /// What was found.
    pub found: T,
}

/// What came of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History<T> {
    /// What was found, by the oldest commit and then by path.
    pub hits: Vec<Hit<T>>,
    /// Commits that were walked.
    pub commits: u64,
    /// Blobs that were looked at.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What could not be read: a path or an id, and why. Where there is anything, the rest is not all.
    pub problems: Vec<(String, String)>,
}

/// What looks at blobs. It is called from several threads.
pub trait Look<T>: Fn(Blob<'_, T>) -> Option<T> + Sync {}

impl<T, F: Fn(Blob<'_, T>) -> Option<T> + Sync> Look<T> for F {}

impl GitSource {
    /// Shows `look` every blob that any ref or `HEAD` reaches.
    ///
    /// # Errors
    /// `E-SRC-SHALLOW`, `E-SRC-ALTERNATES`, and when the refs or the object database cannot be listed.
    pub fn history<T: Send>(&self, look: &impl Look<T>) -> Result<History<T>, SourceError> {
        self.layout().check_complete()?;
        let tips = refs::all(self.layout())?;
        let ids: Vec<ObjectId> = tips.into_values().collect();
        let Some(hash) = ids.first().map(|id| id.kind()) else { return Ok(History::empty()) };
        let store = Store::open(&self.layout().objects(), hash, self.limits())?;
        store.scan(&ids, &[], look)
    }

    /// Shows `look` every blob that `until` reaches and `since` does not.
    ///
    /// # Errors
    /// As [`GitSource::history`].
    pub fn history_between<T: Send>(
        &self,
        since: &CommitId,
        until: &CommitId,
        look: &impl Look<T>,
    ) -> Result<History<T>, SourceError> {
        self.layout().check_complete()?;
        let (since, until) = (object_id(since)?, object_id(until)?);
        let store = Store::open(&self.layout().objects(), until.kind(), self.limits())?;
        store.scan(&[until], &[since], look)
    }
}

impl<T> History<T> {
    fn empty() -> Self {
        Self { hits: vec![], commits: 0, blobs: 0, bytes: 0, problems: vec![] }
    }
}

/// The objects of one object directory, by number.
struct Store {
    numbers: HashMap<ObjectId, u32, ById>,
    ids: Vec<ObjectId>,
    places: Vec<Place>,
    packs: Vec<Pack>,
    directory: PathBuf,
    hash: gix_hash::Kind,
    limits: Limits,
    problems: Vec<(String, String)>,
}

/// Where an object is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Packed { pack: u32, entry: u32, kind: Option<Kind> },
    Loose(Option<Kind>),
}

impl Place {
    fn kind(self) -> Option<Kind> {
        match self {
            Self::Packed { kind, .. } | Self::Loose(kind) => kind,
        }
    }
}

impl Store {
    fn open(directory: &Path, hash: gix_hash::Kind, limits: Limits) -> Result<Self, SourceError> {
        let mut store = Self {
            numbers: HashMap::default(),
            ids: vec![],
            places: vec![],
            packs: vec![],
            directory: directory.to_owned(),
            hash,
            limits,
            problems: vec![],
        };
        for index in loose_names(&directory.join("pack"), "idx").into_iter().take(PACKS) {
            match Pack::open(&directory.join("pack").join(&index), hash) {
                Ok(pack) => store.add_pack(pack),
                Err(problem) => store.problems.push((format!("objects/pack/{index}"), problem)),
            }
        }
        let objects = store.objects()?;
        store.add_loose(&objects);
        Ok(store)
    }

    /// A reader of single objects; each thread needs its own.
    fn objects(&self) -> Result<Objects, SourceError> {
        Objects::at(&self.directory, self.hash, self.limits)
    }

    fn add_pack(&mut self, pack: Pack) {
        let at = u32::try_from(self.packs.len()).unwrap_or(NONE);
        for (entry, id) in (0..).zip(pack.ids()) {
            self.add(*id, Place::Packed { pack: at, entry, kind: pack.kind(entry) });
        }
        self.packs.push(pack);
    }

    fn add_loose(&mut self, objects: &Objects) {
        for two in 0..=0xff_u8 {
            let two = format!("{two:02x}");
            for rest in loose_names(&self.directory.join(&two), "") {
                let id = ObjectId::from_hex(format!("{two}{rest}").as_bytes());
                let Some(id) = id.ok().filter(|id| id.kind() == self.hash) else { continue };
                match objects.kind(&id) {
                    Ok(kind) => self.add(id, Place::Loose(kind)),
                    Err(error) => {
                        self.problems.push((id.to_string(), error.to_string()));
                        self.add(id, Place::Loose(None));
                    }
                }
            }
        }
    }

    fn add(&mut self, id: ObjectId, place: Place) {
        let number = u32::try_from(self.ids.len()).unwrap_or(NONE);
        if let std::collections::hash_map::Entry::Vacant(vacant) = self.numbers.entry(id) {
            vacant.insert(number);
            self.ids.push(id);
            self.places.push(place);
        }
    }

    fn name(&self, number: u32) -> String {
        self.ids.get(number as usize).map(ToString::to_string).unwrap_or_default()
    }

    /// Looks at what `tips` reach and `hidden` do not.
    fn scan<T: Send>(
        self,
        tips: &[ObjectId],
        hidden: &[ObjectId],
        look: &impl Look<T>,
    ) -> Result<History<T>, SourceError> {
        let objects = self.objects()?;
        let shelves = self.shelves(&objects);
        let mut walk = Walk::new(&shelves, self.ids.len(), true);
        let id_of = |number: u32| self.name(number);
        self.walk(&mut walk, &objects, hidden, &id_of);
        walk.forget();
        self.walk(&mut walk, &objects, tips, &id_of);
        self.finish(&shelves, &walk, &objects, look)
    }

    fn finish<T: Send>(
        &self,
        shelves: &[Shelf],
        walk: &Walk<'_>,
        objects: &Objects,
        look: &impl Look<T>,
    ) -> Result<History<T>, SourceError> {
        let mut looked = self.blobs(walk, objects, look);
        let mut problems = self.problems.clone();
        problems.extend(walk.problems.iter().cloned());
        problems.append(&mut looked.problems);
        for (number, problem) in shelves.iter().flat_map(|shelf| &shelf.problems) {
            problems.push((self.name(*number), problem.clone()));
        }
        problems.sort_unstable();
        problems.dedup();
        looked.hits.sort_by(|(one, _), (other, _)| one.cmp(other));
        let commit = |order: u32| {
            let number = walk.commits.get(order as usize);
            number.map(|number| commit_id(&self.ids[*number as usize])).transpose()
        };
        let hit =
            |((order, path), found): ((u32, String), T)| Ok(Hit { commit: commit(order)?, path, found });
        Ok(History {
            hits: looked.hits.into_iter().map(hit).collect::<Result<_, SourceError>>()?,
            commits: walk.commits.len() as u64,
            blobs: looked.count,
            bytes: looked.bytes,
            problems,
        })
    }

    /// Walks from ids, which can be those of tags.
    fn walk(&self, walk: &mut Walk<'_>, objects: &Objects, ids: &[ObjectId], id_of: &dyn Fn(u32) -> String) {
        let mut commits = vec![];
        for id in ids {
            match self.peeled(objects, *id) {
                Ok((Some(number), _, Kind::Commit)) => commits.push(number),
                Ok((Some(number), ..)) => walk.other(number),
                Ok((None, target, _)) => {
                    walk.problem(target.to_string(), "it is in no pack that can be read".into())
                }
                Err(error) => walk.problem(id.to_string(), error.to_string()),
            }
        }
        walk.commits(&commits, id_of);
    }

    /// What a ref stands for: its number, its id and its kind. Only tags are read: a commit is on its shelf, hashed, or
    /// missed there.
    fn peeled(&self, objects: &Objects, id: ObjectId) -> Result<(Option<u32>, ObjectId, Kind), SourceError> {
        let number = |id: &ObjectId| self.numbers.get(id).copied();
        let known = number(&id).and_then(|at| Some((at, self.places[at as usize].kind()?)));
        if let Some((at, kind @ Kind::Commit)) = known {
            return Ok((Some(at), id, kind));
        }
        refs::peeled(objects, id).map(|(target, kind)| (number(&target), target, kind))
    }

    /// All commits and trees.
    fn shelves(&self, objects: &Objects) -> Vec<Shelf> {
        let structure = |kind: Option<Kind>| matches!(kind, Some(Kind::Commit | Kind::Tree));
        let jobs = self.jobs(&|number| structure(self.places[number as usize].kind()));
        let grown =
            parallel(&jobs.roots, <(Shelf, Workbench)>::default, |(shelf, workbench), (pack, root)| {
                let mut problems = vec![];
                let mut visit = |number: u32, object: Object<'_>| {
                    self.shelve(shelf, number, object.content);
                    Mark::default()
                };
                self.grow(&jobs, (*pack, *root), self.limits.structure, workbench, &mut problems, &mut visit);
                shelf.problems.append(&mut problems);
            });
        let mut shelves: Vec<Shelf> = grown.into_iter().map(|(shelf, _)| shelf).collect();
        let mut loose = Shelf::default();
        for number in jobs.loose {
            match objects.read_any(&self.ids[number as usize]) {
                Ok((_, content)) => self.shelve(&mut loose, number, &content),
                Err(error) => loose.problems.push((number, error.to_string())),
            }
        }
        shelves.push(loose);
        shelves.iter_mut().for_each(Shelf::settle);
        shelves
    }

    /// Hashes a commit or a tree, and keeps what it says.
    fn shelve(&self, shelf: &mut Shelf, number: u32, content: &[u8]) {
        let (id, kind) = (self.ids[number as usize], self.places[number as usize].kind());
        let lookup = |id: &ObjectId| self.numbers.get(id).copied();
        let Some(kind) = kind else { return };
        match (gix_object::compute_hash(id.kind(), kind, content), kind) {
            (Ok(actual), Kind::Commit) if actual == id => shelf.commit(number, id, content, &lookup),
            (Ok(actual), Kind::Tree) if actual == id => shelf.tree(number, id, content, &lookup),
            (Ok(actual), _) => shelf.problems.push((number, format!("its content hashes to {actual}"))),
            (Err(error), _) => shelf.problems.push((number, error.to_string())),
        }
    }

    /// All blobs that were walked.
    fn blobs<T: Send>(&self, walk: &Walk<'_>, objects: &Objects, look: &impl Look<T>) -> Looked<T> {
        let wanted = |number: u32| walk.origin(number).is_some();
        let jobs =
            self.jobs(&|number| wanted(number) && self.places[number as usize].kind() == Some(Kind::Blob));
        let grown =
            parallel(&jobs.roots, <(Looked<T>, Workbench)>::default, |(looked, workbench), (pack, root)| {
                let mut problems = vec![];
                let mut visit = |number: u32, blob: Object<'_>| looked.take(walk, number, &blob, look);
                self.grow(&jobs, (*pack, *root), BLOB, workbench, &mut problems, &mut visit);
                looked.told(walk, problems);
            });
        let mut all = Looked::default();
        grown.into_iter().for_each(|(looked, _)| all.append(looked));
        for number in jobs.loose {
            match objects.read(&self.ids[number as usize], Kind::Blob) {
                Ok(content) => {
                    let blob = Object { entry: 0, content: &content, base: None };
                    all.take(walk, number, &blob, look);
                }
                Err(error) => all.told(walk, vec![(number, error.to_string())]),
            }
        }
        all.rest(self, walk);
        all
    }

    /// Grows one root of a pack; `visit` is given each object that is read here and not elsewhere.
    fn grow(
        &self,
        jobs: &Jobs,
        (pack, root): (u32, u32),
        limit: u64,
        workbench: &mut Workbench,
        problems: &mut Vec<(u32, String)>,
        visit: &mut dyn FnMut(u32, Object<'_>) -> Mark,
    ) {
        let mut given = |object: Object<'_>| match self.here(pack, object.entry) {
            Some(number) => visit(number, object),
            None => Mark::default(),
        };
        let mut problem = |entry: u32, said: String| {
            problems.extend(self.here(pack, entry).map(|number| (number, said)));
        };
        let plan = &jobs.plans[pack as usize];
        self.packs[pack as usize].grow(plan, root, limit, workbench, &mut given, &mut problem);
    }

    /// The number of an object, if it is read here and not elsewhere.
    fn here(&self, pack: u32, entry: u32) -> Option<u32> {
        let number = *self.numbers.get(self.packs.get(pack as usize)?.ids().get(entry as usize)?)?;
        match self.places[number as usize] {
            Place::Packed { pack: at, entry: place, .. } => ((at, place) == (pack, entry)).then_some(number),
            Place::Loose(_) => None,
        }
    }

    /// What to do to come by all objects that are `wanted`.
    fn jobs(&self, wanted: &dyn Fn(u32) -> bool) -> Jobs {
        let mut jobs = Jobs { roots: vec![], plans: vec![], loose: vec![] };
        for (at, pack) in (0_u32..).zip(&self.packs) {
            let plan = pack.plan(|entry| self.here(at, entry).is_some_and(wanted));
            jobs.roots.extend(plan.roots.iter().map(|root| (at, *root)));
            jobs.plans.push(plan);
        }
        let places = (0_u32..).zip(&self.places);
        let loose = places.filter(|(number, place)| matches!(place, Place::Loose(_)) && wanted(*number));
        jobs.loose.extend(loose.map(|(number, _)| number));
        jobs
    }
}

struct Jobs {
    /// Pack and entry.
    roots: Vec<(u32, u32)>,
    /// By pack.
    plans: Vec<Plan>,
    loose: Vec<u32>,
}

/// What one thread has looked at.
struct Looked<T> {
    hits: Vec<((u32, String), T)>,
    seen: Vec<u32>,
    count: u64,
    bytes: u64,
    problems: Vec<(String, String)>,
}

impl<T> Default for Looked<T> {
    fn default() -> Self {
        Self { hits: vec![], seen: vec![], count: 0, bytes: 0, problems: vec![] }
    }
}

impl<T> Looked<T> {
    fn take(&mut self, walk: &Walk<'_>, number: u32, object: &Object<'_>, look: &impl Look<T>) -> Mark {
        let Some(origin) = walk.origin(number) else { return Mark::default() };
        let path = walk.path(origin);
        // Elsewhere another path could mean another answer for the same bytes.
        let base = object.base.as_ref().filter(|(made, _)| made.mark.path.as_ref() == Some(&path));
        let found = |mark: &Mark| mark.hit.and_then(|at| self.hits.get(at)).map(|(_, found)| found);
        let base =
            base.map(|(made, changes)| Base { content: &made.content, found: found(&made.mark), changes });
        let found = look(Blob { path: &path, content: object.content, base });
        self.seen.push(number);
        self.count += 1;
        self.bytes += object.content.len() as u64;
        let mark = Mark { path: Some(path.clone()), hit: found.is_some().then_some(self.hits.len()) };
        self.hits.extend(found.map(|found| ((origin.commit, path), found)));
        mark
    }

    /// Notes what cannot be read.
    fn told(&mut self, walk: &Walk<'_>, problems: Vec<(u32, String)>) {
        for (number, problem) in problems {
            let Some(origin) = walk.origin(number) else { continue };
            self.seen.push(number);
            self.problems.push((walk.path(origin), problem));
        }
    }

    fn append(&mut self, mut other: Self) {
        self.hits.append(&mut other.hits);
        self.seen.append(&mut other.seen);
        self.problems.append(&mut other.problems);
        self.count += other.count;
        self.bytes += other.bytes;
    }

    /// Names every blob that was walked and neither looked at nor told to be unreadable.
    fn rest(&mut self, store: &Store, walk: &Walk<'_>) {
        let mut seen = vec![false; store.ids.len()];
        self.seen.iter().for_each(|number| seen[*number as usize] = true);
        for number in (0..).take(seen.len()).filter(|number| !seen[*number as usize]) {
            let Some(origin) = walk.origin(number) else { continue };
            let problem = match store.places[number as usize].kind() {
                Some(Kind::Blob) | None => "the base of its delta is missing or damaged".to_owned(),
                Some(kind) => format!("it should be a blob, and is a {kind}"),
            };
            self.problems.push((walk.path(origin), problem));
        }
    }
}

/// Does jobs on as many threads as help; each has something of its own.
fn parallel<J: Sync, W: Send>(
    jobs: &[J],
    make: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, &J) + Sync,
) -> Vec<W> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut own = make();
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(&mut own, job);
        }
        own
    };
    let threads = THREADS.min(thread::available_parallelism().map_or(1, usize::from)).min(jobs.len().max(1));
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let mut done = vec![run()];
        for other in others {
            // What a thread that panicked has seen is lost: the panic goes on here.
            done.push(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    })
}

/// Names of regular files in a directory, in order: those with an extension, or all for an empty one.
fn loose_names(directory: &Path, extension: &str) -> Vec<String> {
    let entries = directory.read_dir().into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let named = files.filter_map(|file| file.file_name().into_string().ok());
    let mut names: Vec<String> = named
        .filter(|name| extension.is_empty() || Path::new(name).extension().is_some_and(|e| e == extension))
        .collect();
    names.sort_unstable();
    names
}
