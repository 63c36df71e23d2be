//! Policies that try to run for ever, to take all memory, to end the process or to answer differently elsewhere. Each ends
//! as no answer, the same every time, and has a twin that does the harmless same and passes.

use super::*;

/// `bad` gives no answer because of `expected`, twice in the same words; `good` passes.
fn check(bad: &str, expected: &str, good: &str) {
    let first = problem(bad);
    assert!(first.contains(expected), "{first} of {}", bad.chars().take(200).collect::<String>());
    assert_eq!(first, problem(bad));
    assert_eq!(judge(good), PolicyResult::Passed, "{good}");
}

fn looped(variables: usize, of: &str) -> String {
    let loops: String = (0..variables).map(|i| format!(" some x{i} in {of}\n")).collect();
    format!("xs := [0,1,2,3,4,5,6,7,8,9]\nallow if true\ndeny contains \"x\" if {{\n{loops} x0 == 10 }}")
}

/// Rules `v0` to `v<n>`, each made of the one before.
fn doubled(n: usize, first: &str, step: &str, last: &str) -> String {
    let rules: String =
        (1..=n).map(|i| format!("v{i} := {}\n", step.replace("PREV", &format!("v{}", i - 1)))).collect();
    format!("v0 := {first}\n{rules}allow if {}", last.replace("LAST", &format!("v{n}")))
}

#[test]
fn the_release_profile_unwinds_or_a_panic_would_end_the_process() {
    let manifest = include_str!("../../../../../Cargo.toml");
    let profiles = manifest.split("\n[profile.").skip(1).flat_map(str::lines);
    let settings: Vec<_> = profiles.filter(|line| line.starts_with("panic")).collect();
    assert_eq!(settings, ["panic = \"unwind\""]);
}

#[test]
fn what_needs_too_many_steps_ends() {
    check(&looped(9, "xs"), "more than 1000000 instructions", &looped(3, "xs"));
}

#[test]
fn what_shares_its_parts_is_counted_as_if_it_were_written_out() {
    let arrays = |n| doubled(n, "[1]", "[PREV, PREV]", "count(LAST) > 0");
    check(&arrays(22), "more than 67108864 bytes of values", &arrays(6));
    let sets = |n| doubled(n, "{1}", "{[PREV, 1], [PREV, 2]}", "count(LAST) == 2");
    check(&sets(22), "bytes of values", &sets(4));
    let objects = |n| doubled(n, "{\"a\": 1}", "{\"a\": PREV, \"b\": PREV}", "LAST == LAST");
    check(&objects(22), "bytes of values", &objects(4));
    let inputs = |n| doubled(n, "[input]", "[PREV, PREV]", "count(LAST) > 0");
    check(&inputs(18), "bytes of values", &inputs(4));
}

#[test]
fn texts_do_not_grow_without_bound() {
    let concat = |n| doubled(n, "\"0123456789\"", "concat(PREV, [PREV, PREV])", "count(LAST) > 0");
    check(&concat(20), "too long", &concat(3));
    let replace = |n| doubled(n, "\"aaaaaaaaaa\"", "replace(PREV, \"a\", PREV)", "count(LAST) > 0");
    check(&replace(4), "too long", &replace(1));
    let sprintf = |n| doubled(n, "\"aaaaaaaaaa\"", "sprintf(\"%s%s\", [PREV, PREV])", "count(LAST) > 0");
    check(&sprintf(20), "too long", &sprintf(3));
    check(
        "allow if sprintf(\"%999999999d\", [1]) != \"\"",
        "do not fit",
        "allow if sprintf(\"%d\", [1]) == \"1\"",
    );
    check(
        "allow if replace(\"abc\", \"\", \"x\") != \"\"",
        "not empty",
        "allow if replace(\"abc\", \"b\", \"\") == \"ac\"",
    );
}

#[test]
fn numbers_have_64_bits() {
    let squared = |n| doubled(n, "9", "PREV * PREV", "LAST > 0");
    check(&squared(20), "more than 64 bits", &squared(3));
    check("allow if 1e999999999 > 0", "exponent", "allow if 1000 > 0");
    check("allow if 123456789012345678901234567890 > 0", "digits", "allow if 123456789 > 0");
    check("allow if to_number(\"1e99999999\") > 0", "expected a number", "allow if to_number(\"1\") > 0");
}

#[test]
fn rules_do_not_wait_for_themselves_or_for_ever() {
    check("a := b\nb := a\nallow if a == 1", "its own answer", "a := b\nb := 1\nallow if a == 1");
    check(
        "f(x) := f(x - 1) if x > 0\nf(x) := 1 if x == 0\nallow if f(5) == 1",
        "its own answer",
        "f(x) := x - 1 if x > 0\nf(x) := 1 if x == 0\nallow if f(f(1)) == 1",
    );
    check("deny contains \"x\" if count(deny) == 0\nallow if true", "its own answer", "allow if true");
    check("allow if not allow", "its own answer", "allow if not other\nother if false");
    let chain = |n: usize| {
        let rules: String = (0..n).map(|i| format!("r{i} := r{}\n", i + 1)).collect();
        format!("{rules}r{n} := 1\nallow if r0 == 1")
    };
    check(&chain(3000), "wait for each other", &chain(15));
}

/// The interpreter has no budget of its own. Where the machine stops early, so that little was counted, it has to stop
/// as well: each of these would run for hours otherwise.
#[test]
fn what_the_machine_leaves_out_the_interpreter_leaves_out_as_well() {
    let loops: String = (0..10).map(|i| format!(" some x{i} in xs\n")).collect();
    let every: String = (0..10).map(|i| format!("every x{i} in xs {{ ")).collect();
    let ends = " }".repeat(10);
    for body in [
        format!("h if {every} false {ends}\nallow if not h"),
        format!("h if {every} x0 == 99 {ends}\nallow if not h"),
        format!("h := 1 if true\nelse := 2 if {{\n{loops} x0 == 99 }}\nallow if h == 1"),
        format!("g(y) if {{\n{loops} x0 == 99 }}\nh if {{ false; g(1) }}\nallow if not h"),
        format!("g(y, z) if {{\n{loops} x0 == 99 }}\nh if g(1, input.previous)\nallow if not h"),
        format!("g(1, y) if {{\n{loops} x0 == 99 }}\nh if g(2, 1)\nallow if not h"),
        format!("default h := false\nh if {{\n{loops} x0 == 99 }}\nallow if 1 == 1"),
    ] {
        assert_eq!(judge(&format!("xs := [0,1,2,3,4,5,6,7,8,9]\n{body}")), PolicyResult::Passed, "{body}");
    }
    for body in [
        format!("h if {{\n \"a\" + 1 == 2\n{loops} x0 == 99 }}\nallow if not h"),
        format!("h := 1 if true\nh := 2 if true\nh := 3 if {{\n{loops} x0 == 99 }}\nallow if h == 1"),
    ] {
        problem(&format!("xs := [0,1,2,3,4,5,6,7,8,9]\n{body}"));
    }
}

#[test]
fn the_deepest_calls_with_the_longest_rules_fit_the_stack() {
    let loops: String = (0..25).map(|i| format!(" some y{i} in ys\n")).collect();
    let rules: String = (0..22).map(|i| format!("r{i} := v if {{\n{loops} v := r{}\n}}\n", i + 1)).collect();
    assert_eq!(judge(&format!("ys := [1]\n{rules}r22 := 1\nallow if r0 == 1")), PolicyResult::Passed);
}

#[test]
fn deep_and_long_texts_never_reach_the_parser() {
    let sum = |n: usize| format!("x := 1{}\nallow if x > 0", " +\n1".repeat(n));
    check(&sum(12_000), "more than 100 operators", &sum(50));
    let hidden = |n: usize| format!("x := {{1\n}}{}\nallow if count(x) == 1", " | {1\n}".repeat(n));
    check(&hidden(3000), "more than 100 operators", &hidden(30));
    let nested = |n: usize| format!("x := {}1{}\nallow if x != 0", "[".repeat(n), "]".repeat(n));
    check(&nested(400), "inside each other", &nested(15));
    let path = |n: usize| format!("x := {{\"a\": {{\"a\": 1}}}}\nallow if not x{}.b", ".a".repeat(n));
    check(&path(150), "more than 100 operators", &path(1));
    let otherwise =
        |n: usize| format!("f(x) := 0 if x == 0\n{}allow if f(0) == 0", "else := 1 if false\n".repeat(n));
    check(&otherwise(3000), "`else`", &otherwise(5));
    check(
        &format!("# {}\nallow if true", "x".repeat(70_000)),
        "bytes, more than 65536",
        "# x\nallow if true",
    );
    let wide = |n: usize| format!("allow if {{\n{}}}", "true\n".repeat(n));
    check(&wide(9000), "Register overflow", &wide(50));
}

#[test]
fn there_is_no_clock_no_chance_no_network_and_no_world() {
    for call in [
        "time.now_ns()",
        "time.clock(1)",
        "rand.intn(\"x\", 2)",
        "http.send({\"method\": \"get\", \"url\": \"http://localhost\"})",
        "opa.runtime()",
        "net.lookup_ip_addr(\"localhost\")",
        "uuid.rfc4122(\"x\")",
        "trace(\"x\")",
        "print(\"x\")",
        "io.jwt.decode(\"x\")",
        "crypto.sha256(\"x\")",
        "regex.match(\"(a+)+$\", \"aaaa\")",
        "glob.match(\"*\", [], \"x\")",
        "numbers.range(1, 1000000000)",
        "numbers.range_step(1, 1000000000, 1)",
        "bits.lsh(1, 1000000000)",
        "product([9, 9])",
        "units.parse_bytes(\"1e9Gi\")",
        "json.unmarshal(\"[]\")",
        "json.marshal([])",
        "walk([[1]])",
        "strings.count(\"x\", \"\")",
        "strings.replace_n({\"a\": \"b\"}, \"a\")",
        "trim(\"a\", \"b\")",
        "__builtin_host_await(1, 2)",
        "data[input.kind]",
        "not_there(1)",
    ] {
        for body in [
            format!("allow if {{ x := {call}; true }}"),
            format!("allow if true\ndeny contains \"x\" if {call}"),
            format!("allow if not {call}"),
        ] {
            let problem = problem(&body);
            let unknown = [
                "no function `",
                "Unknown function",
                "Missing builtin",
                "walk loops",
                "Compile-time recursion",
                "`data` is used",
            ];
            assert!(unknown.iter().any(|words| problem.contains(words)), "{problem} of {body}");
        }
    }
}

#[test]
fn the_input_is_bounded_and_may_be_anything_within() {
    let source = "package main\nallow if input == input";
    let large = json!({"x": "y".repeat(5 << 20)});
    let result = evaluate("p.rego", source, &large, &Limits::default());
    assert!(matches!(result, PolicyResult::Errored { problem } if problem.contains("more than 4194304")));
    for input in [json!(null), json!([]), json!("x"), json!(-0.0), json!(u64::MAX), json!({"": {"": null}})] {
        assert_eq!(evaluate("p.rego", source, &input, &Limits::default()), PolicyResult::Passed, "{input}");
    }
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let result = evaluate("p.rego", source, &deep, &Limits::default());
    assert!(matches!(result, PolicyResult::Errored { .. }), "{result:?}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    /// Damaged policies end in an answer, and in the same one.
    #[test]
    fn a_damaged_policy_ends_in_one_answer(at in 0_usize..300, cut in 0_usize..20, put in "[\\[\\](){}\":=.,\n a-z0-9|+%`\\\\-]{0,6}") {
        let whole = "package main\n\ndefault allow := false\n\nallow if {\n some name, test in input.tests\n test.passed > 3\n not other(name)\n}\n\nother(x) if startswith(x, \"y\")\n\ndeny contains sprintf(\"%s %d\", [n, count(xs)]) if {\n xs := [x | some x in input.run.attempts; x > 2]\n n := concat(\",\", {\"a\", \"b\"})\n count(xs) == 7\n}\n";
        let at = at.min(whole.len());
        let end = (at + cut).min(whole.len());
        let damaged = format!("{}{put}{}", &whole[..at], &whole[end..]);
        let first = evaluate("p.rego", &damaged, &input(), &Limits::default());
        proptest::prop_assert_eq!(first, evaluate("p.rego", &damaged, &input(), &Limits::default()));
    }
}
