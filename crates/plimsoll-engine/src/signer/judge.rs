//! What a signer makes of what the executor says it observed. Nothing here signs.

use super::{
    protocol::{CloseCheck, CloseStep},
    session::unobserved,
    statements::Judgement,
};
use crate::{
    ports::{Blobs, Exit},
    run::RunError,
};
use plimsoll_model::{
    Code, Digest, Entry, Hasher, Outcome, Reason, RelPath, Tree, tree::symlink_is_contained,
};
use plimsoll_pipeline::PlannedCheck;
use std::io::Read as _;

/// What a step left lies below its outputs, all of which are there, and no link of it leads outside: another path could
/// be that of another step, or one that nobody planned.
pub(super) fn check_outputs(tree: &Tree, out: &[RelPath]) -> Result<(), RunError> {
    for (path, entry) in &tree.entries {
        if !out.iter().any(|output| path.starts_with(output)) {
            return Err(unobserved(&format!("{path} is not an output of the step")));
        }
        if matches!(entry, Entry::Symlink { target } if !symlink_is_contained(path, target)) {
            return Err(unobserved(&format!("the link {path} leads outside")));
        }
    }
    let missing = out.iter().find(|output| !tree.entries.keys().any(|path| path.starts_with(output)));
    missing.map_or(Ok(()), |output| {
        Err(unobserved(&format!("the output {output} is not among what was frozen")))
    })
}

/// Hashes a stored blob again and gives its length.
pub(super) fn rehash(blobs: &dyn Blobs, digest: &Digest) -> Result<u64, RunError> {
    let mut file = blobs.open(digest)?;
    let (mut hasher, mut length, mut piece) = (Hasher::new(), 0, vec![0; 128 << 10]);
    loop {
        let read = file
            .read(&mut piece)
            .map_err(|source| RunError::io(format!("read the blob {digest}"), source))?;
        if read == 0 {
            break;
        }
        hasher.update(&piece[..read]);
        length += read as u64;
    }
    let actual = hasher.finish();
    if actual == *digest {
        return Ok(length);
    }
    let reason = Code::DigestMismatch.reason().with("what", "a stored blob");
    Err(reason.with("actual", actual).with("expected", digest).into())
}

pub(super) fn judge_step(close: &CloseStep, step: &str, run: &str, timeout: u64) -> Judgement {
    let about = |code: Code| code.reason().with("step", step).with("run", run);
    let (outcome, reason) = match (close.observed.exit, &close.problem) {
        (Exit::Status(0), None) => return Judgement { outcome: Outcome::Passed, reasons: vec![] },
        (Exit::Status(0), Some(problem)) => (Outcome::Errored, problem.clone()),
        (Exit::Status(_) | Exit::Signal(_), _) => {
            (Outcome::Failed, about(Code::StepFailed).with("status", close.observed.exit))
        }
        (Exit::TimedOut, _) => {
            (Outcome::Errored, about(Code::StepTimeout).with("limit", format!("{timeout} seconds")))
        }
        (Exit::LogLimit, _) => {
            (Outcome::Errored, about(Code::StepLimit).with("limit", "output it may print"))
        }
        (Exit::OutOfMemory, _) => (Outcome::Errored, about(Code::StepLimit).with("limit", "memory")),
        (Exit::Cancelled, _) => {
            (Outcome::Errored, about(Code::StepFailed).with("status", close.observed.exit))
        }
    };
    Judgement { outcome, reasons: vec![reason] }
}

/// A check that was killed came to no answer, whatever its report says.
pub(super) fn judgement(
    (outcome, reason): (Outcome, Option<Reason>),
    close: &CloseCheck,
    check: &PlannedCheck,
    run: &str,
) -> Judgement {
    let about = |reason: Reason| reason.with("check", &check.name).with("run", run);
    match close.observed.exit {
        Exit::Status(_) | Exit::Signal(_) => {
            Judgement { outcome, reasons: reason.into_iter().map(about).collect() }
        }
        killed => {
            let reason = Code::EvidenceErrored.reason().with("detail", killed);
            Judgement { outcome: Outcome::Errored, reasons: vec![about(reason)] }
        }
    }
}
