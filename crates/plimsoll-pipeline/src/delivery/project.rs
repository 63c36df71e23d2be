//! `projects/<project>.yaml`: where a project comes from, and which pipelines may build it.

use crate::{
    diagnostic::{FileErrors, Findings},
    read::{self, Spanned, mapping},
    value::{Version, line, texts},
};
use plimsoll_model::{Digest, Opaque, RelPath};
use serde::Serialize;
use std::collections::BTreeSet;

mapping! {
    /// `projects/<project>.yaml`: where a project comes from, and which pipelines may build it.
    ProjectFile {
        /// Version of this form of file; always 1, and always the first key.
        #[expect(dead_code, reason = "judged before anything else is read")]
        version: Version,
        /// Random identity of the project, 32 hexadecimal digits. It stays when the project is renamed.
        id: Opaque,
        /// The repository: a path on this machine, or a URL without credentials.
        repository: RepositoryText,
        /// Directory of the project in the repository. Default: the root.
        path: Option<RelPath>,
        /// Full names of the refs whose commits count as agreed on, as in `refs/heads/main`. They only move forward.
        protected: Spanned<Vec<Spanned<RefName>>>,
        /// Digests of the pipelines that are approved, as `plimsoll run` prints them. Default none: nothing can be
        /// released yet.
        pipelines: Option<Vec<Spanned<Digest>>>,
    }
}

texts! {
    /// A path or URL of a repository.
    RepositoryText("^[^-].*$") = repository;
    /// Full name of a ref.
    RefName("^refs/(heads|tags)/.+$") = ref_name;
}

/// A checked `projects/<project>.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Project {
    /// Random identity.
    pub id: Opaque,
    /// Path or URL of the repository, without credentials; never an option of a command.
    pub repository: String,
    /// Directory of the project in the repository.
    pub path: Option<RelPath>,
    /// Full names of the protected refs; at least one.
    pub protected: BTreeSet<String>,
    /// Approved pipelines.
    pub pipelines: BTreeSet<Digest>,
}

impl Project {
    /// Reads `projects/<project>.yaml`. `file` is its name for messages.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, Box<FileErrors>> {
        read::file(file, bytes, check)
    }
}

fn check(file: ProjectFile, found: &mut Findings) -> Option<Project> {
    if file.protected.value.is_empty() {
        found.add(&file.protected.span, "no ref is protected, so no commit would ever count as agreed on");
    }
    let mut protected = BTreeSet::new();
    for Spanned { span, value: RefName(name) } in file.protected.value {
        if !protected.insert(name) {
            found.add(&span, "is listed twice");
        }
    }
    let mut pipelines = BTreeSet::new();
    for Spanned { span, value } in file.pipelines.unwrap_or_default() {
        if !pipelines.insert(value) {
            found.add(&span, "is listed twice");
        }
    }
    Some(Project { id: file.id, repository: file.repository.0, path: file.path, protected, pipelines })
}

/// Refuses what git would take for an option or a command (`ext::`, and any other `<helper>::`), and credentials.
fn repository(text: &str) -> Result<(), String> {
    line(text)?;
    if text.starts_with('-') || text.contains("::") {
        return Err(format!("`{text}` is neither a path nor a URL"));
    }
    let Some((scheme, rest)) = text.split_once("://") else { return Ok(()) };
    if !["https", "ssh", "file"].contains(&scheme) {
        return Err(format!(
            "`{scheme}` is not a scheme that proves who answers: expected https, ssh or file"
        ));
    }
    let authority = rest.split('/').next().unwrap_or("");
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    if authority.starts_with('-') || user.is_some_and(|user| scheme != "ssh" || user.contains(':')) {
        return Err("the URL has credentials, which do not belong into a file".into());
    }
    Ok(())
}

/// The rules of git-check-ref-format(1) that a full name of a branch or tag must keep.
fn ref_name(text: &str) -> Result<(), String> {
    let short = text.strip_prefix("refs/heads/").or_else(|| text.strip_prefix("refs/tags/"));
    let Some(short) = short else {
        return Err(format!(
            "`{text}` is not the full name of a branch or tag: expected `refs/heads/…` or `refs/tags/…`"
        ));
    };
    let component = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    let forbidden = |c: char| c.is_whitespace() || "~^:?*[\\".contains(c);
    if !short.split('/').all(component)
        || short.contains(forbidden)
        || short.contains("..")
        || short.contains("@{")
        || short.ends_with('.')
    {
        return Err(format!("`{text}` is not a name that git allows for a ref"));
    }
    Ok(())
}
