//! What holds for every rule, and for the checker as a whole.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn check(path: &str, text: &str) -> Checked {
    let mut checker = Checker::new();
    checker.add(path, text.as_bytes());
    checker.finish()
}

#[test]
fn every_rule_has_a_name_of_its_own_and_says_why_and_what_to_do() {
    let mut ids = BTreeSet::new();
    for rule in rules() {
        assert!(rule.id.starts_with("config/"), "{}", rule.id);
        assert!(
            rule.id["config/".len()..]
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        );
        assert!(ids.insert(rule.id), "{} twice", rule.id);
        assert!(!rule.title.ends_with('.') && rule.title.len() < 100, "{}", rule.title);
        assert_eq!(rule.help.matches("```").count(), 4, "{} has a bad and a good example", rule.id);
        assert!(rule.help.contains("Bad:") && rule.help.contains("Good:"), "{}", rule.id);
        assert!(rule.references.iter().all(|link| link.starts_with("https://")), "{}", rule.id);
    }
}

#[test]
fn a_file_of_no_kind_is_none_and_what_cannot_be_parsed_is_a_gap() {
    let mut checker = Checker::new();
    assert!(!checker.add("src/main.rs", b"fn main() {}"));
    assert!(checker.add("Dockerfile", b"FROM a:1@sha256:0\nWHAT is this\n"));
    assert!(checker.add("b/Dockerfile", b"\xff\xfe\x00"));
    assert!(checker.add("c/Dockerfile", b"FROM scratch\nUSER 1\n"));
    let checked = checker.finish();
    let gaps: Vec<String> =
        checked.coverage.gaps.iter().map(|gap| format!("{}: {}", gap.path, gap.problem)).collect();
    assert_eq!(gaps, ["Dockerfile: `WHAT` is no instruction (line 2)", "b/Dockerfile: is not valid UTF-16"]);
    assert_eq!((checked.coverage.files, checked.coverage.bytes), (1, 20));
    let template = check("Dockerfile", "{{ base }}\n");
    assert_eq!((template.coverage.files, template.findings.len()), (0, 1));
}

#[test]
fn a_comment_with_a_reason_suppresses_and_one_without_does_not() {
    let text = |comment: &str| format!("{comment}\nFROM debian\nUSER 1\n");
    let rule = "config/dockerfile-moving-base";
    let with = check(
        "Dockerfile",
        &text("# plimsoll:allow config/dockerfile-moving-base we test against the newest"),
    );
    assert!(with.findings.iter().all(|finding| finding.rule != rule));
    assert_eq!(with.suppressed.len(), 1);
    let without = check("Dockerfile", &text("# plimsoll:allow config/dockerfile-moving-base"));
    assert!(without.suppressed.is_empty());
    let finding = without.findings.iter().find(|finding| finding.rule == rule).unwrap();
    assert!(finding.message.ends_with("(the comment that accepts it gives no reason)"));
}

#[test]
fn a_fingerprint_survives_moved_lines_and_tells_twins_apart() {
    let prints = |text: &str| {
        let findings = check("Dockerfile", text).findings;
        findings.iter().map(|finding| finding.fingerprint).collect::<Vec<_>>()
    };
    let base = "FROM debian\nUSER 1\n";
    assert_eq!(prints(base), prints(&format!("# hello\n\n\n{base}")));
    let twice = prints("FROM debian\nFROM debian\nUSER 1\n");
    assert_eq!(twice.iter().collect::<BTreeSet<_>>().len(), twice.len());
}

proptest! {
    #[test]
    fn no_bytes_break_the_checker(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for path in ["Dockerfile", "a.yaml"] {
            let mut checker = Checker::new();
            checker.add(path, &bytes);
            let _ = checker.finish();
        }
    }
}

#[test]
fn no_rule_finds_anything_in_what_follows_all_of_them() {
    let fixed = [
        ("shop.yaml", include_str!("kubernetes/testdata/hardened.yaml")),
        ("Dockerfile", include_str!("dockerfile/testdata/Dockerfile.hardened")),
    ];
    for (path, text) in fixed {
        let checked = check(path, text);
        assert_eq!(checked.coverage.gaps, []);
        assert_eq!(checked.findings, [], "{path}");
    }
}

#[test]
fn no_report_shows_a_secret() {
    // plimsoll:allow secrets/secret the canary of this test
    let secret = "kT9vQ2xLw7";
    let files = [
        (
            "Dockerfile",
            format!(
                "FROM a:1\nENV DB_PASSWORD={secret}\nARG TOKEN={secret}\nRUN echo root:{secret} | chpasswd\nRUN git clone https://u:{secret}@a.org/b\n"
            ),
        ),
        (
            "a.yaml",
            format!(
                "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: c\n    args: [--password={secret}]\n    env:\n    - {{name: DB_PASSWORD, value: {secret}}}\n"
            ),
        ),
        (
            "b.yaml",
            format!(
                "apiVersion: v1\nkind: Secret\ndata: {{password: {secret}}}\n---\napiVersion: v1\nkind: ConfigMap\ndata: {{password: {secret}}}\n"
            ),
        ),
        (
            "c.json",
            format!(
                "{{\"config\": {{\"Env\": [\"TOKEN={secret}\"]}}, \"history\": [{{\"created_by\": \"|1 TOKEN={secret} sh\"}}], \"rootfs\": {{\"diff_ids\": []}}}}"
            ),
        ),
    ];
    for (path, text) in files {
        let checked = check(path, &text);
        let named = checked.findings.iter().filter(|finding| {
            finding.rule.contains("secret")
                || finding.rule.contains("password")
                || finding.rule.contains("credentials")
        });
        assert!(named.count() >= 2, "{path}: {checked:#?}");
        assert!(!format!("{checked:?}").contains(secret), "{path}: {checked:#?}");
    }
}

#[test]
fn a_file_with_millions_of_findings_is_told_in_part_and_is_a_gap() {
    let containers = "{},".repeat(2_000);
    let text = format!(
        "{{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"spec\": {{\"containers\": [{containers}{{}}]}}}}"
    );
    let checked = check("a.json", &text);
    let of = |rule: &str| checked.findings.iter().filter(|finding| finding.rule == rule).count();
    assert_eq!(of("config/kubernetes-memory-limit"), 1_000);
    let told = "has 2001 findings of config/kubernetes-memory-limit, of which 1000 are told";
    assert!(checked.coverage.gaps.iter().any(|gap| gap.path == "a.json" && gap.problem == told));
}

#[test]
fn more_objects_than_can_be_judged_together_are_a_gap() {
    let text = "apiVersion: v1\nkind: A\n---\n".repeat(20_001);
    let checked = check("a.yaml", &text);
    assert_eq!(checked.coverage.gaps[0].problem, "is past the 20000 objects that are judged together");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_damage_breaks_the_rules(cut in 0..4_000_usize, length in 0..40_usize, put in "[-a-z:{}\\[\\]&*!|>#'\"\\\\ \n]{0,12}") {
        let files = [
            ("a.yaml", include_str!("kubernetes/testdata/hardened.yaml")),
            ("Dockerfile", include_str!("dockerfile/testdata/Dockerfile.hardened")),
        ];
        for (path, text) in files {
            let start = cut % text.len();
            let mut text = text.to_owned();
            text.replace_range(start..(start + length).min(text.len()), &put);
            for finding in check(path, &text).findings {
                let location = finding.location.unwrap();
                prop_assert!(location.line >= 1 && location.end_line >= location.line);
            }
        }
    }
}

#[test]
fn every_rule_that_the_guides_page_names_is_there() {
    let known: BTreeSet<&str> = rules().iter().map(|rule| rule.id).collect();
    let page = include_str!("../../../docs/kubernetes.md");
    let named: Vec<&str> = page.split('`').filter(|text| text.starts_with("config/")).collect();
    assert!(named.len() > 50);
    let unknown: Vec<_> = named.into_iter().filter(|name| !known.contains(name)).collect();
    assert_eq!(unknown, Vec::<&str>::new());
}
