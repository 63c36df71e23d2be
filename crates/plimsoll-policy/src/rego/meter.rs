//! Counts what a step of the machine costs beyond being a step: one instruction can compare, combine or copy values of any
//! size, and values that share their parts are larger than the memory they take. A policy whose values would grow without
//! bound stops here, before the next instruction uses them.

use super::Limits;
use regorus::{
    Value,
    rvm::{Program, instructions::Instruction},
};
use std::collections::BTreeMap;

/// Containers inside each other.
const DEPTH: usize = 64;
/// What a value costs beside its text.
const NODE: usize = 16;

/// Counts the work of one answer.
pub(super) struct Meter<'a> {
    program: &'a Program,
    left: usize,
    limit: usize,
}

impl<'a> Meter<'a> {
    pub(super) fn new(program: &'a Program, limits: &Limits) -> Self {
        Self { program, left: limits.work, limit: limits.work }
    }

    /// Charges for the instruction at `pc`, which was just executed over `registers`.
    pub(super) fn charge(&mut self, pc: usize, registers: &[Value]) -> Result<(), String> {
        let Some(instruction) = self.program.instructions.get(pc) else { return Ok(()) };
        for register in self.heavy(instruction) {
            if let Some(value) = registers.get(usize::from(register)) {
                self.weigh(value, 0)?;
            }
        }
        Ok(())
    }

    /// Registers whose whole value the instruction looks at, or which it puts into or makes of others.
    fn heavy(&self, instruction: &Instruction) -> Vec<u8> {
        use Instruction as I;
        let data = &self.program.instruction_data;
        match *instruction {
            I::Eq { left, right, .. }
            | I::Ne { left, right, .. }
            | I::Lt { left, right, .. }
            | I::Le { left, right, .. }
            | I::Gt { left, right, .. }
            | I::Ge { left, right, .. }
            | I::AssertEq { left, right } => vec![left, right],
            I::Add { dest, .. }
            | I::Sub { dest, .. }
            | I::Mul { dest, .. }
            | I::Div { dest, .. }
            | I::Mod { dest, .. } => vec![dest],
            I::Contains { collection, value, .. } => vec![collection, value],
            I::Index { key, .. } => vec![key],
            I::ObjectSet { key, value, .. } => vec![key, value],
            I::ArrayPush { value, .. } | I::SetAdd { value, .. } => vec![value],
            I::ComprehensionYield { value_reg, key_reg } => {
                std::iter::once(value_reg).chain(key_reg).collect()
            }
            I::ObjectCreate { params_index } => {
                data.get_object_create_params(params_index).map(|p| p.dest).into_iter().collect()
            }
            I::ArrayCreate { params_index } => {
                data.get_array_create_params(params_index).map(|p| p.dest).into_iter().collect()
            }
            I::SetCreate { params_index } => {
                data.get_set_create_params(params_index).map(|p| p.dest).into_iter().collect()
            }
            I::BuiltinCall { params_index } => self.builtin(params_index),
            _ => vec![],
        }
    }

    fn builtin(&self, params_index: u16) -> Vec<u8> {
        let Some(call) = self.program.instruction_data.get_builtin_call_params(params_index) else {
            return vec![];
        };
        let name = self.program.builtin_info_table.get(usize::from(call.builtin_index));
        let looks_inside = name.is_none_or(|info| !super::builtins::SHALLOW.contains(&info.name.as_str()));
        let arguments = call.arg_registers().iter().copied().filter(|_| looks_inside);
        arguments.chain(std::iter::once(call.dest)).collect()
    }

    /// Counts a value as if it were written out.
    fn weigh(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        if depth > DEPTH {
            return Err(format!("a value has more than {DEPTH} levels"));
        }
        self.spend(NODE)?;
        match value {
            Value::Undefined | Value::Null | Value::Bool(_) => Ok(()),
            Value::Number(number) if number.as_i64().is_some() || number.as_u64().is_some() => Ok(()),
            Value::Number(number) if number.as_f64().is_some_and(f64::is_finite) => Ok(()),
            Value::Number(_) => Err("a number has more than 64 bits".to_owned()),
            Value::String(text) => self.spend(text.len()),
            Value::Array(items) => items.iter().try_for_each(|item| self.weigh(item, depth + 1)),
            Value::Set(items) => items.iter().try_for_each(|item| self.weigh(item, depth + 1)),
            Value::Object(fields) => fields.iter().try_for_each(|(key, value)| {
                self.weigh(key, depth + 1)?;
                self.weigh(value, depth + 1)
            }),
        }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), String> {
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or_else(|| format!("it handles more than {} bytes of values", self.limit))?;
        Ok(())
    }
}

/// How many rules wait for each other at most; none where a rule needs its own answer.
pub(super) fn call_depth(program: &Program) -> Option<usize> {
    let calls = calls(program);
    let mut depths = BTreeMap::new();
    calls.keys().try_fold(0, |deepest, rule| Some(depth(*rule, &calls, &mut depths)?.max(deepest)))
}

/// Which rules each rule asks. Code of a rule stands between `RuleInit`, or what takes its arguments apart, and
/// `RuleReturn`.
fn calls(program: &Program) -> BTreeMap<usize, Vec<usize>> {
    let mut starts: Vec<(usize, usize)> = vec![];
    for (rule, info) in program.rule_infos.iter().enumerate() {
        let bodies = info.definitions.iter().flatten().chain(info.destructuring_blocks.iter().flatten());
        starts.extend(bodies.filter_map(|pc| Some((usize::try_from(*pc).ok()?, rule))));
    }
    starts.sort_unstable();
    let mut calls: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (pc, instruction) in program.instructions.iter().enumerate() {
        let called = match instruction {
            Instruction::CallRule { rule_index, .. } => Some(*rule_index),
            Instruction::FunctionCall { params_index } => {
                program.instruction_data.get_function_call_params(*params_index).map(|p| p.func_rule_index)
            }
            _ => None,
        };
        let caller = starts.partition_point(|(start, _)| *start <= pc).checked_sub(1).map(|at| starts[at].1);
        if let (Some(caller), Some(called)) = (caller, called) {
            calls.entry(caller).or_default().push(usize::from(called));
        }
    }
    calls
}

/// `None` in the table is a rule that is being looked at. Chains are as long as the table of rules at most; the stack is
/// kept by hand.
fn depth(
    rule: usize,
    calls: &BTreeMap<usize, Vec<usize>>,
    depths: &mut BTreeMap<usize, Option<usize>>,
) -> Option<usize> {
    let mut stack = vec![rule];
    while let Some(&top) = stack.last() {
        if let Some(Some(_)) = depths.get(&top) {
            stack.pop();
            continue;
        }
        depths.insert(top, None);
        let called = calls.get(&top).map_or(&[][..], Vec::as_slice);
        let open = called.iter().find(|next| !matches!(depths.get(*next), Some(Some(_))));
        match open {
            // It was entered and is not finished, so this chain leads back to it.
            Some(next) if depths.get(next) == Some(&None) => return None,
            Some(next) => stack.push(*next),
            None => {
                let deepest = called.iter().filter_map(|next| depths.get(next).copied().flatten()).max();
                depths.insert(top, Some(deepest.unwrap_or(0) + 1));
                stack.pop();
            }
        }
    }
    depths.get(&rule).copied().flatten()
}
