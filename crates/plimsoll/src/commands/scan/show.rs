//! Findings for people: place, what is wrong, the line with a mark under it, and what to do.

use super::others::{Other, Others};
use owo_colors::OwoColorize as _;
use plimsoll_model::reason::printable;
use plimsoll_scan::{Finding, Gap, Location, Report, Severity, Verdict, sarif::Foreign};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Write as _};

/// Characters of a line that are shown.
const WIDTH: usize = 100;
/// Problems of one report that are shown.
const MAX_GAPS: usize = 10;

/// Everything of at least this severity, the worst last, where a terminal shows it; then what each engine looked at.
pub(crate) fn text(reports: &[Report], others: &Others, least: Severity) -> String {
    let own = reports.iter().flat_map(|report| &report.findings);
    let foreign = others.reports.iter().flat_map(|other| &other.said.findings);
    let mut shown: Vec<&Finding> = own.chain(foreign).filter(|found| found.severity >= least).collect();
    shown.sort_by(|a, b| (a.severity, &a.location).cmp(&(b.severity, &b.location)));
    let mut text = blocks(&shown, others);
    for report in reports {
        text.push_str(&summary(report, least));
    }
    text.extend(others.reports.iter().map(|other| foreign_summary(other, least)));
    text
}

/// Findings in this order; what the same repair answers stands where the first of it does.
pub(crate) fn findings(sorted: &[&Finding]) -> String {
    blocks(sorted, &Others::default())
}

fn blocks(sorted: &[&Finding], others: &Others) -> String {
    alike(sorted).iter().map(|group| block(group[0], &group[1..], others) + "\n").collect()
}

/// Groups of at least one.
fn alike<'a>(sorted: &[&'a Finding]) -> Vec<Vec<&'a Finding>> {
    let mut groups: Vec<Vec<&Finding>> = vec![];
    let mut known = BTreeMap::new();
    for found in sorted {
        let next = groups.len();
        let group = *known.entry((found.severity, &found.rule, &found.fix)).or_insert(next);
        match groups.get_mut(group) {
            Some(group) => group.push(found),
            None => groups.push(vec![found]),
        }
    }
    groups
}

/// A finding, and in a line each where else it is so.
fn block(found: &Finding, alike: &[&Finding], others: &Others) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "{} {}", severity(found.severity), printable(&found.message, 300).bold());
    let _ = writeln!(text, "  {} {}", "-->".blue(), printable(&place(found), 400));
    if let Some(location) = found.location.as_ref().filter(|location| !location.excerpt.is_empty()) {
        text.push_str(&line(location, found.severity));
    }
    text.push_str(&found_too(found, others));
    for other in alike {
        text.push_str(&also(found, other));
        text.push_str(&found_too(other, others));
    }
    if let Some(fix) = &found.fix {
        let _ = writeln!(text, "  {} {}", "fix:".green(), printable(fix, 300));
    }
    let _ = match others.by(found) {
        None => {
            let more = format!("plimsoll explain {}", found.rule);
            writeln!(text, "  {} {}", "more:".dimmed(), more.dimmed())
        }
        Some(tool) => {
            let rule = format!("{tool}, {}", found.rule);
            writeln!(text, "  {} {}", "by:".dimmed(), printable(&rule, 300).dimmed())
        }
    };
    text
}

fn found_too(found: &Finding, others: &Others) -> String {
    let names = others.also(found);
    if names.is_empty() {
        String::new()
    } else {
        format!("  also found by {}\n", printable(&names.join(", "), 300))
    }
}

/// Another place of the same, with what differs there: what is wrong, or else the line.
fn also(first: &Finding, other: &Finding) -> String {
    let line = other.location.as_ref().map(|location| location.excerpt.trim());
    let what = if other.message == first.message { line.unwrap_or_default() } else { &other.message };
    let what = if what.is_empty() { String::new() } else { format!(": {}", printable(what, WIDTH)) };
    format!("  {} {}{}\n", "and".blue(), printable(&place(other), 400), what.dimmed())
}

fn place(found: &Finding) -> String {
    let Some(location) = &found.location else {
        return found.subject.clone();
    };
    let commit = location.commit.as_ref().map(|commit| format!(" in {}", &commit.as_str()[..12]));
    format!("{}:{}:{}{}", location.path, location.line, location.column, commit.unwrap_or_default())
}

/// The line with a mark under what was found. A long line is shown from shortly before it.
fn line(location: &Location, severity: Severity) -> String {
    let number = location.line.to_string();
    let before = (location.column.max(1) - 1) as usize;
    let first = if before > WIDTH / 2 { before - 20 } else { 0 };
    let excerpt: String = location.excerpt.chars().skip(first).take(WIDTH).collect();
    let one_line = location.end_line == location.line && location.end_column > location.column;
    let length = if one_line { (location.end_column - location.column) as usize } else { 1 };
    let column = (before - first).min(WIDTH);
    let mark = "^".repeat(length.clamp(1, WIDTH - column.min(WIDTH - 1)));
    let mark = if severity >= Severity::High { mark.red().to_string() } else { mark.yellow().to_string() };
    let rule = "|".blue();
    let pad = " ".repeat(number.len());
    format!(
        "{} {rule} {}\n{pad} {rule} {}{mark}\n",
        number.blue(),
        printable(&excerpt.replace('\t', " "), WIDTH),
        " ".repeat(column),
    )
}

fn severity(severity: Severity) -> String {
    let word = format!("{severity}:");
    match severity {
        Severity::Critical | Severity::High => word.red().bold().to_string(),
        Severity::Medium => word.yellow().bold().to_string(),
        Severity::Low | Severity::Info => word.blue().bold().to_string(),
    }
}

fn summary(report: &Report, least: Severity) -> String {
    let word = match report.verdict(least) {
        Verdict::Clean => "clean".green().to_string(),
        Verdict::Findings => "findings".red().bold().to_string(),
        Verdict::Partial => "partial".yellow().bold().to_string(),
        Verdict::Empty => "nothing to look at".yellow().to_string(),
    };
    let coverage = &report.coverage;
    let mut text = format!("{:<13} {word}: {}", report.engine.as_str(), counts(report));
    let _ = write!(text, "; looked at {} files, {} bytes", coverage.files, coverage.bytes);
    if coverage.packages > 0 {
        let _ = write!(text, ", {} packages", coverage.packages);
    }
    if let Some(database) = &report.database {
        let _ = write!(text, "; advisories of {}", database.updated);
    }
    if let Some(imported) = &report.imported {
        let _ = write!(text, "; imported rules {imported}");
    }
    text.push('\n');
    text.push_str(&gaps(&coverage.gaps));
    text
}

/// What was not looked at, each problem once.
pub(crate) fn gaps(gaps: &[Gap]) -> String {
    let mut problems: Vec<(&str, &str, usize)> = vec![];
    let mut known = BTreeMap::new();
    for gap in gaps {
        let next = problems.len();
        match problems.get_mut(*known.entry(&gap.problem).or_insert(next)) {
            Some((_, _, others)) => *others += 1,
            None => problems.push((&gap.problem, &gap.path, 0)),
        }
    }
    let mut text = String::new();
    for (problem, path, others) in problems.iter().take(MAX_GAPS) {
        let others = if *others > 0 { format!(" and {others} more") } else { String::new() };
        let (path, problem) = (printable(path, 400), printable(problem, 300));
        let _ = writeln!(text, "  {} {path}{others}: {problem}", "not looked at".yellow());
    }
    if problems.len() > MAX_GAPS {
        let _ = writeln!(text, "  and {} more problems", problems.len() - MAX_GAPS);
    }
    text
}

/// What another tool found that nobody found before it.
fn foreign_summary(other: &Other, least: Severity) -> String {
    let Foreign { tool, version, findings, problem } = &other.said;
    let found = findings.iter().any(|found| found.severity >= least);
    let word = match (found, problem) {
        (true, _) => "findings".red().bold().to_string(),
        (false, Some(_)) => "partial".yellow().bold().to_string(),
        (false, None) => "nothing more".green().to_string(),
    };
    let mut parts = by_severity(findings);
    if other.known > 0 {
        parts.push(format!("{} that others found", other.known));
    }
    if other.suppressed > 0 {
        parts.push(format!("{} suppressed by the tool", other.suppressed));
    }
    let by = version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let mut text = format!(
        "{:<13} {word}: {}; in {}\n",
        format!("{tool}{by}"),
        parts.join(", "),
        printable(&other.file, 400)
    );
    if let Some(problem) = problem {
        let _ = writeln!(text, "  {} {}", "came to no answer:".yellow(), printable(problem, 300));
    }
    text
}

/// How many there are of each severity, the worst first.
fn by_severity(findings: &[Finding]) -> Vec<String> {
    let of = |severity| findings.iter().filter(|found| found.severity == severity).count();
    let there = Severity::ALL.into_iter().rev().filter(|severity| of(*severity) > 0);
    let mut parts: Vec<String> = there.map(|severity| format!("{} {severity}", of(severity))).collect();
    if parts.is_empty() {
        parts.push("no findings".into());
    }
    parts
}

fn counts(report: &Report) -> String {
    let mut parts = by_severity(&report.findings);
    if !report.suppressed.is_empty() {
        parts.push(format!("{} allowed by comments", report.suppressed.len()));
    }
    parts.join(", ")
}

/// The same as one document.
pub(crate) fn json(reports: &[Report], others: &Others, least: Severity) -> Value {
    let shown = |findings: &[Finding]| -> Vec<Value> {
        let all = findings.iter().filter(|found| found.severity >= least);
        let with = all.map(|found| {
            let mut value = json!(found);
            let also = others.also(found);
            if !also.is_empty() {
                value["also_found_by"] = json!(also);
            }
            value
        });
        with.collect()
    };
    let one = |report: &Report| {
        json!({
            "engine": report.engine,
            "verdict": match report.verdict(least) {
                Verdict::Clean => "clean",
                Verdict::Findings => "findings",
                Verdict::Partial => "partial",
                Verdict::Empty => "empty",
            },
            "rules_digest": report.rules_digest,
            "imported_rules": report.imported,
            "database": report.database,
            "coverage": report.coverage,
            "findings": shown(&report.findings),
            "suppressed": report.suppressed,
        })
    };
    let mut document = json!({ "reports": reports.iter().map(one).collect::<Vec<_>>() });
    if !others.reports.is_empty() {
        let other = |other: &Other| {
            json!({
                "file": other.file, "tool": other.said.tool, "version": other.said.version,
                "problem": other.said.problem, "findings": shown(&other.said.findings),
                "known": other.known, "suppressed": other.suppressed,
            })
        };
        document["others"] = others.reports.iter().map(other).collect();
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_scan::Fingerprint;

    fn at(line: u32, column: u32, end_column: u32, excerpt: &str) -> Finding {
        Finding {
            rule: "config/example".into(),
            severity: Severity::High,
            message: "it is so".into(),
            fix: Some("make it not so".into()),
            diff: None,
            location: Some(Location {
                path: "a/Dockerfile".into(),
                line,
                column,
                end_line: line,
                end_column,
                excerpt: excerpt.into(),
                commit: None,
            }),
            subject: String::new(),
            aliases: vec![],
            fingerprint: Fingerprint::of("config/example", &[]),
        }
    }

    fn report(findings: Vec<Finding>, gaps: Vec<Gap>) -> Report {
        Report {
            engine: plimsoll_model::ScanEngine::Config,
            version: "0",
            rules: vec![],
            rules_digest: plimsoll_model::Digest::of(b""),
            imported: None,
            database: None,
            coverage: plimsoll_scan::Coverage { files: 9, gaps, ..Default::default() },
            findings,
            suppressed: vec![],
        }
    }

    /// Without colour.
    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn a_finding_shows_its_place_its_line_and_what_to_do() {
        assert_eq!(
            plain(&block(&at(12, 6, 10, "FROM base"), &[], &Others::default())),
            "high: it is so\n  --> a/Dockerfile:12:6\n12 | FROM base\n   |      ^^^^\n  fix: make it not so\n  \
             more: plimsoll explain config/example\n"
        );
    }

    #[test]
    fn what_one_repair_answers_stands_together_and_every_place_is_named() {
        let second = Finding { message: "so it is".into(), ..at(20, 1, 5, "FROM other") };
        let elsewhere = Finding { fix: Some("make it so".into()), ..at(30, 1, 5, "FROM third") };
        let found = vec![at(12, 6, 10, "FROM base"), at(14, 1, 5, "  FROM next"), elsewhere, second];
        assert_eq!(
            plain(&text(&[report(found, vec![])], &Others::default(), Severity::Info)),
            "high: it is so\n  --> a/Dockerfile:12:6\n12 | FROM base\n   |      ^^^^\n  \
             and a/Dockerfile:14:1: FROM next\n  and a/Dockerfile:20:1: so it is\n  \
             fix: make it not so\n  more: plimsoll explain config/example\n\n\
             high: it is so\n  --> a/Dockerfile:30:1\n30 | FROM third\n   | ^^^^\n  \
             fix: make it so\n  more: plimsoll explain config/example\n\n\
             config        findings: 4 high; looked at 9 files, 0 bytes\n"
        );
    }

    #[test]
    fn a_problem_of_many_files_is_told_once_and_drives_no_terminal() {
        let gap = |path: &str, problem: &str| Gap { path: path.into(), problem: problem.into() };
        let gaps = vec![gap("a\u{1b}[2J", "no index"), gap("b", "too large"), gap("c", "no index")];
        assert_eq!(
            plain(&text(&[report(vec![], gaps)], &Others::default(), Severity::Info)),
            "config        partial: no findings; looked at 9 files, 0 bytes\n  \
             not looked at a\u{fffd}[2J and 1 more: no index\n  not looked at b: too large\n"
        );
    }

    #[test]
    fn a_long_line_is_shown_around_what_was_found_and_drives_no_terminal() {
        let excerpt = format!("{}\u{1b}[31mfound", "x".repeat(5_000));
        let shown = plain(&block(&at(1, 5_006, 5_011, &excerpt), &[], &Others::default()));
        assert!(!shown.contains('\u{1b}'));
        let lines: Vec<_> = shown.lines().collect();
        let (text, mark) = (lines[2], lines[3]);
        assert!(text.len() < 200, "{shown}");
        let before = |line: &str, what: &str| line.split_once(what).map(|(before, _)| before.chars().count());
        assert_eq!(before(text, "found"), before(mark, "^"), "{shown}");
    }
}
