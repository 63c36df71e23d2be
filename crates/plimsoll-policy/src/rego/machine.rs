//! A policy, compiled for the virtual machine, and its rules, each answered twice: by the machine step by step under the
//! meter, and then by the interpreter. The machine takes an error inside a rule for a rule that does not fit, which in
//! `deny` would let pass; the interpreter says so, and they have to agree.

use super::{
    Limits, builtins,
    meter::{Meter, call_depth},
    scan,
};
use regorus::{
    Engine, PolicyLengthConfig, Value,
    languages::rego::compiler::Compiler,
    rvm::{
        Program, RegoVM,
        instructions::Instruction,
        vm::{ExecutionMode, ExecutionState, SuspendReason},
    },
};
use std::{
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
};

/// Rules that wait for each other's answer, one inside the other.
const CALL_DEPTH: usize = 24;

/// A policy that follows the convention.
pub(super) struct Policy {
    engine: Engine,
    program: Arc<Program>,
    deny: Option<String>,
    checked: Option<String>,
    allow: Option<String>,
}

impl Policy {
    /// Reads `source` and compiles the three rules that count.
    pub(super) fn compile(name: &str, source: &str, limits: &Limits) -> Result<Self, String> {
        scan::check(source, limits)?;
        let mut engine = engine();
        let package = engine.add_policy(name.to_owned(), source.to_owned()).map_err(text)?;
        if package != "data.main" && !package.starts_with("data.plimsoll.") {
            return Err(format!("the package is `{package}`: expected `main` or `plimsoll.<word>`"));
        }
        let rule = |rule: &str| match engine.has_declared_rule_rooted_at(name, rule) {
            Ok(declared) => Ok(declared.then(|| format!("{package}.{rule}"))),
            Err(error) => Err(text(error)),
        };
        let (deny, checked, allow) = (rule("deny")?, rule("checked")?, rule("allow")?);
        if checked.is_none() && allow.is_none() {
            let without = "it has neither `allow` nor `checked`, so nothing shows that it looked at anything";
            return Err(without.to_owned());
        }
        let entries: Vec<&str> =
            [&deny, &checked, &allow].into_iter().flatten().map(String::as_str).collect();
        let program = program(&mut engine, &entries, limits)?;
        Ok(Self { engine, program, deny, checked, allow })
    }

    /// Messages of `deny`, sorted.
    pub(super) fn deny(&self, input: &Value, limits: &Limits) -> Result<Vec<String>, String> {
        let Some(rule) = &self.deny else { return Ok(vec![]) };
        let set = self.answer(rule, input, limits)?;
        let Value::Set(set) = set else { return Err("`deny` is not a set of messages".to_owned()) };
        let mut messages = set.iter_sorted().map(message).collect::<Result<Vec<_>, _>>()?;
        messages.sort();
        Ok(messages)
    }

    /// Whether `checked` names something, if there is such a rule.
    pub(super) fn has_looked(&self, input: &Value, limits: &Limits) -> Result<(), String> {
        let Some(rule) = &self.checked else { return Ok(()) };
        match self.answer(rule, input, limits)? {
            Value::Set(set) if !set.is_empty() => Ok(()),
            Value::Set(_) | Value::Undefined => {
                Err("`checked` is empty: it found nothing to look at".to_owned())
            }
            _ => Err("`checked` is not a set".to_owned()),
        }
    }

    /// `allow`, if there is such a rule.
    pub(super) fn allow(&self, input: &Value, limits: &Limits) -> Result<Option<Value>, String> {
        self.allow.as_ref().map(|rule| self.answer(rule, input, limits)).transpose()
    }

    fn answer(&self, rule: &str, input: &Value, limits: &Limits) -> Result<Value, String> {
        let counted = run(&self.program, rule, input, limits)?;
        let mut engine = self.engine.clone();
        engine.set_strict_builtin_errors(true);
        engine.set_input(input.clone());
        let interpreted = engine.eval_rule(rule.to_owned()).map_err(text)?;
        if counted == interpreted {
            return Ok(counted);
        }
        Err(format!("`{rule}` has two answers: a part of it is in error or beyond what is supported"))
    }
}

/// An engine without policies that reads Rego v1.
pub(super) fn engine() -> Engine {
    let mut engine = Engine::new();
    engine.set_rego_v0(false);
    // Bytes are counted before; these are the other two.
    if let (Some(max_col), Some(max_lines), Some(max_file_bytes)) =
        (NonZeroU32::new(1024), NonZeroUsize::new(20_000), NonZeroUsize::new(1 << 20))
    {
        engine.set_policy_length_config(PolicyLengthConfig { max_col, max_file_bytes, max_lines });
    }
    engine
}

fn program(engine: &mut Engine, entries: &[&str], limits: &Limits) -> Result<Arc<Program>, String> {
    let first = entries.first().copied().unwrap_or_default().into();
    let compiled = engine.compile_with_entrypoint(&first).map_err(text)?;
    let program = Compiler::compile_from_policy(&compiled, entries).map_err(text)?;
    let mut program = Arc::unwrap_or_clone(program);
    let dynamic = |i: &Instruction| matches!(i, Instruction::VirtualDataDocumentLookup { .. });
    if program.has_host_await || program.instructions.iter().any(dynamic) {
        return Err("`data` is used for other things than rules by their full name".to_owned());
    }
    match call_depth(&program) {
        None => return Err("a rule needs its own answer".to_owned()),
        Some(depth) if depth > CALL_DEPTH => {
            return Err(format!("{depth} rules wait for each other, more than {CALL_DEPTH}"));
        }
        Some(_) => {}
    }
    // Every definition is run, as the interpreter does: what is not run is not counted.
    program.rule_infos.iter_mut().for_each(|rule| rule.early_exit_on_first_success = false);
    builtins::restrict(&mut program, limits)?;
    Ok(Arc::new(program))
}

fn run(program: &Arc<Program>, rule: &str, input: &Value, limits: &Limits) -> Result<Value, String> {
    let mut machine = RegoVM::new();
    machine.load_program(Arc::clone(program));
    machine.set_input(input.clone());
    machine.set_max_instructions(limits.instructions);
    machine.set_execution_mode(ExecutionMode::Suspendable);
    machine.set_step_mode(true);
    let mut meter = Meter::new(program, limits);
    let mut step = machine.execute_entry_point_by_name(rule);
    loop {
        let value = step.map_err(|error| builtins::problem(&error, limits))?;
        match machine.execution_state() {
            ExecutionState::Completed { .. } => return Ok(value),
            ExecutionState::Suspended { reason: SuspendReason::Step, .. } => {
                meter.charge(machine.get_pc(), machine.get_registers())?;
            }
            ExecutionState::Suspended { .. }
            | ExecutionState::Ready
            | ExecutionState::Running
            | ExecutionState::Error { .. } => return Err("the machine stopped".to_owned()),
        }
        step = machine.resume(None);
    }
}

fn message(value: &Value) -> Result<String, String> {
    let key = Value::from("msg");
    let text = match value {
        Value::String(text) => Some(text),
        Value::Object(object) => match object.get(&key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        },
        _ => None,
    };
    let text = text.ok_or("a message of `deny` is neither a text nor an object with a text `msg`")?;
    if text.trim().is_empty() { Err("a message of `deny` is empty".to_owned()) } else { Ok(text.to_string()) }
}

/// What went wrong, on one line and without the picture of the source.
pub(super) fn text(error: impl std::fmt::Display) -> String {
    let whole = error.to_string();
    let at = whole.lines().find_map(|line| line.trim().strip_prefix("--> "));
    let what = whole.lines().skip_while(|line| !line.trim().starts_with("error: "));
    let is_picture = |line: &str| line.is_empty() || line.starts_with("-->") || line.contains('|');
    let what: Vec<&str> = what.map(str::trim).filter(|line| !is_picture(line)).collect();
    match at {
        Some(at) if !what.is_empty() => format!("{at}: {}", what.join(" ").trim_start_matches("error: ")),
        _ => whole.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}
