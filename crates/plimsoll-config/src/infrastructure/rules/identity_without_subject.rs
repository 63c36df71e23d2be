//! A role for whatever runs on a shared platform.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/aws-identity-without-subject",
    title: "a role trusts the runs of strangers on a shared platform",
    severity: Severity::High,
    help: "\
The platform signs identities for all of its customers. A trust policy that asks only for the audience, or whose subject is a
wildcard such as `repo:*`, lets anybody's pipeline take the role. Ask for one repository, and in it for a branch or an environment.

Bad:

```hcl
resource \"aws_iam_role\" \"a\" {
  assume_role_policy = jsonencode({
    Statement = [{
      Effect    = \"Allow\"
      Action    = \"sts:AssumeRoleWithWebIdentity\"
      Principal = { Federated = \"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com\" }
      Condition = { StringEquals = { \"token.actions.githubusercontent.com:aud\" = \"sts.amazonaws.com\" } }
    }]
  })
}
```

Good:

```hcl
resource \"aws_iam_role\" \"a\" {
  assume_role_policy = jsonencode({
    Statement = [{
      Effect    = \"Allow\"
      Action    = \"sts:AssumeRoleWithWebIdentity\"
      Principal = { Federated = \"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com\" }
      Condition = { StringEquals = { \"token.actions.githubusercontent.com:sub\" = \"repo:shop/app:environment:production\" } }
    }]
  })
}
```",
    references: &["https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws"],
};

/// Platforms whose customers all have identities of the same issuer.
const SHARED: &[&str] = &["token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io", "api.bitbucket.org"];

pub(crate) fn check(stack: &Stack<'_>, found: &mut Found<'_>, undecided: &mut Undecided) {
    for (resource, attribute, statements) in super::policies(stack, super::TRUST, undecided) {
        let open = statements.iter().filter(|statement| statement.allows).find_map(|statement| {
            let issuer = statement.principals.iter().find_map(|(_, who)| SHARED.iter().find(|issuer| who.contains(*issuer)))?;
            let subject = statement.conditions.iter().find(|(key, _)| key.ends_with(":sub"));
            subject.is_none_or(|(_, values)| values.iter().any(|value| is_open(value))).then_some(*issuer)
        });
        if let Some(issuer) = open {
            found
                .at(&resource.source, &attribute.span, format!("anybody's run on `{issuer}` can become `{}`", resource.name))
                .subject(&resource.name)
                .identity("subject")
                .fix("ask in the condition for the subject of one repository and one branch or environment");
        }
    }
}

/// Whether a subject fits more than the repositories of one owner.
fn is_open(subject: &str) -> bool {
    let Some((_, rest)) = subject.split_once(':') else { return subject.starts_with('*') };
    let repository = rest.split(':').next().unwrap_or("");
    repository.split('/').next().is_some_and(|owner| owner.contains('*')) || repository.ends_with("/*")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusting(subject: &str) -> String {
        format!("data \"aws_iam_policy_document\" \"d\" {{\n  statement {{\n    principals {{\n      type = \"Federated\"\n      identifiers = [\"arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com\"]\n    }}\n    condition {{\n      variable = \"token.actions.githubusercontent.com:sub\"\n      values = [\"{subject}\"]\n    }}\n  }}\n}}\nresource \"aws_iam_role\" \"a\" {{\n  assume_role_policy = data.aws_iam_policy_document.d.json\n}}\n")
    }

    #[test]
    fn fires_on_open_subjects() {
        for subject in ["repo:*", "repo:*/*:ref:refs/heads/main", "repo:shop/*", "*"] {
            fires_on(&RULE, FILE, &trusting(subject), &["14:24"]);
        }
    }

    #[test]
    fn is_silent_on_one_repository() {
        is_silent_on(&RULE, FILE, &trusting("repo:shop/app:*"));
    }
}
