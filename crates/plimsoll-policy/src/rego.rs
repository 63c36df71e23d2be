//! One Rego policy, judged over one input. The same policy, input and limits give the same result on every machine: work is
//! counted, never timed, and nothing that a policy can call knows a clock, randomness, a network or an environment.
//! Whatever is not a clear answer is [`PolicyResult::Errored`], which does not pass (docs/policies.md).

mod builtins;
mod input;
mod machine;
mod meter;
mod reference;
mod scan;
mod unit;
mod vacuous;

pub use input::{
    ApprovalInput, AttemptInput, CommitInput, DeltaInput, FindingsInput, INPUT_VERSION, KindInput,
    MaterialInput, NamedInput, PersonInput, PolicyInput, PreviousInput, ProvenanceInput, ReleaseInput,
    RunInput, ScanInput, SignatureInput, SourceInput, TestInput, TimeInput,
};
pub use reference::{input_reference, input_schema};
pub(crate) use scan::reads;
pub use unit::{TestOutcome, TestReport, run_tests};
pub use vacuous::vacuous;

use machine::Policy;
use regorus::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What one policy may use. Every limit is a count, so that reaching one does not depend on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a policy's text.
    pub source: usize,
    /// Bytes of the input as JSON.
    pub input: usize,
    /// Instructions of the virtual machine, for each of `deny`, `checked` and `allow`.
    pub instructions: usize,
    /// Bytes of all values that are compared, combined or made, each time that it happens.
    pub work: usize,
    /// Bytes of one text that a policy makes.
    pub text: usize,
    /// Messages of a refusal; the others are counted in the last one.
    pub messages: usize,
    /// Bytes of one message; what is longer is cut.
    pub message: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            source: 64 << 10,
            input: 4 << 20,
            instructions: 1_000_000,
            work: 64 << 20,
            text: 64 << 10,
            messages: 50,
            message: 1 << 10,
        }
    }
}

/// What a policy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyResult {
    /// It looked, and has nothing against it.
    Passed,
    /// It refuses: at least one message, sorted, each printable and on one line.
    Denied {
        /// Why.
        messages: Vec<String>,
    },
    /// It gave no answer.
    Errored {
        /// Why not, printable.
        problem: String,
    },
}

impl PolicyResult {
    fn errored(problem: impl AsRef<str>) -> Self {
        Self::Errored { problem: printable(problem.as_ref(), Limits::default().message) }
    }
}

/// Judges `input` by the policy `source`; `name` is for messages only.
///
/// The policy's package is `main` or `plimsoll.<word>`. It passes where `deny` is empty, `checked` is not empty if there is
/// such a rule, and `allow` is true if there is such a rule; it has to have at least one of the last two. `deny` is a set
/// of texts or of objects with a text `msg`.
///
/// # Errors
/// None as such: an invalid policy, an exhausted limit, a rule without an answer and a panic of the interpreter are
/// [`PolicyResult::Errored`].
#[must_use]
pub fn evaluate(name: &str, source: &str, input: &serde_json::Value, limits: &Limits) -> PolicyResult {
    guarded(|| judge(name, source, input, limits)).unwrap_or_else(PolicyResult::errored)
}

/// A panic of the interpreter is an answer like another: the profile unwinds.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let panicked = |_| Err("the interpreter panicked".to_owned());
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(panicked)
}

fn judge(
    name: &str,
    source: &str,
    input: &serde_json::Value,
    limits: &Limits,
) -> Result<PolicyResult, String> {
    let policy = Policy::compile(name, source, limits)?;
    let input = read(input, limits)?;
    let denied = policy.deny(&input, limits)?;
    if !denied.is_empty() {
        return Ok(PolicyResult::Denied { messages: capped(denied, limits) });
    }
    policy.has_looked(&input, limits)?;
    match policy.allow(&input, limits)? {
        None | Some(Value::Bool(true)) => Ok(PolicyResult::Passed),
        Some(Value::Bool(false)) => Ok(PolicyResult::Denied { messages: vec!["allow is false".to_owned()] }),
        Some(Value::Undefined) => Err("no rule of `allow` fits the input".to_owned()),
        Some(_) => Err("`allow` is neither true nor false".to_owned()),
    }
}

fn read(input: &serde_json::Value, limits: &Limits) -> Result<Value, String> {
    let text = serde_json::to_string(input).map_err(|error| format!("the input: {error}"))?;
    if text.len() > limits.input {
        return Err(format!("the input has {} bytes, more than {}", text.len(), limits.input));
    }
    Value::from_json_str(&text).map_err(|error| format!("the input: {error}"))
}

fn capped(messages: Vec<String>, limits: &Limits) -> Vec<String> {
    let others = messages.len().saturating_sub(limits.messages);
    let mut kept: Vec<_> =
        messages.iter().take(limits.messages).map(|text| printable(text, limits.message)).collect();
    if others > 0 {
        kept.push(format!("and {others} more"));
    }
    kept
}

/// One line that no terminal obeys, of at most `limit` bytes and an ellipsis.
fn printable(text: &str, limit: usize) -> String {
    let mut line = String::new();
    for c in text.trim().chars() {
        if line.len() + c.len_utf8() > limit {
            line.push('…');
            break;
        }
        line.push(if is_hidden(c) { ' ' } else { c });
    }
    line
}

/// Characters that move the cursor, or change the order or the look of what stands around them.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
