//! `environments/<environment>/<project>/exceptions.yaml`: findings that may stand for a while, each with somebody who
//! answers for it. It lies in the delivery repository and is a rule like any other, so that nobody whose project is
//! scanned can silence the scan.

use super::people::{People, PersonName};
use crate::{
    diagnostic::{FileErrors, Findings},
    read::{self, Read, Spanned, mapping, words},
    value::{Line, Version, parse},
    yaml::Node,
};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use plimsoll_model::{CheckName, Digest};
use serde::Serialize;
use std::{collections::BTreeSet, ops::Range};

/// Exceptions of one file.
const MAX_EXCEPTIONS: usize = 1000;
/// The rule about packages that are an attack.
const MALICIOUS: &str = "dependencies/malicious";

mapping! {
    /// `environments/<environment>/<project>/exceptions.yaml`: findings that may stand for a while.
    ExceptionsFile {
        /// Version of this form of file; always 1, and always the first key.
        #[expect(dead_code, reason = "judged before anything else is read")]
        version: Version,
        /// The exceptions; at most 1000.
        exceptions: Spanned<Vec<Spanned<ExceptionFile>>>,
    }
}

mapping! {
    /// A finding that may stand until a day. It is named by `finding`, by `rule` with `path` or `package`, or by `advisory`
    /// with `package`. `plimsoll why <project>@<environment> --exceptions` prints entries to copy.
    ExceptionFile {
        /// The scan that finds it, as in `secrets`, `artifact-dependencies` or `hadolint`: by Plimsoll, or of a foreign scanner
        /// that a manifest describes.
        scan: Spanned<CheckName>,
        /// Fingerprint of the finding.
        finding: Option<Digest>,
        /// Rule of the finding, as in `config/dockerfile-root-user`.
        rule: Option<Line>,
        /// File in which the rule finds it, below what is scanned.
        path: Option<Line>,
        /// One of the names of an advisory, as in `CVE-2026-1234`.
        advisory: Option<Line>,
        /// Package URL with version, as in `pkg:cargo/smallvec@1.6.0`.
        package: Option<Line>,
        /// Somebody in people.yaml who answers for it. No robot.
        owner: Spanned<PersonName>,
        /// Why it may stand.
        reason: Line,
        /// Why a vulnerability does not matter, for VEX documents that are made of exceptions. Default: it matters, and is
        /// accepted.
        justification: Option<Justification>,
        /// Last day on which it may stand, in UTC, as in `2026-12-31`. It counts from a year before that day on.
        expires: Spanned<Day>,
    }
}

/// A day as `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Day(Date);

impl Read for Day {
    fn read(node: &Node, found: &mut Findings) -> Option<Self> {
        parse(node, found, |text| {
            let day = text.parse::<Date>().ok().filter(|day| day.to_string() == text && day.year() >= 2000);
            day.map(Self).ok_or_else(|| format!("`{text}` is not a day: expected it as in `2026-12-31`"))
        })
    }
}

impl schemars::JsonSchema for Day {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })
    }
}

/// Why a vulnerability does not matter (OpenVEX 0.2.0, "Status Justifications").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename_all = "snake_case")]
pub enum Justification {
    /// The product does not have the package.
    ComponentNotPresent,
    /// The package does not have the code.
    VulnerableCodeNotPresent,
    /// Nothing calls the code.
    VulnerableCodeNotInExecutePath,
    /// Nobody from outside reaches the code.
    VulnerableCodeCannotBeControlledByAdversary,
    /// Something else keeps attackers away.
    InlineMitigationsAlreadyExist,
}

words!(Justification {
    "component_not_present" => Self::ComponentNotPresent,
    "vulnerable_code_not_present" => Self::VulnerableCodeNotPresent,
    "vulnerable_code_not_in_execute_path" => Self::VulnerableCodeNotInExecutePath,
    "vulnerable_code_cannot_be_controlled_by_adversary" => Self::VulnerableCodeCannotBeControlledByAdversary,
    "inline_mitigations_already_exist" => Self::InlineMitigationsAlreadyExist,
});

impl Justification {
    /// The word of OpenVEX.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ComponentNotPresent => "component_not_present",
            Self::VulnerableCodeNotPresent => "vulnerable_code_not_present",
            Self::VulnerableCodeNotInExecutePath => "vulnerable_code_not_in_execute_path",
            Self::VulnerableCodeCannotBeControlledByAdversary => {
                "vulnerable_code_cannot_be_controlled_by_adversary"
            }
            Self::InlineMitigationsAlreadyExist => "inline_mitigations_already_exist",
        }
    }
}

/// A finding that may stand for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exception {
    /// The scan that finds it.
    pub scan: CheckName,
    /// Which finding.
    pub of: Excepted,
    /// Who answers for it: somebody in people.yaml.
    pub owner: String,
    /// Why, in one line.
    pub reason: String,
    /// Why it does not matter, where it is a vulnerability that does not.
    pub justification: Option<Justification>,
    /// When it begins to count: a year before it ends, so that nothing is excepted for ever.
    pub from: Timestamp,
    /// When it stops to count.
    pub until: Timestamp,
}

/// Which finding an exception is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Excepted {
    /// The one with this fingerprint.
    Finding(Digest),
    /// Whatever a rule finds in a file.
    Place {
        /// Identifier of the rule.
        rule: String,
        /// The file.
        path: String,
    },
    /// Whatever a rule finds about a package.
    Package {
        /// Identifier of the rule.
        rule: String,
        /// Package URL.
        package: String,
    },
    /// An advisory about a package.
    Advisory {
        /// One of its names.
        advisory: String,
        /// Package URL.
        package: String,
    },
}

/// Reads `exceptions.yaml`. `file` is its name for messages; `people` are those who may answer for an exception.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(file: &str, bytes: &[u8], people: &People) -> Result<Vec<Exception>, Box<FileErrors>> {
    read::file(file, bytes, |file, found| Some(check(file, people, found)))
}

fn check(file: ExceptionsFile, people: &People, found: &mut Findings) -> Vec<Exception> {
    let Spanned { span, value: list } = file.exceptions;
    if list.len() > MAX_EXCEPTIONS {
        let help = "mend some of what was found";
        found.help(&span, format!("has more than {MAX_EXCEPTIONS} exceptions"), help);
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    let mut exceptions = Vec::new();
    for Spanned { span, value } in list {
        let Some(exception) = exception(value, &span, people, found) else { continue };
        if !seen.insert((exception.scan.clone(), exception.of.clone())) {
            found.help(&span, "is listed twice", "keep one of them");
        }
        exceptions.push(exception);
    }
    exceptions
}

fn exception(
    file: ExceptionFile,
    span: &Range<usize>,
    people: &People,
    found: &mut Findings,
) -> Option<Exception> {
    let PersonName(owner) = file.owner.value;
    if !people.people.iter().any(|person| person.name == owner && !person.robot) {
        let help = "name a person who answers for it, with the name that people.yaml has";
        found.help(&file.owner.span, format!("nobody in people.yaml is called `{owner}`"), help);
    }
    let of = excepted((file.finding, file.rule, file.path, file.advisory, file.package), span, found);
    let until = end_of(file.expires.value.0);
    if until.is_none() {
        found.add(&file.expires.span, "is not a day that comes");
    }
    let (until, of) = until.zip(of)?;
    let from = until.checked_sub((366 * 24).hours()).unwrap_or(Timestamp::MIN);
    Some(Exception {
        scan: file.scan.value,
        of,
        owner,
        reason: file.reason.0,
        justification: file.justification,
        from,
        until,
    })
}

fn end_of(day: Date) -> Option<Timestamp> {
    let next = day.tomorrow().ok()?;
    Some(next.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

type Named = (Option<Digest>, Option<Line>, Option<Line>, Option<Line>, Option<Line>);

fn excepted(named: Named, span: &Range<usize>, found: &mut Findings) -> Option<Excepted> {
    let of = match named {
        (Some(finding), None, None, None, None) => Excepted::Finding(finding),
        (None, Some(rule), Some(path), None, None) => Excepted::Place { rule: rule.0, path: path.0 },
        (None, Some(rule), None, None, Some(package)) => {
            Excepted::Package { rule: rule.0, package: package.0 }
        }
        (None, None, None, Some(advisory), Some(package)) => {
            Excepted::Advisory { advisory: advisory.0, package: package.0 }
        }
        _ => {
            let help = "write `finding`, `rule` with `path` or `package`, or `advisory` with `package`";
            found.help(span, "does not name one finding", help);
            return None;
        }
    };
    let attack = |name: &str| name.to_ascii_uppercase().starts_with("MAL-");
    let malicious = match &of {
        Excepted::Place { rule, .. } | Excepted::Package { rule, .. } => rule == MALICIOUS || attack(rule),
        Excepted::Advisory { advisory, .. } => attack(advisory),
        Excepted::Finding(_) => false,
    };
    if malicious {
        found.help(span, "a package that is an attack has no exception", "remove the package");
    }
    Some(of)
}
