//! Values of HCL expressions, as far as the files of a module say them. A function, a resource's attribute or a variable
//! without a default is not known, and neither is what depends on it.

use crate::{
    infrastructure::value::{Attribute, Value},
    source::Source,
};
use hcl_edit::{
    expr::{Expression, Object, ObjectKey, Traversal, TraversalOperator},
    repr::Span,
    structure::{Body, Structure},
    template::Element,
};
use std::{cell::Cell, collections::BTreeMap, ops::Range};

/// How far a name may lead to another one.
const MAX_DEPTH: usize = 20;
/// Values of a module; locals that repeat each other would be far more than their text.
const MAX_VALUES: usize = 2_000_000;

/// What names mean in one module.
pub(super) struct Scope<'a> {
    /// Variables, by the value that was set or else by their default.
    variables: BTreeMap<&'a str, &'a Expression>,
    locals: BTreeMap<&'a str, &'a Expression>,
    /// Values that have been worked out, those that names repeat included.
    worked_out: Cell<usize>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(files: &[&'a Body], values: &'a [Body]) -> Self {
        let (mut variables, mut locals) = (BTreeMap::new(), BTreeMap::new());
        for block in files.iter().flat_map(|body| body.blocks()) {
            match (block.ident.as_str(), block.labels.first()) {
                ("variable", Some(name)) => {
                    let default =
                        block.body.attributes().find(|attribute| attribute.key.as_str() == "default");
                    variables.extend(default.map(|default| (name.as_str(), &default.value)));
                }
                ("locals", _) => {
                    locals.extend(block.body.attributes().map(|local| (local.key.as_str(), &local.value)));
                }
                _ => {}
            }
        }
        let set = values.iter().flat_map(|body| body.attributes());
        variables.extend(set.map(|value| (value.key.as_str(), &value.value)));
        Self { variables, locals, worked_out: Cell::new(0) }
    }

    /// Attributes and blocks together; blocks of one name are a list. `around` is the place of what has none.
    pub(super) fn body(&self, source: &Source, body: &Body, around: &Range<usize>) -> Attribute {
        let mut entries: Vec<(String, Attribute)> = Vec::new();
        for structure in body {
            match structure {
                Structure::Attribute(attribute) => {
                    let value = self.attribute(source, &attribute.value, around);
                    entries.push((attribute.key.as_str().to_owned(), value));
                }
                Structure::Block(block) => {
                    let place = block.ident.span().unwrap_or_else(|| around.clone());
                    let dynamic = block.ident.as_str() == "dynamic";
                    let name = block
                        .labels
                        .first()
                        .filter(|_| dynamic)
                        .map_or(block.ident.as_str(), |label| label.as_str());
                    let value = match dynamic {
                        true => Attribute { span: place, value: Value::Unknown("dynamic".to_owned()) },
                        false => self.body(source, &block.body, &place),
                    };
                    push(&mut entries, name, value);
                }
            }
        }
        Attribute { span: around.clone(), value: Value::Map(entries) }
    }

    fn attribute(&self, source: &Source, expression: &Expression, around: &Range<usize>) -> Attribute {
        let span = expression.span().unwrap_or_else(|| around.clone());
        Attribute { value: self.value(source, expression, &span, 0), span }
    }

    fn value(&self, source: &Source, expression: &Expression, place: &Range<usize>, depth: usize) -> Value {
        let unknown = || Value::Unknown(source.slice(place).to_owned());
        self.worked_out.set(self.worked_out.get() + 1);
        if depth > MAX_DEPTH || self.worked_out.get() > MAX_VALUES {
            return unknown();
        }
        let inner = |expression: &Expression| {
            // What a name stands for is shown where the name stands.
            let span = expression.span().filter(|_| depth == 0).unwrap_or_else(|| place.clone());
            Attribute { value: self.value(source, expression, &span, depth), span }
        };
        match expression {
            Expression::Null(_) => Value::Null,
            Expression::Bool(truth) => Value::Truth(*truth.value()),
            Expression::Number(number) => number.value().as_f64().map_or_else(unknown, Value::Number),
            Expression::String(text) => Value::Text(text.value().clone()),
            Expression::Array(items) => Value::List(items.iter().map(inner).collect()),
            Expression::Object(object) => self.object(object, &inner).unwrap_or_else(unknown),
            Expression::StringTemplate(template) => {
                self.template(source, template.iter(), place, depth, None).map_or_else(unknown, Value::Text)
            }
            // A document is judged although parts of it, such as names, are not known.
            Expression::HeredocTemplate(heredoc) => {
                let text = self.template(source, heredoc.template.iter(), place, depth, Some("${…}"));
                text.map_or_else(unknown, Value::Text)
            }
            Expression::Parenthesis(parenthesis) => self.value(source, parenthesis.inner(), place, depth),
            Expression::Conditional(conditional) => {
                match self.value(source, &conditional.cond_expr, place, depth).truth() {
                    Some(true) => self.value(source, &conditional.true_expr, place, depth),
                    Some(false) => self.value(source, &conditional.false_expr, place, depth),
                    None => unknown(),
                }
            }
            // The policy that is written as JSON is judged as what it is written from.
            Expression::FuncCall(call) => match (call.name.name.as_str(), call.args.iter().next()) {
                (
                    "jsonencode" | "tostring" | "tobool" | "tolist" | "toset" | "tomap" | "tonumber"
                    | "nonsensitive",
                    Some(argument),
                ) => self.value(source, argument, place, depth),
                _ => unknown(),
            },
            Expression::Traversal(traversal) => {
                self.traversal(source, traversal, place, depth).unwrap_or_else(unknown)
            }
            Expression::Variable(_)
            | Expression::UnaryOp(_)
            | Expression::BinaryOp(_)
            | Expression::ForExpr(_) => unknown(),
        }
    }

    fn object(&self, object: &Object, inner: &dyn Fn(&Expression) -> Attribute) -> Option<Value> {
        let entry = |(key, value): (&ObjectKey, &hcl_edit::expr::ObjectValue)| {
            let name = match key {
                ObjectKey::Ident(name) => name.as_str().to_owned(),
                ObjectKey::Expression(Expression::String(name)) => name.value().clone(),
                ObjectKey::Expression(Expression::Variable(name)) => name.as_str().to_owned(),
                ObjectKey::Expression(_) => return None,
            };
            Some((name, inner(value.expr())))
        };
        object.iter().map(entry).collect::<Option<Vec<_>>>().map(Value::Map)
    }

    /// A text whose parts are known; `gap` stands for those that are not, if it may.
    fn template<'e>(
        &self,
        source: &Source,
        elements: impl Iterator<Item = &'e Element>,
        place: &Range<usize>,
        depth: usize,
        gap: Option<&str>,
    ) -> Option<String> {
        let mut text = String::new();
        for element in elements {
            match element {
                Element::Literal(literal) => text.push_str(literal.value()),
                Element::Interpolation(interpolation) => {
                    match self.value(source, &interpolation.expr, place, depth) {
                        Value::Text(inner) => text.push_str(&inner),
                        Value::Number(number) => text.push_str(&number.to_string()),
                        Value::Truth(truth) => text.push_str(&truth.to_string()),
                        _ => text.push_str(gap?),
                    }
                }
                Element::Directive(_) => return None,
            }
        }
        Some(text)
    }

    /// `var.name` and `local.name`, and what is in them.
    fn traversal(
        &self,
        source: &Source,
        traversal: &Traversal,
        place: &Range<usize>,
        depth: usize,
    ) -> Option<Value> {
        let Expression::Variable(root) = &traversal.expr else { return None };
        let names = match root.as_str() {
            "var" => &self.variables,
            "local" => &self.locals,
            _ => return None,
        };
        let mut operators = traversal.operators.iter().map(|operator| operator.value());
        let Some(TraversalOperator::GetAttr(name)) = operators.next() else { return None };
        let mut value = self.value(source, names.get(name.as_str())?, place, depth + 1);
        for operator in operators {
            let key = match operator {
                TraversalOperator::GetAttr(name) => name.as_str(),
                TraversalOperator::Index(Expression::String(name)) => name.value().as_str(),
                _ => return None,
            };
            let Value::Map(entries) = value else { return None };
            value =
                entries.into_iter().find(|(known, _)| known == key).map(|(_, attribute)| attribute.value)?;
        }
        Some(value)
    }
}

/// Adds a block; several of one name become a list.
fn push(entries: &mut Vec<(String, Attribute)>, name: &str, value: Attribute) {
    match entries.iter_mut().find(|(known, _)| known == name) {
        Some((_, Attribute { value: Value::List(items), .. })) => items.push(value),
        _ => {
            let list = Attribute { span: value.span.clone(), value: Value::List(vec![value]) };
            entries.push((name.to_owned(), list));
        }
    }
}
