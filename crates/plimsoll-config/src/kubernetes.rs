//! Kubernetes manifests: all objects of all files as one graph, and the rules about it. Output of Helm and Kustomize is
//! plain YAML and read as such; what is still a template is said to be one.

mod graph;
pub(crate) mod not_rendered;
mod resources;
mod rules;

use crate::{
    issue::{Found, Issues},
    pipelines,
    source::Source,
    yaml::duplicate_key,
};
use graph::Graph;
use plimsoll_scan::Rule;
use std::{collections::BTreeSet, rc::Rc};

/// Looks at all objects for one rule.
type Check = fn(&Graph, &mut Found<'_>);

pub(crate) use rules::RULES;

/// The manifests of a tree.
#[derive(Debug, Default)]
pub(crate) struct Manifests {
    graph: Graph,
    /// Charts that were met as templates.
    charts: BTreeSet<String>,
}

impl Manifests {
    /// Takes the objects of a file.
    ///
    /// # Errors
    ///
    /// Why the file cannot be read, in one line.
    pub(crate) fn add(&mut self, source: &Rc<Source>, issues: &mut Issues) -> Result<(), String> {
        for document in duplicate_key::read(source, issues)? {
            pipelines::check_argo(source, &document.root, issues);
            self.graph.add(source, document.root)?;
        }
        Ok(())
    }

    /// Notes a file that Helm has not filled in yet; one finding a chart.
    pub(crate) fn template(&mut self, source: &Rc<Source>, issues: &mut Issues) {
        let chart = source.path.split_once("templates/").map_or("", |(chart, _)| chart);
        if self.charts.insert(chart.to_owned()) {
            not_rendered::report(source, chart, &mut issues.of(&not_rendered::RULE));
        }
    }

    /// Judges all objects together.
    pub(crate) fn judge(&self, issues: &mut Issues) {
        RULES.iter().for_each(|(rule, check)| check(&self.graph, &mut issues.of(rule)));
    }
}
