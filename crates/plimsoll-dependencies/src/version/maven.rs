//! Maven's versions (POM reference, "Version Order Specification", as `ComparableVersion` of Maven 3.9 does it):
//! nested lists of numbers and qualifiers.

use super::Number;
use std::cmp::Ordering;

/// Qualifiers that come before a release, in their order; `sp` and unknown ones come after it.
const KNOWN: [&str; 7] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];

#[derive(Debug, Clone)]
pub(super) struct Version(Vec<Item>);

#[derive(Debug, Clone)]
enum Item {
    Number(Number),
    Text(String),
    List(Vec<Item>),
}

impl Version {
    pub(super) fn parse(text: &str) -> Self {
        Self(Reader::default().read(&text.to_lowercase()))
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        lists(&self.0, &other.0)
    }
}

/// Builds the lists from left to right: the newest one is open, each list is the last item of the one around it.
#[derive(Default)]
struct Reader {
    finished: Vec<Vec<Item>>,
    open: Vec<Item>,
}

impl Reader {
    fn read(mut self, text: &str) -> Vec<Item> {
        let (mut start, mut digits) = (0, false);
        for (at, c) in text.char_indices() {
            let token = &text[start..at];
            match c {
                '.' | '-' => {
                    self.push(token, digits);
                    start = at + 1;
                    if c == '-' {
                        self.nest();
                    }
                }
                '0'..='9' => {
                    if !digits && !token.is_empty() {
                        self.nest_after_something();
                        self.open.push(Item::Text(qualifier(token, true)));
                        start = at;
                        self.nest();
                    }
                    digits = true;
                }
                _ => {
                    if digits && !token.is_empty() {
                        self.push(token, true);
                        start = at;
                        self.nest();
                    }
                    digits = false;
                }
            }
        }
        if start < text.len() {
            if !digits {
                self.nest_after_something();
            }
            self.push(&text[start..], digits);
        }
        self.finish()
    }

    fn push(&mut self, token: &str, digits: bool) {
        self.open.push(match token {
            "" => Item::Number(Number::zero()),
            _ if digits => Item::Number(Number::parse(token).unwrap_or_else(Number::zero)),
            _ => Item::Text(qualifier(token, false)),
        });
    }

    /// What follows is a list of its own.
    fn nest(&mut self) {
        self.finished.push(std::mem::take(&mut self.open));
    }

    /// A qualifier after a dot is as one after a hyphen.
    fn nest_after_something(&mut self) {
        if !self.open.is_empty() {
            self.nest();
        }
    }

    fn finish(mut self) -> Vec<Item> {
        let mut inner = normal(self.open);
        while let Some(mut outer) = self.finished.pop() {
            outer.push(Item::List(inner));
            inner = normal(outer);
        }
        inner
    }
}

fn qualifier(text: &str, before_digit: bool) -> String {
    match text {
        "a" if before_digit => "alpha",
        "b" if before_digit => "beta",
        "m" if before_digit => "milestone",
        "ga" | "final" | "release" => "",
        "cr" => "rc",
        other => other,
    }
    .to_owned()
}

/// A list without the zeros and empty parts at its end, and before the lists at its end.
fn normal(mut items: Vec<Item>) -> Vec<Item> {
    for at in (0..items.len()).rev() {
        match &items[at] {
            item if is_null(item) => drop(items.remove(at)),
            Item::List(_) => {}
            Item::Number(_) | Item::Text(_) => break,
        }
    }
    items
}

fn is_null(item: &Item) -> bool {
    match item {
        Item::Number(number) => number.is_zero(),
        Item::Text(text) => text.is_empty(),
        Item::List(list) => list.is_empty(),
    }
}

/// The place of a qualifier: the known ones, then all others in the order of their letters.
fn rank(text: &str) -> (usize, &str) {
    KNOWN.iter().position(|known| *known == text).map_or((KNOWN.len(), text), |place| (place, ""))
}

fn lists(a: &[Item], b: &[Item]) -> Ordering {
    let places = 0..a.len().max(b.len());
    let orders = places.map(|at| match (a.get(at), b.get(at)) {
        (Some(a), Some(b)) => items(a, b),
        (Some(a), None) => with_end(a),
        (None, Some(b)) => with_end(b).reverse(),
        (None, None) => Ordering::Equal,
    });
    orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// An item against the end of the other version.
fn with_end(item: &Item) -> Ordering {
    match item {
        Item::Number(number) => number.cmp(&Number::zero()),
        Item::Text(text) => rank(text).cmp(&rank("")),
        Item::List(list) => list.iter().map(with_end).find(|o| o.is_ne()).unwrap_or(Ordering::Equal),
    }
}

fn items(a: &Item, b: &Item) -> Ordering {
    match (a, b) {
        (Item::Number(a), Item::Number(b)) => a.cmp(b),
        // 1.1 is after 1-sp and 1-1, and any qualifier before a number.
        (Item::Number(_), _) => Ordering::Greater,
        (_, Item::Number(_)) => Ordering::Less,
        (Item::List(a), Item::List(b)) => lists(a, b),
        (Item::List(_), Item::Text(_)) => Ordering::Greater,
        (Item::Text(_), Item::List(_)) => Ordering::Less,
        (Item::Text(a), Item::Text(b)) => rank(a).cmp(&rank(b)),
    }
}
