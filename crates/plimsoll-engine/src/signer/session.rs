//! One signer, from `open` to `finish`. It believes the executor only in what only an executor can see, and even that
//! it writes down as what was observed.

use super::{
    bill,
    doubt::Doubts,
    foreign,
    judge::{check_outputs, judge_step, judgement, rehash},
    memory, own_scan,
    protocol::{
        ArtifactRecord, CloseArtifact, CloseCheck, CloseFetch, CloseStep, CloseToolless, Closed, Decide,
        DeltaOf, Open, Opened, Request, Response, Signed,
    },
    run_statement, statements,
};
use crate::{
    delivery, delta,
    derive::{self, Derived, Origin, OriginWorld},
    ports::{Assemble, Blobs, Event, Journal, JournalEntry, Source, StoreError},
    run::RunError,
};
use plimsoll_attest::{
    Predicate, PublicKey, Statement, Subject, TrustRoot,
    predicate::{Provenance, run::AttemptKind, scan::Tool},
    report::{self, Level, ReportError, TestFormat},
    seal,
};
use plimsoll_model::{
    Code, Digest, Entry, Outcome, Reason, Role, ScanEngine, StepName, Timestamp, Tree, jcs,
    record::{LogPosition, NetworkMode, Tier},
    removed,
};
use plimsoll_pipeline::{CheckKind, On, PlannedCheck, TestReport};
use std::collections::BTreeMap;

/// Bytes of a tree document.
const TREE_LIMIT: u64 = 256 << 20;
/// Bytes of a report; larger ones are not even kept.
pub(crate) const REPORT_LIMIT: u64 = 64 << 20;

/// The key of a signer. Whoever implements this holds the secret; the session only ever has it sign what it wrote.
pub trait Key: Sync {
    /// The public half.
    fn public(&self) -> &PublicKey;
    /// Signs.
    fn sign(&self, message: &[u8]) -> Vec<u8>;
}

/// What a signer looks at for itself.
pub struct World<'a> {
    /// The content store.
    pub blobs: &'a dyn Blobs,
    /// The journal.
    pub journal: &'a dyn Journal,
    /// The repository.
    pub source: &'a dyn Source,
    /// The delivery repository, if there is one.
    pub delivery: Option<&'a dyn Source>,
    /// Artifacts out of outputs.
    pub assemble: &'a dyn Assemble,
    /// The pinned trust root, for decisions and deltas.
    pub trust: Option<&'a TrustRoot>,
    /// The digest of the rules that a scanner of this program has together with these imported ones, as it stands in its
    /// reports.
    pub rules: fn(ScanEngine, Option<Digest>) -> Digest,
    /// The digest of the rules that this machine has imported for a scanner.
    pub imported: Imported<'a>,
    /// The clock.
    pub clock: fn() -> Timestamp,
}

/// What this machine has imported for a scanner: none, a set by its digest, or one that cannot be read.
pub type Imported<'a> = Box<dyn Fn(ScanEngine) -> Result<Option<Digest>, String> + Send + 'a>;

/// A run that this signer opened.
#[derive(Debug)]
pub(super) struct OpenRun {
    pub(super) open: Open,
    pub(super) derived: Derived,
    pub(super) tier: Tier,
    pub(super) origin: Origin,
    pub(super) opened_at: LogPosition,
    pub(super) fetched: Option<CloseFetch>,
    /// Steps that passed, with what they left.
    pub(super) passed: BTreeMap<StepName, PassedStep>,
    pub(super) artifact: Option<ArtifactRecord>,
    /// The rules that were imported for the scanners of the plan. One whose set could not be read is left out.
    imported: BTreeMap<ScanEngine, Option<Digest>>,
    /// Newest attempt of everything that was closed.
    attempts: BTreeMap<(AttemptKind, String), u32>,
}

/// A step that passed.
#[derive(Debug)]
pub(super) struct PassedStep {
    pub(super) observed: super::Observed,
    pub(super) outputs: Tree,
}

/// One signer at work.
pub struct Session<'a> {
    role: Role,
    key: &'a dyn Key,
    world: World<'a>,
    run: Option<OpenRun>,
    /// Whether this signer has opened its run, the only one it ever opens.
    spent: bool,
}

impl<'a> Session<'a> {
    /// A signer of `role` that has opened nothing.
    #[must_use]
    pub fn new(role: Role, key: &'a dyn Key, world: World<'a>) -> Self {
        Self { role, key, world, run: None, spent: false }
    }

    /// Answers one request. Nothing is signed about what the session did not derive itself.
    pub fn answer(&mut self, request: Request) -> Response {
        let answered = match request {
            Request::Open(open) => self.open(open).map(Response::Opened),
            Request::Delta(question) => self.delta(&question).map(Response::Described),
            Request::Decide(decide) => self.decide(&decide),
            Request::CloseSource => self.close_source().map(Response::Closed),
            Request::CloseFetch(close) => self.close_fetch(close).map(Response::Closed),
            Request::CloseStep(close) => self.close_step(close).map(Response::Closed),
            Request::CloseArtifact(close) => self.close_artifact(&close).map(Response::Closed),
            Request::CloseCheck(close) => self.close_check(&close).map(Response::Closed),
            Request::CloseToolless(close) => self.close_toolless(&close).map(Response::Closed),
            Request::Finish => self.finish().map(Response::Closed),
        };
        answered.unwrap_or_else(|error| match error {
            RunError::Refused(reasons) => Response::Refused { reasons },
            RunError::File(errors) => Response::Refused { reasons: errors.reasons() },
            other => Response::unobserved(&other.to_string()),
        })
    }

    fn open(&mut self, open: Open) -> Result<Opened, RunError> {
        if self.spent {
            return Err(unobserved("this signer has opened its run already"));
        }
        if matches!(self.role, Role::Decision(_) | Role::Agent(_) | Role::Refusal) {
            return Err(unobserved("that is for another role"));
        }
        derive::resolved(self.world.source, &open)?;
        let derived = derive::pipeline(self.world.source, &open)?;
        memory::may_open(&self.role, &open, &derived, &self.world.journal.entries()?)?;
        let now = (self.world.clock)();
        let origin_world = OriginWorld {
            source: self.world.source,
            delivery: self.world.delivery,
            journal: self.world.journal,
            role: &self.role,
            now,
        };
        let origin = derive::origin(&origin_world, &open, &derived)?;
        let opened_at = match self.role {
            Role::Builder => self.world.journal.append(
                &self.role,
                now,
                Event::Opened {
                    run: open.run.clone(),
                    project: derived.plan.project.clone(),
                    commit: open.commit.clone(),
                    plan: derived.plan_digest,
                },
            )?,
            _ => self.world.journal.position()?,
        };
        let opened = Opened {
            plan: derived.plan_digest,
            pipeline: derived.pipeline_digest,
            tree: derived.tree,
            tier: origin.tier,
            reasons: origin.reasons.clone(),
        };
        let imported = self.imported(&derived.plan.checks);
        self.spent = true;
        self.run = Some(OpenRun {
            open,
            derived,
            tier: origin.tier,
            origin,
            opened_at,
            fetched: None,
            passed: BTreeMap::new(),
            artifact: None,
            imported,
            attempts: BTreeMap::new(),
        });
        Ok(opened)
    }

    /// The rules that this machine has imported by now for the scanners behind these checks.
    fn imported(&self, checks: &[PlannedCheck]) -> BTreeMap<ScanEngine, Option<Digest>> {
        let engines = checks.iter().filter_map(|check| match check.kind {
            CheckKind::Scan { engine } => Some(engine),
            _ => None,
        });
        engines.filter_map(|engine| Some((engine, (self.world.imported)(engine).ok()?))).collect()
    }

    fn close_source(&mut self) -> Result<Closed, RunError> {
        self.only(&Role::Source)?;
        let run = self.current()?;
        run.is_next(AttemptKind::Source, "source", 1, 1)?;
        let repository = self.world.source.uri();
        let entries = self.world.journal.entries()?;
        let run = self.current()?;
        memory::may_close(run, (AttemptKind::Source, "source", 1), &entries)?;
        let statement = statements::source(run, &run.origin, repository);
        self.sign_and_record(&statement, AttemptKind::Source, "source", None)
    }

    fn close_fetch(&mut self, close: CloseFetch) -> Result<Closed, RunError> {
        self.only(&Role::Builder)?;
        self.current()?.may_fetch(&close)?;
        for material in &close.materials {
            rehash(self.world.blobs, &material.digest)?;
        }
        let open = self.current()?.open.clone();
        let lock = crate::run::judge_materials(self.world.source, &open, &close.materials)?;
        if !lock.is_empty() {
            return Err(RunError::Refused(lock));
        }
        self.current()?.fetched = Some(close);
        Ok(passed(None))
    }

    fn close_step(&mut self, close: CloseStep) -> Result<Closed, RunError> {
        self.only(&Role::Builder)?;
        let run = self.current()?;
        let step = run
            .derived
            .plan
            .step(&close.step)
            .ok_or_else(|| unobserved("the plan has no such step"))?
            .clone();
        let fetched = run.derived.plan.fetch.is_empty() || run.fetched.is_some();
        let ready = fetched && step.needs.iter().all(|need| run.passed.contains_key(need));
        if !ready || run.passed.contains_key(&step.name) {
            return Err(unobserved("the plan does not run this step now"));
        }
        run.is_next(AttemptKind::Step, step.name.as_str(), close.attempt, u32::from(step.retry) + 1)?;
        let run_id = run.open.run.clone();
        rehash(self.world.blobs, &close.observed.log)?;
        let judged = judge_step(&close, step.name.as_str(), run_id.as_str(), step.timeout_seconds);
        let mut passed = None;
        if judged.outcome == Outcome::Passed {
            let outputs = self.rehash_tree(close.outputs)?;
            check_outputs(&outputs, &step.out)?;
            passed = Some(PassedStep { observed: close.observed.clone(), outputs });
        }
        self.record(AttemptKind::Step, step.name.as_str(), close.attempt, judged.outcome, (None, None))?;
        self.current()?.passed.extend(passed.map(|passed| (step.name.clone(), passed)));
        Ok(Closed { outcome: judged.outcome, reasons: judged.reasons, signed: None, artifact: None })
    }

    /// Reads a tree document and hashes every file of it again.
    fn rehash_tree(&self, document: Option<Digest>) -> Result<Tree, RunError> {
        let document = document.ok_or_else(|| unobserved("a step that passed left no outputs"))?;
        let bytes = self.world.blobs.read(&document, TREE_LIMIT)?;
        let tree: Tree =
            jcs::from_bytes(&bytes).map_err(|error| RunError::internal("read a tree", &error))?;
        for entry in tree.entries.values() {
            if let Entry::File { digest, size, .. } = entry
                && rehash(self.world.blobs, digest)? != *size
            {
                return Err(unobserved("an output has another size than was said"));
            }
        }
        Ok(tree)
    }

    fn close_artifact(&mut self, close: &CloseArtifact) -> Result<Closed, RunError> {
        self.only(&Role::Builder)?;
        let run = self.current()?;
        if run.passed.len() != run.derived.plan.steps.len() {
            return Err(unobserved("not every step of the plan has passed"));
        }
        if !run.derived.plan.fetch.is_empty() && run.fetched.is_none() {
            return Err(unobserved("the fetch phase was not closed"));
        }
        run.is_next(AttemptKind::Artifact, "artifact", 1, 1)?;
        let mut outputs = Tree::default();
        for step in run.passed.values() {
            outputs.entries.extend(step.outputs.entries.clone());
        }
        let (spec, committed) = (run.derived.plan.artifact.spec.clone(), run.derived.committed);
        let artifact = match self.world.assemble.assemble(&spec, &outputs, committed) {
            Err(StoreError::Refused(reason)) if reason.code != Code::StateFull => {
                return self.errored(AttemptKind::Artifact, "artifact", 1, reason);
            }
            assembled => assembled?,
        };
        let repository = self.world.source.uri();
        let run = self.current()?;
        let pipeline = derive::pipeline_path(run.open.subdirectory.as_ref())?;
        let statement: Statement<Provenance> =
            statements::provenance(run, &artifact, close, &repository, pipeline.as_str());
        let manifest = Some(artifact.manifest);
        let mut closed = self.sign_and_record(&statement, AttemptKind::Artifact, "artifact", manifest)?;
        self.current()?.artifact = Some(artifact.clone());
        closed.artifact = Some(artifact);
        Ok(closed)
    }

    fn close_check(&mut self, close: &CloseCheck) -> Result<Closed, RunError> {
        self.only(&Role::Scanner)?;
        let run = self.current()?;
        let check = run.derived.plan.check(&close.check);
        let check = check.ok_or_else(|| unobserved("the plan has no such check"))?.clone();
        let name = check.name.as_str();
        run.is_next(AttemptKind::Check, name, close.attempt, u32::from(check.retry) + 1)?;
        let entries = self.world.journal.entries()?;
        let run = self.current()?;
        memory::may_close(run, (AttemptKind::Check, name, close.attempt), &entries)?;
        // The artifact is what the builder assembled in this run, not what the executor calls so.
        let subject = memory::artifact(run, &entries).filter(|_| check.on == On::Artifact);
        if close.artifact != subject || (check.on == On::Artifact && subject.is_none()) {
            return Err(unobserved("the check is about something else"));
        }
        for blob in close.artifact.iter().chain(&close.report).chain([&close.observed.log]) {
            rehash(self.world.blobs, blob)?;
        }
        match &check.kind {
            CheckKind::Test { report } => self.close_test(close, &check, report.as_ref()),
            CheckKind::Adapter { .. } | CheckKind::Manifest { .. } | CheckKind::Scan { .. } => {
                self.close_scan(close, &check)
            }
            CheckKind::Sbom => self.close_bill(close, &check, &entries),
        }
    }

    /// An adapter without its tool came to no answer, and never to "no findings". Nothing is signed of what nobody ran;
    /// the run statement lists the attempt.
    fn close_toolless(&mut self, close: &CloseToolless) -> Result<Closed, RunError> {
        self.only(&Role::Scanner)?;
        let run = self.current()?;
        let check = run.derived.plan.check(&close.check);
        let check = check.ok_or_else(|| unobserved("the plan has no such check"))?.clone();
        let tool = crate::run::tool_of(&check).ok_or_else(|| unobserved("the check is no adapter"))?;
        let name = check.name.as_str();
        run.is_next(AttemptKind::Check, name, close.attempt, u32::from(check.retry) + 1)?;
        let entries = self.world.journal.entries()?;
        memory::may_close(self.current()?, (AttemptKind::Check, name, close.attempt), &entries)?;
        let reason = match &check.adapter {
            Some(planned) => {
                let run = &self.current()?.open.run;
                foreign::not_run(planned, close.problem.as_deref()).with("check", name).with("run", run)
            }
            None => {
                let reason = Code::EvidenceTool.reason().with("check", name);
                reason.with("actual", "nothing").with("expected", tool)
            }
        };
        self.errored(AttemptKind::Check, name, close.attempt, reason)
    }

    fn close_test(
        &mut self,
        close: &CloseCheck,
        check: &PlannedCheck,
        promised: Option<&TestReport>,
    ) -> Result<Closed, RunError> {
        let format = promised.map(|report| match report {
            TestReport::Libtest(_) => (TestFormat::Libtest, "libtest"),
            TestReport::Nextest(_) => (TestFormat::Nextest, "nextest"),
            TestReport::Junit(_) => (TestFormat::Junit, "junit"),
        });
        let report = match format {
            None => None,
            Some((format, _)) => {
                Some(self.report_bytes(close)?.and_then(|bytes| report::read_tests(format, &bytes)))
            }
        };
        let judged = report::judge_test(report.as_ref(), close.observed.exit.is_success());
        let run = self.current()?;
        let judged = judgement(judged, close, check, run.open.run.as_str());
        let outcome = judged.outcome;
        let report = report.as_ref().and_then(|report| report.as_ref().ok());
        let reasons = judged.reasons.clone();
        let statement = statements::test(run, check, close, report, format.map(|(_, name)| name), judged);
        self.close_judged(&statement, check, close.attempt, outcome, reasons)
    }

    fn close_scan(&mut self, close: &CloseCheck, check: &PlannedCheck) -> Result<Closed, RunError> {
        let digest = close.tool.ok_or_else(|| unobserved("nobody hashed the tool before it ran"))?;
        let bytes = self.report_bytes(close)?;
        let planned = check.adapter.as_deref();
        let report = match (planned, &bytes) {
            (_, Err(error)) => Err(error.clone()),
            (Some(planned), Ok(bytes)) => foreign::read(planned, check.on, Some(bytes)),
            (None, Ok(bytes)) => report::read_sarif(bytes, report::Limits::default()),
        };
        let (report, own) = match check.kind {
            CheckKind::Scan { engine } => own_scan::own(report, bytes.as_deref().ok(), engine),
            CheckKind::Adapter { .. }
            | CheckKind::Manifest { .. }
            | CheckKind::Test { .. }
            | CheckKind::Sbom => (report, None),
        };
        let adapter = planned.map(|planned| foreign::stated(planned, close.data, report.as_ref().ok()));
        // Findings are no failure of a scan of ours, or of a manifest's: which of them block is for the environment alone
        // to say.
        let block = matches!(check.kind, CheckKind::Adapter { .. }).then_some(Level::Error);
        let entries = self.world.journal.entries()?;
        let rules = self.world.rules;
        let now = self.imported(std::slice::from_ref(check));
        let run = self.current()?;
        let imported: Vec<Option<Digest>> = own
            .iter()
            .flat_map(|own| [&run.imported, &now].map(|had| had.get(&own.engine)))
            .flatten()
            .copied()
            .collect();
        let exit = close.observed.exit;
        let exit_ok =
            planned.map_or(exit.is_success(), |planned| foreign::ended_well(planned, &report, exit));
        let judged = report::judge_scan(&report, exit_ok, block, run.open.commit.as_str());
        let judged = judgement(judged, close, check, run.open.run.as_str());
        let judged = Doubts { close, run: &run.open.run, rules, imported: &imported, entries: &entries }
            .over(judged, own.as_ref());
        let version =
            report.as_ref().ok().and_then(|report| report.tools.first()).and_then(|t| t.version.clone());
        let name = check.name.as_str().parse().map_err(|error| RunError::internal("name a tool", &error))?;
        let (outcome, reasons) = (judged.outcome, judged.reasons.clone());
        let tool = Tool { name, version, digest };
        let statement =
            statements::scan(run, check, close, report.as_ref().ok(), (tool, own, adapter), judged);
        self.close_judged(&statement, check, close.attempt, outcome, reasons)
    }

    fn close_bill(
        &mut self,
        close: &CloseCheck,
        check: &PlannedCheck,
        entries: &[JournalEntry],
    ) -> Result<Closed, RunError> {
        let report = self.report_bytes(close)?;
        let blobs = self.world.blobs;
        let made = bill::statement(self.current()?, close, report.as_deref().ok(), blobs, entries)?;
        match made {
            Ok(statement) => self.close_judged(&statement, check, close.attempt, Outcome::Passed, vec![]),
            Err(reason) => self.errored(AttemptKind::Check, check.name.as_str(), close.attempt, reason),
        }
    }

    fn close_judged<P: Predicate>(
        &mut self,
        statement: &Statement<P>,
        check: &PlannedCheck,
        attempt: u32,
        outcome: Outcome,
        reasons: Vec<Reason>,
    ) -> Result<Closed, RunError> {
        let signed = self.sign(statement)?;
        self.record(AttemptKind::Check, check.name.as_str(), attempt, outcome, (Some(&signed), None))?;
        Ok(Closed { outcome, reasons, signed: Some(signed), artifact: None })
    }

    /// What is too large is a report that cannot be read, and no trouble of this machine.
    fn report_bytes(&self, close: &CloseCheck) -> Result<Result<Vec<u8>, ReportError>, RunError> {
        let Some(report) = close.report else { return Ok(Err(ReportError::Missing)) };
        let limit = if removed!("report-blob") { u64::MAX } else { REPORT_LIMIT };
        match self.world.blobs.read(&report, limit) {
            Err(StoreError::TooLarge { limit, .. }) => {
                Ok(Err(ReportError::TooLarge(format!("{limit} bytes"))))
            }
            read => Ok(Ok(read?)),
        }
    }

    fn finish(&mut self) -> Result<Closed, RunError> {
        self.only(&Role::Builder)?;
        let run = self.run.take().ok_or_else(|| unobserved("no run is open"))?;
        let entries = self.world.journal.entries()?;
        let statement = run_statement::write(&run, &entries)?;
        let signed = self.sign(&statement)?;
        let event = Event::Finished { run: run.open.run.clone(), statement: signed.statement };
        self.world.journal.append(&self.role, (self.world.clock)(), event)?;
        Ok(passed(Some(signed)))
    }

    fn decide(&mut self, decide: &Decide) -> Result<Response, RunError> {
        crate::gate::decide(&self.world, &self.role, decide, |statement| self.sign(statement))
            .map(Response::Decided)
    }

    /// Which repository the commits come from makes no difference: their ids are hashes of everything that is said of
    /// them.
    fn delta(&mut self, of: &DeltaOf) -> Result<Signed, RunError> {
        self.only(&Role::Source)?;
        let none_pinned = || Code::TrustRoot.reason().with("problem", "none is pinned here");
        let no_delivery = || Code::FileMissing.reason().with("file", "delivery.yaml");
        let delivery = self.world.delivery.ok_or_else(no_delivery)?;
        delivery::is_newest(delivery, &of.delivery_commit)?;
        let predicate = delta::delta(&delta::Question {
            source: self.world.source,
            delivery,
            root: self.world.trust.ok_or_else(none_pinned)?,
            project: &of.project,
            environment: &of.environment,
            head: &of.head,
            delivery_head: &of.delivery_commit,
        })?;
        let subject = predicate.subject().map_err(|error| RunError::internal("name a delta", &error))?;
        self.sign(&Statement { subject: vec![Subject::new("delta", subject)], predicate })
    }

    /// Refuses a request that another role answers.
    fn only(&self, role: &Role) -> Result<(), RunError> {
        if self.role == *role { Ok(()) } else { Err(unobserved("that is for another role")) }
    }

    fn current(&mut self) -> Result<&mut OpenRun, RunError> {
        self.run.as_mut().ok_or_else(|| unobserved("no run is open"))
    }

    fn sign<P: Predicate>(&self, statement: &Statement<P>) -> Result<Signed, RunError> {
        let payload =
            statement.to_bytes().map_err(|error| RunError::internal("write a statement", &error))?;
        let bundle = seal(&payload, self.key.public(), |message| Ok::<_, RunError>(self.key.sign(message)))?;
        let bundle =
            String::from_utf8(bundle).map_err(|error| RunError::internal("write a bundle", &error))?;
        Ok(Signed { statement: Digest::of(&payload), predicate_type: P::TYPE.into(), bundle })
    }

    fn sign_and_record<P: Predicate>(
        &mut self,
        statement: &Statement<P>,
        kind: AttemptKind,
        name: &str,
        artifact: Option<Digest>,
    ) -> Result<Closed, RunError> {
        let signed = self.sign(statement)?;
        self.record(kind, name, 1, Outcome::Passed, (Some(&signed), artifact))?;
        Ok(passed(Some(signed)))
    }

    /// Closes an attempt that came to nothing anybody could sign.
    fn errored(
        &mut self,
        kind: AttemptKind,
        name: &str,
        attempt: u32,
        reason: Reason,
    ) -> Result<Closed, RunError> {
        self.record(kind, name, attempt, Outcome::Errored, (None, None))?;
        Ok(Closed { outcome: Outcome::Errored, reasons: vec![reason], signed: None, artifact: None })
    }

    /// Writes down what was closed, before anybody hears of it.
    fn record(
        &mut self,
        kind: AttemptKind,
        name: &str,
        attempt: u32,
        outcome: Outcome,
        (signed, artifact): (Option<&Signed>, Option<Digest>),
    ) -> Result<(), RunError> {
        let run = self.run.as_mut().ok_or_else(|| unobserved("no run is open"))?;
        let event = Event::Closed {
            run: run.open.run.clone(),
            kind,
            name: name.to_owned(),
            attempt,
            outcome,
            predicate_type: signed.map(|signed| signed.predicate_type.clone()),
            statement: signed.map(|signed| signed.statement),
            artifact,
        };
        self.world.journal.append(&self.role, (self.world.clock)(), event)?;
        run.attempts.insert((kind, name.to_owned()), attempt);
        Ok(())
    }
}

impl OpenRun {
    /// Each attempt is closed in its turn, none twice, and no more than the plan allows. It counts when it is written
    /// down: one that was refused is still the next, so that none is left out of the run statement.
    fn is_next(&self, kind: AttemptKind, name: &str, attempt: u32, most: u32) -> Result<(), RunError> {
        let newest = self.attempts.get(&(kind, name.to_owned())).copied().unwrap_or(0);
        if attempt != newest + 1 || attempt > most {
            return Err(unobserved(&format!("attempt {attempt} of {name} is not the next one")));
        }
        Ok(())
    }

    /// The fetch phase is closed once, before every step, and says no better of itself than what came in allows:
    /// *none* means that nothing came in, and nothing is *recorded* here.
    fn may_fetch(&self, close: &CloseFetch) -> Result<(), RunError> {
        if self.derived.plan.fetch.is_empty() || self.fetched.is_some() || !self.attempts.is_empty() {
            return Err(unobserved("the plan has no fetch phase now"));
        }
        let nothing = close.materials.is_empty() && close.events.iter().all(|event| event.refused.is_some());
        match close.network {
            NetworkMode::Locked | NetworkMode::Tunnelled => Ok(()),
            NetworkMode::None if nothing => Ok(()),
            NetworkMode::None | NetworkMode::Recorded => {
                Err(unobserved("that is not how its materials came in"))
            }
        }
    }
}

pub(super) fn unobserved(problem: &str) -> RunError {
    Code::SignUnobserved.reason().with("problem", problem).into()
}

fn passed(signed: Option<Signed>) -> Closed {
    Closed { outcome: Outcome::Passed, reasons: vec![], signed, artifact: None }
}
