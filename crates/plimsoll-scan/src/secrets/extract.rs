//! Names that are given values, in whatever language: assignments, calls, headers, YAML, JSON, environment files, INI, XML,
//! Dockerfiles, shell. There is no parser per language; what stands between a name and its value is much the same in all.

use super::shape::ALNUM;
use std::ops::Range;

/// Longest name, wrapper and gap that are followed, and longest value that is taken.
const NAME: usize = 80;
const WRAPPER: usize = 60;
const VALUE: usize = 4096;

/// What stands between a name and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `=`, `:=`, `||=`
    Assign,
    /// `:`
    Colon,
    /// `=>`, `->`
    Arrow,
    /// `==`, `!=`, `===`
    Compare,
    /// `name("value")`
    Call,
    /// `("name", "value")`
    Comma,
    /// `<name>value</name>`
    Element,
    /// `--name value`, `NAME 'value'`, `name value` at the start of a line
    Space,
    /// `?name=value&`
    Query,
    /// `{"name": "password", "value": "…"}`
    Pair,
    /// None: the value is part of an address, a header or a command.
    Inside,
}

/// What the value stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quote {
    /// Nothing.
    None,
    /// `'`
    Single,
    /// `"`, escaped or not
    Double,
    /// a backtick
    Back,
}

/// A name with its value, as ranges of the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) name: Range<usize>,
    pub(crate) value: Range<usize>,
    pub(crate) operator: Operator,
    pub(crate) quote: Quote,
    /// The function or type around the value.
    pub(crate) wrapper: Option<Range<usize>>,
    /// Whether the value is only taken when something else is missing.
    pub(crate) fallback: bool,
}

fn in_name(byte: u8) -> bool {
    ALNUM.has(byte) || matches!(byte, b'_' | b'-' | b'.' | b'$') || byte >= 0x80
}

/// The whole name around a keyword; none where it is longer than a name can be.
pub(crate) fn name_around(bytes: &[u8], hit: Range<usize>) -> Option<Range<usize>> {
    let before = bytes[..hit.start].iter().rev().take(NAME).take_while(|byte| in_name(**byte)).count();
    let after = bytes[hit.end..].iter().take(NAME).take_while(|byte| in_name(**byte)).count();
    let (start, end) = (hit.start - before, hit.end + after);
    let tail = bytes[hit.end..end].iter().rev().take_while(|byte| matches!(byte, b'.' | b'-')).count();
    (end - start <= NAME && before < NAME && after < NAME).then_some(start..end - tail)
}

/// The value that `name` is given, if it is given any.
pub(crate) fn pair(bytes: &[u8], name: Range<usize>) -> Option<Pair> {
    let mut cursor = Cursor { bytes, at: name.end };
    let quoted = name.start.checked_sub(1).is_some_and(|before| matches!(bytes[before], b'"' | b'\'' | b'`'));
    let (operator, fallback) = operator(&mut cursor, &name, quoted)?;
    let mut pair = Pair { value: 0..0, name, operator, quote: Quote::None, wrapper: None, fallback };
    value(&mut cursor, &mut pair)?;
    (!pair.value.is_empty()).then_some(pair)
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.at.min(self.bytes.len())..]
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text.as_bytes());
        self.at += if found { text.len() } else { 0 };
        found
    }

    fn spaces(&mut self) -> usize {
        let count = self.rest().iter().take(NAME).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        self.at += count;
        count
    }

    /// A quotation mark, escaped or not, with how it is written.
    fn quote(&mut self) -> Option<(u8, usize)> {
        let slashes = self.rest().iter().take(4).take_while(|byte| **byte == b'\\').count();
        let mark = self.rest().get(slashes).copied().filter(|byte| matches!(byte, b'"' | b'\'' | b'`'))?;
        self.at += slashes + 1;
        Some((mark, slashes))
    }

    fn word(&mut self, also: &[u8], limit: usize) -> Range<usize> {
        let length = self
            .rest()
            .iter()
            .take(limit)
            .take_while(|byte| ALNUM.has(**byte) || also.contains(byte))
            .count();
        self.at += length;
        self.at - length..self.at
    }
}

fn operator(cursor: &mut Cursor<'_>, name: &Range<usize>, quoted: bool) -> Option<(Operator, bool)> {
    let closed = quoted && cursor.quote().is_some();
    let index = closed && (cursor.eat("]") || cursor.eat(")"));
    let spaces = cursor.spaces();
    if closed && !index && named_value(cursor) {
        return Some((Operator::Pair, false));
    }
    let start = cursor.at;
    let operator = symbol(cursor, name, closed && !index);
    match operator {
        Some(Operator::Colon) if typed(cursor) => Some((Operator::Assign, false)),
        Some(operator) => Some((operator, false)),
        None if cursor.at > start => None,
        None => bare(cursor, name, spaces),
    }
}

fn symbol(cursor: &mut Cursor<'_>, name: &Range<usize>, quoted: bool) -> Option<Operator> {
    const SYMBOLS: &[(&str, Operator)] = &[
        ("===", Operator::Compare),
        ("!==", Operator::Compare),
        ("==", Operator::Compare),
        ("!=", Operator::Compare),
        ("=~", Operator::Compare),
        ("=>", Operator::Arrow),
        ("->", Operator::Arrow),
        ("||=", Operator::Assign),
        (":-", Operator::Assign),
        (":=", Operator::Assign),
        ("?=", Operator::Assign),
        ("+=", Operator::Assign),
        ("=", Operator::Assign),
    ];
    let query = name.start.checked_sub(1).is_some_and(|before| matches!(cursor.bytes[before], b'?' | b'&'));
    if query && cursor.eat("=") {
        return Some(Operator::Query);
    }
    if let Some((_, operator)) = SYMBOLS.iter().find(|(text, _)| cursor.eat(text)) {
        return Some(*operator);
    }
    match cursor.peek()? {
        b':' if !cursor.rest().starts_with(b"::") && !cursor.rest().starts_with(b"://") => {
            cursor.at += 1;
            Some(Operator::Colon)
        }
        b'(' if !quoted => {
            cursor.at += 1;
            Some(Operator::Call)
        }
        b',' if quoted => {
            cursor.at += 1;
            Some(Operator::Comma)
        }
        b'>' if element(cursor.bytes, name.start) => {
            cursor.at += 1;
            Some(Operator::Element)
        }
        _ => None,
    }
}

/// Whether `<` or `<prefix:` stands before a name.
fn element(bytes: &[u8], start: usize) -> bool {
    let before = &bytes[start.saturating_sub(24)..start];
    let prefix = before.iter().rev().take_while(|byte| ALNUM.has(**byte) || **byte == b':').count();
    before.len().checked_sub(prefix + 1).is_some_and(|at| before[at] == b'<')
}

/// After `"name"`: `, "value": ` or ` value=`.
fn named_value(cursor: &mut Cursor<'_>) -> bool {
    let start = cursor.at;
    cursor.eat(",");
    let broken = cursor.rest().iter().take(NAME).take_while(|byte| byte.is_ascii_whitespace()).count();
    cursor.at += broken;
    cursor.quote();
    let found = ["value", "Value"].iter().any(|word| cursor.eat(word)) && {
        cursor.quote();
        cursor.spaces();
        cursor.eat(":") || cursor.eat("=")
    };
    if !found {
        cursor.at = start;
    }
    found
}

/// After `name:`, a type and `=`.
fn typed(cursor: &mut Cursor<'_>) -> bool {
    let start = cursor.at;
    cursor.spaces();
    cursor.word(b"_<>[]&?'|. ", WRAPPER);
    let found = cursor.at > start
        && cursor.bytes[cursor.at - 1] == b' '
        && cursor.eat("=")
        && cursor.peek() != Some(b'=');
    if !found {
        cursor.at = start;
    }
    found
}

/// A name and a value with only space, or a type, between them.
fn bare(cursor: &mut Cursor<'_>, name: &Range<usize>, spaces: usize) -> Option<(Operator, bool)> {
    if spaces == 0 {
        return None;
    }
    let line = super::text::line_around(cursor.bytes, name.start, NAME);
    let flag = cursor.bytes[name.start] == b'-';
    let first = cursor.bytes[line.start..name.start].iter().all(u8::is_ascii_whitespace);
    if flag || matches!(cursor.peek(), Some(b'"' | b'\'')) {
        return Some((Operator::Space, false));
    }
    let start = cursor.at;
    cursor.word(b"_<>[]*&.", WRAPPER);
    cursor.spaces();
    if cursor.at > start && cursor.peek() == Some(b'=') && !cursor.rest().starts_with(b"==") {
        cursor.at += 1;
        return Some((Operator::Assign, false));
    }
    cursor.at = start;
    first.then_some((Operator::Space, false))
}

fn value(cursor: &mut Cursor<'_>, pair: &mut Pair) -> Option<()> {
    cursor.spaces();
    if broken(cursor, pair.operator) {
        cursor.at += cursor.rest().iter().take(NAME).take_while(|byte| byte.is_ascii_whitespace()).count();
    }
    for _ in 0..3 {
        if let Some(mark) = literal(cursor) {
            return quoted(cursor, pair, mark);
        }
        if !wrapped(cursor, pair) {
            break;
        }
    }
    if pair.operator == Operator::Element {
        return element_value(cursor, pair);
    }
    if let Some(mark) = default(cursor) {
        pair.fallback = true;
        return quoted(cursor, pair, mark);
    }
    plain(cursor, pair)
}

/// Whether the value may be on the next line: only after what cannot end a line otherwise.
fn broken(cursor: &Cursor<'_>, operator: Operator) -> bool {
    let next = cursor.rest().iter().take(NAME).find(|byte| !byte.is_ascii_whitespace());
    matches!(cursor.peek(), Some(b'\n' | b'\r'))
        && matches!(operator, Operator::Assign | Operator::Arrow | Operator::Call | Operator::Comma)
        && matches!(next, Some(b'"' | b'\'' | b'`'))
}

/// The opening mark of a string literal, after a prefix of up to two letters such as `b` or `@`.
fn literal(cursor: &mut Cursor<'_>) -> Option<(u8, usize)> {
    let start = cursor.at;
    let prefix = cursor.rest().iter().take(2).take_while(|byte| b"bBrRuUfFL@$q".contains(byte)).count();
    cursor.at += prefix;
    let mark = cursor.quote();
    if mark.is_none() {
        cursor.at = start;
    }
    mark
}

/// Steps into a call, a conversion or a list around the value.
fn wrapped(cursor: &mut Cursor<'_>, pair: &mut Pair) -> bool {
    let start = cursor.at;
    if cursor.eat("[]byte(") || cursor.eat("[") || cursor.eat("{") || cursor.eat("(") {
        cursor.spaces();
        return matches!(cursor.peek(), Some(b'"' | b'\'' | b'`' | b'['));
    }
    cursor.eat("new ");
    cursor.eat("&");
    let callee = cursor.word(b"_.:<>$", WRAPPER);
    if callee.is_empty()
        || !cursor.eat("(")
        || !matches!(cursor.peek(), Some(b'"' | b'\'' | b'`' | b'b' | b'['))
    {
        cursor.at = start;
        return false;
    }
    if looks_up(&cursor.bytes[callee.clone()]) {
        second_argument(cursor);
        pair.fallback = true;
    }
    pair.wrapper = Some(callee);
    true
}

/// Whether a function returns what is stored under the name that it is given.
fn looks_up(callee: &[u8]) -> bool {
    let callee = callee.to_ascii_lowercase();
    let last = callee.rsplit(|byte| matches!(byte, b'.' | b':' | b'>')).next().unwrap_or_default();
    let parts: [&[u8]; 8] = [b"env", b"get", b"config", b"lookup", b"param", b"fetch", b"read", b"setting"];
    parts.iter().any(|part| last.windows(part.len()).any(|window| window == *part))
}

/// After `(` of a look-up: to what it gives where nothing is stored.
fn second_argument(cursor: &mut Cursor<'_>) {
    if let Some((mark, _)) = cursor.quote() {
        let name =
            cursor.rest().iter().take(NAME).take_while(|byte| **byte != mark && **byte != b'\n').count();
        cursor.at = (cursor.at + name + 1).min(cursor.bytes.len());
        cursor.spaces();
        if !cursor.eat(",") {
            cursor.eat(")");
            // Nothing is given: whatever follows is judged as an expression.
        }
        cursor.spaces();
    }
}

/// After an expression: `|| "default"`.
fn default(cursor: &mut Cursor<'_>) -> Option<(u8, usize)> {
    let window = cursor.rest().iter().take(2 * NAME).take_while(|byte| !matches!(byte, b'\n' | b'"' | b'`'));
    let window = &cursor.rest()[..window.count()];
    let found = ["||", "??", "?:", " or ", ":-"].iter().find_map(|text| {
        let at = window.windows(text.len()).position(|part| part == text.as_bytes())?;
        Some(at + text.len())
    })?;
    let start = cursor.at;
    cursor.at += found;
    cursor.spaces();
    let mark = literal(cursor);
    if mark.is_none() {
        cursor.at = start;
    }
    mark
}

fn quoted(cursor: &Cursor<'_>, pair: &mut Pair, (mark, slashes): (u8, usize)) -> Option<()> {
    let rest = cursor.rest();
    let mut length = 0;
    while let Some(byte) = rest.get(length) {
        let ends = rest[length..].iter().take(4).take_while(|byte| **byte == b'\\').count();
        match byte {
            _ if length >= VALUE => return None,
            b'\\' if ends == slashes && slashes > 0 && rest.get(length + ends) == Some(&mark) => break,
            b'\\' => length += 2,
            byte if *byte == mark => break,
            b'\n' if mark != b'`' => return None,
            _ => length += 1,
        }
    }
    rest.get(length)?;
    pair.value = cursor.at..cursor.at + length;
    pair.quote = match mark {
        b'"' => Quote::Double,
        b'\'' => Quote::Single,
        _ => Quote::Back,
    };
    Some(())
}

fn element_value(cursor: &Cursor<'_>, pair: &mut Pair) -> Option<()> {
    let rest = cursor.rest();
    let length = rest.iter().take(VALUE).take_while(|byte| !matches!(byte, b'<' | b'\n' | b'\r')).count();
    (rest.get(length) == Some(&b'<')).then_some(())?;
    pair.value = trimmed(cursor.bytes, cursor.at..cursor.at + length);
    Some(())
}

fn plain(cursor: &Cursor<'_>, pair: &mut Pair) -> Option<()> {
    let ends = |byte: &u8| match pair.operator {
        Operator::Query => byte.is_ascii_whitespace() || b"&\"'`<>#;,)]}|\\".contains(byte),
        Operator::Call | Operator::Comma => byte.is_ascii_whitespace() || b"),;\"'`".contains(byte),
        _ => byte.is_ascii_whitespace() || b"\"'`<>,;)}]\\".contains(byte),
    };
    let length = cursor.rest().iter().take(VALUE).take_while(|byte| !ends(byte)).count();
    pair.value = trimmed(cursor.bytes, cursor.at..cursor.at + length);
    Some(())
}

fn trimmed(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let part = &bytes[range.clone()];
    let before = part.len() - part.trim_ascii_start().len();
    range.start + before..range.start + before + part.trim_ascii().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expect: Option<(&str, Operator)>) {
        let at = text.to_lowercase().find("password").unwrap();
        let found = name_around(text.as_bytes(), at..at + 8).and_then(|name| pair(text.as_bytes(), name));
        let found = found.map(|pair| (&text[pair.value], pair.operator));
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn a_value_is_found_in_every_notation() {
        use Operator::*;
        check("db_password = \"x y\"", Some(("x y", Assign)));
        check("const password string = \"xy\"", Some(("xy", Assign)));
        check("let password: &str = \"xy\";", Some(("xy", Assign)));
        check("private String password = \"xy\";", Some(("xy", Assign)));
        check("  password: xy", Some(("xy", Colon)));
        check("\"password\": \"xy\",", Some(("xy", Colon)));
        check("{\\\"password\\\":\\\"xy\\\"}", Some(("xy", Colon)));
        check(":password => 'xy'", Some(("xy", Arrow)));
        check("setPassword(\"xy\")", Some(("xy", Call)));
        check("put(\"password\", \"xy\")", Some(("xy", Comma)));
        check("$DB['PASSWORD'] = 'xy';", Some(("xy", Assign)));
        check("<db:password>xy</db:password>", Some(("xy", Element)));
        check("<property name=\"password\" value=\"xy\"/>", Some(("xy", Pair)));
        check("{\"key\": \"password\", \"value\": \"xy\"}", Some(("xy", Pair)));
        check("ENV PASSWORD xy", None);
        check("MYSQL_PASSWORD=xy mysqld", Some(("xy", Assign)));
        check("curl --password xy host", Some(("xy", Space)));
        check("password xy;", Some(("xy", Space)));
        check("https://h/?password=xy&a=b", Some(("xy", Query)));
        check("password = aws.String(\"xy\")", Some(("xy", Assign)));
        check("password = os.getenv(\"NAME\", \"xy\")", Some(("xy", Assign)));
        check("password: process.env.PASS || 'xy',", Some(("xy", Colon)));
        check("password := []byte(\"xy\")", Some(("xy", Assign)));
        check("if password == \"xy\" {", Some(("xy", Compare)));
        check("the password is wrong", None);
        check("password", None);
        check("password =", None);
        check("password = \"", None);
    }

    proptest! {
        #[test]
        fn any_bytes_give_ranges_inside_them(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..200) {
            let at = at.min(bytes.len());
            if let Some(name) = name_around(&bytes, at..at) && let Some(pair) = pair(&bytes, name) {
                prop_assert!(pair.value.start <= pair.value.end && pair.value.end <= bytes.len());
            }
        }

        #[test]
        fn text_full_of_marks_gives_ranges_inside_it(text in "[ab=:\"'\\\\(){}\\[\\]<>,|&? \n]{0,80}password[ab=:\"'\\\\(){}\\[\\]<>,|&? \n]{0,80}") {
            let at = text.find("password").unwrap_or_default();
            if let Some(name) = name_around(text.as_bytes(), at..at + 8) && let Some(pair) = pair(text.as_bytes(), name) {
                prop_assert!(pair.value.start <= pair.value.end && pair.value.end <= text.len());
            }
        }
    }
}
