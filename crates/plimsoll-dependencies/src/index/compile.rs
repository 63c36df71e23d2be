//! From records to an index. The same records give the same bytes, in whatever order they come; of a record that comes
//! twice the newest counts.

use super::layout::{self, Section, put_number, put_text};
use crate::{
    advisory::{
        Affected, End, Interval, Record, RecordError, intervals, lookup_ecosystem, lookup_name,
        priority::Priorities, scheme,
    },
    matching::contains,
    version::{Scheme, Version},
};
use plimsoll_model::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Names of files that could not be read that are kept.
const MAX_NAMED: usize = 20;

/// Takes records, one file after another.
#[derive(Debug)]
pub struct Compiler {
    now: Timestamp,
    records: BTreeMap<String, Record>,
    contents: Contents,
}

/// What an import read and what it left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// Records that are in the index.
    pub advisories: u64,
    /// Records that their publisher took back: they are left out.
    pub withdrawn: u64,
    /// Files that lie beside records and are none.
    pub other: u64,
    /// Records that could not be read, of which some are named.
    pub unreadable: u64,
    /// Names of files and what is wrong with them.
    pub problems: Vec<String>,
    /// Ecosystems whose versions nobody here can order, with the packages that were left out.
    pub unknown_ecosystems: BTreeMap<String, u64>,
    /// Ranges of packages with a version that their ecosystem cannot order: whoever asks about such a package is told.
    pub unordered: u64,
}

/// Why no index can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// An index without advisories would call everything clean.
    #[error("there is no advisory in it that could be read")]
    Empty,
    /// More than the format can address.
    #[error("there are more advisories than one index can hold")]
    TooLarge,
}

impl Compiler {
    /// A compiler that has read nothing. Times after `now` are not believed: a record from the future does not make the
    /// index newer.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { now, records: BTreeMap::new(), contents: Contents::default() }
    }

    /// Takes a file. What is wrong with it is told in the end.
    pub fn add(&mut self, file: &str, bytes: &[u8]) {
        match Record::read(file, bytes) {
            Ok(record) => match self.records.get(&record.id) {
                Some(known) if known.modified >= record.modified => {}
                Some(_) | None => {
                    self.records.insert(record.id.clone(), record);
                }
            },
            Err(RecordError::NotARecord) => self.contents.other += 1,
            Err(error) => {
                self.contents.unreadable += 1;
                if self.contents.problems.len() < MAX_NAMED {
                    self.contents.problems.push(format!("{file}: {error}"));
                }
            }
        }
    }

    /// The file of the index, and what is in it.
    ///
    /// # Errors
    /// When there is nothing to put into it, or too much.
    pub fn finish(mut self, priorities: &Priorities) -> Result<(Vec<u8>, Contents), CompileError> {
        let newest = self.records.values().map(|record| record.modified).filter(|time| *time <= self.now);
        let updated = newest.max().unwrap_or(Timestamp::UNIX_EPOCH).as_second();
        let mut writer = Writer::default();
        for record in self.records.values() {
            if record.withdrawn {
                self.contents.withdrawn += 1;
            } else {
                self.contents.advisories += 1;
                writer.record(record, priorities, &mut self.contents)?;
            }
        }
        if self.contents.advisories == 0 {
            return Err(CompileError::Empty);
        }
        Ok((writer.finish(updated)?, self.contents))
    }
}

/// What goes into the index, as records say it.
#[derive(Default)]
struct Writer {
    /// As they are written.
    advisories: Vec<Vec<u8>>,
    /// By their keys: which advisory an entry is of, and the rest of it as it is written.
    packages: BTreeMap<String, Vec<(usize, Vec<u8>)>>,
}

impl Writer {
    fn record(
        &mut self,
        record: &Record,
        priorities: &Priorities,
        contents: &mut Contents,
    ) -> Result<(), CompileError> {
        let ids = || std::iter::once(&record.id).chain(&record.aliases);
        let exploited = ids().any(|id| priorities.exploited.contains(id));
        let predicted = ids().filter_map(|id| priorities.predicted.get(id)).fold(0.0, |a: f64, b| a.max(*b));
        let marks = layout::severity_number(record.severity) | if exploited { layout::EXPLOITED } else { 0 };
        let mut advisory = Vec::new();
        for text in [&record.id, &record.aliases.join("\n"), &record.summary] {
            put_text(&mut advisory, text).ok_or(CompileError::TooLarge)?;
        }
        put_number(&mut advisory, marks);
        put_number(&mut advisory, (predicted * 1e6) as u32);
        self.advisories.push(advisory);
        record.affected.iter().try_for_each(|affected| self.affected(affected, contents))
    }

    /// What the newest advisory says about a package.
    fn affected(&mut self, affected: &Affected, contents: &mut Contents) -> Result<(), CompileError> {
        let Some(scheme) = scheme(&affected.ecosystem) else {
            *contents.unknown_ecosystems.entry(affected.ecosystem.clone()).or_default() += 1;
            return Ok(());
        };
        let (mut found, mut unordered) = (Vec::new(), 0);
        for range in &affected.ranges {
            match intervals(scheme, range) {
                Some(intervals) => found.extend(intervals),
                None => unordered = layout::UNORDERED,
            }
        }
        contents.unordered += u64::from(unordered != 0);
        let versions = unsaid(scheme, &affected.versions, &found);
        let entry = entry(layout::kind_number(affected.kind) | unordered, &found, &versions);
        let ecosystem = lookup_ecosystem(&affected.ecosystem);
        let key = layout::key(ecosystem, &lookup_name(ecosystem, &affected.name));
        let entry = (self.advisories.len() - 1, entry.ok_or(CompileError::TooLarge)?);
        self.packages.entry(key).or_default().push(entry);
        Ok(())
    }

    fn finish(self, updated: i64) -> Result<Vec<u8>, CompileError> {
        let advisories = number(self.advisories.len())?;
        let (mut statements, mut rows, mut counts) = (Vec::new(), Vec::new(), BTreeMap::new());
        let mut places = vec![None; self.advisories.len()];
        for (key, entries) in &self.packages {
            let mut package = Vec::new();
            put_text(&mut package, key).ok_or(CompileError::TooLarge)?;
            put_number(&mut package, number(entries.len())?);
            for (at, entry) in entries {
                let (advisory, place) = (&self.advisories[*at], &mut places[*at]);
                let offset = *place.get_or_insert_with(|| append(&mut statements, advisory));
                put_number(&mut package, number(offset)?);
                put_number(&mut package, number(advisory.len())?);
                package.extend_from_slice(entry);
            }
            rows.push((layout::hash(key), append(&mut statements, &package), package.len()));
            *counts.entry(key.split('\0').next().unwrap_or_default()).or_insert(0_u32) += 1;
        }
        number(statements.len())?;
        rows.sort_unstable();
        let (mut ecosystems, mut packages) = (Vec::new(), Vec::new());
        for (name, count) in counts {
            put_text(&mut ecosystems, name).ok_or(CompileError::TooLarge)?;
            put_number(&mut ecosystems, count);
        }
        for (hash, offset, length) in rows {
            packages.extend_from_slice(&hash.to_le_bytes());
            packages.extend_from_slice(&number(offset)?.to_le_bytes());
            packages.extend_from_slice(&number(length)?.to_le_bytes());
        }
        let sections: [_; Section::ALL.len()] = [ecosystems, packages, statements];
        Ok(layout::write(updated, advisories, &sections))
    }
}

/// Where it begins then.
fn append(statements: &mut Vec<u8>, piece: &[u8]) -> usize {
    let offset = statements.len();
    statements.extend_from_slice(piece);
    offset
}

fn number(number: usize) -> Result<u32, CompileError> {
    u32::try_from(number).map_err(|_| CompileError::TooLarge)
}

/// Single versions that no interval has already, sorted. Databases list the versions of their ranges once more, one by
/// one, which is most of what they say.
fn unsaid<'a>(scheme: Scheme, versions: &'a [String], intervals: &[Interval]) -> BTreeSet<&'a String> {
    let said = |version: &&String| {
        let parsed = Version::parse(scheme, version);
        parsed.is_some_and(|parsed| intervals.iter().any(|interval| contains(scheme, interval, &parsed)))
    };
    versions.iter().filter(|version| !said(version)).collect()
}

/// An entry after the place of its advisory; none for more than the format can count.
fn entry(kind: u32, intervals: &[Interval], versions: &BTreeSet<&String>) -> Option<Vec<u8>> {
    let mut entry = Vec::new();
    put_number(&mut entry, kind);
    put_number(&mut entry, u32::try_from(intervals.len()).ok()?);
    for interval in intervals {
        let (kind, end) = match &interval.to {
            End::Open => (layout::OPEN, ""),
            End::Before(version) => (layout::BEFORE, version.as_str()),
            End::With(version) => (layout::WITH, version.as_str()),
        };
        put_number(&mut entry, kind);
        for text in
            [interval.from.as_deref().unwrap_or_default(), end, interval.limit.as_deref().unwrap_or_default()]
        {
            put_text(&mut entry, text)?;
        }
    }
    put_number(&mut entry, u32::try_from(versions.len()).ok()?);
    versions.iter().try_for_each(|version| put_text(&mut entry, version))?;
    Some(entry)
}
