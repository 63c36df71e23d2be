//! A small language for the fixed structure of tokens: literals and runs of a character class, matched in one pass
//! without going back. Shapes are constants, so nothing is compiled when the program starts.

/// A set of ASCII characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Class(u128);

impl Class {
    const EMPTY: Self = Self(0);

    const fn range(self, first: u8, last: u8) -> Self {
        let mut bits = self.0;
        let mut byte = first;
        while byte <= last {
            bits |= 1 << byte;
            byte += 1;
        }
        Self(bits)
    }

    /// It and `byte`.
    pub(crate) const fn and(self, byte: u8) -> Self {
        Self(self.0 | 1 << byte)
    }

    /// Whether `byte` is in it.
    pub(crate) const fn has(self, byte: u8) -> bool {
        byte < 128 && self.0 >> byte & 1 == 1
    }
}

/// `0-9`
pub(crate) const DIGIT: Class = Class::EMPTY.range(b'0', b'9');
/// `0-9a-f`
pub(crate) const HEX: Class = DIGIT.range(b'a', b'f');
/// `0-9a-fA-F`
pub(crate) const ANY_HEX: Class = HEX.range(b'A', b'F');
/// `0-9a-z`
pub(crate) const LOWER: Class = DIGIT.range(b'a', b'z');
/// `0-9A-Z`
pub(crate) const UPPER: Class = DIGIT.range(b'A', b'Z');
/// `A-Z2-7` of RFC 4648, section 6.
pub(crate) const BASE32: Class = Class::EMPTY.range(b'A', b'Z').range(b'2', b'7');
/// Letters and digits.
pub(crate) const ALNUM: Class = LOWER.range(b'A', b'Z');
/// Letters, digits and `_`.
pub(crate) const WORD: Class = ALNUM.and(b'_');
/// Letters, digits, `_` and `-`: base64 of RFC 4648, section 5.
pub(crate) const URL_SAFE: Class = WORD.and(b'-');
/// Base64 of RFC 4648, section 4, without padding.
pub(crate) const BASE64: Class = ALNUM.and(b'+').and(b'/');
/// Either base64 with padding and the separator of a JWT.
pub(crate) const TOKEN: Class = URL_SAFE.and(b'+').and(b'/').and(b'=').and(b'.').and(b'~');

/// One part of a shape.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    /// Exactly these bytes.
    Lit(&'static str),
    /// Exactly one of these.
    Any(&'static [&'static str]),
    /// As many of the class as there are; fewer than the first number or more than the second do not match.
    Run(Class, usize, usize),
}

/// Length of the match of `shape` at the start of `bytes`. A run takes all it can, so a literal after a run of varying
/// length begins with something that is not in the run's class.
pub(crate) fn matched(shape: &[Part], bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    for (index, part) in shape.iter().enumerate() {
        let rest = bytes.get(at..)?;
        at += match *part {
            Part::Lit(text) => rest.starts_with(text.as_bytes()).then_some(text.len())?,
            Part::Any(texts) => texts.iter().find(|text| rest.starts_with(text.as_bytes()))?.len(),
            Part::Run(class, min, max) => {
                let more = index + 1 < shape.len();
                run(class, min, max, more, rest)?
            }
        };
    }
    Some(at)
}

fn run(class: Class, min: usize, max: usize, more: bool, rest: &[u8]) -> Option<usize> {
    let window = &rest[..rest.len().min(max + 1)];
    let length = window.iter().take_while(|byte| class.has(**byte)).count();
    match length {
        _ if length < min => None,
        _ if length <= max => Some(length),
        // Where more follows, what follows decides whether the run ended at its longest.
        _ => more.then_some(max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_matches_exactly_what_it_says() {
        let shape = &[Part::Lit("ab_"), Part::Run(HEX, 4, 4)];
        let check =
            |text: &str, expect: Option<usize>| assert_eq!(matched(shape, text.as_bytes()), expect, "{text}");
        check("ab_12ef", Some(7));
        check("ab_12ef.", Some(7));
        check("ab_12efa", None);
        check("ab_12e", None);
        check("xb_12ef", None);
        check("", None);
    }

    #[test]
    fn a_run_of_fixed_length_may_be_followed_by_its_own_class() {
        let shape = &[Part::Run(ALNUM, 3, 3), Part::Any(&["xy", "xz"]), Part::Run(DIGIT, 1, 9)];
        assert_eq!(matched(shape, b"abcxz1"), Some(6));
        assert_eq!(matched(shape, b"abxz1"), None);
    }
}
