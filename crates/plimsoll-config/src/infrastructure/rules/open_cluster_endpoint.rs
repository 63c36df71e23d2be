//! The API of a cluster, open to the internet.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/aws-open-cluster-endpoint",
    title: "everybody reaches the API of a cluster",
    severity: Severity::Medium,
    help: "\
The API server answers the whole internet unless it is told otherwise; the next weakness of it is open to all. Turn the public
endpoint off, or name the networks that may use it.

Bad:

```hcl
resource \"aws_eks_cluster\" \"a\" {
  vpc_config {
    endpoint_public_access = true
  }
}
```

Good:

```hcl
resource \"aws_eks_cluster\" \"a\" {
  vpc_config {
    endpoint_public_access = true
    public_access_cidrs    = [\"198.51.100.0/24\"]
  }
}
```",
    references: &["https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html"],
};

pub(crate) fn check(stack: &Stack<'_>, found: &mut Found<'_>, undecided: &mut Undecided) {
    for resource in stack.of_kind(&["aws_eks_cluster", "AWS::EKS::Cluster"]) {
        let ways: [&[&str]; 2] = match resource.kind.as_str() {
            "aws_eks_cluster" => [&["vpc_config", "endpoint_public_access"], &["vpc_config", "public_access_cidrs"]],
            _ => [&["ResourcesVpcConfig", "EndpointPublicAccess"], &["ResourcesVpcConfig", "PublicAccessCidrs"]],
        };
        let public = match resource.body.at(ways[0]) {
            Hit::Unknown(_) => {
                undecided.0 += 1;
                continue;
            }
            Hit::Known(attribute) => attribute.value.truth() == Some(true),
            Hit::Absent(_) => true,
        };
        let place = match resource.body.at(ways[1]) {
            Hit::Unknown(_) => continue,
            Hit::Known(list) => list.each().iter().find(|item| item.value == Value::Text("0.0.0.0/0".to_owned())).map(|item| &item.span),
            Hit::Absent(_) => Some(&resource.span),
        };
        if let Some(place) = place.filter(|_| public) {
            found
                .at(&resource.source, place, format!("everybody reaches the API of `{}`", resource.name))
                .subject(&resource.name)
                .identity("endpoint")
                .fix("turn the public endpoint off, or name the networks that may use it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_where_nobody_limits_it() {
        fires_on(&RULE, FILE, "resource \"aws_eks_cluster\" \"a\" {\n  name = \"a\"\n}\n", &["1:1"]);
        let text = "Resources:\n  A:\n    Type: AWS::EKS::Cluster\n    Properties:\n      ResourcesVpcConfig: {PublicAccessCidrs: [0.0.0.0/0]}\n";
        fires_on(&RULE, "stack.yaml", text, &["5:48"]);
    }

    #[test]
    fn is_silent_where_it_is_off_or_not_known() {
        for access in ["false", "var.public"] {
            is_silent_on(&RULE, FILE, &format!("resource \"aws_eks_cluster\" \"a\" {{\n  vpc_config {{\n    endpoint_public_access = {access}\n  }}\n}}\n"));
        }
    }
}
