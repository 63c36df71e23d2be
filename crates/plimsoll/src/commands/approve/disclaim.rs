//! `plimsoll approve --disclaim`: somebody whom a commit names falsely says so. It lifts that person's exclusion by that name
//! in that commit, and nothing else: whoever signed or committed it takes part all the same.

use super::{At, Waiting, Written, agreed, author, key, signed};
use crate::{
    cli::{self, ProjectAt},
    context::Context,
    failure::Failure,
    output::Output,
    people::Me,
    promotion,
};
use plimsoll_attest::{
    Disclaimer,
    approval::DisclaimerText,
    predicate::{delta::DeltaCommit, source::Person as Mention},
};
use plimsoll_engine::derive::read_people;
use plimsoll_git::Place;
use plimsoll_model::{CommitId, Timestamp};
use plimsoll_pipeline::Person;
use plimsoll_policy::{disclaimable, repository::disclaimer_path};

/// Digits that name a commit.
const SHORTEST: usize = 7;

pub(super) fn disclaim(
    context: &Context,
    arguments: &cli::Approve,
    (waiting, commit): (&Waiting, &str),
    me: &Me,
    at: At<'_>,
    output: &Output,
) -> Result<(), Failure> {
    let unit = &arguments.unit;
    let person = listed(context, &at.head, me)?;
    let commit = named(waiting, unit, commit)?;
    let mentions = disclaimable(&person, commit);
    if mentions.is_empty() {
        let (commit, name) = (commit.commit.short(), &person.name);
        return Err(Failure::Usage(format!(
            "there is nothing to disclaim: {commit} does not name {name} as author or co-author, or {name} signed or committed it"
        )));
    }
    output.progress(&format!("commit    {}  {}", commit.commit, commit.summary));
    for Mention { name, email } in &mentions {
        output.progress(&format!("named     {name} <{email}>"));
    }
    output.progress("you sign  \"I am named in this commit and did not take part\"");
    if !arguments.yes && !agreed(&format!("disclaim {}", commit.commit.short()))? {
        return Err(Failure::Usage("nothing was signed".into()));
    }
    publish(context, unit, waiting, (commit, &mentions), me, at)?;
    let next = format!("plimsoll approve {unit}");
    let text = format!("disclaimed {} by {}\nnext      {next}", commit.commit, person.name);
    output.result(&text, &serde_json::json!({ "unit": unit.to_string(), "commit": commit.commit, "named": mentions, "by": person.name, "next": next }));
    Ok(())
}

/// Who has this key, by people.yaml.
fn listed(context: &Context, head: &CommitId, me: &Me) -> Result<Person, Failure> {
    let (people, key) = (read_people(&context.delivery()?, head)?, key(me)?);
    let own = |person: &Person| person.ssh_keys.iter().any(|listed| listed.fingerprint == key.fingerprint());
    let unknown = || Failure::Usage(format!("people.yaml lists nobody with the key {}", key.fingerprint()));
    people.people.into_iter().find(own).ok_or_else(unknown)
}

/// The one commit of the change whose id begins with `text`.
fn named<'w>(waiting: &'w Waiting, unit: &ProjectAt, text: &str) -> Result<&'w DeltaCommit, Failure> {
    let begins = |commit: &&DeltaCommit| text.len() >= SHORTEST && commit.commit.as_str().starts_with(text);
    let mut matching: Vec<&DeltaCommit> = waiting.delta().all().filter(begins).collect();
    matching.dedup_by_key(|commit| &commit.commit);
    match (matching.len(), matching.pop()) {
        (1, Some(commit)) => Ok(commit),
        (0, _) => Err(Failure::Usage(format!(
            "what waits for approval in {unit} has no commit {text}; expected {SHORTEST} digits of one or more"
        ))),
        (count, _) => Err(Failure::Usage(format!("{count} commits begin with {text}: write more of the id"))),
    }
}

/// Signs a disclaimer for each mention and puts them where decisions look.
fn publish(
    context: &Context,
    unit: &ProjectAt,
    waiting: &Waiting,
    (commit, mentions): (&DeltaCommit, &[&Mention]),
    me: &Me,
    at: At<'_>,
) -> Result<(), Failure> {
    let decision = waiting.decision();
    let mut changes = Vec::new();
    for mention in mentions {
        let disclaimer = Disclaimer {
            version: 1,
            project: decision.project.clone(),
            environment: decision.environment.clone(),
            commit: commit.commit.clone(),
            named: (*mention).clone(),
            statement: DisclaimerText::DidNotTakePart,
        };
        let Written { digest, bytes, signature } = signed(at.state, me, &disclaimer)?;
        let path = disclaimer_path(&digest);
        changes.extend([(format!("{path}.sig"), signature.into_bytes()), (path, bytes)]);
    }
    let message = format!("disclaim {} for {unit}\n", commit.commit.short());
    let author = author(me, Timestamp::now());
    promotion::propose(context, at.pinned, Place::Branch, Some(at.head), changes, message, author)?;
    Ok(())
}
