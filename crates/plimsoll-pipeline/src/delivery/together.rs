//! What the environments of one delivery repository say about each other and about people: each file can be right by
//! itself, and nothing could ever start.

use super::{
    environment::{Environment, EnvironmentFile},
    people::People,
};
use crate::{
    diagnostic::{FileErrors, Findings},
    read::{self, Spanned},
};
use plimsoll_model::EnvironmentName;
use std::collections::{BTreeMap, BTreeSet};

/// An `environment.yaml` as it lies in the repository.
#[derive(Debug, Clone)]
pub struct EnvironmentText {
    /// The environment, as its directory calls it.
    pub name: EnvironmentName,
    /// The file's name, for messages.
    pub file: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Judges files that were read without errors against each other, and gives those with something wrong: an `after` that
/// names the environment itself, one that is not there, or comes back to itself, approvals that not enough people of
/// people.yaml could give, and VEX documents of people whom it does not have. Files with errors of their own are left to [`Environment::read`].
#[must_use]
pub fn check_together(environments: &[EnvironmentText], people: Option<&People>) -> Vec<FileErrors> {
    let read = |text: &EnvironmentText| Environment::read(&text.file, &text.bytes).ok();
    let after = environments.iter().map(|text| (&text.name, read(text).and_then(|read| read.after)));
    let after: BTreeMap<_, _> = after.collect();
    let judged = environments.iter().filter(|text| read(text).is_some()).map(|text| {
        read::file(&text.file, &text.bytes, |file: EnvironmentFile, found| {
            if let Some(before) = &file.after {
                comes_after(&text.name, before, &after, found);
            }
            people.into_iter().for_each(|people| {
                can_agree(&file, people, found);
                are_known(&file, people, found);
            });
            Some(())
        })
    });
    judged.filter_map(Result::err).map(|errors| *errors).collect()
}

type After<'a> = BTreeMap<&'a EnvironmentName, Option<EnvironmentName>>;

fn comes_after(
    name: &EnvironmentName,
    before: &Spanned<EnvironmentName>,
    after: &After<'_>,
    found: &mut Findings,
) {
    if before.value == *name {
        let help = "name the one before it, or leave `after` out";
        return found.help(&before.span, "an environment does not come after itself", help);
    }
    if !after.contains_key(&before.value) {
        let others: Vec<&str> =
            after.keys().filter(|other| **other != name).map(|other| other.as_str()).collect();
        let message = format!("there is no environments/{}/environment.yaml", before.value);
        return found.help(&before.span, message, format!("expected one of: {}", others.join(", ")));
    }
    if let Some(circle) = circle(name, after) {
        let message = format!("comes back to itself: {}", circle.join(" after "));
        found.help(&before.span, message, "leave `after` out where releases come first");
    }
}

/// The way from an environment through those before it, if it leads back.
fn circle<'a>(name: &'a EnvironmentName, after: &'a After<'_>) -> Option<Vec<&'a str>> {
    let mut way = vec![name.as_str()];
    let mut at = name;
    // A way that does not come back within all environments leads into a circle of others, if anywhere.
    for _ in 0..after.len() {
        at = after.get(at)?.as_ref()?;
        way.push(at.as_str());
        if at == name {
            return Some(way);
        }
    }
    None
}

/// Those whose VEX documents would count are in people.yaml.
fn are_known(file: &EnvironmentFile, people: &People, found: &mut Findings) {
    let scans = file.require.value.scans.iter().flat_map(|scans| &scans.value.0);
    let named = scans.flat_map(|(_, scan)| scan.vex.iter().flat_map(|names| &names.value));
    for name in named.filter(|name| !people.people.iter().any(|person| person.name == name.value.0)) {
        let help = "name somebody with the name that people.yaml has";
        found.help(&name.span, format!("nobody in people.yaml is called `{}`", name.value.0), help);
    }
}

/// Enough people have the roles that an environment asks for. Robots do not approve.
fn can_agree(file: &EnvironmentFile, people: &People, found: &mut Findings) {
    let Some(asked) = &file.require.value.approvals else { return };
    let members = || people.people.iter().filter(|person| !person.robot);
    for role in &asked.from.value {
        if !members().any(|person| person.roles.contains(&role.value.0)) {
            let known: BTreeSet<&str> =
                members().flat_map(|person| &person.roles).map(String::as_str).collect();
            let help =
                format!("roles that people have: {}", known.into_iter().collect::<Vec<_>>().join(", "));
            found.help(&role.span, format!("nobody in people.yaml has the role `{}`", role.value.0), help);
        }
    }
    let from: BTreeSet<&String> = asked.from.value.iter().map(|role| &role.value.0).collect();
    let have = members().filter(|person| person.roles.iter().any(|role| from.contains(role))).count();
    let need = usize::try_from(asked.count.0).unwrap_or(usize::MAX);
    if have < need {
        let message = format!("{need} have to agree, and people.yaml has {have} with these roles");
        found.help(&asked.from.span, message, "ask for fewer, or give more people one of the roles");
    }
}
