//! A release that is built from a cache which others fill.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-cache-poisoning",
    title: "a release is built with a cache that other runs fill",
    severity: Severity::Medium,
    help: "\
A cache is found by its key, whoever wrote it. A run on the default branch that executes foreign code, such as one on
`pull_request_target`, can fill the key that the release will ask for; Ultralytics and TanStack shipped malware like this. Build
what you publish without a cache.

Bad:

```yaml
on:
  release:
    types: [published]
permissions: {}
jobs:
  publish:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/cache@0123456789abcdef0123456789abcdef01234567 # v4
        with:
          path: ~/.npm
          key: npm-${{ hashFiles('package-lock.json') }}
      - run: npm publish
```

Good:

```yaml
on:
  release:
    types: [published]
permissions: {}
jobs:
  publish:
    runs-on: ubuntu-24.04
    steps:
      - run: npm ci && npm publish
```",
    references: &["https://adnanthekhan.com/2024/05/06/the-monsters-in-your-build-cache-github-actions-cache-poisoning/"],
};

/// Actions that keep a cache unless told not to.
const ALWAYS: &[&str] = &[
    "actions/cache",
    "actions/cache/restore",
    "swatinem/rust-cache",
    "mozilla-actions/sccache-action",
    "ruby/setup-ruby",
    "gradle/actions/setup-gradle",
    "gradle/gradle-build-action",
    "actions-rust-lang/setup-rust-toolchain",
];
/// Actions that keep one where an input says so.
const ON_DEMAND: &[&str] = &["actions/setup-node", "actions/setup-python", "actions/setup-java", "actions/setup-dotnet"];

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    let Some(why) = publishes(workflow) else { return };
    for (job, step) in workflow.steps() {
        let Some(uses) = step.uses.filter(|_| caches(step)) else { continue };
        found
            .at(workflow.source, &uses.node.span, format!("{why}, and this restores what other runs saved"))
            .subject(job.name)
            .fix("build what is published without a cache");
    }
}

fn publishes(workflow: &Workflow<'_>) -> Option<&'static str> {
    if workflow.trigger("release").is_some() {
        return Some("this builds a release");
    }
    let push = workflow.trigger("push").and_then(|push| push.filters);
    let tags = push.is_some_and(|filters| filters.get("tags").is_some() && filters.get("branches").is_none());
    tags.then_some("this builds what is tagged")
}

fn caches(step: &Step<'_>) -> bool {
    let off = |input: &str| step.with(input).is_some_and(|node| node.truth() == Some(false) || node.text() == Some("false"));
    let on = |input: &str| step.with(input).is_some_and(|node| !node.is_null() && !matches!(node.text(), Some("" | "false")));
    if step.is("ruby/setup-ruby") {
        return on("bundler-cache");
    }
    let disabled = off("cache") || off("enable-cache") || on("cache-disabled") || on("lookup-only");
    let demanded = ON_DEMAND.iter().any(|name| step.is(name)) && on("cache");
    let go = step.is("actions/setup-go");
    let uv = step.is("astral-sh/setup-uv") && on("enable-cache");
    !disabled && (ALWAYS.iter().any(|name| step.is(name)) || demanded || go || uv)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(trigger: &str, step: &str) -> String {
        format!("on: {trigger}\njobs:\n  a:\n    steps:\n      - uses: {step}\n")
    }

    #[test]
    fn fires_on_caches_in_releases() {
        for step in ["actions/cache@v4", "Swatinem/rust-cache@v2", "actions/setup-go@v5", "{uses: x}"].iter().take(3) {
            fires_on(&RULE, WORKFLOW, &on("release", step), &["5:15"]);
            fires_on(&RULE, WORKFLOW, &on("{push: {tags: ['v*']}}", step), &["5:15"]);
        }
        fires_on(&RULE, WORKFLOW, &on("release", "actions/setup-node@v4\n        with: {cache: npm}"), &["5:15"]);
    }

    #[test]
    fn is_silent_where_nothing_is_published_or_nothing_is_cached() {
        is_silent_on(&RULE, WORKFLOW, &on("push", "actions/cache@v4"));
        is_silent_on(&RULE, WORKFLOW, &on("release", "actions/setup-node@v4"));
        is_silent_on(&RULE, WORKFLOW, &on("release", "actions/setup-go@v5\n        with: {cache: false}"));
    }
}
