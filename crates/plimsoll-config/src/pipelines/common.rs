//! Rules about what the pipelines of all systems have, one in each file.

use super::Facts;
use crate::issue::{Found, Issues};
use plimsoll_scan::Rule;

/// Looks at one pipeline for one rule.
type Check = fn(&Facts, &mut Found<'_>);

/// Its rules.
pub(super) fn rules() -> Vec<&'static Rule> {
    RULES.iter().map(|(rule, _)| *rule).collect()
}

/// Judges what a reader found in one file.
pub(super) fn check(facts: &Facts, issues: &mut Issues) {
    RULES.iter().for_each(|(rule, check)| check(facts, &mut issues.of(rule)));
}

/// Declares the modules and puts them into the registry.
macro_rules! registry {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*
        /// Every rule with its check.
        const RULES: &[(&Rule, Check)] = &[$((&$name::RULE, $name::check)),*];
    };
}

registry! {
    disabled_tls,
    download_to_shell,
    environment_printed,
    masking_bypass,
    mutable_image,
    no_time_limit,
    plain_secret,
    unpinned_install,
}

/// What nearly every rule needs.
mod prelude {
    #[cfg(test)]
    pub(super) use crate::test::{fires_on, is_silent_on};
    pub(super) use crate::{
        issue::Found,
        pipelines::{Facts, script::pipes, words},
        shell::Command,
    };
    pub(super) use plimsoll_scan::{Rule, Severity};
    /// Where the tests put a workflow.
    #[cfg(test)]
    pub(super) const WORKFLOW: &str = ".github/workflows/a.yml";
    /// A workflow whose only step runs `script`.
    #[cfg(test)]
    pub(super) fn running(script: &str) -> String {
        format!("on: push\njobs:\n  a:\n    runs-on: b\n    steps:\n      - run: {script}\n")
    }
}
