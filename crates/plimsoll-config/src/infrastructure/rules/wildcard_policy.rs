//! All rights on everything.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/aws-wildcard-policy",
    title: "a policy allows everything on everything",
    severity: Severity::High,
    help: "\
Whoever takes over a user, a role or a machine with this policy has the whole account. Name the actions and the resources that
are needed.

Bad:

```hcl
resource \"aws_iam_policy\" \"a\" {
  policy = jsonencode({
    Statement = [{ Effect = \"Allow\", Action = \"*\", Resource = \"*\" }]
  })
}
```

Good:

```hcl
resource \"aws_iam_policy\" \"a\" {
  policy = jsonencode({
    Statement = [{ Effect = \"Allow\", Action = \"s3:GetObject\", Resource = \"arn:aws:s3:::logs/*\" }]
  })
}
```",
    references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html"],
};

pub(crate) fn check(stack: &Stack<'_>, found: &mut Found<'_>, undecided: &mut Undecided) {
    for (resource, attribute, statements) in super::policies(stack, super::POLICIES, undecided) {
        let all = |texts: &[String]| texts.iter().any(|text| matches!(text.as_str(), "*" | "*:*"));
        let everything = statements.iter().any(|statement| {
            statement.allows && statement.conditions.is_empty() && all(&statement.actions) && all(&statement.resources)
        });
        if everything {
            found
                .at(&resource.source, &attribute.span, format!("`{}` allows `*` on `*`", resource.name))
                .subject(&resource.name)
                .identity("policy")
                .fix("name the actions and the resources that are needed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_each_way_to_write_a_policy() {
        let text = "resource \"aws_iam_policy\" \"a\" {\n  policy = <<EOT\n{\"Statement\": [{\"Effect\": \"Allow\", \"Action\": [\"*\"], \"Resource\": \"*\", \"Sid\": \"${var.a}\"}]}\nEOT\n}\n";
        fires_on(&RULE, FILE, text, &["2:12"]);
        let text = "data \"aws_iam_policy_document\" \"d\" {\n  statement {\n    actions = [\"*\"]\n    resources = [\"*\"]\n  }\n}\nresource \"aws_iam_role_policy\" \"a\" {\n  policy = data.aws_iam_policy_document.d.json\n}\n";
        fires_on(&RULE, FILE, text, &["8:12"]);
        let text = "Resources:\n  A:\n    Type: AWS::IAM::Role\n    Properties:\n      Policies:\n        - PolicyDocument:\n            Statement: {Effect: Allow, Action: '*', Resource: '*'}\n";
        fires_on(&RULE, "stack.yaml", text, &["7:13"]);
    }

    #[test]
    fn is_silent_on_denials_and_on_what_it_cannot_know() {
        let text = "resource \"aws_iam_policy\" \"a\" {\n  policy = jsonencode({Statement = [{Effect = \"Deny\", Action = \"*\", Resource = \"*\"}]})\n}\nresource \"aws_iam_policy\" \"b\" {\n  policy = file(\"b.json\")\n}\n";
        is_silent_on(&RULE, FILE, text);
    }
}
