//! UUIDs that look random, for the audit alone. Most only name something; but session identifiers, keys of small services
//! and addresses of shared pages are UUIDs too, and who reads one there has what it opens.

use super::features::Traits;
use super::{detect::Candidate, rules, value};
use memchr::memchr_iter;
use std::ops::Range;

/// How sure a UUID is: enough for the audit, never for the gate.
const CONFIDENCE: f32 = 0.5;
/// In a file with more of them they are names of rows: none is reported.
const MOST: usize = 1000;
/// Fewer different digits than nearly every random one has.
const DISTINCT: usize = 9;
/// Bytes before one that may say what it names.
const BEFORE: usize = 32;

/// UUIDs in a file, in order of place; none where the file is one that has them by its kind.
pub(crate) fn candidates(traits: &Traits, bytes: &[u8]) -> Vec<Candidate> {
    if traits.lock || traits.project {
        return Vec::new();
    }
    let found: Vec<Candidate> = all(bytes).take(MOST + 1).map(candidate).collect();
    if found.len() > MOST { Vec::new() } else { found }
}

fn candidate(range: Range<usize>) -> Candidate {
    Candidate { rule: &rules::UUID, range, confidence: CONFIDENCE, judged: None, decoded: None }
}

/// Where UUIDs stand alone and look random. Each is known by its first dash.
fn all(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    memchr_iter(b'-', bytes).filter_map(|dash| around(bytes, dash))
}

fn around(bytes: &[u8], dash: usize) -> Option<Range<usize>> {
    let range = dash.checked_sub(8)?..dash + 28;
    let text = bytes.get(range.clone())?;
    // The second dash is looked at first: most dashes have none there.
    (text[13] == b'-' && value::uuid(text)).then_some(())?;
    let joins =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte));
    let alone =
        !joins(range.start.checked_sub(1).and_then(|at| bytes.get(at))) && !joins(bytes.get(range.end));
    let before = &bytes[range.start.saturating_sub(BEFORE)..range.start];
    (alone && random(text) && !value::has_any(before, NAMES)).then_some(range)
}

/// What says that a UUID is the name of a key or of a class of objects.
const NAMES: &[&str] = &["key_id", "keyid", "key-id", "clsid"];

/// Whether a UUID was drawn rather than typed.
fn random(uuid: &[u8]) -> bool {
    let seen = uuid
        .iter()
        .filter_map(|byte| char::from(*byte).to_digit(16))
        .fold(0u32, |seen, digit| seen | 1 << digit);
    seen.count_ones() as usize >= DISTINCT && !uuid.split(|byte| *byte == b'-').any(value::sequence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &str) -> Vec<&str> {
        all(text.as_bytes()).map(|range| &text[range]).collect()
    }

    #[test]
    fn a_uuid_that_was_drawn_is_found_wherever_it_stands() {
        let drawn = ["d2714c9e-6f85", "4b03-9a1d-58e7f60c3b24"].join("-");
        for text in [
            format!("session: {drawn}"),
            format!("https://example.org/share/{drawn}/view"),
            format!("{{{}}}", drawn.to_uppercase()),
            drawn.clone(),
        ] {
            assert_eq!(found(&text).len(), 1, "{text}");
        }
    }

    #[test]
    fn one_that_was_typed_or_is_part_of_something_else_is_not() {
        let drawn = ["d2714c9e-6f85", "4b03-9a1d-58e7f60c3b24"].join("-");
        for text in [
            "00000000-0000-0000-0000-000000000000".to_owned(),
            "11111111-2222-3333-4444-555555555555".to_owned(),
            "12345678-ABCD-9876-ABCD-123456789012".to_owned(),
            format!("x{drawn}"),
            format!("{drawn}-1"),
            format!("\"kms_key_id\": \"{drawn}\""),
            format!("classid=\"clsid:{drawn}\""),
        ] {
            assert_eq!(found(&text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_table_of_them_and_a_project_file_are_passed_over() {
        let rows = |count: u32| -> String {
            let row = |row: u32| {
                format!("{:08x}-6f85-4b03-9a1d-58e7f60c{row:04x}\n", row.wrapping_mul(0x9e37_79b1))
            };
            (1..=count).map(row).collect()
        };
        let check = |path: &str, count, expect| {
            let traits = super::super::features::traits(path);
            assert_eq!(!candidates(&traits, rows(count).as_bytes()).is_empty(), expect, "{path} {count}");
        };
        check("data.csv", 900, true);
        check("data.csv", 3000, false);
        check("App.csproj", 10, false);
        check("App.sln", 10, false);
    }

    proptest! {
        #[test]
        fn no_text_of_digits_and_dashes_makes_it_panic(text in "[0-9a-f-]{0,80}") {
            for range in all(text.as_bytes()) {
                prop_assert!(value::uuid(&text.as_bytes()[range]));
            }
        }
    }
}
