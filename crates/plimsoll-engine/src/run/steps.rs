//! The steps of the build.

use super::{
    Event, Run, RunError, Signers, closed,
    job::{Job, SOURCE},
    units::{Attempt, Director, Ready, Unit, run_units},
    workspace::{fit_mount_point, freeze_outputs, keep_tree, of_step},
};
use crate::{
    ports::Limits,
    signer::{CloseStep, Request},
};
use plimsoll_fs::FsError;
use plimsoll_model::{Code, Outcome, Reason, RelPath, StepName, Tree};
use plimsoll_pipeline::{Plan, PlannedStep};
use std::collections::BTreeSet;

/// Every directory that some step or check writes to.
pub(super) fn writable(plan: &Plan) -> BTreeSet<RelPath> {
    let steps = plan.steps.iter().flat_map(|step| &step.writable);
    steps.chain(plan.checks.iter().flat_map(|check| &check.writable)).cloned().collect()
}

/// Every output that some later step sees.
pub(super) fn outputs(plan: &Plan) -> BTreeSet<RelPath> {
    plan.steps.iter().flat_map(|step| &step.inputs).map(|input| input.path.clone()).collect()
}

impl Run<'_> {
    /// Runs all steps and closes every attempt.
    pub(super) fn build(
        &mut self,
        signers: &mut Signers<'_>,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), RunError> {
        let steps = &self.plan.steps;
        let position = |name: &StepName| steps.iter().position(|step| step.name == *name);
        let units: Vec<Unit> = steps
            .iter()
            .map(|step| Unit {
                name: step.name.to_string(),
                needs: step.needs.iter().filter_map(position).collect(),
                attempts: u32::from(step.retry) + 1,
            })
            .collect();
        let (world, around) = (self.world, self.around.clone());
        let mut director = Steps { run: self, signers };
        let outcomes = run_units(&units, &Run::floor(world, &around), &mut director, watch)?;
        self.report.steps = units.into_iter().map(|unit| unit.name).zip(outcomes).collect();
        Ok(())
    }
}

struct Steps<'r, 'w, 's, 'p> {
    run: &'r mut Run<'w>,
    signers: &'s mut Signers<'p>,
}

impl Steps<'_, '_, '_, '_> {
    fn step(&self, unit: usize) -> &PlannedStep {
        &self.run.plan.steps[unit]
    }

    /// What the step left, or why that cannot be kept. A step that failed leaves nothing.
    fn frozen(
        &self,
        step: &PlannedStep,
        attempt: &Attempt,
    ) -> Result<Result<Option<Tree>, Reason>, RunError> {
        if !attempt.observed.exit.is_success() {
            return Ok(Ok(None));
        }
        match freeze_outputs(self.run.world.blobs, &attempt.finished.writable, &step.out) {
            Ok(tree) => Ok(Ok(Some(tree))),
            // A full disk is the machine's fault: nothing is stated of a step because of it.
            Err(FsError::Refused(reason)) if reason.code != Code::StateFull => {
                Ok(Err(of_step(reason, step.name.as_str(), self.run.open.run.as_str())))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Puts outputs where later steps will find them.
    fn hand_on(&mut self, step: &PlannedStep, tree: &Tree) -> Result<(), RunError> {
        let needed =
            self.run.plan.steps.iter().flat_map(|later| &later.inputs).any(|input| input.step == step.name);
        if !needed {
            return Ok(());
        }
        let root = self.run.materialise(&format!("out-{}", step.name), tree)?;
        for path in &step.out {
            let place = Run::place(&root, path);
            fit_mount_point(&self.run.around.source, path, &place)?;
            self.run.outputs.insert(path.clone(), place);
        }
        Ok(())
    }
}

impl Director for Steps<'_, '_, '_, '_> {
    fn job(&mut self, unit: usize, _: u32) -> Result<Ready, RunError> {
        let step = self.step(unit);
        let input = |path: &RelPath| self.run.outputs.get(path).map(|place| (place.clone(), path.clone()));
        Ok(Ready::Run(Job {
            mounts: vec![],
            argv: step.argv.clone(),
            env: step.env.clone(),
            writable: step.writable.clone(),
            inputs: step.inputs.iter().filter_map(|wanted| input(&wanted.path)).collect(),
            artifact: None,
            cwd: SOURCE,
            limits: Limits::within(step.timeout_seconds),
            service: None,
        }))
    }

    fn ended(
        &mut self,
        unit: usize,
        attempt: u32,
        result: Attempt,
    ) -> Result<(Outcome, Vec<Reason>), RunError> {
        let step = self.step(unit).clone();
        let (tree, problem) = match self.frozen(&step, &result)? {
            Ok(tree) => (tree, None),
            Err(problem) => (None, Some(problem)),
        };
        let outputs = tree.as_ref().map(|tree| keep_tree(self.run.world.blobs, tree)).transpose()?;
        let close =
            CloseStep { step: step.name.clone(), attempt, observed: result.observed, outputs, problem };
        let closed = closed(self.signers.builder.ask(&Request::CloseStep(close))?)?;
        if closed.outcome == Outcome::Passed
            && let Some(tree) = &tree
        {
            self.hand_on(&step, tree)?;
        }
        self.run.report.reasons.extend(closed.reasons.iter().cloned());
        Ok((closed.outcome, closed.reasons))
    }
}
