//! The sandbox's root: a small memory file system with the plan's mounts on it, fresh `/proc` and a `/dev` with nothing
//! that touches hardware. Every path is resolved below the new root and never through a symbolic link, so neither a
//! hostile source tree nor an odd target can make a mount land elsewhere.

use crate::{
    sys,
    wire::{Failure, isolation, system},
};
use plimsoll_engine::ports::{Limits, Mount, SandboxPlan};
use rustix::{
    fd::OwnedFd,
    fs::{CWD, Dev, Mode, OFlags, ResolveFlags},
    io::Errno,
    mount::{
        FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags,
        UnmountFlags,
    },
};
use std::{
    fs::File,
    io::Write,
    os::fd::{AsFd, BorrowedFd},
    path::Path,
};

/// Devices that exist inside.
const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom"];

/// Links that programs expect in `/dev`.
const DEVICE_LINKS: &[(&str, &str)] = &[
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];

/// Files of `/proc` that tell about the machine or its other users: they read as empty.
const MASKED: &[&str] =
    &["proc/kcore", "proc/keys", "proc/key-users", "proc/timer_list", "proc/sysrq-trigger", "proc/kmsg"];

/// Directories of `/proc` that set the machine's state: read-only.
const FIXED: &[&str] = &["proc/sys", "proc/bus", "proc/fs", "proc/irq"];

/// Bytes and entries of the root itself, beyond the plan's own files.
const ROOT_SIZE: (u64, u64) = (16 << 20, 65536);

/// Attributes of what the command must not change.
const READ_ONLY: MountAttrFlags = MountAttrFlags::MOUNT_ATTR_RDONLY
    .union(MountAttrFlags::MOUNT_ATTR_NOSUID)
    .union(MountAttrFlags::MOUNT_ATTR_NODEV);

/// Attributes of what the command may write.
const WRITABLE: MountAttrFlags = MountAttrFlags::MOUNT_ATTR_NOSUID.union(MountAttrFlags::MOUNT_ATTR_NODEV);

/// Attributes of what the command may write and finds again when it starts the next time.
const PERSISTENT: MountAttrFlags = WRITABLE.union(MountAttrFlags::MOUNT_ATTR_NOEXEC);

/// `MS_PRIVATE`: nothing that is mounted on the host later appears inside.
const PRIVATE: u64 = libc::MS_PRIVATE;

/// Detached copies of the host's mounts that the plan asks for.
pub(super) struct Sources {
    /// One for each [`Mount::ReadOnly`] and [`Mount::Persistent`], in order.
    of_host: Vec<OwnedFd>,
    /// One for each of [`DEVICES`].
    devices: Vec<OwnedFd>,
}

/// Copies the mounts at the plan's sources. Whoever calls it must be able to reach them, and to mount.
pub(super) fn open_sources(plan: &SandboxPlan) -> Result<Sources, Failure> {
    let mut of_host = Vec::new();
    for mount in &plan.mounts {
        match mount {
            Mount::ReadOnly { source, .. } => of_host.push(open_source(CWD, source, READ_ONLY)?),
            Mount::Persistent { source, .. } => of_host.push(open_persistent(source)?),
            Mount::Writable { .. } | Mount::Scratch { .. } | Mount::File { .. } | Mount::Symlink { .. } => {}
        }
    }
    let devices = DEVICES.iter().map(|name| open_device(name)).collect::<Result<_, _>>()?;
    Ok(Sources { of_host, devices })
}

fn open_source(
    directory: BorrowedFd<'_>,
    path: &Path,
    attributes: MountAttrFlags,
) -> Result<OwnedFd, Failure> {
    let tree = copy_tree(directory, path, true).map_err(|error| match error {
        Errno::PERM | Errno::NOSYS => isolation("copy a mount")(error),
        _ => cannot_open(path, &error),
    })?;
    sys::set_mount_attributes(tree.as_fd(), attributes, PRIVATE, true)
        .map_err(isolation("restrict a mount"))?;
    Ok(tree)
}

/// Whoever could put a link in the place of the directory would have another one written to.
fn open_persistent(source: &Path) -> Result<OwnedFd, Failure> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = rustix::fs::open(source, flags, Mode::empty());
    let directory = directory.map_err(|error| cannot_open(source, &error))?;
    open_source(directory.as_fd(), Path::new(""), PERSISTENT)
}

fn cannot_open(source: &Path, error: &Errno) -> Failure {
    Failure::Plan(format!("the source {} cannot be opened: {error}", source.display()))
}

fn open_device(name: &str) -> Result<OwnedFd, Failure> {
    let what = "copy a device's mount";
    let device = copy_tree(CWD, Path::new("/dev").join(name).as_path(), false).map_err(isolation(what))?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    sys::set_mount_attributes(device.as_fd(), attributes, PRIVATE, false).map_err(isolation(what))?;
    Ok(device)
}

fn copy_tree(directory: BorrowedFd<'_>, path: &Path, recursive: bool) -> Result<OwnedFd, Errno> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    flags.set(OpenTreeFlags::AT_EMPTY_PATH, path.as_os_str().is_empty());
    flags.set(OpenTreeFlags::AT_RECURSIVE, recursive);
    rustix::mount::open_tree(directory, path, flags)
}

/// Builds the root in this process's mount namespace and moves into it. Returns the roots of the writable mounts.
pub(super) fn build(plan: &SandboxPlan, sources: Sources) -> Result<Vec<(String, OwnedFd)>, Failure> {
    rustix::mount::mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(isolation("separate the mounts from the host's"))?;
    let proc = file_system("proc", &[], MountAttrFlags::MOUNT_ATTR_NOEXEC | WRITABLE)
        .map_err(isolation("mount a fresh /proc"))?;
    let mut root = Root::new(plan)?;
    // The one directory that surely exists on the host; what it hides in this namespace is not needed any more.
    attach(&root.mount, CWD, "/proc").map_err(isolation("mount the sandbox's root"))?;
    root.system_directories(&proc, &sources.devices, plan.limits)?;
    let mut of_host = sources.of_host.into_iter();
    for mount in &plan.mounts {
        root.add(mount, plan.limits, &mut of_host)?;
    }
    root.enter()
}

struct Root {
    mount: OwnedFd,
    device: Dev,
    /// A hidden file system for files that stand in writable directories, made when needed.
    files: Option<OwnedFd>,
    writable: Vec<(String, OwnedFd)>,
}

/// What is mounted on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
}

impl Root {
    fn new(plan: &SandboxPlan) -> Result<Self, Failure> {
        let content: usize = plan
            .mounts
            .iter()
            .map(|mount| if let Mount::File { content, .. } = mount { content.len() + 4096 } else { 0 })
            .sum();
        let size = ROOT_SIZE.0 + content as u64;
        let mount = memory(size, ROOT_SIZE.1).map_err(isolation("make the sandbox's root"))?;
        let device = rustix::fs::fstat(&mount).map_err(system("look at the sandbox's root"))?.st_dev;
        Ok(Self { mount, device, files: None, writable: Vec::new() })
    }

    fn system_directories(&self, proc: &OwnedFd, devices: &[OwnedFd], limits: Limits) -> Result<(), Failure> {
        let make = |name: &str| rustix::fs::mkdirat(&self.mount, name, directory_mode());
        for name in ["proc", "dev", "dev/shm"] {
            make(name).map_err(system("make a directory"))?;
        }
        attach(proc, self.mount.as_fd(), "proc").map_err(isolation("mount a fresh /proc"))?;
        for (name, device) in DEVICES.iter().zip(devices) {
            let path = format!("dev/{name}");
            self.empty_file(&path).map_err(system("make a device's file"))?;
            attach(device, self.mount.as_fd(), &path).map_err(isolation("mount a device"))?;
        }
        for (name, to) in DEVICE_LINKS {
            rustix::fs::symlinkat(*to, &self.mount, format!("dev/{name}")).map_err(system("make a link"))?;
        }
        let shared = memory(limits.output.min(limits.memory), limits.output_entries)
            .map_err(isolation("make /dev/shm"))?;
        attach(&shared, self.mount.as_fd(), "dev/shm").map_err(isolation("mount /dev/shm"))?;
        self.protect_proc().map_err(isolation("protect /proc"))
    }

    /// Files and directories that this kernel does not have need no protection.
    fn protect_proc(&self) -> Result<(), Errno> {
        for path in MASKED {
            let null = copy_tree(self.mount.as_fd(), Path::new("dev/null"), false)?;
            existing(attach(&null, self.mount.as_fd(), path))?;
        }
        for path in FIXED {
            if let Some(tree) = existing(copy_tree(self.mount.as_fd(), Path::new(path), true))? {
                sys::set_mount_attributes(tree.as_fd(), READ_ONLY, PRIVATE, true)?;
                attach(&tree, self.mount.as_fd(), path)?;
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        mount: &Mount,
        limits: Limits,
        of_host: &mut impl Iterator<Item = OwnedFd>,
    ) -> Result<(), Failure> {
        match mount {
            Mount::ReadOnly { target, .. } | Mount::Persistent { target, .. } => {
                let lost = || Failure::System("find a copied mount".into(), libc::EPROTO);
                let source = of_host.next().ok_or_else(lost)?;
                let kind = kind(&source).map_err(system("look at a source"))?;
                self.cover(&source, target, kind)
            }
            Mount::Writable { name, target } => {
                let mount = self.writable_directory(target, limits)?;
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                let root = rustix::fs::openat(&mount, ".", flags, Mode::empty())
                    .map_err(system("open a writable mount"))?;
                self.writable.push((name.clone(), root));
                Ok(())
            }
            Mount::Scratch { target } => self.writable_directory(target, limits).map(drop),
            Mount::File { target, content } => self.file(target, content.as_bytes()),
            Mount::Symlink { target, to } => {
                let (parent, name) = self.parent(target)?;
                rustix::fs::symlinkat(to.as_str(), &parent, name).map_err(|error| cannot_make(target, error))
            }
        }
    }

    fn writable_directory(&self, target: &str, limits: Limits) -> Result<OwnedFd, Failure> {
        let mount =
            memory(limits.output, limits.output_entries).map_err(isolation("make a writable mount"))?;
        self.cover(&mount, target, Kind::Directory)?;
        Ok(mount)
    }

    fn file(&mut self, target: &str, content: &[u8]) -> Result<(), Failure> {
        let (parent, name) = self.parent(target)?;
        let here = rustix::fs::fstat(&parent).map_err(system("look at a directory"))?.st_dev;
        if here == self.device {
            return write_new(parent.as_fd(), name, content).map_err(|error| cannot_make(target, error));
        }
        // In a writable directory the command could replace the file's content: there it is a mount of its own.
        let what = "make a read-only file";
        let store = match self.files.take() {
            Some(store) => store,
            None => memory(ROOT_SIZE.0 + content.len() as u64, ROOT_SIZE.1).map_err(isolation(what))?,
        };
        let stored = format!("{}", self.next_file(&store).map_err(system(what))?);
        write_new(store.as_fd(), &stored, content).map_err(system(what))?;
        let tree = copy_tree(store.as_fd(), Path::new(&stored), false).map_err(isolation(what))?;
        sys::set_mount_attributes(tree.as_fd(), READ_ONLY, PRIVATE, false).map_err(isolation(what))?;
        self.files = Some(store);
        self.cover(&tree, target, Kind::File)
    }

    fn next_file(&self, store: &OwnedFd) -> Result<u64, Errno> {
        let status = rustix::fs::fstatvfs(store)?;
        Ok(status.f_files - status.f_ffree)
    }

    /// Mounts `source` on `target`, making it first if nothing is there.
    fn cover(&self, source: &OwnedFd, target: &str, kind: Kind) -> Result<(), Failure> {
        let place = match self.find(target, OFlags::PATH) {
            Ok(place) => place,
            Err(Errno::NOENT) => self.make(target, kind)?,
            Err(error) => return Err(cannot_make(target, error)),
        };
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
        rustix::mount::move_mount(source, "", &place, "", flags).map_err(|error| match error {
            Errno::NOTDIR | Errno::INVAL => Failure::Plan(format!(
                "the mount target {target} is a file where a directory is mounted, or the other way round"
            )),
            error => isolation("attach a mount")(error),
        })
    }

    fn make(&self, target: &str, kind: Kind) -> Result<OwnedFd, Failure> {
        let (parent, name) = self.parent(target)?;
        let made = match kind {
            Kind::Directory => rustix::fs::mkdirat(&parent, name, directory_mode()),
            Kind::File => write_new(parent.as_fd(), name, b""),
        };
        made.map_err(|error| cannot_make(target, error))?;
        self.find(target, OFlags::PATH).map_err(|error| cannot_make(target, error))
    }

    /// The open parent directory of `target`, made with its own parents where needed, and the last name.
    fn parent<'a>(&self, target: &'a str) -> Result<(OwnedFd, &'a str), Failure> {
        let (parent, name) = target.rsplit_once('/').unwrap_or(("", target));
        let directory = OFlags::PATH | OFlags::DIRECTORY;
        if let Ok(found) = self.find(parent, directory) {
            return Ok((found, name));
        }
        for (end, _) in parent.match_indices('/').skip(1).chain([(parent.len(), "")]) {
            match rustix::fs::mkdirat(&self.mount, parent[..end].trim_start_matches('/'), directory_mode()) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(cannot_make(target, error)),
            }
        }
        let found = self.find(parent, directory).map_err(|error| cannot_make(target, error))?;
        Ok((found, name))
    }

    fn find(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let relative = path.trim_start_matches('/');
        let relative = if relative.is_empty() { "." } else { relative };
        let how = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS;
        rustix::fs::openat2(&self.mount, relative, flags | OFlags::CLOEXEC, Mode::empty(), how)
    }

    fn empty_file(&self, path: &str) -> Result<(), Errno> {
        write_new(self.mount.as_fd(), path, b"")
    }

    /// Makes this the root directory and lets go of the host's (`pivot_root(2)`, "new_root and put_old may be the same").
    fn enter(self) -> Result<Vec<(String, OwnedFd)>, Failure> {
        let what = "enter the sandbox's root";
        rustix::process::fchdir(&self.mount).map_err(isolation(what))?;
        rustix::process::pivot_root(".", ".").map_err(isolation(what))?;
        rustix::mount::unmount(".", UnmountFlags::DETACH).map_err(isolation("let go of the host's root"))?;
        rustix::process::chdir("/").map_err(isolation(what))?;
        sys::set_mount_attributes(self.mount.as_fd(), READ_ONLY, PRIVATE, false)
            .map_err(isolation("make the sandbox's root read-only"))?;
        Ok(self.writable)
    }
}

fn directory_mode() -> Mode {
    Mode::from_raw_mode(0o755)
}

fn cannot_make(target: &str, error: Errno) -> Failure {
    let why = match error {
        Errno::ROFS | Errno::ACCESS => "nothing can be made inside a read-only mount".to_owned(),
        Errno::LOOP => "it leads through a symbolic link".to_owned(),
        Errno::EXIST => "something is there already".to_owned(),
        error => error.to_string(),
    };
    Failure::Plan(format!("the mount target {target} cannot be made: {why}"))
}

fn kind(file: &OwnedFd) -> Result<Kind, Errno> {
    let mode = rustix::fs::fstat(file)?.st_mode;
    let directory = rustix::fs::FileType::from_raw_mode(mode).is_dir();
    Ok(if directory { Kind::Directory } else { Kind::File })
}

fn write_new(directory: BorrowedFd<'_>, name: &str, content: &[u8]) -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(directory, name, flags, Mode::from_raw_mode(0o444))?;
    File::from(file).write_all(content).map_err(|error| crate::wire::errno(&error))
}

/// `None` where there is nothing at the path.
fn existing<T>(result: Result<T, Errno>) -> Result<Option<T>, Errno> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// An empty file system in memory of this many bytes and entries, attached to nothing yet.
fn memory(bytes: u64, entries: u64) -> Result<OwnedFd, Errno> {
    // tmpfs reads 0 as "no limit", and counts the root itself.
    let (bytes, entries) = (bytes.max(4096), entries.saturating_add(1));
    let options = [("size", bytes.to_string()), ("nr_inodes", entries.to_string()), ("mode", "0755".into())];
    file_system("tmpfs", &options, WRITABLE)
}

fn file_system(kind: &str, options: &[(&str, String)], attributes: MountAttrFlags) -> Result<OwnedFd, Errno> {
    let context = rustix::mount::fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in options {
        rustix::mount::fsconfig_set_string(context.as_fd(), *key, value.as_str())?;
    }
    rustix::mount::fsconfig_create(context.as_fd())?;
    rustix::mount::fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

fn attach(mount: &OwnedFd, directory: BorrowedFd<'_>, path: &str) -> Result<(), Errno> {
    rustix::mount::move_mount(mount, "", directory, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
}
