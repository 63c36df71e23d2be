//! What the lock files of Python's tools have in common: names that are compared in one spelling, and packages that ask for
//! others by name alone, so that a name with several versions means all of them.

use crate::{
    component::{Component, Ecosystem, Hash, Scope},
    format::Unreadable,
    lock::{Draft, draft::hash},
    tree::Node,
};
use std::collections::BTreeMap;

/// A name as registries compare it (PEP 503, "Normalized Names").
pub(super) fn normal(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for character in name.trim().chars() {
        match character {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            other => normal.extend(other.to_lowercase()),
        }
    }
    normal
}

/// The name at the beginning of a requirement (PEP 508): `name[extra]>=1; marker`.
pub(super) fn required(requirement: &str) -> String {
    let ends = |c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    normal(requirement.trim().split(ends).next().unwrap_or_default())
}

/// A component of that name, in its normal spelling.
pub(super) fn component(name: &str, version: &str) -> Component {
    Component::new(Ecosystem::PyPi, &normal(name), version)
}

/// Name and version of a table.
pub(super) fn named(table: &Node<'_>) -> Result<Component, Unreadable> {
    let name = table.text_of("name").ok_or_else(|| Unreadable::new("a package in it has no `name`"))?;
    Ok(component(name, table.text_of("version").unwrap_or_default()))
}

/// Digests of the files in a list of tables, each with a `hash`.
pub(super) fn hashes(files: &[Node<'_>]) -> Vec<Hash> {
    let mut hashes: Vec<Hash> = files.iter().filter_map(|file| hash(file.text_of("hash")?)).collect();
    hashes.sort();
    hashes.dedup();
    hashes
}

/// What a list of groups says of the purpose, where `main` is the name of the group that is always installed.
pub(super) fn scope_of_groups(groups: &[Node<'_>], main: &str) -> Scope {
    match groups.iter().any(|group| group.text() == Some(main)) {
        true => Scope::Runtime,
        false if groups.is_empty() => Scope::Unknown,
        false => Scope::Development,
    }
}

/// Components by name.
#[derive(Default)]
pub(super) struct Names(BTreeMap<String, Vec<usize>>);

impl Names {
    /// Of what is in a graph so far.
    pub(super) fn of(draft: &Draft<'_>) -> Self {
        let mut names: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, component) in draft.graph.components.iter().enumerate() {
            names.entry(component.name.clone()).or_default().push(at);
        }
        Self(names)
    }

    /// Everything of that name, in any spelling.
    pub(super) fn all(&self, name: &str) -> &[usize] {
        self.0.get(normal(name).as_str()).map(Vec::as_slice).unwrap_or_default()
    }

    /// Adds an edge to each component of that name, and gives whether there is one.
    ///
    /// # Errors
    /// When there are too many edges.
    pub(super) fn ask(&self, draft: &mut Draft<'_>, from: usize, name: &str) -> Result<bool, Unreadable> {
        let all = self.all(name);
        for to in all.iter().filter(|to| **to != from) {
            draft.edge(from, *to)?;
        }
        Ok(!all.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_name_are_one() {
        let check = |written, expect: &str| assert_eq!(normal(written), expect);
        check("Friendly-Bard", "friendly-bard");
        check("FRIENDLY._-bard", "friendly-bard");
        check("zope.interface", "zope-interface");
        assert_eq!(required("Django[argon2] >=4 ; python_version > '3'"), "django");
        assert_eq!(required("ruamel.yaml==0.18"), "ruamel-yaml");
    }
}
