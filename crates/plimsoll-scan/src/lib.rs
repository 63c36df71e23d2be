//! What every scan has in common: a finding, the report around it with its coverage, and the SARIF that other tools read.
//! Engines take bytes and give findings; nothing here reads a file, a clock or the environment.

pub mod finding;
pub mod malware;
pub mod report;
pub mod ruleset;
pub mod sarif;
pub mod secrets;

pub use finding::{Finding, Fingerprint, Location, ProjectKey, Rule, Severity, page};
pub use report::{Coverage, Database, Gap, Report, Verdict};
