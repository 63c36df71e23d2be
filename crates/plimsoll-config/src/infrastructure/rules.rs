//! The rules about infrastructure that need more than one attribute, one in each file.

use super::{
    Check, Resource, Rule, Stack, Undecided, policy,
    value::{Attribute, Hit, Value},
};

/// Declares the modules and puts them into the registry.
macro_rules! registry {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*
        /// Every rule with its check.
        pub(super) const RULES: &[(&Rule, Check)] = &[$((&$name::RULE, $name::check)),*];
    };
}

registry! {
    identity_without_subject,
    mutable_module,
    open_admin_port,
    open_cluster_endpoint,
    plain_listener,
    plain_secret,
    public_policy,
    trust_anybody,
    wildcard_policy,
}

/// What nearly every rule needs.
mod prelude {
    #[cfg(test)]
    pub(super) use crate::test::{fires_on, is_silent_on};
    pub(super) use crate::{
        infrastructure::{
            Resource, Stack, Undecided,
            value::{Attribute, Hit, Value},
        },
        issue::Found,
    };
    pub(super) use plimsoll_scan::{Rule, Severity};
    /// Where the tests put a module.
    #[cfg(test)]
    pub(super) const FILE: &str = "main.tf";
}

/// Resources with policies, and the attribute that holds it.
const POLICIES: &[(&str, &[&str])] = &[
    ("aws_iam_policy", &["policy"]),
    ("aws_iam_role_policy", &["policy"]),
    ("aws_iam_user_policy", &["policy"]),
    ("aws_iam_group_policy", &["policy"]),
    ("AWS::IAM::Policy", &["PolicyDocument"]),
    ("AWS::IAM::ManagedPolicy", &["PolicyDocument"]),
    ("AWS::IAM::Role", &["Policies", "PolicyDocument"]),
    ("AWS::IAM::User", &["Policies", "PolicyDocument"]),
];
/// The same for policies that say who may become somebody.
const TRUST: &[(&str, &[&str])] =
    &[("aws_iam_role", &["assume_role_policy"]), ("AWS::IAM::Role", &["AssumeRolePolicyDocument"])];
/// The same for policies on what others may reach.
const SHARED: &[(&str, &[&str])] = &[
    ("aws_s3_bucket_policy", &["policy"]),
    ("aws_s3_bucket", &["policy"]),
    ("aws_sqs_queue_policy", &["policy"]),
    ("aws_sqs_queue", &["policy"]),
    ("aws_sns_topic_policy", &["policy"]),
    ("aws_sns_topic", &["policy"]),
    ("aws_kms_key", &["policy"]),
    ("aws_ecr_repository_policy", &["policy"]),
    ("aws_secretsmanager_secret_policy", &["policy"]),
    ("aws_efs_file_system_policy", &["policy"]),
    ("aws_opensearch_domain_policy", &["access_policies"]),
    ("AWS::S3::BucketPolicy", &["PolicyDocument"]),
    ("AWS::SQS::QueuePolicy", &["PolicyDocument"]),
    ("AWS::SNS::TopicPolicy", &["PolicyDocument"]),
    ("AWS::KMS::Key", &["KeyPolicy"]),
    ("AWS::ECR::Repository", &["RepositoryPolicyText"]),
];

/// Every policy at one of the `places`, with its statements. A reference to a policy document of the same module is followed.
fn policies<'a>(
    stack: &Stack<'a>,
    places: &[(&str, &[&str])],
    undecided: &mut Undecided,
) -> Vec<(&'a Resource, &'a Attribute, Vec<policy::Statement>)> {
    let mut found = Vec::new();
    for resource in stack.resources {
        for (_, way) in places.iter().filter(|(kind, _)| *kind == resource.kind) {
            for hit in resource.body.find(way) {
                let (attribute, statements) = match hit {
                    Hit::Absent(_) => continue,
                    Hit::Known(attribute) => (attribute, policy::statements(attribute)),
                    Hit::Unknown(attribute) => (attribute, document(stack, attribute)),
                };
                match statements {
                    Some(statements) => found.push((resource, attribute, statements)),
                    None => undecided.0 += 1,
                }
            }
        }
    }
    found
}

/// The policy document that `data.aws_iam_policy_document.name.json` names.
fn document(stack: &Stack<'_>, attribute: &Attribute) -> Option<Vec<policy::Statement>> {
    let Value::Unknown(words) = &attribute.value else { return None };
    let name = words.trim().strip_suffix(".json")?;
    let document = stack.resources.iter().find(|resource| resource.name == name)?;
    Some(policy::of_document(&document.body))
}
