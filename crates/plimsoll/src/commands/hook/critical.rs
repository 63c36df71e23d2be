//! Critical findings that come with a change: packages that are attacks or are being attacked, and configuration that gives
//! everything away. Each file is judged by itself and beside what was there before; what needs a whole tree, is less than
//! critical or cannot be read, is for the gates, where exceptions answer for what nobody can repair.

use crate::{advisories, commands::scan::config::may_be_configuration, context::Context, failure::Failure};
use plimsoll_config::Checker;
use plimsoll_dependencies::{
    Index, Inventory,
    matching::{self, Options},
};
use plimsoll_model::Severity;
use plimsoll_scan::Finding;
use std::{cell::OnceCell, collections::BTreeSet};

/// Judges the files of one change.
pub(super) struct Judge<'a> {
    context: &'a Context,
    /// Opened for the first lock file; none where no advisories were imported.
    index: OnceCell<Option<Index>>,
    /// What is critical and new.
    pub(super) findings: Vec<Finding>,
    /// Lock files that nothing could be compared with.
    pub(super) uncompared: usize,
}

impl<'a> Judge<'a> {
    pub(super) fn new(context: &'a Context) -> Self {
        Self { context, index: OnceCell::new(), findings: vec![], uncompared: 0 }
    }

    /// Whether a file of this path may be one that is judged.
    pub(super) fn wants(path: &str) -> bool {
        Inventory::wants(path) || may_be_configuration(path)
    }

    /// Takes what is critical in `content` and was not in `before`.
    ///
    /// # Errors
    /// When the advisories in use cannot be believed.
    pub(super) fn take(&mut self, path: &str, content: &[u8], before: Option<&[u8]>) -> Result<(), Failure> {
        let found = critical(configuration(path, content));
        if !found.is_empty() {
            let known: BTreeSet<_> = before
                .map_or(vec![], |old| configuration(path, old))
                .iter()
                .map(|found| found.fingerprint)
                .collect();
            self.findings.extend(found.into_iter().filter(|found| !known.contains(&found.fingerprint)));
        }
        let found = critical(self.compared(path, content)?);
        if !found.is_empty() {
            let before = before.map_or(Ok(vec![]), |old| self.compared(path, old))?;
            let known: BTreeSet<_> = before.iter().map(weakness).collect();
            self.findings.extend(found.into_iter().filter(|found| !known.contains(&weakness(found))));
        }
        Ok(())
    }

    /// What the advisories say of a lock file.
    fn compared(&mut self, path: &str, content: &[u8]) -> Result<Vec<Finding>, Failure> {
        let mut inventory = Inventory::new();
        if !Inventory::wants(path) || !inventory.add(path, content) {
            return Ok(vec![]);
        }
        let graphs: Vec<_> = inventory.finish().graphs.into_iter().map(|file| file.graph).collect();
        if graphs.is_empty() {
            return Ok(vec![]);
        }
        let Some(index) = self.index()? else {
            self.uncompared += 1;
            return Ok(vec![]);
        };
        let checked = matching::check(&graphs, index, &Options::default());
        Ok(checked.map_err(|error| advisories::damaged(&error))?.findings)
    }

    fn index(&self) -> Result<Option<&Index>, Failure> {
        if let Some(index) = self.index.get() {
            return Ok(index.as_ref());
        }
        let index = advisories::if_imported(self.context)?;
        Ok(self.index.get_or_init(|| index).as_ref())
    }
}

fn configuration(path: &str, content: &[u8]) -> Vec<Finding> {
    let mut checker = Checker::new();
    if checker.add(path, content) { checker.finish().findings } else { vec![] }
}

fn critical(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.retain(|found| found.severity == Severity::Critical);
    findings
}

/// What is wrong with a package, whatever its version: an update that does not repair it brings nothing new.
fn weakness(found: &Finding) -> (&str, &str, Option<&str>) {
    let package = found.subject.split('@').next().unwrap_or_default();
    (&found.rule, package, found.aliases.first().map(String::as_str))
}
