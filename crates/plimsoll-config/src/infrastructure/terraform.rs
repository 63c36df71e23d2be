//! Terraform: modules in HCL, evaluated as far as literals, locals and defaults of variables go, and the JSON of plans, where
//! all is known but what the cloud decides.

mod evaluate;

use super::{
    Form, Resource,
    value::{Attribute, Value},
};
use crate::{
    source::Source,
    yaml::{self, Node, Value as Yaml},
};
use evaluate::Scope;
use hcl_edit::{
    repr::Span,
    structure::{Block, Body},
};
use std::rc::Rc;

/// The files of one folder.
#[derive(Debug, Default)]
pub(super) struct Module {
    files: Vec<(Rc<Source>, Body)>,
    values: Vec<Body>,
}

impl Module {
    /// Takes a file.
    ///
    /// # Errors
    ///
    /// Where it is not valid HCL, in one line.
    pub(super) fn add(&mut self, form: Form, source: &Rc<Source>) -> Result<(), String> {
        let body = parse(&source.text)?;
        match form {
            Form::Values => self.values.push(body),
            _ => self.files.push((Rc::clone(source), body)),
        }
        Ok(())
    }

    /// What the files make: resources, and as `data.kind` and `module` what they only read or call.
    pub(super) fn resources(&self) -> Vec<Resource> {
        let bodies: Vec<&Body> = self.files.iter().map(|(_, body)| body).collect();
        let scope = Scope::new(&bodies, &self.values);
        let blocks =
            self.files.iter().flat_map(|(source, body)| body.blocks().map(move |block| (source, block)));
        blocks.filter_map(|(source, block)| resource(source, block, &scope)).collect()
    }
}

/// # Errors
///
/// Where the text is not valid HCL, in one line.
fn parse(text: &str) -> Result<Body, String> {
    hcl_edit::parser::parse_body(text)
        .map_err(|error| format!("is not valid HCL (line {})", error.location().line()))
}

fn resource(source: &Rc<Source>, block: &Block, scope: &Scope<'_>) -> Option<Resource> {
    let labels: Vec<&str> = block.labels.iter().map(|label| label.as_str()).collect();
    let (kind, name) = match (block.ident.as_str(), labels.as_slice()) {
        ("resource", [kind, name]) => ((*kind).to_owned(), format!("{kind}.{name}")),
        ("data", [kind, name]) => (format!("data.{kind}"), format!("data.{kind}.{name}")),
        ("module", [name]) => ("module".to_owned(), format!("module.{name}")),
        ("variable", [name]) => ("variable".to_owned(), format!("var.{name}")),
        _ => return None,
    };
    let start = block.ident.span().map_or(0, |span| span.start);
    let line = source.line_of(start);
    let head = source.line(line);
    let end = source.line_start(line) + head.trim_end().trim_end_matches('{').trim_end().len();
    let span = start..end.max(start);
    let body = scope.body(source, &block.body, &span);
    let none_made = matches!(body.get("count"), Some(Attribute { value: Value::Number(0.0), .. }));
    (!none_made).then(|| Resource { source: Rc::clone(source), form: Form::Hcl, kind, name, span, body })
}

/// The resources of a plan, as they will be.
///
/// # Errors
///
/// Why it is no plan that can be judged, in one line.
pub(super) fn plan(source: &Rc<Source>) -> Result<Vec<Resource>, String> {
    let documents = yaml::parse(&source.text).map_err(|error| error.to_string())?;
    let root = documents.first().map(|document| &document.root).ok_or("is empty")?;
    let changes = root.get("resource_changes").ok_or("is no plan: `resource_changes` is missing")?;
    let of = |change: &Node| {
        let word = |key: &str| change.get(key).and_then(Node::text).unwrap_or("").to_owned();
        let after = change.at(&["change", "after"]).filter(|after| !after.is_null())?;
        if word("mode") == "data" {
            return None;
        }
        let unknown = change.at(&["change", "after_unknown"]);
        let span = change.entry("address").map_or(change.span.clone(), |(_, value)| value.span.clone());
        let body = planned(after, unknown);
        Some(Resource {
            source: Rc::clone(source),
            form: Form::Plan,
            kind: word("type"),
            name: word("address"),
            span,
            body,
        })
    };
    Ok(changes.items().iter().filter_map(of).collect())
}

/// A planned value; what `unknown` marks is decided by the cloud.
fn planned(node: &Node, unknown: Option<&Node>) -> Attribute {
    let value = match &node.value {
        _ if unknown.and_then(Node::truth) == Some(true) => Value::Unknown(String::new()),
        Yaml::Scalar { .. } if node.is_null() => Value::Null,
        Yaml::Scalar { text, plain: true } => match (node.truth(), text.parse::<f64>()) {
            (Some(truth), _) => Value::Truth(truth),
            (None, Ok(number)) => Value::Number(number),
            _ => Value::Text(text.clone()),
        },
        Yaml::Scalar { text, .. } => Value::Text(text.clone()),
        Yaml::List(items) => {
            let mark = |index: usize| unknown.and_then(|unknown| unknown.items().get(index));
            Value::List(items.iter().enumerate().map(|(index, item)| planned(item, mark(index))).collect())
        }
        Yaml::Map(entries) => Value::Map(planned_map(entries, unknown)),
    };
    Attribute { span: node.span.clone(), value }
}

fn planned_map(entries: &[(yaml::Key, Node)], unknown: Option<&Node>) -> Vec<(String, Attribute)> {
    let mark = |key: &str| unknown.and_then(|unknown| unknown.get(key));
    let mut map: Vec<(String, Attribute)> =
        entries.iter().map(|(key, value)| (key.text.clone(), planned(value, mark(&key.text)))).collect();
    // What is not known at all stands only among the marks.
    for (key, node) in unknown.map_or(&[][..], Node::entries) {
        if node.truth() == Some(true) && !map.iter().any(|(known, _)| *known == key.text) {
            map.push((
                key.text.clone(),
                Attribute { span: key.span.clone(), value: Value::Unknown(String::new()) },
            ));
        }
    }
    map
}
