//! GitHub Actions: workflows, reusable workflows and composite actions, and the rules about them.

mod change;
mod expression;
mod rules;
mod workflow;

use super::{Facts, Unit, common};
use crate::{
    issue::{Found, Issues},
    source::Source,
    yaml::Node,
};
use plimsoll_scan::Rule;
use rules::RULES;
use std::rc::Rc;
use workflow::Workflow;

/// Looks at one workflow or action for one rule.
type Check = fn(&Workflow<'_>, &mut Found<'_>);

/// Its rules.
pub(super) fn rules() -> Vec<&'static Rule> {
    RULES.iter().map(|(rule, _)| *rule).collect()
}

/// Judges a workflow or an action.
pub(super) fn check(source: &Rc<Source>, root: &Node, issues: &mut Issues) {
    let workflow = Workflow::new(source, root);
    common::check(&facts(&workflow), issues);
    RULES.iter().for_each(|(rule, check)| check(&workflow, &mut issues.of(rule)));
}

fn facts(workflow: &Workflow<'_>) -> Facts {
    let mut facts = Facts::new(workflow.source);
    workflow.root.get("env").into_iter().for_each(|env| facts.variables(env));
    for job in &workflow.jobs {
        job.node.get("env").into_iter().for_each(|env| facts.variables(env));
        job.node.get("container").into_iter().for_each(|container| container_facts(container, &mut facts));
        let services = job.node.get("services").map_or(&[][..], Node::entries);
        services.iter().for_each(|(_, service)| container_facts(service, &mut facts));
        for step in &job.steps {
            step.node.get("env").into_iter().for_each(|env| facts.variables(env));
            step.node.get("with").into_iter().for_each(|with| facts.variables(with));
            step.node.get("run").into_iter().for_each(|run| facts.script(run));
        }
        let called = job.node.get("uses").is_some();
        if !workflow.is_action() && !called {
            let limited = job.node.get("timeout-minutes").is_some();
            facts.units.push(Unit { name: job.name.to_owned(), span: job.span.clone(), limited });
        }
    }
    facts
}

fn container_facts(container: &Node, facts: &mut Facts) {
    facts.image(container.get("image").unwrap_or(container));
    container.get("env").into_iter().for_each(|env| facts.variables(env));
    container.get("credentials").into_iter().for_each(|credentials| facts.variables(credentials));
}
