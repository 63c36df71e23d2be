//! `plimsoll rules`: rules of the user, checked and kept for the scans of this machine.

use crate::{
    cli::rules::{Rules, RulesCommand},
    context::Context,
    failure::Failure,
    output::Output,
    rulesets,
};
use plimsoll_model::{Digest, ScanEngine};
use plimsoll_scan::{
    malware::Yara,
    ruleset::{RuleProblem, RuleSet},
    secrets::imported::Imported,
};
use serde_json::{Value, json};
use std::{fmt::Write as _, path::PathBuf};

pub(crate) fn rules(context: &Context, arguments: &Rules, output: &Output) -> Result<(), Failure> {
    match &arguments.command {
        RulesCommand::Import(asked) => import(context, &asked.files, output),
        RulesCommand::Show => show(context, output),
        RulesCommand::Remove(asked) => {
            let engine = ScanEngine::of_check(&asked.scanner);
            let removed = engine.map_or(Ok(false), |engine| rulesets::remove(context, engine))?;
            let word = if removed { "out of use" } else { "none in use" };
            output.result(&format!("{:<11} {word}\n", asked.scanner), &json!({ "removed": removed }));
            Ok(())
        }
    }
}

/// Nothing is taken unless all of it can be.
fn import(context: &Context, files: &[PathBuf], output: &Output) -> Result<(), Failure> {
    let sets = rulesets::gather(files)?;
    let (mut known, mut problems) = (Vec::new(), Vec::new());
    for set in sets.values() {
        match Known::of(set) {
            Ok(one) => known.push(one),
            Err(more) => problems.extend(more),
        }
    }
    if !problems.is_empty() {
        return Err(rulesets::refused(&problems));
    }
    sets.values().try_for_each(|set| rulesets::store(context, set))?;
    tell(&known, output);
    Ok(())
}

fn show(context: &Context, output: &Output) -> Result<(), Failure> {
    let mut known = Vec::new();
    for engine in rulesets::ENGINES {
        if let Some(set) = rulesets::stored(context, engine)? {
            known.push(Known::of(&set).map_err(|problems| rulesets::refused(&problems))?);
        }
    }
    tell(&known, output);
    Ok(())
}

/// What is told of a set.
struct Known {
    engine: ScanEngine,
    digest: Digest,
    rules: usize,
    files: Vec<String>,
    notes: Vec<String>,
}

impl Known {
    fn of(set: &RuleSet) -> Result<Self, Vec<RuleProblem>> {
        let files = set.files().iter().map(|file| file.name.clone()).collect();
        let engine = set.engine;
        Ok(match engine {
            ScanEngine::Malware => {
                let yara = Yara::read(set, rulesets::TIME)?;
                Self { engine, digest: yara.digest(), rules: yara.rules(), files, notes: vec![] }
            }
            _ => {
                let imported = Imported::read(set)?;
                let notes = imported.notes().to_vec();
                Self { engine, digest: imported.digest(), rules: imported.rules(), files, notes }
            }
        })
    }

    fn text(&self) -> String {
        let mut text =
            format!("{:<11} {} rules\ndigest      {}\n", self.engine.as_str(), self.rules, self.digest);
        // Writing to a string does not fail.
        for file in &self.files {
            let _ = writeln!(text, "from        {file}");
        }
        for note in &self.notes {
            let _ = writeln!(text, "note        {note}");
        }
        text
    }

    fn value(&self) -> Value {
        json!({
            "engine": self.engine, "rules": self.rules, "digest": self.digest, "files": self.files, "notes": self.notes,
        })
    }
}

fn tell(known: &[Known], output: &Output) {
    let text: String = known.iter().map(Known::text).collect();
    let text =
        if text.is_empty() { "no rules were imported: `plimsoll rules import FILES`\n".into() } else { text };
    output.result(&text, &json!({ "rules": known.iter().map(Known::value).collect::<Vec<_>>() }));
}
