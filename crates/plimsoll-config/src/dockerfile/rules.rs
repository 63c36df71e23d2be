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
