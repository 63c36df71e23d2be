use super::*;
use crate::{ProjectKey, secrets::Point};
use proptest::prelude::*;

fn scanner(point: Point) -> Scanner {
    Scanner::new(point, ProjectKey::new([7; 32]))
}

#[test]
fn a_change_is_looked_at_with_whole_lines_around_it() {
    let line = "0123456789abcdef0123456789abcde\n";
    let content = line.repeat(1000);
    let check = |parts: &[(usize, usize)], expect: Option<&[(usize, usize)]>| {
        let changes: Vec<_> =
            parts.iter().map(|(start, end)| Change { part: *start..*end, next: 0 }).collect();
        let found = windows(content.as_bytes(), &changes);
        let found =
            found.map(|found| found.iter().map(|window| (window.start, window.end)).collect::<Vec<_>>());
        assert_eq!(found.as_deref(), expect, "{parts:?}");
    };
    check(&[], Some(&[]));
    check(&[(0, 0)], Some(&[(0, 1056)]));
    check(&[(16_010, 16_020)], Some(&[(14_976, 17_056)]));
    check(&[(16_010, 16_020), (17_100, 17_100)], Some(&[(14_976, 18_144)]));
    check(&[(32_000, 32_000)], Some(&[(30_976, 32_000)]));
    check(&[(2000, 20_000)], None);
    let change = Change { part: 500_000..500_001, next: 0 };
    assert_eq!(windows("x".repeat(1 << 20).as_bytes(), &[change]), None, "one long line");
}

/// Texts of which one is made from the other: pieces of it, and what stands between them.
struct Made {
    text: Vec<u8>,
    changes: Vec<Change>,
}

impl Made {
    /// From ranges of `base` and new text.
    fn of(base: &[u8], parts: &[Result<Range<usize>, &str>]) -> Self {
        let mut made = Self { text: Vec::new(), changes: Vec::new() };
        let mut next = 0;
        for part in parts {
            match part {
                Ok(piece) => {
                    if piece.start != next {
                        made.mark(0);
                    }
                    let length = made.text.len();
                    if let Some(last) = made.changes.last_mut().filter(|last| last.part.end == length) {
                        last.next = piece.start;
                    }
                    made.text.extend(&base[piece.clone()]);
                    next = piece.end;
                }
                Err(text) => {
                    made.mark(text.len());
                    made.text.extend(text.as_bytes());
                }
            }
        }
        if next != base.len() {
            made.mark(0);
        }
        made
    }

    fn mark(&mut self, length: usize) {
        let at = self.text.len();
        match self.changes.last_mut() {
            Some(last) if last.part.end == at => last.part.end += length,
            _ => self.changes.push(Change { part: at..at + length, next: 0 }),
        }
    }
}

fn was<'a>(text: &'a str, found: &'a Scanned) -> Before<'a> {
    Before { bytes: text.as_bytes(), found }
}

fn token(number: usize) -> String {
    let body = ["Q3EGR2X5B7ZK6WMT", "R5TZ2WQKX7GMJ3EV", "X6WJ3MZQ7KTBE2RP", "ZB4KQ7WX2NMT5GRJ"][number % 4];
    ["AK", "IA", body].concat()
}

/// A text with something to find on every so many lines.
fn text(lines: usize, every: usize) -> String {
    let line = |at: usize| match at % every {
        0 => format!("aws_access_key_id = {} # number {at}\n", token(at / every)),
        3 => format!("    password = \"vK7{at}qLx9Rw\" # gitleaks:allow\n"),
        _ => format!("    let value{at} = compute(other{at}, \"a string of words\"); // and why\n"),
    };
    (0..lines).map(line).collect()
}

#[test]
fn what_moved_is_found_where_it_went_without_looking_at_it_again() {
    let (scanner, base) = (scanner(Point::Gate), text(400, 40));
    let before = scanner.scan("a.py", base.as_bytes());
    assert!(before.findings.len() > 8 && before.suppressed.len() > 8, "{before:?}");
    let check = |what: &str, parts: &[Result<Range<usize>, &str>], carried: bool| {
        let made = Made::of(base.as_bytes(), parts);
        let found = scanner.carried("a.py", &made.text, was(&base, &before), &made.changes);
        assert_eq!(found.is_some(), carried, "{what}");
        let found = scanner.changed("a.py", &made.text, was(&base, &before), &made.changes);
        assert_eq!(found, scanner.scan("a.py", &made.text), "{what}");
    };
    let (length, line) = (base.len(), |number: usize| base.match_indices('\n').nth(number).unwrap().0 + 1);
    let new = format!("aws = {}\n", token(3));
    check("the same", &[Ok(0..length)], true);
    check("lines more", &[Ok(0..line(9)), Err("one\nand another\n"), Ok(line(9)..length)], true);
    check("lines less", &[Ok(0..line(9)), Ok(line(12)..length)], true);
    check("a secret less", &[Ok(0..line(79)), Ok(line(85)..length)], true);
    check("the end of a line", &[Ok(0..line(80) - 2), Err(" 2"), Ok(line(80) - 1..length)], true);
    check("two parts in turn", &[Ok(line(200)..length), Ok(0..line(200))], true);
    check("a part twice", &[Ok(0..line(150)), Ok(line(50)..length)], true);
    check("a secret more", &[Ok(0..line(100)), Err(&new), Ok(line(100)..length)], false);
    check("another secret", &[Ok(0..line(79)), Err(&new), Ok(line(80)..length)], false);
    check("a secret cut", &[Ok(0..line(79) + 30), Ok(line(80) - 1..length)], false);
    check("one allowed", &[Ok(0..line(80) - 1), Err(" gitleaks:allow"), Ok(line(80) - 1..length)], false);
    check("most of it", &[Ok(0..line(9)), Err(&base), Ok(line(9)..length)], false);
}

#[test]
fn what_cannot_be_told_from_changes_is_looked_at_whole() {
    let scanner = scanner(Point::Gate);
    let base = text(400, 40);
    let same = |before: &Scanned| scanner.carried("a.py", base.as_bytes(), was(&base, before), &[]).is_some();
    let before = scanner.scan("a.py", base.as_bytes());
    assert!(same(&before));
    let gap = super::super::gap("a.py", "cut off".into());
    assert!(!same(&Scanned { gaps: vec![gap], ..before.clone() }));
    assert!(!same(&Scanned { places: Default::default(), ..before.clone() }));
    let overlapping = [vec![0..10; before.findings.len()], before.places[1].clone()];
    assert!(!same(&Scanned { places: overlapping, ..before.clone() }));
    // The encoded text as a whole decides about what it holds.
    // plimsoll:allow secrets/aws-access-key an invented one
    let encoded = "a2V5ID0gQUtJQVEzRUdSMlg1QjdaSzZXTVQgIyBhbmQgbW9yZSBvZiBpdA==";
    let encoded = scanner.scan("a.py", encoded.as_bytes());
    assert_eq!((encoded.findings.len(), encoded.places), (1, Default::default()));
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(base.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(scanner.scan("a.py", &wide).places, <[Vec<Range<usize>>; 2]>::default());
}

/// A zero byte or a mark of UTF-16 decides how all is read: a change that brings one or takes it away changes everything.
#[test]
fn what_tells_text_from_other_bytes_is_seen_wherever_it_stands() {
    let (scanner, base) = (scanner(Point::Gate), text(400, 40));
    let text = base.as_bytes();
    // plimsoll:allow secrets/password an invented one
    let secret = "password = \"vK7pqLx9RwZ2\"\n";
    let wide: Vec<u8> = [&[0xff, 0xfe], text].concat();
    let binary = [b"\0", text].concat();
    let hidden = ["\0", secret].concat();
    let check = |what: &str, base: &[u8], parts: &[Result<Range<usize>, &str>], carried: bool| {
        let (before, made) = (scanner.scan("a.py", base), Made::of(base, parts));
        let before = Before { bytes: base, found: &before };
        let found = scanner.carried("a.py", &made.text, before, &made.changes);
        assert_eq!(found.is_some(), carried, "{what}");
        let found = scanner.changed("a.py", &made.text, before, &made.changes);
        assert_eq!(found, scanner.scan("a.py", &made.text), "{what}");
    };
    let length = text.len();
    check("text", text, &[Ok(0..length)], true);
    check("it became binary", text, &[Err("\0"), Ok(0..length)], false);
    check("it was binary", &binary, &[Ok(1..length + 1)], false);
    check("it was UTF-16", &wide, &[Ok(2..length + 2)], false);
    check("it still is", &wide, &[Ok(0..length + 2)], false);
    check("far from its beginning", text, &[Ok(0..length), Err(&hidden)], false);
}

#[test]
fn a_mark_of_utf_8_moves_nothing() {
    let scanner = scanner(Point::Gate);
    let base = ["\u{feff}", &text(200, 40)].concat();
    let before = scanner.scan("a.py", base.as_bytes());
    let made = Made::of(base.as_bytes(), &[Ok(0..base.len() - 5), Err("\n")]);
    let found = scanner.carried("a.py", &made.text, was(&base, &before), &made.changes);
    assert_eq!(found, Some(scanner.scan("a.py", &made.text)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn it_answers_as_a_scan_of_everything(
        cuts in proptest::collection::vec((0usize..400, 0usize..400, 0usize..8), 1..6),
        every in 20usize..90,
        audit in any::<bool>(),
    ) {
        let scanner = scanner(if audit { Point::Audit } else { Point::Gate });
        let base = text(400, every);
        let lines: Vec<usize> = std::iter::once(0).chain(base.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let new = format!("token = \"{}\"\n", token(2));
        let inserted = ["", "", "x\n", "# more\n# of it\n", "y", &new, "\"", "password = "];
        let mut parts = Vec::new();
        for (one, other, number) in cuts {
            parts.push(Ok(lines[one.min(other)]..lines[one.max(other)]));
            parts.extend((number > 1).then(|| Err(inserted[number])));
        }
        let made = Made::of(base.as_bytes(), &parts);
        let before = scanner.scan("a.py", base.as_bytes());
        let found = scanner.changed("a.py", &made.text, was(&base, &before), &made.changes);
        prop_assert_eq!(found, scanner.scan("a.py", &made.text));
    }

    #[test]
    fn no_changes_make_it_panic(
        changes in proptest::collection::vec((0usize..3000, 0usize..3000, 0usize..3000), 0..5),
    ) {
        let (scanner, base) = (scanner(Point::Gate), text(40, 10));
        let before = scanner.scan("a.py", base.as_bytes());
        let changes: Vec<_> = changes.into_iter().map(|(start, end, next)| Change { part: start..end, next }).collect();
        scanner.changed("a.py", base.as_bytes(), was(&base, &before), &changes);
    }
}
