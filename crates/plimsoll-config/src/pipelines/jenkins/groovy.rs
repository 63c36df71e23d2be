//! Groovy as far as rules need it: words, strings with what is put into them, signs. It never fails: a string that does not
//! end takes the rest of its line, or of the text if it may have lines.

use std::ops::Range;

/// A piece of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Its place, quotes included.
    pub(super) span: Range<usize>,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, with its dots: `docker.image`.
    Word,
    /// A string between this many quotes on each side; values are put into it, or not.
    Text { quotes: usize, interpolates: bool },
    /// A sign, or the end of a line.
    Symbol(char),
}

impl Token {
    pub(super) fn is_string(&self) -> bool {
        matches!(self.kind, Kind::Text { .. })
    }

    /// Whether values are put into it.
    pub(super) fn interpolates(&self) -> bool {
        matches!(self.kind, Kind::Text { interpolates: true, .. })
    }

    /// Its place without quotes.
    pub(super) fn inner(&self) -> Range<usize> {
        match self.kind {
            Kind::Text { quotes, .. } if self.span.len() >= 2 * quotes => {
                self.span.start + quotes..self.span.end - quotes
            }
            _ => self.span.clone(),
        }
    }
}

/// A value that is put into a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value<'t> {
    /// Its place, from the dollar on.
    pub(super) span: Range<usize>,
    /// The expression: `params.NAME`.
    pub(super) inner: &'t str,
}

/// The values that are put into the string `text`, which begins at `base` of its file.
pub(super) fn values(text: &str, base: usize) -> Vec<Value<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find('$').map(|start| at + start) {
        let rest = &text[start + 1..];
        let escaped = text[..start].ends_with('\\');
        let (inner, length) = match rest.strip_prefix('{') {
            Some(block) => {
                let end = block.find('}').unwrap_or(block.len());
                (&block[..end], 3 + end)
            }
            None => {
                let end = rest
                    .find(|char: char| !(char.is_ascii_alphanumeric() || "_.".contains(char)))
                    .unwrap_or(rest.len());
                (rest[..end].trim_end_matches('.'), 1 + rest[..end].trim_end_matches('.').len())
            }
        };
        let end = (start + length).min(text.len());
        if !escaped && !inner.is_empty() {
            found.push(Value { span: base + start..base + end, inner: inner.trim() });
        }
        at = end.max(start + 1);
    }
    found
}

/// The pieces of a program, comments left out.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(char) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = match char {
            '\n' => (Some(Kind::Symbol('\n')), 1),
            _ if char.is_whitespace() => (None, char.len_utf8()),
            '/' if rest.starts_with("//") => (None, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => (None, rest.find("*/").map_or(rest.len(), |end| end + 2)),
            '#' if at == 0 => (None, rest.find('\n').unwrap_or(rest.len())),
            '\'' | '"' => string(rest, char),
            '/' => slashy(rest, tokens.last()),
            _ if char.is_alphabetic() || char == '_' => (Some(Kind::Word), word(rest)),
            _ => (Some(Kind::Symbol(char)), char.len_utf8()),
        };
        if let Some(kind) = kind {
            tokens.push(Token { kind, span: at..at + length });
        }
        at += length;
    }
    tokens
}

fn word(text: &str) -> usize {
    let end = text.find(|char: char| !(char.is_alphanumeric() || "_.".contains(char))).unwrap_or(text.len());
    text[..end].trim_end_matches('.').len().max(1)
}

/// A string between quotes, or between three of them.
fn string(text: &str, quote: char) -> (Option<Kind>, usize) {
    let three = [quote; 3].iter().collect::<String>();
    let quotes = if text.starts_with(&three) { 3 } else { 1 };
    let mut chars = text.char_indices().skip(quotes).peekable();
    let mut depth = 0_usize;
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => {
                chars.next();
            }
            '\n' if quotes == 1 => return (Some(Kind::Symbol(quote)), at),
            '$' if quote == '"' && chars.peek().is_some_and(|(_, next)| *next == '{') => depth += 1,
            '}' if depth > 0 => depth -= 1,
            _ if char == quote && depth == 0 => {
                let end = at + quotes;
                if quotes == 1 || text[at..].starts_with(&three) {
                    return (Some(Kind::Text { quotes, interpolates: quote == '"' }), end);
                }
            }
            _ => {}
        }
    }
    (Some(Kind::Symbol(quote)), text.len())
}

/// A pattern between slashes, where one may stand; else a division.
fn slashy(text: &str, before: Option<&Token>) -> (Option<Kind>, usize) {
    let may =
        before.is_none_or(|token| matches!(token.kind, Kind::Symbol('(' | ',' | '=' | '~' | ':' | '[')));
    let line = &text[..text.find('\n').unwrap_or(text.len())];
    match line[1..].find('/').filter(|_| may) {
        Some(end) => (Some(Kind::Text { quotes: 1, interpolates: true }), end + 2),
        None => (Some(Kind::Symbol('/')), 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(program: &str) -> Vec<&str> {
        tokens(program).iter().map(|token| &program[token.span.clone()]).collect()
    }

    #[test]
    fn words_strings_and_signs_are_told_apart() {
        assert_eq!(
            texts("docker.image('a') { // b\n c }"),
            ["docker.image", "(", "'a'", ")", "{", "\n", "c", "}"]
        );
        assert_eq!(texts("a '''b'\n''' /* c */ d"), ["a", "'''b'\n'''", "d"]);
        assert_eq!(texts(r#"sh "a \" ${b("c")} d" e"#), ["sh", r#""a \" ${b("c")} d""#, "e"]);
        assert_eq!(texts("a =~ /b'c/\nd / e"), ["a", "=", "~", "/b'c/", "\n", "d", "/", "e"]);
    }

    #[test]
    fn an_open_string_ends_with_its_line() {
        assert_eq!(texts("a 'b\nc 'd'"), ["a", "'b", "\n", "c", "'d'"]);
    }

    #[test]
    fn values_are_found_in_strings() {
        let inner = |text: &'static str| values(text, 0).iter().map(|value| value.inner).collect::<Vec<_>>();
        assert_eq!(inner("a ${params.A} $env.B. \\$C ${ d }"), ["params.A", "env.B", "d"]);
        assert_eq!(values("a $b", 3)[0].span, 5..7);
        assert!(inner("$ 5 $(x)").is_empty());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "[a-c'\"/\\\\${}()\n *ü#.]{0,80}") {
            let mut last = 0;
            for token in tokens(&text) {
                prop_assert!(token.span.start >= last && token.span.end > token.span.start);
                last = token.span.end;
                prop_assert!(text.get(token.inner()).is_some());
            }
            values(&text, 0);
        }
    }

    #[test]
    fn long_and_odd_text_is_read_in_a_moment() {
        for text in ["'", "\"", "'''", "/*", "${", "a(", "/"] {
            tokens(&text.repeat(30_000));
            values(&text.repeat(30_000), 0);
        }
    }
}
