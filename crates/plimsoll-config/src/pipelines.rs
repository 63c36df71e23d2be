//! Pipelines of other systems: GitHub Actions with composite actions and reusable workflows, GitLab CI, Jenkins and Argo
//! Workflows. Each system has a reader, and rules of its own; what all of them have in common is judged once, over [`Facts`].

mod argo;
mod common;
mod github;
mod gitlab;
mod jenkins;
mod script;
#[cfg(test)]
mod tests;
mod words;

use crate::{
    issue::Issues,
    source::Source,
    yaml::{Node, duplicate_key},
};
use plimsoll_scan::Rule;
use script::Script;
use std::{ops::Range, rc::Rc};

/// The system whose pipeline a file is, where its path alone says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    GitHub,
    GitLab,
    Jenkins,
}

impl System {
    /// By the places where each system looks for its files.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let folder = path.strip_suffix(name).unwrap_or("");
        let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        let at = |wanted: &str| folder == wanted || folder.ends_with(&format!("/{wanted}"));
        if yaml && at(".github/workflows/") || matches!(name, "action.yml" | "action.yaml") {
            return Some(Self::GitHub);
        }
        if yaml && (name.contains(".gitlab-ci.") || at(".gitlab/ci/")) {
            return Some(Self::GitLab);
        }
        let jenkins =
            name == "Jenkinsfile" || name.starts_with("Jenkinsfile.") || name.ends_with(".jenkinsfile");
        let text = [".md", ".txt"].iter().any(|end| name.ends_with(end));
        ((jenkins || name.ends_with(".Jenkinsfile")) && !text).then_some(Self::Jenkins)
    }
}

/// Judges the pipeline of a system.
///
/// # Errors
///
/// Why it cannot be read, in one line.
pub(crate) fn check(system: System, source: &Rc<Source>, issues: &mut Issues) -> Result<(), String> {
    if system == System::Jenkins {
        jenkins::check(source, issues);
        return Ok(());
    }
    for document in duplicate_key::read(source, issues)? {
        match system {
            System::GitHub => github::check(source, &document.root, issues),
            System::GitLab => gitlab::check(source, &document.root, issues),
            System::Jenkins => {}
        }
    }
    Ok(())
}

/// Judges a document, if it is one of Argo Workflows.
pub(crate) fn check_argo(source: &Rc<Source>, root: &Node, issues: &mut Issues) {
    if argo::is_workflow(root) {
        argo::check(source, root, issues);
    }
}

/// Every rule about pipelines.
pub(crate) fn rules() -> Vec<&'static Rule> {
    [common::rules(), github::rules(), gitlab::rules(), jenkins::rules(), argo::rules()].concat()
}

/// Text of a file with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) span: Range<usize>,
}

/// A variable that a pipeline sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: Text,
}

/// A job, or what a system calls so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) name: String,
    /// Place of its name.
    pub(crate) span: Range<usize>,
    /// Somebody said how long it may take.
    pub(crate) limited: bool,
}

/// What the pipelines of all systems have.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) source: Rc<Source>,
    pub(crate) scripts: Vec<Script>,
    pub(crate) images: Vec<Text>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) units: Vec<Unit>,
}

impl Facts {
    fn new(source: &Rc<Source>) -> Self {
        let (scripts, images) = (Vec::new(), Vec::new());
        Self { source: Rc::clone(source), scripts, images, variables: Vec::new(), units: Vec::new() }
    }

    /// Takes a scalar, or a list of them, as scripts.
    fn script(&mut self, node: &Node) {
        if node.text().is_some() {
            self.scripts.extend(script(&self.source, node));
        }
        node.items().iter().for_each(|item| self.script(item));
    }

    /// Takes a scalar, or the `name` of a mapping, as an image.
    fn image(&mut self, node: &Node) {
        let name = if node.text().is_some() { Some(node) } else { node.get("name") };
        self.images.extend(name.and_then(text));
    }

    /// Takes the entries of a mapping as variables; of one that is described at length, its `value`.
    fn variables(&mut self, node: &Node) {
        for (key, value) in node.entries() {
            if let Some(value) = text(value.get("value").unwrap_or(value)) {
                self.variables.push(Variable { name: key.text.clone(), value });
            }
        }
    }
}

/// The text of a scalar and its place.
fn text(node: &Node) -> Option<Text> {
    node.text().map(|text| Text { text: text.to_owned(), span: node.span.clone() })
}

/// A scalar as a script.
fn script(source: &Source, node: &Node) -> Option<Script> {
    node.text()?;
    Some(Script { span: content(source, node), folded: block(source, node) == Some('>') })
}

/// The place of a scalar's text without its quotes.
fn content(source: &Source, node: &Node) -> Range<usize> {
    let Range { start, end } = node.span.clone();
    match source.slice(&node.span).as_bytes() {
        [b'"' | b'\'', .., b'"' | b'\''] if block(source, node).is_none() => start + 1..end - 1,
        _ => start..end,
    }
}

/// The sign of a scalar that is written as a block, `|` or `>`. Its place begins with its first line.
fn block(source: &Source, node: &Node) -> Option<char> {
    let line = source.line_of(node.span.start);
    if !source.slice(&(source.line_start(line)..node.span.start)).trim().is_empty() {
        return None;
    }
    let header = (0..line).rev().map(|line| source.line(line)).find(|line| !line.trim().is_empty())?;
    let sign = header.split(" #").next()?.split_whitespace().next_back()?.chars().next()?;
    matches!(sign, '|' | '>').then_some(sign)
}
