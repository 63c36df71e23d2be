//! System calls for which no safe wrapper is at hand. Each function is a thin cover over one call and leaves policy to
//! its caller; almost all `unsafe` of the project is here.

use rustix::{fd::AsRawFd, io::Errno, io::Result, mount::MountAttrFlags, process::Pid};
use std::{
    ffi::{CStr, CString, c_char, c_int},
    os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd},
    ptr,
};

/// On which side of [`clone_process`] the caller is.
pub(crate) enum Side {
    /// In the process that called; with the new process's id.
    Parent(Pid),
    /// In the new process.
    Child,
}

/// Turns -1 and `errno` into an error.
fn checked(value: libc::c_long) -> Result<libc::c_long> {
    if value == -1 {
        let errno = std::io::Error::last_os_error();
        return Err(Errno::from_io_error(&errno).unwrap_or(Errno::IO));
    }
    Ok(value)
}

/// Makes a process like `fork(2)`, in the fresh namespaces that `flags` name (`clone(2)`). Only for processes with one
/// thread: the child may then run any code.
pub(crate) fn clone_process(flags: c_int) -> Result<Side> {
    let null = ptr::null_mut::<libc::c_void>();
    // SAFETY: without CLONE_VM and with a null stack this is fork(2): the child gets its own copy of all memory. The
    // processes of this crate that call it have one thread, so no lock is held by a thread that the child lacks.
    let pid = checked(unsafe {
        libc::syscall(libc::SYS_clone, libc::c_long::from(flags | libc::SIGCHLD), null, null, null, null)
    })?;
    match i32::try_from(pid).ok().and_then(Pid::from_raw) {
        Some(pid) => Ok(Side::Parent(pid)),
        None => Ok(Side::Child),
    }
}

/// `mount_setattr(2)` on the whole tree or the one mount that `mount` is the root of.
pub(crate) fn set_mount_attributes(
    mount: BorrowedFd<'_>,
    set: MountAttrFlags,
    propagation: u64,
    recursive: bool,
) -> Result<()> {
    let attributes =
        libc::mount_attr { attr_set: u64::from(set.bits()), attr_clr: 0, propagation, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is a valid empty C string and the structure lives across the call, with its true size.
    checked(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    })?;
    Ok(())
}

/// Closes every descriptor from `first` on.
pub(crate) fn close_from(first: u32) -> Result<()> {
    close_range(first, 0)
}

/// Has every descriptor from `first` on closed by the next `execve(2)`.
pub(crate) fn close_from_on_exec(first: u32) -> Result<()> {
    close_range(first, libc::CLOSE_RANGE_CLOEXEC)
}

fn close_range(first: u32, flags: libc::c_uint) -> Result<()> {
    // SAFETY: closing descriptors is memory-safe. Callers are single-threaded processes of this crate that use none of
    // these descriptors afterwards: they exit, or execute another program.
    checked(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, flags) })?;
    Ok(())
}

/// Blocks SIGCHLD and returns a descriptor that becomes readable when one is pending.
pub(crate) fn child_signals() -> Result<OwnedFd> {
    let set = child_signal_set();
    // SAFETY: `set` is initialized, and the old set is not asked for.
    checked(unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut()) }.into())?;
    // SAFETY: -1 asks for a new descriptor, and `set` is initialized.
    let fd = checked(
        unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) }.into(),
    )?;
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(i32::try_from(fd).map_err(|_| Errno::BADF)?) })
}

fn child_signal_set() -> libc::sigset_t {
    // SAFETY: an all-zero signal set is a valid value of the type, and sigemptyset and sigaddset get a valid pointer.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        set
    }
}

/// Unblocks all signals and gives each its default action, as a fresh program expects.
pub(crate) fn reset_signals() -> Result<()> {
    for signal in 1..=64 {
        // SAFETY: SIG_DFL installs no code of ours; for signals that cannot be changed the call fails without effect.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: an all-zero signal set is a valid, empty value of the type.
    let none: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set lives across the call, and the old set is not asked for.
    checked(unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut()) }.into())?;
    Ok(())
}

/// Drops every capability from the bounding set, so that no program can gain one.
pub(crate) fn drop_bounding_set() -> Result<()> {
    for capability in 0..64 {
        // SAFETY: PR_CAPBSET_DROP takes one integer and touches no memory.
        match checked(unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) }.into()) {
            Ok(_) => {}
            Err(Errno::INVAL) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Brings the loopback interface of the current network namespace up.
pub(crate) fn loopback_up(socket: BorrowedFd<'_>) -> Result<()> {
    // SAFETY: an all-zero request is a valid value; the name is `lo` and a terminating zero.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l' as c_char;
    request.ifr_name[1] = b'o' as c_char;
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as i16;
    // SAFETY: SIOCSIFFLAGS reads one `ifreq`, which lives across the call.
    checked(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) }.into())?;
    Ok(())
}

/// The version of Landlock that the kernel offers; 0 where there is none.
pub(crate) fn landlock_version() -> u32 {
    const VERSION: libc::c_long = 1;
    let none = ptr::null::<libc::c_void>();
    // SAFETY: with the VERSION flag the call takes no structure and only returns a number.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, none, 0, VERSION) };
    u32::try_from(version).unwrap_or(0)
}

/// Replaces this process by the program at `path` (`execve(2)`); returns only on failure.
pub(crate) fn execute(path: &CStr, argv: &[CString], env: &[CString]) -> Errno {
    let (argv, env) = (pointers(argv), pointers(env));
    // SAFETY: path is a C string, and both arrays are null-terminated arrays of C strings that live across the call.
    let result = checked(unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), env.as_ptr()) }.into());
    result.err().unwrap_or(Errno::IO)
}

/// Replaces this process by the open program `file` (`execveat(2)`); returns only on failure.
pub(crate) fn execute_open(file: impl AsFd, argv: &[CString], env: &[CString]) -> Errno {
    let (argv, env) = (pointers(argv), pointers(env));
    // SAFETY: as for `execute`; the path is an empty C string, which AT_EMPTY_PATH allows.
    let result = checked(unsafe {
        libc::syscall(
            libc::SYS_execveat,
            file.as_fd().as_raw_fd(),
            c"".as_ptr(),
            argv.as_ptr(),
            env.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    });
    result.err().unwrap_or(Errno::IO)
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|s| s.as_ptr()).chain(std::iter::once(ptr::null())).collect()
}
