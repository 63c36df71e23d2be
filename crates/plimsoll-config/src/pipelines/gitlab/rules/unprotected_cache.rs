//! One cache for protected and other branches.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/gitlab-unprotected-cache",
    title: "a protected branch restores what any branch saved",
    severity: Severity::Medium,
    help: "\
GitLab keeps the caches of protected branches apart from the others. `unprotect: true` joins them: whoever may push any branch
puts files into the build of the release. Leave them apart.

Bad:

```yaml
build:
  cache:
    paths: [node_modules/]
    unprotect: true
  script: [npm ci]
```

Good:

```yaml
build:
  cache:
    paths: [node_modules/]
  script: [npm ci]
```",
    references: &["https://docs.gitlab.com/ci/yaml/#cacheunprotect"],
};

pub(crate) fn check(pipeline: &Pipeline<'_>, found: &mut Found<'_>) {
    for cache in pipeline.levels().filter_map(|node| node.get("cache")) {
        for cache in std::iter::once(cache).chain(cache.items()) {
            let Some((key, _)) = cache.entry("unprotect").filter(|(_, value)| value.truth() == Some(true)) else { continue };
            found.at(pipeline.source, &key.span, "any branch can fill the cache of protected ones").fix("remove `unprotect`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_single_and_several_caches() {
        fires_on(&RULE, FILE, "a:\n  cache: [{key: b, unprotect: true}]\n  script: x\n", &["2:20"]);
    }

    #[test]
    fn is_silent_where_they_are_apart() {
        is_silent_on(&RULE, FILE, "cache: {paths: [a], unprotect: false}\n");
    }
}
