//! A secret in the description of infrastructure.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/infrastructure-plain-secret",
    title: "a secret is written into the description of infrastructure",
    severity: Severity::High,
    help: "\
Everybody who can read the repository has it, and so has everybody who can read the state or the plan. Take it out, replace it by
a new one, and fetch that one from a store of secrets, or let the cloud make it.

Bad:

```hcl
resource \"aws_db_instance\" \"a\" {
  password = \"hunter2hunter2\"
}
```

Good:

```hcl
resource \"aws_db_instance\" \"a\" {
  manage_master_user_password = true
}
```",
    references: &["https://developer.hashicorp.com/terraform/language/manage-sensitive-data"],
};

use crate::names;

/// How deep maps are looked into.
const MAX_DEPTH: usize = 8;

pub(crate) fn check(stack: &Stack<'_>, found: &mut Found<'_>, _: &mut Undecided) {
    for resource in stack.resources {
        if resource.kind == "variable" {
            let name = resource.name.trim_start_matches("var.");
            if let Some(default) = resource.body.get("default").filter(|_| names::is_secret(name)) {
                judge(resource, name, default, found);
            }
            continue;
        }
        look(resource, &resource.body, 0, found);
    }
}

fn look(resource: &Resource, attribute: &Attribute, depth: usize, found: &mut Found<'_>) {
    if depth > MAX_DEPTH {
        return;
    }
    match &attribute.value {
        Value::Map(entries) => {
            for (name, value) in entries {
                if names::is_secret(name) {
                    judge(resource, name, value, found);
                }
                look(resource, value, depth + 1, found);
            }
        }
        Value::List(items) => items.iter().for_each(|item| look(resource, item, depth + 1, found)),
        _ => {}
    }
}

fn judge(resource: &Resource, name: &str, value: &Attribute, found: &mut Found<'_>) {
    let Value::Text(text) = &value.value else { return };
    let written = text.len() >= 6 && !text.contains([' ', '$', '{', ':']) && names::is_secret_value(text);
    // A name with a dot or a dash that leads somewhere, such as an enumeration, is no secret.
    let word = text.chars().all(|char| char.is_ascii_alphabetic() || char == '_' || char == '-');
    // Of a value that stands somewhere else, the name stands here.
    let here = resource.source.slice(&value.span).contains(text.as_str());
    if written && here && !(word && text.len() < 8) {
        found
            .at(&resource.source, &value.span, format!("the value of `{name}` of `{}` stands in the file", resource.name))
            .subject(&resource.name)
            .identity(name)
            .mask()
            .fix("replace it by a new one, and fetch that one from a store of secrets");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::found;

    #[test]
    fn fires_on_resources_blocks_and_defaults_and_shows_no_value() {
        let text = "variable \"db_password\" {\n  default = \"s3cr3tvalue\"\n}\nresource \"a\" \"b\" {\n  c {\n    api_key = \"s3cr3tvalue\"\n  }\n  password = var.db_password\n}\n";
        fires_on(&RULE, FILE, text, &["2:13", "6:15"]);
        assert!(!format!("{:?}", found(&RULE, &[(FILE, text)])).contains("s3cr3t"));
        let text = "Resources:\n  A:\n    Type: AWS::RDS::DBInstance\n    Properties:\n      MasterUserPassword: s3cr3tvalue\n";
        fires_on(&RULE, "stack.yaml", text, &["5:27"]);
    }

    #[test]
    fn is_silent_on_references_and_on_what_only_sounds_so() {
        let text = "resource \"a\" \"b\" {\n  password = var.p\n  token = data.x.y.z\n  secret_name = \"database\"\n  password_policy = \"strict-one\"\n  master_password = \"changeme\"\n}\n";
        is_silent_on(&RULE, FILE, text);
        is_silent_on(&RULE, "stack.yaml", "Resources:\n  A:\n    Type: AWS::RDS::DBInstance\n    Properties:\n      MasterUserPassword: !Ref P\n");
    }
}
