//! Where things lie in a delivery repository, and which of its files a decision reads.

use plimsoll_model::{Digest, EnvironmentName, ProjectName};
use plimsoll_pipeline::Environment;
use std::collections::BTreeSet;

/// What an environment asks for.
#[must_use]
pub fn environment_path(environment: &EnvironmentName) -> String {
    format!("environments/{environment}/environment.yaml")
}

/// Where a project lives in an environment: part of the release.
#[must_use]
pub fn target_path(project: &ProjectName, environment: &EnvironmentName) -> String {
    format!("environments/{environment}/{project}/target.yaml")
}

/// Findings that may stand for a while there.
#[must_use]
pub fn exceptions_path(project: &ProjectName, environment: &EnvironmentName) -> String {
    format!("environments/{environment}/{project}/exceptions.yaml")
}

/// The release that was promoted last.
#[must_use]
pub fn release_path(project: &ProjectName, environment: &EnvironmentName) -> String {
    format!("environments/{environment}/{project}/release.json")
}

/// The decision behind that release.
#[must_use]
pub fn decision_path(project: &ProjectName, environment: &EnvironmentName) -> String {
    format!("environments/{environment}/{project}/decision.sigstore.json")
}

/// An approval, by the digest of its document. Its signature lies beside it, with `.sig` added.
#[must_use]
pub fn approval_path(project: &ProjectName, environment: &EnvironmentName, approval: &Digest) -> String {
    format!("{}{}.json", approvals(project, environment), approval.hex())
}

/// A disclaimer, by the digest of its document. Its signature lies beside it, with `.sig` added.
#[must_use]
pub fn disclaimer_path(disclaimer: &Digest) -> String {
    format!("{DISCLAIMERS}{}.json", disclaimer.hex())
}

/// A statement about the policy set, by its number. Its signatures lie beside it, with `.sig` added.
#[must_use]
pub fn policy_statement_path(number: u64) -> String {
    format!("{POLICY_SET}{number}.json")
}

/// The configuration of a project in an environment: everything below, part of the release.
pub(crate) fn config(project: &ProjectName, environment: &EnvironmentName) -> String {
    format!("environments/{environment}/{project}/config/")
}

/// The approvals of a project in an environment.
pub(crate) fn approvals(project: &ProjectName, environment: &EnvironmentName) -> String {
    format!("environments/{environment}/{project}/approvals/")
}

pub(crate) const VEX: &str = "vex/";
pub(crate) const POLICY_SET: &str = "policy-set/";
pub(crate) const DISCLAIMERS: &str = "disclaimers/";

/// Numbers of the statements about the policy set among `paths`, from the lowest.
pub fn policy_statement_numbers<'p>(paths: impl Iterator<Item = &'p str>) -> BTreeSet<u64> {
    let number = |path: &'p str| {
        let text = path.strip_prefix(POLICY_SET)?.strip_suffix(".json")?;
        let number = text.parse().ok()?;
        (policy_statement_path(number) == path).then_some(number)
    };
    paths.filter_map(number).collect()
}

/// Whether a file is one of the rules: what statements about the policy set list.
#[must_use]
pub fn is_policy_file(path: &str) -> bool {
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["delivery.yaml" | "people.yaml"] | ["environments", _, "environment.yaml"] => true,
        ["environments", _, _, "exceptions.yaml"] => true,
        ["projects", name] => name.ends_with(".yaml"),
        ["policies", .., name] => name.ends_with(".rego"),
        _ => false,
    }
}

/// Whether a file becomes part of the releases of a project in an environment.
#[must_use]
pub fn is_release_source(path: &str, project: &ProjectName, environment: &EnvironmentName) -> bool {
    path == target_path(project, environment) || path.starts_with(&config(project, environment))
}

/// Paths of the policy set of one project@environment: what decides, and is digested together. Exceptions are among
/// them where `present` names them.
#[must_use]
pub fn policy_paths(
    present: &BTreeSet<&str>,
    project: &ProjectName,
    environment: &EnvironmentName,
    declared: &Environment,
) -> BTreeSet<String> {
    let fixed = ["delivery.yaml".into(), "people.yaml".into()];
    let own = [environment_path(environment), format!("projects/{project}.yaml")];
    let before = declared.after.iter().map(environment_path);
    let named = declared.require.policies.iter().cloned();
    let exceptions = exceptions_path(project, environment);
    let exceptions = Some(exceptions).filter(|path| present.contains(path.as_str()));
    fixed.into_iter().chain(own).chain(before).chain(named).chain(exceptions).collect()
}

/// Whether VEX documents of somebody count for a scan.
pub(crate) fn asks_for_vex(declared: &Environment) -> bool {
    declared.require.scans.values().any(|scan| !scan.vex.is_empty())
}

/// Every file that a decision about one project@environment reads, of those that are `present`; files that it cannot do
/// without are named also where they are missing.
#[must_use]
pub fn wanted(
    present: &BTreeSet<&str>,
    project: &ProjectName,
    environment: &EnvironmentName,
    declared: &Environment,
) -> BTreeSet<String> {
    let mut paths = policy_paths(present, project, environment, declared);
    paths.insert(target_path(project, environment));
    let mut below = vec![
        config(project, environment),
        approvals(project, environment),
        POLICY_SET.to_owned(),
        DISCLAIMERS.to_owned(),
    ];
    below.extend(asks_for_vex(declared).then(|| VEX.to_owned()));
    let of_these = |path: &&&str| below.iter().any(|directory| path.starts_with(directory.as_str()));
    paths.extend(present.iter().filter(of_these).map(|path| (*path).to_owned()));
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_told_from_everything_else() {
        for path in [
            "delivery.yaml",
            "people.yaml",
            "projects/shop.yaml",
            "environments/production/environment.yaml",
            "environments/production/shop/exceptions.yaml",
            "policies/production.rego",
            "policies/production_test.rego",
            "policies/team/x.rego",
        ] {
            assert!(is_policy_file(path), "{path}");
        }
        for path in [
            "environments/production/shop/target.yaml",
            "environments/production/shop/environment.yaml",
            "environments/production/shop/release.json",
            "environments/production/shop/config/exceptions.yaml",
            "exceptions.yaml",
            "policy-set/1.json",
            "README.md",
            "trust/root.json",
        ] {
            assert!(!is_policy_file(path), "{path}");
        }
    }

    #[test]
    fn statements_are_numbered_in_one_way() {
        let paths = [
            "policy-set/2.json",
            "policy-set/10.json",
            "policy-set/010.json",
            "policy-set/+1.json",
            "policy-set/x.json",
            "policy-set/2.json.sig",
        ];
        assert_eq!(policy_statement_numbers(paths.into_iter()).into_iter().collect::<Vec<_>>(), [2, 10]);
    }
}
