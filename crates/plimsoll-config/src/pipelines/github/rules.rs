//! The rules about GitHub Actions, one in each file.

use super::{Check, Rule};

/// Declares the modules and puts them into the registry.
macro_rules! registry {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*
        /// Every rule with its check.
        pub(super) const RULES: &[(&Rule, Check)] = &[$((&$name::RULE, $name::check)),*];
    };
}

registry! {
    actor_condition,
    agent_prompt,
    all_secrets,
    always_true,
    app_token_scope,
    artifact_poisoning,
    cache_poisoning,
    comment_before_checkout,
    environment_file,
    identity_token,
    inherited_secrets,
    input_in_script,
    long_lived_credentials,
    missing_permissions,
    mutable_action,
    persisted_credentials,
    privileged_trigger,
    script_injection,
    secret_in_script,
    secret_sent,
    secret_too_wide,
    self_hosted_runner,
    substring_condition,
    unsecure_commands,
    untrusted_checkout,
    write_all,
    write_for_all_jobs,
}

/// What nearly every rule needs.
mod prelude {
    #[cfg(test)]
    pub(super) use crate::test::{fires_on, is_fixed_by_its_diff, is_silent_on};
    pub(super) use crate::{
        issue::Found,
        pipelines::{
            github::{
                change,
                expression::{anybody_writes, contexts},
                workflow::{Job, Step, Workflow},
            },
            words,
        },
    };
    pub(super) use plimsoll_scan::{Rule, Severity};
    /// Where the tests put a workflow.
    #[cfg(test)]
    pub(super) const WORKFLOW: &str = ".github/workflows/a.yml";
}
