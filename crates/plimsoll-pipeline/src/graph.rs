//! Which step needs which, by their positions in the file.

use plimsoll_model::StepName;
use std::collections::{BTreeMap, BTreeSet};

/// Needs among steps. Needs that name no step are left out.
pub(crate) struct Graph {
    needs: Vec<BTreeSet<usize>>,
}

impl Graph {
    /// `needs` holds what the step at the same place of `names` needs.
    pub(crate) fn new<'a>(
        names: impl Iterator<Item = &'a StepName>,
        needs: impl Iterator<Item = &'a BTreeSet<StepName>>,
    ) -> Self {
        let at: BTreeMap<&StepName, usize> = names.enumerate().map(|(at, name)| (name, at)).collect();
        let positions =
            |needs: &BTreeSet<StepName>| needs.iter().filter_map(|need| at.get(need).copied()).collect();
        Self { needs: needs.map(positions).collect() }
    }

    /// All steps, so that whatever a step needs comes before it, otherwise in the order of the file; or a circle, which
    /// begins and ends with the same step.
    pub(crate) fn order(&self) -> Result<Vec<usize>, Vec<usize>> {
        let mut order = Vec::new();
        let mut done = vec![false; self.needs.len()];
        let waits = |at: usize, done: &[bool]| self.needs[at].iter().copied().find(|&need| !done[need]);
        while order.len() < done.len() {
            match (0..done.len()).find(|&at| !done[at] && waits(at, &done).is_none()) {
                Some(at) => {
                    done[at] = true;
                    order.push(at);
                }
                None => return Err(circle((0..done.len()).find(|&at| !done[at]), |at| waits(at, &done))),
            }
        }
        Ok(order)
    }

    /// For each step all that it needs, directly or through others.
    pub(crate) fn reach(&self) -> Vec<BTreeSet<usize>> {
        (0..self.needs.len()).map(|at| self.reach_of(at)).collect()
    }

    fn reach_of(&self, at: usize) -> BTreeSet<usize> {
        let mut seen = self.needs[at].clone();
        let mut open: Vec<usize> = seen.iter().copied().collect();
        while let Some(at) = open.pop() {
            open.extend(self.needs[at].iter().copied().filter(|&need| seen.insert(need)));
        }
        seen
    }
}

/// Follows needs from a step that cannot start, until a step comes twice.
fn circle(from: Option<usize>, waits: impl Fn(usize) -> Option<usize>) -> Vec<usize> {
    let mut path: Vec<usize> = Vec::new();
    let mut at = from;
    while let Some(here) = at {
        let begin = path.iter().position(|&seen| seen == here);
        path.push(here);
        if let Some(begin) = begin {
            path.drain(..begin);
            break;
        }
        at = waits(here);
    }
    path
}
