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
    administrator_bound,
    all_users_bound,
    anonymous_bound,
    api_service_unverified,
    apparmor_unconfined,
    bare_pod,
    capabilities_added,
    capabilities_kept,
    control_plane_placement,
    cpu_limit,
    cpu_request,
    default_account,
    default_account_bound,
    default_namespace,
    disruption_budget_blocks,
    engine_socket,
    host_ipc,
    host_network,
    host_path,
    host_pid,
    host_port,
    host_process,
    image_never_pulled,
    image_without_digest,
    ingress_for_every_host,
    ingress_snippet,
    ingress_without_tls,
    insecure_component,
    lasting_token,
    liveness_probe,
    load_balancer_open,
    low_user,
    masters_bound,
    memory_limit,
    memory_request,
    mount_propagation,
    moving_image,
    namespace_privileged,
    namespace_without_pod_security,
    namespace_without_quota,
    network_policy_egress_open,
    network_policy_open,
    network_policy_without_pods,
    no_network_policy,
    node_name,
    privilege_escalation,
    privileged,
    proc_unmasked,
    readiness_probe,
    removed_version,
    role_approves_certificates,
    role_changes_roles,
    role_creates_tokens,
    role_creates_volumes,
    role_creates_workloads,
    role_escalates,
    role_executes,
    role_node_proxy,
    role_reads_secrets,
    role_webhooks,
    role_wildcard,
    root_group,
    runs_as_root,
    seccomp_missing,
    seccomp_unconfined,
    secret_as_env,
    secret_in_command,
    secret_in_config_map,
    secret_in_env,
    secret_in_repository,
    selinux_options,
    service_external_ips,
    service_node_port,
    service_without_pods,
    shared_processes,
    ssh_port,
    system_namespace,
    token_for_others,
    token_mounted,
    unknown_role,
    unsafe_sysctl,
    weak_control_plane,
    webhook_ignored,
    windows_administrator,
    writable_root,
}

/// What nearly every rule needs.
mod prelude {
    #[cfg(test)]
    pub(super) use super::cases::*;
    pub(super) use crate::{
        issue::Found,
        kubernetes::graph::{Graph, Object, Role, Workload},
        yaml::Node,
    };
    pub(super) use plimsoll_scan::{Rule, Severity};
}

#[cfg(test)]
mod cases;
