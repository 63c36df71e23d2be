//! The mounts that a process sees (`proc_pid_mountinfo(5)`), to be compared with those right after its start.

use super::{DriftError, process::Process};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bytes of `/proc/PID/mountinfo`: 100,000 mounts (`fs.mount-max`) of usual length.
const LIMIT: u64 = 32 << 20;

/// The mounts of a process by the kernel's id, which no other mount has as long as that one exists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MountSet(BTreeMap<u64, Entry>);

/// What must not change about a mount. Options of the file system behind it are not part of it: they belong to the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    parent: u64,
    device: String,
    root: String,
    point: String,
    options: String,
    kind: String,
    source: String,
}

impl MountSet {
    /// The mounts that the process sees now.
    ///
    /// # Errors
    /// When the process is gone, or they cannot be read.
    pub fn of(pid: u32) -> Result<Self, DriftError> {
        Self::of_process(&Process::open(pid)?)
    }

    pub(super) fn of_process(process: &Process) -> Result<Self, DriftError> {
        let text = process.read("mountinfo", LIMIT)?;
        Self::parse(&text).ok_or_else(|| DriftError::malformed("mountinfo", "a line has another form"))
    }

    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(parse_line).collect::<Option<_>>().map(Self)
    }

    /// How this set differs from an `earlier` one: the first difference, with the number of others.
    pub(super) fn difference(&self, earlier: &Self) -> Option<String> {
        let now = self.0.iter().filter_map(|(id, entry)| match earlier.0.get(id) {
            Some(before) if before == entry => None,
            Some(before) => Some(before.change_to(entry)),
            None => Some(format!("{} is mounted over by {} ({})", entry.point, entry.source, entry.kind)),
        });
        let gone = earlier.0.iter().filter(|(id, _)| !self.0.contains_key(*id));
        let gone = gone.map(|(_, entry)| format!("{} is not mounted any more", entry.point));
        let found: Vec<String> = now.chain(gone).collect();
        found.first().map(|first| format!("{first}{}", super::and_others(found.len())))
    }
}

impl Entry {
    fn change_to(&self, now: &Self) -> String {
        if self.options != now.options {
            return format!("{} is mounted with {} instead of {}", now.point, now.options, self.options);
        }
        format!("{} shows {} instead of {}", now.point, now.root, self.root)
    }
}

/// What the kernel writes behind the place of a file that has no name any more: somebody on the host put another one there,
/// as package managers do with /etc/ld.so.cache. What the service sees is what it always saw.
const DELETED: &str = "//deleted";

/// `id parent major:minor root point options [optional fields] - kind source options`; odd bytes are octal escapes.
fn parse_line(line: &[u8]) -> Option<(u64, Entry)> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let dash = fields.iter().skip(6).position(|field| *field == b"-")? + 6;
    let number = |at: usize| str::from_utf8(fields.get(at)?).ok()?.parse::<u64>().ok();
    // Without loss, so that different bytes never look equal.
    let text = |at: usize| {
        Some(
            String::from_utf8(fields.get(at)?.to_vec())
                .unwrap_or_else(|error| error.as_bytes().escape_ascii().to_string()),
        )
    };
    let entry = Entry {
        parent: number(1)?,
        device: text(2)?,
        root: text(3).map(|root| root.strip_suffix(DELETED).unwrap_or(&root).to_owned())?,
        point: text(4)?,
        options: text(5)?,
        kind: text(dash + 1)?,
        source: text(dash + 2)?,
    };
    Some((number(0)?, entry))
}
