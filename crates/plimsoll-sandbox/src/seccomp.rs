//! The system call filter. Everything is allowed but what only attacks, administrators and kernel exploits need; the
//! list is data, so that a reader can check it. `clone3` and `io_uring` answer ENOSYS, because a filter cannot look
//! through their pointers and programs then fall back; another calling convention than the machine's own is death.

use plimsoll_model::Digest;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    sock_filter,
};
use std::collections::BTreeMap;

/// System calls that answer EPERM whatever their arguments.
const DENIED: &[i64] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Keys, kernel programs, counters and page faults in user space.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    // Mounts and namespaces.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    OPEN_TREE_ATTR,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    // The machine.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_acct,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    libc::SYS_syslog,
    libc::SYS_nfsservctl,
    // Files by handle, and watching whole file systems.
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_lookup_dcookie,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    // Only on this architecture.
    #[cfg(target_arch = "x86_64")]
    libc::SYS_kexec_file_load,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
];

/// `open_tree_attr(2)`, Linux 6.15.
const OPEN_TREE_ATTR: i64 = 467;

/// System calls that answer ENOSYS.
const ABSENT: &[i64] =
    &[libc::SYS_clone3, libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register];

/// Namespaces that `clone(2)` must not make; a time namespace needs `clone3` or `unshare`.
const NAMESPACES: &[libc::c_int] = &[
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// Terminal requests that type for somebody else, or redirect the console.
const TERMINAL: &[libc::c_int] =
    &[0x5412 /* TIOCSTI */, 0x541C /* TIOCLINUX */, 0x541D /* TIOCCONS */];

/// Families of sockets that may be made.
const FAMILIES: &[libc::c_int] = &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6];

/// Values that `personality(2)` may be called with: the default, and "only tell me".
const PERSONALITIES: &[u32] = &[0, u32::MAX];

/// The programs that are installed, in order.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    programs: Vec<BpfProgram>,
}

impl Filter {
    /// The filter for the machine that this code was compiled for.
    pub(crate) fn compile() -> Result<Self, seccompiler::Error> {
        let programs = vec![
            refuse_other_conventions(),
            program(ABSENT.iter().map(|nr| (*nr, vec![])).collect(), libc::ENOSYS)?,
            program(denied()?, libc::EPERM)?,
        ];
        Ok(Self { programs })
    }

    /// The digest of [`Filter::to_bytes`].
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// Each program as its length in instructions and then its instructions, little-endian, as `seccomp(2)` takes them.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for program in &self.programs {
            bytes.extend(u32::try_from(program.len()).unwrap_or(u32::MAX).to_le_bytes());
            for instruction in program {
                bytes.extend(instruction.code.to_le_bytes());
                bytes.extend([instruction.jt, instruction.jf]);
                bytes.extend(instruction.k.to_le_bytes());
            }
        }
        bytes
    }

    /// Reads what [`Filter::to_bytes`] wrote; none when it is something else.
    pub(crate) fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let mut programs = Vec::new();
        while !bytes.is_empty() {
            let length = usize::try_from(u32::from_le_bytes(take(&mut bytes)?)).ok()?;
            let program: Option<BpfProgram> = (0..length).map(|_| instruction(&mut bytes)).collect();
            programs.push(program?);
        }
        (!programs.is_empty()).then_some(Self { programs })
    }

    /// Installs the programs for this process and all that it starts, and sets `no_new_privs`.
    pub(crate) fn install(&self) -> Result<(), seccompiler::Error> {
        self.programs.iter().try_for_each(|program| seccompiler::apply_filter(program))
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = bytes.split_first_chunk::<N>()?;
    *bytes = tail;
    Some(*head)
}

fn instruction(bytes: &mut &[u8]) -> Option<sock_filter> {
    let code = u16::from_le_bytes(take(bytes)?);
    let [jt, jf] = take(bytes)?;
    let k = u32::from_le_bytes(take(bytes)?);
    Some(sock_filter { code, jt, jf, k })
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn program(rules: Rules, errno: libc::c_int) -> Result<BpfProgram, seccompiler::Error> {
    let answer = SeccompAction::Errno(errno.unsigned_abs());
    let architecture = std::env::consts::ARCH.try_into()?;
    Ok(SeccompFilter::new(rules, SeccompAction::Allow, answer, architecture)?.try_into()?)
}

/// The rules that answer EPERM.
fn denied() -> Result<Rules, seccompiler::Error> {
    let mut rules: Rules = DENIED.iter().map(|nr| (*nr, vec![])).collect();
    rules.insert(libc::SYS_clone, any(NAMESPACES, |flag| one_bit(0, *flag))?);
    rules.insert(libc::SYS_ioctl, any(TERMINAL, |request| equal(1, *request))?);
    let foreign: Result<_, _> = FAMILIES.iter().map(|family| differs(0, family.unsigned_abs())).collect();
    rules.insert(libc::SYS_socket, vec![SeccompRule::new(foreign?)?]);
    let other: Result<_, _> = PERSONALITIES.iter().map(|value| differs(0, *value)).collect();
    rules.insert(libc::SYS_personality, vec![SeccompRule::new(other?)?]);
    Ok(rules)
}

type Condition = Result<SeccompCondition, seccompiler::BackendError>;

fn any<T>(
    values: &[T],
    condition: impl Fn(&T) -> Condition,
) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    values.iter().map(|value| SeccompRule::new(vec![condition(value)?])).collect()
}

fn one_bit(argument: u8, bit: libc::c_int) -> Condition {
    let bit = u64::from(bit.unsigned_abs());
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(bit), bit)
}

fn equal(argument: u8, value: libc::c_int) -> Condition {
    let value = u64::from(value.unsigned_abs());
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

fn differs(argument: u8, value: u32) -> Condition {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, u64::from(value))
}

/// Kills a process that calls the x32 way: such calls carry the same architecture as ordinary ones and are told apart
/// only by bit 30 of their number (`seccomp(2)`). Other architectures are killed by the programs that follow.
fn refuse_other_conventions() -> BpfProgram {
    const LOAD_WORD: u16 = 0x20;
    const JUMP_IF_AT_LEAST: u16 = 0x35;
    const RETURN: u16 = 0x06;
    const X32: u32 = 0x4000_0000;
    let step = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    vec![
        step(LOAD_WORD, 0, 0, 0),
        step(JUMP_IF_AT_LEAST, 0, 1, X32),
        step(RETURN, 0, 0, SeccompAction::KillProcess.into()),
        step(RETURN, 0, 0, SeccompAction::Allow.into()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_survives_the_way_to_the_sandbox() {
        let filter = Filter::compile().unwrap();
        let copy = Filter::from_bytes(&filter.to_bytes()).unwrap();
        assert_eq!(copy.programs, filter.programs);
        assert_eq!(copy.digest(), filter.digest());
    }

    #[test]
    fn bytes_that_are_no_filter_are_refused() {
        for bytes in [&[][..], &[1, 0, 0], &[1, 0, 0, 0, 9], &[255, 255, 255, 255]] {
            assert!(Filter::from_bytes(bytes).is_none(), "{bytes:?}");
        }
    }

    #[test]
    fn the_digest_is_the_same_in_every_process() {
        assert_eq!(Filter::compile().unwrap().digest(), Filter::compile().unwrap().digest());
    }
}
