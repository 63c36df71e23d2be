//! What is wrong with a file, and where. Reading collects as many diagnostics as it can; a file with one is never used.

use crate::render;
use plimsoll_model::{Code, Reason};
use std::{fmt, ops::Range};

/// Diagnostics that are kept of one file; more would help nobody.
pub(crate) const MAX_DIAGNOSTICS: usize = 100;

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Bytes of the source text that it is about.
    pub span: Range<usize>,
    /// What is wrong, as a lower case fragment.
    pub message: String,
    /// What to write instead, if that can be said.
    pub help: Option<String>,
    /// A refusal that has a code of its own; all other diagnostics together are one `E-FILE-INVALID`.
    pub reason: Option<Reason>,
}

impl Diagnostic {
    /// The code of the registry that this diagnostic falls under.
    #[must_use]
    pub fn code(&self) -> Code {
        self.reason.as_ref().map_or(Code::FileInvalid, |reason| reason.code)
    }
}

/// Everything that is wrong with one file, sorted by place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileErrors {
    /// The file's name, as the caller gave it.
    pub file: String,
    /// The text that the spans point into.
    pub source: String,
    /// At least one; at most 100 are kept.
    pub diagnostics: Vec<Diagnostic>,
}

impl FileErrors {
    /// The diagnostics for people: place, message, the line with a caret, and what to write instead. Ends with a
    /// newline. Foreign text is made printable.
    #[must_use]
    pub fn render(&self) -> String {
        render::file_errors(self)
    }

    /// The refusals behind the diagnostics: those with a code of their own first, then one `E-FILE-INVALID` if there are
    /// others. Never empty.
    #[must_use]
    pub fn reasons(&self) -> Vec<Reason> {
        let mut reasons: Vec<Reason> = self.diagnostics.iter().filter_map(|d| d.reason.clone()).collect();
        let plain = self.diagnostics.iter().filter(|d| d.reason.is_none()).count();
        if plain > 0 || reasons.is_empty() {
            reasons.push(Code::FileInvalid.reason().with("file", &self.file).with("count", plain));
        }
        reasons
    }
}

impl fmt::Display for FileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has {} error(s)", self.file, self.diagnostics.len())
    }
}

impl std::error::Error for FileErrors {}

/// Collects diagnostics while a file is read.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    diagnostics: Vec<Diagnostic>,
    incomplete: bool,
    subject: String,
    source: String,
}

impl Findings {
    /// Adds a diagnostic.
    pub(crate) fn add(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.push(span, message.into(), None, None);
    }

    /// Adds a diagnostic that says what to write instead.
    pub(crate) fn help(&mut self, span: &Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.push(span, message.into(), Some(help.into()), None);
    }

    /// Adds a diagnostic with a code of its own.
    pub(crate) fn refuse(&mut self, span: &Range<usize>, message: String, help: String, reason: Reason) {
        self.push(span, message, Some(help), Some(reason));
    }

    fn push(&mut self, span: &Range<usize>, message: String, help: Option<String>, reason: Option<Reason>) {
        if self.diagnostics.len() < MAX_DIAGNOSTICS {
            self.diagnostics.push(Diagnostic { span: span.clone(), message, help, reason });
        }
    }

    /// Notes that a value could not be taken over, so that relations between values would be judged wrongly.
    pub(crate) fn lose<T>(&mut self) -> Option<T> {
        self.incomplete = true;
        None
    }

    /// Remembers the text that spans point into.
    pub(crate) fn show(&mut self, source: String) {
        self.source = source;
    }

    /// Where `part` stands in `span`; all of `span` where escapes or folding hide it.
    pub(crate) fn place_of(&self, part: &str, span: &Range<usize>) -> Range<usize> {
        let at = self.source.get(span.clone()).and_then(|text| text.find(part)).map(|at| span.start + at);
        at.map_or_else(|| span.clone(), |at| at..at + part.len())
    }

    /// Remembers the name of the step or check that is being read.
    pub(crate) fn speak_of(&mut self, name: &str) {
        name.clone_into(&mut self.subject);
    }

    /// The name of the step or check that is being read.
    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    /// Whether every value was taken over.
    pub(crate) const fn is_complete(&self) -> bool {
        !self.incomplete
    }

    /// The value if nothing is wrong, else everything that is.
    pub(crate) fn finish<T>(mut self, file: &str, value: Option<T>) -> Result<T, Box<FileErrors>> {
        match value {
            Some(value) if self.diagnostics.is_empty() => Ok(value),
            _ => {
                if self.diagnostics.is_empty() {
                    self.add(&(0..0), "cannot be read");
                }
                self.diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
                let (file, source) = (file.to_owned(), self.source);
                Err(Box::new(FileErrors { file, source, diagnostics: self.diagnostics }))
            }
        }
    }
}
