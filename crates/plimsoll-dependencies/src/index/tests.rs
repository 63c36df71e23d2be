//! An index gives back what was put into it, and refuses to be anything else than what was compiled.

use super::*;
use crate::advisory::priority::Priorities;
use layout::VERSION;
use proptest::prelude::*;

fn record(id: &str, modified: &str, more: &str) -> String {
    format!(
        r#"{{"id":"{id}","modified":"{modified}","summary":"about {id}",{more}
            "affected":[{{"package":{{"ecosystem":"npm","name":"left-pad"}},
              "ranges":[{{"type":"SEMVER","events":[{{"introduced":"1.0.0"}},{{"fixed":"1.3.0"}}]}}],"versions":["0.0.9"]}}]}}"#
    )
}

fn compiled(records: &[String]) -> (Vec<u8>, Contents) {
    let mut compiler = Compiler::new("2026-01-01T00:00:00Z".parse().unwrap());
    records.iter().enumerate().for_each(|(at, text)| compiler.add(&format!("{at}.json"), text.as_bytes()));
    let mut priorities = Priorities::default();
    priorities.exploited.insert("CVE-2024-1".into());
    priorities.predicted.insert("CVE-2024-2".into(), 0.25);
    compiler.finish(&priorities).unwrap()
}

fn two() -> Vec<String> {
    vec![
        record("GHSA-a", "2024-01-01T00:00:00Z", r#""aliases":["CVE-2024-1"],"#),
        record("GHSA-b", "2025-01-01T00:00:00Z", r#""aliases":["CVE-2024-2"],"#),
    ]
}

#[test]
fn an_index_says_of_a_package_what_its_records_say() {
    let (bytes, contents) = compiled(&two());
    assert_eq!(contents.advisories, 2);
    let index = Index::open(bytes).unwrap();
    assert_eq!((index.advisories(), index.packages()), (2, 1));
    assert_eq!(index.ecosystems().unwrap(), [("npm".to_owned(), 1)]);
    assert_eq!(index.updated().to_string(), "2025-01-01T00:00:00Z");
    let found = index.find("npm", "left-pad").unwrap();
    let interval = Interval { from: Some("1.0.0".into()), to: End::Before("1.3.0".into()), limit: None };
    assert_eq!(found[0].id, "GHSA-a");
    assert_eq!((found[0].aliases.as_slice(), found[0].exploited), (&["CVE-2024-1".to_owned()][..], true));
    assert_eq!((found[1].exploited, found[1].predicted), (false, 250_000));
    assert_eq!((&found[0].intervals, &found[0].versions), (&vec![interval], &vec!["0.0.9".to_owned()]));
    for (ecosystem, name) in [("npm", "left"), ("npm", "left-pad2"), ("PyPI", "left-pad"), ("", "")] {
        assert_eq!(index.find(ecosystem, name).unwrap(), []);
    }
}

#[test]
fn the_same_records_give_the_same_bytes_in_any_order_and_the_newest_of_a_record_counts() {
    let (first, _) = compiled(&two());
    let (reversed, _) = compiled(&two().into_iter().rev().collect::<Vec<_>>());
    assert_eq!(first, reversed);
    let old = record("GHSA-b", "2020-01-01T00:00:00Z", r#""withdrawn":"2020-01-01T00:00:00Z","#);
    let (with_old, _) = compiled(&[two(), vec![old]].concat());
    assert_eq!(first, with_old);
}

#[test]
fn what_was_withdrawn_is_left_out_and_what_cannot_be_read_is_told() {
    let withdrawn = record("GHSA-b", "2025-06-01T00:00:00Z", r#""withdrawn":"2025-06-01T00:00:00Z","#);
    let elsewhere = record("X-1", "2024-01-01T00:00:00Z", "").replace("npm", "Nowhere");
    let absurd = record("X-2", "2024-01-01T00:00:00Z", "").replace("1.3.0", "one");
    let others = [withdrawn, elsewhere, absurd, "{\"id\":".into(), "{}".into()];
    let (bytes, contents) = compiled(&[&two()[..1], &others].concat());
    assert_eq!((contents.advisories, contents.withdrawn, contents.other, contents.unreadable), (3, 1, 1, 1));
    assert_eq!(contents.unknown_ecosystems.get("Nowhere"), Some(&1));
    assert_eq!((contents.unordered, contents.problems.len()), (1, 1));
    let found = Index::open(bytes).unwrap().find("npm", "left-pad").unwrap();
    let marked: Vec<_> = found.iter().map(|entry| (entry.id.as_str(), entry.unordered)).collect();
    assert_eq!(marked, [("GHSA-a", false), ("X-2", true)]);
}

#[test]
fn a_record_from_the_future_makes_nothing_newer() {
    let future = record("GHSA-c", "2099-01-01T00:00:00Z", "");
    let (bytes, _) = compiled(&[two(), vec![future]].concat());
    assert_eq!(Index::open(bytes).unwrap().updated().to_string(), "2025-01-01T00:00:00Z");
}

#[test]
fn nothing_makes_no_index() {
    let mut compiler = Compiler::new(Timestamp::UNIX_EPOCH);
    compiler.add("a.json", b"{}");
    assert!(compiler.finish(&Priorities::default()).is_err());
}

#[test]
fn what_was_cut_off_altered_or_made_by_another_version_is_refused() {
    let (bytes, _) = compiled(&two());
    let open = |bytes: &[u8]| Index::open(bytes.to_vec()).map(|_| ());
    for length in 0..bytes.len() {
        assert!(open(&bytes[..length]).is_err(), "{length} bytes");
    }
    assert!(matches!(open(&[&bytes[..], b"x"].concat()), Err(IndexError::Length { .. })));
    assert_eq!(open(b"{}"), Err(IndexError::NotAnIndex));
    let mut other = bytes.clone();
    other[16] += 1;
    assert_eq!(open(&other), Err(IndexError::Version(VERSION + 1)));
    let mut altered = bytes.clone();
    let last = altered.len() - 1;
    altered[last] ^= 1;
    let altered = Index::open(altered).unwrap();
    assert_eq!(altered.find("npm", "left-pad"), Err(IndexError::Altered(0)));
    assert_eq!(altered.database().digest, Index::open(bytes).unwrap().database().digest);
}

#[test]
fn a_forged_page_with_a_matching_digest_is_another_index() {
    let (bytes, _) = compiled(&two());
    let index = Index::open(bytes.clone()).unwrap();
    let head = index.head.length;
    let mut forged = bytes;
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let digest = Digest::of(&forged[head..]);
    forged[head - 32..head].copy_from_slice(digest.as_bytes());
    let forged = Index::open(forged).unwrap();
    assert!(forged.find("npm", "left-pad").is_ok());
    assert_ne!(forged.database().digest, index.database().digest);
}

/// Of `count` packages with names like `p0007`, as many pages as that takes.
fn many(count: usize) -> Vec<u8> {
    let named = |at: usize| {
        record(&format!("GHSA-{at:04}"), "2024-01-01T00:00:00Z", "").replace("left-pad", &format!("p{at:04}"))
    };
    compiled(&(0..count).map(named).collect::<Vec<_>>()).0
}

/// What is promised of a page that was altered: no answer comes from it. Who asks for nothing on it is answered as before.
#[test]
fn of_an_altered_page_nothing_is_believed_and_the_others_answer_as_before() {
    let whole = many(300);
    let names: Vec<String> = (0..300).map(|at| format!("p{at:04}")).collect();
    let good = Index::open(whole.clone()).unwrap();
    let (head, pages) = (good.head.length, good.head.pages());
    assert!(pages > 6, "{pages}");
    let mut answered = 0;
    for page in 0..pages {
        let mut altered = whole.clone();
        altered[head + page * PAGE] ^= 1;
        for name in &names {
            let index = Index::open(altered.clone()).unwrap();
            match index.find("npm", name) {
                Ok(found) => {
                    assert_eq!(Ok(found), good.find("npm", name));
                    answered += 1;
                }
                Err(error) => assert_eq!(error, IndexError::Altered(page), "{name}"),
            }
        }
    }
    // Each lookup reads a few pages and not all of them.
    assert!(answered > 300 * (pages - 6) && answered < 300 * pages, "{answered} of {}", 300 * pages);
}

#[test]
fn a_missing_page_or_another_list_of_digests_is_another_index() {
    let whole = many(300);
    let good = Index::open(whole.clone()).unwrap();
    let head = good.head.length;
    let cut = [&whole[..head], &whole[head + PAGE..]].concat();
    let expected = IndexError::Length { actual: (whole.len() - PAGE) as u64, expected: whole.len() as u64 };
    assert_eq!(Index::open(cut).map(|_| ()), Err(expected));
    let mut swapped = whole.clone();
    swapped[head..head + 2 * PAGE].rotate_left(PAGE);
    let swapped = Index::open(swapped).unwrap();
    assert_eq!(swapped.find("npm", "p0000"), Err(IndexError::Altered(0)));
    for digest in 0..good.head.pages() {
        let mut listed = whole.clone();
        listed[head - 32 * (digest + 1)] ^= 1;
        assert_ne!(Index::open(listed).unwrap().database().digest, good.database().digest);
    }
}

#[test]
fn versions_that_an_interval_has_are_not_stored_once_more() {
    let more = record("GHSA-a", "2024-01-01T00:00:00Z", "");
    let listed = more.replace(r#"["0.0.9"]"#, r#"["1.0.0","1.2.9","1.3.0","zero","0.0.9"]"#);
    let (bytes, _) = compiled(&[listed]);
    let found = Index::open(bytes).unwrap().find("npm", "left-pad").unwrap();
    assert_eq!(found[0].versions, ["0.0.9", "1.3.0", "zero"]);
}

proptest! {
    /// Numbers and texts come back as they were written, and what was cut off is no number and no text.
    #[test]
    fn numbers_and_texts_come_back(number in any::<u32>(), text in ".{0,300}") {
        let mut bytes = Vec::new();
        layout::put_number(&mut bytes, number);
        layout::put_text(&mut bytes, &text).unwrap();
        let mut cursor = Cursor(&bytes);
        prop_assert_eq!((cursor.number(), cursor.text()), (Ok(number), Ok(text.as_str())));
        prop_assert!(cursor.is_at_end());
        let mut cut = Cursor(&bytes[..bytes.len() - 1]);
        prop_assert!(cut.number().and_then(|_| cut.text().map(str::len)).is_err());
    }

    #[test]
    fn no_bytes_are_too_strange_to_be_opened(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut headed = b"plimsoll-index\r\n\x02\0\0\0".to_vec();
        headed.extend(&bytes);
        for bytes in [bytes, headed] {
            if let Ok(index) = Index::open(bytes) {
                let _ = (index.ecosystems(), index.find("npm", "left-pad"));
            }
        }
    }

    /// With the digests made to fit, as only who makes the index can: it may lie, but it may not crash the program.
    #[test]
    fn an_index_that_was_compiled_by_an_enemy_is_read_or_refused(changes in prop::collection::vec((0_usize..2000, any::<u8>()), 1..4)) {
        let (mut bytes, _) = compiled(&two());
        let head = Index::open(bytes.clone()).unwrap().head.length;
        for (at, byte) in changes {
            let at = head + at % (bytes.len() - head);
            bytes[at] = byte;
        }
        let digest = Digest::of(&bytes[head..]);
        bytes[head - 32..head].copy_from_slice(digest.as_bytes());
        let index = Index::open(bytes).unwrap();
        let _ = (index.ecosystems(), index.find("npm", "left-pad"));
    }
}
