//! Takes the files of a tree one after another, hands each to the reader of its format, and gives what all of them name,
//! with how much was read. A file that a reader refuses is a gap, never silence.

use crate::{component::Graph, format::Format};
use plimsoll_scan::{Coverage, Gap};

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
}

impl Inventory {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a file of that path could be one that is read, so that its bytes are worth having. Artifacts (programs,
    /// archives) are told by their bytes, not by this.
    #[must_use]
    pub fn wants(path: &str) -> bool {
        Format::of_path(path).is_some()
    }

    /// Reads one file. `path` is below what is scanned, with `/` between its parts. Gives whether its format is known; what
    /// is wrong with it then is in the coverage.
    pub fn add(&mut self, path: &str, bytes: &[u8]) -> bool {
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

    /// Everything that was found, in order of paths.
    #[must_use]
    pub fn finish(mut self) -> Found {
        self.found.graphs.sort_by(|a, b| a.path.cmp(&b.path));
        self.found.coverage.gaps.sort_by(|a, b| a.path.cmp(&b.path));
        self.found
    }
}
