//! How likely a value is a secret: a small sum of decision trees over named features. The trees are a text file beside
//! this one, made by `bench/secrets/train.py` from labelled public repositories.

use super::features::{self, Context, FEATURES};
use std::sync::LazyLock;

/// The first line of `model.txt` is where the sum starts, the second names the features. Every other is one tree: its nodes
/// in order, `feature<threshold?right` for a branch and `=value` for a leaf. A feature is a number of the second line, from
/// 0; a threshold that is not there is a half; values are in hundred thousandths; left is always the next node.
pub(crate) const TEXT: &str = include_str!("model.txt");

#[derive(Debug, Clone, Copy, PartialEq)]
enum Node {
    /// To the next where the feature is below the threshold, else to this one.
    Branch(u16, f32, u16),
    Leaf(f32),
}

/// Models whose mean the file holds, one after the other.
const PARTS: usize = 3;
/// What the first of them says, as logarithm of the odds, of what is no secret: about one in fifty.
const CLEAR: f32 = -3.9;

struct Model {
    base: f32,
    trees: Vec<Vec<Node>>,
}

static MODEL: LazyLock<Option<Model>> = LazyLock::new(|| parse(TEXT));

/// The probability that the value of `context` is a secret, as the labels of the training data see it. Zero where the
/// model cannot be read, which a test excludes.
pub(crate) fn score(context: &Context<'_>) -> f32 {
    MODEL.as_ref().map_or(0.0, |model| model.score(&features::vector(context)))
}

impl Model {
    fn score(&self, vector: &[f32]) -> f32 {
        let sum = |trees: &[Vec<Node>]| trees.iter().map(|tree| leaf(tree, vector)).sum::<f32>();
        let (first, others) = self.trees.split_at(self.trees.len() / PARTS);
        let one = sum(first);
        // Most values are so clearly none that the other models need not be asked.
        let all = self.base + one * PARTS as f32;
        let sum = if all < CLEAR { all } else { self.base + one + sum(others) };
        1.0 / (1.0 + (-sum).exp())
    }
}

/// Children come after their parents, which the parser holds, so this ends.
fn leaf(tree: &[Node], vector: &[f32]) -> f32 {
    let mut at = 0;
    loop {
        match tree.get(at) {
            Some(Node::Branch(feature, threshold, right)) => {
                let is_below = vector.get(usize::from(*feature)).is_some_and(|value| value < threshold);
                at = if is_below { at + 1 } else { usize::from(*right) };
            }
            Some(Node::Leaf(value)) => return *value,
            None => return 0.0,
        }
    }
}

fn parse(text: &str) -> Option<Model> {
    let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let base = lines.next()?.trim().parse().ok()?;
    let column = |name: &str| FEATURES.iter().position(|(known, _)| *known == name);
    let columns: Vec<u16> = lines
        .next()?
        .split(' ')
        .map(|name| column(name).and_then(|at| u16::try_from(at).ok()))
        .collect::<Option<_>>()?;
    Some(Model { base, trees: lines.map(|line| tree(line, &columns)).collect::<Option<_>>()? })
}

fn tree(line: &str, columns: &[u16]) -> Option<Vec<Node>> {
    line.split(' ').enumerate().map(|(at, text)| node(at, text, columns)).collect()
}

fn node(at: usize, text: &str, columns: &[u16]) -> Option<Node> {
    if let Some(leaf) = text.strip_prefix('=') {
        return leaf.parse().ok().map(|value: i32| Node::Leaf(value as f32 / 1e5));
    }
    let (test, right) = text.split_once('?')?;
    let (feature, threshold) = match test.split_once('<') {
        Some((feature, threshold)) => (feature, threshold.parse().ok()?),
        None => (test, 0.5),
    };
    let feature = columns.get(feature.parse::<usize>().ok()?)?;
    let right = right.parse().ok()?;
    (usize::from(right) > at).then_some(Node::Branch(*feature, threshold, right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_in_the_program_can_be_read() {
        assert!(parse(TEXT).is_some_and(|model| !model.trees.is_empty()));
    }

    #[test]
    fn a_tree_is_followed_from_its_root() {
        let model = parse("# made by hand\n-1\nquoted value.length\n1<8?2 =-200000 =300000\n").unwrap();
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
            "0",
            "0\nquoted\n0?0 =1",
            "0\nunknown\n0?2 =1 =2",
            "0\nquoted\n1?2 =1 =2",
            "0\nquoted\n0<8 =1 =2",
            "0\nquoted\n=x",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
