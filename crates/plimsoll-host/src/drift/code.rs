//! Executable memory of a process: where its code comes from (`proc_pid_maps(5)`).

use super::{Drift, DriftError, DriftKind, process::Process};
use rustix::{
    fs::{Mode, OFlags, ResolveFlags, fstat, fstatfs, major, minor, openat2},
    io::Errno,
};
use std::{collections::BTreeSet, os::fd::OwnedFd};

/// Bytes of `/proc/PID/maps`: 65,530 mappings (`vm.max_map_count`) with long names.
const MAPS_LIMIT: u64 = 64 << 20;
/// File systems whose files show another device or inode in a mapping than in `stat(2)`: btrfs and overlayfs
/// (`statfs(2)`).
const UNLIKE_THEIR_MAPPINGS: [u64; 2] = [0x9123_683e, 0x794c_7630];
/// Code that the kernel itself maps into every process (`vdso(7)`).
const OF_THE_KERNEL: [&[u8]; 2] = [b"[vdso]", b"[vsyscall]"];

/// A line of `/proc/PID/maps`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mapping<'a> {
    pub(super) executable: bool,
    /// Major and minor number.
    pub(super) device: (u32, u32),
    /// 0 where no file is behind it.
    pub(super) inode: u64,
    /// As the kernel writes it, with ` (deleted)` behind the name of a file that has none any more.
    pub(super) path: &'a [u8],
}

/// `address perms offset dev inode path`.
pub(super) fn parse(line: &[u8]) -> Option<Mapping<'_>> {
    let mut fields = line.splitn(6, |byte| *byte == b' ');
    let address = fields.next()?;
    let permissions: &[u8; 4] = fields.next()?.try_into().ok()?;
    let _offset = fields.next()?;
    let device = str::from_utf8(fields.next()?).ok()?;
    let (major, minor) = device.split_once(':')?;
    let inode = str::from_utf8(fields.next()?).ok()?;
    if !address.contains(&b'-') {
        return None;
    }
    Some(Mapping {
        executable: permissions[2] == b'x',
        device: (u32::from_str_radix(major, 16).ok()?, u32::from_str_radix(minor, 16).ok()?),
        inode: inode.parse().ok()?,
        path: fields.next().unwrap_or_default().trim_ascii_start(),
    })
}

/// Executable memory that is neither the executable, nor a file below `code`, nor the kernel's: the first from a file
/// and the first without one, each with the number of others.
pub(super) fn foreign(process: &Process, code: &[String]) -> Result<Vec<Drift>, DriftError> {
    let text = process.read("maps", MAPS_LIMIT)?;
    let mut seen = BTreeSet::new();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let mapping = parse(line).ok_or_else(|| DriftError::malformed("maps", "a line has another form"))?;
        if mapping.executable {
            seen.insert(mapping);
        }
    }
    let places = Places {
        executable: process.executable()?,
        name: process.executable_name(),
        root: process.root()?,
        code,
    };
    let mut files = Vec::new();
    let mut generated = 0_usize;
    for mapping in seen {
        if mapping.inode == 0 {
            generated += usize::from(!OF_THE_KERNEL.contains(&mapping.path));
        } else if !places.have(&mapping) {
            files.push(String::from_utf8_lossy(mapping.path).into_owned());
        }
    }
    let mut found = Vec::new();
    if let Some(first) = files.first() {
        let cause = format!("{first} is mapped as code{}", super::and_others(files.len()));
        found.push(Drift::new(DriftKind::Code, cause));
    }
    if generated > 0 {
        let cause = "executable memory that no file backs, as programs make that compile while they run";
        found.push(Drift::new(DriftKind::GeneratedCode, cause));
    }
    Ok(found)
}

/// Where code may come from.
struct Places<'a> {
    executable: OwnedFd,
    name: String,
    root: OwnedFd,
    code: &'a [String],
}

impl Places<'_> {
    fn have(&self, mapping: &Mapping<'_>) -> bool {
        if is_file(mapping, &self.executable, || mapping.path == self.name.as_bytes()) {
            return true;
        }
        let listed = self.code.iter().any(|place| is_below(mapping.path, place.as_bytes()));
        listed && self.look_up(mapping.path).is_ok_and(|file| is_file(mapping, &file, || true))
    }

    /// What the process would open by that name. Paths of mappings have no links in them.
    fn look_up(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS;
        openat2(&self.root, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve)
    }
}

fn is_below(path: &[u8], place: &[u8]) -> bool {
    let place = place.strip_suffix(b"/").unwrap_or(place);
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// Whether the mapping is of this very file. Where the file system does not allow to compare, `by_name` answers.
fn is_file(mapping: &Mapping<'_>, file: &OwnedFd, by_name: impl Fn() -> bool) -> bool {
    let Ok(stat) = fstat(file) else { return false };
    if (mapping.device, mapping.inode) == ((major(stat.st_dev), minor(stat.st_dev)), stat.st_ino) {
        return true;
    }
    let kind = fstatfs(file).map(|stat| stat.f_type.unsigned_abs());
    kind.is_ok_and(|kind| UNLIKE_THEIR_MAPPINGS.contains(&kind)) && by_name()
}
