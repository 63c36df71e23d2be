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

/// Executable memory of the process that is neither the executable, nor a file below `code`, nor the kernel's.
pub(super) fn foreign(process: &Process, code: &[String]) -> Result<Vec<Drift>, DriftError> {
    let text = process.read("maps", MAPS_LIMIT)?;
    let (executable, name, root) = (process.executable()?, process.executable_name(), process.root()?);
    let places = Places { executable, name, root, code };
    judge(&text, |mapping| places.have(mapping))
        .ok_or_else(|| DriftError::malformed("maps", "a line has another form"))
}

/// Of the text of `/proc/PID/maps`: one finding for code of files that `known` does not know, and one for code of none.
/// Nothing where a line cannot be read.
pub(super) fn judge(text: &[u8], known: impl Fn(&Mapping<'_>) -> bool) -> Option<Vec<Drift>> {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mappings = lines.map(parse).collect::<Option<BTreeSet<_>>>()?;
    let code = mappings.iter().filter(|mapping| mapping.executable);
    let (files, memory): (Vec<_>, Vec<_>) = code.partition(|mapping| mapping.inode != 0);
    let foreign: Vec<_> = files.into_iter().filter(|mapping| !known(mapping)).collect();
    let file = foreign.first().map(|first| {
        let name = String::from_utf8_lossy(first.path);
        let cause = format!("{name} is mapped as code{}", super::and_others(foreign.len()));
        Drift::new(DriftKind::Code, cause)
    });
    let generated = memory.iter().any(|mapping| !OF_THE_KERNEL.contains(&mapping.path)).then(|| {
        let cause =
            "there is executable memory that no file backs, as programs make that compile while they run";
        Drift::new(DriftKind::GeneratedCode, cause)
    });
    Some(file.into_iter().chain(generated).collect())
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
