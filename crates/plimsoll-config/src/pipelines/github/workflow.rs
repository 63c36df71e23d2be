//! A workflow as its rules ask for it: triggers, jobs, steps, permissions. A composite action is a workflow without triggers
//! whose only job has its steps.

use super::expression::{self, Expression};
use crate::{pipelines, source::Source, yaml::Node};
use std::{ops::Range, rc::Rc};

/// A workflow, or a composite action.
pub(super) struct Workflow<'a> {
    pub(super) source: &'a Rc<Source>,
    pub(super) root: &'a Node,
    pub(super) triggers: Vec<Trigger<'a>>,
    pub(super) jobs: Vec<Job<'a>>,
}

/// What starts a workflow.
pub(super) struct Trigger<'a> {
    pub(super) name: &'a str,
    pub(super) span: Range<usize>,
    /// Its filters; none where only its name stands.
    pub(super) filters: Option<&'a Node>,
}

/// A job, or the steps of an action.
pub(super) struct Job<'a> {
    pub(super) name: &'a str,
    pub(super) span: Range<usize>,
    pub(super) node: &'a Node,
    pub(super) steps: Vec<Step<'a>>,
}

/// A step.
pub(super) struct Step<'a> {
    pub(super) node: &'a Node,
    /// What it uses: name and reference, split at `@`.
    pub(super) uses: Option<Uses<'a>>,
}

/// `owner/name/path@reference`.
#[derive(Clone, Copy)]
pub(super) struct Uses<'a> {
    pub(super) node: &'a Node,
    pub(super) text: &'a str,
    pub(super) name: &'a str,
    pub(super) reference: Option<&'a str>,
}

impl<'a> Workflow<'a> {
    pub(super) fn new(source: &'a Rc<Source>, root: &'a Node) -> Self {
        let triggers = root.get("on").map(triggers).unwrap_or_default();
        let jobs = match root.entry("runs") {
            Some((key, runs)) => vec![Job::new(&key.text, &key.span, runs)],
            None => root
                .get("jobs")
                .map_or(&[][..], Node::entries)
                .iter()
                .map(|(key, node)| Job::new(&key.text, &key.span, node))
                .collect(),
        };
        Self { source, root, triggers, jobs }
    }

    pub(super) fn is_action(&self) -> bool {
        self.root.get("runs").is_some()
    }

    pub(super) fn trigger(&self, name: &str) -> Option<&Trigger<'a>> {
        self.triggers.iter().find(|trigger| trigger.name == name)
    }

    /// The first trigger that anybody can set off and that runs with the secrets and the token of the base repository.
    pub(super) fn privileged(&self) -> Option<&Trigger<'a>> {
        self.triggers.iter().find(|trigger| {
            matches!(
                trigger.name,
                "pull_request_target"
                    | "workflow_run"
                    | "issue_comment"
                    | "issues"
                    | "discussion"
                    | "discussion_comment"
                    | "pull_request_comment"
            )
        })
    }

    /// The first trigger that anybody can set off with code or text of their own.
    pub(super) fn public(&self) -> Option<&Trigger<'a>> {
        let pull = ["pull_request", "pull_request_review", "pull_request_review_comment", "fork", "watch"];
        self.privileged().or_else(|| self.triggers.iter().find(|trigger| pull.contains(&trigger.name)))
    }

    /// Every step with its job.
    pub(super) fn steps(&self) -> impl Iterator<Item = (&Job<'a>, &Step<'a>)> {
        self.jobs.iter().flat_map(|job| job.steps.iter().map(move |step| (job, step)))
    }

    /// The place of a scalar's text without quotes, and that text as it stands in the file.
    pub(super) fn raw(&self, node: &Node) -> (Range<usize>, &'a str) {
        let span = pipelines::content(self.source, node);
        (span.clone(), self.source.slice(&span))
    }

    /// The expressions in a scalar.
    pub(super) fn expressions(&self, node: &Node) -> Vec<Expression<'a>> {
        let (span, text) = self.raw(node);
        expression::expressions(text, span.start)
    }

    /// The expressions in every scalar of `node`.
    pub(super) fn all_expressions(&self, node: &Node) -> Vec<Expression<'a>> {
        expression::expressions(self.source.slice(&node.span), node.span.start)
    }
}

fn triggers(on: &Node) -> Vec<Trigger<'_>> {
    let named = |node: &'_ Node| (node.span.clone(), None);
    let scalar = on.text().map(|name| {
        let (span, filters) = named(on);
        Trigger { name, span, filters }
    });
    let listed = on
        .items()
        .iter()
        .filter_map(|item| Some(Trigger { name: item.text()?, span: item.span.clone(), filters: None }));
    let mapped = on.entries().iter().map(|(key, filters)| Trigger {
        name: &key.text,
        span: key.span.clone(),
        filters: Some(filters),
    });
    scalar.into_iter().chain(listed).chain(mapped).collect()
}

impl<'a> Job<'a> {
    fn new(name: &'a str, span: &Range<usize>, node: &'a Node) -> Self {
        let steps = node.get("steps").map_or(&[][..], Node::items).iter().map(Step::new).collect();
        Self { name, span: span.clone(), node, steps }
    }

    /// A reusable workflow that it calls.
    pub(super) fn calls(&self) -> Option<Uses<'a>> {
        self.node.get("uses").and_then(Uses::new)
    }
}

impl<'a> Step<'a> {
    fn new(node: &'a Node) -> Self {
        Self { node, uses: node.get("uses").and_then(Uses::new) }
    }

    /// Whether it uses the action `name`, in whatever version.
    pub(super) fn is(&self, name: &str) -> bool {
        self.uses.is_some_and(|uses| uses.name.eq_ignore_ascii_case(name))
    }

    /// An input of the action that it uses.
    pub(super) fn with(&self, input: &str) -> Option<&'a Node> {
        self.node.at(&["with", input])
    }

    pub(super) fn run(&self) -> Option<&'a Node> {
        self.node.get("run").filter(|run| run.text().is_some())
    }

    /// The text that an interpreter runs: a shell's, or that of an action that takes a program as an input.
    pub(super) fn program(&self) -> Option<&'a Node> {
        let script = || self.is("actions/github-script").then(|| self.with("script")).flatten();
        self.run().or_else(script)
    }
}

impl<'a> Uses<'a> {
    fn new(node: &'a Node) -> Option<Self> {
        let text = node.text()?;
        let (name, reference) = match text.split_once('@') {
            Some((name, reference)) => (name, Some(reference)),
            None => (text, None),
        };
        Some(Self { node, text, name, reference })
    }

    /// Whether it is in the same repository, and so of the same commit.
    pub(super) fn is_local(&self) -> bool {
        self.text.starts_with("./") || self.text.starts_with("../")
    }

    pub(super) fn is_image(&self) -> bool {
        self.text.starts_with("docker://")
    }
}
