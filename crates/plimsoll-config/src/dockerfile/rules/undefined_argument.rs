//! A base image that depends on something never declared.

use super::prelude::*;
use crate::dockerfile::parse::variables;
pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-undefined-argument",
    title: "base image with an undeclared argument",
    severity: Severity::Medium,
    help: "\
Only arguments that are declared before the first `FROM` exist in a `FROM`. Any other is empty, and the build fails or
takes another image than meant.

Bad:

```dockerfile
FROM node:${VERSION}
ARG VERSION=22
```

Good:

```dockerfile
ARG VERSION=22
FROM node:${VERSION}
```",
    references: &["https://docs.docker.com/reference/build-checks/undefined-arg-in-from/"],
};

/// What BuildKit declares by itself.
const KNOWN: &[&str] = &[
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
    "TARGETSTAGE",
];

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    let declared = file.global_values();
    for word in file.stages.iter().filter_map(|stage| stage.from.words.first()) {
        let missing = |name: &&str| !declared.contains_key(*name) && !KNOWN.contains(name);
        if let Some(name) = variables(&word.text).into_iter().find(missing) {
            if has_default(&word.text, name) {
                continue;
            }
            found
                .at(&file.source, &word.span, format!("`{name}` is not declared before the first FROM"))
                .fix(format!("write `ARG {name}=…` before the first FROM"));
        }
    }
}

fn has_default(text: &str, name: &str) -> bool {
    text.contains(&format!("{{{name}:-")) || text.contains(&format!("{{{name}-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_an_undeclared_argument() {
        fires_on(&RULE, "Dockerfile", "FROM a:$V\n", &["1:6"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nARG V=1\nFROM a:${V}\n", &["3:6"]);
    }

    #[test]
    fn is_silent_on_declared_ones_defaults_and_what_the_builder_knows() {
        is_silent_on(&RULE, "Dockerfile", "ARG V\nFROM a:$V\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:${V:-1}\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:$TARGETARCH\n");
    }
}
