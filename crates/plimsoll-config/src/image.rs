//! The configuration of container images as registries keep it (OCI Image Configuration), and the rules about it.

mod rules;

use crate::{
    issue::{Found, Issue, Issues},
    source::Source,
    yaml::{self, Key, Node},
};
use plimsoll_scan::Rule;
use std::{ops::Range, rc::Rc};

/// Looks at one image for one rule.
type Check = fn(&Image, &mut Found<'_>);

pub(crate) use rules::RULES;

/// The configuration of one image.
#[derive(Debug)]
pub(crate) struct Image {
    source: Rc<Source>,
    root: Node,
}

/// Judges one configuration.
///
/// # Errors
///
/// Why it cannot be read, in one line.
pub(crate) fn check(source: &Rc<Source>, issues: &mut Issues) -> Result<(), String> {
    let documents = yaml::parse(&source.text).map_err(|error| error.to_string())?;
    let [document] = documents.try_into().map_err(|_| "is not one configuration of an image".to_owned())?;
    let image = Image { source: Rc::clone(source), root: document.root };
    RULES.iter().for_each(|(rule, check)| check(&image, &mut issues.of(rule)));
    Ok(())
}

impl Image {
    /// A field of how containers start.
    pub(crate) fn config(&self, field: &str) -> Option<&Node> {
        self.root.at(&["config", field]).filter(|node| !node.is_null())
    }

    /// The commands by which the image was made.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Node> {
        let history = self.root.get("history").map_or(&[][..], Node::items);
        history.iter().filter_map(|step| step.get("created_by"))
    }

    /// Reports about the image, at a node of it or at its `config`.
    pub(crate) fn report<'i>(
        &self,
        found: &'i mut Found<'_>,
        node: Option<&Node>,
        message: &str,
    ) -> &'i mut Issue {
        let config = self.root.entry("config").map(|(key, _)| key.span.clone());
        let place = node.map(|node| node.span.clone()).or(config).unwrap_or(self.root.span.clone());
        self.at(found, &place, message)
    }

    /// Reports about a key of it.
    pub(crate) fn report_key<'i>(&self, found: &'i mut Found<'_>, key: &Key, message: &str) -> &'i mut Issue {
        self.at(found, &key.span, message)
    }

    fn at<'i>(&self, found: &'i mut Found<'_>, place: &Range<usize>, message: &str) -> &'i mut Issue {
        found.at(&self.source, place, message)
    }
}
