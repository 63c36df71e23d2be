//! An agent on a disk that takes nothing more, and one whose clock is wrong: for real, in mount namespaces of its own.

use crate::{
    host::{Host, deliver, hosted, promote, serving},
    processes::{self, until},
    service::Shop,
    world::Ran,
};
use std::{fs, path::Path, process::Command, thread};

/// Mounts a small memory file system over the state directory `$1` and runs the rest of the words there. It is full from
/// when there is a file `$2/fill` until there is one `$2/room`. The command is an ordinary user again.
const ON_SMALL_DISK: &str = r#"
state=$1 signs=$2; shift 2
cp -a "$state" "$signs/seed"
mount -t tmpfs -o mode=700,size=64m none "$state"
cp -a "$signs/seed"/* "$state"
sign() { for _ in {1..3000}; do [ ! -e "$signs/$1" ] || return 0; sleep 0.1; done; exit 1; }
{
    sign fill
    head -c 64M /dev/zero >"$state/ballast" || touch "$signs/full"
    sign room
    rm "$state/ballast"
} 2>"$signs/problems" &
exec unshare --user --map-user=1000 --map-group=1000 -- "$@"
"#;

#[test]
fn an_agent_on_a_full_disk_goes_on_when_there_is_room() {
    let shop = hosted();
    let mut host = Host::enroll(&shop);
    let [state, home] = [&host.state, &host.home].map(|path| path.display().to_string());
    let namespace = ["unshare", "--user", "--map-root-user", "--mount", "bash", "-euc", ON_SMALL_DISK];
    host.run_by(&[&namespace[..], &["disk", &state, &home]].concat());
    promote(&shop).ok();
    fs::write(host.home.join("fill"), "").unwrap();
    until("the disk is full", || host.home.join("full").exists());
    shop.commit_version("v2");
    shop.world.plimsoll(&["run"]).ok();
    let promotion = shop.world.spawn(&["--json", "promote", "shop", "--to", "staging"]);
    until("it is told", || host.told().contains("E-STATE-FULL"));
    assert_eq!(shop.answer_at(0).as_deref(), Some("v1"), "what runs goes on");
    fs::write(host.home.join("room"), "").unwrap();
    Ran::from(promotion.wait_with_output().unwrap()).ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v2"));
    deliver(&shop, "v3").ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v3"));
}

/// Adds seconds to the time of day and to no other clock, for every program that the loader reads it for: what an agent
/// starts inherits no variable.
const CLOCK: &str = r#"
#[repr(C)]
pub struct Time {
    seconds: i64,
    nanoseconds: i64,
}
unsafe extern "C" {
    fn syscall(number: i64, ...) -> i64;
}
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: i32, time: *mut Time) -> i32 {
    let number = if cfg!(target_arch = "aarch64") { 113 } else { 228 };
    let result = unsafe { syscall(number, clock as i64, time) };
    if result == 0 && clock == 0 {
        unsafe { (*time).seconds += AHEAD };
    }
    result as i32
}
"#;

/// Puts `$1` in the place of /etc and runs the rest of the words as an ordinary user.
const WITH_ETC: &str = r#"
mount --bind "$1" /etc
shift
exec unshare --user --map-user=1000 --map-group=1000 -- "$@"
"#;

impl Host {
    /// Starts the agent with a clock that goes so many seconds ahead.
    fn run_ahead(&mut self, seconds: i64) {
        let etc = self.home.join("etc");
        // What only root may read is not copied, and not needed.
        let _ = Command::new("cp").arg("-rT").args([Path::new("/etc"), &etc]).output().unwrap();
        let (source, library) = (self.home.join("clock.rs"), self.home.join("clock.so"));
        fs::write(&source, format!("const AHEAD: i64 = {seconds};\n{CLOCK}")).unwrap();
        let mut rustc = Command::new("rustc");
        rustc
            .args(["--edition=2024", "--crate-type=cdylib", "-Cpanic=abort", "-o"])
            .args([&library, &source]);
        Ran::of(&mut rustc).ok();
        fs::write(etc.join("ld.so.preload"), library.display().to_string()).unwrap();
        let namespace = ["unshare", "--user", "--map-root-user", "--mount", "bash", "-euc", WITH_ETC, "etc"];
        self.run_by(&[&namespace[..], &[etc.to_str().unwrap()]].concat());
    }
}

/// What runs needs no clock: it is started again whatever the time is.
fn check(shop: &Shop, host: &mut Host, ahead: i64, code: &str) {
    host.kill();
    host.run_ahead(ahead);
    deliver(shop, "v2").refused(&[code]);
    let supervisor = host.supervisor();
    processes::kill(supervisor.parse().unwrap());
    until("it is started again", || {
        host.supervisor() != supervisor && shop.answer_at(0).as_deref() == Some("v1")
    });
    host.kill();
    host.run();
    until("the clock is right and the newest serves", || shop.answer_at(0).as_deref() == Some("v2"));
}

#[test]
fn a_clock_that_is_wrong_starts_nothing_new_and_starts_what_runs_again() {
    thread::scope(|scope| {
        for (ahead, code) in [(-86_400, "E-CLOCK"), (400 * 86_400, "E-DECISION-EXPIRED")] {
            scope.spawn(move || {
                let (shop, mut host) = serving();
                check(&shop, &mut host, ahead, code);
            });
        }
    });
}
