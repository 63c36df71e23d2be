//! Compiled expressions. All of them are searched in time proportional to the text, and each has a limit on its size, so
//! that a rule costs what it says and no more.

use super::go::translate;
use regex_automata::{
    meta::{BuildError, Config, Regex},
    util::syntax,
};

/// Bytes of one compiled expression.
const SIZE: usize = 2 << 20;
/// Bytes of what a search keeps of an expression.
const CACHE: usize = 1 << 20;
/// Parentheses in each other.
const NESTED: u32 = 200;

/// One expression that finds what any of these finds.
///
/// # Errors
/// In one line, why one of them is none.
pub(super) fn compile<T: AsRef<str>>(patterns: &[T]) -> Result<Regex, String> {
    let translated: Vec<String> =
        patterns.iter().map(|pattern| translate(pattern.as_ref())).collect::<Result<_, _>>()?;
    let config = Config::new().nfa_size_limit(Some(SIZE)).hybrid_cache_capacity(CACHE).utf8_empty(false);
    let syntax = syntax::Config::new().utf8(false).nest_limit(NESTED);
    let built = Regex::builder().configure(config).syntax(syntax).build_many(&translated);
    built.map_err(|error| said(&error))
}

fn said(error: &BuildError) -> String {
    if error.size_limit().is_some() {
        return "the expression is too large when it is compiled".to_owned();
    }
    match error.syntax_error() {
        // The last line says what is wrong; those before it draw the expression.
        Some(error) => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
        None => error.to_string(),
    }
}
