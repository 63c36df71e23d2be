//! How much of a repository is read before the reader gives up.

/// Bounds on what one call reads. Whatever goes beyond is refused as `E-SRC-OBJECT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest blob, in bytes; also the largest allocation made for a packed or loose object.
    pub blob: u64,
    /// Largest commit, tree or annotated tag, in bytes.
    pub structure: u64,
    /// Most files, links and directories of one tree, counted as often as they appear.
    pub entries: u64,
    /// Most directories above a file.
    pub depth: usize,
    /// Largest sum of the files of one tree, in bytes, counted as often as they appear.
    pub total: u64,
    /// Most commits that one question about history may visit.
    pub history: usize,
}

impl Default for Limits {
    /// 512 MiB in a blob, 64 MiB in another object, a million entries 128 directories deep, 8 GiB in all, five million
    /// commits.
    fn default() -> Self {
        Self {
            blob: 512 << 20,
            structure: 64 << 20,
            entries: 1_000_000,
            depth: 128,
            total: 8 << 30,
            history: 5_000_000,
        }
    }
}
