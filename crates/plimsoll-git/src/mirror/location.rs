//! Where a delivery repository is. The text is judged before git sees it: what git would take for an option, a command
//! or credentials is none.

use crate::error::failed;
use plimsoll_engine::ports::SourceError;
use rustix::process::geteuid;
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// A place that git is asked to read from and write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// A path of this machine, as it was given.
    Local(PathBuf),
    /// An `https` or `ssh` URL without credentials.
    Url(String),
}

impl Location {
    /// Reads a path, or an `https`, `ssh` or `file` URL, by the rules of `repository:` in `projects/<project>.yaml`.
    ///
    /// # Errors
    /// When it is neither, or has credentials.
    pub(crate) fn read(text: &str) -> Result<Self, SourceError> {
        let problem = |problem: &str| failed(format!("use the delivery repository {text:?}"), problem);
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(problem("it is not one line of text"));
        }
        if text.starts_with('-') || text.contains("::") {
            return Err(problem("it is neither a path nor a URL"));
        }
        let Some((scheme, rest)) = text.split_once("://") else { return Ok(Self::Local(text.into())) };
        match scheme {
            "file" if rest.starts_with('/') && !rest.contains('%') => Ok(Self::Local(rest.into())),
            "file" => {
                Err(problem("give the path itself: a host or an escape in a file URL is not understood"))
            }
            "https" | "ssh" => {
                without_credentials(scheme, rest).map(|()| Self::Url(text.into())).map_err(problem)
            }
            _ => Err(problem("its scheme does not prove who answers: expected https, ssh or file")),
        }
    }

    /// The one protocol that git may use.
    pub(crate) fn protocol(&self) -> &str {
        match self {
            Self::Local(_) => "file",
            Self::Url(url) => url.split("://").next().unwrap_or_default(),
        }
    }

    /// What git is given: the URL, or the absolute path behind all links, which must be a directory.
    ///
    /// # Errors
    /// When there is no such directory.
    pub(crate) fn address(&self) -> Result<String, SourceError> {
        let path = match self {
            Self::Url(url) => return Ok(url.clone()),
            Self::Local(path) => path,
        };
        let problem =
            |problem: &str| failed(format!("reach the delivery repository {}", path.display()), problem);
        let real = fs::canonicalize(path).map_err(|error| problem(&error.to_string()))?;
        if !real.is_dir() {
            return Err(problem("it is not a directory"));
        }
        let text = real.to_str().filter(|text| !text.chars().any(char::is_control));
        text.map(str::to_owned).ok_or_else(|| problem("its name is not one line of text"))
    }

    /// Whether it is a path that belongs to another user, whose programs must not run as this one. The rule is git's own
    /// (`safe.directory` in git-config(1)).
    pub(crate) fn is_foreign(&self) -> bool {
        let Self::Local(path) = self else { return false };
        let foreign = |path: &Path| fs::metadata(path).is_ok_and(|data| data.uid() != geteuid().as_raw());
        foreign(path) || foreign(&path.join(".git"))
    }

    /// Whether it is a path of a repository with a work tree.
    pub(crate) fn has_work_tree(&self) -> bool {
        matches!(self, Self::Local(path) if path.join(".git").exists())
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Local(path) => path.display().fmt(f),
            Self::Url(url) => url.fmt(f),
        }
    }
}

fn without_credentials(scheme: &str, rest: &str) -> Result<(), &'static str> {
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let (user, host) =
        authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    if host.is_empty() || host.starts_with('-') || user.is_some_and(|user| user.starts_with('-')) {
        return Err("it names no host");
    }
    if user.is_some_and(|user| scheme != "ssh" || user.contains(':')) {
        return Err("it has credentials, which do not belong there");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_path_or_a_url_and_nothing_else() {
        for (text, protocol) in [
            ("/srv/delivery.git", "file"),
            ("file:///srv/delivery.git", "file"),
            ("../delivery", "file"),
            ("git@example.org:team/delivery.git", "file"),
            ("https://example.org/delivery.git", "https"),
            ("ssh://git@example.org:22/delivery.git", "ssh"),
            ("ssh://example.org/delivery", "ssh"),
        ] {
            assert_eq!(Location::read(text).unwrap().protocol(), protocol, "{text}");
        }
        for text in [
            "",
            "-",
            "--upload-pack=touch /tmp/x",
            "ext::sh -c touch% /tmp/x",
            "fd::7",
            "https://ada:secret@example.org/delivery",
            "https://token@example.org/delivery",
            "ssh://git:secret@example.org/delivery",
            "ssh://-oProxyCommand=touch/delivery",
            "ssh://-oProxyCommand=touch@example.org/delivery",
            "ssh:///delivery",
            "http://example.org/delivery",
            "git://example.org/delivery",
            "file://example.org/delivery",
            "file:///srv/%2e%2e/delivery",
            "/srv/de\nlivery",
            "/srv/\u{1b}[2J",
        ] {
            assert!(Location::read(text).is_err(), "{text:?}");
        }
    }
}
