//! The delta: what a release changes against what runs, commit by commit, read from two repositories by whoever signs
//! it.

use crate::{
    delivery,
    derive::{name_signer, read_people},
    ports::{CommitDetail, Source},
    run::RunError,
};
use plimsoll_attest::{
    TrustRoot, co_authors,
    predicate::{
        Delta,
        delta::{DeltaCommit, MAX_COMMITS},
        source::Person,
    },
};
use plimsoll_model::{CommitId, EnvironmentName, ProjectName, RelPath};
use plimsoll_pipeline::People;
use plimsoll_policy::repository::{
    is_policy_file, is_release_source, policy_statement_numbers, policy_statement_path,
};
use std::collections::BTreeSet;

/// What a delta is asked about.
pub struct Question<'a> {
    /// The application's repository.
    pub source: &'a dyn Source,
    /// The delivery repository.
    pub delivery: &'a dyn Source,
    /// Whose decisions and observations count.
    pub root: &'a TrustRoot,
    /// The project.
    pub project: &'a ProjectName,
    /// The environment.
    pub environment: &'a EnvironmentName,
    /// The commit that would run.
    pub head: &'a CommitId,
    /// The commit of the delivery repository that is read.
    pub delivery_head: &'a CommitId,
}

/// Reads the delta between what runs and what would run.
///
/// # Errors
/// Those of the sources; also for a range of more commits than a delta lists.
pub fn delta(question: &Question<'_>) -> Result<Delta, RunError> {
    let Question { source, delivery, head, delivery_head, .. } = *question;
    let people = read_people(delivery, delivery_head)?;
    let base = base(question)?;
    let (base, delivery_base) = base.map_or((None, None), |(base, delivery)| (Some(base), Some(delivery)));
    let range = source.range(base.as_ref(), head, &people.key_lines(), MAX_COMMITS)?;
    let describe = |commits: Vec<CommitDetail>| {
        commits.iter().map(|commit| described(commit, &people, BTreeSet::new())).collect::<Vec<_>>()
    };
    Ok(Delta {
        schema: 1,
        project: question.project.clone(),
        environment: question.environment.clone(),
        base,
        head: head.clone(),
        base_is_ancestor: range.base_is_ancestor,
        commits: describe(range.commits),
        dropped: describe(range.dropped),
        delivery: match &delivery_base {
            Some(base) => changes(question, base, &people, |path| {
                is_policy_file(path) || is_release_source(path, question.project, question.environment)
            })?,
            None => vec![],
        },
        delivery_base,
        delivery_head: delivery_head.clone(),
        policy: policy_changes(question, &people)?,
    })
}

/// The commit that runs, and the commit of the delivery repository that it was decided by: as the agent saw it; where
/// there is no agent, as it was promoted last.
fn base(question: &Question<'_>) -> Result<Option<(CommitId, CommitId)>, RunError> {
    let Question { delivery, root, project, environment, delivery_head, .. } = *question;
    if let Some(observed) = delivery::observed(delivery, root.trust(), project, environment)? {
        let seen = &observed.value().predicate;
        return Ok(Some((seen.commit.clone(), seen.decided_at.clone())));
    }
    let standing = delivery::standing(delivery, delivery_head, root.trust(), project, environment)?;
    Ok(standing.map(|decision| {
        let judged = &decision.value().predicate.decision;
        (judged.commit.clone(), judged.delivery_commit.clone())
    }))
}

/// Commits that changed policy files since the statement before the newest was brought.
fn policy_changes(question: &Question<'_>, people: &People) -> Result<Vec<DeltaCommit>, RunError> {
    let Question { delivery, delivery_head, .. } = *question;
    let tree = delivery.tree(delivery_head, None)?;
    let numbers = policy_statement_numbers(tree.entries.keys().map(RelPath::as_str));
    let Some(before) = numbers.iter().rev().nth(1) else { return Ok(vec![]) };
    let path = policy_statement_path(*before);
    let path: RelPath = path.parse().map_err(|error| RunError::internal("name a file", &error))?;
    match delivery.last_change(delivery_head, &path)? {
        Some(brought) => changes(question, &brought, people, is_policy_file),
        None => Ok(vec![]),
    }
}

/// Commits of the delivery repository after `base` that changed a path that counts.
fn changes(
    question: &Question<'_>,
    base: &CommitId,
    people: &People,
    counts: impl Fn(&str) -> bool,
) -> Result<Vec<DeltaCommit>, RunError> {
    let delivery = question.delivery;
    let range = delivery.range(Some(base), question.delivery_head, &people.key_lines(), MAX_COMMITS)?;
    let mut found = Vec::new();
    for commit in range.commits.iter().chain(&range.dropped) {
        let paths = delivery.changed_paths(&commit.facts.commit, None)?;
        let paths: BTreeSet<String> = paths.into_iter().filter(|path| counts(path)).collect();
        if !paths.is_empty() {
            found.push(described(commit, people, paths));
        }
    }
    Ok(found)
}

fn described(commit: &CommitDetail, people: &People, paths: BTreeSet<String>) -> DeltaCommit {
    let facts = &commit.facts;
    let person =
        |author: &crate::ports::Author| Person { name: author.name.clone(), email: author.email.clone() };
    DeltaCommit {
        commit: facts.commit.clone(),
        author: person(&facts.author),
        committer: person(&facts.committer),
        co_authors: co_authors(&commit.message),
        signature: name_signer(&facts.signature, people),
        summary: facts.summary.clone(),
        paths,
    }
}
