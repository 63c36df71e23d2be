//! The database of dpkg (`dpkg(1)`, `deb-control(5)`): what is installed, and what each was built from.

use crate::{
    component::{Component, Ecosystem, Graph, Origin, Scope},
    format::Unreadable,
    lock::Draft,
    purl,
};
use std::{collections::BTreeMap, ops::Range};

/// Where it lies: one file, or, in images without dpkg itself, one a package.
pub(crate) const PATHS: [&str; 1] = ["var/lib/dpkg/status"];
/// The folder of the latter.
pub(crate) const FOLDER: &str = "var/lib/dpkg/status.d/";

#[derive(Default)]
struct Paragraph<'a> {
    fields: BTreeMap<&'a str, &'a str>,
    span: Range<usize>,
}

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    let (mut names, mut asks) = (BTreeMap::new(), Vec::new());
    for paragraph in paragraphs(&draft)? {
        let field = |key| paragraph.fields.get(key).copied();
        // Without a status it is of an image that has one file a package, all of them installed.
        if field("Status").is_some_and(|status| !status.ends_with(" installed")) {
            continue;
        }
        let component = component(&paragraph)
            .ok_or_else(|| Unreadable::new("a package in it has no name or no version"))?;
        let name = field("Package").unwrap_or_default();
        let at = draft.add(component, paragraph.span.clone())?;
        names.insert(name, at);
        for provided in relations(field("Provides")).flatten() {
            names.entry(provided).or_insert(at);
        }
        asks.push((at, [field("Pre-Depends"), field("Depends")]));
    }
    for (from, fields) in asks {
        for alternatives in fields.into_iter().flat_map(relations) {
            // The first alternative that is installed; another one may have been meant.
            if let Some(to) = alternatives.into_iter().find_map(|name| names.get(name)) {
                draft.edge(from, *to)?;
            }
        }
    }
    Ok(draft.finish())
}

fn paragraphs<'a>(draft: &Draft<'a>) -> Result<Vec<Paragraph<'a>>, Unreadable> {
    let (mut all, mut open): (Vec<Paragraph<'a>>, bool) = (Vec::new(), false);
    for (start, line) in draft.lines() {
        if line.trim().is_empty() {
            open = false;
            continue;
        }
        if line.starts_with([' ', '\t']) {
            continue;
        }
        let (key, value) = line.split_once(':').ok_or_else(|| draft.not_understood(start))?;
        if !open {
            all.push(Paragraph { span: start..start, ..Paragraph::default() });
            open = true;
        }
        if let Some(last) = all.last_mut() {
            last.fields.insert(key, value.trim());
            if matches!(key, "Package" | "Version") {
                last.span.end = start + line.len();
            }
        }
    }
    Ok(all)
}

fn component(paragraph: &Paragraph<'_>) -> Option<Component> {
    let field = |key| paragraph.fields.get(key).copied().filter(|value| !value.is_empty());
    let (name, version) = (field("Package")?, field("Version")?);
    let mut component = Component::new(Ecosystem::Debian, name, version);
    let architecture = field("Architecture").unwrap_or_default();
    component.purl = purl::of(Ecosystem::Debian, name, version, &[("arch", architecture)]);
    component.scope = Scope::Runtime;
    // `Source: name (version)`, where either is not the binary package's own.
    let source = field("Source").unwrap_or(name);
    let (origin, of) = source.split_once(" (").unwrap_or((source, version));
    component.origin = Some(Origin { name: origin.to_owned(), version: of.trim_end_matches(')').to_owned() });
    Some(component)
}

/// Names of `a (>= 1) | b, c:any`.
fn relations(field: Option<&str>) -> impl Iterator<Item = Vec<&str>> {
    let groups = field.unwrap_or_default().split(',').filter(|group| !group.trim().is_empty());
    groups.map(|group| {
        let names = group.split('|').map(|one| one.trim().split([' ', ':', '(']).next().unwrap_or_default());
        names.collect()
    })
}
