//! The rules about Kubernetes objects, one in each file.

use super::{Check, Rule};

mod administrator_bound;
mod all_users_bound;
mod anonymous_bound;
mod api_service_unverified;
mod apparmor_unconfined;
mod bare_pod;
mod capabilities_added;
mod capabilities_kept;
#[cfg(test)]
mod cases;
mod control_plane_placement;
mod cpu_limit;
mod cpu_request;
mod default_account;
mod default_account_bound;
mod default_namespace;
mod disruption_budget_blocks;
mod engine_socket;
mod host_ipc;
mod host_network;
mod host_path;
mod host_pid;
mod host_port;
mod host_process;
mod image_never_pulled;
mod image_without_digest;
mod ingress_for_every_host;
mod ingress_snippet;
mod ingress_without_tls;
mod insecure_component;
mod lasting_token;
mod liveness_probe;
mod load_balancer_open;
mod low_user;
mod masters_bound;
mod memory_limit;
mod memory_request;
mod mount_propagation;
mod moving_image;
mod namespace_privileged;
mod namespace_without_pod_security;
mod namespace_without_quota;
mod network_policy_egress_open;
mod network_policy_open;
mod network_policy_without_pods;
mod no_default_deny;
mod no_network_policy;
mod node_name;
mod privilege_escalation;
mod privileged;
mod probe_host;
mod proc_unmasked;
mod readiness_probe;
mod removed_version;
mod role_approves_certificates;
mod role_changes_roles;
mod role_creates_tokens;
mod role_creates_volumes;
mod role_creates_workloads;
mod role_escalates;
mod role_executes;
mod role_node_proxy;
mod role_reads_secrets;
mod role_webhooks;
mod role_wildcard;
mod root_group;
mod runs_as_root;
mod seccomp_missing;
mod seccomp_unconfined;
mod secret_as_env;
mod secret_in_command;
mod secret_in_config_map;
mod secret_in_env;
mod secret_in_repository;
mod secrets_unencrypted;
mod selinux_options;
mod service_external_ips;
mod service_node_port;
mod service_without_pods;
mod shared_processes;
mod ssh_port;
mod system_namespace;
mod token_for_others;
mod token_mounted;
mod unknown_role;
mod unsafe_sysctl;
mod volume_type;
mod weak_control_plane;
mod weak_kubelet;
mod webhook_ignored;
mod windows_administrator;
mod writable_root;

/// The rules of some modules with their checks.
macro_rules! registry {
    ($($name:ident),* $(,)?) => { &[$((&$name::RULE, $name::check)),*] };
}

/// Every rule with its check.
pub(crate) const RULES: &[(&Rule, Check)] = registry![
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
    no_default_deny,
    no_network_policy,
    node_name,
    privilege_escalation,
    privileged,
    probe_host,
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
    secrets_unencrypted,
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
    volume_type,
    weak_control_plane,
    weak_kubelet,
    webhook_ignored,
    windows_administrator,
    writable_root,
];

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
