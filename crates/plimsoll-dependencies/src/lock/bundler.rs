//! `Gemfile.lock`: sections of sources with their gems indented below, then what the project asks for itself.

use crate::{
    component::{Component, Ecosystem, Graph, Source},
    format::Unreadable,
    lock::{Draft, draft::hash},
};
use std::collections::BTreeMap;

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    let mut lock = Lock::default();
    for (start, line) in draft.lines() {
        let content = line.trim_start();
        match line.len() - content.len() {
            _ if content.is_empty() => {}
            0 if content.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b' ') => {
                lock.section(content)
            }
            2 if lock.section == "DEPENDENCIES" => lock.direct.extend(first_word(content)),
            2 if lock.section == "CHECKSUMS" => lock.checksums.push(content),
            2 => lock.field(content),
            4 if lock.has_gems() => {
                let (name, version) = gem(content).ok_or_else(|| draft.not_understood(start))?;
                let mut component = Component::new(Ecosystem::RubyGems, name, version);
                component.source = lock.source();
                let at = draft.add(component, start..start + line.len())?;
                lock.gems.entry(name).or_default().push(at);
                lock.last = Some(at);
            }
            6 if lock.has_gems() => lock.asks.extend(lock.last.zip(first_word(content))),
            0 => return Err(draft.not_understood(start)),
            _ => {}
        }
    }
    lock.connect(&mut draft)?;
    Ok(draft.finish())
}

#[derive(Default)]
struct Lock<'a> {
    section: &'a str,
    remote: &'a str,
    revision: &'a str,
    last: Option<usize>,
    gems: BTreeMap<&'a str, Vec<usize>>,
    asks: Vec<(usize, &'a str)>,
    direct: Vec<&'a str>,
    checksums: Vec<&'a str>,
}

impl<'a> Lock<'a> {
    fn section(&mut self, name: &'a str) {
        (self.section, self.remote, self.revision, self.last) = (name.trim(), "", "", None);
    }

    fn has_gems(&self) -> bool {
        matches!(self.section, "GEM" | "GIT" | "PATH" | "PLUGIN SOURCE")
    }

    fn field(&mut self, content: &'a str) {
        match content.split_once(": ") {
            Some(("remote", remote)) => self.remote = remote,
            Some(("revision", revision)) => self.revision = revision,
            _ => {}
        }
    }

    fn source(&self) -> Source {
        match self.section {
            "GIT" => Source::Git(format!("{}#{}", self.remote, self.revision)),
            "PATH" => Source::Path(self.remote.to_owned()),
            _ if self.remote.is_empty() => Source::Registry,
            _ => Source::RegistryAt(self.remote.to_owned()),
        }
    }

    fn connect(self, draft: &mut Draft<'_>) -> Result<(), Unreadable> {
        for (from, name) in &self.asks {
            match self.gems.get(name) {
                Some(all) => all.iter().try_for_each(|to| draft.edge(*from, *to))?,
                // Bundler itself is asked for and never listed.
                None if *name == "bundler" => {}
                None => draft.graph.completeness.lacks(format!("`{name}` has no entry")),
            }
        }
        for name in &self.direct {
            draft.graph.roots.extend(self.gems.get(name.trim_end_matches('!')).into_iter().flatten());
        }
        for checksum in &self.checksums {
            self.checksum(draft, checksum);
        }
        Ok(())
    }

    /// `name (version) sha256=HEX`, for gems in that version and platform.
    fn checksum(&self, draft: &mut Draft<'_>, line: &str) {
        let Some((name, rest)) = line.split_once(" (") else { return };
        let Some((version, digests)) = rest.split_once(") ") else { return };
        let number = without_platform(version);
        for at in self.gems.get(name).into_iter().flatten() {
            let component = &mut draft.graph.components[*at];
            if component.version == number {
                component.hashes.extend(digests.split(',').filter_map(hash));
                component.hashes.sort();
                component.hashes.dedup();
            }
        }
    }
}

fn first_word(content: &str) -> Option<&str> {
    content.split([' ', '!']).next()
}

/// Name and version of `name (version)` or `name (version-platform)`.
fn gem(content: &str) -> Option<(&str, &str)> {
    let (name, rest) = content.split_once(" (")?;
    Some((name, without_platform(rest.strip_suffix(')')?)))
}

/// Versions of gems have no hyphen: what follows one is the platform.
fn without_platform(version: &str) -> &str {
    version.split('-').next().unwrap_or(version)
}
