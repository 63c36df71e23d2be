//! Rules that ask one attribute of a resource for one value. Each is an entry with its page, the attributes that it asks in
//! Terraform and in CloudFormation, and the values that it wants; the examples on its page are its test.

mod aws;
mod azure;
mod google;

use super::{
    Form, Resource, Stack, Undecided,
    value::{Attribute, Hit, Value},
};
use crate::{diff::Edit, issue::Found};
use plimsoll_scan::Rule;

/// A rule and what it asks.
pub(super) struct Entry {
    pub(super) rule: Rule,
    pub(super) on: &'static [On],
}

/// What is asked of one attribute.
pub(super) struct On {
    pub(super) kind: &'static str,
    /// Through blocks to the attribute.
    pub(super) way: &'static [&'static str],
    pub(super) demand: Demand,
    pub(super) absent: Absent,
}

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Demand {
    Is(bool),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// None of these, and none of its elements.
    NoneOf(&'static [&'static str]),
    AtLeast(f64),
    /// Anything but nothing.
    Present,
}

/// What the cloud does where nobody says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    /// What the rule finds.
    Fails,
    /// What the rule wants.
    Passes,
}

const fn on(kind: &'static str, way: &'static [&'static str], demand: Demand, absent: Absent) -> On {
    On { kind, way, demand, absent }
}

/// Every entry.
pub(super) fn entries() -> impl Iterator<Item = &'static Entry> {
    aws::ENTRIES.into_iter().flatten().chain(google::ENTRIES).chain(azure::ENTRIES)
}

impl Entry {
    /// Judges all resources of a stack.
    pub(super) fn check(&self, stack: &Stack<'_>, found: &mut Found<'_>, undecided: &mut Undecided) {
        for resource in stack.resources {
            for on in self.on.iter().filter(|on| on.kind == resource.kind) {
                for hit in resource.body.find(on.way) {
                    on.judge(resource, hit, found, undecided);
                }
            }
        }
    }
}

impl On {
    fn judge(&self, resource: &Resource, hit: Hit<'_>, found: &mut Found<'_>, undecided: &mut Undecided) {
        let way = self.way.join(".");
        let (place, message) = match hit {
            Hit::Unknown(_) => {
                undecided.0 += 1;
                return;
            }
            Hit::Absent(_) if self.absent == Absent::Passes => return,
            Hit::Absent(_) => (&resource.span, format!("`{}` does not set `{way}`", resource.name)),
            Hit::Known(attribute) => match self.against(attribute) {
                None => return,
                Some(value) => (&attribute.span, format!("`{way}` of `{}` is `{value}`", resource.name)),
            },
        };
        let issue = found.at(&resource.source, place, message);
        issue.subject(&resource.name).identity(&way).fix(self.wanted());
        if let Some(edit) = self.edit(resource, hit) {
            issue.edit(edit);
        }
    }

    /// The value that is against what is asked for, as it is shown.
    fn against(&self, attribute: &Attribute) -> Option<String> {
        let bad = |attribute: &&Attribute| {
            let shown = attribute.value.shown();
            match self.demand {
                Demand::Is(wanted) => attribute.value.truth().is_some_and(|truth| truth != wanted),
                Demand::OneOf(values) => !values.iter().any(|value| value.eq_ignore_ascii_case(&shown)),
                Demand::NoneOf(values) => values.iter().any(|value| value.eq_ignore_ascii_case(&shown)),
                Demand::AtLeast(least) => attribute.value.number().is_some_and(|number| number < least),
                Demand::Present => false,
            }
        };
        let known = |attribute: &&Attribute| !matches!(attribute.value, Value::Unknown(_));
        attribute.each().iter().filter(known).find(bad).map(|attribute| attribute.value.shown())
    }

    fn wanted(&self) -> String {
        let way = self.way.join(".");
        match self.demand {
            Demand::Is(wanted) => format!("set `{way}` to `{wanted}`"),
            Demand::OneOf(values) => format!("set `{way}` to `{}`", values.first().unwrap_or(&"")),
            Demand::NoneOf(_) => format!("give `{way}` another value"),
            Demand::AtLeast(least) => format!("set `{way}` to at least {least}"),
            Demand::Present => format!("set `{way}`"),
        }
    }

    /// The value as HCL writes it, where there is one that is wanted.
    fn literal(&self) -> Option<String> {
        match self.demand {
            Demand::Is(wanted) => Some(wanted.to_string()),
            Demand::OneOf(values) => values.first().map(|value| format!("\"{value}\"")),
            Demand::AtLeast(least) => Some(least.to_string()),
            Demand::NoneOf(_) | Demand::Present => None,
        }
    }

    /// In HCL, the literal replaced, or the attribute added to the resource.
    fn edit(&self, resource: &Resource, hit: Hit<'_>) -> Option<Edit> {
        let literal = self.literal().filter(|_| resource.form == Form::Hcl)?;
        let source = &resource.source;
        match hit {
            Hit::Known(attribute) => {
                let written = source.slice(&attribute.span);
                let plain =
                    written == attribute.value.shown() || written.starts_with('"') && !written.contains("${");
                plain.then(|| Edit::replace(attribute.span.clone(), literal))
            }
            Hit::Absent(_) => {
                let line = source.line_of(resource.span.start);
                let opens = self.way.len() == 1 && source.line(line).trim_end().ends_with('{');
                opens.then(|| {
                    Edit::insert(source.line_start(line + 1), format!("  {} = {literal}\n", self.way[0]))
                })
            }
            Hit::Unknown(_) => None,
        }
    }
}
