//! The rules about Kubernetes objects, one in each file.

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
    privileged,
}

/// What nearly every rule needs.
mod prelude {
    #[cfg(test)]
    pub(super) use super::cases::*;
    pub(super) use crate::{issue::Found, kubernetes::graph::Graph};
    pub(super) use plimsoll_scan::{Rule, Severity};
}

#[cfg(test)]
mod cases;
