//! Unit tests of policies, in the way of `opa test`: rules `test_…` that must be true, often over another input by
//! `with input as {…}`. They are run by the interpreter, which knows `with`; whether the machine takes a policy is a test of
//! its own.

use super::{
    Limits, guarded,
    machine::{Policy, engine, text},
    scan,
};
use regorus::{Engine, Value};
use std::collections::BTreeSet;

/// One test and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestOutcome {
    /// File and rule, as in `production_test.rego: test_refuses_friday`.
    pub name: String,
    /// Whether it holds.
    pub passed: bool,
    /// Why not.
    pub problem: Option<String>,
}

/// All tests of a set of policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestReport {
    /// Every test, in the order of the files.
    pub outcomes: Vec<TestOutcome>,
    /// Policies without a test of their own in a file `<policy>_test.rego`.
    pub untested: Vec<String>,
}

impl TestReport {
    /// Whether every policy has a test and every test holds.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.untested.is_empty() && self.outcomes.iter().all(|outcome| outcome.passed)
    }
}

/// Runs the tests of `policies`: both lists hold file names and texts. Each policy is first compiled as a gate would.
///
/// Tests are code of the policies' authors that runs before anything is signed: the text is bounded, work is not.
#[must_use]
pub fn run_tests(policies: &[(&str, &str)], tests: &[(&str, &str)], limits: &Limits) -> TestReport {
    let compiles = |(name, source): &(&str, &str)| {
        let problem = guarded(|| Policy::compile(name, source, limits)).err();
        TestOutcome { name: format!("{name}: is a policy"), passed: problem.is_none(), problem }
    };
    let mut outcomes: Vec<_> = policies.iter().map(compiles).collect();
    let mut tested = BTreeSet::new();
    match guarded(|| load(policies, tests, limits)) {
        Ok((engine, rules)) => {
            for rule in rules {
                tested.insert(rule.file.trim_end_matches("_test.rego").to_owned());
                outcomes.push(rule.run(&engine));
            }
        }
        Err(problem) => {
            outcomes.push(TestOutcome { name: "tests".to_owned(), passed: false, problem: Some(problem) });
        }
    }
    let untested = policies.iter().filter(|(name, _)| !tested.contains(name.trim_end_matches(".rego")));
    TestReport { untested: untested.map(|(name, _)| (*name).to_owned()).collect(), outcomes }
}

/// A rule `test_…`.
struct Test {
    file: String,
    package: String,
    rule: String,
}

fn load(
    policies: &[(&str, &str)],
    tests: &[(&str, &str)],
    limits: &Limits,
) -> Result<(Engine, Vec<Test>), String> {
    let mut engine = engine();
    engine.set_strict_builtin_errors(true);
    let mut found = vec![];
    for (file, source) in policies {
        scan::bounded(source, limits).map_err(|problem| format!("{file}: {problem}"))?;
        engine.add_policy((*file).to_owned(), (*source).to_owned()).map_err(text)?;
    }
    for (file, source) in tests {
        scan::bounded(source, limits).map_err(|problem| format!("{file}: {problem}"))?;
        let package = engine.add_policy((*file).to_owned(), (*source).to_owned()).map_err(text)?;
        let rules = scan::rules(source, "test_")?.into_iter();
        found.extend(rules.map(|rule| Test {
            file: (*file).to_owned(),
            package: package.clone(),
            rule: rule.to_owned(),
        }));
    }
    Ok((engine, found))
}

impl Test {
    fn run(&self, engine: &Engine) -> TestOutcome {
        let answer =
            guarded(|| engine.clone().eval_rule(format!("{}.{}", self.package, self.rule)).map_err(text));
        let problem = match answer {
            Ok(Value::Bool(true)) => None,
            Ok(Value::Undefined | Value::Bool(false)) => Some("it is not true".to_owned()),
            Ok(other) => Some(format!("it is {other}, expected true")),
            Err(problem) => Some(problem),
        };
        TestOutcome { name: format!("{}: {}", self.file, self.rule), passed: problem.is_none(), problem }
    }
}
