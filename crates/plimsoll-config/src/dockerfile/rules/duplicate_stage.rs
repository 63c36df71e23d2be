//! Two stages of the same name.

use super::prelude::*;
use std::collections::BTreeSet;
pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-duplicate-stage",
    title: "two stages of the same name",
    severity: Severity::Medium,
    help: "\
The later stage hides the earlier one, so `COPY --from` takes from another one than the reader thinks.

Bad:

```dockerfile
FROM a:1 AS build
FROM b:1 AS build
```

Good:

```dockerfile
FROM a:1 AS build
FROM b:1 AS test
```",
    references: &["https://docs.docker.com/reference/build-checks/duplicate-stage-name/"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    let mut seen = BTreeSet::new();
    for name in file.stages.iter().filter_map(|stage| stage.name.as_ref()) {
        if !seen.insert(name.text.to_ascii_lowercase()) {
            found
                .at(&file.source, &name.span, format!("an earlier stage has the name `{}` too", name.text))
                .fix("give it a name of its own");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_second() {
        fires_on(&RULE, "Dockerfile", "FROM a:1 AS b\nFROM c:1 AS B\n", &["2:13"]);
    }

    #[test]
    fn is_silent_on_different_names() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1 AS b\nFROM c:1 AS d\nFROM e:1\n");
    }
}
