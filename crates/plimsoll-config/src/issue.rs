//! What a rule says of a file before it is a finding: the place, the words, the fix. The registry of each family adds the
//! rule; here it becomes a finding with a fingerprint, or a suppressed one.

use crate::{
    diff::{self, Edit},
    source::{Allowed, Source},
};
use plimsoll_scan::{Finding, Fingerprint, Gap, Rule, Severity};
use std::{collections::BTreeMap, ops::Range, rc::Rc};

/// One thing that a rule found.
#[derive(Debug)]
pub(crate) struct Issue {
    source: Rc<Source>,
    span: Range<usize>,
    message: String,
    subject: String,
    identity: Option<String>,
    severity: Option<Severity>,
    fix: Option<String>,
    edits: Vec<Edit>,
    secret: Option<Range<usize>>,
}

impl Issue {
    /// What to do, in one line.
    pub(crate) fn fix(&mut self, fix: impl Into<String>) -> &mut Self {
        self.fix = Some(fix.into());
        self
    }

    /// A change of the file that does it. Several become one diff.
    pub(crate) fn edit(&mut self, edit: Edit) -> &mut Self {
        self.edits.push(edit);
        self
    }

    /// What it is about, such as `Deployment/shop/web`.
    pub(crate) fn subject(&mut self, subject: impl Into<String>) -> &mut Self {
        self.subject = subject.into();
        self
    }

    /// What makes it the same finding across commits, where that is not the text at its place.
    pub(crate) fn identity(&mut self, identity: impl Into<String>) -> &mut Self {
        self.identity = Some(identity.into());
        self
    }

    /// Bytes of the file that no report may show.
    pub(crate) fn hide(&mut self, secret: &Range<usize>) -> &mut Self {
        self.secret = Some(secret.clone());
        self
    }

    /// How bad it is here, where that differs from its rule.
    pub(crate) fn severity(&mut self, severity: Severity) -> &mut Self {
        self.severity = Some(severity);
        self
    }

    /// What stands at its place is a secret: it is not shown, and [`Issue::identity`] says what the finding is.
    pub(crate) fn mask(&mut self) -> &mut Self {
        let place = self.span.clone();
        self.hide(&place)
    }

    fn allowed(&self, rule: &str) -> Allowed {
        self.source.allows(self.source.line_of(self.span.start), rule)
    }
}

/// Collects what the rules of one family find.
#[derive(Debug, Default)]
pub(crate) struct Issues {
    found: Vec<(&'static Rule, Issue)>,
    /// How much each rule found in each file.
    counts: BTreeMap<(&'static str, String), usize>,
    /// Where what is not kept is written to.
    spare: Option<Issue>,
}

/// Findings of one rule in one file that are kept. More would help nobody, and a hostile file could have millions.
const MAX_OF_A_RULE: usize = 1_000;

/// All that was found.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) findings: Vec<Finding>,
    /// What a comment in the file accepts.
    pub(crate) suppressed: Vec<Finding>,
    /// Files of which not everything is told.
    pub(crate) gaps: Vec<Gap>,
}

/// Where one rule reports.
pub(crate) struct Found<'i> {
    rule: &'static Rule,
    issues: &'i mut Issues,
}

impl Issues {
    /// Where `rule` reports.
    pub(crate) fn of(&mut self, rule: &'static Rule) -> Found<'_> {
        Found { rule, issues: self }
    }

    /// Everything in order of place.
    pub(crate) fn finish(mut self) -> Outcome {
        self.found.sort_by(|(a_rule, a), (b_rule, b)| {
            let key = |issue: &Issue| (issue.span.start, issue.span.end);
            let order = a.source.path.cmp(&b.source.path).then_with(|| key(a).cmp(&key(b)));
            order.then_with(|| a_rule.id.cmp(b_rule.id))
        });
        let mut secrets: Secrets = BTreeMap::new();
        for (_, issue) in &self.found {
            let hidden = secrets.entry(issue.source.path.clone()).or_default();
            hidden.extend(issue.secret.clone().filter(|span| !issue.source.slice(span).is_empty()));
        }
        let mut twins = BTreeMap::new();
        let mut outcome = Outcome::default();
        for (rule, issue) in self.found {
            let allowed = issue.allowed(rule.id);
            let hidden = secrets.get(&issue.source.path).map_or(&[][..], Vec::as_slice);
            let finding = finding(rule, issue, allowed, hidden, &mut twins);
            let list = if allowed == Allowed::Yes { &mut outcome.suppressed } else { &mut outcome.findings };
            list.push(finding);
        }
        outcome
            .gaps
            .extend(self.counts.into_iter().filter(|(_, count)| *count > MAX_OF_A_RULE).map(too_many));
        outcome
    }
}

impl Found<'_> {
    /// Reports `message` about `span` of `source`.
    pub(crate) fn at(
        &mut self,
        source: &Rc<Source>,
        span: &Range<usize>,
        message: impl Into<String>,
    ) -> &mut Issue {
        let issue = Issue {
            source: Rc::clone(source),
            span: span.clone(),
            message: message.into(),
            subject: String::new(),
            identity: None,
            severity: None,
            fix: None,
            edits: Vec::new(),
            secret: None,
        };
        let Issues { found, counts, spare } = &mut *self.issues;
        let count = counts.entry((self.rule.id, source.path.clone())).or_insert(0);
        *count += 1;
        if *count > MAX_OF_A_RULE {
            return spare.insert(issue);
        }
        found.push((self.rule, issue));
        let last = found.len() - 1;
        &mut found[last].1
    }
}

fn too_many(((rule, path), count): ((&str, String), usize)) -> Gap {
    Gap { path, problem: format!("has {count} findings of {rule}, of which {MAX_OF_A_RULE} are told") }
}

/// What no report may show of each file.
type Secrets = BTreeMap<String, Vec<Range<usize>>>;

/// How often the same was found, so that each has a fingerprint of its own.
type Twins = BTreeMap<[String; 4], u32>;

fn finding(
    rule: &Rule,
    issue: Issue,
    allowed: Allowed,
    hidden: &[Range<usize>],
    twins: &mut Twins,
) -> Finding {
    let evidence = issue.identity.clone().unwrap_or_else(|| words(issue.source.slice(&issue.span)));
    let who = [rule.id.to_owned(), issue.source.path.clone(), issue.subject.clone(), evidence];
    let nth = twins.entry(who.clone()).and_modify(|nth| *nth += 1).or_insert(0).to_string();
    let [_, path, subject, evidence] = who;
    let diff = diff::unified(&issue.source, &issue.edits, hidden);
    let mut message = issue.message;
    if allowed == Allowed::WithoutReason {
        message.push_str(" (the comment that accepts it gives no reason)");
    }
    Finding {
        rule: rule.id.to_owned(),
        severity: issue.severity.unwrap_or(rule.severity),
        message,
        fix: issue.fix,
        diff,
        location: Some(issue.source.locate(&issue.span, hidden)),
        fingerprint: Fingerprint::of(rule.id, &[&path, &subject, &evidence, &nth]),
        subject,
        aliases: Vec::new(),
    }
}

/// `text` without what only its layout says.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
