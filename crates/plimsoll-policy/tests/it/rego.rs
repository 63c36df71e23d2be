//! Policies in Rego from the outside: what passes, what is refused, and that nothing a policy does is an answer by accident.

use plimsoll_policy::rego::{Limits, NamedInput, PolicyInput, PolicyResult, evaluate, run_tests, vacuous};
use serde_json::{Value, json};

mod attacks;
mod documents;

fn input() -> Value {
    json!({
        "version": 1,
        "kind": "deploy",
        "run": {"tier": "trusted", "attempts": [1, 2, 3]},
        "tests": {"unit": {"outcome": "passed", "passed": 12}},
        "source": {"author": {"name": "Ann", "email": "ann@example.org"}, "commit": "c1"},
    })
}

fn judge(body: &str) -> PolicyResult {
    evaluate("p.rego", &format!("package plimsoll.p\n{body}"), &input(), &Limits::default())
}

fn denied(messages: &[&str]) -> PolicyResult {
    PolicyResult::Denied { messages: messages.iter().map(|text| (*text).to_owned()).collect() }
}

/// The problem of a policy that has to have given no answer.
fn problem(body: &str) -> String {
    let result = judge(body);
    let PolicyResult::Errored { problem } = result else {
        panic!("{result:?} of {}", body.chars().take(200).collect::<String>())
    };
    problem
}

#[test]
fn a_policy_passes_when_it_looked_and_has_nothing_against_it() {
    for body in [
        "allow if input.run.tier == \"trusted\"",
        "checked contains name if some name, _ in input.tests",
        "checked contains 1\ndeny contains \"x\" if input.kind == \"rollback\"\nallow if true",
        "checked contains input.source.commit\ndeny contains \"x\" if {\n not startswith(input.source.author.email, \"ann@\") }",
        "allow if every t in input.tests { t.outcome == \"passed\" }",
        "import rego.v1\nallow if count([x | some x in input.run.attempts; x > 1]) == 2",
        "allow if sprintf(\"%s %d %v %%\", [\"a\", 1, true]) == \"a 1 true %\"",
        "allow if concat(\", \", {\"b\", \"a\"}) == \"a, b\"",
        "allow if replace(\"a-b-c\", \"-\", \"+\") == \"a+b+c\"",
        "allow if to_number(\"12\") + to_number(\"0.5\") == 12.5",
    ] {
        assert_eq!(judge(body), PolicyResult::Passed, "{body}");
    }
}

#[test]
fn a_policy_refuses_with_its_own_words() {
    let check = |body: &str, expected: &[&str]| assert_eq!(judge(body), denied(expected), "{body}");
    check("allow if true\ndeny contains \"no\" if input.kind == \"deploy\"", &["no"]);
    check(
        "checked contains 1\ndeny contains {\"msg\": \"b\", \"code\": 7}\ndeny contains \"a\"",
        &["a", "b"],
    );
    check("default allow := false\nallow if input.kind == \"rollback\"", &["allow is false"]);
    check("checked contains 1 if false\ndeny contains \"before anything else\"", &["before anything else"]);
    check(
        "allow if true\ndeny contains sprintf(\"%s by %s\", [c, a]) if {\n c := input.source.commit\n a := input.source.author.name\n}",
        &["c1 by Ann"],
    );
}

#[test]
fn a_policy_that_matched_nothing_does_not_pass() {
    let check = |body: &str, expected: &str| {
        let problem = problem(body);
        assert!(problem.contains(expected), "{problem} of {body}");
    };
    check("", "nothing shows that it looked");
    check("helper := 1", "nothing shows that it looked");
    check("deny contains \"x\" if input.kind == \"rollback\"", "nothing shows that it looked");
    check("denny contains \"x\" if true\nallow_ := true", "nothing shows that it looked");
    check("allow if input.kind == \"rollback\"", "no rule of `allow` fits");
    check("checked contains x if some x in input.approvals", "found nothing to look at");
    check("allow if input.runn.tier == \"trusted\"", "the input has no `input.runn`");
    check(
        "allow if true\ndeny contains \"x\" if input.tests.unit.outcom != \"passed\"",
        "no `input.tests.unit.outcom`",
    );
    check("allow if true\ndeny contains \"x\" if input[\"tets\"].unit", "no `input.tets`");
    check("allow := 1", "neither true nor false");
    check("allow := \"true\"", "neither true nor false");
    check("allow if true\ndeny := \"no\"", "not a set");
    check("allow if true\ndeny contains 7", "neither a text nor an object");
    check("allow if true\ndeny contains {\"message\": \"x\"}", "neither a text nor an object");
    check("allow if true\ndeny contains \" \"", "is empty");
    check("checked := 1", "not a set");
}

#[test]
fn an_error_in_a_rule_is_not_a_rule_that_does_not_fit() {
    for condition in [
        "to_number(input.source.author.name) == 1",
        "input.source.author.name + 1 == 2",
        "1 / (count(input.tests) - 1) == 1",
        "startswith(input.version, \"1\")",
        "sprintf(\"%d\", [input.kind]) == \"x\"",
        "concat(\",\", [1]) == \"x\"",
        "twice == 1",
        "both(1) == 1",
    ] {
        let rules = "allow if true\ntwice := 1 if true\ntwice := 2 if input.version == 1\nboth(x) := 1 if x == 1\nboth(x) := 2 if x > 0\n";
        problem(&format!("{rules}deny contains \"x\" if {condition}"));
    }
}

#[test]
fn packages_and_languages_are_the_documented_ones() {
    let of = |source: &str| evaluate("p.rego", source, &input(), &Limits::default());
    for package in ["main", "plimsoll.a", "plimsoll.a.b"] {
        assert_eq!(of(&format!("package {package}\nallow if true")), PolicyResult::Passed);
    }
    for source in [
        "package other\nallow if true",
        "package plimsoll\nallow if true",
        "package mainly\nallow if true",
        "allow if true",
        "package main\nallow { true }",
        "package main\nallow = true { input.x }",
        "package main\nallow if",
        "",
        "\u{0}",
        "package main\nallow if \"",
    ] {
        assert!(matches!(of(source), PolicyResult::Errored { .. }), "{source}");
    }
}

#[test]
fn messages_are_short_printable_and_few() {
    let PolicyResult::Denied { messages } =
        judge("allow if true\ndeny contains \"a\\u001b[2Jb\\nc\\u202ed\" if true")
    else {
        panic!("not denied")
    };
    assert_eq!(messages, ["a [2Jb c d"]);
    let many = "xs := [1,2,3,4,5,6,7,8,9,10]\nallow if true\ndeny contains sprintf(\"%d %d\", [x, y]) if { some x in xs; some y in xs }";
    let PolicyResult::Denied { messages } = judge(many) else { panic!("not denied") };
    assert_eq!((messages.len(), messages.last().unwrap().as_str()), (51, "and 50 more"));
    let long = format!(
        "allow if true\ndeny contains sprintf(\"%s%s%s\", [x, x, x]) if x := \"{}\"",
        "ä".repeat(300)
    );
    let PolicyResult::Denied { messages } = judge(&long) else { panic!("not denied") };
    assert_eq!(messages[0], format!("{}…", "ä".repeat(512)));
}

#[test]
fn a_policy_that_cannot_refuse_anything_is_vacuous() {
    let named = |name: &str| NamedInput { name: name.into(), id: "0".repeat(32) };
    let check = |body: &str| {
        let source = format!("package plimsoll.p\n{body}");
        vacuous("p.rego", &source, &named("shop"), &named("production"), &Limits::default())
    };
    for body in [
        "allow := true",
        "default allow := true",
        "allow if true",
        "allow if input",
        "checked contains \"everything\"",
        "checked contains 1\ndeny contains \"x\" if false",
        "checked contains 1\ndeny contains \"x\" if 1 == 2",
        "checked contains 1\ndeny contains \"x\" if { input.kind == \"deploy\"; input.kind == \"rollback\" }",
        "allow if input.version == 1",
        "default allow := true\nallow := false if input.project.name == \"another\"",
    ] {
        assert!(check(body).unwrap().starts_with("it passes releases for which nothing holds"), "{body}");
    }
    for body in [
        "allow if input.run.tier == \"trusted\"",
        "checked contains 1\ndeny contains \"x\" if input.run.tier != \"trusted\"",
        "checked contains 1\ndeny contains \"x\" if some _, g in input.gates; g != \"passed\"",
        "checked contains 1\ndeny contains \"x\" if input.kind == \"rollback\"",
        "checked contains 1\ndeny contains \"x\" if input.time.weekday == \"Fri\"",
        "checked contains 1\ndeny contains \"x\" if { input.project.name == \"shop\"; input.tests.unit.failed > 0 }",
        "checked contains 1\ndeny contains \"x\" if not input.tests.load",
        "deny contains \"x\" if false",
    ] {
        assert_eq!(check(body), None, "{body}");
    }
}

#[test]
fn tests_of_policies_are_run_and_missing_ones_named() {
    let policies = [
        ("a.rego", "package plimsoll.a\nallow if input.kind == \"deploy\""),
        ("b.rego", "package plimsoll.b\nallow if true"),
    ];
    let tests = [(
        "a_test.rego",
        "package plimsoll.a_test\nimport data.plimsoll.a\n\
         test_deploy if a.allow with input as {\"kind\": \"deploy\"}\n\
         test_rollback if not a.allow with input as {\"kind\": \"rollback\"}\n\
         test_wrong if a.allow with input as {\"kind\": \"rollback\"}\n\
         test_error if to_number(\"x\") == 1\n",
    )];
    let report = run_tests(&policies, &tests, &Limits::default());
    let told: Vec<_> = report.outcomes.iter().map(|o| (o.name.as_str(), o.passed)).collect();
    assert_eq!(
        told,
        [
            ("a.rego: is a policy", true),
            ("b.rego: is a policy", true),
            ("a_test.rego: test_deploy", true),
            ("a_test.rego: test_rollback", true),
            ("a_test.rego: test_wrong", false),
            ("a_test.rego: test_error", false),
        ]
    );
    assert_eq!(report.untested, ["b.rego"]);
    assert!(!report.passed());
    let only = run_tests(&policies[1..], &[], &Limits::default());
    assert_eq!((only.outcomes.len(), only.untested.len()), (1, 1));
    let broken = run_tests(&[("c.rego", "package plimsoll.c\nallow {")], &tests, &Limits::default());
    assert!(broken.outcomes.iter().all(|outcome| !outcome.passed) && !broken.passed());
}

#[test]
fn the_worst_release_has_every_field_of_the_document_that_can_be_bad() {
    let named = NamedInput { name: "shop".into(), id: "0".repeat(32) };
    for worst in PolicyInput::worst(&named, &named) {
        let value = serde_json::to_value(&worst).unwrap();
        for field in ["source", "provenance", "tests", "scans", "gates", "delta"] {
            assert!(value[field].as_object().is_some_and(|object| !object.is_empty()), "{field}");
        }
        assert_eq!(value["approvals"], json!([]));
        assert!(value.get("previous").is_none());
    }
}
