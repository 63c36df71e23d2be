//! A check whose failure nobody sees.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/gitlab-ignored-scanner",
    title: "a security check may fail without consequence",
    severity: Severity::Low,
    help: "\
With `allow_failure: true` a scan that finds something, or that does not run at all, leaves the pipeline green. Accept single
findings in the scanner's own list, with a reason, and let the job fail on the others.

Bad:

```yaml
sast:
  script: [semgrep ci]
  allow_failure: true
```

Good:

```yaml
sast:
  script: [semgrep ci]
```",
    references: &["https://docs.gitlab.com/ci/yaml/#allow_failure"],
};

/// Parts of names of jobs that look for weaknesses.
const CHECKS: &[&str] = &["sast", "dast", "secret", "dependency-scan", "dependency_scan", "container_scan", "container-scan", "security", "trivy", "grype", "semgrep", "gitleaks", "audit", "vulnerab"];

pub(crate) fn check(pipeline: &Pipeline<'_>, found: &mut Found<'_>) {
    for job in &pipeline.jobs {
        let name = job.key.text.to_ascii_lowercase();
        let node = job.node.get("allow_failure").filter(|node| node.truth() == Some(true));
        if let Some(node) = node.filter(|_| CHECKS.iter().any(|check| name.contains(check))) {
            found
                .at(pipeline.source, &node.span, format!("`{}` may fail and nothing happens", job.key.text))
                .subject(&job.key.text)
                .fix("remove it, and accept single findings with a reason");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_checks() {
        fires_on(&RULE, FILE, "trivy-scan:\n  script: x\n  allow_failure: true\n", &["3:18"]);
    }

    #[test]
    fn is_silent_on_other_jobs_and_on_exit_codes() {
        is_silent_on(&RULE, FILE, "lint:\n  script: x\n  allow_failure: true\n");
        is_silent_on(&RULE, FILE, "sast:\n  script: x\n  allow_failure: {exit_codes: 3}\n");
    }
}
