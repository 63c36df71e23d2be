//! `plimsoll scan config`.

use super::tree;
use crate::failure::Failure;
use plimsoll_config::Checker;
use plimsoll_model::ScanEngine;
use plimsoll_scan::Report;
use std::path::Path;

/// Looks at every file that some rule knows how to read.
///
/// # Errors
/// When `path` cannot be opened.
pub(crate) fn scan(path: &Path) -> Result<Report, Failure> {
    let mut checker = Checker::new();
    let walked = tree::walk(path, &|_| true, &mut |path, bytes| {
        checker.add(path, bytes);
    })?;
    let mut checked = checker.finish();
    checked.coverage.gaps.extend(walked.gaps.into_iter().filter(|gap| may_be_configuration(&gap.path)));
    Ok(Report {
        engine: ScanEngine::Config,
        version: env!("CARGO_PKG_VERSION"),
        rules: plimsoll_config::rules(),
        rules_digest: plimsoll_config::rules_digest(),
        imported: None,
        database: None,
        coverage: checked.coverage,
        findings: checked.findings,
        suppressed: checked.suppressed,
    })
}

/// Whether a file has a name as configuration has it. Others that could not be read are no business of this scan.
pub(crate) fn may_be_configuration(path: &str) -> bool {
    const ENDS: [&str; 9] =
        ["yaml", "yml", "json", "tf", "tfvars", "hcl", "template", "dockerfile", "containerfile"];
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let end = name.rsplit('.').next().unwrap_or_default();
    ENDS.contains(&end)
        || ["dockerfile", "containerfile", "jenkinsfile"].iter().any(|beginning| name.starts_with(beginning))
}
