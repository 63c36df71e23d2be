//! Making a decision: the delta is described, the environment's signer decides, and what came of it is kept, whether it
//! allows or refuses.

use crate::{
    cli::ProjectAt,
    commands::signer,
    context::Context,
    dossiers::{self, Judged},
    failure::Failure,
    output::Output,
    records::{self, DecisionRecord, RunRecord},
};
use plimsoll_attest::{Predicate as _, Statement, Verified, predicate::Scan, verify};
use plimsoll_engine::{
    derive::read_project,
    ports::{Blobs as _, Event, Journal as _, Signer as _},
    signer::{Decide, Decided, DeltaOf, Request, Response, Signed},
};
use plimsoll_model::{CommitId, Digest, Role, RunId, Timestamp};
use plimsoll_policy::{Kind, Summary};
use plimsoll_store::{StateDir, bundle_referrer, dossier_referrer, oci::Descriptor};
use std::path::PathBuf;

/// What is to be decided.
pub(crate) struct Question<'a> {
    pub(crate) kind: Kind,
    pub(crate) unit: &'a ProjectAt,
    pub(crate) run: &'a RunRecord,
    /// The commit of the delivery repository to judge by: the one that was just fetched.
    pub(crate) delivery_commit: CommitId,
    /// Bundles of statements that belong to no run, as the decision behind an earlier release.
    pub(crate) given: Vec<Vec<u8>>,
}

/// A decision that was made and kept.
pub(crate) struct Made {
    pub(crate) record: DecisionRecord,
    pub(crate) statement: Verified<Statement<Summary>>,
    /// Its bundle.
    pub(crate) bundle: Vec<u8>,
    /// The bundle of the delta; none where the project's repository is out of reach.
    pub(crate) delta: Option<Vec<u8>>,
}

impl Made {
    pub(crate) fn summary(&self) -> &Summary {
        &self.statement.value().predicate
    }
}

/// Decides, and keeps the decision. A decision that refuses is no error: it is made, signed and kept all the same.
///
/// # Errors
/// When there was nothing to decide about, which is journaled as a refusal, or a signer failed.
pub(crate) fn decide(
    context: &Context,
    state: &StateDir,
    question: &Question<'_>,
    output: &Output,
) -> Result<Made, Failure> {
    let made = ask_for_delta(context, question, output).and_then(|delta| {
        let mut given = question.given.clone();
        given.extend(baselines(context, state, question)?);
        given.extend(delta.clone());
        let request = request(state, question, &given)?;
        let own = Role::Decision(question.unit.environment.clone());
        let decided = ask(context, &own, &request)?;
        let decided = if decided.allowed { decided } else { ask(context, &Role::Refusal, &request)? };
        keep(context, state, question, &decided, &given).map(|made| Made { delta, ..made })
    });
    made.inspect_err(|failure| {
        // Where the journal cannot be written either, the failure that is reported is the first.
        let _ = note_refusal(state, failure, Some(question.unit), Some(&question.run.run), None);
    })
}

/// The delta, if the project's repository is on this machine: its source signer reads it.
fn ask_for_delta(
    context: &Context,
    question: &Question<'_>,
    output: &Output,
) -> Result<Option<Vec<u8>>, Failure> {
    let repository = repository(context, question)?;
    if plimsoll_git::GitSource::open(&repository).is_err() {
        output.progress(&format!(
            "{} is no repository here: the decision is made without a delta",
            repository.display()
        ));
        return Ok(None);
    }
    let request = Request::Delta(DeltaOf {
        project: question.unit.project.clone(),
        environment: question.unit.environment.clone(),
        head: question.run.commit.clone(),
        delivery_commit: question.delivery_commit.clone(),
    });
    let mut signer = signer::start(context, &Role::Source, Some(&repository))?;
    match signer.ask(&request).map_err(|error| Failure::broken("no delta was read", &error))? {
        Response::Described(signed) => Ok(Some(signed.bundle.into_bytes())),
        Response::Refused { reasons } => Err(Failure::Refused(reasons)),
        _ => Err(out_of_turn(&Role::Source)),
    }
}

/// The project's repository: where the delivery repository says, if that is on this machine; otherwise here.
fn repository(context: &Context, question: &Question<'_>) -> Result<PathBuf, Failure> {
    let project = read_project(&context.delivery()?, &question.delivery_commit, &question.unit.project)?;
    let named = project.map(|project| PathBuf::from(project.repository)).filter(|path| path.is_absolute());
    Ok(named.unwrap_or_else(|| PathBuf::from(".")))
}

/// What scans had found in the release that stands, if it was decided here: whether a finding is new is judged by it.
/// Without them every finding is new.
fn baselines(context: &Context, state: &StateDir, question: &Question<'_>) -> Result<Vec<Vec<u8>>, Failure> {
    let ProjectAt { project, environment } = question.unit;
    let standing = dossiers::standing(&context.delivery()?, &question.delivery_commit, project, environment)?;
    let Some(standing) = standing else { return Ok(vec![]) };
    let decided = dossiers::payload(&standing).map(|digest| records::decision(state, &digest)).transpose()?;
    let Some(decided) = decided.flatten() else { return Ok(vec![]) };
    let Some(run) = records::find(state, decided.run.as_str())?.record else { return Ok(vec![]) };
    let scans = run.statements.iter().filter(|statement| statement.predicate_type == Scan::TYPE);
    let bundles = scans.map(|scan| Ok(state.layout().read(&scan.bundle, dossiers::LIMIT)?));
    bundles.chain([Ok(standing)]).collect()
}

fn request(state: &StateDir, question: &Question<'_>, given: &[Vec<u8>]) -> Result<Request, Failure> {
    let run = question.run;
    let statement = run.statement("run");
    let statement =
        statement.ok_or_else(|| Failure::Usage("the run has no run statement; run again".into()))?;
    let of_run = run.statements.iter().filter(|other| other.name != "run").map(|other| other.bundle);
    let mut evidence: Vec<Digest> = of_run.collect();
    for bundle in given {
        evidence.push(state.layout().put(bundle)?);
    }
    Ok(Request::Decide(Decide {
        kind: question.kind,
        project: question.unit.project.clone(),
        environment: question.unit.environment.clone(),
        run: statement.bundle,
        evidence,
        delivery_commit: question.delivery_commit.clone(),
    }))
}

fn ask(context: &Context, role: &Role, request: &Request) -> Result<Decided, Failure> {
    let mut signer = signer::start(context, role, None)?;
    match signer.ask(request).map_err(|error| Failure::broken("no decision was made", &error))? {
        Response::Decided(decided) => Ok(decided),
        Response::Refused { reasons } => Err(Failure::Refused(reasons)),
        _ => Err(out_of_turn(role)),
    }
}

fn out_of_turn(role: &Role) -> Failure {
    Failure::Broken { what: format!("the {role} signer answered out of turn"), next: None }
}

/// Stores a signed decision: as a blob, as a record, with its dossier; and if it allows, both beside the artifact.
/// Refusals never become referrers.
fn keep(
    context: &Context,
    state: &StateDir,
    question: &Question<'_>,
    decided: &Decided,
    given: &[Vec<u8>],
) -> Result<Made, Failure> {
    let Signed { bundle, predicate_type, .. } = decided.signed.as_ref().ok_or_else(|| Failure::Broken {
        what: "the signers do not agree about the decision".into(),
        next: Some("the same command again: something changed in between".into()),
    })?;
    let bundle = bundle.clone().into_bytes();
    let environment = question.unit.environment.clone();
    let role = if decided.allowed { Role::Decision(environment) } else { Role::Refusal };
    let statement = verify::<Summary>(&bundle, &context.trust()?, &role)?;
    let summary = &statement.value().predicate;
    let judged = Judged { run: question.run, decision: &bundle, summary, given };
    let dossier = dossiers::keep(context, state, &judged)?;
    let decision = *statement.payload_digest();
    if decided.allowed
        && let Some(artifact) = &question.run.artifact
    {
        let subject = Descriptor::new(&artifact.media_type, artifact.manifest, artifact.size);
        let layout = state.layout();
        let content = layout.read(&dossier, plimsoll_policy::dossier::MAX_DOSSIER as u64)?;
        let entries = vec![
            bundle_referrer(layout, &subject, &bundle, predicate_type, None)?,
            dossier_referrer(layout, &subject, &content, &decision)?,
        ];
        layout.add_entries(entries)?;
    }
    let record = DecisionRecord {
        version: 1,
        unit: question.unit.to_string(),
        run: question.run.run.clone(),
        decision,
        bundle: state.layout().put(&bundle)?,
        dossier,
        allowed: decided.allowed,
        reasons: decided.reasons.clone(),
        decided: Timestamp::now(),
    };
    record.save(state)?;
    Ok(Made { record, statement, bundle, delta: None })
}

/// Writes a refusal to the journal; other failures are not refusals.
pub(crate) fn note_refusal(
    state: &StateDir,
    failure: &Failure,
    unit: Option<&ProjectAt>,
    run: Option<&RunId>,
    decision: Option<&Digest>,
) -> Result<(), Failure> {
    let Failure::Refused(reasons) = failure else { return Ok(()) };
    let event = Event::Refused {
        project: unit.map(|unit| unit.project.clone()),
        environment: unit.map(|unit| unit.environment.clone()),
        run: run.cloned(),
        decision: decision.copied(),
        codes: reasons.iter().map(|reason| reason.code).collect(),
    };
    state.journal().append(&Role::Refusal, Timestamp::now(), event)?;
    Ok(())
}
