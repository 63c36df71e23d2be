//! One file of any size, from wherever its bytes come. What fits a window is looked at whole; of what is larger, one window
//! after another, each with the end of the one before, so that memory is bounded and nothing is left out in between.

use super::secrets::Collected;
use plimsoll_model::reason::printable;
use plimsoll_scan::{Finding, Fingerprint, secrets::Scanner};
use std::{
    collections::BTreeSet,
    io::{self, Read},
};

/// Bytes that are looked at together.
const WINDOW: usize = 8 << 20;
/// Memory for a file at first; most have less.
const FIRST: usize = 64 << 10;
/// Bytes of a window that are looked at with the next one again, at least.
const OVERLAP: usize = 64 << 10;
/// Most bytes of one file.
const LIMIT: u64 = 1 << 30;
/// Bytes in which a zero byte tells that a file is no text.
const SNIFFED: usize = 8192;

/// Looks at everything that `content` gives, which is of this size, where that is known.
pub(super) fn scan(scanner: &Scanner, path: &str, content: &mut dyn Read, size: Option<u64>) -> Collected {
    if let Some(size) = size.filter(|size| *size > LIMIT) {
        return Collected::unread(path, too_large(size));
    }
    let mut stream =
        Stream { scanner, path, collected: Collected::default(), lines: 0, seen: BTreeSet::new() };
    if let Err(error) = stream.windows(content) {
        stream.collected.gap(path, said(&error));
    }
    let whole = stream.collected.coverage.gaps.is_empty();
    stream.collected.coverage.files = u64::from(whole);
    stream.collected
}

fn too_large(size: u64) -> String {
    format!("it has {size} bytes or more, and more than {LIMIT} are not read")
}

/// An error in one line; foreign bytes can stand in it.
pub(super) fn said(error: &io::Error) -> String {
    printable(&error.to_string(), 200)
}

struct Stream<'a> {
    scanner: &'a Scanner,
    path: &'a str,
    collected: Collected,
    /// Lines before the window.
    lines: u32,
    /// What the window before had in its end.
    seen: BTreeSet<(Fingerprint, u32, u32)>,
}

impl Stream<'_> {
    fn windows(&mut self, content: &mut dyn Read) -> io::Result<()> {
        let mut buffer = Vec::with_capacity(FIRST);
        let (mut binary, mut first) = (false, true);
        loop {
            let room = WINDOW - buffer.len();
            let read = (&mut *content).take(room as u64).read_to_end(&mut buffer)?;
            self.collected.coverage.bytes += read as u64;
            let end = read < room;
            if first {
                binary = buffer.iter().take(SNIFFED).any(|byte| *byte == 0);
                if !end && matches!(buffer.as_slice(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
                    return Err(io::Error::other(format!("it is UTF-16 and has more than {WINDOW} bytes")));
                }
            }
            self.window(&buffer, first, binary);
            first = false;
            if end {
                return Ok(());
            }
            if self.collected.coverage.bytes > LIMIT {
                return Err(io::Error::other(too_large(self.collected.coverage.bytes)));
            }
            self.advance(&mut buffer);
        }
    }

    /// Looks at a window. One from the middle of a binary file need not look like one, so a zero byte goes before it, on a
    /// line of its own.
    fn window(&mut self, bytes: &[u8], first: bool, binary: bool) {
        let mut scanned = match (first, binary) {
            (true, _) => self.scanner.scan(self.path, bytes),
            (false, false) => self.scanner.part(self.path, bytes),
            (false, true) => self.scanner.part(self.path, &[b"\0\n", bytes].concat()),
        };
        let before = self.lines.wrapping_sub(u32::from(binary && !first));
        for findings in [&mut scanned.findings, &mut scanned.suppressed] {
            findings.iter_mut().for_each(|finding| moved(finding, before));
            findings.retain(|finding| !self.seen.contains(&identity(finding)));
        }
        let all = scanned.findings.iter().chain(&scanned.suppressed);
        self.seen = all.map(identity).collect();
        self.collected.take(scanned);
    }

    /// Keeps the end of the window, from the beginning of a line if there is one.
    fn advance(&mut self, buffer: &mut Vec<u8>) {
        let latest = buffer.len().saturating_sub(OVERLAP);
        let earliest = latest.saturating_sub(OVERLAP);
        let newline =
            buffer.get(earliest..latest).and_then(|part| part.iter().rposition(|byte| *byte == b'\n'));
        let keep = newline.map_or(latest, |newline| earliest + newline + 1);
        let gone = buffer.drain(..keep).filter(|byte| *byte == b'\n').count();
        self.lines = self.lines.saturating_add(u32::try_from(gone).unwrap_or(u32::MAX));
    }
}

fn moved(finding: &mut Finding, lines: u32) {
    if let Some(location) = &mut finding.location {
        location.line = location.line.wrapping_add(lines);
        location.end_line = location.end_line.wrapping_add(lines);
    }
}

fn identity(finding: &Finding) -> (Fingerprint, u32, u32) {
    let place = finding.location.as_ref();
    (finding.fingerprint, place.map_or(0, |at| at.line), place.map_or(0, |at| at.column))
}
