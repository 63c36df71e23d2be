//! What a policy may call. The list holds functions whose result is about as large as their arguments and whose time is
//! linear in them. Four that can make much of little are written here, with limits; all others do not exist.

use super::Limits;
use anyhow::Error;
use regorus::{LimitError, Value, rvm::Program, rvm::vm::VmError};

/// Functions of the interpreter that a policy may call.
const ALLOWED: &[&str] = &[
    "abs",
    "array.concat",
    "array.reverse",
    "array.slice",
    "ceil",
    "concat",
    "contains",
    "count",
    "endswith",
    "floor",
    "format_int",
    "indexof",
    "intersection",
    "is_array",
    "is_boolean",
    "is_null",
    "is_number",
    "is_object",
    "is_set",
    "is_string",
    "lower",
    "max",
    "min",
    "object.get",
    "object.keys",
    "object.remove",
    "object.union",
    "replace",
    "round",
    "sort",
    "split",
    "sprintf",
    "startswith",
    "substring",
    "sum",
    "to_number",
    "trim_prefix",
    "trim_space",
    "trim_suffix",
    "type_name",
    "union",
    "upper",
    "__builtin_sets.intersection",
    "__builtin_sets.union",
];

/// Those of them that do not look into the members of their first argument.
pub(super) const SHALLOW: &[&str] = &[
    "count",
    "is_array",
    "is_boolean",
    "is_null",
    "is_number",
    "is_object",
    "is_set",
    "is_string",
    "object.get",
    "type_name",
];

/// Bytes of a text that [`concat`], [`replace`] and [`sprintf`] make. Functions of the interpreter carry no state, so this
/// is the upper bound of [`Limits::text`].
const TEXT: usize = 64 << 10;

/// Problems of the functions below, by their place in the list: an error that the machine does not take for a rule that
/// does not fit has room for a number only.
const PROBLEMS: &[&str] = &[
    "a text that it makes is too long",
    "concat: expected a text, and an array or set of texts",
    "replace: expected three texts, the second not empty",
    "sprintf: expected a text and an array",
    "sprintf: the format and its arguments do not fit: %s and %v take a text, number, boolean or null, %d an integer",
    "to_number: expected a number in a text",
];

/// Refuses calls that are not on the list, and puts the functions of this module in.
pub(super) fn restrict(program: &mut Program, limits: &Limits) -> Result<(), String> {
    if limits.text > TEXT {
        return Err(format!("the limit of a text is {}, more than {TEXT}", limits.text));
    }
    program.initialize_resolved_builtins().map_err(super::machine::text)?;
    for (info, function) in program.builtin_info_table.iter().zip(&mut program.resolved_builtins) {
        match info.name.as_str() {
            "concat" => function.0 = concat,
            "replace" => function.0 = replace,
            "sprintf" => function.0 = sprintf,
            "to_number" => function.0 = to_number,
            name if ALLOWED.contains(&name) => {}
            name => return Err(format!("policies have no function `{name}`")),
        }
    }
    Ok(())
}

/// Why the machine stopped.
pub(super) fn problem(error: &VmError, limits: &Limits) -> String {
    match error {
        VmError::MemoryLimitExceeded { usage, limit: 0, .. } => {
            let known = usize::try_from(*usage).ok().and_then(|at| PROBLEMS.get(at));
            known.copied().unwrap_or("a function failed").to_owned()
        }
        VmError::InstructionLimitExceeded { .. } => {
            format!("it needs more than {} instructions", limits.instructions)
        }
        VmError::NumericOverflow { .. } => "a number is too large".to_owned(),
        other => super::machine::text(other),
    }
}

fn refuse(problem: u64) -> Error {
    Error::msg(LimitError::MemoryLimitExceeded { usage: problem, limit: 0 })
}

fn bounded(length: Option<usize>) -> Result<usize, Error> {
    length.filter(|length| *length <= TEXT).ok_or_else(|| refuse(0))
}

fn concat<S, E>(_: &S, _: &[E], arguments: &[Value], _: bool) -> Result<Value, Error> {
    let [Value::String(between), parts] = arguments else { return Err(refuse(1)) };
    let parts: Vec<&Value> = match parts {
        Value::Array(parts) => parts.iter().collect(),
        Value::Set(parts) => parts.iter_sorted().collect(),
        _ => return Err(refuse(1)),
    };
    let mut text = String::new();
    for (at, part) in parts.iter().enumerate() {
        let Value::String(part) = part else { return Err(refuse(1)) };
        let between = if at == 0 { "" } else { between.as_ref() };
        bounded(Some(text.len() + between.len() + part.len()))?;
        text.push_str(between);
        text.push_str(part);
    }
    Ok(Value::from(text))
}

fn replace<S, E>(_: &S, _: &[E], arguments: &[Value], _: bool) -> Result<Value, Error> {
    let [Value::String(text), Value::String(old), Value::String(new)] = arguments else {
        return Err(refuse(2));
    };
    if old.is_empty() {
        return Err(refuse(2));
    }
    let grown = text.matches(old.as_ref()).count().checked_mul(new.len());
    bounded(grown.and_then(|grown| grown.checked_add(text.len())))?;
    Ok(Value::from(text.replace(old.as_ref(), new)))
}

fn sprintf<S, E>(_: &S, _: &[E], arguments: &[Value], _: bool) -> Result<Value, Error> {
    let [Value::String(format), Value::Array(values)] = arguments else { return Err(refuse(3)) };
    let mut values = values.iter();
    let mut text = String::new();
    let mut format = format.chars();
    while let Some(c) = format.next() {
        if c != '%' {
            text.push(c);
        } else {
            match format.next() {
                Some('%') => text.push('%'),
                Some(verb) => text.push_str(&shown(verb, values.next().ok_or_else(|| refuse(4))?)?),
                None => return Err(refuse(4)),
            }
        }
        bounded(Some(text.len()))?;
    }
    if values.next().is_some() { Err(refuse(4)) } else { Ok(Value::from(text)) }
}

fn shown(verb: char, value: &Value) -> Result<String, Error> {
    match (verb, value) {
        ('s' | 'v', Value::String(text)) => Ok(text.to_string()),
        ('s' | 'v', Value::Bool(_) | Value::Null | Value::Number(_)) => Ok(value.to_string()),
        ('d', Value::Number(number)) if number.is_integer() => Ok(value.to_string()),
        _ => Err(refuse(4)),
    }
}

fn to_number<S, E>(_: &S, _: &[E], arguments: &[Value], _: bool) -> Result<Value, Error> {
    match arguments {
        [Value::Null | Value::Bool(false)] => Ok(Value::from(0_i64)),
        [Value::Bool(true)] => Ok(Value::from(1_i64)),
        [number @ Value::Number(_)] => Ok(number.clone()),
        [Value::String(text)] => number(text).ok_or_else(|| refuse(5)),
        _ => Err(refuse(5)),
    }
}

/// A number of JSON, small enough to be exact.
fn number(text: &str) -> Option<Value> {
    let plain = text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-' || b == b'.');
    if let Ok(whole) = text.parse::<i64>() {
        return plain.then(|| Value::from(whole));
    }
    text.parse::<f64>().ok().filter(|_| plain).map(Value::from)
}
