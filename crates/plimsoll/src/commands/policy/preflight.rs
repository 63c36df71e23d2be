//! `plimsoll policy preflight`: before rules are signed, which releases of those that stand or run would they have refused?
//! Each is decided again from its dossier, and what has no dossier here is named: silence is no answer.

use super::Checkout;
use crate::{
    context::Context,
    dossiers,
    failure::Failure,
    output::Output,
    places::{self, Place},
    records,
};
use plimsoll_attest::TrustRoot;
use plimsoll_engine::ports::Blobs as _;
use plimsoll_model::{Code, Digest, Reason};
use plimsoll_policy::{
    Verdict,
    dossier::{MAX_DOSSIER, Replay, read, replay},
};
use plimsoll_store::StateDir;
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::ExitCode,
};

/// Exit status where nothing would be refused and something could not be told.
const UNKNOWN: u8 = 3;

/// What the rules of the work tree make of one decision.
#[derive(Debug, Serialize)]
struct Line {
    unit: String,
    /// The decision; none where what stands is no decision that counts.
    decision: Option<Digest>,
    /// Whether it is what was promoted last, or what the newest observation says that runs instead.
    standing: bool,
    #[serde(flatten)]
    result: Answer,
}

#[derive(Debug, Serialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
enum Answer {
    Pass,
    Refuse { reasons: Vec<Reason> },
    Unknown { problem: String },
}

pub(super) fn preflight(context: &Context, directory: &Path, output: &Output) -> Result<ExitCode, Failure> {
    let state = context.writer("policy preflight")?;
    let (pinned, _) = context.refresh()?;
    let (root, rules) = (pinned.accept()?, rules(directory)?);
    let judge = Judge { state: &state, root, earlier: &pinned.earlier, rules };
    let lines: Vec<Line> = places::places(context)?.iter().flat_map(|place| judge.judge(place)).collect();
    let refused = lines.iter().any(|line| matches!(line.result, Answer::Refuse { .. }));
    let unknown = lines.iter().any(|line| matches!(line.result, Answer::Unknown { .. }));
    let next = match (refused, unknown) {
        (true, _) => {
            "change the rules, or promote what shows what they ask before they are signed".to_owned()
        }
        (false, true) => {
            "plimsoll policy preflight, where the decisions were made: their dossiers are there".into()
        }
        (false, false) => format!("plimsoll policy sign -C {}", directory.display()),
    };
    let mut text: String = lines.iter().map(line_text).collect();
    if lines.is_empty() {
        text.push_str("nothing stands anywhere\n");
    }
    text.push_str(&format!("next      {next}"));
    output.result(&text, &serde_json::json!({ "units": lines, "next": next }));
    Ok(ExitCode::from(if refused {
        1
    } else if unknown {
        UNKNOWN
    } else {
        0
    }))
}

/// The policy files of a work tree: contents by path.
fn rules(directory: &Path) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let paths = Checkout::read(directory)?.files.into_keys();
    let content = |path: String| {
        let bytes = fs::read(directory.join(&path));
        let bytes = bytes.map_err(|error| Failure::Usage(format!("failed to read {path}: {error}")))?;
        Ok((path, bytes))
    };
    paths.map(content).collect()
}

/// What decisions are judged by.
struct Judge<'a> {
    state: &'a StateDir,
    root: TrustRoot,
    earlier: &'a BTreeSet<Digest>,
    rules: BTreeMap<String, Vec<u8>>,
}

impl Judge<'_> {
    /// What was promoted last, and where something else runs, that too.
    fn judge(&self, place: &Place) -> Vec<Line> {
        let unit = place.unit.to_string();
        let stands = match &place.standing {
            Err(problem) => {
                let result = Answer::Unknown { problem: problem.clone() };
                return vec![Line { unit, decision: None, standing: true, result }];
            }
            // Nothing was promoted there that rules could refuse.
            Ok(None) => return vec![],
            Ok(Some(promoted)) => *promoted.statement.payload_digest(),
        };
        let runs = place.observed.as_ref().map(|observed| observed.decision).filter(|runs| *runs != stands);
        let mut lines = Vec::new();
        for decision in std::iter::once(stands).chain(runs) {
            let (unit, standing) = (unit.clone(), decision == stands);
            lines.push(Line { unit, decision: Some(decision), standing, result: self.answer(&decision) });
        }
        lines
    }

    fn answer(&self, decision: &Digest) -> Answer {
        let replayed = dossier(self.state, decision).and_then(|bytes| match bytes {
            Some(bytes) => Ok(self.replay(&bytes, decision)?),
            None => Err(Failure::Usage("its dossier is not on this machine".into())),
        });
        match replayed {
            Err(failure) => Answer::Unknown { problem: failure.text() },
            Ok(again) if again.verdict == Verdict::Allow => Answer::Pass,
            Ok(again) => Answer::Refuse { reasons: again.reasons },
        }
    }

    fn replay(&self, bytes: &[u8], decision: &Digest) -> Result<Replay, Reason> {
        let parts = read(bytes)?;
        if dossiers::payload(&parts.decision) != Some(*decision) {
            return Err(Code::DossierParse.reason().with("problem", "it is about another decision"));
        }
        replay(&parts, &self.root, self.earlier, &self.rules)
    }
}

/// The dossier of a decision: of one that was made here, or one that came with its artifact.
fn dossier(state: &StateDir, decision: &Digest) -> Result<Option<Vec<u8>>, Failure> {
    let blob = match records::decision(state, decision)? {
        Some(record) => Some(record.dossier),
        None => state.layout().dossier(decision)?.map(|found| found.digest),
    };
    Ok(blob.map(|blob| state.layout().read(&blob, MAX_DOSSIER as u64)).transpose()?)
}

fn line_text(line: &Line) -> String {
    let word = if line.standing { "stands" } else { "runs" };
    let decision = line.decision.map_or_else(|| "none".to_owned(), |decision| decision.short());
    let about = format!("{}  {word} at decision {decision}", line.unit);
    match &line.result {
        Answer::Pass => format!("would pass    {about}\n"),
        Answer::Unknown { problem } => format!("unknown       {about}: {problem}\n"),
        Answer::Refuse { reasons } => {
            let reasons: String = reasons.iter().map(|reason| format!("     {reason}\n")).collect();
            format!("would refuse  {about}\n{reasons}")
        }
    }
}
