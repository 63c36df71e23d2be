//! Changes of YAML text that keep everything else as it was written: a value replaced, a key added. Where the text is not
//! laid out in lines, there is no edit.

use super::{Node, Value};
use crate::{diff::Edit, source::Source};

/// Makes the value at `way` below `map` be `value`, written as it stands there. None where that cannot be done in place.
pub(crate) fn set(source: &Source, map: &Node, way: &[&str], value: &str) -> Option<Edit> {
    let (key, rest) = way.split_first()?;
    let Some((_, known)) = map.entry(key) else { return insert(source, map, way, value) };
    match &known.value {
        Value::Scalar { .. } if rest.is_empty() && !known.span.is_empty() => {
            Some(Edit::replace(known.span.clone(), value))
        }
        Value::Map(_) if !rest.is_empty() => set(source, known, rest, value),
        _ => None,
    }
}

/// Adds keys to a mapping that stands in lines, after its first entry.
fn insert(source: &Source, map: &Node, way: &[&str], value: &str) -> Option<Edit> {
    let (first, first_value) = map.entries().first()?;
    if source.slice(&map.span).starts_with('{') {
        return None;
    }
    let line = source.line_of(first.span.start);
    let indent = source.line(line).get(..first.span.start - source.line_start(line))?;
    let indent: String = indent.chars().map(|c| if c == '-' { ' ' } else { c }).collect();
    if !indent.trim().is_empty() {
        return None;
    }
    let is_short = matches!(first_value.value, Value::Scalar { .. })
        && source.line_of(first_value.span.end) == line
        && is_rest_of_line_free(source, first_value.span.end);
    let at = match map.entries().get(1) {
        _ if is_short => source.line_start(line + 1),
        Some((second, _)) if source.indent_of(second.span.start).len() == indent.len() => {
            source.line_start(source.line_of(second.span.start))
        }
        _ => return None,
    };
    let mut text = String::new();
    if at == source.text.len() && !source.text.ends_with('\n') {
        text.push('\n');
    }
    for (depth, key) in way.iter().enumerate() {
        let end = if depth + 1 == way.len() { format!(" {value}") } else { String::new() };
        text.push_str(&format!("{indent}{}{key}:{end}\n", "  ".repeat(depth)));
    }
    Some(Edit::insert(at, text))
}

/// Whether nothing but a comment follows on the line.
fn is_rest_of_line_free(source: &Source, at: usize) -> bool {
    let end = source.line_start(source.line_of(at) + 1);
    let rest = source.slice(&(at..end)).trim();
    rest.is_empty() || rest.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, way: &[&str], expect: Option<&str>) {
        let source = Source::new("a.yaml", text.as_bytes()).unwrap();
        let root = crate::yaml::parse(text).unwrap().remove(0).root;
        let map = root.get("c").and_then(|list| list.items().first()).unwrap_or(&root);
        let fixed = set(&source, map, way, "true").map(|edit| {
            let mut text = text.to_owned();
            text.replace_range(edit.span, &edit.text);
            text
        });
        assert_eq!(fixed.as_deref(), expect, "{text}");
    }

    #[test]
    fn a_value_is_replaced_and_a_key_is_added_where_it_belongs() {
        check("c:\n  - n: x # y\n    i: z\n", &["a"], Some("c:\n  - n: x # y\n    a: true\n    i: z\n"));
        check("c:\n- n: x\n", &["s", "a"], Some("c:\n- n: x\n  s:\n    a: true\n"));
        check("c:\n- n: x\n  s:\n    b: 1\n", &["s", "a"], Some("c:\n- n: x\n  s:\n    b: 1\n    a: true\n"));
        check("c:\n- n: x\n  s:\n    a: no\n", &["s", "a"], Some("c:\n- n: x\n  s:\n    a: true\n"));
        check("c:\n- l:\n  - 1\n  n: x\n", &["a"], Some("c:\n- l:\n  - 1\n  a: true\n  n: x\n"));
        check("n: x", &["a"], Some("n: x\na: true\n"));
    }

    #[test]
    fn what_is_not_laid_out_in_lines_is_left_alone() {
        check("c: [{n: x}]\n", &["a"], None);
        check("c:\n- n: x\n  s: {}\n", &["s", "a"], None);
        check("c:\n- n: x\n  s:\n", &["s", "a"], None);
    }
}
