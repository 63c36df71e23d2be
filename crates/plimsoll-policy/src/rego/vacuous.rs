//! Whether a policy can refuse anything, found out by experiment: it is shown releases for which nothing holds. One that
//! lets all of them pass is no control, whatever its text looks like.

use super::{Limits, NamedInput, PolicyInput, PolicyResult, evaluate};

/// Why the policy cannot refuse anything; none where it can.
///
/// The experiment: a deployment and a rollback of `project` to `environment` for which everything failed that can fail,
/// on a Friday afternoon and on a Sunday night, and the empty document. A policy that passes both releases is vacuous; an
/// error is a refusal. A rule with conditions that never hold together is found as well as `allow := true`.
#[must_use]
pub fn vacuous(
    name: &str,
    source: &str,
    project: &NamedInput,
    environment: &NamedInput,
    limits: &Limits,
) -> Option<String> {
    let passes = |input: &serde_json::Value| evaluate(name, source, input, limits) == PolicyResult::Passed;
    for input in PolicyInput::worst(project, environment) {
        let input = serde_json::to_value(input).ok()?;
        if !passes(&input) {
            return None;
        }
    }
    let nothing = passes(&serde_json::Value::Object(serde_json::Map::new()));
    let also = if nothing { ", and an empty input as well" } else { "" };
    Some(format!("it passes releases for which nothing holds{also}"))
}
