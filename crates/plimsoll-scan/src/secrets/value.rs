//! What a value looks like: which characters, how random, whether it is a template, a placeholder, an expression, or
//! one of the things that only look like secrets.

/// Counts over the bytes of a value, made in one pass.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) length: usize,
    pub(crate) lower: usize,
    pub(crate) upper: usize,
    pub(crate) digits: usize,
    pub(crate) hex: usize,
    pub(crate) spaces: usize,
    pub(crate) marks: usize,
    pub(crate) high: usize,
    /// How often the kind of character changes from one to the next.
    pub(crate) changes: usize,
    /// Different bytes.
    pub(crate) distinct: usize,
    /// Bits per byte.
    pub(crate) entropy: f32,
}

/// Counts of `value`, of which at most the first 512 bytes are looked at.
pub(crate) fn counts(value: &[u8]) -> Counts {
    let value = &value[..value.len().min(512)];
    let mut seen = [0u16; 256];
    let mut counts = Counts { length: value.len(), ..Counts::default() };
    let mut last = 0;
    for byte in value {
        seen[usize::from(*byte)] += 1;
        let kind = match byte {
            b'a'..=b'z' => 1,
            b'A'..=b'Z' => 2,
            b'0'..=b'9' => 3,
            _ => 4,
        };
        counts.lower += usize::from(kind == 1);
        counts.upper += usize::from(kind == 2);
        counts.digits += usize::from(kind == 3);
        counts.hex += usize::from(byte.is_ascii_hexdigit());
        counts.spaces += usize::from(*byte == b' ' || *byte == b'\t');
        counts.marks += usize::from(byte.is_ascii_punctuation());
        counts.high += usize::from(*byte >= 0x80);
        counts.changes += usize::from(last != 0 && last != kind);
        last = kind;
    }
    counts.distinct = seen.iter().filter(|count| **count > 0).count();
    counts.entropy = entropy(&seen, value.len());
    counts
}

fn entropy(seen: &[u16; 256], length: usize) -> f32 {
    let total = length.max(1) as f32;
    seen.iter()
        .filter(|count| **count > 0)
        .map(|count| f32::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum()
}

/// Whether `text` has `part` in any case. `part` is in lower case.
pub(crate) fn has(text: &[u8], part: &str) -> bool {
    let part = part.as_bytes();
    let Some(first) = part.first() else { return false };
    memchr::memchr2_iter(*first, first.to_ascii_uppercase(), text)
        .any(|at| text.get(at..at + part.len()).is_some_and(|window| window.eq_ignore_ascii_case(part)))
}

/// Whether `text` has any of `parts`.
pub(crate) fn has_any(text: &[u8], parts: &[&str]) -> bool {
    parts.iter().any(|part| has(text, part))
}

/// Whether a value is filled in elsewhere: a variable, a template, a format.
pub(crate) fn template(value: &[u8]) -> bool {
    const PARTS: &[&str] =
        &["${", "$(", "{{", "}}", "<%", "%>", "#{", "%(", "@{", "[[", "$[", "%s", "%d", "%v", "{0}"];
    let variable = |mark: u8| {
        value.first() == Some(&mark)
            && value.len() > 1
            && value[1..].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    };
    let braces = value.first() == Some(&b'{') && value.last() == Some(&b'}');
    let percent = value.len() > 2 && value.first() == Some(&b'%') && value.last() == Some(&b'%');
    let dollar = value.first() == Some(&b'$')
        && value.get(1).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_' || *byte == b'{');
    let crypt = value.iter().filter(|byte| **byte == b'$').count() >= 2;
    has_any(value, PARTS) || (variable(b'$') || dollar) && !crypt || braces || percent || angled(value)
}

fn angled(value: &[u8]) -> bool {
    let open = value.iter().position(|byte| *byte == b'<');
    open.is_some_and(|open| value[open..].contains(&b'>'))
}

/// What a value is as a whole where it is none.
const WHOLE: &[&str] = &[
    "null",
    "nil",
    "none",
    "true",
    "false",
    "undefined",
    "string",
    "str",
    "bool",
    "boolean",
    "int",
    "integer",
    "number",
    "object",
    "any",
    "text",
    "void",
    "required",
    "optional",
    "yes",
    "no",
    "on",
    "off",
    "default",
    "empty",
    "redacted",
    "hidden",
    "masked",
    "removed",
    "censored",
    "unset",
    "nan",
    "todo",
    "tbd",
    "n/a",
    "self",
    "this",
    "value",
    "...",
    "***",
    "*",
    "-",
    "new",
    "byte",
    "bytes",
    "char",
    "varchar",
    "func",
    "function",
    "class",
    "date",
    "filtered",
    "[filtered]",
    "scrubbed",
    "env",
    "array",
    "list",
    "dict",
    "map",
    "optional[str]",
    "type",
];

/// What stands in a value that the reader is to replace.
const TO_FILL_IN: &[&str] = &[
    "your-",
    "your_",
    "your ",
    "yourapi",
    "yourkey",
    "yourtoken",
    "yourpassword",
    "yoursecret",
    "_here",
    "-here",
    "placeholder",
    "replace",
    "insert",
    "fill_in",
    "fill in",
    "enter your",
    "some_",
    "<your",
    "xxxx",
    "...",
    "****",
    "example_",
    "_example",
    "example-key",
    "put-your",
    "my_api_key",
    "todo",
    "redacted",
    "dummy",
    "\u{2026}",
    "xxx-",
    "changethis",
    "change-this",
    "change_this",
];

/// Whether a value stands for one that the reader is to fill in.
pub(crate) fn placeholder(value: &[u8]) -> bool {
    WHOLE.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
        || has_any(value, TO_FILL_IN)
        || value.len() > 1 && value.windows(2).all(|pair| pair[0] == pair[1])
}

/// Whether a value is a path, an address of a page, or the name of a file.
pub(crate) fn place(value: &[u8]) -> bool {
    let start = value.first().is_some_and(|byte| matches!(byte, b'/' | b'~'))
        || value.starts_with(b"./")
        || value.starts_with(b"../");
    let slashes = value.iter().filter(|byte| **byte == b'/').count();
    let url = value.windows(3).any(|part| part == b"://");
    let file = value.iter().rposition(|byte| *byte == b'.').is_some_and(|dot| {
        const ENDS: &[&str] = &[
            "pem", "key", "crt", "cer", "json", "yml", "yaml", "txt", "php", "js", "ts", "py", "rb", "go",
            "java", "html", "xml", "ini", "conf", "cfg", "env", "p12", "pfx", "jks", "pub", "sh", "css",
            "md", "com", "org", "net", "io",
        ];
        let end = &value[dot + 1..];
        ENDS.iter().any(|known| end.eq_ignore_ascii_case(known.as_bytes()))
    });
    start && slashes >= 1 && value.len() > 2 && (slashes > 1 || value.len() < 24) || url || file
}

/// Whether a value is an expression of a program rather than what it yields.
pub(crate) fn expression(value: &[u8]) -> bool {
    let called =
        value.windows(2).any(|pair| pair[1] == b'(' && (pair[0].is_ascii_alphanumeric() || pair[0] == b'_'));
    let arrow = value.windows(2).any(|pair| matches!(pair, b"->" | b"=>" | b"::" | b"&&" | b"||" | b"()"));
    let dotted = value
        .windows(3)
        .any(|part| part[0].is_ascii_alphabetic() && part[1] == b'.' && part[2].is_ascii_alphabetic());
    called
        || arrow
        || dotted
            && value
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'[' | b']'))
}

/// Whether a value is one identifier in words: `camelCase`, `snake_case`, `kebab-case` or `UPPER_CASE`.
pub(crate) fn identifier(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-'))
        && (value.iter().any(|byte| matches!(byte, b'_' | b'-'))
            || value.windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()))
}

/// `8-4-4-4-12` hexadecimal digits.
pub(crate) fn uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Whether it ends as steps of the alphabet or the digits, as in `abcdef` and `123456`.
pub(crate) fn sequence(value: &[u8]) -> bool {
    let steps = value.windows(2).filter(|pair| pair[1] == pair[0].wrapping_add(1)).count();
    value.len() > 3 && steps * 3 > value.len() * 2
}

/// How little a value looks like words of a human language or a program: mean surprise of its letter pairs in bits,
/// against what English identifiers do.
pub(crate) fn rarity(value: &[u8]) -> f32 {
    let mut sum = 0.0;
    let mut pairs = 0;
    for pair in value.windows(2).take(128) {
        let [a, b] = [pair[0].to_ascii_lowercase(), pair[1].to_ascii_lowercase()];
        if a.is_ascii_lowercase() && b.is_ascii_lowercase() {
            let row = &super::bigrams::BIGRAMS[usize::from(a - b'a')];
            sum += f32::from(row[usize::from(b - b'a')] - b'0');
            pairs += 1;
        }
    }
    if pairs == 0 { 5.0 } else { sum / pairs as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_not_a_value() {
        for text in [
            "${PASSWORD}",
            "$PASSWORD",
            "{{ password }}",
            "<password>",
            "%PASSWORD%",
            "#{pass}",
            "$(cat x)",
            "{password}",
        ] {
            assert!(template(text.as_bytes()), "{text}");
        }
        for text in ["hunter2", "pa$$word", "a%b", "$2a$10$abcdefg", "x{y"] {
            assert!(!template(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_placeholder_is_not_a_value() {
        for text in [
            "your-password",
            "null",
            "XXXXXXXX",
            "xxxxxxxx-xxxx",
            "REPLACE_ME",
            "********",
            "put-your-key-here",
        ] {
            assert!(placeholder(text.as_bytes()), "{text}");
        }
        for text in ["hunter2", "secret", "s3cr3t", "Welcome1"] {
            assert!(!placeholder(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn random_letters_are_rarer_than_words() {
        assert!(rarity(b"configuration") < rarity(b"xqzjvkwpqh"));
        assert!(rarity(b"thepassword") < rarity(b"tqhkzwpxj"));
    }
}
