//! Dockerfiles, read as BuildKit reads them, and the rules about them.

pub(crate) mod image;
mod lines;
pub(crate) mod not_rendered;
mod parse;
mod rules;

use crate::{
    issue::{Found, Issues},
    source::Source,
};
use parse::Dockerfile;
use plimsoll_scan::Rule;
use std::rc::Rc;

/// Looks at one file for one rule.
type Check = fn(&Dockerfile, &mut Found<'_>);

pub(crate) use rules::RULES;

/// Judges one Dockerfile.
///
/// # Errors
///
/// Why it cannot be read, in one line.
pub(crate) fn check(source: &Rc<Source>, issues: &mut Issues) -> Result<(), String> {
    let file = Dockerfile::read(source)?;
    RULES.iter().for_each(|(rule, check)| check(&file, &mut issues.of(rule)));
    Ok(())
}
