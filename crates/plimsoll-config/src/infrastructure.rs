//! Infrastructure as code: Terraform as HCL and as the JSON of a plan, CloudFormation templates, and the rules about them.
//! What cannot be known before somebody applies it stays unknown: a rule then neither finds nor passes, and it is counted.

mod cloudformation;
mod policy;
mod rules;
mod table;
mod terraform;
#[cfg(test)]
mod tests;
mod value;

use crate::{
    issue::{Found, Issues},
    kind::has_key,
    source::Source,
};
use plimsoll_scan::Rule;
use std::{collections::BTreeMap, ops::Range, rc::Rc};
use terraform::Module;
use value::Attribute;

/// A file about infrastructure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Terraform's own language.
    Hcl,
    /// Values of variables in that language.
    Values,
    /// `terraform show -json` of a plan.
    Plan,
    /// A template for CloudFormation.
    Template,
}

impl Form {
    /// What Terraform itself finds by the name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let values = name == "terraform.tfvars" || name.ends_with(".auto.tfvars");
        let hcl = name.ends_with(".tf") || name.ends_with(".tofu");
        if hcl { Some(Self::Hcl) } else { values.then_some(Self::Values) }
    }

    /// What the text of a JSON or YAML file says that it is.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        let has = |key: &str| has_key(text, key);
        if has("resource_changes") && has("terraform_version") {
            return Some(Self::Plan);
        }
        (text.contains("AWS::") && has("Resources") && has("Type")).then_some(Self::Template)
    }
}

/// Something that is to be made.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    source: Rc<Source>,
    form: Form,
    /// `aws_s3_bucket`, `AWS::S3::Bucket`.
    kind: String,
    /// `aws_s3_bucket.logs`, or the name in a template.
    name: String,
    /// Place of its head.
    span: Range<usize>,
    body: Attribute,
}

/// What a rule judges: the resources that are made together.
struct Stack<'a> {
    resources: &'a [Resource],
}

impl<'a> Stack<'a> {
    fn of_kind(&self, kinds: &'a [&'a str]) -> impl Iterator<Item = &'a Resource> {
        self.resources.iter().filter(move |resource| kinds.contains(&resource.kind.as_str()))
    }
}

/// Counts what could not be told.
#[derive(Debug, Default)]
struct Undecided(u64);

/// Looks at one stack for one rule.
type Check = fn(&Stack<'_>, &mut Found<'_>, &mut Undecided);

/// The infrastructure of a tree.
#[derive(Debug, Default)]
pub(crate) struct Infrastructure {
    /// Terraform's files by their folder, which is a module.
    modules: BTreeMap<String, Module>,
    /// Plans and templates, each on its own.
    stacks: Vec<Vec<Resource>>,
}

/// Every rule about infrastructure.
pub(crate) fn rules() -> Vec<&'static Rule> {
    let checks = rules::RULES.iter().map(|(rule, _)| *rule);
    checks.chain(table::entries().map(|entry| &entry.rule)).collect()
}

impl Infrastructure {
    /// Takes a file.
    ///
    /// # Errors
    ///
    /// Why the file cannot be read, in one line.
    pub(crate) fn add(&mut self, form: Form, source: &Rc<Source>, issues: &mut Issues) -> Result<(), String> {
        match form {
            Form::Hcl | Form::Values => {
                let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                self.modules.entry(folder.to_owned()).or_default().add(form, source)
            }
            Form::Plan => {
                self.stacks.push(terraform::plan(source)?);
                Ok(())
            }
            Form::Template => {
                self.stacks.extend(cloudformation::stacks(source, issues)?);
                Ok(())
            }
        }
    }

    /// Judges all that is to be made; gives how often a rule could not tell.
    pub(crate) fn judge(&self, issues: &mut Issues) -> u64 {
        let mut undecided = Undecided::default();
        let modules = self.modules.values().map(Module::resources);
        for resources in self.stacks.iter().cloned().chain(modules) {
            let stack = Stack { resources: &resources };
            rules::RULES.iter().for_each(|(rule, check)| check(&stack, &mut issues.of(rule), &mut undecided));
            table::entries()
                .for_each(|entry| entry.check(&stack, &mut issues.of(&entry.rule), &mut undecided));
        }
        undecided.0
    }
}
