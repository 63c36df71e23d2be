//! Isolation as a pipeline sees it: what a step can neither reach nor leave behind. The sandbox has its own, longer
//! suite; here it is shown that every step of a run is in it.

use crate::{
    processes,
    world::{Ran, World, pipeline, pipeline_with},
};
use std::fs;

#[test]
fn a_step_reaches_nothing_outside_its_sandbox() {
    let host = tempfile::NamedTempFile::new().unwrap();
    fs::write(host.path(), "secret").unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for (what, script) in [
        ("a file of the host", format!("cat {}", host.path().display())),
        ("the host's loopback", format!("exec 3<>/dev/tcp/127.0.0.1/{port}")),
        ("an address outside", "exec 3<>/dev/tcp/192.0.2.1/80".to_owned()),
        ("a name outside", "exec 3<>/dev/tcp/example.org/80".to_owned()),
        ("the source, to write", "echo x > plimsoll.yaml".to_owned()),
        ("the system, to write", "echo x > /usr/bin/x".to_owned()),
        ("the signer", "grep -qs [_]_signer /proc/[0-9]*/cmdline".to_owned()),
    ] {
        // The shell's own network is used, so that no missing tool can be taken for a refusal.
        let reached = format!("bash -c 'echo begun; {script}' && echo reached > out/x");
        let world = World::new(&pipeline(&reached));
        world.json(&["run"]).ended(1).refused(&["E-STEP-FAILED"]);
        let log = world.plimsoll(&["logs", &newest(&world), "make"]).ok().stdout;
        assert!(log.contains("begun") && !log.contains("secret"), "{what}: {log}");
    }
}

/// The same instruments work where they may: what stops them above is the sandbox, not a missing tool.
#[test]
fn a_step_reaches_what_is_its_own() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("/dev/tcp/127.0.0.1/{}", listener.local_addr().unwrap().port());
    Ran::of(std::process::Command::new("bash").args(["-c", &format!("exec 3<>{address}")])).ok();

    let own_loopback = r#"perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1:8080") or die; $c = $l->accept; print $c "ahoy\n"' &
until bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080 && head -n 1 <&3 | grep -q ahoy' 2>/dev/null; do sleep 0.05; done
wait"#;
    for (what, script) in [
        ("its source", "grep -q version plimsoll.yaml"),
        ("its own loopback", own_loopback),
        ("the system, to read", "head -c 1 /usr/bin/env | grep -q ."),
        ("a place for temporary files", "echo x > /tmp/x"),
        ("a home", "echo x > ~/x"),
        ("its own processes", "grep -qs sh /proc/[0-9]*/cmdline"),
    ] {
        let world = World::new(&pipeline(&format!("{script}\necho reached > out/x")));
        let run = world.json(&["run"]);
        assert_eq!(run.status, 0, "{what}: {run:#?}");
    }
}

#[test]
fn where_a_machine_cannot_isolate_nothing_runs() {
    let world = World::new(&pipeline("echo x > out/x"));
    let without_namespaces = ["bwrap", "--dev-bind", "/", "/", "--unshare-user", "--disable-userns"];
    let ran = Ran::of(&mut world.prefixed(&without_namespaces, &["--json", "run"]));
    ran.ended(1).refused(&["E-ISO-UNAVAILABLE"]);
    // The same machine, seen from outside, isolates.
    world.json(&["run"]).ok();
}

fn newest(world: &World) -> String {
    let status = world.json(&["status"]).ok().value();
    crate::world::text(&status["runs"][0]["run"]).to_owned()
}

#[test]
fn a_step_sees_no_environment_but_its_own() {
    let world =
        World::new(&pipeline_with("env | sort > out/x", "env: {GREETING: ahoy}\n      out: [out]", ""));
    let mut command = world.command(&["--json", "run"]);
    command.env("AWS_SECRET_ACCESS_KEY", "secret").env("LD_PRELOAD_X", "secret");
    let run = crate::world::Ran::of(&mut command).ok().value();
    let seen = fs::read_to_string(world.blob(&run["artifact"]["files"][0]["digest"])).unwrap();
    assert!(seen.contains("GREETING=ahoy\n") && !seen.contains("secret"), "{seen}");
    assert!(!seen.contains(&world.home().display().to_string()), "{seen}");
}

#[test]
fn nothing_that_a_step_starts_outlives_it() {
    let name = format!("{}", std::process::id());
    let daemon = format!(
        "setsid sh -c 'trap \"\" TERM HUP INT; sleep 86{name}' </dev/null >/dev/null 2>&1 &\necho x > out/x"
    );
    let world = World::new(&pipeline(&daemon));
    world.json(&["run"]).ok();
    processes::until_gone(&format!("sleep\u{0}86{name}"));
}

#[test]
fn a_step_ends_at_its_limits_and_its_whole_tree_with_it() {
    for (what, script, keys, code) in [
        ("sleeps", "sleep 1000", "timeout: 1s", "E-STEP-TIMEOUT"),
        (
            "ignores SIGTERM",
            "trap '' TERM INT HUP; while :; do sleep 0.1; done",
            "timeout: 1s",
            "E-STEP-TIMEOUT",
        ),
        ("prints without end", "yes", "timeout: 60s", "E-STEP-LIMIT"),
        ("fails", "exit 7", "timeout: 60s", "E-STEP-FAILED"),
        ("is killed", "kill -9 $$", "timeout: 60s", "E-STEP-FAILED"),
        ("forgets its output", "true", "timeout: 60s", "E-OUT-MISSING"),
    ] {
        let world = World::new(&pipeline_with(
            script,
            &format!("{keys}\n      scratch: [out]\n      out: [out/x]"),
            "",
        ));
        let ran = world.json(&["run"]);
        assert_eq!((ran.status, ran.codes()), (1, vec![code.to_owned()]), "{what}: {ran:#?}");
        assert_eq!(ran.value()["artifact"], serde_json::Value::Null, "{what}");
        assert!(world.left_in_work().is_empty(), "{what}");
    }
}

/// As much as is allowed, of what is refused above beyond that.
#[test]
fn a_step_within_its_limits_passes() {
    for (what, script) in [
        ("sleeps", "sleep 1"),
        ("ignores SIGTERM and ends by itself", "trap '' TERM INT HUP; sleep 0.1"),
        ("prints much", "yes | head -c 15000000"),
        ("has children that end", "sleep 0.1 & sleep 0.2 & wait"),
        ("has a command that fails", "false || true"),
        ("kills its own child", "sleep 100 & kill -9 $!; wait || true"),
    ] {
        let script = format!("{script}\necho x > out/x");
        let world =
            World::new(&pipeline_with(&script, "timeout: 60s\n      scratch: [out]\n      out: [out/x]", ""));
        let ran = world.json(&["run"]);
        assert_eq!(ran.status, 0, "{what}: {ran:#?}");
    }
}

#[test]
fn outputs_are_files_directories_and_links_that_stay_inside() {
    for (what, script, codes) in [
        ("a file", "echo x > out/x", &[][..]),
        ("a link that stays", "echo x > out/x; ln -s x out/y", &[]),
        ("an unusual name", "echo x > out/x; echo y > 'out/ -rf ~ ü'", &[]),
        ("a name with a newline", "echo x > out/x; echo y > \"out/$(printf 'a\\nb')\"", &["E-OUT-KIND"]),
        ("a name with an escape", "echo x > out/x; echo y > \"out/$(printf '\\033[2Jb')\"", &["E-OUT-KIND"]),
        ("a fifo", "mkfifo out/x", &["E-OUT-KIND"]),
        ("a socket's place", "mkdir out/x; mkfifo out/x/y", &["E-OUT-KIND"]),
        ("a link out", "ln -s /etc/passwd out/x", &["E-OUT-KIND"]),
        ("a link up and out", "ln -s ../../../etc/passwd out/x", &["E-OUT-KIND"]),
        ("a hard link inside", "echo x > out/x; ln out/x out/y", &[]),
    ] {
        let world = World::new(&pipeline(script));
        let ran = world.json(&["run"]);
        assert_eq!(ran.codes(), codes, "{what}: {ran:#?}");
        assert_eq!(ran.status, i32::from(!codes.is_empty()), "{what}: {ran:#?}");
        let shown = world.plimsoll(&["status"]).ok().stdout;
        assert!(!shown.contains('\u{1b}'), "{what}: {shown}");
    }
}

#[test]
fn a_log_cannot_drive_the_terminal() {
    let world = World::new(&pipeline("printf '\\033]0;owned\\007\\033[2J'; echo x > out/x"));
    let ran = world.plimsoll(&["run"]).ok();
    let logs = world.plimsoll(&["logs", &newest(&world)]).ok();
    for text in [ran.stdout, ran.stderr, logs.stdout] {
        assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text}");
    }
}

#[test]
fn a_log_shows_what_was_printed_as_it_was() {
    let world = World::new(&pipeline("printf 'gr\\303\\274n \\342\\234\\223\\tdone\\n'; echo x > out/x"));
    world.plimsoll(&["run"]).ok();
    let logs = world.plimsoll(&["logs", &newest(&world)]).ok();
    assert!(logs.stdout.contains("grün ✓\tdone\n"), "{logs:#?}");
}
