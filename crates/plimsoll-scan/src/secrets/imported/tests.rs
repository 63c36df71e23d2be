use super::*;
use crate::{
    ProjectKey,
    ruleset::{MAX_FILE, RuleFile},
    secrets::{Point, Scanned, Scanner},
};
use plimsoll_model::ScanEngine;

fn set(text: &str) -> RuleSet {
    RuleSet::new(ScanEngine::Secrets, vec![RuleFile { name: "own.toml".into(), text: text.into() }])
}

fn read(text: &str) -> Imported {
    Imported::read(&set(text)).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// Rule and text of each match.
fn found<'a>(rules: &str, path: &str, text: &'a str) -> Vec<(String, &'a str)> {
    let imported = read(rules);
    imported
        .matches(path, text.as_bytes())
        .into_iter()
        .map(|(rule, range)| (rule.to_owned(), &text[range]))
        .collect()
}

fn scan(rules: &str, text: &str) -> Scanned {
    let scanner = Scanner::new(Point::Gate, ProjectKey::new([7; 32])).with(Some(read(rules)));
    scanner.scan("a/b.conf", text.as_bytes())
}

const ACME: &str = "[[rules]]\nid = 'acme-key'\ndescription = 'A key of Acme.'\nregex = '''(acme)_([a-z0-9]{12})\\b'''\n\
                    secretGroup = 2\nkeywords = ['ACME_']\nentropy = 2.5\n";

#[test]
fn a_finding_is_named_masked_and_keyed_as_every_other_secret() {
    let text = "one\nuse acme_k3j9x0q2m7vt now\n";
    let scanned = scan(ACME, text);
    let [finding] = scanned.findings.as_slice() else { panic!("{scanned:?}") };
    assert_eq!(finding.rule, "secrets/imported/acme-key");
    assert_eq!((finding.message.as_str(), finding.severity), ("A key of Acme", Severity::High));
    let location = finding.location.as_ref().unwrap();
    assert_eq!((location.line, location.column, location.excerpt.as_str()), (2, 10, "use ******** now"));
    assert!(!format!("{scanned:?}").contains("k3j9x0q2m7vt"));
    let moved = scan(ACME, &format!("\n\n\n{text}"));
    assert_eq!(moved.findings[0].fingerprint, finding.fingerprint);
}

#[test]
fn a_comment_allows_it_by_its_name() {
    let check = |comment: &str, findings: usize, suppressed: usize| {
        let scanned = scan(ACME, &format!("acme_k3j9x0q2m7vt # {comment}"));
        assert_eq!((scanned.findings.len(), scanned.suppressed.len()), (findings, suppressed), "{comment}");
    };
    check("plimsoll:allow secrets/imported/acme-key a fixture", 0, 1);
    check("gitleaks:allow", 0, 1);
    check("plimsoll:allow secrets/imported/other a fixture", 1, 0);
}

/// The other way round a file of rules could hide what a gate would see.
#[test]
fn imported_rules_take_nothing_away() {
    let token = ["AK", "IAQ3EGR2X5B7ZK6WMT"].concat();
    let rules = format!("[allowlist]\npaths = ['.*']\nregexes = ['.*']\n{ACME}");
    let scanned = scan(&rules, &format!("{token} acme_k3j9x0q2m7vt"));
    let rules: Vec<_> = scanned.findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["secrets/aws-access-key"]);
}

#[test]
fn what_an_own_rule_reports_is_not_reported_once_more() {
    let token = ["AK", "IAQ3EGR2X5B7ZK6WMT"].concat();
    let rules = "[[rules]]\nid = 'aws'\nregex = 'AKIA[0-9A-Z]{16}'\n";
    let scanned = scan(rules, &format!("id={token}"));
    let rules: Vec<_> = scanned.findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["secrets/aws-access-key"]);
}

/// As gitleaks 8.30 finds it, rule by rule.
#[test]
fn keys_of_a_rule_mean_what_they_mean_to_gitleaks() {
    let check = |keys: &str, path: &str, text: &str, expect: &[&str]| {
        let rules = format!("[[rules]]\nid = 'r'\nregex = '''key=(\\w+)'''\n{keys}");
        let texts: Vec<_> = found(&rules, path, text).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, expect, "{keys} {path}");
    };
    check("", "a", "key=one key=two", &["key=one", "key=two"]);
    check("keywords = ['other']", "a", "key=one", &[]);
    check("keywords = ['KEY', 'other']", "a", "Key=no key=one", &["key=one"]);
    check("path = '''\\.env$'''", "a.txt", "key=one", &[]);
    check("path = '''\\.env$'''", "a.env", "key=one", &["key=one"]);
    check("entropy = 2", "a", "key=aaaa key=abcd key=abcdefgh", &["key=abcdefgh"]);
    check("secretGroup = 1", "a", "key=one", &["key=one"]);
    check("[rules.allowlist]\nstopwords = ['Test']", "a", "key=mytest key=one", &["key=one"]);
    check("[[rules.allowlists]]\nregexes = ['^o']", "a", "key=one key=two", &["key=two"]);
    check(
        "[[rules.allowlists]]\nregexTarget = 'match'\nregexes = ['^key=o']",
        "a",
        "key=one key=two",
        &["key=two"],
    );
    check(
        "[[rules.allowlists]]\nregexTarget = 'line'\nregexes = ['# no']",
        "a",
        "key=one # no\nkey=two",
        &["key=two"],
    );
    check("[[rules.allowlists]]\npaths = ['^tests/']", "tests/a", "key=one", &[]);
    check(
        "[[rules.allowlists]]\npaths = ['^tests/']\ncondition = 'AND'\nstopwords = ['one']",
        "a",
        "key=one",
        &["key=one"],
    );
    check(
        "[[rules.allowlists]]\npaths = ['^tests/']\ncondition = 'AND'\nstopwords = ['one']",
        "tests/a",
        "key=one key=two",
        &["key=two"],
    );
    check(
        "[[rules.allowlists]]\ncommits = ['abc']\ncondition = 'AND'\nstopwords = ['one']",
        "a",
        "key=one",
        &["key=one"],
    );
    check("[[allowlists]]\nstopwords = ['one']", "a", "key=one key=two", &["key=two"]);
    check("[[allowlists]]\ntargetRules = ['r']\nstopwords = ['one']", "a", "key=one key=two", &["key=two"]);
    check(
        "[[rules]]\nid = 'q'\nregex = 'x'\n[[allowlists]]\ntargetRules = ['q']\nstopwords = ['one']",
        "a",
        "key=one",
        &["key=one"],
    );
    check("SkipReport = true", "a", "key=one", &[]);
}

#[test]
fn a_generic_rule_gives_way_to_a_specific_one() {
    let rules =
        "[[rules]]\nid = 'generic-key'\nregex = 'key=(\\w+)'\n[[rules]]\nid = 'acme'\nregex = 'ACME\\w+'\n";
    let rules: Vec<_> = found(rules, "a", "key=ACME1 key=other").into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(rules, ["acme", "generic-key"]);
}

#[test]
fn a_required_rule_has_to_find_something_close_by() {
    let check = |keys: &str, text: &str, expect: usize| {
        let rules = format!(
            "[[rules]]\nid = 'key'\nregex = 'key=\\w+'\n[[rules.required]]\nid = 'user'\n{keys}\n\
             [[rules]]\nid = 'user'\nregex = 'user=\\w+'\nskipReport = true\n"
        );
        assert_eq!(found(&rules, "a", text).len(), expect, "{keys} {text}");
    };
    check("", "key=a\n\n\nuser=b", 1);
    check("", "key=a", 0);
    check("withinLines = 1", "key=a\nuser=b", 1);
    check("withinLines = 1", "key=a\n\nuser=b", 0);
    check("withinColumns = 3", "key=a\n  user=b", 1);
    check("withinColumns = 3", "key=a\n     user=b", 0);
}

#[test]
fn a_rule_about_a_path_finds_the_file_once() {
    let rules = "[[rules]]\nid = 'pkcs12'\ndescription = 'a bundle of keys'\npath = '''\\.p12$'''\n";
    let scanner = Scanner::new(Point::Gate, ProjectKey::new([7; 32])).with(Some(read(rules)));
    let scanned = scanner.scan("keys/a.p12", b"\0\x01");
    assert_eq!(scanned.findings[0].rule, "secrets/imported/pkcs12");
    assert_eq!(scanned.findings[0].location.as_ref().unwrap().path, "keys/a.p12");
    assert!(scanner.part("keys/a.p12", b"\0\x01").findings.is_empty());
    assert!(scanner.scan("keys/a.pem", b"\0\x01").findings.is_empty());
}

#[test]
fn every_problem_is_told_with_its_line_and_rule() {
    let text = "title = 'x'\ncolour = 'red'\n[extend]\npath = 'other.toml'\n\
                [[rules]]\nid = 'a'\nregex = '(a)\\1'\n\
                [[rules]]\nid = 'b'\nregex = 'b'\nsecretGroup = 2\nentropy = 'much'\n\
                [[rules]]\nregex = 'c'\n\
                [[rules]]\nid = 'a'\nregex = 'd'\n\
                [[rules]]\nid = 'e'\n\
                [[rules]]\nid = 'f'\nregex = 'f'\n[[rules.allowlists]]\ncondition = 'XOR'\nregexes = ['ok', '(']\n\
                [[rules.required]]\nid = 'nowhere'\n\
                [[allowlists]]\ntargetRules = ['gone']\nstopwords = ['x']\n";
    let problems = Imported::read(&set(text)).unwrap_err();
    let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let expect = [
        "own.toml:2: `colour` is not known here",
        "own.toml:4: `path` is not followed: import the other file beside this one",
        "own.toml:7: rule a: `\\1` refers to what was matched before, which is not supported",
        "own.toml:8: rule b: `secretGroup` is 2, and there are fewer groups",
        "own.toml:12: rule b: `entropy` is a number from 0 to 64",
        "own.toml:13: a rule has no `id`",
        "own.toml:15: rule a: there is another rule of this name",
        "own.toml:18: rule e: it has neither `regex` nor `path`, and there is no rule that it could extend",
        "own.toml:23: rule f: `condition` is OR or AND",
        "own.toml:25: rule f: unclosed group",
        "own.toml:26: there is no rule nowhere",
        "own.toml:29: there is no rule gone",
    ];
    assert_eq!(said, expect);
}

#[test]
fn what_has_no_effect_is_noted() {
    let rules = "[extend]\nuseDefault = true\ndisabledRules = ['generic-api-key']\n\
                 [[rules]]\nid = 'a'\nregex = 'a'\n[[rules.allowlists]]\ncommits = ['abc']\n";
    let notes = read(rules).notes().join("\n");
    for part in ["own.toml:2: `useDefault`", "own.toml:3: `disabledRules`", "own.toml:8: `commits`"] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
}

#[test]
fn a_file_that_costs_too_much_is_refused() {
    let check = |text: &str, expect: &str| {
        let problems = Imported::read(&set(text)).expect_err(expect);
        assert!(
            problems.iter().any(|problem| problem.to_string().contains(expect)),
            "{expect}: {:?}",
            problems[0]
        );
        assert!(problems.len() <= 100);
    };
    check(&format!("# {}", "x".repeat(MAX_FILE)), "the file has more than");
    let rule = |id: usize, regex: &str| format!("[[rules]]\nid = 'r{id}'\nregex = '{regex}'\n");
    check(&rule(1, "(a{1000}){1000}"), "too large");
    check(&(0..10_000).map(|id| rule(id, "a")).collect::<String>(), "more than 2000 rules");
    check(&(0..10_000).map(|id| rule(id, "(")).collect::<String>(), "unclosed group");
    check(&rule(1, "a").replace("regex", &"[".repeat(50_000)), "");
    check("[[rules]]\nid = 'a'\nregex = 'a'\nkeywords = ['']\n", "a keyword has from 1");
    check("", "there is no rule");
    check("[[rules]]\nid = 'a'\nregex = 'a'\n[[rules.allowlists]]\n", "is of nothing");
    check("rules = 3", "here stands a table");
    check("[[rules]]\nid = 3\nregex = ['a']\n", "`id` is text");
}

/// A rule that matches everywhere costs time by the bytes and says when it stops.
#[test]
fn a_rule_that_matches_everywhere_is_cut_and_says_so() {
    let scanned = scan("[[rules]]\nid = 'a'\nregex = 'a'\n", &"a".repeat(MATCHES + 1));
    assert!(scanned.gaps.iter().any(|gap| gap.problem.contains("matches too often")), "{:?}", scanned.gaps);
    let scanned = scan("[[rules]]\nid = 'a'\nregex = '(a*)*b'\n", &"a".repeat(1 << 20));
    assert!(scanned.findings.is_empty() && scanned.gaps.is_empty());
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]

    #[test]
    fn any_file_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = Imported::read(&set(&text));
    }

    #[test]
    fn a_damaged_file_is_read_or_refused_and_what_is_read_can_be_applied(
        at in 0usize..400, with in "[\\[\\]'\"=a(){}\\\\*\n]{0,6}", text in "\\PC{0,60}",
    ) {
        let whole = format!("{ACME}[[rules.allowlists]]\nregexes = ['a']\npaths = ['b']\n[[allowlists]]\nstopwords = ['x']\n");
        let mut at = at.min(whole.len());
        while !whole.is_char_boundary(at) {
            at -= 1;
        }
        let text_of = [&whole[..at], with.as_str(), &whole[(at + with.len()).min(whole.len())..]].concat();
        if let Ok(imported) = Imported::read(&set(&text_of)) {
            let _ = imported.matches("a", text.as_bytes());
        }
    }
}
