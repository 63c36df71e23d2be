//! What people and programs see. Text goes through `anstream`, which drops colour where it is not wanted.

use owo_colors::OwoColorize as _;
use plimsoll_model::{Outcome, Reason, removed};
use serde::Serialize;
use std::io::{IsTerminal as _, Write as _};

/// Where results and progress go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
}

impl Output {
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// Whether the caller asked for one JSON document.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// A result: text for people, or the value as JSON. A closed pipe is not an error.
    pub(crate) fn result(&self, text: &str, value: &impl Serialize) {
        if self.json {
            self.json(value);
        } else {
            say(text.trim_end());
        }
    }

    /// The same for a result of which only the form that is shown is worth making.
    pub(crate) fn either<V: Serialize>(&self, text: impl FnOnce() -> String, value: impl FnOnce() -> V) {
        if self.json {
            self.json(&value());
        } else {
            say(text().trim_end());
        }
    }

    /// Bytes of a log, as they are but for terminal control.
    pub(crate) fn raw(&self, bytes: &[u8]) {
        let _ = anstream::stdout().write_all(&disarmed(bytes));
    }

    /// A patch for a program, byte for byte; what a person sees of it on a terminal is disarmed.
    pub(crate) fn patch(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let shown = if out.is_terminal() { disarmed(text.as_bytes()) } else { text.as_bytes().to_vec() };
        let _ = out.write_all(&shown);
    }

    /// Progress for people, on standard error, so that results can be piped.
    pub(crate) fn progress(&self, line: &str) {
        if !self.quiet && !self.json {
            let _ = writeln!(anstream::stderr(), "{line}");
        }
    }

    /// One line about something that ended.
    pub(crate) fn outcome(&self, what: &str, outcome: Outcome, detail: &str) {
        let word = match outcome {
            Outcome::Passed => format!("{:>8}", outcome).green().to_string(),
            Outcome::Failed | Outcome::Errored | Outcome::Missing => {
                format!("{:>8}", outcome).red().bold().to_string()
            }
            Outcome::Skipped | Outcome::NotApplicable | Outcome::Stale => {
                format!("{:>8}", outcome).yellow().to_string()
            }
        };
        self.progress(format!("{word}  {what}  {}", detail.dimmed()).trim_end());
    }

    /// Refusals: each with its rule, who can fix it and what to do.
    pub(crate) fn refusal(&self, reasons: &[Reason], status: u8) {
        if self.json {
            self.json(&serde_json::json!({ "result": "refused", "status": status, "reasons": reasons }));
            return;
        }
        let mut out = anstream::stderr();
        for reason in reasons {
            let explanation = reason.code.explanation();
            let _ = writeln!(out, "{} {}", format!("{}:", reason.code).red().bold(), reason.sentence());
            let _ = writeln!(out, "  {} {}", "rule".dimmed(), explanation.rule);
            let _ = writeln!(out, "  {}  {}", "who".dimmed(), explanation.fixer.as_str());
            let _ = writeln!(out, "  {} {}", "next".dimmed(), reason.next().cyan());
        }
    }

    /// Any other error.
    pub(crate) fn error(&self, text: &str, next: Option<&str>, status: u8) {
        if self.json {
            self.json(
                &serde_json::json!({ "result": "error", "status": status, "error": text, "next": next }),
            );
            return;
        }
        let mut out = anstream::stderr();
        let _ = writeln!(out, "{} {text}", "error:".red().bold());
        if let Some(next) = next {
            let _ = writeln!(out, "  {} {}", "next".dimmed(), next.cyan());
        }
    }

    fn json(&self, value: &impl Serialize) {
        if let Ok(mut text) = serde_json::to_vec_pretty(value) {
            text.push(b'\n');
            let _ = std::io::stdout().write_all(&text);
        }
    }
}

/// Text and the end of its line, at once rather than line by line; without colours where nobody would see them.
fn say(text: &str) {
    let mut whole = match anstream::AutoStream::choice(&std::io::stdout()) {
        anstream::ColorChoice::Never => anstream::adapter::strip_str(text).to_string(),
        _ => text.to_owned(),
    };
    whole.push('\n');
    let _ = std::io::stdout().write_all(whole.as_bytes());
}

/// Foreign bytes that may be shown: control characters other than newline and tab become `?`, so that a log cannot
/// drive the terminal.
pub(crate) fn disarmed(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let shown = text.chars().map(|c| match c {
        '\n' | '\t' => c,
        c if c.is_control() && !removed!("disarmed") => '?',
        c => c,
    });
    shown.collect::<String>().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_cannot_drive_the_terminal() {
        assert_eq!(disarmed(b"ok\x1b]0;owned\x07\r\n\tfine"), b"ok?]0;owned??\n\tfine");
    }
}
