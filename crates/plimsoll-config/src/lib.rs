//! Rules about configuration: Dockerfiles and image configuration, Kubernetes manifests as one graph, pipelines of other
//! systems. One rule is one file with a case that it finds and one that it does not.
//!
//! A family of rules has a kind of file ([`kind`]), a reader, and a registry: an array of each rule with its check. A check
//! reports to [`issue::Found`], which knows the rule; place, fingerprint, diff and suppression are made here.

mod diff;
mod dockerfile;
mod image;
mod infrastructure;
mod issue;
mod joined;
mod kind;
mod kubernetes;
mod names;
mod pipelines;
mod shell;
mod source;
#[cfg(test)]
mod test;
mod yaml;

use infrastructure::Infrastructure;
use issue::Issues;
use kind::Kind;
use plimsoll_model::{Digest, digest::Hasher};
use plimsoll_scan::{Coverage, Finding, Gap, Rule};
use source::Source;
use std::{collections::BTreeSet, rc::Rc};

/// Takes the files of a tree one by one, and judges them when all are there.
#[derive(Debug, Default)]
pub struct Checker {
    issues: Issues,
    coverage: Coverage,
    manifests: kubernetes::Manifests,
    infrastructure: Infrastructure,
}

/// What the rules say of all files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What was found, in order of place.
    pub findings: Vec<Finding>,
    /// What was found and is accepted by a comment with a reason, in order of place.
    pub suppressed: Vec<Finding>,
    /// The files of a kind that some rule reads; those that cannot be read are gaps. Templates that are not filled in yet
    /// are a finding each and count for nothing here.
    pub coverage: Coverage,
}

impl Checker {
    /// Nothing looked at yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one file; says whether it is of a kind that some rule reads. What is of such a kind and cannot be parsed is a
    /// gap. `path` is below what is scanned, `/`-separated.
    pub fn add(&mut self, path: &str, bytes: &[u8]) -> bool {
        let Some(kind) = Kind::of(path, bytes) else { return false };
        let read = Source::new(path, bytes).and_then(|source| self.read(kind, &Rc::new(source)));
        match read {
            Ok(()) if kind.is_template() => {}
            Ok(()) => {
                self.coverage.files += 1;
                self.coverage.bytes += bytes.len() as u64;
            }
            Err(problem) => self.coverage.gaps.push(Gap { path: path.to_owned(), problem }),
        }
        true
    }

    fn read(&mut self, kind: Kind, source: &Rc<Source>) -> Result<(), String> {
        match kind {
            Kind::Dockerfile => dockerfile::check(source, &mut self.issues),
            Kind::Infrastructure(form) => self.infrastructure.add(form, source, &mut self.issues),
            Kind::Pipeline(system) => pipelines::check(system, source, &mut self.issues),
            Kind::DockerfileTemplate => {
                dockerfile::not_rendered::report(source, &mut self.issues);
                Ok(())
            }
            Kind::Image => image::check(source, &mut self.issues),
            Kind::Manifest => self.manifests.add(source, &mut self.issues),
            Kind::HelmTemplate => {
                self.manifests.template(source, &mut self.issues);
                Ok(())
            }
        }
    }

    /// Judges what needs more than one file, and gives all that was found.
    #[must_use]
    pub fn finish(mut self) -> Checked {
        self.manifests.judge(&mut self.issues);
        let undecided = self.infrastructure.judge(&mut self.issues);
        let issue::Outcome { findings, suppressed, gaps } = self.issues.finish();
        let mut coverage = self.coverage;
        coverage.gaps.extend(gaps);
        coverage.undecided += undecided;
        Checked { findings, suppressed, coverage }
    }
}

/// Judges one file by the rules about pipelines; none if it is no pipeline. A pipeline that cannot be parsed is a gap.
#[must_use]
pub fn audit(path: &str, bytes: &[u8]) -> Option<Checked> {
    let is_pipeline = match Kind::of(path, bytes)? {
        Kind::Pipeline(_) => true,
        Kind::Manifest => String::from_utf8_lossy(bytes).contains("argoproj.io/"),
        _ => false,
    };
    is_pipeline.then(|| {
        let mut checker = Checker::new();
        checker.add(path, bytes);
        let mut checked = checker.finish();
        let about_pipelines: BTreeSet<&str> = pipelines::rules().iter().map(|rule| rule.id).collect();
        let keep = |finding: &Finding| about_pipelines.contains(finding.rule.as_str());
        checked.findings.retain(keep);
        checked.suppressed.retain(keep);
        checked
    })
}

/// Every rule, in order of its identifier.
#[must_use]
pub fn rules() -> Vec<&'static Rule> {
    let mut rules: Vec<&'static Rule> =
        vec![&yaml::duplicate_key::RULE, &kubernetes::not_rendered::RULE, &dockerfile::not_rendered::RULE];
    rules.extend(infrastructure::rules());
    rules.extend(pipelines::rules());
    rules.extend(kubernetes::RULES.iter().map(|(rule, _)| *rule));
    rules.extend(image::RULES.iter().map(|(rule, _)| *rule));
    rules.extend(dockerfile::RULES.iter().map(|(rule, _)| *rule));
    rules.sort_by_key(|rule| rule.id);
    rules
}

/// Digest over the rules as they describe themselves, and the version of the program that holds their checks.
#[must_use]
pub fn rules_digest() -> Digest {
    let mut hasher = Hasher::new();
    let mut part = |text: &str| {
        hasher.update(&(text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    };
    part(env!("CARGO_PKG_VERSION"));
    for rule in rules() {
        [rule.id, rule.title, rule.severity.as_str(), rule.help].into_iter().for_each(&mut part);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests;
