//! Takes the files of a tree one after another, hands each to the reader of its format, and gives what all of them name,
//! with how much was read. A file that a reader refuses is a gap, never silence.

use crate::{
    artifact::{
        alpine, debian,
        release::{Release, root_of},
        rpm,
    },
    component::Graph,
    format::Format,
};
use plimsoll_scan::{Coverage, Gap};
use std::collections::BTreeMap;

/// Bytes of a file that a reader takes; a larger one is a gap. The largest published lock files have some 10 MiB.
pub const MAX_BYTES: usize = 32 << 20;
/// Components of one file, and a fourth of its edges; more are a gap. The largest published lock files have some 30,000.
pub const MAX_ENTRIES: usize = 200_000;

/// What one file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileGraph {
    /// Its path below what was scanned.
    pub path: String,
    /// What it was read as.
    pub format: Format,
    /// Its components.
    pub graph: Graph,
}

/// What all files of a tree name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// By path, one for each file that could be read.
    pub graphs: Vec<FileGraph>,
    /// What was read and what was not. Its packages are those of all graphs but the project's own.
    pub coverage: Coverage,
}

/// Collects graphs, file by file.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    found: Found,
    /// By the root of the file system that each is of.
    releases: BTreeMap<String, Release>,
}

impl Inventory {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a file of that path could be one that is read, so that its bytes are worth having. Programs are told by
    /// their bytes: of those only names without an ending are asked for.
    #[must_use]
    pub fn wants(path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        !name.contains('.')
            || Format::of_path(path).is_some()
            || root_of(path, &Release::PATHS).is_some()
            || root_of(path, &rpm::LOGS).is_some()
    }

    /// Reads one file. `path` is below what is scanned, with `/` between its parts. Gives whether its format is known; what
    /// is wrong with it then is in the coverage.
    pub fn add(&mut self, path: &str, bytes: &[u8]) -> bool {
        if let Some(root) = root_of(path, &Release::PATHS) {
            self.releases.insert(root.to_owned(), Release::read(bytes));
            return true;
        }
        if root_of(path, &rpm::LOGS).is_some() {
            if !bytes.is_empty() {
                self.gap(path, "it holds changes to the database of rpm, which are not read");
            }
            return true;
        }
        let Some(format) = Format::of(path, bytes) else { return false };
        match format.read(path, bytes) {
            Ok(mut graph) => {
                graph.tidy();
                self.found.coverage.files += 1;
                self.found.coverage.bytes += bytes.len() as u64;
                self.found.coverage.packages += graph.dependencies().count() as u64;
                self.found.graphs.push(FileGraph { path: path.to_owned(), format, graph });
            }
            Err(problem) => self.gap(path, problem.to_string()),
        }
        true
    }

    /// Notes that a file should have been read and was not.
    pub fn gap(&mut self, path: &str, problem: impl Into<String>) {
        self.found.coverage.gaps.push(Gap { path: path.to_owned(), problem: problem.into() });
    }

    /// Takes what another one collected of the same tree.
    pub fn append(&mut self, other: Self) {
        self.found.graphs.extend(other.found.graphs);
        self.found.coverage.files += other.found.coverage.files;
        self.found.coverage.bytes += other.found.coverage.bytes;
        self.found.coverage.packages += other.found.coverage.packages;
        self.found.coverage.gaps.extend(other.found.coverage.gaps);
        self.releases.extend(other.releases);
    }

    /// Everything that was found, in order of paths.
    #[must_use]
    pub fn finish(mut self) -> Found {
        for file in &mut self.found.graphs {
            if let Some(release) = root_of_database(&file.path).and_then(|root| self.releases.get(root)) {
                release.apply(&mut file.graph);
            }
        }
        self.found.graphs.sort_by(|a, b| a.path.cmp(&b.path));
        self.found.coverage.gaps.sort_by(|a, b| a.path.cmp(&b.path));
        self.found
    }
}

/// The root of the file system of which a file is the database of packages.
fn root_of_database(path: &str) -> Option<&str> {
    let folder = || path.split_once(debian::FOLDER).map(|(root, _)| root);
    let databases = [&debian::PATHS[..], &alpine::PATHS, &rpm::PATHS];
    databases.into_iter().find_map(|paths| root_of(path, paths)).or_else(folder)
}
