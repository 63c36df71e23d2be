//! The rules about Dockerfiles, one in each file.

use super::{Check, Rule};

/// Declares the modules and puts them into the registry.
macro_rules! registry {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*
        /// Every rule with its check.
        pub(crate) const RULES: &[(&Rule, Check)] = &[$((&$name::RULE, $name::check)),*];
    };
}

registry! {
    moving_base,
    root_user,
}

/// What nearly every rule needs.
mod prelude {
    #[cfg(test)]
    pub(super) use crate::test::{fires_on, is_fixed_by_its_diff, is_silent_on};
    pub(super) use crate::{
        diff::Edit,
        dockerfile::parse::{Base, Dockerfile},
        issue::Found,
    };
    pub(super) use plimsoll_scan::{Rule, Severity};
}
