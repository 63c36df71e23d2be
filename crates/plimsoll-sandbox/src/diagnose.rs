//! Why a machine does not let us isolate, and what to type. Only settings that are known to be the reason are named.

use plimsoll_engine::ports::IsolationUnavailable;
use rustix::io::Errno;
use std::fs;

/// Settings of the machine that decide whether a user may isolate.
#[derive(Debug, Default, Clone)]
struct Facts {
    /// `kernel.unprivileged_userns_clone` of Debian's older kernels.
    unprivileged_clone: Option<u64>,
    /// `user.max_user_namespaces`.
    namespaces: Option<u64>,
    /// `kernel.apparmor_restrict_unprivileged_userns` of Ubuntu 24.04 and later.
    apparmor: Option<u64>,
    /// Whether a filter already holds for this process, as in a container.
    filtered: bool,
    /// This program, for a profile.
    program: String,
}

impl Facts {
    fn read() -> Self {
        let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse().ok();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self {
            unprivileged_clone: number("/proc/sys/kernel/unprivileged_userns_clone"),
            namespaces: number("/proc/sys/user/max_user_namespaces"),
            apparmor: number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
            filtered: status.lines().any(|line| line.starts_with("Seccomp:") && line.ends_with('2')),
            program: fs::read_link("/proc/self/exe").unwrap_or_default().display().to_string(),
        }
    }

    fn remedy(&self) -> Vec<String> {
        let mut remedy = Vec::new();
        if self.unprivileged_clone == Some(0) {
            remedy.push("sudo sysctl -w kernel.unprivileged_userns_clone=1".to_owned());
        }
        if self.namespaces == Some(0) {
            remedy.push("sudo sysctl -w user.max_user_namespaces=15000".to_owned());
        }
        if self.apparmor == Some(1) {
            remedy.push(format!(
                "printf 'abi <abi/4.0>,\\nprofile plimsoll {} flags=(unconfined) {{ userns, }}\\n' \
                 | sudo tee /etc/apparmor.d/plimsoll && sudo apparmor_parser -r /etc/apparmor.d/plimsoll",
                self.program
            ));
        }
        if remedy.is_empty() && self.filtered {
            remedy.push(
                "docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined …"
                    .to_owned(),
            );
        }
        remedy
    }
}

/// Explains that `action` was refused.
pub(crate) fn unavailable(action: &str, errno: i32) -> IsolationUnavailable {
    let error = Errno::from_raw_os_error(errno);
    let problem = format!("it refused to {action}: {error}");
    IsolationUnavailable { problem, remedy: Facts::read().remedy() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_its_own_remedy_and_an_unknown_one_has_none() {
        let check = |facts: Facts, expect: &[&str]| {
            let remedy = facts.remedy();
            assert_eq!(remedy.len(), expect.len(), "{remedy:?}");
            remedy.iter().zip(expect).for_each(|(line, part)| assert!(line.contains(part), "{line}"));
        };
        check(Facts::default(), &[]);
        check(Facts { unprivileged_clone: Some(0), ..Facts::default() }, &["unprivileged_userns_clone=1"]);
        check(Facts { namespaces: Some(0), ..Facts::default() }, &["max_user_namespaces=15000"]);
        let ubuntu = Facts { apparmor: Some(1), program: "/opt/plimsoll".into(), ..Facts::default() };
        check(ubuntu, &["profile plimsoll /opt/plimsoll"]);
        check(Facts { filtered: true, ..Facts::default() }, &["seccomp=unconfined"]);
        check(Facts { filtered: true, namespaces: Some(0), ..Facts::default() }, &["max_user_namespaces"]);
        check(Facts { namespaces: Some(9000), apparmor: Some(0), ..Facts::default() }, &[]);
    }
}
