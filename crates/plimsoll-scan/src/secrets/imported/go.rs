//! Regular expressions as Go writes them (the syntax of RE2, as `regexp/syntax` documents it) in the syntax of the crate
//! `regex-syntax`, which is nearly the same. What differs is written out: the ASCII classes, brackets and braces that stand
//! for themselves, octal numbers, `\Q…\E`. What has no equal is refused.

/// Bytes of an expression.
const LONGEST: usize = 32 << 10;
/// Most repetitions that Go takes.
const REPEAT: u32 = 1000;
/// Classes with a name in brackets.
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// The same expression for this program.
///
/// # Errors
/// In one line, where Go would refuse it too, or it means something that is not supported.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    if pattern.len() > LONGEST {
        return Err(format!("the expression has more than {LONGEST} bytes"));
    }
    let mut translator = Translator { rest: pattern, out: String::with_capacity(pattern.len() * 2) };
    while let Some(char) = translator.next() {
        translator.one(char)?;
    }
    Ok(translator.out)
}

struct Translator<'a> {
    rest: &'a str,
    out: String,
}

impl Translator<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    fn eat(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn one(&mut self, char: char) -> Result<(), String> {
        match char {
            '\\' => self.escape()?,
            '[' => self.class()?,
            '(' => self.group()?,
            '{' => self.brace()?,
            '}' => self.out.push_str(r"\}"),
            ']' => self.out.push_str(r"\]"),
            '.' | '*' | '+' | '?' | '|' | ')' | '^' | '$' => self.out.push(char),
            other => self.literal(other),
        }
        Ok(())
    }

    fn literal(&mut self, char: char) {
        if char.is_ascii_alphanumeric() || !char.is_ascii() {
            self.out.push(char);
        } else {
            self.out.push_str(&format!(r"\x{{{:x}}}", u32::from(char)));
        }
    }

    /// A counted repetition, or a brace that stands for itself.
    fn brace(&mut self) -> Result<(), String> {
        let counted = self.rest.split_once('}').and_then(|(inside, rest)| Some((bounds(inside)?, rest)));
        let Some(((least, most), rest)) = counted else {
            self.out.push_str(r"\{");
            return Ok(());
        };
        if least > REPEAT || most.flatten().is_some_and(|most| most > REPEAT || most < least) {
            return Err(format!("a repetition is of at most {REPEAT}, and from fewer to more"));
        }
        self.out.push_str(&match most {
            None => format!("{{{least}}}"),
            Some(None) => format!("{{{least},}}"),
            Some(Some(most)) => format!("{{{least},{most}}}"),
        });
        self.rest = rest;
        Ok(())
    }

    fn group(&mut self) -> Result<(), String> {
        if !self.rest.starts_with('?') {
            self.out.push('(');
            return Ok(());
        }
        for look in ["?=", "?!", "?<=", "?<!", "?>"] {
            if self.rest.starts_with(look) {
                return Err(format!("`({look}…)` is not supported: nothing looks around or gives back"));
            }
        }
        // Names of groups decide nothing here.
        if self.eat("?P<") || self.eat("?<") {
            let name = self.rest.split_once('>').ok_or("a name of a group does not end")?;
            let word = |char: char| char.is_ascii_alphanumeric() || char == '_';
            if name.0.is_empty() || !name.0.chars().all(word) {
                return Err("the name of a group is no word".to_owned());
            }
            self.rest = name.1;
            self.out.push('(');
            return Ok(());
        }
        let flags = self.rest.find([':', ')']).and_then(|end| self.rest.get(..=end));
        let flags = flags.ok_or("a group does not end")?;
        if !flags.chars().skip(1).all(|char| "imsU-:)".contains(char)) {
            return Err(format!("`({flags}` is no group that is known"));
        }
        self.out.push('(');
        self.out.push_str(flags);
        self.rest = self.rest.get(flags.len()..).unwrap_or_default();
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        if self.eat("Q") {
            let (text, rest) = self.rest.split_once(r"\E").unwrap_or((self.rest, ""));
            text.chars().for_each(|char| self.literal(char));
            self.rest = rest;
            return Ok(());
        }
        for (name, own) in [("b", r"(?-u:\b)"), ("B", r"(?-u:\B)"), ("A", r"\A"), ("z", r"\z")] {
            if self.eat(name) {
                self.out.push_str(own);
                return Ok(());
            }
        }
        if self.named_class()? {
            return Ok(());
        }
        let char = self.escaped()?;
        self.literal(char);
        Ok(())
    }

    /// The class behind a backslash, which was taken; whether there was one.
    fn named_class(&mut self) -> Result<bool, String> {
        const ASCII: [(&str, &str); 6] = [
            ("d", "[0-9]"),
            ("D", "[^0-9]"),
            ("s", r"[\t\n\x0c\r\x20]"),
            ("S", r"[^\t\n\x0c\r\x20]"),
            ("w", "[0-9A-Za-z_]"),
            ("W", "[^0-9A-Za-z_]"),
        ];
        for (name, own) in ASCII {
            if self.eat(name) {
                self.out.push_str(own);
                return Ok(true);
            }
        }
        let Some(mut negated) = self.property() else { return Ok(false) };
        let name = if self.eat("{") {
            let (name, rest) = self.rest.split_once('}').ok_or("the name of a class does not end")?;
            self.rest = rest;
            name.to_owned()
        } else {
            self.next().map(String::from).ok_or("the name of a class is missing")?
        };
        let plain = name.trim_start_matches('^');
        negated ^= name.starts_with('^');
        if plain.is_empty() || !plain.chars().all(|char| char.is_ascii_alphanumeric() || char == '_') {
            return Err("the name of a class is no word".to_owned());
        }
        self.out.push_str(if negated { r"\P{" } else { r"\p{" });
        self.out.push_str(plain);
        self.out.push('}');
        Ok(true)
    }

    fn property(&mut self) -> Option<bool> {
        if self.eat("p") { Some(false) } else { self.eat("P").then_some(true) }
    }

    /// The character that stands behind a backslash, which was taken.
    fn escaped(&mut self) -> Result<char, String> {
        let char = self.next().ok_or("a backslash ends it")?;
        let octal = |char: char| char.is_digit(8);
        match char {
            'a' => Ok('\x07'),
            'f' => Ok('\x0c'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'v' => Ok('\x0b'),
            'x' => self.hexadecimal(),
            '1'..='7' if !self.rest.starts_with(octal) => {
                Err(format!(r"`\{char}` refers to what was matched before, which is not supported"))
            }
            '0'..='7' => {
                let more = self.rest.chars().take(2).take_while(|char| octal(*char)).count();
                let digits: String = [char].into_iter().chain(self.rest.chars().take(more)).collect();
                self.rest = self.rest.get(more..).unwrap_or_default();
                number(&digits, 8)
            }
            other if other.is_ascii() && !other.is_ascii_alphanumeric() => Ok(other),
            other => Err(format!(r"`\{other}` means nothing")),
        }
    }

    fn hexadecimal(&mut self) -> Result<char, String> {
        let (digits, rest) = match self.rest.strip_prefix('{') {
            Some(rest) => rest.split_once('}').ok_or("a number does not end")?,
            None => self.rest.split_at_checked(2).ok_or("a number does not end")?,
        };
        self.rest = rest;
        number(digits, 16)
    }

    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.eat("^") {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            if !first && self.eat("]") {
                self.out.push(']');
                return Ok(());
            }
            if !self.posix()? {
                self.range()?;
            }
            first = false;
        }
    }

    fn posix(&mut self) -> Result<bool, String> {
        let Some((name, rest)) = self.rest.strip_prefix("[:").and_then(|rest| rest.split_once(":]")) else {
            return Ok(false);
        };
        if !POSIX.contains(&name.trim_start_matches('^')) {
            return Err(format!("`[:{name}:]` is no class that is known"));
        }
        self.out.push_str(&format!("[:{name}:]"));
        self.rest = rest;
        Ok(true)
    }

    /// One character of a class, a range, or a class with a name.
    fn range(&mut self) -> Result<(), String> {
        if let Some(rest) = self.rest.strip_prefix('\\') {
            let before = std::mem::replace(&mut self.rest, rest);
            if self.named_class()? {
                return Ok(());
            }
            self.rest = before;
        }
        let low = self.member()?;
        let more = self.rest.strip_prefix('-').filter(|rest| !rest.is_empty() && !rest.starts_with(']'));
        self.literal(low);
        if let Some(more) = more {
            self.rest = more;
            let high = self.member()?;
            if high < low {
                return Err(format!("`{low}-{high}` is no range"));
            }
            self.out.push('-');
            self.literal(high);
        }
        Ok(())
    }

    fn member(&mut self) -> Result<char, String> {
        match self.next() {
            None => Err("a `[` has no `]`".to_owned()),
            Some('\\') => self.escaped(),
            Some(char) => Ok(char),
        }
    }
}

/// What stands in the braces of a counted repetition: the least, and where there is a comma, the most.
fn bounds(inside: &str) -> Option<(u32, Option<Option<u32>>)> {
    let digits = |text: &str| {
        let plain = !text.is_empty() && text.len() < 9 && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse().ok()).flatten()
    };
    match inside.split_once(',') {
        None => Some((digits(inside)?, None)),
        Some((least, "")) => Some((digits(least)?, Some(None))),
        Some((least, most)) => Some((digits(least)?, Some(Some(digits(most)?)))),
    }
}

fn number(digits: &str, radix: u32) -> Result<char, String> {
    let value = u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    value.ok_or_else(|| format!("`{digits}` is the number of no character"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(pattern: &str) -> Result<regex_automata::meta::Regex, String> {
        super::super::pattern::compile(&[pattern])
    }

    /// What Go 1.26 says: whether the expression is found in the text.
    #[test]
    fn an_expression_finds_what_go_finds() {
        let check = |pattern: &str, text: &str, expect: bool| {
            let regex = compiled(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert_eq!(regex.is_match(text), expect, "{pattern} in {text}");
        };
        check(r"^\d{2}$", "42", true);
        check(r"\d", "٣", false);
        check(r"^\w+$", "é", false);
        check(r"^[\w-.]+$", "a-b.c", true);
        check(r"[a[b]", "[", true);
        check(r"^[]a]+$", "]a]", true);
        check(r"^[^]a]+$", "]", false);
        check(r"[a&&b]", "&", true);
        check(r"^[+--]$", ",", true);
        check(r"^[[:alpha:][:^ascii:]]+$", "aé", true);
        check(r"^\$(?:\d+|{\d+})$", "${12}", true);
        check(r"^{,3}$", "{,3}", true);
        check(r"^a{2,3}$", "aaaa", false);
        check(r"^a{2,}$", "aaaa", true);
        check(r"^\Qa.b\E+$", "a.bb", true);
        check(r"^\Qa.b", "axb", false);
        check(r"^\101\x42\x{43}$", "ABC", true);
        check(r"(?i)^KEY$", "key", true);
        check(r"^(?P<1st>a)(?<b>b)\z", "ab", true);
        check(r"(?s)^a.b$", "a\nb", true);
        check(r"^a.b$", "a\nb", false);
        check(r"(?m)^b$", "a\nb\nc", true);
        check(r"\bb\b", "a b c", true);
        check(r"\bb", "éb", true);
        check(r"^\pL\p{Greek}\P{Greek}\p{^Greek}$", "aαab", true);
        check(r"^[^\D]$", "7", true);
        check(r"^[\]\-\^]+$", "]-^", true);
        check(r"^(?i:a)B$", "AB", true);
        check(r"(?U)^a+$", "aaa", true);
        check(r"^\/\_$", "/_", true);
    }

    #[test]
    fn what_go_refuses_or_nobody_can_do_in_linear_time_is_refused() {
        let check = |pattern: &str, expect: &str| {
            let error = compiled(pattern).expect_err(pattern);
            assert!(error.contains(expect), "{pattern}: {error}");
        };
        check(r"(a)\1", "refers to what was matched before");
        check("a(?=b)", "not supported");
        check("a(?!b)", "not supported");
        check("(?<=a)b", "not supported");
        check("(?>a)", "not supported");
        check("(?x)a b", "no group that is known");
        check("(?P<>a)", "no word");
        check(r"\Z", "means nothing");
        check("[a", "has no `]`");
        check("[z-a]", "no range");
        check("[[:vowel:]]", "no class");
        check("a{1001}", "at most 1000");
        check("a{3,2}", "from fewer to more");
        check(r"\p{Klingon}", "");
        check("(a", "");
        check("*a", "");
        check("(a{1000}){1000}", "too large");
        check(r"\x{110000}", "no character");
        check(r"a\", "a backslash ends it");
        check(&"a".repeat(LONGEST + 1), "more than");
        check(&"(".repeat(5000), "");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_an_expression_or_refused(pattern in "\\PC{0,60}") {
            let _ = compiled(&pattern);
        }

        #[test]
        fn any_text_of_what_expressions_are_made_of_is_one_or_refused(
            pattern in r"[a\\\[\]\(\)\{\}\^\-:\?\*\+,0-9dDwWsSpPQEbBx&~|.]{0,40}",
        ) {
            let _ = compiled(&pattern);
        }
    }
}
