//! The rules about Jenkins, one in each file.

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
    built_in_node,
    docker_privileges,
    dynamic_groovy,
    mutable_library,
    plain_http,
    script_injection,
    secret_in_string,
}

/// What nearly every rule needs.
mod prelude {
    #[cfg(test)]
    pub(super) use crate::test::{fires_on, is_silent_on};
    pub(super) use crate::{
        issue::Found,
        pipelines::jenkins::{Jenkinsfile, groovy},
    };
    pub(super) use plimsoll_scan::{Rule, Severity};
    /// Where the tests put a pipeline.
    #[cfg(test)]
    pub(super) const FILE: &str = "Jenkinsfile";
}
