//! Argo Workflows: workflows, templates and scheduled ones, and the rules about them.

mod rules;

use super::{Facts, Unit, common, script, text};
use crate::{
    issue::{Found, Issues},
    source::Source,
    yaml::Node,
};
use plimsoll_scan::Rule;
use rules::RULES;
use std::rc::Rc;

/// Looks at one workflow for one rule.
type Check = fn(&Workflow<'_>, &mut Found<'_>);

/// Its rules.
pub(super) fn rules() -> Vec<&'static Rule> {
    RULES.iter().map(|(rule, _)| *rule).collect()
}

/// A workflow as its rules ask for it.
struct Workflow<'a> {
    source: &'a Rc<Source>,
    /// Kind and name, `Workflow/build`.
    name: String,
    spec: &'a Node,
    templates: &'a [Node],
}

/// Whether the document is one of Argo Workflows.
pub(super) fn is_workflow(root: &Node) -> bool {
    let version = root.get("apiVersion").and_then(Node::text).unwrap_or("");
    let kind = root.get("kind").and_then(Node::text).unwrap_or("");
    version.starts_with("argoproj.io/")
        && matches!(kind, "Workflow" | "WorkflowTemplate" | "ClusterWorkflowTemplate" | "CronWorkflow")
}

/// Judges a document for which [`is_workflow`] holds.
pub(super) fn check(source: &Rc<Source>, root: &Node, issues: &mut Issues) {
    let Some(spec) = root.at(&["spec", "workflowSpec"]).or(root.get("spec")) else { return };
    let word = |way: &[&str]| root.at(way).and_then(Node::text).unwrap_or("").to_owned();
    let name = word(&["metadata", "name"]);
    let name = if name.is_empty() { word(&["metadata", "generateName"]) } else { name };
    let name = format!("{}/{name}", word(&["kind"]));
    let templates = spec.get("templates").map_or(&[][..], Node::items);
    let workflow = Workflow { source, name, spec, templates };
    common::check(&facts(&workflow, root), issues);
    RULES.iter().for_each(|(rule, check)| check(&workflow, &mut issues.of(rule)));
}

fn facts(workflow: &Workflow<'_>, root: &Node) -> Facts {
    let mut facts = Facts::new(workflow.source);
    for container in workflow.containers() {
        container.get("image").into_iter().for_each(|image| facts.image(image));
        facts.scripts.extend(programs(container).filter_map(|node| script(workflow.source, node)));
        for variable in container.get("env").map_or(&[][..], Node::items) {
            named(variable, &mut facts);
        }
    }
    let parameters = workflow.spec.at(&["arguments", "parameters"]).map_or(&[][..], Node::items);
    parameters.iter().for_each(|parameter| named(parameter, &mut facts));
    let limit = |node: &Node| node.get("activeDeadlineSeconds").is_some();
    let limited =
        limit(workflow.spec) || (!workflow.templates.is_empty() && workflow.templates.iter().all(limit));
    if let Some((key, _)) = root.entry("spec").filter(|_| {
        root.at(&["spec", "entrypoint"]).is_some() || root.at(&["spec", "workflowSpec"]).is_some()
    }) {
        facts.units.push(Unit { name: workflow.name.clone(), span: key.span.clone(), limited });
    }
    facts
}

/// Takes `name` and `value` of a node as a variable.
fn named(node: &Node, facts: &mut Facts) {
    if let (Some(name), Some(value)) =
        (node.get("name").and_then(Node::text), node.get("value").and_then(text))
    {
        facts.variables.push(super::Variable { name: name.to_owned(), value });
    }
}

impl<'a> Workflow<'a> {
    /// Everything that runs an image.
    fn containers(&self) -> Vec<&'a Node> {
        let of = |template: &'a Node| {
            let single = ["container", "script"].into_iter().filter_map(|key| template.get(key));
            let lists = [
                template.get("initContainers"),
                template.get("sidecars"),
                template.at(&["containerSet", "containers"]),
            ];
            single.chain(lists.into_iter().flatten().flat_map(Node::items))
        };
        self.templates.iter().flat_map(of).collect()
    }
}

/// The texts of a container that an interpreter runs.
fn programs(container: &Node) -> impl Iterator<Item = &Node> {
    let command = container.get("command").map_or(&[][..], Node::items);
    let shell = command.iter().filter_map(Node::text).any(|word| {
        matches!(
            word.rsplit('/').next().unwrap_or(""),
            "sh" | "bash" | "ash" | "dash" | "python" | "python3" | "node"
        )
    });
    let inline = |word: &&Node| word.text().is_some_and(|text| text.contains([' ', '\n']));
    let words = command.iter().chain(container.get("args").map_or(&[][..], Node::items));
    container.get("source").into_iter().chain(words.filter(inline).filter(move |_| shell))
}
