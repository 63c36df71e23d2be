//! What holds for the rules about pipelines together: their pages tell the truth, and no text breaks a reader.

use super::*;
use crate::{
    Checker,
    test::{apply, found},
};
use proptest::prelude::*;

/// The examples of a rule's page: what language, and the text.
fn examples(rule: &Rule) -> Vec<(&'static str, String)> {
    let blocks = rule.help.split("```").skip(1).step_by(2);
    let example = |block: &'static str| {
        let (language, text) = block.split_once('\n').unwrap();
        (language, format!("{}\n", text.trim_end()))
    };
    blocks.map(example).collect()
}

/// Where the examples of a rule stand.
fn path(rule: &Rule, language: &str) -> &'static str {
    match (language, rule.id) {
        ("groovy", _) => "Jenkinsfile",
        (_, id) if id.starts_with("config/gitlab") => ".gitlab-ci.yml",
        (_, id) if id.starts_with("config/argo") => "workflow.yaml",
        _ => ".github/workflows/a.yml",
    }
}

#[test]
fn each_rule_finds_its_bad_example_and_not_its_good_one() {
    for rule in rules() {
        let examples = examples(rule);
        let [(language, bad), (_, good)] = examples.as_slice() else { panic!("{}", rule.id) };
        let path = path(rule, language);
        assert_ne!(found(rule, &[(path, bad)]), [], "{} misses\n{bad}", rule.id);
        assert_eq!(found(rule, &[(path, good)]), [], "{} finds\n{good}", rule.id);
    }
}

#[test]
fn where_a_bad_example_has_a_diff_the_finding_is_gone_after_it() {
    for rule in rules() {
        let (language, bad) = examples(rule).remove(0);
        let path = path(rule, language);
        for finding in found(rule, &[(path, &bad)]) {
            let Some(diff) = &finding.diff else { continue };
            let fixed = apply(&bad, diff);
            let left = found(rule, &[(path, &fixed)]);
            assert!(left.iter().all(|left| left.fingerprint != finding.fingerprint), "{}\n{fixed}", rule.id);
        }
    }
}

/// Text that looks somewhat like a pipeline.
fn soup() -> impl Strategy<Value = String> {
    let words = [
        "on:",
        "jobs:",
        "steps:",
        "- ",
        "run:",
        "uses:",
        "if:",
        "env:",
        "with:",
        "permissions:",
        "\n",
        "\n  ",
        "\n    ",
        "a: ",
        "${{ github.head_ref }}",
        "${{ secrets.A }}",
        "'",
        "\"",
        "|",
        "{",
        "}",
        "[",
        "]",
        "sh ",
        "node {",
        "}",
        "(",
        ")",
        "$",
        "\\",
        "pipeline {",
        "@Library('a')",
        "script:",
        "image:",
        "include:",
        "ä",
        "#",
        "curl a | sh",
        ":",
        "/*",
        "//",
        "'''",
    ];
    proptest::collection::vec(proptest::sample::select(words.to_vec()), 0..40)
        .prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn no_text_breaks_a_reader(text in soup(), bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        for path in [".github/workflows/a.yml", ".gitlab-ci.yml", "Jenkinsfile", "action.yml"] {
            let mut checker = Checker::new();
            checker.add(path, text.as_bytes());
            checker.add(path, &bytes);
            for finding in checker.finish().findings {
                prop_assert!(finding.location.is_some_and(|at| at.line > 0));
            }
        }
    }
}
