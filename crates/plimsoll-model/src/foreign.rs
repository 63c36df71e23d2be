//! What is said about reports of foreign scanners: their format, and what a tool's own words for severity mean on the one
//! scale.

use crate::Severity;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// The format of a foreign scanner's report.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ReportFormat {
    /// SARIF 2.1.0.
    Sarif,
    /// `CycloneDX` 1.4 to 1.6 as JSON, with vulnerabilities.
    Cyclonedx,
    /// JUnit's XML: every test case that failed is a finding.
    Junit,
    /// What SonarQube's `api/issues/search` answers.
    Sonarqube,
    /// ZAP's traditional JSON report.
    Zap,
}

impl ReportFormat {
    /// Its name in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sarif => "sarif",
            Self::Cyclonedx => "cyclonedx",
            Self::Junit => "junit",
            Self::Sonarqube => "sonarqube",
            Self::Zap => "zap",
        }
    }
}

impl fmt::Display for ReportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a tool's own words for severity mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SeverityMap {
    /// Key in the properties of a result, or of its rule, that says it: a CVSS score, or one of `words`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// The tool's words, in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub words: BTreeMap<String, Severity>,
    /// What SARIF's level `error` means where nothing else is said.
    pub error: Severity,
    /// What `warning` means.
    pub warning: Severity,
    /// What `note` means.
    pub note: Severity,
}

impl Default for SeverityMap {
    fn default() -> Self {
        Self {
            property: None,
            words: BTreeMap::new(),
            error: Severity::High,
            warning: Severity::Medium,
            note: Severity::Low,
        }
    }
}

impl SeverityMap {
    /// What a word of the tool, or a CVSS score written as text, means; none for words that nobody listed, beside those of
    /// the one scale itself.
    #[must_use]
    pub fn word(&self, word: &str) -> Option<Severity> {
        let lower = word.trim().to_lowercase();
        let own = || Severity::ALL.into_iter().find(|severity| severity.as_str() == lower);
        let score = || lower.parse::<f64>().ok().and_then(Self::score);
        self.words.get(&lower).copied().or_else(own).or_else(score)
    }

    /// The bands of CVSS 3.1, section 5; none for what is no score.
    #[must_use]
    pub fn score(score: f64) -> Option<Severity> {
        match score {
            score if !(0.0..=10.0).contains(&score) => None,
            score if score >= 9.0 => Some(Severity::Critical),
            score if score >= 7.0 => Some(Severity::High),
            score if score >= 4.0 => Some(Severity::Medium),
            score if score > 0.0 => Some(Severity::Low),
            _ => Some(Severity::Info),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_from_the_tool_then_from_the_scale_then_from_scores() {
        let words =
            BTreeMap::from([("high".to_owned(), Severity::Critical), ("blocker".into(), Severity::High)]);
        let map = SeverityMap { words, ..SeverityMap::default() };
        for (word, expect) in [
            ("High", Some(Severity::Critical)),
            (" BLOCKER ", Some(Severity::High)),
            ("medium", Some(Severity::Medium)),
            ("9.8", Some(Severity::Critical)),
            ("7", Some(Severity::High)),
            ("6.9", Some(Severity::Medium)),
            ("0.1", Some(Severity::Low)),
            ("0.0", Some(Severity::Info)),
            ("10.1", None),
            ("NaN", None),
            ("-1", None),
            ("dreadful", None),
        ] {
            assert_eq!(map.word(word), expect, "{word}");
        }
    }
}
