//! How likely a value is a secret: a small sum of decision trees over named features. The trees are a text file beside
//! this one, made by `bench/secrets/train.py` from labelled public repositories.

use super::features::{self, Context, FEATURES};

/// The first line of `model.txt` is where the sum starts, the second names the features. Every other is one tree: its nodes
/// in order, `feature<threshold?right` for a branch and `=value` for a leaf. A feature is a number of the second line, from
/// 0; a threshold that is not there is a half; values are in hundred thousandths; left is always the next node.
pub(crate) const TEXT: &str = include_str!("model.txt");

/// A branch goes to the next node where the feature is below the threshold, else to `right`; a leaf has no feature.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Node {
    feature: u16,
    /// From the root of its tree on.
    right: u16,
    /// The threshold, or the value of the leaf.
    number: f32,
}

/// The feature of a leaf.
const LEAF: u16 = u16::MAX;

/// Models whose mean the file holds, one after the other.
const PARTS: usize = 3;
/// What the first of them says, as logarithm of the odds, of what is no secret: about one in fifty.
const CLEAR: f32 = -3.9;

/// All trees in one table: it is made when the program is, so that a scan of one small file neither reads the text nor
/// asks for memory.
struct Model<const TREES: usize, const NODES: usize> {
    base: f32,
    /// Where each tree begins.
    roots: [u16; TREES],
    nodes: [Node; NODES],
}

const TREES: usize = count(TEXT).0;
const NODES: usize = count(TEXT).1;

#[expect(long_running_const_eval, reason = "reads the whole text of the model, in about a second")]
static MODEL: Option<Model<TREES, NODES>> = parse(TEXT);

/// The probability that the value of `context` is a secret, as the labels of the training data see it. Zero where the
/// model cannot be read, which a test excludes.
pub(crate) fn score(context: &Context<'_>) -> f32 {
    MODEL.as_ref().map_or(0.0, |model| model.score(&features::vector(context)))
}

impl<const TREES: usize, const NODES: usize> Model<TREES, NODES> {
    fn score(&self, vector: &[f32]) -> f32 {
        let sum = |roots: &[u16]| roots.iter().map(|root| self.leaf(*root, vector)).sum::<f32>();
        let (first, others) = self.roots.split_at(TREES / PARTS);
        let one = sum(first);
        // Most values are so clearly none that the other models need not be asked.
        let all = self.base + one * PARTS as f32;
        let sum = if all < CLEAR { all } else { self.base + one + sum(others) };
        1.0 / (1.0 + (-sum).exp())
    }

    /// Children come after their parents, which the parser holds, so this ends.
    fn leaf(&self, root: u16, vector: &[f32]) -> f32 {
        let tree = self.nodes.get(usize::from(root)..).unwrap_or_default();
        let mut at = 0;
        while let Some(node) = tree.get(at) {
            if node.feature == LEAF {
                return node.number;
            }
            let is_below = vector.get(usize::from(node.feature)).is_some_and(|value| *value < node.number);
            at = if is_below { at + 1 } else { usize::from(node.right) };
        }
        0.0
    }
}

/// How many trees and nodes a text has.
const fn count(text: &str) -> (usize, usize) {
    let (mut reader, mut trees, mut nodes) = (Reader { text: text.as_bytes(), at: 0 }, 0, 0);
    reader.comments();
    reader.skip_line();
    reader.skip_line();
    while reader.at < reader.text.len() {
        trees += 1;
        while reader.word().is_some() {
            nodes += 1;
        }
        reader.at += 1;
    }
    (trees, nodes)
}

const fn parse<const TREES: usize, const NODES: usize>(text: &str) -> Option<Model<TREES, NODES>> {
    let mut reader = Reader { text: text.as_bytes(), at: 0 };
    reader.comments();
    let Some(base) = reader.word() else { return None };
    let Some(base) = decimal(base) else { return None };
    reader.skip_line();
    let Some(columns) = reader.columns() else { return None };
    let empty = Node { feature: LEAF, right: 0, number: 0.0 };
    let mut model = Model { base, roots: [0; TREES], nodes: [empty; NODES] };
    let (mut tree, mut at) = (0, 0);
    while tree < TREES {
        let root = at;
        model.roots[tree] = root as u16;
        while let Some(word) = reader.word() {
            let Some(node) = node(at - root, word, &columns) else { return None };
            model.nodes[at] = node;
            at += 1;
        }
        reader.at += 1;
        tree += 1;
    }
    // The numbers of roots are of two bytes.
    if at == NODES && at <= LEAF as usize { Some(model) } else { None }
}

/// Features that a model can name; the second line numbers them.
type Columns = [u16; 256];

/// Goes through the text word by word.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    const fn comments(&mut self) {
        while self.at < self.text.len() && matches!(self.text[self.at], b'#' | b'\n') {
            self.skip_line();
        }
    }

    const fn skip_line(&mut self) {
        while self.at < self.text.len() && self.text[self.at] != b'\n' {
            self.at += 1;
        }
        self.at += 1;
    }

    /// The next word of the line; stays before the line's end.
    const fn word(&mut self) -> Option<&'a [u8]> {
        while self.at < self.text.len() && self.text[self.at] == b' ' {
            self.at += 1;
        }
        let start = self.at;
        while self.at < self.text.len() && !matches!(self.text[self.at], b' ' | b'\n') {
            self.at += 1;
        }
        if self.at == start { None } else { Some(part(self.text, start, self.at)) }
    }

    /// The features that a line names, by their numbers in it.
    const fn columns(&mut self) -> Option<Columns> {
        let (mut columns, mut column) = ([LEAF; 256], 0);
        while let Some(name) = self.word() {
            let mut feature = 0;
            while feature < FEATURES.len() && !same(FEATURES[feature].0.as_bytes(), name) {
                feature += 1;
            }
            if feature == FEATURES.len() || column == columns.len() {
                return None;
            }
            columns[column] = feature as u16;
            column += 1;
        }
        self.at += 1;
        Some(columns)
    }
}

/// The node that stands at `at` of its tree.
const fn node(at: usize, text: &[u8], columns: &Columns) -> Option<Node> {
    if text[0] == b'=' {
        let Some(value) = integer(part(text, 1, text.len())) else { return None };
        return Some(Node { feature: LEAF, right: 0, number: value as f32 / 1e5 });
    }
    let mark = find(text, b'?');
    if mark == text.len() {
        return None;
    }
    let (test, right) = (part(text, 0, mark), part(text, mark + 1, text.len()));
    let below = find(test, b'<');
    let number = match below == test.len() {
        true => Some(0.5),
        false => decimal(part(test, below + 1, test.len())),
    };
    match (integer(part(test, 0, below)), number, integer(right)) {
        (Some(column @ 0..256), Some(number), Some(right @ 0..65536)) => {
            let feature = columns[column as usize];
            let right_comes_later = right as usize > at;
            if feature == LEAF || !right_comes_later {
                return None;
            }
            Some(Node { feature, right: right as u16, number })
        }
        _ => None,
    }
}

const fn part(text: &[u8], start: usize, end: usize) -> &[u8] {
    text.split_at(end).0.split_at(start).1
}

/// The length where the byte is not there.
const fn find(text: &[u8], byte: u8) -> usize {
    let mut at = 0;
    while at < text.len() && text[at] != byte {
        at += 1;
    }
    at
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

const fn integer(text: &[u8]) -> Option<i32> {
    match digits(text) {
        Some((number, 0)) if number.unsigned_abs() < 1 << 31 => Some(number as i32),
        _ => None,
    }
}

/// As the standard library reads it: numbers of up to fifteen digits and their quotients are rounded once, and a test
/// compares every number of the model.
const fn decimal(text: &[u8]) -> Option<f32> {
    let Some((number, mut places)) = digits(text) else { return None };
    let mut power = 1.0_f64;
    while places > 0 {
        power *= 10.0;
        places -= 1;
    }
    Some((number as f64 / power) as f32)
}

/// All digits of a decimal number, and how many of them stand behind the point.
const fn digits(text: &[u8]) -> Option<(i64, u32)> {
    let negative = !text.is_empty() && text[0] == b'-';
    let (mut at, mut number, mut behind) = (negative as usize, 0_i64, None);
    if at == text.len() || text.len() > 16 {
        return None;
    }
    while at < text.len() {
        match (text[at], behind) {
            (b'.', None) => behind = Some(0),
            (digit @ b'0'..=b'9', _) => {
                number = number * 10 + (digit - b'0') as i64;
                if let Some(count) = behind {
                    behind = Some(count + 1);
                }
            }
            _ => return None,
        }
        at += 1;
    }
    let places = match behind {
        Some(places) => places,
        None => 0,
    };
    Some((if negative { -number } else { number }, places))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_in_the_program_can_be_read() {
        let model = MODEL.as_ref().unwrap();
        assert!(TREES > 100 && model.nodes.len() > TREES && model.roots.is_sorted());
    }

    #[test]
    fn its_numbers_are_those_that_the_standard_library_reads() {
        let mut lines = TEXT.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let same = |ours: f32, text: &str| assert_eq!(ours.to_bits(), text.parse::<f32>().unwrap().to_bits());
        let model = MODEL.as_ref().unwrap();
        same(model.base, lines.next().unwrap());
        let words: Vec<&str> = lines.skip(1).flat_map(|line| line.split(' ')).collect();
        assert_eq!(words.len(), NODES);
        for (word, node) in words.iter().zip(&model.nodes) {
            match (word.strip_prefix('='), word.split_once('<')) {
                (Some(leaf), _) => {
                    let value: i32 = leaf.parse().unwrap();
                    assert_eq!((node.feature, node.number.to_bits()), (LEAF, (value as f32 / 1e5).to_bits()));
                }
                (None, Some((_, rest))) => same(node.number, rest.split('?').next().unwrap()),
                (None, None) => assert_eq!(node.number.to_bits(), 0.5_f32.to_bits()),
            }
        }
    }

    #[test]
    fn a_tree_is_followed_from_its_root() {
        let text = "# made by hand\n-1\nquoted value.length\n1<8?2 =-200000 =300000\n";
        let model = parse::<1, 3>(text).unwrap();
        assert_eq!(count(text), (1, 3));
        let at = FEATURES.iter().position(|(name, _)| *name == "value.length").unwrap();
        let mut vector = vec![0.0; FEATURES.len()];
        let near = |a: f32, b: f32| (a - b).abs() < 1e-4;
        assert!(near(model.score(&vector), 1.0 / (1.0 + 3.0_f32.exp())));
        vector[at] = 8.0;
        assert!(near(model.score(&vector), 1.0 / (1.0 + (-2.0_f32).exp())));
    }

    #[test]
    fn a_broken_model_is_none() {
        for text in [
            "",
            "x",
            "0\nunknown\n0?2 =1 =2",
            "0\nquoted\n0?0 =1 =2",
            "0\nquoted\n0?x =1 =2",
            "0\nquoted\n1?2 =1 =2",
            "0\nquoted\n0<?2 =1 =2",
            "0\nquoted\n0<8 =1 =2",
            "0\nquoted\n0?2 =x =2",
            "0\nquoted\n0?2 =1 =2147483648",
            "0\nquoted\n0?2 =1",
        ] {
            assert!(parse::<1, 3>(text).is_none(), "{text}");
        }
    }
}
