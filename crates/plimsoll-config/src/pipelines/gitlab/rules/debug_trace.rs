//! A log that shows all variables.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/gitlab-debug-trace",
    title: "the log of each job shows all variables",
    severity: Severity::High,
    help: "\
With `CI_DEBUG_TRACE` the runner prints every command and every variable, masked ones too where they come in another spelling,
into a log that stays. Set it by hand for a single run, and delete that log.

Bad:

```yaml
variables:
  CI_DEBUG_TRACE: \"true\"
```

Good:

```yaml
variables:
  LOG_LEVEL: info
```",
    references: &["https://docs.gitlab.com/ci/variables/#enable-debug-logging"],
};

pub(crate) fn check(pipeline: &Pipeline<'_>, found: &mut Found<'_>) {
    for (key, value) in pipeline.variables() {
        let on = value.text().is_some_and(|text| matches!(text.to_ascii_lowercase().as_str(), "true" | "1"));
        if on && matches!(key.text.as_str(), "CI_DEBUG_TRACE" | "CI_DEBUG_SERVICES") {
            found.at(pipeline.source, &key.span, "every variable is printed into the log").fix("remove it; set it by hand for a single run");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_jobs_too() {
        fires_on(&RULE, FILE, "a:\n  variables: {CI_DEBUG_TRACE: true}\n  script: x\n", &["2:15"]);
    }

    #[test]
    fn is_silent_where_it_is_off() {
        is_silent_on(&RULE, FILE, "variables: {CI_DEBUG_TRACE: 'false'}\n");
    }
}
