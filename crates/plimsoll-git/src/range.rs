//! What lies between two commits. History is walked by parents alone and to its end: a date that somebody chose cannot
//! hide a commit behind one that looks older.

use crate::{
    Limits,
    commit::Parsed,
    error::{bad_object, failed},
    objects::Objects,
};
use gix_hash::ObjectId;
use gix_object::Kind;
use plimsoll_engine::ports::{CommitDetail, Range, SourceError};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Largest sum of the messages of one range, in bytes.
const MESSAGES: usize = 64 << 20;

type Parents = HashMap<ObjectId, Vec<ObjectId>>;

/// All commits reachable from exactly one of `base` and `head`; without `base`, `head` alone.
///
/// # Errors
/// `E-SRC-OBJECT`; a failure for more than `limit` commits.
pub(crate) fn between(
    objects: &Objects,
    base: Option<ObjectId>,
    head: ObjectId,
    allowed_keys: &[String],
    limit: usize,
    limits: Limits,
) -> Result<Range, SourceError> {
    let mut details = Details { objects, allowed_keys, bytes: 0 };
    let Some(base) = base else {
        return Ok(Range { commits: vec![details.of(head)?], dropped: vec![], base_is_ancestor: true });
    };
    // All that is behind the base is known before the first commit behind the head is called new.
    let (behind, _) = walk(objects, base, &Parents::new(), limits.history, limits)?;
    let (ahead, met) = walk(objects, head, &behind, limit, limits)?;
    let kept = closure(&met, &behind);
    let dropped: Parents = behind.into_iter().filter(|(id, _)| !kept.contains(id)).collect();
    if ahead.len() + dropped.len() > limit {
        return Err(too_many(limit));
    }
    Ok(Range {
        commits: details.ordered(&ahead)?,
        base_is_ancestor: !dropped.contains_key(&base),
        dropped: details.ordered(&dropped)?,
    })
}

fn too_many(limit: usize) -> SourceError {
    failed("list the commits of the change", format!("there are more than {limit}"))
}

/// Everything reachable from `from` without passing through `known`, and what of `known` was met.
fn walk(
    objects: &Objects,
    from: ObjectId,
    known: &Parents,
    limit: usize,
    limits: Limits,
) -> Result<(Parents, HashSet<ObjectId>), SourceError> {
    let (mut found, mut met, mut open) = (Parents::new(), HashSet::new(), vec![from]);
    while let Some(id) = open.pop() {
        if known.contains_key(&id) {
            met.insert(id);
            continue;
        }
        if found.contains_key(&id) {
            continue;
        }
        if found.len() >= limits.history {
            return Err(bad_object(&id, format!("its history has more than {} commits", limits.history)));
        }
        if found.len() >= limit {
            return Err(too_many(limit));
        }
        let content = objects.read(&id, Kind::Commit)?;
        let parents: Vec<_> = Parsed::new(id, &content)?.parents().collect();
        open.extend(&parents);
        found.insert(id, parents);
    }
    Ok((found, met))
}

fn closure(from: &HashSet<ObjectId>, parents: &Parents) -> HashSet<ObjectId> {
    let (mut found, mut open) = (from.clone(), from.iter().copied().collect::<Vec<_>>());
    while let Some(id) = open.pop() {
        open.extend(parents.get(&id).into_iter().flatten().copied().filter(|parent| found.insert(*parent)));
    }
    found
}

/// Children before their parents, and the smaller id first where that leaves a choice.
fn order(commits: &Parents) -> Vec<ObjectId> {
    let mut children = BTreeMap::<ObjectId, usize>::new();
    for parent in commits.values().flatten() {
        *children.entry(*parent).or_default() += 1;
    }
    let mut ready: BTreeSet<_> = commits.keys().filter(|id| !children.contains_key(*id)).copied().collect();
    let mut ordered = Vec::with_capacity(commits.len());
    while let Some(id) = ready.pop_first() {
        ordered.push(id);
        for parent in commits.get(&id).into_iter().flatten().filter(|id| commits.contains_key(*id)) {
            if let Some(left) = children.get_mut(parent) {
                *left -= 1;
                if *left == 0 {
                    ready.insert(*parent);
                }
            }
        }
    }
    ordered
}

struct Details<'a> {
    objects: &'a Objects,
    allowed_keys: &'a [String],
    bytes: usize,
}

impl Details<'_> {
    fn ordered(&mut self, commits: &Parents) -> Result<Vec<CommitDetail>, SourceError> {
        order(commits).into_iter().map(|id| self.of(id)).collect()
    }

    fn of(&mut self, id: ObjectId) -> Result<CommitDetail, SourceError> {
        let content = self.objects.read(&id, Kind::Commit)?;
        let parsed = Parsed::new(id, &content)?;
        let message = parsed.message()?;
        self.bytes += message.len();
        if self.bytes > MESSAGES {
            let problem = format!("their messages have more than {MESSAGES} bytes");
            return Err(failed("list the commits of the change", problem));
        }
        Ok(CommitDetail { facts: parsed.facts(self.allowed_keys)?, message })
    }
}
