//! The kinds of single values that files hold. Each is checked when it is read, so that a value of the type is always
//! well formed.

use crate::{
    diagnostic::Findings,
    read::{self, Read, words},
    template,
    yaml::{Node, UNSEEN, is_hidden},
};
use plimsoll_model::{
    CheckName, Code, Digest, EnvironmentName, Opaque, ProjectName, RelPath, StepName, ToolName,
    record::NetworkMode,
};
use schemars::JsonSchema;
use std::{fmt::Display, str::FromStr};

/// Characters of one text.
const MAX_TEXT: usize = 64 << 10;

/// Reads text and has it judged; what is wrong with it becomes the diagnostic.
pub(crate) fn parse<T, E: Display>(
    node: &Node,
    found: &mut Findings,
    judge: impl FnOnce(&str) -> Result<T, E>,
) -> Option<T> {
    let text = read::text(node, found)?;
    if let Some(c) = text.chars().find(|&c| is_hidden(c) || matches!(c, '\r')) {
        let message = format!("has the invisible character U+{:04X}", u32::from(c));
        found.help(&node.span, message, UNSEEN);
        return found.lose();
    }
    if text.len() > MAX_TEXT {
        found.add(&node.span, format!("is longer than {MAX_TEXT} bytes"));
        return found.lose();
    }
    match judge(text) {
        Ok(value) => Some(value),
        Err(error) => {
            found.add(&node.span, error.to_string());
            found.lose()
        }
    }
}

macro_rules! model_types {
    ($($kind:ty),*) => {
        $(impl Read for $kind {
            fn read(node: &Node, found: &mut Findings) -> Option<Self> {
                parse(node, found, Self::from_str)
            }
        })*
    };
}
model_types!(ProjectName, EnvironmentName, StepName, CheckName, ToolName, RelPath, Digest, Opaque);

/// Declares a kind of text: what it is in a JSON Schema, and what makes it well formed.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident($pattern:literal) = $judge:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
            pub(crate) struct $name(pub(crate) String);

            impl $crate::read::Read for $name {
                fn read(node: &$crate::yaml::Node, found: &mut $crate::diagnostic::Findings) -> Option<Self> {
                    let judge: fn(&str) -> Result<(), String> = $judge;
                    $crate::value::parse(node, found, |text| judge(text).map(|()| Self(text.to_owned())))
                }
            }

            impl schemars::JsonSchema for $name {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> std::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                    schemars::json_schema!({ "type": "string", "pattern": $pattern })
                }
            }
        )*
    };
}
pub(crate) use texts;

texts! {
    /// One printable line.
    Line("^[^\\n\\t]+$") = line;
    /// An argument of a command, or the value of a variable.
    Argument("") = |text| template::absent(text);
    /// The name of an environment variable.
    VariableName("^[A-Za-z_][A-Za-z0-9_]*$") = variable_name;
    /// An executable: an absolute path, or a name.
    ToolPath("^(/.+|[^/]+)$") = tool_path;
    /// A path inside an image.
    AbsolutePath("^/.+$") = absolute_path;
}

/// Judges one printable line without blanks at its ends.
pub(crate) fn line(text: &str) -> Result<(), String> {
    if text.is_empty() || text.trim() != text || text.contains(['\n', '\t']) || text.chars().count() > 1000 {
        return Err("expected one line of text without blanks at its ends".into());
    }
    Ok(())
}

fn variable_name(text: &str) -> Result<(), String> {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    if !text.starts_with(first) || !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(format!("`{text}` is not a variable name: expected letters, digits and _"));
    }
    Ok(())
}

fn tool_path(text: &str) -> Result<(), String> {
    line(text)?;
    match text.contains('/') {
        true => absolute_path(text),
        false => RelPath::from_str(text).map(|_| ()).map_err(|error| error.to_string()),
    }
}

pub(crate) fn absolute_path(text: &str) -> Result<(), String> {
    let Some(below) = text.strip_prefix('/') else {
        return Err(format!("`{text}` is not an absolute path: expected `/` at its beginning"));
    };
    RelPath::from_str(below).map(|_| ()).map_err(|error| error.to_string())
}

/// A command: text for `/bin/sh -eu -c`, or a list of the program and its arguments.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub(crate) enum Run {
    /// A script for `/bin/sh -eu -c`.
    Script(String),
    /// A program and its arguments, passed as they are.
    Arguments(Vec<String>),
}

impl Read for Run {
    fn read(node: &Node, found: &mut Findings) -> Option<Self> {
        if let crate::yaml::Value::List(items) = &node.value {
            let all: Option<Vec<_>> =
                items.iter().map(|item| command_text(item, found)).collect::<Vec<_>>().into_iter().collect();
            if items.is_empty() {
                found.add(&node.span, "expected a program and its arguments, found an empty list");
                return found.lose();
            }
            return all.map(Self::Arguments);
        }
        let script = command_text(node, found)?;
        if script.trim().is_empty() {
            found.add(&node.span, "expected a command, found blank text");
            return found.lose();
        }
        Some(Self::Script(script))
    }
}

/// Text of a command, in which event text has no place.
fn command_text(node: &Node, found: &mut Findings) -> Option<String> {
    let text = parse(node, found, |text| Ok::<_, String>(text.to_owned()))?;
    if let Some(template) = template::find(&text) {
        let place = found.place_of(template, &node.span);
        let reason = Code::TemplateUntrusted.reason().with("step", found.subject()).with("text", template);
        let message = format!("event text in a command: `{template}`");
        found.refuse(&place, message, template::HELP.into(), reason);
        return found.lose();
    }
    Some(text)
}

/// A length of time in whole seconds: `90s`, `10m` or `2h`, at most so many hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Within<const HOURS: u64>(pub(crate) u64);

/// A length of time of at most a day.
pub(crate) type Seconds = Within<24>;

impl<const HOURS: u64> Read for Within<HOURS> {
    fn read(node: &Node, found: &mut Findings) -> Option<Self> {
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty();
        match &node.value {
            crate::yaml::Value::Scalar { text, quoted: false } if digits(text) => {
                found.help(
                    &node.span,
                    "the length of time has no unit",
                    format!("write `{text}s`, `{text}m` or `{text}h`"),
                );
                found.lose()
            }
            _ => parse(node, found, |text| seconds(text, HOURS)).map(Self),
        }
    }
}

fn seconds(text: &str, hours: u64) -> Result<u64, String> {
    let error = || {
        format!(
            "`{text}` is not a length of time: expected a whole number and s, m or h, as in `10m`, up to {hours}h"
        )
    };
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        _ => return Err(error()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| error())?;
    let well_formed = text.starts_with(|c: char| matches!(c, '1'..='9'));
    number.checked_mul(unit).filter(|&seconds| well_formed && seconds <= hours * 3600).ok_or_else(error)
}

impl<const HOURS: u64> JsonSchema for Within<HOURS> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Within_{HOURS}").into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[1-9][0-9]*[smh]$" })
    }
}

/// A whole number from `LOWEST` to `HIGHEST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number<const LOWEST: u64, const HIGHEST: u64>(pub(crate) u64);

impl<const LOWEST: u64, const HIGHEST: u64> Read for Number<LOWEST, HIGHEST> {
    fn read(node: &Node, found: &mut Findings) -> Option<Self> {
        read::number(node, LOWEST, HIGHEST, found).map(Self)
    }
}

impl<const LOWEST: u64, const HIGHEST: u64> JsonSchema for Number<LOWEST, HIGHEST> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Number_{LOWEST}_{HIGHEST}").into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": LOWEST, "maximum": HIGHEST })
    }
}

/// The version of a file, which [`crate::read::file`] judges before anything else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Version;

impl Read for Version {
    fn read(_: &Node, _: &mut Findings) -> Option<Self> {
        Some(Self)
    }

    fn absent() -> Option<Self> {
        Some(Self)
    }
}

impl JsonSchema for Version {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "const": 1 })
    }
}

/// A TCP port.
pub(crate) type Port = Number<1, 65535>;

words!(NetworkMode {
    "none" => Self::None,
    "locked" => Self::Locked,
    "recorded" => Self::Recorded,
});
