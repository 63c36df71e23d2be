//! Changes of a workflow that rules propose: an entry more in a mapping, a value that reaches a script as a variable.

use super::{
    expression::{self, Expression},
    workflow::{Step, Workflow},
};
use crate::{diff::Edit, pipelines, source::Source, yaml::Node};

/// Expressions of one script that are changed together; with more of them, a person should look.
const MAX_EXPRESSIONS: usize = 40;

/// Blanks as wide as what stands before `offset` in its line.
pub(super) fn column(source: &Source, offset: usize) -> String {
    let start = source.line_start(source.line_of(offset));
    " ".repeat(source.slice(&(start..offset)).chars().count())
}

/// Puts `entry`, such as `a: b`, before the first entry of a mapping that is written as a block.
pub(super) fn first_entry(source: &Source, mapping: &Node, entry: &str) -> Option<Edit> {
    let (key, _) = mapping.entries().first()?;
    let block = !source.slice(&mapping.span).starts_with('{');
    block.then(|| before(source, key.span.start, entry))
}

/// Puts `entry` before the key at `at`, in lines of its own where the key begins its line.
fn before(source: &Source, at: usize, entry: &str) -> Edit {
    let indent = column(source, at);
    let lines = entry.replace('\n', &format!("\n{indent}"));
    let start = source.line_start(source.line_of(at));
    if source.slice(&(start..at)).trim().is_empty() {
        Edit::insert(start, format!("{indent}{lines}\n"))
    } else {
        Edit::insert(at, format!("{lines}\n{indent}"))
    }
}

/// Puts `entry` on lines of their own behind the line on which `node` ends; they begin where `key` of the same mapping does.
pub(super) fn after_line(source: &Source, node: &Node, key: usize, entry: &str) -> Edit {
    let indent = column(source, key);
    let lines = entry.replace('\n', &format!("\n{indent}"));
    let next = source.line_start(source.line_of(node.span.end.saturating_sub(1)) + 1);
    let ended = source.slice(&(next.saturating_sub(1)..next)) == "\n";
    Edit::insert(next, format!("{}{indent}{lines}\n", if ended { "" } else { "\n" }))
}

/// Hands `expressions` of a step's shell script over as variables. None where the script is not one of a POSIX shell, has a
/// here-document, or sets the same names otherwise.
pub(super) fn through_variables(
    workflow: &Workflow<'_>,
    step: &Step<'_>,
    expressions: &[Expression<'_>],
) -> Option<Vec<Edit>> {
    let (run_key, run) = step.node.entry("run")?;
    let shell = step.node.get("shell").and_then(Node::text).unwrap_or("bash");
    let (span, text) = workflow.raw(run);
    let plain = matches!(shell, "bash" | "sh") && !runs_on_windows(workflow, step) && !text.contains("<<");
    if !plain
        || expressions.len() > MAX_EXPRESSIONS
        || (workflow.source.slice(&run.span).starts_with('"')
            && pipelines::block(workflow.source, run).is_none())
    {
        return None;
    }
    let mut names: Vec<(String, &str)> = Vec::new();
    let mut edits = Vec::new();
    for expression in expressions {
        let name = variable(expression.inner)?;
        let quoting = quoting(text, expression.span.start - span.start);
        let replaced = match quoting {
            Quoting::Double => format!("${{{name}}}"),
            Quoting::None => format!("\"${{{name}}}\""),
            Quoting::Single => format!("'\"${{{name}}}\"'"),
        };
        edits.push(Edit::replace(expression.span.clone(), replaced));
        match names.iter().find(|(known, _)| *known == name) {
            Some((_, inner)) if *inner != expression.inner => return None,
            Some(_) => {}
            None => names.push((name, expression.inner)),
        }
    }
    // A plain or single-quoted scalar cannot take every quote.
    let block = pipelines::block(workflow.source, run).is_some();
    if !block
        && (text.contains('\'')
            || edits.iter().any(|edit| edit.text.contains('\''))
            || edits.iter().any(|edit| edit.span.start == run.span.start))
    {
        return None;
    }
    edits.push(environment(workflow.source, step, run_key.span.start, &names)?);
    Some(edits)
}

/// Adds variables to the `env` of a step.
fn environment(source: &Source, step: &Step<'_>, run: usize, names: &[(String, &str)]) -> Option<Edit> {
    let lines = |indent: &str| {
        let lines: Vec<String> =
            names.iter().map(|(name, inner)| format!("{indent}{name}: ${{{{ {inner} }}}}")).collect();
        lines.join("\n")
    };
    match step.node.get("env") {
        Some(env) if names.iter().any(|(name, _)| env.get(name).is_some()) => None,
        Some(env) => first_entry(source, env, &lines("")),
        None => Some(before(source, run, &format!("env:\n{}", lines("  ")))),
    }
}

fn runs_on_windows(workflow: &Workflow<'_>, step: &Step<'_>) -> bool {
    let job =
        workflow.jobs.iter().find(|job| job.steps.iter().any(|other| std::ptr::eq(other.node, step.node)));
    let runner =
        job.and_then(|job| job.node.get("runs-on")).map_or("", |node| workflow.source.slice(&node.span));
    let default = job
        .and_then(|job| job.node.at(&["defaults", "run", "shell"]))
        .or(workflow.root.at(&["defaults", "run", "shell"]));
    let posix = default.is_none_or(|shell| matches!(shell.text(), Some("bash" | "sh")));
    runner.contains("windows") || runner.contains("matrix") || !posix
}

/// A name for the value of an expression: `PULL_REQUEST_TITLE` of `github.event.pull_request.title`.
fn variable(inner: &str) -> Option<String> {
    let contexts = expression::contexts(inner);
    let context = contexts.first()?;
    let parts: Vec<&str> = context.split('.').filter(|part| *part != "*").collect();
    let parts = match parts.as_slice() {
        ["github", "event", rest @ ..] if !rest.is_empty() => rest,
        ["github", rest @ ..] => rest,
        rest => rest,
    };
    let name: Vec<String> = parts.iter().map(|part| part.replace('-', "_").to_ascii_uppercase()).collect();
    let name = match parts {
        ["secrets", rest] => rest.replace('-', "_").to_ascii_uppercase(),
        ["ref_name" | "ref" | "head_ref" | "base_ref" | "actor"] => format!("THE_{}", name.join("_")),
        _ => name.join("_"),
    };
    let valid = name.starts_with(|char: char| char.is_ascii_alphabetic())
        && name.chars().all(|char| char == '_' || char.is_ascii_alphanumeric());
    let taken = name.starts_with("GITHUB")
        || name.starts_with("RUNNER")
        || matches!(name.as_str(), "PATH" | "HOME" | "CI");
    (valid && !taken).then_some(name)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quoting {
    None,
    Single,
    Double,
}

/// How the character at `at` of a shell's text is quoted.
fn quoting(text: &str, at: usize) -> Quoting {
    let mut state = Quoting::None;
    let mut chars = text.char_indices().take_while(|(index, _)| *index < at);
    let (mut comment, mut before) = (false, '\n');
    while let Some((_, char)) = chars.next() {
        state = match (state, char) {
            (_, '\n') if comment => {
                comment = false;
                state
            }
            _ if comment => state,
            (Quoting::None, '#') if before.is_whitespace() => {
                comment = true;
                state
            }
            (Quoting::None | Quoting::Double, '\\') => {
                chars.next();
                state
            }
            (Quoting::None, '\'') => Quoting::Single,
            (Quoting::None, '"') => Quoting::Double,
            (Quoting::Single, '\'') | (Quoting::Double, '"') => Quoting::None,
            _ => state,
        };
        before = char;
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_is_known_at_each_place() {
        let text = "a \"b \\\" c\" 'd' # it's\n e";
        let at = |what| quoting(text, text.find(what).unwrap());
        assert_eq!(
            (at("b"), at("c"), at("d"), at("e")),
            (Quoting::Double, Quoting::Double, Quoting::Single, Quoting::None)
        );
    }

    #[test]
    fn variables_are_named_after_what_they_hold() {
        let check =
            |inner: &str, expect: Option<&str>| assert_eq!(variable(inner).as_deref(), expect, "{inner}");
        check("github.event.pull_request.title", Some("PULL_REQUEST_TITLE"));
        check("github.head_ref", Some("THE_HEAD_REF"));
        check("inputs.dry-run", Some("INPUTS_DRY_RUN"));
        check("secrets.NPM_TOKEN", Some("NPM_TOKEN"));
        check("github.event.commits[0].message", Some("COMMITS_MESSAGE"));
        check("1", None);
    }
}
