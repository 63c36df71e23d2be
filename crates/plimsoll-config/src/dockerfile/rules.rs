//! The rules about Dockerfiles, one in each file.

use super::{Check, Rule};

mod add_for_copy;
mod add_git_branch;
mod add_remote;
mod apt_asks;
mod apt_key;
mod apt_lists_left;
mod apt_update_alone;
mod base_without_digest;
mod cd_alone;
mod copy_from_moving_image;
mod credentials_in_url;
mod docker_socket;
mod duplicate_stage;
mod empty_continuation;
mod fixed_platform;
mod foreign_frontend;
mod host_network_run;
mod insecure_run;
mod invalid_port;
mod legacy_pair;
mod maintainer;
mod moving_base;
mod npm_unlocked;
mod password_set;
mod pipe_to_shell;
mod pipe_without_pipefail;
mod plain_http;
mod python_unpinned;
mod relative_copy;
mod relative_workdir;
mod reserved_stage;
mod root_user;
mod secret_file_copied;
mod secret_in_arg;
mod secret_in_env;
mod setuid;
mod several_commands;
mod shell_form_command;
mod ssh_server;
mod stop_signal;
mod sudo;
mod tls_verification_off;
mod tool_unpinned;
mod undefined_argument;
mod unknown_stage;
mod unsigned_packages;
mod world_writable;

/// The rules of some modules with their checks.
macro_rules! registry {
    ($($name:ident),* $(,)?) => { &[$((&$name::RULE, $name::check)),*] };
}

/// Every rule with its check.
pub(crate) const RULES: &[(&Rule, Check)] = registry![
    add_for_copy,
    add_git_branch,
    add_remote,
    apt_asks,
    apt_key,
    apt_lists_left,
    apt_update_alone,
    base_without_digest,
    cd_alone,
    copy_from_moving_image,
    credentials_in_url,
    docker_socket,
    duplicate_stage,
    empty_continuation,
    fixed_platform,
    foreign_frontend,
    host_network_run,
    insecure_run,
    invalid_port,
    legacy_pair,
    maintainer,
    moving_base,
    npm_unlocked,
    password_set,
    pipe_to_shell,
    pipe_without_pipefail,
    plain_http,
    python_unpinned,
    relative_copy,
    relative_workdir,
    reserved_stage,
    root_user,
    secret_file_copied,
    secret_in_arg,
    secret_in_env,
    setuid,
    several_commands,
    shell_form_command,
    ssh_server,
    stop_signal,
    sudo,
    tls_verification_off,
    tool_unpinned,
    undefined_argument,
    unknown_stage,
    unsigned_packages,
    world_writable,
];

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
