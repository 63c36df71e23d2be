//! The probe program. Each probe tries one thing: status 0 when it succeeded, 10 when it was refused.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each call is the point of its probe; a probe that crashes was refused as well"
)]

use std::{
    ffi::CString,
    fs,
    io::{self, Read, Write},
    mem::MaybeUninit,
    net::{TcpListener, TcpStream, UdpSocket},
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixStream},
    },
    process::ExitCode,
    ptr, thread,
    time::{Duration, Instant},
};

pub(crate) const REFUSED: i32 = 10;

pub(crate) fn main(arguments: &[String]) -> ExitCode {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match probe(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("refused: {error}");
            ExitCode::from(u8::try_from(REFUSED).expect("small"))
        }
    }
}

fn probe(arguments: &[&str]) -> io::Result<()> {
    match arguments {
        ["read", path] => fs::read(path).map(drop),
        ["write", path] => fs::write(path, "written"),
        ["ptrace"] => on_child(|child| call(libc::SYS_ptrace, [libc::PTRACE_SEIZE.into(), child, 0, 0, 0])),
        ["read-process"] => on_child(read_process),
        ["mount"] => mount(),
        ["namespace-and-mount"] => namespace(libc::CLONE_NEWUSER | libc::CLONE_NEWNS).and_then(|()| mount()),
        ["namespace"] => namespace(libc::CLONE_NEWUSER),
        ["clone-namespace"] => clone_namespace(),
        ["add-key"] => add_key(),
        ["bpf"] => bpf(),
        ["perf"] => perf(),
        ["userfaultfd"] => call(libc::SYS_userfaultfd, [1, 0, 0, 0, 0]),
        ["io-uring"] => io_uring(),
        ["clone3"] => clone3(),
        ["x32"] => x32(),
        ["handle", path] => handle(path),
        ["personality"] => call(libc::SYS_personality, [0x40000, 0, 0, 0, 0]),
        ["socket", family, kind] => socket(number(family)?, number(kind)?),
        ["connect", address] => {
            TcpStream::connect_timeout(&address.parse().map_err(io::Error::other)?, Duration::from_secs(3))
                .map(drop)
        }
        ["own-loopback"] => own_loopback(),
        ["dns", server] => dns(server),
        ["abstract", name] => UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?).map(drop),
        ["find-environment", mark] => find_environment(mark),
        ["variable", name] => std::env::var(name).map(drop).map_err(io::Error::other),
        ["forks", count] => forks(number(count)?),
        ["memory", bytes] => memory(number(bytes)?),
        ["fill", directory, bytes] => fill(directory, number(bytes)?),
        ["entries", directory, count] => entries(directory, number(count)?),
        ["daemon", mark] => daemon(mark),
        ["terminal"] => terminal(),
        ["descriptors"] => descriptors(),
        ["kill-first"] => kill_first(),
        ["look-into-first"] => {
            fs::read("/proc/1/environ").map(drop).or_else(|_| fs::read_dir("/proc/1/fd").map(drop))
        }
        ["write-sysctl"] => fs::write("/proc/sys/kernel/domainname", "escaped"),
        ["set-uid", uid] => checked(unsafe { libc::setuid(number(uid)?) }.into()),
        ["work"] => work(),
        ["isolate"] => isolate(),
        ["engine"] => engine(),
        other => Err(io::Error::other(format!("no such probe: {other:?}"))),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> io::Result<T> {
    text.parse().map_err(|_| io::Error::other("not a number"))
}

fn checked(value: libc::c_long) -> io::Result<()> {
    if value < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn call(number: libc::c_long, a: [libc::c_long; 5]) -> io::Result<()> {
    checked(unsafe { libc::syscall(number, a[0], a[1], a[2], a[3], a[4]) })
}

/// A child that sleeps, for probes that attack another process.
fn on_child(attack: impl FnOnce(libc::c_long) -> io::Result<()>) -> io::Result<()> {
    let child = unsafe { libc::fork() };
    if child == 0 {
        thread::sleep(Duration::from_secs(20));
        std::process::exit(0);
    }
    let result = attack(child.into());
    unsafe { libc::kill(child, libc::SIGKILL) };
    result
}

fn read_process(child: libc::c_long) -> io::Result<()> {
    let secret = [7_u8; 8];
    let mut read = [0_u8; 8];
    let mine = libc::iovec { iov_base: read.as_mut_ptr().cast(), iov_len: 8 };
    let theirs = libc::iovec { iov_base: secret.as_ptr().cast_mut().cast(), iov_len: 8 };
    let pid = i32::try_from(child).map_err(io::Error::other)?;
    checked(
        unsafe { libc::process_vm_readv(pid, &raw const mine, 1, &raw const theirs, 1, 0) } as libc::c_long
    )
}

fn mount() -> io::Result<()> {
    let none = ptr::null();
    checked(unsafe { libc::mount(c"none".as_ptr(), c"/tmp".as_ptr(), c"tmpfs".as_ptr(), 0, none) }.into())
}

fn namespace(flags: libc::c_int) -> io::Result<()> {
    checked(unsafe { libc::unshare(flags) }.into())
}

fn clone_namespace() -> io::Result<()> {
    let flags = libc::c_long::from(libc::CLONE_NEWUSER | libc::SIGCHLD);
    let child = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    if child == 0 {
        unsafe { libc::_exit(0) };
    }
    checked(child)
}

fn add_key() -> io::Result<()> {
    let payload = b"secret";
    let session: libc::c_long = -3;
    checked(unsafe {
        libc::syscall(
            libc::SYS_add_key,
            c"user".as_ptr(),
            c"plimsoll".as_ptr(),
            payload.as_ptr(),
            payload.len(),
            session,
        )
    })
}

fn bpf() -> io::Result<()> {
    // BPF_MAP_CREATE of a small array.
    let attributes: [u32; 32] = {
        let mut a = [0; 32];
        a[0] = 2;
        a[1] = 4;
        a[2] = 4;
        a[3] = 1;
        a
    };
    checked(unsafe { libc::syscall(libc::SYS_bpf, 0, attributes.as_ptr(), 128) })
}

fn perf() -> io::Result<()> {
    // A software counter of this process, without the kernel's part.
    let mut attributes = [0_u64; 16];
    attributes[0] = 1 | (128 << 32);
    attributes[5] = 0b110_0000;
    checked(unsafe { libc::syscall(libc::SYS_perf_event_open, attributes.as_ptr(), 0, -1, -1, 0) })
}

fn io_uring() -> io::Result<()> {
    let mut parameters = [0_u8; 120];
    checked(unsafe { libc::syscall(libc::SYS_io_uring_setup, 4, parameters.as_mut_ptr()) })
}

fn clone3() -> io::Result<()> {
    let mut arguments = [0_u64; 8];
    arguments[4] = u64::from(libc::SIGCHLD.unsigned_abs());
    let child = unsafe { libc::syscall(libc::SYS_clone3, arguments.as_ptr(), size_of_val(&arguments)) };
    if child == 0 {
        unsafe { libc::_exit(0) };
    }
    checked(child)
}

/// Succeeds where the kernel answers at all, even with "no such call".
fn x32() -> io::Result<()> {
    unsafe { libc::syscall(0x4000_0000 | libc::SYS_getpid) };
    Ok(())
}

fn handle(path: &str) -> io::Result<()> {
    let mut buffer = [0_u32; 34];
    buffer[0] = 128;
    let (mut mount, path) = (0, CString::new(path)?);
    checked(unsafe {
        libc::syscall(
            libc::SYS_name_to_handle_at,
            libc::AT_FDCWD,
            path.as_ptr(),
            buffer.as_mut_ptr(),
            &raw mut mount,
            0,
        )
    })
}

fn socket(family: libc::c_int, kind: libc::c_int) -> io::Result<()> {
    let protocol = if kind == libc::SOCK_RAW && family == libc::AF_INET { libc::IPPROTO_ICMP } else { 0 };
    checked(unsafe { libc::socket(family, kind, protocol) }.into())
}

fn own_loopback() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;
    client.write_all(b"hello")?;
    server.read_exact(&mut [0; 5])
}

/// Asks a name server; refused when no answer can come.
fn dns(server: &str) -> io::Result<()> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    socket.send_to(b"question", server)?;
    socket.recv(&mut [0; 64]).map(drop)
}

fn find_environment(mark: &str) -> io::Result<()> {
    for entry in fs::read_dir("/proc")?.flatten() {
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        if environment.windows(mark.len()).any(|window| window == mark.as_bytes()) {
            return Ok(());
        }
    }
    Err(io::Error::other("not found in any process"))
}

/// Has this many children at a time.
fn forks(count: u32) -> io::Result<()> {
    let mut children = Vec::new();
    let mut result = Ok(());
    for _ in 0..count {
        match unsafe { libc::fork() } {
            0 => {
                unsafe { libc::pause() };
                unsafe { libc::_exit(0) };
            }
            -1 => {
                result = Err(io::Error::last_os_error());
                break;
            }
            child => children.push(child),
        }
    }
    for child in &children {
        unsafe { libc::kill(*child, libc::SIGKILL) };
    }
    for child in children {
        unsafe { libc::waitpid(child, ptr::null_mut(), 0) };
    }
    result
}

fn memory(bytes: usize) -> io::Result<()> {
    let mut block: Vec<u8> = Vec::new();
    block.try_reserve_exact(bytes).map_err(io::Error::other)?;
    block.resize(bytes, 1);
    std::hint::black_box(&block);
    Ok(())
}

fn fill(directory: &str, bytes: usize) -> io::Result<()> {
    let mut file = fs::File::create(format!("{directory}/filled"))?;
    let block = vec![1; 1 << 16];
    (0..bytes >> 16).try_for_each(|_| file.write_all(&block))
}

fn entries(directory: &str, count: u32) -> io::Result<()> {
    (0..count).try_for_each(|number| fs::write(format!("{directory}/{number}"), ""))
}

/// Leaves a process behind that left the session and holds standard output.
fn daemon(mark: &str) -> io::Result<()> {
    if unsafe { libc::fork() } == 0 {
        unsafe { libc::setsid() };
        if unsafe { libc::fork() } == 0 {
            let name = CString::new(mark)?;
            unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr(), 0, 0, 0) };
            thread::sleep(Duration::from_secs(600));
        }
        unsafe { libc::_exit(0) };
    }
    let until = Instant::now() + Duration::from_secs(60);
    while running(mark) == 0 && Instant::now() < until {
        thread::sleep(Duration::from_millis(10));
    }
    println!("{}", running(mark));
    Ok(())
}

/// How many processes have this name.
pub(crate) fn running(name: &str) -> usize {
    let processes = fs::read_dir("/proc").expect("proc").flatten();
    let named = |entry: &fs::DirEntry| {
        fs::read_to_string(entry.path().join("comm")).is_ok_and(|comm| comm.trim() == name)
    };
    processes.filter(named).count()
}

/// Tries to type for whoever has the terminal.
fn terminal() -> io::Result<()> {
    let letter = b'x';
    let inject = |fd: i32| checked(unsafe { libc::ioctl(fd, 0x5412, &raw const letter) }.into());
    if let Ok(terminal) = fs::File::options().read(true).write(true).open("/dev/tty") {
        return inject(terminal.as_raw_fd());
    }
    (0..3).map(inject).find(Result::is_ok).unwrap_or_else(|| inject(0))
}

/// Succeeds when there is an open file beside the standard streams.
fn descriptors() -> io::Result<()> {
    for fd in 3..4096 {
        let mut status = MaybeUninit::<libc::stat>::uninit();
        if unsafe { libc::fstat(fd, status.as_mut_ptr()) } == 0 {
            return Ok(());
        }
    }
    Err(io::Error::other("nothing beside 0, 1 and 2"))
}

/// If this succeeded, nobody would be there to say so; refused is the only answer that arrives.
fn kill_first() -> io::Result<()> {
    unsafe { libc::kill(1, libc::SIGKILL) };
    thread::sleep(Duration::from_millis(100));
    Err(io::Error::other("still here"))
}

/// What any build does.
fn work() -> io::Result<()> {
    let sum: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|number| scope.spawn(move || number)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).sum()
    });
    fs::create_dir_all("/tmp/a/b")?;
    fs::write("/tmp/a/file", sum.to_string())?;
    fs::rename("/tmp/a/file", "/tmp/a/b/file")?;
    fs::File::options().write(true).open("/dev/null")?.write_all(b"gone")?;
    fs::File::open("/dev/urandom")?.read_exact(&mut [0; 16])?;
    let mut pair = [0; 2];
    checked(unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr()) }.into())?;
    pair.iter().for_each(|fd| drop(unsafe { OwnedFd::from_raw_fd(*fd) }));
    own_loopback()?;
    let output = std::process::Command::new("/bin/sh").args(["-c", "echo $((6 * 7)) | cat"]).output()?;
    if output.stdout == b"42\n" { Ok(()) } else { Err(io::Error::other("the shell did not work")) }
}

/// Tries to make a sandbox of its own, as the engine would.
fn isolate() -> io::Result<()> {
    use plimsoll_engine::ports::Sandbox as _;
    let sandbox = plimsoll_sandbox::LinuxSandbox::new(plimsoll_sandbox::Options::default());
    sandbox.map_err(io::Error::other)?.probe().map(drop).map_err(io::Error::other)
}

/// Starts a sandbox from a thread that ends at once, says the command's id, and waits to be killed.
fn engine() -> io::Result<()> {
    use plimsoll_engine::ports::Sandbox as _;
    let start = || crate::backend::own().start(&crate::backend::shell("sleep 300"), None);
    let running = thread::spawn(start).join().expect("thread").map_err(io::Error::other)?;
    println!("{}", running.pid());
    thread::sleep(Duration::from_secs(300));
    Ok(())
}
