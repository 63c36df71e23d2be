//! What YAML is read, what is refused, and that no text breaks the reader.

use super::*;
use proptest::prelude::*;

fn one(text: &str) -> Node {
    parse(text).unwrap().remove(0).root
}

fn refused(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn documents_keep_the_places_of_keys_and_values() {
    let text = "# first\n---\na: 1\n---\nb:\n  - c: d\n...\n---\n";
    let documents = parse(text).unwrap();
    assert_eq!(documents.len(), 2);
    let (key, value) = documents[0].root.entry("a").unwrap();
    assert_eq!((&text[key.span.clone()], &text[value.span.clone()]), ("a", "1"));
    let inner = &documents[1].root.get("b").unwrap().items()[0];
    assert_eq!(&text[inner.get("c").unwrap().span.clone()], "d");
}

#[test]
fn plain_text_means_truth_values_numbers_and_nothing() {
    let root = one("{a: true, b: 'true', c: 12, d: ~, e: no, f: !!str true}");
    let at = |key| root.get(key).unwrap();
    assert_eq!(at("a").truth(), Some(true));
    assert_eq!(at("b").truth(), None);
    assert_eq!(at("c").number(), Some(12));
    assert!(at("d").is_null());
    assert_eq!(at("e").truth(), Some(false));
    assert_eq!(at("f").truth(), None);
    assert_eq!(root.at(&["a", "b"]), None);
}

#[test]
fn json_is_yaml() {
    let root = one("{\n\t\"a\": [1, \"x\\ny\"],\n\t\"b\": {}\n}\n");
    assert_eq!(root.get("a").unwrap().texts().collect::<Vec<_>>(), ["1", "x\ny"]);
}

#[test]
fn aliases_and_merges_are_written_out() {
    let root = one("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\nz: *x\n");
    assert_eq!(root.at(&["y", "a"]).unwrap().number(), Some(1));
    assert_eq!(root.at(&["y", "b"]).unwrap().number(), Some(3));
    assert_eq!(root.at(&["z", "b"]).unwrap().number(), Some(2));
    let root = one("x: &x {a: 1}\ny: &y {a: 2, b: 2}\nz:\n  <<: [*x, *y]\n");
    assert_eq!(root.at(&["z", "a"]).unwrap().number(), Some(1), "the first of several wins");
    assert_eq!(root.at(&["z", "b"]).unwrap().number(), Some(2));
}

#[test]
fn the_last_of_two_keys_counts_and_both_are_reported() {
    let text = "a: 1\nb: {c: 1, c: 2}\na: 3\n";
    let document = parse(text).unwrap().remove(0);
    assert_eq!(document.root.get("a").unwrap().number(), Some(3));
    let at: Vec<usize> = document.duplicates.iter().map(|key| key.span.start).collect();
    assert_eq!(at, [text.find("c: 2").unwrap(), text.rfind('a').unwrap()]);
}

#[test]
fn tags_are_kept_as_written() {
    let root = one("a: !Ref Bucket\nb: !GetAtt [x, y]\n");
    assert_eq!(root.get("a").unwrap().tag.as_deref(), Some("!Ref"));
    assert_eq!(root.get("b").unwrap().tag.as_deref(), Some("!GetAtt"));
}

#[test]
fn a_billion_laughs_spends_its_budget_and_no_memory() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    assert!(refused(&text).contains("has more than 1000000 values"));
}

#[test]
fn depth_and_broken_text_are_refused_with_their_line() {
    assert!(parse(&"[".repeat(5_000)).is_err());
    assert!(parse(&"- ".repeat(5_000)).is_err());
    assert!(refused("a: b\nc: [\n").contains("is not valid YAML"));
    assert!(refused("a:\n  b: c\n d: e\n").ends_with("(line 3)"), "{}", refused("a:\n  b: c\n d: e\n"));
    assert!(refused("a: &a [*a]\n").contains("alias"));
}

#[test]
fn a_long_list_is_read_in_a_moment() {
    let text = "- {a: b, c: d}\n".repeat(50_000);
    assert_eq!(one(&text).items().len(), 50_000);
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "[-a-c:{}\\[\\],&*!|>#'\"\\\\ \n\t%]{0,80}") {
        if let Ok(documents) = parse(&text) {
            for document in documents {
                prop_assert!(text.get(document.root.span.clone()).is_some());
            }
        }
    }

    #[test]
    fn no_characters_break_the_reader(text in "\\PC{0,60}") {
        let _ = parse(&text);
    }
}
