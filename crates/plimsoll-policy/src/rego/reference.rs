//! The JSON Schema of the input, the reference that is written from it, and the check that a policy reads nothing else.

use super::input::PolicyInput;
use schemars::generate::SchemaSettings;
use serde_json::Value;
use std::{fmt::Write as _, sync::LazyLock};

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let mut settings = SchemaSettings::draft2020_12();
    settings.contract = schemars::generate::Contract::Serialize;
    settings.into_generator().into_root_schema_for::<PolicyInput>().to_value()
});

/// The JSON Schema of the input (draft 2020-12).
#[must_use]
pub fn input_schema() -> &'static Value {
    &SCHEMA
}

/// Says which step of a path behind `input` is not in the document; `None` is a step that only evaluation knows.
pub(super) fn check_path(path: &[Option<&str>]) -> Result<(), String> {
    let mut place = &*SCHEMA;
    let mut shown = "input".to_owned();
    for step in path {
        place = resolve(place);
        let properties = place.get("properties");
        let next = match step {
            _ if place.get("items").is_some() => place.get("items"),
            _ if place.get("additionalProperties").is_some_and(|rest| !rest.is_boolean()) => {
                place.get("additionalProperties")
            }
            Some(name) => properties.and_then(|properties| properties.get(name)),
            // Which of the fields is not known here.
            None if properties.is_some() => return Ok(()),
            None => None,
        };
        let _ = write!(shown, ".{}", step.unwrap_or("[…]"));
        place = next.ok_or_else(|| format!("the input has no `{shown}`"))?;
    }
    Ok(())
}

/// The definition behind a reference, or behind a field that may be absent.
fn resolve(schema: &Value) -> &Value {
    let choices = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    let target = choices.chain([schema]).find_map(|choice| choice.get("$ref")).and_then(Value::as_str);
    let name = target.and_then(|target| target.strip_prefix("#/$defs/"));
    name.and_then(|name| SCHEMA.get("$defs")?.get(name)).unwrap_or(schema)
}

/// The reference of the input, in Markdown: one table for each object, below headings of the third level.
#[must_use]
pub fn input_reference() -> String {
    let mut page = String::new();
    object(&mut page, "input", &SCHEMA);
    for (name, definition) in SCHEMA.get("$defs").and_then(Value::as_object).into_iter().flatten() {
        if definition.get("properties").is_some() {
            object(&mut page, &heading(name), definition);
        }
    }
    page
}

fn object(page: &mut String, name: &str, schema: &Value) {
    let _ = write!(page, "\n### {name}\n\n{}\n\n| field | | |\n|---|---|---|\n", description(schema));
    for (field, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let _ = writeln!(page, "| `{field}` | {} | {} |", kind(schema), description(schema));
    }
}

/// What a value is, in words.
fn kind(schema: &Value) -> String {
    let resolved = resolve(schema);
    if resolved.get("properties").is_some() {
        let target = schema.to_string();
        let name = target.split("#/$defs/").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("");
        return format!("[{0}](#{1})", heading(name), heading(name).replace(' ', "-"));
    }
    if let Some(choices) = resolved.get("oneOf").and_then(Value::as_array) {
        let words = choices.iter().filter_map(|choice| choice.get("const")?.as_str());
        return words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    }
    if let Some(items) = resolved.get("items") {
        return format!("list of {}", kind(items));
    }
    if let Some(values) = resolved.get("additionalProperties").filter(|values| !values.is_boolean()) {
        return format!("mapping to {}", kind(values));
    }
    let types = resolved.get("type").map(Value::to_string).unwrap_or_default();
    match types {
        types if types.contains("integer") => "number".to_owned(),
        types if types.contains("boolean") => "`true` or `false`".to_owned(),
        _ => "text".to_owned(),
    }
}

/// `TestInput` as `test`.
fn heading(name: &str) -> String {
    name.trim_end_matches("Input").to_lowercase()
}

fn description(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
