//! A disk that takes nothing more, for real: the state directory is a small memory file system of its own mount
//! namespace. What did not fit is told, nothing is signed, and the same command passes when there is room again.

use crate::world::{Ran, World, pipeline};
use std::{fs, path::Path};

/// Mounts a file system over the state directory `$1` with the options `$2`, fills all but `$3` bytes of it, and runs
/// the rest of the words twice: on the full disk, and after room was made. What they print goes to `$4.full` and
/// `$4.again`, the journal to `$4.journal`. The command is an ordinary user again, since root of a user namespace is not
/// root.
const ON_SMALL_DISK: &str = r#"
state=$1 options=$2 free=$3 out=$4; shift 4
cp -a "$state" "$out.seed"
mount -t tmpfs -o "mode=700,$options" none "$state"
cp "$out.seed"/* "$state"
left=$(df --output=avail -B1 "$state" | tail -n 1)
[ "$left" -le "$free" ] || fallocate -l $((left - free)) "$state/ballast"
as_user() { unshare --user --map-user=1000 --map-group=1000 -- "$@"; }
status=0
as_user "$@" >"$out.full" || status=$?
echo "$status" >"$out.status"
cp "$state/journal.jsonl" "$out.journal" || : >"$out.journal"
rm -f "$state/ballast"
mount -o remount,size=1g,nr_inodes=100k none "$state"
as_user "$@" >"$out.again"
"#;

struct Told {
    full: Ran,
    journal: String,
}

/// Runs HEAD on a disk with these options and so many bytes free, and then again with room.
fn run_on(world: &World, options: &str, free: u64) -> Told {
    let out = world.scratch("disk", b"").display().to_string();
    let (state, free) = (world.state().display().to_string(), free.to_string());
    let namespace = ["unshare", "--user", "--map-root-user", "--mount", "bash", "-euc", ON_SMALL_DISK];
    let words = [&namespace[..], &["disk", &state, options, &free, &out]].concat();
    let ran = Ran::of(&mut world.prefixed(&words, &["--json", "run"]));
    assert_eq!(ran.status, 0, "the run with room failed: {ran:#?}\n{}", read(&out, "again"));
    let status = read(&out, "status").trim().parse().expect("a status");
    let full = Ran { status, stdout: read(&out, "full"), stderr: ran.stderr };
    Told { full, journal: read(&out, "journal") }
}

fn read(out: &str, what: &str) -> String {
    fs::read_to_string(Path::new(&format!("{out}.{what}"))).unwrap_or_default()
}

#[test]
fn a_full_disk_is_told_at_every_stage_of_a_run_and_nothing_is_signed_on_it() {
    for (what, options, free) in [
        ("not a byte is free", "size=8m", 0),
        ("a key fits", "size=8m", 16 << 10),
        ("the source fits", "size=8m", 64 << 10),
        ("half of the output fits", "size=32m", 15 << 20),
        ("no file can be made", "size=256m,nr_inodes=4", 1 << 40),
        ("twenty files can be made", "size=256m,nr_inodes=25", 1 << 40),
    ] {
        let world = World::new(&pipeline("head -c 30000000 /dev/zero > out/x"));
        let Told { full, journal } = run_on(&world, options, free);
        let full = full.ended(1).refused(&["E-STATE-FULL"]);
        assert!(!journal.contains("\"finished\""), "{what}: {full:#?}");
        assert!(!full.parameter("E-STATE-FULL", "problem").is_empty(), "{what}");
    }
}

/// What people write is on some disk too. The limit on the size of files stands for it, since everybody may set it.
#[test]
fn a_file_for_people_that_does_not_fit_is_told_and_fits_once_there_is_room() {
    const NO_FILES: [&str; 4] = ["bash", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "no-files"];
    let world = World::empty();
    world
        .repository
        .write("Cargo.toml", "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    world
        .repository
        .write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"shop\"\nversion = \"0.1.0\"\n");
    world.repository.write("src/main.rs", "fn main() {}\n");
    world.repository.commit("a program");
    let (delivery, key) = (world.delivery(), world.person.private_path());
    let [delivery, key] = [&delivery, &key].map(|path| path.to_str().unwrap());
    for command in [&["init"][..], &["init", "--delivery", delivery, "--key", key]] {
        let full = Ran::of(&mut world.prefixed(&NO_FILES, &[&["--json"], command].concat()));
        full.ended(1).refused(&["E-STATE-FULL"]);
        world.json(command).ok();
        world.repository.commit("what it wrote");
    }
}

/// Hashes of the toolchain are kept to save time; a run without them only takes longer.
#[test]
fn what_is_only_kept_to_save_time_never_fails_a_run() {
    let world = World::new(&pipeline("echo x > out/x"));
    let cache = world.state().join("toolchain.cache");
    let length = fs::metadata(&cache).unwrap().len();
    fs::remove_file(&cache).unwrap();
    let Told { full, journal } = run_on(&world, "size=16m", length);
    full.ok();
    assert!(journal.contains("\"finished\""));

    fs::create_dir(&cache).unwrap();
    world.json(&["run"]).ok();
    fs::remove_dir(&cache).unwrap();
    world.json(&["run"]).ok();
    assert_eq!(fs::metadata(&cache).unwrap().len(), length);
}
