//! Bytes that were made from others of which it is known what they hold, as a blob of a history from the one that came after
//! it. What changed is looked at with what is around it; where that shows what was known there and nothing else, the rest
//! is known too. Anything else, and all of the bytes are looked at.

use super::text::Places;
use super::{FINDINGS, Scanned, Scanner};
use crate::finding::Finding;
use std::ops::Range;

/// Bytes around a changed part that are looked at with it, before the ends of their lines are.
const AROUND: usize = 1024;
/// Longest line that a changed part is looked at with.
const LINE: usize = 64 << 10;
/// Bytes in which a zero byte means that parts have no meaning alone.
const SNIFFED: usize = 8192;

/// A part of bytes that is not in those they were made from; an empty one where pieces meet that are no neighbours there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where it is.
    pub part: Range<usize>,
    /// Where in the other bytes stands what follows it.
    pub next: usize,
}

/// The bytes that others were made from.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    /// All of them.
    pub bytes: &'a [u8],
    /// What was found in them.
    pub found: &'a Scanned,
}

impl Scanner {
    /// As [`Scanner::scan`], for bytes which differ by `changes`, in order, from others of the same path.
    pub fn changed(&self, path: &str, bytes: &[u8], before: Before<'_>, changes: &[Change]) -> Scanned {
        self.carried(path, bytes, before, changes).unwrap_or_else(|| self.scan(path, bytes))
    }

    /// What was found before, where it stands now; none where that is not all, or cannot be told from the changes.
    fn carried(&self, path: &str, bytes: &[u8], before: Before<'_>, changes: &[Change]) -> Option<Scanned> {
        let Before { bytes: others, found: before } = before;
        (plain(bytes) && plain(others) && before.gaps.is_empty()).then_some(())?;
        let windows = windows(bytes, changes)?;
        let [found, allowed] = &before.places;
        let mut found = Known::of(&before.findings, found, bytes.len(), changes)?;
        let mut allowed = Known::of(&before.suppressed, allowed, bytes.len(), changes)?;
        for window in windows {
            let Scanned { findings, suppressed, gaps, places: [shown, hidden] } =
                self.part(path, bytes.get(window.clone()).filter(|part| plain(part))?);
            gaps.is_empty().then_some(())?;
            found.confirm(&window, findings, &shown)?;
            allowed.confirm(&window, suppressed, &hidden)?;
        }
        let (findings, found) = found.settled(bytes);
        let (suppressed, allowed) = allowed.settled(bytes);
        (findings.len() + suppressed.len() < FINDINGS).then_some(())?;
        Some(Scanned { findings, suppressed, gaps: Vec::new(), places: [found, allowed] })
    }
}

/// Whether bytes are looked at as the text that they are: no UTF-16, and no zero byte that says it is none.
fn plain(bytes: &[u8]) -> bool {
    let wide = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    !wide && memchr::memchr(0, &bytes[..bytes.len().min(SNIFFED)]).is_none()
}

/// Findings that were known, in order, with where they stand now.
struct Known {
    findings: Vec<Finding>,
    places: Vec<Range<usize>>,
}

impl Known {
    /// None where one was cut by a change, or where it is not known of all of them where they stood.
    fn of(findings: &[Finding], places: &[Range<usize>], length: usize, changes: &[Change]) -> Option<Self> {
        let apart = places.windows(2).all(|two| two[0].end <= two[1].start);
        (apart && places.len() == findings.len()).then_some(())?;
        let mut known = Self { findings: Vec::new(), places: Vec::new() };
        for (part, from) in kept(length, changes) {
            let first = places.partition_point(|place| place.end <= from);
            let to = from.saturating_add(part.len());
            for (place, finding) in
                places[first..].iter().zip(&findings[first..]).take_while(|(place, _)| place.start < to)
            {
                (from <= place.start && place.end <= to && known.places.len() < FINDINGS).then_some(())?;
                known.places.push(place.start - from + part.start..place.end - from + part.start);
                known.findings.push(finding.clone());
            }
        }
        Some(known)
    }

    /// Takes what was found in a window, if it is what was known of it.
    fn confirm(&mut self, window: &Range<usize>, found: Vec<Finding>, places: &[Range<usize>]) -> Option<()> {
        let first = self.places.partition_point(|place| place.end <= window.start);
        let known = self.places[first..].iter().take_while(|place| place.start < window.end);
        let moved = places.iter().map(|place| place.start + window.start..place.end + window.start);
        (places.len() == found.len() && known.cloned().eq(moved)).then_some(())?;
        for (known, found) in self.findings[first..].iter_mut().zip(found) {
            ((&known.rule, known.fingerprint) == (&found.rule, found.fingerprint)).then_some(())?;
            // The line around it may have changed.
            *known = found;
        }
        Some(())
    }

    /// With the lines on which they stand now.
    fn settled(mut self, bytes: &[u8]) -> (Vec<Finding>, Vec<Range<usize>>) {
        let mut lines = Places::new(bytes);
        for (finding, place) in self.findings.iter_mut().zip(&self.places) {
            let (line, _) = lines.at(place.start);
            if let Some(location) = &mut finding.location {
                location.end_line = location.end_line.saturating_sub(location.line).saturating_add(line);
                location.line = line;
            }
        }
        (self.findings, self.places)
    }
}

/// The pieces that stood in the other bytes just so, and where.
fn kept(length: usize, changes: &[Change]) -> impl Iterator<Item = (Range<usize>, usize)> {
    let starts = std::iter::once((0, 0)).chain(changes.iter().map(|change| (change.part.end, change.next)));
    let ends = changes.iter().map(|change| change.part.start).chain([length]);
    starts.zip(ends).map(|((start, from), end)| (start..end, from)).filter(|(part, _)| !part.is_empty())
}

/// The lines of changed parts with what is around them; none where that is most of it anyway, or its lines are too long to
/// be told apart.
fn windows(bytes: &[u8], changes: &[Change]) -> Option<Vec<Range<usize>>> {
    let mut windows: Vec<Range<usize>> = Vec::new();
    let mut total = 0;
    for Change { part, .. } in changes {
        (part.start <= part.end).then_some(())?;
        let start = line_start(bytes, part.start.saturating_sub(AROUND))?;
        let end = line_end(bytes, (part.end + AROUND).min(bytes.len()))?;
        match windows.last_mut() {
            Some(last) if last.end >= start => {
                total += end.saturating_sub(last.end);
                last.end = end.max(last.end);
            }
            _ => {
                total += end - start;
                windows.push(start..end);
            }
        }
        if total > bytes.len() / 2 {
            return None;
        }
    }
    Some(windows)
}

fn line_start(bytes: &[u8], at: usize) -> Option<usize> {
    let from = at.saturating_sub(LINE);
    match memchr::memrchr(b'\n', bytes.get(from..at)?) {
        Some(newline) => Some(from + newline + 1),
        None => (from == 0).then_some(0),
    }
}

fn line_end(bytes: &[u8], at: usize) -> Option<usize> {
    let to = (at + LINE).min(bytes.len());
    match memchr::memchr(b'\n', bytes.get(at..to)?) {
        Some(newline) => Some(at + newline + 1),
        None => (to == bytes.len()).then_some(to),
    }
}

#[cfg(test)]
mod tests;
