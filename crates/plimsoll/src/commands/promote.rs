//! `plimsoll promote`: decide, sign the decision, and start exactly what was decided.

use super::{signer, supervisor};
use crate::{
    cli::{self, ProjectAt},
    context::{self, Context},
    failure::Failure,
    output::Output,
    records::{self, DecisionRecord, RunRecord},
};
use plimsoll_engine::{
    ports::{Blobs as _, Event, Journal as _, Signer as _, Source as _},
    signer::{Decide, Decided, Request, Response, Signed},
};
use plimsoll_host::ServiceRecord;
use plimsoll_model::{Digest, Role, RunId, Timestamp};
use plimsoll_store::{StateDir, bundle_referrer, oci::Descriptor};

pub(crate) fn promote(context: &Context, arguments: &cli::Promote, output: &Output) -> Result<(), Failure> {
    let unit = ProjectAt { project: arguments.project.clone(), environment: arguments.to.clone() };
    let pinned = context.pinned()?.ok_or_else(context::not_pinned)?;
    pinned.accept()?;
    let state = context.writer("promote")?;
    let run = find_run(&state, arguments)?;
    let request = decide_request(&unit, &run, pinned.delivery()?.resolve("HEAD")?.commit)?;
    output.progress(&format!(
        "decide    {unit}  run {}  commit {}",
        &run.run.as_str()[..8],
        run.commit.short()
    ));
    let decided = match ask(context, &Role::Decision(unit.environment.clone()), &request) {
        Ok(decided) => decided,
        Err(failure) => {
            // There was nothing to decide about, as for a run without an artifact; that is a refusal all the same.
            note_refusal(&state, &failure, Some(&unit), Some(&run.run), None)?;
            return Err(failure);
        }
    };
    if !decided.allowed {
        let refused = ask(context, &Role::Refusal, &request)?;
        keep(&state, &unit, &run, &refused)?;
        return Err(Failure::Refused(refused.reasons));
    }
    let record = keep(&state, &unit, &run, &decided)?;
    output.progress(&format!("allowed   decision {}", record.decision));
    let service = match supervisor::start(context, &unit) {
        Ok(service) => service,
        Err(failure) => {
            note_refusal(&state, &failure, Some(&unit), Some(&run.run), Some(&record.decision))?;
            return Err(failure);
        }
    };
    promoted(&state, &unit, &record)?;
    show(&unit, &run, &record, &service, output);
    Ok(())
}

fn find_run(state: &StateDir, arguments: &cli::Promote) -> Result<RunRecord, Failure> {
    if let Some(text) = &arguments.run {
        let found = records::find(state, text)?;
        return found
            .record
            .ok_or_else(|| Failure::Usage(format!("run {} did not finish; run again", found.run)));
    }
    let newest = records::list(state)?.into_iter().filter_map(|found| found.record);
    let mut of_project = newest.filter(|record| record.project == arguments.project);
    of_project.next().ok_or_else(|| {
        Failure::Usage(format!("there is no finished run of {}: plimsoll run", arguments.project))
    })
}

fn decide_request(
    unit: &ProjectAt,
    run: &RunRecord,
    delivery_commit: plimsoll_model::CommitId,
) -> Result<Request, Failure> {
    let statement = run
        .statement("run")
        .ok_or_else(|| Failure::Usage("the run has no run statement; run again".into()))?;
    Ok(Request::Decide(Decide {
        project: unit.project.clone(),
        environment: unit.environment.clone(),
        run: statement.bundle,
        evidence: run.statements.iter().filter(|s| s.name != "run").map(|s| s.bundle).collect(),
        delivery_commit,
    }))
}

fn ask(context: &Context, role: &Role, request: &Request) -> Result<Decided, Failure> {
    let mut signer = signer::start(context, role, None)?;
    match signer.ask(request).map_err(|error| Failure::broken("no decision was made", &error))? {
        Response::Decided(decided) => Ok(decided),
        Response::Refused { reasons } => Err(Failure::Refused(reasons)),
        Response::Opened(_) | Response::Closed(_) => {
            Err(Failure::Broken { what: format!("the {role} signer answered out of turn"), next: None })
        }
    }
}

/// Stores a signed decision: as a blob, as a record, and if it allows also beside the artifact. Refusals never become
/// referrers.
fn keep(
    state: &StateDir,
    unit: &ProjectAt,
    run: &RunRecord,
    decided: &Decided,
) -> Result<DecisionRecord, Failure> {
    let Signed { statement, predicate_type, bundle } =
        decided.signed.as_ref().ok_or_else(|| Failure::Broken {
            what: "the signers do not agree about the decision".into(),
            next: Some("plimsoll promote again: something changed in between".into()),
        })?;
    let blob = state.layout().put(bundle.as_bytes())?;
    if decided.allowed
        && let Some(artifact) = &run.artifact
    {
        let subject = Descriptor::new(&artifact.media_type, artifact.manifest, artifact.size);
        let entry = bundle_referrer(state.layout(), &subject, bundle.as_bytes(), predicate_type, None)?;
        state.layout().add_entries(vec![entry])?;
    }
    let record = DecisionRecord {
        version: 1,
        unit: unit.to_string(),
        run: run.run.clone(),
        decision: *statement,
        bundle: blob,
        allowed: decided.allowed,
        reasons: decided.reasons.clone(),
        decided: Timestamp::now(),
    };
    record.save(state)?;
    Ok(record)
}

/// Writes a refusal to the journal; other failures are not refusals.
pub(super) fn note_refusal(
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

fn promoted(state: &StateDir, unit: &ProjectAt, record: &DecisionRecord) -> Result<(), Failure> {
    let entries = state.journal().entries()?;
    let counter = entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Decided { decision, counter, .. } if *decision == record.decision => Some(*counter),
        _ => None,
    });
    let counter = counter
        .ok_or_else(|| Failure::Broken { what: "the journal has no such decision".into(), next: None })?;
    let (project, environment) = (unit.project.clone(), unit.environment.clone());
    let event = Event::Promoted { project, environment, decision: record.decision, counter };
    state.journal().append(&Role::Decision(unit.environment.clone()), Timestamp::now(), event)?;
    Ok(())
}

fn show(
    unit: &ProjectAt,
    run: &RunRecord,
    record: &DecisionRecord,
    service: &ServiceRecord,
    output: &Output,
) {
    let text = format!(
        "serving   {unit}  http://{}\nrun       {}\ndecision  {}\nrelease   {}\nprocess   {}  executable {}\nnext      plimsoll trace {unit}",
        service.listen, run.run, record.decision, service.release, service.process, service.executable
    );
    output.result(&text, &serde_json::json!({ "unit": unit.to_string(), "run": run.run, "decision": record, "service": service }));
}
