//! Every way a command can end badly, and its exit status: the only place that maps errors to people.

use crate::output::Output;
use plimsoll_engine::ports::{IsolationUnavailable, SandboxError, SourceError, StoreError};
use plimsoll_engine::run::RunError;
use plimsoll_fs::FsError;
use plimsoll_model::{Code, Reason};
use std::{
    error::Error,
    io::{self, ErrorKind},
    process::ExitCode,
};

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A rule said no.
    Refused(Vec<Reason>),
    /// The command line or a file is wrong; the text is ready for people.
    Usage(String),
    /// Something else broke, so that nobody can tell.
    Broken { what: String, next: Option<String> },
    /// The person at the terminal stopped it.
    Interrupted,
}

impl Failure {
    /// A failure to do `what`, caused by `error`. A disk that takes nothing more is a refusal, wherever it was met.
    pub(crate) fn broken(what: impl Into<String>, error: &(dyn Error + 'static)) -> Self {
        let mut text = what.into();
        for cause in causes(error) {
            let part = cause.to_string();
            if !text.ends_with(&part) {
                text.push_str(": ");
                text.push_str(&part);
            }
        }
        match causes(error).find_map(|cause| full_disk(cause, &text)) {
            Some(reason) => reason.into(),
            None => Self::Broken { what: text, next: None },
        }
    }

    /// A run that did not come to its end. What is wrong with a file is shown at once, since it has many places.
    pub(crate) fn from_run(error: RunError, output: &Output) -> Self {
        if let RunError::File(errors) = &error {
            output.progress(errors.render().trim_end());
        }
        error.into()
    }

    /// What happened, in one line.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Refused(reasons) => reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
            Self::Usage(text) | Self::Broken { what: text, .. } => text.clone(),
            Self::Interrupted => "interrupted".into(),
        }
    }

    /// Exit status as documented in `docs/concepts.md`.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Refused(reasons) if reasons.iter().all(|r| is_configuration(r.code)) => 2,
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::Broken { .. } => 3,
            Self::Interrupted => 130,
        }
    }

    /// Tells the person, and gives the exit status.
    pub(crate) fn report(&self, output: &Output) -> ExitCode {
        let status = self.status();
        match self {
            Self::Refused(reasons) => output.refusal(reasons, status),
            Self::Usage(text) => output.error(text, None, status),
            Self::Broken { what, next } => output.error(what, next.as_deref(), status),
            Self::Interrupted => output.error("interrupted", None, status),
        }
        ExitCode::from(status)
    }
}

/// The error and what it came from, the nearest first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// `E-STATE-FULL`, if `cause` is a disk that takes nothing more; `text` says what was being done on it.
fn full_disk(cause: &(dyn Error + 'static), text: &str) -> Option<Reason> {
    let error = cause.downcast_ref::<io::Error>()?;
    if let Some(reason) = error.get_ref().and_then(|inner| inner.downcast_ref::<Reason>()) {
        return Some(reason.clone());
    }
    let full = matches!(
        error.kind(),
        ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::FileTooLarge
    );
    full.then(|| Code::StateFull.reason().with("path", "the disk").with("problem", text))
}

/// Codes that are about files and usage rather than about what may run.
fn is_configuration(code: Code) -> bool {
    matches!(
        code,
        Code::FileInvalid
            | Code::FileMissing
            | Code::TemplateUntrusted
            | Code::SrcNoRepository
            | Code::SrcRevision
            | Code::StateNewer
    )
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self::Refused(vec![reason])
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(reason) => reason.into(),
            other => Self::broken("the store failed", &other),
        }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Refused(reason) => reason.into(),
            other => Self::broken("the repository cannot be read", &other),
        }
    }
}

impl From<IsolationUnavailable> for Failure {
    fn from(error: IsolationUnavailable) -> Self {
        Code::IsoUnavailable.reason().with("problem", error.problem).into()
    }
}

impl From<FsError> for Failure {
    fn from(error: FsError) -> Self {
        match error {
            FsError::Refused(reason) => reason.into(),
            other @ FsError::Io { .. } => Self::broken("files could not be worked with", &other),
        }
    }
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        match error {
            SandboxError::Unavailable(error) => error.into(),
            SandboxError::Refused(reason) => reason.into(),
            other => Self::broken("the sandbox failed", &other),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Refused(reasons) => Self::Refused(reasons),
            RunError::File(errors) => Self::Refused(errors.reasons()),
            RunError::Interrupted => Self::Interrupted,
            other => Self::broken("the engine failed", &other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_sign::KeyError;

    /// Errors of Linux by number, as `KeyError` and others carry them.
    fn key_not_written(errno: i32) -> KeyError {
        let source = io::Error::from_raw_os_error(errno);
        KeyError::Io { action: "write", path: "/keys/builder.pem".into(), source }
    }

    #[test]
    fn a_disk_that_takes_nothing_more_is_told_as_such_wherever_it_was_met() {
        for (name, errno) in [("EFBIG", 27), ("ENOSPC", 28), ("EROFS", 30), ("EDQUOT", 122)] {
            let failure = Failure::broken("failed to make the builder key", &key_not_written(errno));
            assert_eq!(failure.status(), 1, "{name}");
            let Failure::Refused(reasons) = &failure else { panic!("{name}: {failure:?}") };
            assert_eq!(reasons[0].code, Code::StateFull, "{name}");
            assert!(failure.text().contains("/keys/builder.pem"), "{name}: {}", failure.text());
        }
        let known = Code::StateFull.reason().with("path", "/layout").with("problem", "no space");
        let carried = io::Error::new(ErrorKind::StorageFull, known.clone());
        assert_eq!(Failure::broken("failed to copy", &carried).text(), known.to_string());
    }

    #[test]
    fn any_other_error_tells_its_causes_once_and_decides_nothing() {
        for (name, errno) in [("ENOENT", 2), ("EIO", 5), ("EACCES", 13)] {
            let failure = Failure::broken("failed to make the builder key", &key_not_written(errno));
            assert_eq!(failure.status(), 3, "{name}");
            assert_eq!(failure.text().matches("failed to write /keys/builder.pem").count(), 1);
        }
    }
}
