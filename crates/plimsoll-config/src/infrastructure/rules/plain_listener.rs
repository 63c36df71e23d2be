//! A load balancer that talks plain HTTP.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/aws-plain-listener",
    title: "a load balancer answers over plain HTTP",
    severity: Severity::Medium,
    help: "\
Anybody on the way reads and changes what is sent. Let the listener on port 80 only redirect to HTTPS.

Bad:

```hcl
resource \"aws_lb_listener\" \"a\" {
  protocol = \"HTTP\"
  default_action {
    type = \"forward\"
  }
}
```

Good:

```hcl
resource \"aws_lb_listener\" \"a\" {
  protocol = \"HTTP\"
  default_action {
    type = \"redirect\"
  }
}
```",
    references: &["https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html"],
};

pub(crate) fn check(stack: &Stack<'_>, found: &mut Found<'_>, undecided: &mut Undecided) {
    for resource in stack.of_kind(&["aws_lb_listener", "aws_alb_listener", "AWS::ElasticLoadBalancingV2::Listener"]) {
        let ways: [&[&str]; 2] = match resource.form {
            crate::infrastructure::Form::Template => [&["Protocol"], &["DefaultActions", "Type"]],
            _ => [&["protocol"], &["default_action", "type"]],
        };
        let Hit::Known(protocol) = resource.body.at(ways[0]) else { continue };
        if protocol.value != Value::Text("HTTP".to_owned()) {
            continue;
        }
        match resource.body.at(ways[1]) {
            Hit::Unknown(_) => undecided.0 += 1,
            Hit::Known(action) if matches!(&action.value, Value::Text(kind) if kind != "forward") => {}
            _ => {
                found
                    .at(&resource.source, &protocol.span, format!("`{}` answers over plain HTTP", resource.name))
                    .subject(&resource.name)
                    .identity("protocol")
                    .fix("redirect to HTTPS");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_in_templates_too() {
        let text = "Resources:\n  A:\n    Type: AWS::ElasticLoadBalancingV2::Listener\n    Properties:\n      Protocol: HTTP\n      DefaultActions: [{Type: forward}]\n";
        fires_on(&RULE, "stack.yaml", text, &["5:17"]);
    }

    #[test]
    fn is_silent_on_tls() {
        is_silent_on(&RULE, FILE, "resource \"aws_lb_listener\" \"a\" {\n  protocol = \"HTTPS\"\n}\n");
    }
}
