//! Opening, locking, blobs, the index and the records of runs.

use super::{Fresh, code, path, shown, time};
use plimsoll_engine::ports::{Blobs, Journal, StoreError};
use plimsoll_model::{Code, Digest, RunId};
use plimsoll_store::{IndexEntry, StateDir, oci::Descriptor};
use std::{
    fs,
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
};

#[test]
fn a_new_state_directory_is_for_its_owner_alone() {
    let fresh = Fresh::new();
    assert_eq!(fs::metadata(fresh.state.path()).unwrap().mode() & 0o777, 0o700);
    assert_eq!(fs::read(fresh.state.path().join("format.json")).unwrap(), br#"{"version":1}"#);
    let layout = fresh.state.layout().path();
    assert_eq!(fs::read(layout.join("oci-layout")).unwrap(), br#"{"imageLayoutVersion":"1.0.0"}"#);
    assert!(layout.join("index.json").exists());
}

#[test]
fn a_second_writer_is_told_who_the_first_is() {
    let fresh = Fresh::new();
    let second = StateDir::open_writer(fresh.state.path(), "plimsoll again");
    let refused = shown(second);
    let pid = std::process::id();
    assert!(refused.starts_with("E-STATE-LOCKED"), "{refused}");
    assert!(refused.ends_with(&format!("in use by process {pid} (plimsoll test)")), "{refused}");
    let path = fresh.state.path().to_owned();
    drop(fresh.state);
    assert!(StateDir::open_writer(&path, "plimsoll again").is_ok(), "the lock ends with its writer");
}

#[test]
fn a_newer_format_is_not_touched() {
    let fresh = Fresh::new();
    let path = fresh.state.path().to_owned();
    fs::write(path.join("format.json"), r#"{"version":2,"more":true}"#).unwrap();
    drop(fresh.state);
    for opened in
        [StateDir::open_writer(&path, ""), StateDir::open_reader(&path), StateDir::open_member(&path)]
    {
        assert!(shown(opened).ends_with("has format 2; this binary knows up to 1"));
    }
    fs::write(path.join("format.json"), r#"{"version":1}"#).unwrap();
    assert!(StateDir::open_writer(&path, "").is_ok());
}

#[test]
fn a_directory_of_somebody_elses_files_is_not_taken_over() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("thesis.tex"), "").unwrap();
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(StateDir::open_writer(root.path(), "").is_err());
    assert!(StateDir::open_reader(root.path()).is_err());
    fs::remove_file(root.path().join("thesis.tex")).unwrap();
    assert!(StateDir::open_writer(root.path(), "").is_ok(), "an empty one is");
}

/// What a scan keeps there is no record, and stands in no writer's way.
#[test]
fn a_directory_that_a_scan_used_first_is_unused_until_a_writer_comes() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("state");
    assert!(StateDir::is_unused(&path).unwrap(), "it is not there");
    StateDir::prepare(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    fs::create_dir(path.join("scan")).unwrap();
    assert!(StateDir::is_unused(&path).unwrap());
    StateDir::prepare(&path).unwrap();
    drop(StateDir::open_writer(&path, "").unwrap());
    assert!(!StateDir::is_unused(&path).unwrap());
    fs::remove_file(path.join("format.json")).unwrap();
    assert!(!StateDir::is_unused(&path).unwrap(), "its records are still there");
    assert!(StateDir::prepare(&path).is_err());
}

#[test]
fn a_directory_that_others_may_write_to_is_not_used() {
    let root = tempfile::tempdir().unwrap();
    for (mode, usable) in [(0o777, false), (0o770, false), (0o755, true), (0o700, true)] {
        fs::set_permissions(root.path(), fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(StateDir::open_writer(root.path(), "").is_ok(), usable, "{mode:o}");
    }
}

#[test]
fn readers_and_members_work_beside_the_writer() {
    let fresh = Fresh::new();
    let digest = fresh.blobs().put(b"by the writer").unwrap();
    let member = StateDir::open_member(fresh.state.path()).unwrap();
    let by_member = member.layout().put(b"by a signer").unwrap();
    let reader = StateDir::open_reader(fresh.state.path()).unwrap();
    assert_eq!(reader.layout().read(&digest, 100).unwrap(), b"by the writer");
    assert_eq!(reader.layout().read(&by_member, 100).unwrap(), b"by a signer");
    assert!(reader.layout().put(b"by a reader").is_err());
    assert!(reader.layout().add_entries(vec![]).is_err());
    assert!(reader.runs().create(&RunId::from_random([0; 16]), time(0)).is_err());
    assert_eq!(reader.journal().position().unwrap().size, 0);
}

#[test]
fn a_blob_is_stored_under_the_digest_of_what_was_written() {
    let fresh = Fresh::new();
    let mut writer = fresh.blobs().writer().unwrap();
    writer.write_all(b"one ").unwrap();
    writer.write_all(b"blob").unwrap();
    let (digest, size) = writer.finish().unwrap();
    assert_eq!((digest, size), (Digest::of(b"one blob"), 8));
    assert_eq!(fs::metadata(fresh.blob_path(&digest)).unwrap().mode() & 0o777, 0o444);
    let mut text = String::new();
    fresh.blobs().open(&digest).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "one blob");
    assert!(matches!(fresh.blobs().read(&digest, 7), Err(StoreError::TooLarge { limit: 7, .. })));
    let other = Digest::of(b"another");
    assert!(matches!(fresh.blobs().open(&other), Err(StoreError::Missing(missing)) if missing == other));
}

#[test]
fn a_blob_that_is_not_finished_leaves_nothing() {
    let fresh = Fresh::new();
    let count = |name: &str| fs::read_dir(fresh.state.path().join(name)).unwrap().count();
    let blobs = count("layout/blobs/sha256");
    let mut writer = fresh.blobs().writer().unwrap();
    writer.write_all(b"half").unwrap();
    assert_eq!(count("tmp"), 1);
    drop(writer);
    assert_eq!((count("tmp"), count("layout/blobs/sha256")), (0, blobs));
}

#[test]
fn what_a_killed_writer_left_is_removed_by_the_next() {
    let fresh = Fresh::new();
    let path = fresh.state.path().to_owned();
    fresh.blobs().put(b"kept").unwrap();
    fs::write(path.join("tmp/4711-00"), "half a blob").unwrap();
    drop(fresh.state);
    let state = StateDir::open_writer(&path, "").unwrap();
    assert_eq!(fs::read_dir(path.join("tmp")).unwrap().count(), 0);
    assert_eq!(state.layout().read(&Digest::of(b"kept"), 10).unwrap(), b"kept");
}

#[test]
fn a_damaged_blob_is_not_read_and_is_repaired_by_storing_it_again() {
    let fresh = Fresh::new();
    let digest = fresh.blobs().put(b"content").unwrap();
    let file = fresh.blob_path(&digest);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&file, b"tampere").unwrap();
    assert_eq!(code(fresh.blobs().read(&digest, 100)), Some(Code::DigestMismatch));
    fresh.blobs().put(b"content").unwrap();
    assert_eq!(fresh.blobs().read(&digest, 100).unwrap(), b"content");
}

#[test]
fn many_writers_of_the_same_blobs_do_not_disturb_each_other() {
    let fresh = Fresh::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for number in 0..25_u32 {
                    fresh.blobs().put(&number.to_le_bytes()).unwrap();
                }
            });
        }
    });
    for number in 0..25_u32 {
        let digest = Digest::of(&number.to_le_bytes());
        assert_eq!(fresh.blobs().read(&digest, 4).unwrap(), number.to_le_bytes());
    }
}

fn entry(content: &[u8], name: Option<&str>) -> IndexEntry {
    let descriptor = Descriptor::new("text/plain", Digest::of(content), content.len() as u64);
    let annotations = [("commit".to_owned(), "0123".to_owned())].into();
    IndexEntry { descriptor, name: name.map(str::to_owned), annotations }
}

#[test]
fn a_name_of_the_index_stands_for_the_newest_manifest() {
    let fresh = Fresh::new();
    let layout = fresh.state.layout();
    layout.add_entries(vec![entry(b"1", Some("shop")), entry(b"2", None)]).unwrap();
    layout.add_entries(vec![entry(b"2", None), entry(b"3", Some("shop"))]).unwrap();
    assert_eq!(layout.entries().unwrap(), [entry(b"2", None), entry(b"3", Some("shop"))]);
    assert_eq!(layout.find("shop").unwrap(), Some(entry(b"3", Some("shop"))));
    assert_eq!(layout.find("nothing").unwrap(), None);
}

#[test]
fn nobody_loses_an_entry_of_the_index_to_somebody_else() {
    let fresh = Fresh::new();
    let path = fresh.state.path();
    std::thread::scope(|scope| {
        for writer in 0..4_u8 {
            scope.spawn(move || {
                let member = StateDir::open_member(path).unwrap();
                for number in 0..10 {
                    member.layout().add_entries(vec![entry(&[writer, number], None)]).unwrap();
                }
            });
        }
    });
    assert_eq!(fresh.state.layout().entries().unwrap().len(), 40);
}

#[test]
fn runs_are_listed_newest_first() {
    let fresh = Fresh::new();
    let run = |byte| RunId::from_random([byte; 16]);
    for (byte, second) in [(1, 10), (2, 30), (3, 20)] {
        fresh.state.runs().create(&run(byte), time(second)).unwrap();
    }
    fs::create_dir(fresh.state.path().join("runs/not-a-run")).unwrap();
    let listed = fresh.state.runs().list().unwrap();
    assert_eq!(listed, [(run(2), time(30)), (run(3), time(20)), (run(1), time(10))]);
    assert!(fresh.state.runs().create(&run(1), time(0)).is_err(), "a run is made once");
}

#[test]
fn a_run_has_documents_and_logs() {
    let fresh = Fresh::new();
    let run = RunId::from_random([7; 16]);
    fresh.state.runs().create(&run, time(0)).unwrap();
    let record = fresh.state.runs().open(&run).unwrap();
    assert_eq!(record.read_json::<u32>(&path("plan.json")).unwrap(), None);
    for value in [1_u32, 2] {
        record.write_json(&path("steps/plan.json"), &value).unwrap();
        assert_eq!(record.read_json(&path("steps/plan.json")).unwrap(), Some(value));
    }
    for line in ["one\n", "two\n"] {
        record.append_log(&path("logs/compile.1.log")).unwrap().write_all(line.as_bytes()).unwrap();
    }
    let log = record.read_log(&path("logs/compile.1.log")).unwrap();
    assert_eq!(io::read_to_string(log).unwrap(), "one\ntwo\n");
    assert!(record.read_log(&path("logs/other.log")).is_err());
    assert!(fresh.state.runs().open(&RunId::from_random([8; 16])).is_err());
}
