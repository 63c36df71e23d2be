//! Every reason code is produced somewhere in the tests: a refusal that no test has seen may not exist. The codes that
//! are not yet covered stand in one list, which can only get shorter.

use crate::project::{Project, Result};
use plimsoll_model::Code;
use std::path::{Path, PathBuf};

/// Codes that no test asserts yet, each with what stands in the way.
const NOT_YET: &[(Code, &str)] = &[];

/// The registry's own tests render codes, and these checks name them: neither shows that anything is refused.
const NOT_TESTS_OF_REFUSALS: &[&str] = &["crates/plimsoll-model/src/reason.rs", "crates/xtask"];

/// Codes without a test that are not in the list, and codes of the list that have one by now.
pub(crate) fn check(project: &Project) -> Result<Vec<String>> {
    Ok(judge(&tests(project)?, NOT_YET))
}

/// The texts of all tests: files below `tests/`, test modules, and the scripts below `dev/`.
fn tests(project: &Project) -> Result<Vec<String>> {
    let own = |file: &PathBuf| !NOT_TESTS_OF_REFUSALS.iter().any(|not| file.starts_with(not));
    let mut texts = Vec::new();
    for file in project.files_with("rs")?.into_iter().filter(own) {
        texts.extend(test_part(&file, &std::fs::read_to_string(project.root().join(&file))?));
    }
    for file in project.files_with("sh")?.into_iter().filter(|file| file.starts_with("dev")) {
        texts.push(std::fs::read_to_string(project.root().join(file))?);
    }
    Ok(texts)
}

/// What of a Rust file is test: all of it in `tests/` or `tests.rs`; elsewhere from its test module to the end.
fn test_part(file: &Path, text: &str) -> Option<String> {
    let in_tests = file.components().any(|part| part.as_os_str() == "tests");
    if in_tests || file.file_stem().is_some_and(|stem| stem == "tests") {
        return Some(text.to_owned());
    }
    text.split_once("#[cfg(test)]\nmod ").map(|(_, tests)| tests.to_owned())
}

fn judge(tests: &[String], not_yet: &[(Code, &str)]) -> Vec<String> {
    let problem = |code: &Code| {
        let listed = not_yet.iter().find(|(listed, _)| listed == code);
        match (tests.iter().any(|text| asserts(text, *code)), listed) {
            (false, None) => Some(format!("{code}: no test produces it")),
            (true, Some(_)) => Some(format!("{code}: has a test by now: take it out of NOT_YET")),
            (true, None) | (false, Some(_)) => None,
        }
    };
    Code::ALL.iter().filter_map(problem).collect()
}

/// Whether the text names the code, as `E-OUT-KIND` or as `Code::OutKind`.
fn asserts(text: &str, code: Code) -> bool {
    let end = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '-');
    let named = |name: &str| text.match_indices(name).any(|(at, _)| end(&text[at + name.len()..]));
    named(code.as_str()) || named(&format!("Code::{code:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_produced_by_a_test_or_stands_in_the_list() {
        let found = check(&Project::open().unwrap()).unwrap();
        assert!(found.is_empty(), "{}", found.join("\n"));
    }

    #[test]
    fn a_code_is_found_by_its_text_or_its_name_as_a_whole_word() {
        assert!(asserts("refused(&[\"E-ROLE\"]);", Code::RoleMismatch));
        assert!(asserts("check(Code::RoleMismatch);", Code::RoleMismatch));
        assert!(!asserts("E-ROLE-OTHER Code::RoleMismatched", Code::RoleMismatch));
        assert!(!asserts("E-ROLLBACK", Code::RoleMismatch));
    }

    #[test]
    fn only_tests_count() {
        let part = |file: &str, text: &str| test_part(Path::new(file), text);
        assert_eq!(part("crates/x/src/a.rs", "Code::Clock"), None);
        assert_eq!(
            part("crates/x/src/a.rs", "a\n#[cfg(test)]\nmod tests { b }").as_deref(),
            Some("tests { b }")
        );
        assert_eq!(part("crates/x/src/a/tests.rs", "b").as_deref(), Some("b"));
        assert_eq!(part("crates/x/tests/it/a.rs", "b").as_deref(), Some("b"));
    }

    #[test]
    fn the_list_can_only_get_shorter() {
        let all = |without: Code| {
            let codes = Code::ALL.iter().filter(|code| **code != without);
            vec![codes.map(|code| format!("{code}\n")).collect::<String>()]
        };
        assert_eq!(judge(&all(Code::Clock), &[]), ["E-CLOCK: no test produces it"]);
        assert!(judge(&all(Code::Clock), &[(Code::Clock, "later")]).is_empty());
        let stale = judge(&all(Code::Clock), &[(Code::Clock, "later"), (Code::Health, "later")]);
        assert_eq!(stale, ["E-HEALTH: has a test by now: take it out of NOT_YET"]);
    }
}
