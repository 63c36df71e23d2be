//! An action or a reusable workflow that can change under its name.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-mutable-action",
    title: "an action is named by a tag or a branch",
    severity: Severity::Medium,
    help: "\
A tag is moved by whoever may push to the action's repository. In March 2025 the tags of `tj-actions/changed-files`, and a year
later nearly all of `aquasecurity/trivy-action`, were pointed to code that printed or stole the secrets of every run. A commit
cannot be moved. Name all 40 digits, with the version in a comment behind it, which update tools keep current.

Bad:

```yaml
on: push
permissions: {}
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: docker/build-push-action@v6
```

Good:

```yaml
on: push
permissions: {}
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: docker/build-push-action@263435318d21b8e681c14492fe198d362a7d2c83 # v6.18.0
```",
    references: &["https://docs.github.com/en/actions/reference/security/secure-use", "https://www.cve.org/CVERecord?id=CVE-2025-30066"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    let called = workflow.jobs.iter().filter_map(Job::calls);
    let used = workflow.steps().filter_map(|(_, step)| step.uses);
    for uses in called.chain(used).filter(|uses| !uses.is_local() && !uses.is_image()) {
        let reference = uses.reference.unwrap_or("");
        if words::is_commit(reference) || uses.text.contains("${{") {
            continue;
        }
        // The platform's own actions are as trusted as the platform that runs them.
        let own = uses.name.starts_with("actions/") || uses.name.starts_with("github/");
        let (what, severity) = match (own, words::is_branch(reference) || reference.is_empty()) {
            (_, true) => ("moves with every push", Severity::High),
            (true, false) => ("can be moved", Severity::Low),
            (false, false) => ("can be moved", Severity::Medium),
        };
        found
            .at(workflow.source, &uses.node.span, format!("`{}` {what}", uses.text))
            .severity(severity)
            .fix(format!("name the commit: `{}@<40 digits> # {reference}`", uses.name));
    }
    images(workflow, found);
}

fn images(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    let used = workflow.steps().filter_map(|(_, step)| step.uses).filter(|uses| uses.is_image());
    for uses in used {
        let image = uses.text.trim_start_matches("docker://");
        if words::image_pin(image) == words::Pin::Mutable {
            found
                .at(workflow.source, &uses.node.span, format!("`{image}` is whatever the registry has under this name"))
                .fix(format!("append the digest: `{image}@sha256:…`"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::found;

    fn using(uses: &str) -> String {
        format!("on: push\njobs:\n  a:\n    steps:\n      - uses: {uses}\n")
    }

    #[test]
    fn fires_on_tags_branches_and_images_and_is_graver_the_easier_they_move() {
        let check = |uses: &str, severity| {
            fires_on(&RULE, WORKFLOW, &using(uses), &["5:15"]);
            assert_eq!(found(&RULE, &[(WORKFLOW, &using(uses))])[0].severity, severity, "{uses}");
        };
        check("a/b@v1", Severity::Medium);
        check("a/b/c@main", Severity::High);
        check("a/b", Severity::High);
        check("actions/checkout@v4", Severity::Low);
        check("docker://alpine:3", Severity::Medium);
        fires_on(&RULE, WORKFLOW, "jobs:\n  a:\n    uses: a/b/.github/workflows/c.yml@v2\n", &["3:11"]);
        fires_on(&RULE, "x/action.yml", "runs:\n  using: composite\n  steps:\n    - uses: a/b@v1\n", &["4:13"]);
    }

    #[test]
    fn is_silent_on_commits_and_on_the_same_repository() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        is_silent_on(&RULE, WORKFLOW, &using(&format!("a/b@{commit} # v1")));
        is_silent_on(&RULE, WORKFLOW, &using("./actions/a"));
    }
}
