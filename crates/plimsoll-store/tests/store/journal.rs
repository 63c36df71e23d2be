//! The journal: who may append, what survives, and what is noticed.

use super::{Fresh, code, shown, time};
use plimsoll_engine::ports::{Event, Journal, JournalEntry, LogPosition, StoreError};
use plimsoll_model::{Code, Digest, Role, RunId};
use plimsoll_store::StateDir;
use proptest::{prelude::*, test_runner::TestRunner};
use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
};

fn event(byte: u8) -> Event {
    Event::Finished { run: RunId::from_random([byte; 16]), statement: Digest::of(&[byte]) }
}

fn append(fresh: &Fresh, byte: u8) -> LogPosition {
    fresh.state.journal().append(&Role::Builder, time(byte.into()), event(byte)).unwrap()
}

fn file(fresh: &Fresh) -> PathBuf {
    fresh.state.path().join("journal.jsonl")
}

fn filled(count: u8) -> Fresh {
    let fresh = Fresh::new();
    for byte in 0..count {
        append(&fresh, byte);
    }
    fresh
}

fn entries(fresh: &Fresh) -> Result<Vec<JournalEntry>, StoreError> {
    fresh.state.journal().entries()
}

#[test]
fn entries_are_chained_from_the_digest_of_nothing() {
    let fresh = Fresh::new();
    let empty = LogPosition { size: 0, head: Digest::of(b"") };
    assert_eq!(fresh.state.journal().position().unwrap(), empty);
    let positions = [append(&fresh, 0), append(&fresh, 1)];
    let text = fs::read_to_string(file(&fresh)).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(positions[1], LogPosition { size: 2, head: Digest::of(lines[1].as_bytes()) });
    let entries = entries(&fresh).unwrap();
    assert_eq!(entries[0].previous, empty.head);
    assert_eq!(entries[1].previous, positions[0].head);
    assert_eq!(entries[1].event, event(1));
    assert_eq!(fresh.state.journal().position().unwrap(), positions[1]);
}

#[test]
fn the_format_of_an_entry_does_not_change() {
    let fresh = filled(1);
    let golden = concat!(
        r#"{"by":"builder","event":{"event":"finished","run":"00000000000000000000000000000000","#,
        r#""statement":"sha256:6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},"index":0,"#,
        r#""previous":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","#,
        r#""time":"1970-01-01T00:00:00Z","version":1}"#,
        "\n"
    );
    assert_eq!(fs::read_to_string(file(&fresh)).unwrap(), golden);
}

#[test]
fn events_are_read_as_they_were_written() {
    let fresh = Fresh::new();
    let run = RunId::from_random([1; 16]);
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let (digest, environment) = (Digest::of(b"x"), "production");
    let events = [
        Event::Opened {
            run: run.clone(),
            project: "shop".parse().unwrap(),
            commit: commit.parse().unwrap(),
            plan: digest,
        },
        Event::Finished { run: run.clone(), statement: digest },
        Event::Decided {
            project: "shop".parse().unwrap(),
            environment: environment.parse().unwrap(),
            decision: digest,
            counter: 1,
            previous: Some(digest),
        },
        Event::Refused {
            project: None,
            environment: None,
            run: Some(run),
            decision: None,
            codes: vec![Code::NetDenied],
        },
        Event::TipSeen {
            project: "shop".parse().unwrap(),
            reference: "refs/heads/main".into(),
            tip: commit.parse().unwrap(),
        },
    ];
    let role = Role::Decision(environment.parse().unwrap());
    for event in &events {
        fresh.state.journal().append(&role, time(0), event.clone()).unwrap();
    }
    let read: Vec<_> = entries(&fresh).unwrap().into_iter().map(|entry| entry.event).collect();
    assert_eq!(read, events);
}

#[test]
fn time_does_not_go_back() {
    let fresh = filled(3);
    let again = |second| fresh.state.journal().append(&Role::Builder, time(second), event(9));
    assert_eq!(
        shown(again(1)),
        "E-CLOCK: the clock says 1970-01-01T00:00:01Z, and the journal was last written at 1970-01-01T00:00:02Z"
    );
    assert!(again(2).is_ok(), "standing still is no way back");
}

#[test]
fn what_was_torn_by_a_kill_is_dropped_by_the_next_append() {
    let whole = fs::read(file(&filled(3))).unwrap();
    let second_end = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0 + 1;
    for cut in second_end..whole.len() {
        let fresh = filled(0);
        fs::write(file(&fresh), &whole[..cut]).unwrap();
        // All but the newline is the entry itself: nothing of it is lost, so it counts.
        let kept = if cut == whole.len() - 1 { 3 } else { 2 };
        assert_eq!(fresh.state.journal().position().unwrap().size, kept, "cut at {cut}");
        assert_eq!(entries(&fresh).unwrap().len() as u64, kept);
        assert_eq!(append(&fresh, 9).size, kept + 1);
        assert_eq!(entries(&fresh).unwrap().len() as u64, kept + 1);
    }
}

#[test]
fn room_that_a_file_system_made_and_never_filled_is_dropped() {
    let fresh = filled(2);
    File::options().append(true).open(file(&fresh)).unwrap().write_all(b"{\"by\":\"bu\0\0\0\0").unwrap();
    assert_eq!(append(&fresh, 9).size, 3);
    assert_eq!(entries(&fresh).unwrap().len(), 3);
}

#[test]
fn an_edit_is_named_by_the_entry_it_breaks() {
    type Edit = fn(&mut Vec<String>);
    let edits: &[(&str, Edit, u64)] = &[
        ("one digit changed", |lines| lines[1] = lines[1].replace("0101", "0102"), 2),
        ("one line removed", |lines| drop(lines.remove(1)), 1),
        ("two lines swapped", |lines| lines.swap(1, 2), 1),
        ("one line repeated", |lines| lines.insert(1, lines[0].clone()), 1),
        ("one line not canonical", |lines| lines[2] = lines[2].replace("\":", "\": "), 2),
        ("one line added", |lines| lines.push("{}".into()), 4),
    ];
    for (name, edit, index) in edits {
        let fresh = filled(4);
        let text = fs::read_to_string(file(&fresh)).unwrap();
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        edit(&mut lines);
        fs::write(file(&fresh), lines.join("\n") + "\n").unwrap();
        let refused = shown(entries(&fresh));
        let expected = format!("E-LOG-EDITED: entry {index} of the journal");
        assert!(refused.starts_with(&expected), "{name}: {refused}");
    }
}

/// What a process read once it does not parse again, but it looks at every byte of it again.
#[test]
fn an_edit_of_what_was_read_before_is_noticed() {
    let fresh = filled(5);
    assert_eq!(entries(&fresh).unwrap().len(), 5);
    append(&fresh, 5);
    assert_eq!(entries(&fresh).unwrap().len(), 6);
    let honest = fs::read_to_string(file(&fresh)).unwrap();
    fs::write(file(&fresh), honest.replacen("finished\",\"run\":\"0", "finished\",\"run\":\"1", 1)).unwrap();
    assert_eq!(code(entries(&fresh)), Some(Code::JournalBroken));
    fs::write(file(&fresh), honest).unwrap();
    assert_eq!(entries(&fresh).unwrap().len(), 6);
}

#[test]
fn appending_behind_an_edited_end_is_refused() {
    let fresh = filled(4);
    let text = fs::read_to_string(file(&fresh)).unwrap();
    let edited = text.replace(&Digest::of(&[2]).hex(), &Digest::of(&[8]).hex());
    assert_ne!(edited, text);
    fs::write(file(&fresh), edited).unwrap();
    let refused = fresh.state.journal().append(&Role::Builder, time(9), event(9));
    assert!(shown(refused).starts_with("E-LOG-EDITED: entry 3 of the journal"));
    assert_eq!(code(fresh.state.journal().position()), Some(Code::JournalBroken));
}

#[test]
fn a_long_journal_is_appended_to_by_its_end() {
    let fresh = Fresh::new();
    let codes = vec![Code::NetDenied; 2500];
    let long = Event::Refused { project: None, environment: None, run: None, decision: None, codes };
    for _ in 0..8 {
        fresh.state.journal().append(&Role::Refusal, time(0), long.clone()).unwrap();
    }
    assert!(fs::metadata(file(&fresh)).unwrap().len() > 4 << 16);
    assert_eq!(append(&fresh, 1).size, 9);
    assert_eq!(entries(&fresh).unwrap().len(), 9);
    let too_long = Event::Refused {
        project: None,
        environment: None,
        run: None,
        decision: None,
        codes: vec![Code::NetDenied; 10_000],
    };
    assert!(fresh.state.journal().append(&Role::Refusal, time(2), too_long).is_err());
    assert_eq!(entries(&fresh).unwrap().len(), 9);
}

/// Each member opens the directory for itself, as a process would; locks are per open file, so that threads stand for
/// processes here.
#[test]
fn members_append_at_the_same_time_and_lose_nothing() {
    let fresh = Fresh::new();
    let path = fresh.state.path();
    std::thread::scope(|scope| {
        for member in 0..4_u8 {
            scope.spawn(move || {
                let state = StateDir::open_member(path).unwrap();
                for _ in 0..25 {
                    state.journal().append(&Role::Builder, time(0), event(member)).unwrap();
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..50 {
                fresh.state.journal().entries().unwrap();
            }
        });
    });
    let entries = entries(&fresh).unwrap();
    assert_eq!(entries.len(), 100);
    for member in 0..4 {
        assert_eq!(entries.iter().filter(|entry| entry.event == event(member)).count(), 25);
    }
}

#[test]
fn a_reader_does_not_append() {
    let fresh = filled(1);
    let reader = StateDir::open_reader(fresh.state.path()).unwrap();
    assert!(reader.journal().append(&Role::Builder, time(1), event(1)).is_err());
    assert_eq!(reader.journal().entries().unwrap().len(), 1);
}

#[test]
fn an_edit_of_the_newest_entry_shows_only_in_its_position() {
    let fresh = filled(2);
    let remembered = fresh.state.journal().position().unwrap();
    let text = fs::read_to_string(file(&fresh)).unwrap();
    fs::write(file(&fresh), text.replace(&Digest::of(&[1]).hex(), &Digest::of(&[8]).hex())).unwrap();
    assert_eq!(entries(&fresh).unwrap().len(), 2, "no entry follows that could tell");
    assert_ne!(fresh.state.journal().position().unwrap(), remembered);
}

/// What somebody notices who remembers a position, as every signed statement does.
fn is_noticed(fresh: &Fresh, remembered: LogPosition) -> bool {
    match entries(fresh) {
        Ok(_) => fresh.state.journal().position().unwrap() != remembered,
        Err(StoreError::Refused(reason)) => reason.code == Code::JournalBroken,
        Err(_) => false,
    }
}

/// Runs a property on journals that differ from one good journal by their bytes alone.
fn with_cases<S: Strategy>(strategy: S, property: impl Fn(&Fresh, LogPosition, Vec<u8>, S::Value) -> bool) {
    let fresh = filled(4);
    let remembered = fresh.state.journal().position().unwrap();
    let good = fs::read(file(&fresh)).unwrap();
    let mut runner =
        TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() });
    let result = runner.run(&strategy, |value| {
        prop_assert!(property(&fresh, remembered, good.clone(), value));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

fn a_byte() -> impl Strategy<Value = (prop::sample::Index, u8)> {
    (any::<prop::sample::Index>(), 1_u8..=255)
}

#[test]
fn no_byte_can_be_changed_unnoticed() {
    with_cases(a_byte(), |fresh, remembered, mut bytes, (place, flip)| {
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        fs::write(file(fresh), &bytes).unwrap();
        // A zero in place of the last newline changes no entry.
        let unchanged = bytes[place] == 0 && place == bytes.len() - 1;
        is_noticed(fresh, remembered) || unchanged && entries(fresh).unwrap().len() == 4
    });
}

#[test]
fn an_older_entry_cannot_be_changed_even_for_who_remembers_nothing() {
    with_cases(a_byte(), |fresh, _, mut bytes, (place, flip)| {
        let newest = bytes.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0;
        bytes[place.index(newest)] ^= flip;
        fs::write(file(fresh), &bytes).unwrap();
        code(entries(fresh)) == Some(Code::JournalBroken)
    });
}

#[test]
fn no_piece_can_be_taken_out_unnoticed() {
    let piece = (any::<prop::sample::Index>(), 1_usize..400);
    with_cases(piece, |fresh, remembered, mut bytes, (from, length)| {
        let from = from.index(bytes.len() - 1);
        bytes.drain(from..(from + length).min(bytes.len() - 1));
        fs::write(file(fresh), &bytes).unwrap();
        is_noticed(fresh, remembered)
    });
}
