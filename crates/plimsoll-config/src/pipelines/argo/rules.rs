//! The rules about Argo Workflows, one in each file.

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
    default_service_account,
    host_network,
    mutable_input,
    parameter_in_manifest,
    parameter_in_script,
    privileged_step,
}

/// What nearly every rule needs.
mod prelude {
    #[cfg(test)]
    pub(super) use crate::test::{fires_on, is_silent_on};
    pub(super) use crate::{
        issue::Found,
        pipelines::argo::{Workflow, programs},
    };
    pub(super) use plimsoll_scan::{Rule, Severity};
    /// Where the tests put a pipeline.
    #[cfg(test)]
    pub(super) const FILE: &str = "workflow.yaml";
}
