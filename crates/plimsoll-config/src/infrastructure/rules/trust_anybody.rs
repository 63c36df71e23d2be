//! A role that anybody can take.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/aws-trust-anybody",
    title: "a role can be taken by anybody",
    severity: Severity::High,
    help: "\
`*` as the principal of a trust policy is every user of every account in the world. Name the accounts or services that may take
the role.

Bad:

```hcl
resource \"aws_iam_role\" \"a\" {
  assume_role_policy = jsonencode({
    Statement = [{ Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = { AWS = \"*\" } }]
  })
}
```

Good:

```hcl
resource \"aws_iam_role\" \"a\" {
  assume_role_policy = jsonencode({
    Statement = [{ Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = { Service = \"ec2.amazonaws.com\" } }]
  })
}
```",
    references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"],
};

pub(crate) fn check(stack: &Stack<'_>, found: &mut Found<'_>, undecided: &mut Undecided) {
    for (resource, attribute, statements) in super::policies(stack, super::TRUST, undecided) {
        if statements.iter().any(|statement| statement.is_for_everybody() && statement.conditions.is_empty()) {
            found
                .at(&resource.source, &attribute.span, format!("everybody can become `{}`", resource.name))
                .subject(&resource.name)
                .identity("trust")
                .fix("name the accounts or services that may take the role");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_in_templates_too() {
        let text = "Resources:\n  A:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: '*'}]}\n";
        fires_on(&RULE, "stack.yaml", text, &["5:33"]);
    }

    #[test]
    fn is_silent_where_a_condition_limits_it() {
        let text = "resource \"aws_iam_role\" \"a\" {\n  assume_role_policy = jsonencode({Statement = [{Effect = \"Allow\", Principal = \"*\", Condition = {StringEquals = {\"aws:PrincipalOrgID\" = \"o-1\"}}}]})\n}\n";
        is_silent_on(&RULE, FILE, text);
    }
}
