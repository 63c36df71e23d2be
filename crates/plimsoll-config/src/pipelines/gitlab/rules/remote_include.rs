//! A part of the pipeline from an address, unchecked.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/gitlab-remote-include",
    title: "a part of the pipeline comes from an address and is not checked",
    severity: Severity::Medium,
    help: "\
Whoever controls that server decides what runs here, with the variables of this project. Give the digest that you expect with
`integrity`, or keep a copy in a project of yours.

Bad:

```yaml
include:
  - remote: https://example.com/ci/build.yml
```

Good:

```yaml
include:
  - remote: https://example.com/ci/build.yml
    integrity: sha256-L3/GAoKaw0Arw6hDCKeKQlV1QPEgHYxGBHsH4zG1IY8=
```",
    references: &["https://docs.gitlab.com/ci/yaml/#includeintegrity"],
};

pub(crate) fn check(pipeline: &Pipeline<'_>, found: &mut Found<'_>) {
    for include in pipeline.includes() {
        let remote = include.get("remote").or(Some(include).filter(|node| node.text().is_some_and(|text| text.contains("://"))));
        let Some(remote) = remote.filter(|_| include.get("integrity").is_none()) else { continue };
        let plain = remote.text().is_some_and(|text| text.starts_with("http://"));
        found
            .at(pipeline.source, &remote.span, if plain { "anybody on the way can answer for this address" } else { "whatever this address answers is run" })
            .severity(if plain { Severity::High } else { Severity::Medium })
            .fix("add `integrity` with its digest, or keep a copy in a project of yours");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_addresses() {
        fires_on(&RULE, FILE, "include: https://a/b.yml\n", &["1:10"]);
        fires_on(&RULE, FILE, "include:\n  - local: a\n  - remote: http://a/b.yml\n", &["3:13"]);
    }

    #[test]
    fn is_silent_where_the_digest_is_known() {
        is_silent_on(&RULE, FILE, "include:\n  - {remote: https://a, integrity: sha256-x}\n  - b.yml\n");
    }
}
