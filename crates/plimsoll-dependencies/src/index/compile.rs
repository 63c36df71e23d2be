//! From records to an index. The same records give the same bytes, in whatever order they come; of a record that comes
//! twice the newest counts.

use super::layout::{self, Section, Text};
use crate::advisory::{
    Affected, End, Interval, Record, RecordError, intervals, lookup_ecosystem, lookup_name,
    priority::Priorities, scheme,
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

/// Sections as they grow.
#[derive(Default)]
struct Writer {
    strings: Strings,
    advisories: Rows,
    intervals: Rows,
    versions: Rows,
    packages: BTreeMap<String, Vec<[u32; 6]>>,
}

impl Writer {
    fn record(
        &mut self,
        record: &Record,
        priorities: &Priorities,
        contents: &mut Contents,
    ) -> Result<(), CompileError> {
        let advisory = self.advisories.count()?;
        let ids = || std::iter::once(&record.id).chain(&record.aliases);
        let exploited = ids().any(|id| priorities.exploited.contains(id));
        let predicted = ids().filter_map(|id| priorities.predicted.get(id)).fold(0.0, |a: f64, b| a.max(*b));
        let marks = layout::severity_number(record.severity) | if exploited { layout::EXPLOITED } else { 0 };
        for text in [&record.id, &record.aliases.join("\n"), &record.summary] {
            let text = self.strings.add(text)?;
            self.advisories.text(text);
        }
        self.advisories.numbers(&[marks, (predicted * 1e6) as u32]);
        for affected in &record.affected {
            self.affected(advisory, affected, contents)?;
        }
        Ok(())
    }

    fn affected(
        &mut self,
        advisory: u32,
        affected: &Affected,
        contents: &mut Contents,
    ) -> Result<(), CompileError> {
        let Some(scheme) = scheme(&affected.ecosystem) else {
            *contents.unknown_ecosystems.entry(affected.ecosystem.clone()).or_default() += 1;
            return Ok(());
        };
        let (first_interval, first_version) = (self.intervals.count()?, self.versions.count()?);
        let mut unordered = 0;
        for range in &affected.ranges {
            match intervals(scheme, range) {
                Some(found) => found.iter().try_for_each(|interval| self.interval(interval))?,
                None => unordered = layout::UNORDERED,
            }
        }
        contents.unordered += u64::from(unordered != 0);
        for version in affected.versions.iter().collect::<BTreeSet<_>>() {
            let text = self.strings.add(version)?;
            self.versions.text(text);
            self.versions.rows += 1;
        }
        let intervals = self.intervals.count()? - first_interval;
        let versions = self.versions.count()? - first_version;
        let kind = layout::kind_number(affected.kind) | unordered;
        let ecosystem = lookup_ecosystem(&affected.ecosystem);
        let key = layout::key(ecosystem, &lookup_name(ecosystem, &affected.name));
        let entry = [advisory, kind, first_interval, intervals, first_version, versions];
        self.packages.entry(key).or_default().push(entry);
        Ok(())
    }

    fn interval(&mut self, interval: &Interval) -> Result<(), CompileError> {
        let (kind, end) = match &interval.to {
            End::Open => (layout::OPEN, ""),
            End::Before(version) => (layout::BEFORE, version.as_str()),
            End::With(version) => (layout::WITH, version.as_str()),
        };
        let from = interval.from.as_deref().unwrap_or_default();
        for text in [from, end, interval.limit.as_deref().unwrap_or_default()] {
            let text = self.strings.add(text)?;
            self.intervals.text(text);
        }
        self.intervals.numbers(&[kind]);
        Ok(())
    }

    fn finish(mut self, updated: i64) -> Result<Vec<u8>, CompileError> {
        let (mut ecosystems, mut packages, mut entries) = (BTreeMap::new(), Rows::default(), Rows::default());
        for (key, found) in std::mem::take(&mut self.packages) {
            let text = self.strings.add(&key)?;
            packages.text(text);
            let count = u32::try_from(found.len()).map_err(|_| CompileError::TooLarge)?;
            packages.numbers(&[entries.count()?, count]);
            found.iter().for_each(|entry| entries.numbers(entry));
            let ecosystem = key.split('\0').next().unwrap_or_default().to_owned();
            *ecosystems.entry(ecosystem).or_insert(0_u32) += 1;
        }
        let mut rows = Rows::default();
        for (name, count) in &ecosystems {
            let text = self.strings.add(name)?;
            rows.text(text);
            rows.numbers(&[*count]);
        }
        let sections = [
            rows.bytes,
            packages.bytes,
            entries.bytes,
            self.advisories.bytes,
            self.intervals.bytes,
            self.versions.bytes,
            self.strings.bytes,
        ];
        debug_assert!(
            sections.iter().zip(Section::ALL).all(|(bytes, section)| bytes.len() % section.width() == 0)
        );
        Ok(layout::write(updated, &sections))
    }
}

/// Rows of one section. [`Rows::numbers`] ends a row.
#[derive(Default)]
struct Rows {
    bytes: Vec<u8>,
    rows: u64,
}

impl Rows {
    fn count(&self) -> Result<u32, CompileError> {
        u32::try_from(self.rows).map_err(|_| CompileError::TooLarge)
    }

    fn text(&mut self, text: Text) {
        self.bytes.extend_from_slice(&text.offset.to_le_bytes());
        self.bytes.extend_from_slice(&text.length.to_le_bytes());
    }

    fn numbers(&mut self, numbers: &[u32]) {
        numbers.iter().for_each(|number| self.bytes.extend_from_slice(&number.to_le_bytes()));
        self.rows += 1;
    }
}

/// Texts, each stored once.
#[derive(Default)]
struct Strings {
    bytes: Vec<u8>,
    known: BTreeMap<String, Text>,
}

impl Strings {
    fn add(&mut self, text: &str) -> Result<Text, CompileError> {
        if let Some(known) = self.known.get(text) {
            return Ok(*known);
        }
        let number = |length: usize| u32::try_from(length).map_err(|_| CompileError::TooLarge);
        let place = Text { offset: number(self.bytes.len())?, length: number(text.len())? };
        number(self.bytes.len() + text.len())?;
        self.bytes.extend_from_slice(text.as_bytes());
        self.known.insert(text.to_owned(), place);
        Ok(place)
    }
}
