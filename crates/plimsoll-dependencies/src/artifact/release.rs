//! `os-release` (freedesktop, "os-release"): which distribution in which release the databases beside it are of.

use crate::{
    component::{Component, Ecosystem, Graph},
    purl,
};

/// A distribution in a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Release {
    id: String,
    version: String,
}

/// The root below which a file of that end lies, if it is one of them.
pub(crate) fn root_of<'a>(path: &'a str, ends: &[&str]) -> Option<&'a str> {
    let found = ends.iter().find_map(|end| path.strip_suffix(end))?;
    (found.is_empty() || found.ends_with('/')).then_some(found)
}

impl Release {
    /// The files that say it.
    pub(crate) const PATHS: [&'static str; 2] = ["etc/os-release", "usr/lib/os-release"];

    /// From the text of the file; what is not there stays empty.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let field = |key: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            let value = value.unwrap_or_default().trim().trim_matches(['"', '\'']);
            value.chars().take(64).collect()
        };
        Self { id: field("ID"), version: field("VERSION_ID") }
    }

    /// Says of each component of a database which distribution it is of.
    pub(crate) fn apply(&self, graph: &mut Graph) {
        for component in &mut graph.components {
            if component.ecosystem == Ecosystem::Debian && self.id == "ubuntu" {
                component.ecosystem = Ecosystem::Ubuntu;
            }
            component.release = self.of(component.ecosystem);
            self.locate(component);
        }
    }

    /// As advisories write it.
    fn of(&self, ecosystem: Ecosystem) -> String {
        let mut numbers = self.version.split('.');
        match (ecosystem, numbers.next(), numbers.next()) {
            (Ecosystem::Alpine, Some(major), Some(minor)) => format!("v{major}.{minor}"),
            _ => self.version.clone(),
        }
    }

    fn locate(&self, component: &mut Component) {
        let architecture = component.purl.split_once("?arch=").map_or("", |(_, architecture)| architecture);
        let distribution =
            if self.version.is_empty() { self.id.clone() } else { format!("{}-{}", self.id, self.version) };
        let qualifiers = [("arch", architecture), ("distro", distribution.as_str())];
        component.purl = purl::of(component.ecosystem, &component.name, &component.version, &qualifiers);
    }
}
