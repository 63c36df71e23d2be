//! The database of apk (Alpine's wiki, "Apk spec", "Installed database"): a paragraph a package, a letter a field.

use crate::{
    component::{Component, Ecosystem, Graph, Origin, Scope},
    format::Unreadable,
    lock::Draft,
    purl,
};
use std::{collections::BTreeMap, ops::Range};

/// Where it lies.
pub(crate) const PATHS: [&str; 2] = ["lib/apk/db/installed", "usr/lib/apk/db/installed"];

type Fields<'a> = BTreeMap<char, &'a str>;

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    let (mut names, mut asks) = (BTreeMap::new(), Vec::new());
    for (fields, span) in paragraphs(&draft)? {
        let component =
            component(&fields).ok_or_else(|| Unreadable::new("a package in it has no name or no version"))?;
        let at = draft.add(component, span)?;
        let provided = fields.get(&'p').into_iter().flat_map(|field| field.split(' ')).map(name);
        for name in fields.get(&'P').copied().into_iter().chain(provided) {
            names.entry(name).or_insert(at);
        }
        asks.push((at, fields.get(&'D').copied().unwrap_or_default()));
    }
    for (from, wanted) in asks {
        for to in wanted.split(' ').filter_map(|wanted| names.get(name(wanted))) {
            draft.edge(from, *to)?;
        }
    }
    Ok(draft.finish())
}

fn paragraphs<'a>(draft: &Draft<'a>) -> Result<Vec<(Fields<'a>, Range<usize>)>, Unreadable> {
    let (mut all, mut open): (Vec<(Fields<'a>, Range<usize>)>, bool) = (Vec::new(), false);
    for (start, line) in draft.lines() {
        if line.is_empty() {
            open = false;
            continue;
        }
        let mut characters = line.chars();
        let (Some(key), Some(':')) = (characters.next(), characters.next()) else {
            return Err(draft.not_understood(start));
        };
        if !open {
            all.push((Fields::new(), start..start));
            open = true;
        }
        if let Some((fields, span)) = all.last_mut() {
            // After the package's own fields come its files, whose letters mean other things.
            fields.entry(key).or_insert(characters.as_str());
            if matches!(key, 'P' | 'V') {
                span.end = start + line.len();
            }
        }
    }
    Ok(all)
}

fn component(fields: &Fields<'_>) -> Option<Component> {
    let field = |key| fields.get(&key).copied().filter(|value: &&str| !value.is_empty());
    let (name, version) = (field('P')?, field('V')?);
    let mut component = Component::new(Ecosystem::Alpine, name, version);
    component.purl = purl::of(Ecosystem::Alpine, name, version, &[("arch", field('A').unwrap_or_default())]);
    component.scope = Scope::Runtime;
    component.license = field('L').map(str::to_owned);
    component.origin =
        Some(Origin { name: field('o').unwrap_or(name).to_owned(), version: version.to_owned() });
    Some(component)
}

/// A name without the version that may follow it: `so:libc.musl-x86_64.so.1=1`, `busybox>1.36`.
fn name(wanted: &str) -> &str {
    wanted.split(['=', '<', '>', '~']).next().unwrap_or(wanted)
}
