//! Licences as SPDX expressions against a list of those that are allowed.

use spdx::{Expression, LicenseReq, Licensee, ParseMode};

/// Bytes of an expression that is looked at; real ones have a few dozen.
const MAX_EXPRESSION: usize = 4096;

/// The licences that dependencies may have.
#[derive(Debug, Clone)]
pub struct Allowed(Vec<Licensee>);

/// A name that is no SPDX licence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no SPDX licence, as MIT or `GPL-2.0-only WITH Classpath-exception-2.0`")]
pub struct UnknownLicense(String);

/// What a stated licence is by the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The list allows it.
    Allowed,
    /// The list does not.
    Refused,
    /// It is no expression, so that nobody can tell.
    Unreadable,
}

impl Allowed {
    /// The list of SPDX licences by their identifiers, each with its exception where it has one.
    ///
    /// # Errors
    /// For the first name that is none.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownLicense> {
        let parse = |name: &str| Licensee::parse(name).map_err(|_| UnknownLicense(name.to_owned()));
        names.into_iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// What the list says about an expression. `MIT/Apache-2.0`, as old packages write it, is read as `OR`.
    #[must_use]
    pub fn check(&self, expression: &str) -> Verdict {
        if expression.len() > MAX_EXPRESSION || nested(expression) > 32 {
            return Verdict::Unreadable;
        }
        match Expression::parse_mode(expression, ParseMode::LAX) {
            Ok(parsed) if parsed.evaluate(|required| self.holds(required)) => Verdict::Allowed,
            Ok(_) => Verdict::Refused,
            Err(_) => Verdict::Unreadable,
        }
    }

    fn holds(&self, required: &LicenseReq) -> bool {
        self.0.iter().any(|allowed| allowed.satisfies(required))
    }
}

/// Open parentheses at once, at most.
fn nested(expression: &str) -> usize {
    let depths = expression.bytes().scan(0_usize, |depth, byte| {
        match byte {
            b'(' => *depth += 1,
            b')' => *depth = depth.saturating_sub(1),
            _ => {}
        }
        Some(*depth)
    });
    depths.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_expression_is_allowed_where_its_choices_and_duties_are() {
        let list = ["MIT", "Apache-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"];
        let list = Allowed::new(list).unwrap();
        let check = |expression, expect| assert_eq!(list.check(expression), expect, "{expression}");
        check("MIT", Verdict::Allowed);
        check("MIT OR GPL-3.0-only", Verdict::Allowed);
        check("MIT/Apache-2.0", Verdict::Allowed);
        check("(MIT OR GPL-3.0-only) AND Apache-2.0", Verdict::Allowed);
        check("GPL-2.0-only WITH Classpath-exception-2.0", Verdict::Allowed);
        check("GPL-2.0-only", Verdict::Refused);
        check("MIT AND GPL-3.0-only", Verdict::Refused);
        check("LicenseRef-own", Verdict::Refused);
        for strange in
            ["", "my own", "MIT OR", "MIT )", "see LICENSE", &"(".repeat(100_000), &"MIT OR ".repeat(5000)]
        {
            check(strange, Verdict::Unreadable);
        }
        assert!(Allowed::new(["MIT", "Nonsense-1.0"]).is_err());
    }

    proptest! {
        #[test]
        fn no_expression_is_too_strange_to_be_read(text in "[A-Z()+./ -]{0,80}|\\PC{0,80}") {
            let list = Allowed::new(["MIT"]).unwrap();
            let _ = list.check(&text);
        }
    }
}
