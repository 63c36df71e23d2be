//! What is remembered survives whatever happens to its writer, and what is refused changes nothing.

use super::*;
use proptest::prelude::*;
use std::{
    os::unix::fs::symlink,
    process::{Command, Stdio},
    time::Duration,
};

/// A memory as version 1 writes it.
const GOLDEN: &str = include_str!("agent-1.json");

fn golden() -> AgentState {
    serde_json::from_str(GOLDEN).unwrap()
}

/// The golden memory with this counter in the place of something that grows.
fn generation(number: u64) -> AgentState {
    let mut state = golden();
    for unit in state.units.values_mut() {
        unit.sequence = number;
    }
    state
}

fn number(state: &AgentState) -> u64 {
    state.units.values().map(|unit| unit.sequence).max().unwrap()
}

fn enrolled() -> (tempfile::TempDir, AgentStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = AgentStore::enroll(directory.path(), generation(1)).unwrap();
    (directory, store)
}

/// Opens a memory that was just let go of. A process that another test starts at this moment has the lock's descriptor
/// until it executes.
fn reopen(directory: &Path) -> AgentStore {
    loop {
        match AgentStore::open(directory) {
            Err(error) if code(&error) == Some(Code::StateLocked) => std::thread::yield_now(),
            other => return other.unwrap(),
        }
    }
}

fn code(error: &AgentStateError) -> Option<Code> {
    match error {
        AgentStateError::Refused(reason) => Some(reason.code),
        _ => None,
    }
}

fn bytes(directory: &Path) -> Vec<u8> {
    fs::read(directory.join(FILE)).unwrap()
}

#[test]
fn version_1_is_read_and_written_as_it_always_was() {
    assert_eq!(serde_json::to_string_pretty(&golden()).unwrap() + "\n", GOLDEN);
}

#[test]
fn what_was_remembered_is_there_again() {
    let (directory, mut store) = enrolled();
    store.replace(generation(2)).unwrap();
    drop(store);
    assert_eq!(*reopen(directory.path()).state(), generation(2));
    assert_eq!(read(directory.path()).unwrap(), generation(2));
    assert_eq!(fs::metadata(directory.path().join(FILE)).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn an_agent_is_not_enrolled_twice_nor_used_before() {
    let (directory, store) = enrolled();
    drop(store);
    let before = bytes(directory.path());
    loop {
        match AgentStore::enroll(directory.path(), generation(9)).unwrap_err() {
            AgentStateError::Refused(reason) if reason.code == Code::StateLocked => std::thread::yield_now(),
            AgentStateError::Enrolled(_) => break,
            other => panic!("{other}"),
        }
    }
    assert_eq!(bytes(directory.path()), before);
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(AgentStore::open(empty.path()), Err(AgentStateError::NotEnrolled(_))));
    assert!(matches!(read(empty.path()), Err(AgentStateError::NotEnrolled(_))));
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0);
}

#[test]
fn one_process_works_on_it_and_others_only_read() {
    let (directory, store) = enrolled();
    let error = AgentStore::open(directory.path()).unwrap_err();
    let AgentStateError::Refused(reason) = error else { panic!("{error}") };
    assert_eq!(reason.code, Code::StateLocked);
    assert_eq!(reason.parameters["pid"], std::process::id().to_string());
    assert_eq!(read(directory.path()).unwrap(), *store.state());
}

#[test]
fn a_newer_memory_is_refused_and_left_as_it_is() {
    let (directory, store) = enrolled();
    drop(store);
    let newer = br#"{"version": 2, "agents": ["of another shape"]}"#;
    fs::write(directory.path().join(FILE), newer).unwrap();
    assert_eq!(code(&read(directory.path()).unwrap_err()), Some(Code::StateNewer));
    loop {
        match code(&AgentStore::open(directory.path()).unwrap_err()) {
            Some(Code::StateLocked) => std::thread::yield_now(),
            other => break assert_eq!(other, Some(Code::StateNewer)),
        }
    }
    assert_eq!(bytes(directory.path()), newer);
}

#[test]
fn a_damaged_memory_is_refused_and_left_as_it_is() {
    let (directory, store) = enrolled();
    drop(store);
    let whole = bytes(directory.path());
    let mut cases: Vec<Vec<u8>> =
        (0..whole.len()).step_by(7).map(|length| whole[..length].to_vec()).collect();
    for (from, to) in
        [("\"artifacts\"", "\"origin\""), ("\"version\": 1", "\"version\": 0"), ("\"units\"", "\"agent\"")]
    {
        let text = String::from_utf8(whole.clone()).unwrap();
        assert!(text.contains(from));
        cases.push(text.replacen(from, to, 1).into_bytes());
    }
    for case in cases {
        fs::write(directory.path().join(FILE), &case).unwrap();
        let error = read(directory.path()).unwrap_err();
        assert!(matches!(error, AgentStateError::Damaged { .. }), "{error}");
        assert_eq!(bytes(directory.path()), case);
    }
}

#[test]
fn a_memory_that_others_may_write_to_is_not_believed() {
    use std::os::unix::fs::PermissionsExt as _;
    let (directory, _store) = enrolled();
    fs::set_permissions(directory.path().join(FILE), fs::Permissions::from_mode(0o622)).unwrap();
    let error = read(directory.path()).unwrap_err();
    assert!(matches!(error, AgentStateError::Io { .. }), "{error}");
}

#[test]
fn a_full_disk_leaves_the_old_memory_on_the_disk_and_here() {
    let (directory, mut store) = enrolled();
    let before = Digest::of(&bytes(directory.path()));
    // Every write to this device fails as on a full disk (full(4)).
    symlink("/dev/full", directory.path().join(UNFINISHED)).unwrap();
    let error = store.replace(generation(2)).unwrap_err();
    assert_eq!(code(&error), Some(Code::StateFull), "{error}");
    assert_eq!(Digest::of(&bytes(directory.path())), before);
    assert_eq!(*store.state(), generation(1));
    // With space there it goes on.
    store.replace(generation(2)).unwrap();
    assert_eq!(read(directory.path()).unwrap(), generation(2));
}

#[test]
fn a_refused_update_leaves_the_stored_bytes_unchanged() {
    let (directory, store) = enrolled();
    let before = Digest::of(&bytes(directory.path()));
    let head: CommitId = "b".repeat(40).parse().unwrap();
    let refused: Result<(), Reason> = accept_head(&store.state().delivery_commit, &head, |_, _| Ok(false));
    assert_eq!(refused.unwrap_err().code, Code::DeliveryRewind);
    drop(store);
    let again = reopen(directory.path());
    assert_eq!(Digest::of(&bytes(directory.path())), before);
    assert_eq!(*again.state(), generation(1));
}

#[test]
fn what_a_killed_writer_left_unfinished_does_not_count() {
    let (directory, store) = enrolled();
    drop(store);
    let next = serde_json::to_vec_pretty(&generation(2)).unwrap();
    for length in [0, 1, next.len() / 2, next.len()] {
        fs::write(directory.path().join(UNFINISHED), &next[..length]).unwrap();
        let mut store = reopen(directory.path());
        assert_eq!(*store.state(), generation(1));
        store.replace(generation(3)).unwrap();
        assert_eq!(read(directory.path()).unwrap(), generation(3));
        store.replace(generation(1)).unwrap();
    }
}

/// Alone it writes some generations. Started by the test below in a directory with a memory, it goes on until it is
/// killed.
#[test]
fn a_writer_writes_one_generation_after_the_other() {
    let here = std::env::current_dir().unwrap();
    if here.join(FILE).exists() {
        let mut store = reopen(&here);
        for next in number(store.state()) + 1.. {
            store.replace(generation(next)).unwrap();
        }
    }
    let (directory, mut store) = enrolled();
    for next in 2..20 {
        store.replace(generation(next)).unwrap();
        assert_eq!(number(&read(directory.path()).unwrap()), next);
    }
}

#[test]
fn a_writer_that_is_killed_leaves_the_old_memory_or_the_new_one() {
    let (directory, store) = enrolled();
    drop(store);
    let mut newest = 1;
    for round in 0..20 {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "agent_state::tests::a_writer_writes_one_generation_after_the_other"])
            .current_dir(directory.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while number(&read(directory.path()).unwrap()) <= newest {
            assert!(writer.try_wait().unwrap().is_none(), "the writer ended by itself");
        }
        // Another instant of the writer's work in each round.
        std::thread::sleep(Duration::from_micros(137 * round));
        writer.kill().unwrap();
        writer.wait().unwrap();
        let left = read(directory.path()).unwrap();
        assert_eq!(left, generation(number(&left)));
        assert!(number(&left) > newest);
        newest = number(&left);
    }
}

#[test]
fn a_head_is_accepted_when_it_follows() {
    let commit = |digit: &str| digit.repeat(40).parse::<CommitId>().unwrap();
    // A line of three commits, and one beside it.
    let line = ["1", "2", "3"].map(commit);
    let beside = commit("f");
    let is_ancestor = |one: &CommitId, other: &CommitId| -> Result<bool, Reason> {
        let at = |commit: &CommitId| line.iter().position(|each| each == commit);
        Ok(matches!((at(one), at(other)), (Some(one), Some(other)) if one <= other))
    };
    for (last, head, accepted) in [
        (&line[0], &line[0], true),
        (&line[0], &line[1], true),
        (&line[0], &line[2], true),
        (&line[2], &line[1], false),
        (&line[1], &beside, false),
    ] {
        let result = accept_head(last, head, is_ancestor);
        assert_eq!(result.is_ok(), accepted, "{last} -> {head}");
        if let Err(reason) = result {
            assert_eq!(reason.code, Code::DeliveryRewind);
            assert_eq!(reason.parameters["head"], head.to_string());
            assert_eq!(reason.parameters["last"], last.to_string());
        }
    }
    // A repository that cannot be asked is no repository that was rewound.
    let broken = accept_head(&line[0], &line[1], |_, _| Err(Code::SrcObject.reason()));
    assert_eq!(broken.unwrap_err().code, Code::SrcObject);
}

fn place(counter: u64) -> Place {
    Place { decision: Digest::of(&counter.to_be_bytes()), counter }
}

/// The link of an honest chain.
fn link(counter: u64) -> Link {
    Link {
        place: place(counter),
        previous: counter.checked_sub(1).filter(|_| counter > 1).map(|before| place(before).decision),
    }
}

fn accept(standing: Option<Place>, link: Link) -> Result<Place, Reason> {
    accept_decision((&"shop".parse().unwrap(), &"production".parse().unwrap()), standing, link)
}

#[test]
fn a_decision_is_accepted_when_it_is_the_same_or_the_next() {
    let other = Place { decision: Digest::of(b"other"), counter: 5 };
    for (what, standing, offered, accepted) in [
        ("the same", Some(place(5)), link(5), true),
        ("the next", Some(place(5)), link(6), true),
        ("the first", None, link(1), true),
        ("any, by an agent without memory", None, link(7), true),
        ("an older one", Some(place(5)), link(4), false),
        ("the first again", Some(place(5)), link(1), false),
        ("one with a gap", Some(place(5)), link(7), false),
        (
            "another in the same place",
            Some(place(5)),
            Link { place: other, previous: link(5).previous },
            false,
        ),
        ("a next of another", Some(other), link(6), false),
        ("a next of nothing", Some(place(5)), Link { previous: None, ..link(6) }, false),
        ("an old one with a new number", Some(place(5)), Link { place: place(6), ..link(4) }, false),
        ("one beyond the last number", Some(place(u64::MAX)), link(1), false),
    ] {
        let result = accept(standing, offered);
        assert_eq!(result.is_ok(), accepted, "{what}");
        if let Err(reason) = result {
            assert_eq!(reason.code, Code::Rollback);
            assert!(!reason.sentence().contains('{') && !reason.next().contains('{'), "{reason}");
        }
    }
}

proptest! {
    #[test]
    fn an_older_memory_catches_up_along_the_chain_to_the_same_place(old in 0..20_u64, new in 0..20_u64) {
        let standing = (old > 0).then(|| place(old));
        let links = old.saturating_add(1)..=new;
        let end = links.map(link).try_fold(standing, |standing, link| accept(standing, link).map(Some));
        prop_assert_eq!(end.unwrap(), if new > old { Some(place(new)) } else { standing });
    }

    #[test]
    fn a_chain_that_is_behind_the_memory_is_refused(old in 2..20_u64, back in 1..20_u64) {
        let behind = old.saturating_sub(back).max(1);
        prop_assert_eq!(accept(Some(place(old)), link(behind)).unwrap_err().code, Code::Rollback);
    }

    #[test]
    fn damaged_bytes_are_never_taken_for_a_memory_with_another_place(at in 0..GOLDEN.len(), byte in any::<u8>()) {
        let directory = tempfile::tempdir().unwrap();
        let mut bytes = GOLDEN.as_bytes().to_vec();
        bytes[at] = byte;
        fs::write(directory.path().join(FILE), &bytes).unwrap();
        fs::set_permissions(directory.path().join(FILE), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        // It is read as what it says, or not at all, and stays.
        let read = read(directory.path());
        prop_assert_eq!(read.is_ok(), serde_json::from_slice::<AgentState>(&bytes).is_ok_and(|state| state.version == 1));
        prop_assert_eq!(fs::read(directory.path().join(FILE)).unwrap(), bytes);
    }
}
