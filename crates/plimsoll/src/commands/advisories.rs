//! `plimsoll advisories`: what is known about packages, compiled into one signed index.

mod sources;

use crate::{
    advisories::{self, InUse},
    cli::{AdvisoriesCommand, Import},
    context::Context,
    failure::Failure,
    output::Output,
    released::{self, Touched},
};
use plimsoll_attest::predicate::{Advisories, advisories::MAX_LISTED};
use plimsoll_dependencies::{
    Index,
    advisory::priority::{Priorities, PriorityError},
    index::{Compiler, Contents},
};
use plimsoll_model::{Code, Timestamp};
use plimsoll_store::StateDir;
use std::{fmt::Write as _, fs::File, path::Path};

pub(crate) fn advisories(
    context: &Context,
    command: &AdvisoriesCommand,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        AdvisoriesCommand::Import(import) => self::import(context, import, output),
        AdvisoriesCommand::Show => show(context, output),
    }
}

fn import(context: &Context, import: &Import, output: &Output) -> Result<(), Failure> {
    let now = Timestamp::now();
    let priorities = priorities(import)?;
    let mut compiler = Compiler::new(now);
    let mut named = Vec::new();
    for path in &import.sources {
        named.push(sources::read(path, import.revision.as_deref(), &mut compiler)?);
    }
    let (bytes, contents) =
        compiler.finish(&priorities).map_err(|error| Failure::Usage(error.to_string()))?;
    let state = context.writer("advisories import")?;
    let index = Index::open(bytes.clone()).map_err(|error| advisories::damaged(&error))?;
    let database = index.database();
    let older = import.older == Some(database.digest);
    if let Some(noted) = advisories::noted(&state)?.filter(|noted| database.updated < noted.updated && !older)
    {
        let reason = Code::AdvisoryOlder.reason().with("index", database.digest);
        return Err(reason.with("updated", database.updated).with("newest", noted.updated).into());
    }
    let ecosystems = index.ecosystems().map_err(|error| advisories::damaged(&error))?;
    let statement = Advisories {
        schema: 1,
        index: database.digest,
        updated: database.updated,
        imported: now,
        sources: named,
        ecosystems: ecosystems.into_iter().map(|(name, _)| name).take(MAX_LISTED).collect(),
        advisories: contents.advisories,
        withdrawn: contents.withdrawn,
        unreadable: contents.unreadable,
        exploited: priorities.exploited.len() as u64,
        predicted: priorities.predicted.len() as u64,
    };
    let before = advisories::in_use(context).ok();
    advisories::take_into_use(context, &state, &bytes, statement.clone())?;
    let means = means(context, &state, before, &index, output);
    let mut text = format!("{}{}", described(&statement), left_out(&contents));
    text.extend(means.map(|touched| touched_line(&touched)));
    let mut value = value(&statement, Some(&contents));
    if let Some(touched) = means {
        value["released"] = serde_json::json!(touched);
    }
    output.result(&text, &value);
    Ok(())
}

/// What the index means for what is released. The import is done: that this cannot be told is no failure of it.
fn means(
    context: &Context,
    state: &StateDir,
    before: Option<InUse>,
    index: &Index,
    output: &Output,
) -> Option<Touched> {
    let before = before.map(|before| before.index);
    let told = released::touched(context, state, before.as_ref(), index);
    told.unwrap_or_else(|failure| {
        output.progress(&format!("what this means for what runs could not be told: {}", failure.text()));
        None
    })
}

fn touched_line(Touched { artifacts, newly }: &Touched) -> String {
    match newly {
        0 => format!("released    nothing new about {artifacts} released artifacts\n"),
        _ => format!(
            "released    something new about {newly} of {artifacts} released artifacts; next: plimsoll scan released\n"
        ),
    }
}

fn priorities(import: &Import) -> Result<Priorities, Failure> {
    let mut priorities = Priorities::default();
    type Read = fn(&mut Priorities, File) -> Result<(), PriorityError>;
    let files: [(&Option<_>, Read); 2] =
        [(&import.kev, |all, file| all.read_kev(file)), (&import.epss, |all, file| all.read_epss(file))];
    for (path, read) in files {
        let Some(path) = path else { continue };
        let usage =
            |error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", Path::display(path)));
        let file = File::open(path).map_err(|error| usage(&error))?;
        read(&mut priorities, file).map_err(|error| usage(&error))?;
    }
    Ok(priorities)
}

fn show(context: &Context, output: &Output) -> Result<(), Failure> {
    let InUse { statement, .. } = advisories::in_use(context)?;
    output.result(&described(&statement), &value(&statement, None));
    Ok(())
}

fn described(statement: &Advisories) -> String {
    let mut text = format!(
        "index       {}\nupdated     {}\nimported    {}\nadvisories  {} ({} withdrawn, {} unreadable)\necosystems  {}\n",
        statement.index,
        statement.updated,
        statement.imported,
        statement.advisories,
        statement.withdrawn,
        statement.unreadable,
        statement.ecosystems.join(", "),
    );
    // Writing to a string does not fail.
    for source in &statement.sources {
        let _ = writeln!(text, "from        {source}");
    }
    if statement.exploited + statement.predicted > 0 {
        let _ = writeln!(
            text,
            "priorities  {} exploited, {} predicted",
            statement.exploited, statement.predicted
        );
    }
    text
}

/// What an import did not take, so that nobody thinks that it is in the index.
fn left_out(contents: &Contents) -> String {
    let mut text = String::new();
    if contents.other > 0 {
        let _ = writeln!(text, "not taken   {} files that are no records", contents.other);
    }
    for (ecosystem, packages) in &contents.unknown_ecosystems {
        let _ = writeln!(
            text,
            "not taken   {packages} packages of {ecosystem}: its versions have no known order"
        );
    }
    if contents.unordered > 0 {
        let _ = writeln!(
            text,
            "not sure    {} ranges with a version that has no order: asking about them is a gap",
            contents.unordered
        );
    }
    for problem in &contents.problems {
        let _ = writeln!(text, "unreadable  {problem}");
    }
    text
}

fn value(statement: &Advisories, contents: Option<&Contents>) -> serde_json::Value {
    let left_out = contents.map(|contents| {
        serde_json::json!({
            "other": contents.other,
            "unreadable": contents.problems,
            "unknownEcosystems": contents.unknown_ecosystems,
            "unorderedRanges": contents.unordered,
        })
    });
    serde_json::json!({ "advisories": statement, "leftOut": left_out })
}
