//! A20, as far as source is concerned: a secret that was taken away again. Each is a private key that `ssh-keygen` made a
//! moment ago. What a scan prints never holds it.

use crate::{
    hooks::{git, push, server},
    packed::{gzip, tar},
    secret_modes::{Place, at, places},
    world::text,
};
use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

#[test]
fn a20_a_history_without_a_secret_is_clean() {
    let place = Place::new();
    let repository = &place.repository;
    repository.write("NOTES", "nothing to see\n");
    repository.commit("one");
    repository.branch("side");
    repository.write("side", "nothing either\n");
    repository.commit("beside");
    repository.checkout("main");
    repository.merge("side");
    assert_eq!(places(&place.scan(0, &["--history"])), []);
    server(&place);
    push(&place, &["main"]).ok();
}

#[test]
fn a20a_a_secret_that_left_the_tip_is_found_in_history_with_its_commit() {
    let place = Place::new();
    let repository = &place.repository;
    repository.write("README", "nothing to see\n");
    repository.commit("one");
    repository.write("deploy/key.pem", format!("first line\n{}", place.secret));
    let leaked = repository.commit("by mistake");
    repository.write("deploy/key.pem", format!("first line, changed\n{}", place.secret));
    repository.commit("still there");
    repository.remove("deploy/key.pem");
    repository.commit("gone");
    assert_eq!(places(&place.scan(0, &[])), [], "the tip is clean");
    for packed in [false, true] {
        if packed {
            repository.git(&["gc", "-q"]);
        }
        let report = place.scan(1, &["--history"]);
        assert_eq!(places(&report), [at("deploy/key.pem", 2)], "once, however long it stayed");
        assert_eq!(text(&report["findings"][0]["location"]["commit"]), leaked.as_str());
    }
    let shown = place.plimsoll(&["scan", "secrets", "--history"]).ended(1).stdout;
    assert!(shown.contains(&leaked.as_str()[..12]) && shown.contains("deploy/key.pem:2"), "{shown}");
    assert!(!shown.contains(place.body()), "{shown}");
}

/// What `base64 -w0` makes of it.
fn base64(bytes: &[u8]) -> String {
    let mut command =
        Command::new("base64").arg("-w0").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    command.stdin.take().unwrap().write_all(bytes).unwrap();
    String::from_utf8(command.wait_with_output().unwrap().stdout).unwrap()
}

/// The lower half is the documented residual (docs/scanning.md): nobody takes a text apart and puts it together in every
/// way. It is asserted, so that whoever improves it finds this list.
#[test]
fn a20b_a_secret_in_another_encoding_is_found_and_what_is_not_is_known() {
    let place = Place::new();
    let secret = place.secret.clone();
    let hex = secret.bytes().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let url = secret.bytes().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "%{byte:02X}");
        text
    });
    let escaped = format!("{{\"key\": \"{}\"}}", secret.replace('\n', "\\n"));
    let lines = |width: usize| {
        let all: Vec<char> = secret.chars().filter(|c| *c != '\n').collect();
        all.chunks(width).fold(String::new(), |text, chunk| text + &chunk.iter().collect::<String>() + "\n")
    };
    for (name, content) in [
        ("raw", secret.clone()),
        ("base64", base64(secret.as_bytes())),
        ("hex", hex),
        ("url", url),
        ("gzip-base64", base64(&gzip(secret.as_bytes()))),
        ("escaped", escaped),
    ] {
        place.repository.write(&format!("found/{name}"), content);
    }
    place.repository.write("found/gzip", gzip(secret.as_bytes()));
    for (name, content) in [
        ("reversed", secret.chars().rev().collect()),
        ("split-over-lines", lines(20)),
        ("one-character-a-line", lines(1)),
    ] {
        place.repository.write(&format!("residual/{name}"), content);
    }
    place.repository.commit("by mistake");
    place.repository.git(&["rm", "-rq", "found", "residual"]);
    place.repository.commit("gone");
    let mut found: Vec<_> =
        places(&place.scan(1, &["--history"])).into_iter().map(|(path, _)| path).collect();
    found.sort();
    let expected = ["base64", "escaped", "gzip", "gzip-base64", "hex", "raw", "url"];
    assert_eq!(found, expected.map(|name| format!("found/{name}")));
}

/// A branch that was removed is in the history as long as something leads to it; a merge hides nothing that came in by it,
/// nor what only the merge itself brought.
#[test]
fn a20c_a_secret_of_a_removed_branch_or_a_merge_is_found() {
    let place = Place::new();
    let repository = &place.repository;
    repository.write("README", "nothing to see\n");
    repository.commit("one");
    repository.branch("side");
    repository.write("side.pem", &place.secret);
    repository.commit("on a branch");
    repository.remove("side.pem");
    repository.commit("gone from the branch");
    repository.checkout("main");
    repository.merge("side");
    repository.git(&["branch", "-qD", "side"]);
    assert_eq!(places(&place.scan(1, &["--history"])), [at("side.pem", 1)]);

    let other = Place::new();
    let repository = &other.repository;
    repository.write("README", "nothing to see\n");
    repository.commit("one");
    repository.branch("side");
    repository.write("side", "nothing\n");
    repository.commit("beside");
    repository.checkout("main");
    repository.git(&["merge", "-q", "--no-ff", "--no-commit", "side"]);
    repository.write("evil.pem", &other.secret);
    repository.commit("a merge that brings more than its parents");
    repository.remove("evil.pem");
    repository.commit("gone");
    assert_eq!(places(&other.scan(1, &["--history"])), [at("evil.pem", 1)]);
}

/// The hook of the server looks at the quarantined objects; nobody has seen them yet.
#[test]
fn a20d_a_pushed_secret_is_refused_before_anybody_can_fetch_it() {
    for limit in ["1", "1000"] {
        let place = Place::new();
        let server = server(&place);
        place.repository.git(&["-C", server.to_str().unwrap(), "config", "receive.unpackLimit", limit]);
        push(&place, &["main"]).ok();
        place.repository.write("deploy/key.pem", &place.secret);
        let leaked = place.repository.commit("attack");
        place.repository.remove("deploy/key.pem");
        place.repository.commit("hidden by the next commit");
        let refused = push(&place, &["main"]).ended(1).stderr;
        for part in ["E-SRC-SECRET", "deploy/key.pem:1", &leaked.as_str()[..12]] {
            assert!(refused.contains(part) && !refused.contains(place.body()), "{limit}: {refused}");
        }
        let kept = git(&place, &server, &["cat-file", "-e", leaked.as_str()]);
        assert_ne!(kept.status, 0, "{limit}: the refused commit is on the server");
        place.repository.git(&["reset", "-q", "--hard", "HEAD~2"]);
        place.repository.write("more", "nothing\n");
        place.repository.commit("benign twin");
        push(&place, &["main"]).ok();
    }
}

#[test]
fn a20e_a_secret_that_a_later_layer_hides_is_found() {
    let place = Place::new();
    let leaked = gzip(&tar(&[("app/key.pem", place.secret.as_bytes()), ("app/main", b"nothing\n")]));
    let hides = tar(&[("app/.wh.key.pem", b"")]);
    let layout = place.path("layout");
    for (name, content) in [("blobs/sha256/aa", &leaked), ("blobs/sha256/bb", &hides)] {
        fs::create_dir_all(layout.join(name).parent().unwrap()).unwrap();
        fs::write(layout.join(name), content).unwrap();
    }
    let found = places(&place.scan(1, &["--image", layout.to_str().unwrap()]));
    assert_eq!(found, [at("blobs/sha256/aa!/app/key.pem", 1)]);
    let archive = place.path("image.tar");
    fs::write(&archive, tar(&[("layers/a.tar.gz", &leaked), ("layers/b.tar", &hides)])).unwrap();
    let found = places(&place.scan(1, &["--image", archive.to_str().unwrap()]));
    assert_eq!(found, [at("image.tar!/layers/a.tar.gz!/app/key.pem", 1)]);
}

#[test]
fn a20e_layers_without_a_secret_are_clean() {
    let place = Place::new();
    let archive = place.path("image.tar");
    let hides = tar(&[("app/.wh.key.pem", b"")]);
    fs::write(&archive, tar(&[("layers/b.tar", &hides), ("x", b"nothing\n")])).unwrap();
    place.scan(0, &["--image", archive.to_str().unwrap()]);
}
