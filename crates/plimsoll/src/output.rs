//! What people and programs see. Text goes through `anstream`, which drops colour where it is not wanted.

use owo_colors::OwoColorize as _;
use plimsoll_model::{Outcome, Reason, reason::is_hostile, removed};
use serde::Serialize;
use std::{
    fmt::Write as _,
    io::{IsTerminal as _, Write as _},
};

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

    /// JSON for a program, byte for byte; on a terminal it has the escapes that keep it from driving that. A closed pipe is
    /// not an error.
    pub(crate) fn document(&self, json: &[u8]) {
        let mut out = std::io::stdout().lock();
        let text = |json| escaped(String::from_utf8_lossy(json).into_owned()).into_bytes();
        let shown = if out.is_terminal() { text(json) } else { json.to_vec() };
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

    /// Any other error; foreign names can stand in it.
    pub(crate) fn error(&self, text: &str, next: Option<&str>, status: u8) {
        if self.json {
            self.json(
                &serde_json::json!({ "result": "error", "status": status, "error": text, "next": next }),
            );
            return;
        }
        let mut out = anstream::stderr();
        let _ = writeln!(out, "{} {}", "error:".red().bold(), shown(text));
        if let Some(next) = next {
            let _ = writeln!(out, "  {} {}", "next".dimmed(), shown(next).cyan());
        }
    }

    fn json(&self, value: &impl Serialize) {
        if let Ok(mut text) = serde_json::to_string_pretty(value) {
            text.push('\n');
            let _ = std::io::stdout().write_all(escaped(text).as_bytes());
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

/// JSON of which a terminal obeys nothing. What JSON lets stand as it is and a terminal does not, such as C1 controls, is in
/// strings alone, where an escape is the same text to every reader.
fn escaped(json: String) -> String {
    let hostile = |c: char| c != '\n' && is_hostile(c) && !removed!("json-escapes");
    if !json.contains(hostile) {
        return json;
    }
    json.chars().fold(String::with_capacity(json.len()), |mut text, c| {
        if hostile(c) {
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        } else {
            text.push(c);
        }
        text
    })
}

/// Foreign bytes that may be shown: newline and tab stay, and what else a terminal would obey becomes `?`, so that a log
/// cannot drive it.
pub(crate) fn disarmed(bytes: &[u8]) -> Vec<u8> {
    shown(&String::from_utf8_lossy(bytes)).into_bytes()
}

fn shown(text: &str) -> String {
    let shown = |c| match c {
        '\n' | '\t' => c,
        c if is_hostile(c) && !removed!("disarmed") => '?',
        c => c,
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_cannot_drive_the_terminal() {
        assert_eq!(disarmed(b"ok\x1b]0;owned\x07\r\n\tfine"), b"ok?]0;owned??\n\tfine");
        assert_eq!(disarmed("\u{9b}2J\u{202e}abc é".as_bytes()), "?2J?abc é".as_bytes());
    }

    #[test]
    fn json_says_the_same_and_drives_no_terminal() {
        let value = serde_json::json!({ "a\u{9b}": ["\u{1b}[2J\u{85}\u{7f}\n\u{202e}é€", "\\u009b"] });
        let shown = escaped(serde_json::to_string_pretty(&value).unwrap());
        assert!(!shown.contains(|c| c != '\n' && is_hostile(c)), "{shown:?}");
        assert!(shown.contains("\\u009b") && shown.contains("é€"), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}
