//! JSON Schemas of all files, and the reference page that is written from them. Both come from the declarations that
//! the readers are made of, so they cannot say anything else.

use crate::{
    adapter::file::ManifestFile,
    delivery::{
        environment::EnvironmentFile, exceptions::ExceptionsFile, people::PeopleFile, project::ProjectFile,
        registries::DeliveryFile, target::TargetFile,
    },
    pipeline::file::PipelineFile,
};
use schemars::{JsonSchema, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::Value;
use std::fmt::Write as _;

/// One kind of file that users write.
#[derive(Debug, Clone, PartialEq)]
pub struct FileSchema {
    /// File name of the schema, without folder.
    pub name: &'static str,
    /// Where files of this kind stand.
    pub path: &'static str,
    /// The JSON Schema (draft 2020-12).
    pub schema: Value,
}

/// The schemas of all kinds of files.
#[must_use]
pub fn schemas() -> Vec<FileSchema> {
    vec![
        schema::<PipelineFile>("plimsoll.json", "plimsoll.yaml"),
        schema::<ManifestFile>("adapter.json", "adapters/<adapter>.yaml"),
        schema::<DeliveryFile>("delivery.json", "delivery.yaml"),
        schema::<ProjectFile>("project.json", "projects/<project>.yaml"),
        schema::<PeopleFile>("people.json", "people.yaml"),
        schema::<EnvironmentFile>("environment.json", "environments/<environment>/environment.yaml"),
        schema::<TargetFile>("target.json", "environments/<environment>/<project>/target.yaml"),
        schema::<ExceptionsFile>("exceptions.json", "environments/<environment>/<project>/exceptions.yaml"),
    ]
}

fn schema<T: JsonSchema>(name: &'static str, path: &'static str) -> FileSchema {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(without_null));
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    if let Some(title) = schema.get_mut("title") {
        *title = path.into();
    }
    FileSchema { name, path, schema }
}

/// A key that may be left out may still not be `null`.
fn without_null(schema: &mut schemars::Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            only.into_iter().for_each(|(key, value)| {
                object.entry(key).or_insert(value);
            });
        }
    }
}

/// The reference page of all files, in Markdown.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(INTRODUCTION);
    for file in schemas() {
        let _ = write!(page, "\n## `{}`\n", file.path);
        Page { root: &file.schema, page: &mut page }.whole(file.name);
    }
    page
}

const INTRODUCTION: &str = "# Files

Written by `cargo test -p plimsoll-pipeline` from the declarations that the readers are made of; do not edit.

Every file is YAML 1.2 in UTF-8, begins with `version: 1`, and is read strictly: unknown keys, keys that stand twice,
values of another type, anchors, aliases, tags and further documents are errors, and all errors of a file are shown at
once. Nothing is ever replaced in a text. A file has at most 1 MiB, 20,000 values and 32 levels.
";

struct Page<'a> {
    root: &'a Value,
    page: &'a mut String,
}

impl Page<'_> {
    fn whole(&mut self, name: &str) {
        let _ = write!(self.page, "\nJSON Schema: [schemas/{name}](schemas/{name}).\n");
        self.object(self.root);
        let definitions = self.root.get("$defs").and_then(Value::as_object);
        for (name, definition) in definitions.into_iter().flatten() {
            if definition.get("properties").is_some() {
                let _ = write!(self.page, "\n### {}\n", heading(name));
                self.object(definition);
            }
        }
    }

    fn object(&mut self, object: &Value) {
        let _ = write!(self.page, "\n{}\n\n| key | | value | |\n|---|---|---|---|\n", description(object));
        let required: Vec<&str> = object
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let Some(properties) = object.get("properties").and_then(Value::as_object) else { return };
        let optional = properties.keys().map(String::as_str).filter(|key| !required.contains(key));
        for key in required.iter().copied().chain(optional) {
            let Some(value) = properties.get(key) else { continue };
            let need = if required.contains(&key) { "required" } else { "" };
            let kind = self.kind(value);
            let _ = writeln!(self.page, "| `{key}` | {need} | {kind} | {} |", description(value));
        }
    }

    /// What a value is, in words.
    fn kind(&self, schema: &Value) -> String {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return self.named(reference);
        }
        if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
            return choices.iter().map(|choice| self.kind(choice)).collect::<Vec<_>>().join(" or ");
        }
        if let Some(only) = schema.get("const") {
            return format!("`{}`", only.as_str().map_or_else(|| only.to_string(), str::to_owned));
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("array") => {
                format!("list of {}", schema.get("items").map_or_else(String::new, |i| self.kind(i)))
            }
            Some("object") => {
                let value = schema.get("additionalProperties").map_or_else(String::new, |v| self.kind(v));
                format!("mapping to {value}")
            }
            Some("integer") => number(schema),
            Some("boolean") => "`true` or `false`".into(),
            _ => "text".into(),
        }
    }

    fn named(&self, reference: &str) -> String {
        let name = reference.trim_start_matches("#/$defs/");
        let definition = self.root.get("$defs").and_then(|definitions| definitions.get(name));
        let Some(definition) = definition else { return heading(name) };
        if definition.get("properties").is_some() {
            return format!("[{}](#{})", heading(name), heading(name).replace(' ', "-"));
        }
        let words = words(definition);
        if words.is_empty() { self.kind(definition) } else { words.join(", ") }
    }
}

/// The words of an enumeration, in either form that schemas are written in.
fn words(definition: &Value) -> Vec<String> {
    let plain = definition.get("enum").and_then(Value::as_array).into_iter().flatten();
    let described = definition.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    plain
        .chain(described.filter_map(|choice| choice.get("const")))
        .filter_map(Value::as_str)
        .map(|word| format!("`{word}`"))
        .collect()
}

fn number(schema: &Value) -> String {
    let bound = |name: &str| schema.get(name).and_then(Value::as_u64).unwrap_or_default();
    match (bound("minimum"), bound("maximum")) {
        (lowest, highest) if lowest == highest => format!("`{lowest}`"),
        (lowest, highest) => format!("{lowest} to {highest}"),
    }
}

/// `TestReportFile` as `test report`.
fn heading(name: &str) -> String {
    let mut words = String::new();
    for c in name.trim_end_matches("File").chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}

fn description(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
