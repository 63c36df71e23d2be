//! CloudFormation templates in YAML or JSON. References to parameters with a default are followed; other functions of the
//! template language give what is not known.

use super::{
    Form, Resource,
    value::{Attribute, Value},
};
use crate::{
    issue::Issues,
    source::Source,
    yaml::{Node, Value as Yaml, duplicate_key},
};
use std::rc::Rc;

/// The resources of each document that is a template.
///
/// # Errors
///
/// Why the file cannot be read, in one line.
pub(super) fn stacks(source: &Rc<Source>, issues: &mut Issues) -> Result<Vec<Vec<Resource>>, String> {
    let documents = duplicate_key::read(source, issues)?;
    Ok(documents.iter().map(|document| resources(source, &document.root)).collect())
}

fn resources(source: &Rc<Source>, root: &Node) -> Vec<Resource> {
    let entries = root.get("Resources").map_or(&[][..], Node::entries);
    let of = |(key, node): &(crate::yaml::Key, Node)| {
        let kind = node.get("Type").and_then(Node::text)?.to_owned();
        let empty = Attribute { span: key.span.clone(), value: Value::Map(Vec::new()) };
        let body = node.get("Properties").map_or(empty, |properties| attribute(root, properties));
        let (name, span) = (key.text.clone(), key.span.clone());
        Some(Resource { source: Rc::clone(source), form: Form::Template, kind, name, span, body })
    };
    entries.iter().filter_map(of).collect()
}

fn attribute(root: &Node, node: &Node) -> Attribute {
    let function = node.tag.as_deref().filter(|tag| tag.starts_with('!') && !tag.starts_with("!!"));
    let value = match function {
        Some("!Ref") => reference(root, node.text().unwrap_or("")),
        Some("!Sub") if node.text().is_some_and(|text| !text.contains("${")) => plain(node),
        Some(_) => Value::Unknown(words(node)),
        None => match &node.value {
            Yaml::Scalar { .. } => plain(node),
            Yaml::List(items) => Value::List(items.iter().map(|item| attribute(root, item)).collect()),
            Yaml::Map(entries) => match entries.as_slice() {
                [(key, value)] if key.text == "Ref" => reference(root, value.text().unwrap_or("")),
                [(key, value)] if key.text.starts_with("Fn::") => Value::Unknown(words(value)),
                entries => Value::Map(
                    entries.iter().map(|(key, value)| (key.text.clone(), attribute(root, value))).collect(),
                ),
            },
        },
    };
    Attribute { span: node.span.clone(), value }
}

/// A parameter's default; a template parameter without one, and a resource, are not known.
fn reference(root: &Node, name: &str) -> Value {
    if name == "AWS::NoValue" {
        return Value::Null;
    }
    let default = root.at(&["Parameters", name, "Default"]);
    default.map_or_else(|| Value::Unknown(name.to_owned()), plain)
}

fn plain(node: &Node) -> Value {
    if node.is_null() {
        return Value::Null;
    }
    let truth = node.truth().filter(|_| matches!(node.text(), Some("true" | "false" | "True" | "False")));
    match (truth, node.number(), node.text()) {
        (Some(truth), ..) => Value::Truth(truth),
        (_, Some(number), _) => Value::Number(number as f64),
        (.., text) => Value::Text(text.unwrap_or("").to_owned()),
    }
}

/// The scalars in a node, for what refers to what.
fn words(node: &Node) -> String {
    match &node.value {
        Yaml::Scalar { text, .. } => text.clone(),
        Yaml::List(items) => items.iter().map(words).collect::<Vec<_>>().join(" "),
        Yaml::Map(entries) => entries.iter().map(|(_, value)| words(value)).collect::<Vec<_>>().join(" "),
    }
}
