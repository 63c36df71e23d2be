//! A graph as text, for snapshots: one line a component with where it stands, and what it asks for below it.

use plimsoll_dependencies::{Completeness, Graph, Inventory, Source};
use std::fmt::Write as _;

/// What the reader of a fixture gives, as text; or the gap.
pub(crate) fn fixture(path: &str) -> String {
    let file = format!("{}/tests/fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
    bytes(path, &std::fs::read(file).unwrap())
}

/// What the reader of some bytes gives, as text; or the gap.
pub(crate) fn bytes(path: &str, bytes: &[u8]) -> String {
    inventory(&[(path, bytes)])
}

/// What the only file of some that names packages gives, as text; or the gap.
pub(crate) fn inventory(files: &[(&str, &[u8])]) -> String {
    let mut inventory = Inventory::new();
    for (path, bytes) in files {
        assert!(inventory.add(path, bytes), "{path} has no reader");
    }
    let found = inventory.finish();
    match (found.graphs.first(), found.coverage.gaps.first()) {
        (Some(file), None) => format!("{}\n{}", file.format.as_str(), graph(&file.graph)),
        (None, Some(gap)) => format!("gap: {}", gap.problem),
        other => panic!("{other:?}"),
    }
}

fn graph(graph: &Graph) -> String {
    let mut text = match &graph.completeness {
        Completeness::Complete => "complete\n".to_owned(),
        Completeness::Incomplete(why) => format!("incomplete: {why}\n"),
        Completeness::Unknown(why) => format!("unknown: {why}\n"),
    };
    for (at, component) in graph.components.iter().enumerate() {
        let root = if graph.roots.contains(&at) { "* " } else { "" };
        let lines = component.location.as_ref().map(|at| match at.line {
            line if line == at.end_line => format!(" {line}"),
            line => format!(" {line}-{}", at.end_line),
        });
        let _ = write!(
            text,
            "{root}{}{} {}",
            component.purl,
            lines.unwrap_or_default(),
            component.scope.as_str()
        );
        match &component.source {
            Source::Registry => {}
            Source::RegistryAt(address) => text.push_str(&format!(" registry {address}")),
            Source::Git(address) => text.push_str(&format!(" git {address}")),
            Source::Path(path) => text.push_str(&format!(" path {path}")),
            Source::Url(address) => text.push_str(&format!(" url {address}")),
        }
        for hash in &component.hashes {
            let _ = write!(text, " {}:{}", hash.algorithm.as_str(), &hash.hex[..8]);
        }
        if let Some(license) = &component.license {
            let _ = write!(text, " ({license})");
        }
        if let Some(origin) = &component.origin {
            let _ = write!(text, " of {} {}", origin.name, origin.version);
        }
        text.push('\n');
        let asks = graph.edges.iter().filter(|(from, _)| *from == at);
        let asks: Vec<_> = asks.map(|(_, to)| graph.components[*to].name.as_str()).collect();
        if !asks.is_empty() {
            let _ = writeln!(text, "    -> {}", asks.join(", "));
        }
    }
    text
}
