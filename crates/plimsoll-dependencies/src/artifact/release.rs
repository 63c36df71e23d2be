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
            component.ecosystem = self.distribution(component.ecosystem);
            component.release = self.of(component.ecosystem);
            self.locate(component);
        }
    }

    /// The distribution of a database of this kind.
    fn distribution(&self, kind: Ecosystem) -> Ecosystem {
        match (kind, self.id.as_str()) {
            (Ecosystem::Debian, "ubuntu") => Ecosystem::Ubuntu,
            (Ecosystem::Rpm, "rhel") => Ecosystem::RedHat,
            (Ecosystem::Rpm, "rocky") => Ecosystem::RockyLinux,
            (Ecosystem::Rpm, "almalinux") => Ecosystem::AlmaLinux,
            (Ecosystem::Rpm, "sles" | "sled" | "sles_sap") => Ecosystem::Suse,
            (Ecosystem::Rpm, id) if id.starts_with("opensuse") => Ecosystem::OpenSuse,
            (kind, _) => kind,
        }
    }

    /// As advisories write it (OSV schema 1.7, "affected[].package field").
    fn of(&self, ecosystem: Ecosystem) -> String {
        let mut numbers = self.version.split('.');
        match (ecosystem, numbers.next(), numbers.next()) {
            (Ecosystem::Alpine, Some(major), Some(minor)) => format!("v{major}.{minor}"),
            (Ecosystem::RedHat | Ecosystem::RockyLinux | Ecosystem::AlmaLinux, Some(major), _) => {
                major.to_owned()
            }
            (Ecosystem::Suse, Some(major), Some(pack)) if pack != "0" => format!("{major} SP{pack}"),
            (Ecosystem::Suse, Some(major), _) => major.to_owned(),
            (Ecosystem::OpenSuse, ..) if self.id.ends_with("tumbleweed") => "Tumbleweed".to_owned(),
            (Ecosystem::OpenSuse, ..) => format!("Leap {}", self.version),
            (Ecosystem::Rpm, ..) => format!("{} {}", self.id, self.version).trim().to_owned(),
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
