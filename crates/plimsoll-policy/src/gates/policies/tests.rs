use super::*;

const PATH: &str = "policies/production.rego";
const TRUSTED: &str = "package plimsoll.production

checked contains input.run.id

deny contains sprintf(\"the run is %s\", [input.run.tier]) if input.run.tier != \"trusted\"

deny contains \"the source is not signed\" if input.source.signature.kind != \"good\"
";

fn unit() -> Unit {
    let named = |name: &str| NamedInput { name: name.into(), id: "0".repeat(32) };
    Unit { project: named("shop"), environment: named("production") }
}

fn input(tier: &str, signature: &str) -> Result<serde_json::Value, String> {
    let unit = unit();
    let [mut input, _] = PolicyInput::worst(&unit.project, &unit.environment);
    input.run.tier = tier.into();
    input.source.as_mut().unwrap().signature.kind = signature.into();
    Ok(serde_json::to_value(input).unwrap())
}

fn codes(gate: &Gate) -> Vec<Code> {
    gate.reasons.iter().map(|reason| reason.code).collect()
}

#[test]
fn a_policy_that_is_content_passes() {
    let gate = unit().gate(PATH, TRUSTED, &input("trusted", "good"));
    assert_eq!(
        gate,
        Gate { name: "policy.production".into(), outcome: Outcome::Passed, evidence: None, reasons: vec![] }
    );
}

#[test]
fn each_message_is_a_reason() {
    let gate = unit().gate(PATH, TRUSTED, &input("untrusted", "bad"));
    let reason = |message: &str| {
        let reason = Code::PolicyFailed.reason().with("policy", PATH).with("message", message);
        reason.with("project", "shop").with("environment", "production")
    };
    assert_eq!(gate.outcome, Outcome::Failed);
    assert_eq!(gate.reasons, [reason("the run is untrusted"), reason("the source is not signed")]);
}

#[test]
fn no_answer_does_not_pass() {
    for (text, input) in [
        ("this is no policy", input("trusted", "good")),
        (TRUSTED, Ok(serde_json::json!({}))),
        (TRUSTED, Err("the input cannot be written".into())),
    ] {
        let gate = unit().gate(PATH, text, &input);
        assert_eq!((gate.outcome, codes(&gate)), (Outcome::Errored, vec![Code::PolicyErrored]), "{text}");
    }
}

#[test]
fn a_policy_that_refuses_nothing_fails() {
    let text = "package main\n\nallow := true\n";
    let gate = unit().gate(PATH, text, &input("trusted", "good"));
    assert_eq!((gate.outcome, codes(&gate)), (Outcome::Failed, vec![Code::PolicyVacuous]));
}

#[test]
fn times_are_utc() {
    let shown = |text: &str| {
        let TimeInput { now, weekday, hour } = time(text.parse().unwrap());
        (now, weekday, hour)
    };
    assert_eq!(shown("2026-01-05T00:30:00+02:00"), ("2026-01-04T22:30:00Z".into(), "Sun".into(), 22));
    assert_eq!(shown("2026-01-05T10:00:00Z"), ("2026-01-05T10:00:00Z".into(), "Mon".into(), 10));
}
