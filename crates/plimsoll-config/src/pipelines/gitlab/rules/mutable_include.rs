//! A part of the pipeline from another project, in whatever version it has today.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/gitlab-mutable-include",
    title: "a part of the pipeline comes from a project without a fixed revision",
    severity: Severity::Medium,
    help: "\
What is included is run with the variables of this project. Without `ref`, or with a branch, it is whatever was pushed last to
the other project; with `~latest`, whatever was published last. Name a commit, or at least a protected tag.

Bad:

```yaml
include:
  - project: platform/templates
    file: deploy.yml
```

Good:

```yaml
include:
  - project: platform/templates
    ref: 5f0c1e5d2b7a4c3e9d8f7a6b5c4d3e2f1a0b9c8d
    file: deploy.yml
```",
    references: &["https://docs.gitlab.com/ci/yaml/#includeproject"],
};

use crate::pipelines::words;

pub(crate) fn check(pipeline: &Pipeline<'_>, found: &mut Found<'_>) {
    for include in pipeline.includes() {
        if let Some(project) = include.get("project") {
            let reference = include.get("ref").and_then(|node| node.text());
            let moves = reference.is_none_or(words::is_branch);
            if moves {
                let named = project.text().unwrap_or("");
                let message = match reference {
                    Some(reference) => format!("`{named}` is taken from `{reference}`, which moves with every push"),
                    None => format!("`{named}` is taken in whatever version it has"),
                };
                found.at(pipeline.source, &project.span, message).fix("add `ref` with a commit");
            }
        }
        if let Some(component) = include.get("component") {
            let text = component.text().unwrap_or("");
            let version = text.rsplit_once('@').map_or("", |(_, version)| version);
            if version.is_empty() || version == "~latest" || words::is_branch(version) {
                found
                    .at(pipeline.source, &component.span, format!("`{text}` is whatever was published last"))
                    .fix("name a commit or a whole version behind `@`");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_projects_and_components_that_move() {
        fires_on(&RULE, FILE, "include:\n  project: a/b\n  ref: main\n  file: c.yml\n", &["2:12"]);
        fires_on(&RULE, FILE, "include:\n  - component: $CI_SERVER_FQDN/a/b@~latest\n", &["2:16"]);
    }

    #[test]
    fn is_silent_on_fixed_and_local_ones() {
        is_silent_on(&RULE, FILE, "include:\n  - local: a.yml\n  - template: b.yml\n  - component: c/d/e@1.2.3\n");
        is_silent_on(&RULE, FILE, "include:\n  - {project: a, ref: v1.2, file: c.yml}\n");
    }
}
