//! A module that can change under its name.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/terraform-mutable-module",
    title: "a module can change under its name",
    severity: Severity::Medium,
    help: "\
A module runs with all rights of whoever applies it. Without a version, or from a branch, it is whatever was pushed last. Name a
commit, or for a registry one version.

Bad:

```hcl
module \"network\" {
  source = \"git::https://git.example.com/network.git\"
}
```

Good:

```hcl
module \"network\" {
  source = \"git::https://git.example.com/network.git?ref=5f0c1e5d2b7a4c3e9d8f7a6b5c4d3e2f1a0b9c8d\"
}
```",
    references: &["https://developer.hashicorp.com/terraform/language/modules/sources"],
};

pub(crate) fn check(stack: &Stack<'_>, found: &mut Found<'_>, undecided: &mut Undecided) {
    for module in stack.of_kind(&["module"]) {
        let source = match module.body.at(&["source"]) {
            Hit::Known(source) => source,
            Hit::Unknown(_) => {
                undecided.0 += 1;
                continue;
            }
            Hit::Absent(_) => continue,
        };
        let Value::Text(text) = &source.value else { continue };
        let Some(problem) = problem(text, module.body.get("version").is_some()) else { continue };
        found
            .at(&module.source, &source.span, format!("`{text}` {problem}"))
            .subject(&module.name)
            .fix("name a commit with `?ref=`, or one version of the registry");
    }
}

fn problem(source: &str, has_version: bool) -> Option<&'static str> {
    let fetched = source.starts_with("git::") || source.starts_with("github.com/") || source.starts_with("git@") || source.contains("bitbucket.org/");
    if source.starts_with("http://") || source.starts_with("git::http://") {
        return Some("comes over a connection that anybody can change");
    }
    if fetched {
        let reference = source.split_once("ref=").map(|(_, rest)| rest.split('&').next().unwrap_or(""));
        return match reference {
            None => Some("is whatever was pushed last"),
            Some("main" | "master" | "develop" | "HEAD") => Some("moves with every push"),
            Some(_) => None,
        };
    }
    let registry = !source.starts_with('.') && !source.starts_with('/') && !source.contains("::") && !source.contains("://");
    (registry && (2..=3).contains(&source.matches('/').count()) && !source.contains("?") && !has_version).then_some("is taken in the newest version")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source: &str) -> String {
        format!("module \"a\" {{\n  source = \"{source}\"\n}}\n")
    }

    #[test]
    fn fires_on_what_moves() {
        for source in ["github.com/a/b", "git::ssh://git@a.example/b.git?ref=main", "terraform-aws-modules/vpc/aws", "http://a.example/b.zip"] {
            fires_on(&RULE, FILE, &of(source), &["2:12"]);
        }
    }

    #[test]
    fn is_silent_on_what_does_not() {
        for source in ["./a", "git::https://a.example/b.git?ref=v1.2.3", "s3::https://a.example/b.zip"] {
            is_silent_on(&RULE, FILE, &of(source));
        }
        is_silent_on(&RULE, FILE, "module \"a\" {\n  source = \"hashicorp/consul/aws\"\n  version = \"0.1.0\"\n}\n");
    }
}
