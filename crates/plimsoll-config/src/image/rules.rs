//! The rules about configurations of images, one in each file.

use super::{Check, Rule};

mod engine_socket;
mod remote_content;
mod root_user;
mod secret_in_env;
mod secret_in_history;
mod ssh_port;
mod stop_signal;
mod tls_verification_off;
mod without_source;

/// The rules of some modules with their checks.
macro_rules! registry {
    ($($name:ident),* $(,)?) => { &[$((&$name::RULE, $name::check)),*] };
}

/// Every rule with its check.
pub(crate) const RULES: &[(&Rule, Check)] = registry![
    engine_socket,
    remote_content,
    root_user,
    secret_in_env,
    secret_in_history,
    ssh_port,
    stop_signal,
    tls_verification_off,
    without_source,
];

/// What nearly every rule needs.
mod prelude {
    #[cfg(test)]
    pub(super) use super::image;
    #[cfg(test)]
    pub(super) use crate::test::{fires_on, is_silent_on};
    pub(super) use crate::{image::Image, issue::Found, yaml::Node};
    pub(super) use plimsoll_scan::{Rule, Severity};
}

/// A configuration whose fields for containers stand in line 2.
#[cfg(test)]
fn image(config: &str) -> String {
    format!("{{\n  \"config\": {{{config}}},\n  \"rootfs\": {{\"type\": \"layers\", \"diff_ids\": []}}\n}}\n")
}
