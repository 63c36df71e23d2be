//! The rules about GitLab CI, one in each file.

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
    broad_artifacts,
    debug_trace,
    deploy_on_merge_request,
    docker_without_tls,
    evaluated_text,
    ignored_scanner,
    input_in_script,
    mutable_include,
    remote_include,
    token_in_address,
    unprotected_cache,
}

/// What nearly every rule needs.
mod prelude {
    #[cfg(test)]
    pub(super) use crate::test::{fires_on, is_silent_on};
    pub(super) use crate::{issue::Found, pipelines::gitlab::Pipeline};
    pub(super) use plimsoll_scan::{Rule, Severity};
    /// Where the tests put a pipeline.
    #[cfg(test)]
    pub(super) const FILE: &str = ".gitlab-ci.yml";
}
