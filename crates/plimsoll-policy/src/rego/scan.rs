//! A look at the text of a policy before a parser sees it. The parser and all that walks its tree use the stack, and a
//! stack that runs out ends the process; so what would make a deep tree is refused here. It also finds names that the
//! input does not have, which in Rego are not errors but rules that never fit.

use super::{Limits, reference};
use std::str::CharIndices;

/// Operators and steps of a path in one expression.
const CHAIN: usize = 100;
/// Brackets inside each other.
const NESTED: usize = 30;
/// `else` in one policy.
const ELSE: usize = 100;
/// Characters of a number.
const NUMBER: usize = 20;

/// A piece of a policy's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// A name or keyword.
    Word(&'a str),
    /// A number.
    Number(&'a str),
    /// A text, with its quotes.
    Text(&'a str),
    /// Anything else.
    Sign(char),
}

/// A piece, and whether it begins a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) begins_line: bool,
}

/// Refuses a text that no parser should see, or that reads what the input does not have.
pub(super) fn check(source: &str, limits: &Limits) -> Result<(), String> {
    bounded(source, limits)?;
    let tokens = tokens(source)?;
    for (at, token) in tokens.iter().enumerate() {
        if token.kind == Kind::Word("input") && !follows_dot(&tokens, at) {
            reference::check_path(&path(&tokens[at + 1..]))?;
        }
    }
    Ok(())
}

/// Whether a policy reads a field of the input, as far as its text tells: one that takes the input as a whole, or by a
/// name that only evaluation knows, may.
pub(crate) fn reads(source: &str, field: &str) -> bool {
    let Ok(tokens) = tokens(source) else { return false };
    let of_input = |at: &usize| tokens[*at].kind == Kind::Word("input") && !follows_dot(&tokens, *at);
    let mut places = (0..tokens.len()).filter(of_input);
    places.any(|at| path(&tokens[at + 1..]).first().is_none_or(|step| step.is_none_or(|name| name == field)))
}

/// Refuses a text that no parser should see.
pub(super) fn bounded(source: &str, limits: &Limits) -> Result<(), String> {
    if source.len() > limits.source {
        return Err(format!("it has {} bytes, more than {}", source.len(), limits.source));
    }
    let tokens = tokens(source)?;
    if tokens.iter().filter(|token| token.kind == Kind::Word("else")).count() > ELSE {
        return Err(format!("it has more than {ELSE} `else`"));
    }
    let long =
        |t: &Token<'_>| matches!(t.kind, Kind::Number(n) if n.len() > NUMBER || n.contains(['e', 'E']));
    if tokens.iter().any(long) {
        return Err(format!("a number has more than {NUMBER} digits or an exponent"));
    }
    chains(&tokens)
}

/// Names of rules in `source` that begin with `prefix`.
pub(super) fn rules<'a>(source: &'a str, prefix: &str) -> Result<Vec<&'a str>, String> {
    let mut nested = 0_usize;
    let mut found = vec![];
    for token in tokens(source)? {
        match token.kind {
            Kind::Sign('(' | '[' | '{') => nested += 1,
            Kind::Sign(')' | ']' | '}') => nested = nested.saturating_sub(1),
            Kind::Word(word) if nested == 0 && token.begins_line && word.starts_with(prefix) => {
                found.push(word);
            }
            _ => {}
        }
    }
    found.dedup();
    Ok(found)
}

fn follows_dot(tokens: &[Token<'_>], at: usize) -> bool {
    at.checked_sub(1).is_some_and(|before| tokens[before].kind == Kind::Sign('.'))
}

/// The steps behind `input`: `None` is one that only evaluation knows.
fn path<'a>(tokens: &[Token<'a>]) -> Vec<Option<&'a str>> {
    let mut steps = vec![];
    let mut rest = tokens;
    loop {
        match rest {
            [dot, word, more @ ..] if dot.kind == Kind::Sign('.') => {
                let Kind::Word(word) = word.kind else { return steps };
                steps.push(Some(word));
                rest = more;
            }
            [open, key, close, more @ ..]
                if open.kind == Kind::Sign('[') && !open.begins_line && close.kind == Kind::Sign(']') =>
            {
                steps.push(match key.kind {
                    Kind::Text(text) => Some(text.trim_matches(['"', '`'])),
                    _ => None,
                });
                rest = more;
            }
            _ => return steps,
        }
    }
}

/// Counts operators between the ends of expressions, for each level of brackets.
fn chains(tokens: &[Token<'_>]) -> Result<(), String> {
    let mut levels = vec![0_usize];
    let mut before = None;
    for token in tokens {
        let ends = |kind| !matches!(kind, Some(Kind::Sign(c)) if is_operator(c));
        let begins_anew = token.begins_line && ends(before) && ends(Some(token.kind));
        let separates = matches!(token.kind, Kind::Sign(',' | ';'));
        if let Some(level) = levels.last_mut() {
            *level = if begins_anew || separates { 0 } else { *level };
            *level += usize::from(matches!(token.kind, Kind::Sign(c) if is_operator(c)));
            if *level > CHAIN {
                return Err(format!("an expression has more than {CHAIN} operators"));
            }
        }
        match token.kind {
            Kind::Sign('(' | '[' | '{') => levels.push(0),
            Kind::Sign(')' | ']' | '}') if levels.len() > 1 => {
                levels.pop();
            }
            _ => {}
        }
        if levels.len() > NESTED {
            return Err(format!("more than {NESTED} brackets are inside each other"));
        }
        before = Some(token.kind);
    }
    Ok(())
}

/// What can stand between two parts of one expression.
fn is_operator(c: char) -> bool {
    matches!(c, '+' | '-' | '*' | '/' | '%' | '|' | '&' | '=' | '<' | '>' | '!' | ':' | '.' | '[' | '(')
}

/// Takes a text apart.
fn tokens(source: &str) -> Result<Vec<Token<'_>>, String> {
    let mut tokens = vec![];
    let mut begins_line = true;
    let mut rest = source.char_indices();
    while let Some((at, c)) = rest.next() {
        let kind = match c {
            '\n' => {
                begins_line = true;
                continue;
            }
            c if c.is_whitespace() => continue,
            '#' => {
                rest.by_ref().find(|(_, c)| *c == '\n');
                begins_line = true;
                continue;
            }
            '"' | '`' => Kind::Text(quoted(source, at, c, &mut rest)?),
            c if c.is_ascii_digit() => {
                Kind::Number(run(source, at, &mut rest, |c| c.is_ascii_alphanumeric() || c == '.'))
            }
            c if c.is_alphabetic() || c == '_' => {
                Kind::Word(run(source, at, &mut rest, |c| c.is_alphanumeric() || c == '_'))
            }
            c => Kind::Sign(c),
        };
        tokens.push(Token { kind, begins_line });
        begins_line = false;
    }
    Ok(tokens)
}

fn quoted<'a>(
    source: &'a str,
    at: usize,
    quote: char,
    rest: &mut CharIndices<'a>,
) -> Result<&'a str, String> {
    while let Some((end, c)) = rest.next() {
        if c == quote {
            return Ok(&source[at..=end]);
        }
        if c == '\\' && quote == '"' {
            rest.next();
        }
    }
    Err("a text has no end".to_owned())
}

fn run<'a>(source: &'a str, at: usize, rest: &mut CharIndices<'a>, of: impl Fn(char) -> bool) -> &'a str {
    loop {
        let ahead = rest.clone().next();
        match ahead {
            Some((_, c)) if of(c) => {
                rest.next();
            }
            Some((end, _)) => return &source[at..end],
            None => return &source[at..],
        }
    }
}
