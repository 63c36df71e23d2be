//! Artifacts that take everything along.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/gitlab-broad-artifacts",
    title: "the whole folder becomes an artifact",
    severity: Severity::Low,
    help: "\
Everything in the workspace goes along: `.git` with the job's token, files of variables, keys that a tool wrote. Whoever may see
the pipeline can download it, in public projects everybody. Name the files that the next job needs.

Bad:

```yaml
build:
  script: [make]
  artifacts:
    paths: [\".\"]
```

Good:

```yaml
build:
  script: [make]
  artifacts:
    paths: [target/app]
```",
    references: &["https://docs.gitlab.com/ci/yaml/#artifacts"],
};

pub(crate) fn check(pipeline: &Pipeline<'_>, found: &mut Found<'_>) {
    for artifacts in pipeline.levels().filter_map(|node| node.get("artifacts")) {
        let untracked = artifacts.get("untracked").filter(|node| node.truth() == Some(true));
        let paths = artifacts.get("paths").map_or(&[][..], |paths| paths.items());
        let all = |text: &str| matches!(text.trim_end_matches('/'), "." | "*" | "**" | "**/*" | "./*" | ".git" | "$CI_PROJECT_DIR");
        let broad = paths.iter().find(|path| path.text().is_some_and(all));
        if let Some(node) = broad.or(untracked).filter(|_| artifacts.get("exclude").is_none()) {
            found.at(pipeline.source, &node.span, "everything in the folder goes along").fix("name the files that are needed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_everything() {
        fires_on(&RULE, FILE, "a:\n  script: x\n  artifacts: {untracked: true}\n", &["3:26"]);
    }

    #[test]
    fn is_silent_on_named_files() {
        is_silent_on(&RULE, FILE, "a:\n  script: x\n  artifacts: {paths: [dist/]}\n");
    }
}
