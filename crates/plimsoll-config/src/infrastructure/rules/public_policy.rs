//! Something that everybody may reach by its policy.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/aws-public-policy",
    title: "a policy lets everybody in",
    severity: Severity::High,
    help: "\
`*` as the principal is every user of every account, and for some services everybody without one. Name who may, or limit it with
a condition, such as the organisation or the network.

Bad:

```hcl
resource \"aws_s3_bucket_policy\" \"a\" {
  policy = jsonencode({
    Statement = [{ Effect = \"Allow\", Action = \"s3:GetObject\", Principal = \"*\", Resource = \"arn:aws:s3:::data/*\" }]
  })
}
```

Good:

```hcl
resource \"aws_s3_bucket_policy\" \"a\" {
  policy = jsonencode({
    Statement = [{
      Effect    = \"Allow\"
      Action    = \"s3:GetObject\"
      Principal = { AWS = \"arn:aws:iam::123456789012:role/reader\" }
      Resource  = \"arn:aws:s3:::data/*\"
    }]
  })
}
```",
    references: &["https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-bucket-user-policy-specifying-principal-intro.html"],
};

pub(crate) fn check(stack: &Stack<'_>, found: &mut Found<'_>, undecided: &mut Undecided) {
    for (resource, attribute, statements) in super::policies(stack, super::SHARED, undecided) {
        if statements.iter().any(|statement| statement.is_for_everybody() && statement.conditions.is_empty()) {
            found
                .at(&resource.source, &attribute.span, format!("`{}` lets everybody in", resource.name))
                .subject(&resource.name)
                .identity("policy")
                .fix("name who may, or add a condition");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_in_plans_and_templates() {
        let text = r#"{"terraform_version": "1.9", "resource_changes": [{"address": "aws_sqs_queue.a", "mode": "managed", "type": "aws_sqs_queue",
 "change": {"after": {"policy": "{\"Statement\": [{\"Effect\": \"Allow\", \"Principal\": \"*\"}]}"}, "after_unknown": {}}}]}"#;
        fires_on(&RULE, "plan.json", text, &["2:33"]);
        let text = "Resources:\n  A:\n    Type: AWS::SNS::TopicPolicy\n    Properties:\n      PolicyDocument: {Statement: [{Effect: Allow, Principal: {AWS: '*'}}]}\n";
        fires_on(&RULE, "stack.yaml", text, &["5:23"]);
    }

    #[test]
    fn is_silent_where_a_condition_limits_it() {
        let text = "Resources:\n  A:\n    Type: AWS::SNS::TopicPolicy\n    Properties:\n      PolicyDocument: {Statement: [{Effect: Allow, Principal: '*', Condition: {StringEquals: {'aws:SourceAccount': '1'}}}]}\n";
        is_silent_on(&RULE, "stack.yaml", text);
    }
}
