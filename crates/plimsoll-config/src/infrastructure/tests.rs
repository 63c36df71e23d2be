//! What holds for the rules about infrastructure together: their pages tell the truth, each entry of the table is asked in
//! each language that it knows, and what is not known is counted.

use super::{
    table::{Absent, Demand, On},
    *,
};
use crate::{
    Checker,
    test::{apply, checked, found},
};
use proptest::prelude::*;

#[test]
fn each_rule_finds_its_bad_example_and_not_its_good_one() {
    for rule in rules() {
        let blocks: Vec<&str> =
            rule.help.split("```hcl\n").skip(1).filter_map(|block| block.split("```").next()).collect();
        let [bad, good] = blocks.as_slice() else { panic!("{}", rule.id) };
        assert_ne!(found(rule, &[("main.tf", bad)]), [], "{} misses\n{bad}", rule.id);
        assert_eq!(found(rule, &[("main.tf", good)]), [], "{} finds\n{good}", rule.id);
        for finding in found(rule, &[("main.tf", bad)]) {
            let Some(diff) = &finding.diff else { continue };
            let fixed = apply(bad, diff);
            let left = found(rule, &[("main.tf", &fixed)]);
            assert!(left.iter().all(|left| left.fingerprint != finding.fingerprint), "{}\n{fixed}", rule.id);
        }
    }
}

/// A value that the demand refuses, one that it takes; as JSON.
fn values(demand: Demand) -> (Option<String>, String) {
    let text = |text: &str| format!("\"{text}\"");
    match demand {
        Demand::Is(wanted) => (Some((!wanted).to_string()), wanted.to_string()),
        Demand::OneOf(values) => (Some(text("else")), text(values[0])),
        Demand::NoneOf(values) => (Some(text(values[0])), text("else")),
        Demand::AtLeast(least) => (Some((least - 1.0).to_string()), least.to_string()),
        Demand::Present => (None, text("else")),
    }
}

/// The attribute at the way as JSON.
fn nested(way: &[&str], value: &str) -> String {
    let (open, close): (String, String) =
        (way.iter().map(|key| format!("{{\"{key}\": ")).collect(), "}".repeat(way.len()));
    format!("{open}{value}{close}")
}

/// Files in each language that the kind has, with a body as JSON.
fn files(on: &On, body: &str) -> Vec<(&'static str, String)> {
    if on.kind.starts_with("AWS::") {
        return vec![(
            "stack.json",
            format!("{{\"Resources\": {{\"A\": {{\"Type\": \"{}\", \"Properties\": {body}}}}}}}", on.kind),
        )];
    }
    let change = format!(
        "{{\"address\": \"a\", \"mode\": \"managed\", \"type\": \"{}\", \"change\": {{\"after\": {body}}}}}",
        on.kind
    );
    let plan = format!("{{\"terraform_version\": \"1.9\", \"resource_changes\": [{change}]}}");
    // An object is written in HCL as in JSON; blocks are tested by the examples.
    let inner = &body[1..body.len() - 1];
    let attribute = inner
        .split_once(':')
        .map_or(String::new(), |(key, value)| format!("{} = {}", key.trim_matches(['"', ' ']), value));
    vec![("plan.json", plan), ("main.tf", format!("resource \"{}\" \"a\" {{\n  {attribute}\n}}\n", on.kind))]
}

#[test]
fn each_entry_is_asked_in_each_language_that_it_knows() {
    for entry in table::entries() {
        for on in entry.on {
            let (bad, good) = values(on.demand);
            let way = on.way.join(".");
            let fires = |body: &str, expect: bool| {
                for (path, text) in files(on, body) {
                    let found = found(&entry.rule, &[(path, &text)]);
                    let of_way = found.iter().any(|finding| finding.message.contains(&format!("`{way}`")));
                    assert_eq!(of_way, expect, "{} {way} in {text}", entry.rule.id);
                }
            };
            bad.iter().for_each(|bad| fires(&nested(on.way, bad), true));
            fires(&nested(on.way, &good), false);
            fires("{}", on.absent == Absent::Fails);
        }
    }
}

#[test]
fn what_is_not_known_is_no_finding_and_is_counted() {
    let undecided = |files: &[(&str, &str)]| {
        let checked = checked(files);
        assert_eq!(checked.findings, [], "{files:?}");
        checked.coverage.undecided
    };
    let volume = |value: &str| format!("resource \"aws_ebs_volume\" \"a\" {{\n  encrypted = {value}\n}}\n");
    assert_eq!(undecided(&[("main.tf", &volume("true"))]), 0);
    assert_eq!(undecided(&[("main.tf", &volume("var.encrypted"))]), 1);
    assert_eq!(undecided(&[("main.tf", &volume("var.encrypted || true"))]), 1);
    assert_eq!(undecided(&[("main.tf", &volume("local.a")), ("locals.tf", "locals {\n  a = true\n}\n")]), 0);
    let plan = r#"{"terraform_version": "1", "resource_changes": [{"address": "a", "mode": "managed", "type": "aws_ebs_volume",
        "change": {"after": {}, "after_unknown": {"encrypted": true}}}]}"#;
    assert_eq!(undecided(&[("plan.json", plan)]), 1);
    let template = "Resources:\n  A:\n    Type: AWS::EC2::Volume\n    Properties:\n      Encrypted: !If [A, true, false]\n";
    assert_eq!(undecided(&[("stack.yaml", template)]), 1);
}

#[test]
fn variables_locals_conditions_and_values_files_are_followed() {
    let places = |files: &[(&str, &str)]| {
        let findings = checked(files).findings;
        let place = |finding: &plimsoll_scan::Finding| {
            finding.location.as_ref().map(|at| (at.path.clone(), at.line, at.column))
        };
        findings.iter().filter_map(place).collect::<Vec<_>>()
    };
    let main = "resource \"aws_ebs_volume\" \"a\" {\n  encrypted = local.settings.encrypted\n}\n";
    let locals = "variable \"on\" {\n  default = false\n}\nlocals {\n  settings = { encrypted = var.on ? true : \"false\" }\n}\n";
    let at = ("m/main.tf".to_owned(), 2, 15);
    assert_eq!(places(&[("m/main.tf", main), ("m/locals.tf", locals)]), [at]);
    assert_eq!(
        places(&[("m/main.tf", main), ("m/locals.tf", locals), ("m/terraform.tfvars", "on = true\n")]),
        []
    );
    assert_eq!(
        places(&[("m/main.tf", main), ("other/locals.tf", locals)]),
        [],
        "another folder is another module"
    );
    let none = "resource \"aws_ebs_volume\" \"a\" {\n  count = 0\n}\n";
    assert_eq!(places(&[("main.tf", none)]), []);
    let parameter = "Parameters:\n  On: {Type: String, Default: 'false'}\nResources:\n  A:\n    Type: AWS::EC2::Volume\n    Properties: {Encrypted: !Ref On}\n";
    assert_eq!(places(&[("stack.yaml", parameter)]), [("stack.yaml".to_owned(), 6, 34)]);
}

#[test]
fn a_file_that_is_no_hcl_and_a_plan_that_is_none_are_gaps() {
    let mut checker = Checker::new();
    checker.add("main.tf", b"resource \"a\" \"b\" {\n  c =\n}\n");
    checker.add("plan.json", b"{\"terraform_version\": 1, \"x\": {\"resource_changes\": []}}");
    let gaps: Vec<String> = checker.finish().coverage.gaps.into_iter().map(|gap| gap.problem).collect();
    assert_eq!(gaps, ["is not valid HCL (line 2)", "is no plan: `resource_changes` is missing"]);
}

#[test]
fn locals_that_repeat_each_other_and_deep_text_are_read_in_a_moment() {
    let mut text = "resource \"aws_ebs_volume\" \"a\" {\n  encrypted = local.a0\n}\nlocals {\n".to_owned();
    for level in 0..19 {
        let items = vec![format!("local.a{}", level + 1); 10].join(", ");
        text.push_str(&format!("  a{level} = [{items}]\n"));
    }
    checked(&[("main.tf", &format!("{text}}}\n"))]);
    for deep in [
        "[".repeat(20_000),
        "{".repeat(20_000),
        "!".repeat(20_000),
        "a ? b : ".repeat(5_000),
        "\"${".repeat(5_000),
    ] {
        Checker::new().add("main.tf", format!("a = {deep}").as_bytes());
    }
}

proptest! {
    #[test]
    fn no_text_breaks_a_reader(text in "(resource|\"aws_ebs_volume\"|\"a\"|variable|locals|[-a-c ={}\\[\\]\"$.?:(),!<\n]){0,40}") {
        for path in ["main.tf", "terraform.tfvars"] {
            let mut checker = Checker::new();
            checker.add(path, text.as_bytes());
            let _ = checker.finish();
        }
    }

    #[test]
    fn no_template_and_no_plan_breaks_a_reader(text in "[-a-c {}\\[\\]\",:!&*\n]{0,60}") {
        for text in [format!("Resources: {{A: {{Type: AWS::S3::Bucket, Properties: {text}}}}}"), format!("{{\"terraform_version\": 1, \"resource_changes\": {text}}}")] {
            for path in ["a.yaml", "a.json"] {
                let mut checker = Checker::new();
                checker.add(path, text.as_bytes());
                let _ = checker.finish();
            }
        }
    }
}
