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
    /// A qualifier with a number right behind it: `rc1`, `rc-1`.
    Counted(String, Number),
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
    counted: bool,
}

impl Reader {
    fn read(mut self, text: &str) -> Vec<Item> {
        let (mut start, mut digits) = (0, false);
        for (at, c) in text.char_indices() {
            let token = &text[start..at];
            match c {
                '.' => {
                    self.push(token, digits);
                    start = at + 1;
                }
                '-' if !token.is_empty() && !digits && starts_with_digit(&text[at + 1..]) => {
                    // `rc-1` is `rc1`.
                    self.counted = true;
                }
                '-' => {
                    self.push(token, digits);
                    start = at + 1;
                    self.nest();
                }
                '0'..='9' => {
                    if !digits && !token.is_empty() {
                        self.counted = true;
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
                self.nest();
            }
            self.push(&text[start..], digits);
        }
        self.finish()
    }

    fn push(&mut self, token: &str, digits: bool) {
        let item = if token.is_empty() {
            Item::Number(Number::zero())
        } else if std::mem::take(&mut self.counted) {
            counted(&token.replace('-', ""))
        } else if digits {
            Item::Number(Number::parse(token).unwrap_or_else(Number::zero))
        } else {
            Item::Text(qualifier(token, false))
        };
        self.open.push(item);
    }

    /// What follows is a list of its own.
    fn nest(&mut self) {
        if !self.open.is_empty() {
            self.finished.push(std::mem::take(&mut self.open));
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

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

fn counted(token: &str) -> Item {
    let at = token.find(|c: char| c.is_ascii_digit()).unwrap_or(token.len());
    let (text, digits) = token.split_at(at);
    Item::Counted(qualifier(text, true), Number::parse(digits).unwrap_or_else(Number::zero))
}

fn qualifier(text: &str, before_digit: bool) -> String {
    match text {
        "a" if before_digit => "alpha",
        "b" if before_digit => "beta",
        "m" if before_digit => "milestone",
        "cr" => "rc",
        other => other,
    }
    .to_owned()
}

/// A list without the zeros and empty parts that have no influence: at its end, and before a qualifier.
fn normal(mut items: Vec<Item>) -> Vec<Item> {
    for at in (0..items.len()).rev() {
        let removed = is_null(&items[at])
            && match items.get(at + 1) {
                None | Some(Item::Text(_)) => true,
                Some(Item::List(list)) => matches!(list.first(), Some(Item::Text(_) | Item::Counted(..))),
                Some(Item::Number(_) | Item::Counted(..)) => false,
            };
        if removed {
            items.remove(at);
        }
    }
    items
}

fn is_null(item: &Item) -> bool {
    match item {
        Item::Number(number) => number.is_zero(),
        Item::Text(text) => text.is_empty(),
        Item::Counted(..) => false,
        Item::List(list) => list.is_empty(),
    }
}

/// The place of a qualifier: the known ones, then all others in the order of their letters.
fn rank(text: &str) -> (usize, &str) {
    let text = if ["ga", "final", "release"].contains(&text) { "" } else { text };
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
    let release = |text: &str| rank(text).cmp(&rank(""));
    match item {
        Item::Number(number) => number.cmp(&Number::zero()),
        Item::Text(text) => release(text),
        Item::Counted(text, _) => release(text),
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
        (Item::List(_), _) => Ordering::Greater,
        (_, Item::List(_)) => Ordering::Less,
        (Item::Text(a), Item::Text(b)) => rank(a).cmp(&rank(b)),
        (Item::Counted(a, n), Item::Counted(b, m)) => rank(a).cmp(&rank(b)).then_with(|| n.cmp(m)),
        // A qualifier with a number is after the same one without.
        (Item::Counted(a, _), Item::Text(b)) => rank(a).cmp(&rank(b)).then(Ordering::Greater),
        (Item::Text(a), Item::Counted(b, _)) => rank(a).cmp(&rank(b)).then(Ordering::Less),
    }
}
