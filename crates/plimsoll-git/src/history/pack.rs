//! One pack, read from its beginning to its end: each entry is inflated once, and each delta applied once, to a base that is
//! still at hand. Of a chain of deltas no more than a few objects are held at a time, however long it is.

use super::{Change, data::Data, delta};
use gix_hash::ObjectId;
use gix_object::Kind;
use gix_pack::data::entry::Header;
use gix_zlib::{Inflate, Status};
use std::{
    ops::Range,
    panic::catch_unwind,
    path::{Path, PathBuf},
    rc::Rc,
};

/// No entry.
const NONE: u32 = u32::MAX;

/// A pack with the places of its entries, by their offset.
pub(crate) struct Pack {
    data: Data,
    entries: Vec<Entry>,
    ids: Vec<ObjectId>,
    /// By entry: a first delta made from it, and another delta with the same base.
    first: Vec<u32>,
    sibling: Vec<u32>,
    /// By entry, where its chain ends in a whole object.
    kinds: Vec<Option<Kind>>,
    /// Bases before what is made from them.
    order: Vec<u32>,
}

struct Entry {
    /// Where its compressed data is.
    data: Range<u64>,
    /// Size of what that inflates to.
    size: u64,
    base: Base,
}

enum Base {
    Whole(Kind),
    On(u32),
    Unknown,
}

/// An object as it comes by.
pub(crate) struct Object<'a> {
    pub(crate) entry: u32,
    pub(crate) content: &'a [u8],
    /// What it was made from, and how it differs; none for a whole object.
    pub(crate) base: Option<(&'a Made, &'a [Change])>,
}

/// What a visitor leaves at an object for whatever is made from it.
#[derive(Debug, Default)]
pub(crate) struct Mark {
    /// The path by which the object was looked at; none where it was not.
    pub(crate) path: Option<String>,
    /// Which of the visitor's findings is of it; none where nothing was found in it.
    pub(crate) hit: Option<usize>,
}

impl Pack {
    /// The pack beside an index.
    ///
    /// # Errors
    /// In one line, when either cannot be read or they do not belong together.
    pub(crate) fn open(index: &Path, hash: gix_hash::Kind) -> Result<Self, String> {
        let path = index.to_owned();
        // Both are foreign bytes, and the library asserts in places what it expects of them.
        let read = catch_unwind(move || Self::read(&path, hash));
        read.unwrap_or_else(|_| Err("its index cannot be decoded".into()))
    }

    fn read(path: &PathBuf, hash: gix_hash::Kind) -> Result<Self, String> {
        let index = gix_pack::index::File::at(path, hash).map_err(|error| error.to_string())?;
        let data = Data::open(&path.with_extension("pack"), hash)?;
        if index.pack_checksum() != data.checksum() {
            return Err("its index belongs to another pack".into());
        }
        let mut listed: Vec<(u64, ObjectId)> =
            index.iter().map(|entry| (entry.pack_offset, entry.oid)).collect();
        listed.sort_unstable();
        let at = |offset: u64| listed.binary_search_by_key(&offset, |(offset, _)| *offset).ok();
        let end = data.end();
        let mut heads = data.heads();
        let mut entry = |position: usize, offset: u64| {
            let next = listed.get(position + 1).map_or(end, |(next, _)| *next).min(end);
            let unknown = Entry { data: 0..0, size: 0, base: Base::Unknown };
            let bytes = heads.at(offset.min(next)..next);
            let parsed = bytes.and_then(|bytes| gix_pack::data::Entry::from_bytes(bytes, offset, hash).ok());
            let Some(parsed) = parsed else { return unknown };
            let on = |offset: Option<u64>| offset.and_then(at).and_then(|base| u32::try_from(base).ok());
            let base = match parsed.header {
                Header::OfsDelta { base_distance } => on(offset.checked_sub(base_distance)),
                Header::RefDelta { base_id } => {
                    on(index.lookup(base_id).map(|at| index.pack_offset_at_index(at)))
                }
                Header::Commit | Header::Tree | Header::Blob | Header::Tag => None,
            };
            let base = match (parsed.header.as_kind(), base) {
                (Some(kind), _) => Base::Whole(kind),
                (None, Some(base)) => Base::On(base),
                (None, None) => Base::Unknown,
            };
            Entry { data: parsed.data_offset.min(next)..next, size: parsed.decompressed_size, base }
        };
        let entries =
            listed.iter().enumerate().map(|(position, (offset, _))| entry(position, *offset)).collect();
        let ids = listed.iter().map(|(_, id)| *id).collect();
        Ok(Self::linked(data, entries, ids))
    }

    fn linked(data: Data, entries: Vec<Entry>, ids: Vec<ObjectId>) -> Self {
        let count = entries.len();
        let (mut first, mut sibling) = (vec![NONE; count], vec![NONE; count]);
        let (mut kinds, mut order) = (vec![None; count], Vec::with_capacity(count));
        // From the end, so that siblings come in the order of the pack.
        for (number, entry) in (0_u32..).zip(&entries).collect::<Vec<_>>().into_iter().rev() {
            match entry.base {
                Base::On(base) => {
                    sibling[number as usize] = std::mem::replace(&mut first[base as usize], number);
                }
                Base::Whole(kind) => {
                    kinds[number as usize] = Some(kind);
                    order.push(number);
                }
                Base::Unknown => {}
            }
        }
        let mut done = 0;
        while let Some(&number) = order.get(done) {
            done += 1;
            let mut child = first[number as usize];
            while child != NONE {
                kinds[child as usize] = kinds[number as usize];
                order.push(child);
                child = sibling[child as usize];
            }
        }
        Self { data, entries, ids, first, sibling, kinds, order }
    }

    /// The ids of its objects, by entry.
    pub(crate) fn ids(&self) -> &[ObjectId] {
        &self.ids
    }

    /// The kind of an object; none where the base at the end of its chain is not in the pack.
    pub(crate) fn kind(&self, entry: u32) -> Option<Kind> {
        self.kinds.get(entry as usize).copied().flatten()
    }

    /// Which objects to visit.
    pub(crate) fn plan(&self, wanted: impl Fn(u32) -> bool) -> Plan {
        let mut weights = vec![0_u32; self.entries.len()];
        let mut roots = Vec::new();
        for &number in self.order.iter().rev() {
            weights[number as usize] += u32::from(wanted(number));
            let weight = weights[number as usize];
            match self.entries[number as usize].base {
                Base::On(base) => weights[base as usize] += weight,
                Base::Whole(_) if weight > 0 => roots.push((weight, number)),
                Base::Whole(_) | Base::Unknown => {}
            }
        }
        // The longest work first, so that threads end together.
        roots.sort_unstable_by_key(|(weight, number)| (std::cmp::Reverse(*weight), *number));
        Plan { roots: roots.into_iter().map(|(_, root)| root).collect(), weights }
    }

    /// Visits a whole object and everything made from it. `visit` is given each object once, after its base.
    pub(crate) fn grow(
        &self,
        plan: &Plan,
        root: u32,
        limit: u64,
        workbench: &mut Workbench,
        visit: &mut dyn FnMut(Object<'_>) -> Mark,
        problem: &mut dyn FnMut(u32, String),
    ) {
        let mut open: Vec<(u32, Option<Rc<Made>>)> = vec![(root, None)];
        while let Some((number, base)) = open.pop() {
            let mut content = workbench.spare.pop().unwrap_or_default();
            match self.make(number, base.as_deref(), limit, workbench, &mut content) {
                Ok(()) => {
                    let parts = base.as_deref().map(|base| (base, workbench.changes.as_slice()));
                    let mark = visit(Object { entry: number, content: &content, base: parts });
                    let made = Rc::new(Made { content, mark });
                    self.children(plan, number, &made, &mut open);
                    workbench.keep(made);
                }
                Err(said) => self.fail(plan, number, &said, problem),
            }
            base.into_iter().for_each(|base| workbench.keep(base));
        }
    }

    /// Inflates an object, or its delta, and applies that.
    fn make(
        &self,
        number: u32,
        base: Option<&Made>,
        limit: u64,
        workbench: &mut Workbench,
        content: &mut Vec<u8>,
    ) -> Result<(), String> {
        let entry = &self.entries[number as usize];
        workbench.changes.clear();
        let Workbench { inflater, delta, changes, .. } = workbench;
        match base {
            None => self.inflate(entry, limit, inflater, content),
            Some(base) => {
                self.inflate(entry, limit, inflater, delta)?;
                delta::apply(&base.content, delta, limit, content, changes)
            }
        }
    }

    fn inflate(
        &self,
        entry: &Entry,
        limit: u64,
        Inflater { inflate, input }: &mut Inflater,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        if entry.size > limit {
            return Err(delta::too_large(entry.size, limit));
        }
        let size = usize::try_from(entry.size).map_err(|error| error.to_string())?;
        out.resize(size, 0);
        inflate.reset();
        match inflate.once(self.data.read(entry.data.clone(), input)?, out) {
            Ok((Status::StreamEnd, _, written)) if written == size => Ok(()),
            Ok(_) => Err("its compressed data has another size than it says".into()),
            Err(error) => Err(format!("its compressed data is damaged: {error}")),
        }
    }

    /// Queues what is made from an object, the largest family last: then the object itself is let go before that begins,
    /// and of any chain only as many are held as it has forks.
    fn children(&self, plan: &Plan, number: u32, made: &Rc<Made>, open: &mut Vec<(u32, Option<Rc<Made>>)>) {
        let below = open.len();
        let mut child = self.first[number as usize];
        while child != NONE {
            if plan.weights[child as usize] > 0 {
                open.push((child, Some(Rc::clone(made))));
            }
            child = self.sibling[child as usize];
        }
        let children = &mut open[below..];
        if let Some(heavy) = (0..children.len()).max_by_key(|at| plan.weights[children[*at].0 as usize]) {
            children.swap(0, heavy);
        }
    }

    /// What is made from something that cannot be read cannot be read either.
    fn fail(&self, plan: &Plan, number: u32, said: &str, problem: &mut dyn FnMut(u32, String)) {
        problem(number, said.to_owned());
        let mut open = vec![number];
        while let Some(number) = open.pop() {
            let mut child = self.first[number as usize];
            while child != NONE {
                if plan.weights[child as usize] > 0 {
                    problem(child, format!("what it is a delta of cannot be read: {said}"));
                    open.push(child);
                }
                child = self.sibling[child as usize];
            }
        }
    }
}

/// Which objects of a pack are visited: the whole ones that lead to any, and how many each leads to.
pub(crate) struct Plan {
    pub(crate) roots: Vec<u32>,
    weights: Vec<u32>,
}

/// What one thread keeps from object to object.
#[derive(Default)]
pub(crate) struct Workbench {
    inflater: Inflater,
    delta: Vec<u8>,
    changes: Vec<Change>,
    spare: Vec<Vec<u8>>,
}

/// With the compressed data of the object at hand.
#[derive(Default)]
struct Inflater {
    inflate: Inflate,
    input: Vec<u8>,
}

/// Buffers that are kept for the next objects.
const SPARE: usize = 4;

impl Workbench {
    /// Takes back the memory of an object from which nothing more is made.
    fn keep(&mut self, made: Rc<Made>) {
        if let (Some(made), true) = (Rc::into_inner(made), self.spare.len() < SPARE) {
            self.spare.push(made.content);
        }
    }
}

/// An object that others are made from.
pub(crate) struct Made {
    pub(crate) content: Vec<u8>,
    pub(crate) mark: Mark,
}
