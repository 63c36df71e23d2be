//! GitLab CI: pipeline files and those that they include, and the rules about them.

mod rules;

use super::{Facts, Unit, common, script::Script};
use crate::{
    issue::{Found, Issues},
    source::Source,
    yaml::{Key, Node},
};
use plimsoll_scan::Rule;
use rules::RULES;
use std::rc::Rc;

/// Looks at one file for one rule.
type Check = fn(&Pipeline<'_>, &mut Found<'_>);

/// Its rules.
pub(super) fn rules() -> Vec<&'static Rule> {
    RULES.iter().map(|(rule, _)| *rule).collect()
}

/// Keys at the top of a file that are no jobs.
const KEYWORDS: &[&str] = &[
    "default",
    "include",
    "stages",
    "variables",
    "workflow",
    "spec",
    "image",
    "services",
    "cache",
    "before_script",
    "after_script",
    "pages_config",
];

/// A pipeline file as its rules ask for it.
struct Pipeline<'a> {
    source: &'a Rc<Source>,
    root: &'a Node,
    jobs: Vec<Job<'a>>,
    scripts: Vec<Script>,
}

/// A job, or a hidden one that others extend.
struct Job<'a> {
    key: &'a Key,
    node: &'a Node,
}

/// Judges a pipeline file.
pub(super) fn check(source: &Rc<Source>, root: &Node, issues: &mut Issues) {
    let jobs = root
        .entries()
        .iter()
        .filter(|(key, node)| !KEYWORDS.contains(&key.text.as_str()) && !node.entries().is_empty());
    let jobs: Vec<Job<'_>> = jobs.map(|(key, node)| Job { key, node }).collect();
    let facts = facts(source, root, &jobs);
    common::check(&facts, issues);
    let pipeline = Pipeline { source, root, jobs, scripts: facts.scripts };
    RULES.iter().for_each(|(rule, check)| check(&pipeline, &mut issues.of(rule)));
}

fn facts(source: &Rc<Source>, root: &Node, jobs: &[Job<'_>]) -> Facts {
    let mut facts = Facts::new(source);
    let default_limit = root.at(&["default", "timeout"]).is_some();
    let shared = [Some(root), root.get("default")].into_iter().flatten();
    for node in shared.chain(jobs.iter().map(|job| job.node)) {
        node.get("image").into_iter().for_each(|image| facts.image(image));
        node.get("services").map_or(&[][..], Node::items).iter().for_each(|service| facts.image(service));
        node.get("variables").into_iter().for_each(|variables| facts.variables(variables));
        let scripts = ["before_script", "script", "after_script"];
        scripts.into_iter().filter_map(|key| node.get(key)).for_each(|script| facts.script(script));
    }
    for job in jobs.iter().filter(|job| job.node.get("script").is_some() && !job.key.text.starts_with('.')) {
        // What a job extends may hold the limit, perhaps in another file.
        let limited = default_limit || job.node.get("timeout").is_some() || job.node.get("extends").is_some();
        facts.units.push(Unit { name: job.key.text.clone(), span: job.key.span.clone(), limited });
    }
    facts
}

impl<'a> Pipeline<'a> {
    /// The top of the file, its defaults, and every job.
    fn levels(&self) -> impl Iterator<Item = &'a Node> {
        let shared = [Some(self.root), self.root.get("default")].into_iter().flatten();
        shared.chain(self.jobs.iter().map(|job| job.node))
    }

    /// The variables that are set, with their names.
    fn variables(&self) -> impl Iterator<Item = (&'a Key, &'a Node)> {
        let entries = self.levels().filter_map(|node| node.get("variables")).flat_map(Node::entries);
        entries.map(|(key, value)| (key, value.get("value").unwrap_or(value)))
    }

    /// What is included, one entry each.
    fn includes(&self) -> Vec<&'a Node> {
        match self.root.get("include") {
            Some(include) if include.items().is_empty() => vec![include],
            Some(include) => include.items().iter().collect(),
            None => Vec::new(),
        }
    }
}
