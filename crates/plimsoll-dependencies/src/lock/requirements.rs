//! `requirements.txt` (pip's documentation, "Requirements File Format"). It is a lock file only where every requirement is
//! pinned with `==`; what `pip-compile` and `uv` write above or below each says who asks for it.

use crate::{
    component::{Component, Graph, Source},
    format::Unreadable,
    lock::{
        Draft,
        draft::hash,
        python::{self, Names},
    },
};
use std::ops::Range;

/// Options that change where packages come from, not which.
const OPTIONS: [&str; 14] = [
    "i",
    "index-url",
    "extra-index-url",
    "no-index",
    "c",
    "constraint",
    "f",
    "find-links",
    "no-binary",
    "only-binary",
    "prefer-binary",
    "require-hashes",
    "pre",
    "trusted-host",
];

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    let mut asked: Vec<(usize, Vec<String>)> = Vec::new();
    for line in logical(&draft) {
        let Some(at) = entry(&mut draft, &line)? else { continue };
        asked.push((at, line.via));
    }
    let names = Names::of(&draft);
    for (to, via) in asked {
        for asker in via {
            // `-r requirements.in` and `shop (pyproject.toml)`: the project itself.
            if asker.starts_with('-') || asker.contains('(') {
                draft.graph.roots.push(to);
            }
            for from in names.all(&asker) {
                draft.edge(*from, to)?;
            }
        }
    }
    Ok(draft.finish())
}

/// A requirement or an option with its continued lines.
#[derive(Default)]
struct Logical {
    text: String,
    span: Range<usize>,
    /// Who asks for it, from comments.
    via: Vec<String>,
}

fn logical(draft: &Draft<'_>) -> Vec<Logical> {
    let mut all: Vec<Logical> = Vec::new();
    let mut continued = false;
    for (start, line) in draft.lines() {
        let (content, comment) = parted(line);
        if content.is_empty() {
            if let (Some(comment), Some(last)) = (comment, all.last_mut()) {
                via(last, comment);
            }
            continue;
        }
        let (text, more) = match content.strip_suffix('\\') {
            Some(text) => (text.trim_end(), true),
            None => (content, false),
        };
        let end = start + line.len();
        match all.last_mut().filter(|_| continued) {
            Some(last) => {
                last.text.push(' ');
                last.text.push_str(text);
            }
            None => all.push(Logical { text: text.to_owned(), span: start..end, via: Vec::new() }),
        }
        if let (Some(comment), Some(last)) = (comment, all.last_mut()) {
            via(last, comment);
        }
        continued = more;
    }
    all
}

/// A line without its comment, and the comment.
fn parted(line: &str) -> (&str, Option<&str>) {
    let at = match line.trim_start().starts_with('#') {
        true => line.find('#'),
        // In an address a `#` begins a fragment.
        false => line.find(" #").map(|at| at + 1),
    };
    match at {
        Some(at) => (line[..at].trim(), Some(line[at + 1..].trim())),
        None => (line.trim(), None),
    }
}

/// Reads `via flask`, or a line of the list below `via`.
fn via(entry: &mut Logical, comment: &str) {
    let names = match comment.strip_prefix("via") {
        Some(rest) => {
            if entry.via.is_empty() {
                entry.via.push(String::new());
            }
            rest
        }
        // A comment that is no list of askers, such as a note of a person.
        None if entry.via.is_empty()
            || comment.contains(' ') && !comment.starts_with('-') && !comment.contains('(') =>
        {
            return;
        }
        None => comment,
    };
    entry.via.extend(names.split(", ").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned));
}

/// Adds what a requirement names; options name nothing, but can leave the list incomplete.
fn entry(draft: &mut Draft<'_>, line: &Logical) -> Result<Option<usize>, Unreadable> {
    let text = line.text.as_str();
    if let Some(option) = text.strip_prefix('-') {
        let word = option.trim_start_matches('-').split([' ', '=']).next().unwrap_or_default();
        match word {
            "r" | "requirement" => draft.graph.completeness.lacks(format!("`{text}` is not followed")),
            "e" | "editable" => draft.graph.completeness.lacks(format!("what `{text}` asks for is not read")),
            other if OPTIONS.contains(&other) => {}
            _ => return Err(draft.not_understood(line.span.start)),
        }
        return Ok(None);
    }
    let mut component = component(text);
    if component.name.is_empty() {
        return Err(draft.not_understood(line.span.start));
    }
    component.hashes =
        text.split_whitespace().filter_map(|word| hash(word.strip_prefix("--hash=")?)).collect();
    if component.version.is_empty() && component.is_published() {
        let name = &component.name;
        draft.graph.completeness.lacks(format!("`{name}` is not pinned, and what it asks for is not known"));
    }
    draft.add(component, line.span.clone()).map(Some)
}

fn component(text: &str) -> Component {
    let requirement = text.split(" --").next().unwrap_or(text);
    let requirement = requirement.split(';').next().unwrap_or(requirement).trim();
    let name = python::required(requirement);
    if let Some((_, address)) = requirement.split_once(" @ ") {
        let mut component = python::component(&name, "");
        component.source = match address.strip_prefix("git+") {
            Some(address) => Source::Git(address.to_owned()),
            None => Source::Url(address.to_owned()),
        };
        return component;
    }
    if requirement.starts_with(['.', '/']) || requirement.contains("://") {
        let mut component = python::component(requirement, "");
        component.source = Source::Path(requirement.to_owned());
        return component;
    }
    python::component(&name, pinned(requirement).unwrap_or_default())
}

/// The version of `==1.0` or `===1.0`; none of `==1.*` or of a range.
fn pinned(requirement: &str) -> Option<&str> {
    let (_, version) = requirement.split_once("==")?;
    let version = version.trim_start_matches('=').trim();
    let single = !version.is_empty() && !version.contains(['*', ',', ' ', '<', '>', '!', '~', '=']);
    let before = !requirement.contains([',', '<', '>', '!', '~']);
    (single && before).then_some(version)
}
