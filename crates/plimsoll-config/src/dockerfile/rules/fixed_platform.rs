//! A base image for one kind of machine only.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-fixed-platform",
    title: "base image for one platform only",
    severity: Severity::Info,
    help: "\
A platform written into `FROM` makes the image run emulated, or not at all, on other machines. Leave it out, or name
`$BUILDPLATFORM` for a stage that only builds.

Bad:

```dockerfile
FROM --platform=linux/amd64 debian:12
```

Good:

```dockerfile
FROM --platform=$BUILDPLATFORM debian:12 AS build
```",
    references: &["https://docs.docker.com/reference/build-checks/from-platform-flag-const-disallowed/"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for (index, stage) in file.stages.iter().enumerate() {
        let Some(flag) = stage.from.flag("platform").filter(|flag| !flag.value.contains('$')) else {
            continue;
        };
        // One stage for each platform, of which one is chosen later, is a way to build for several.
        let others = file
            .stages
            .iter()
            .enumerate()
            .filter(|(other, stage)| *other != index && stage.from.flag("platform").is_some());
        if others.count() == 0 {
            found
                .at(&file.source, &flag.span, format!("the image is for {} only", flag.value))
                .fix("leave `--platform` out");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_fixed_platform() {
        fires_on(&RULE, "Dockerfile", "FROM --platform=linux/amd64 a:1\n", &["1:6"]);
    }

    #[test]
    fn is_silent_on_variables_and_a_stage_for_each() {
        is_silent_on(&RULE, "Dockerfile", "FROM --platform=$BUILDPLATFORM a:1\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\n");
        is_silent_on(
            &RULE,
            "Dockerfile",
            "FROM --platform=linux/amd64 a:1 AS amd64\nFROM --platform=linux/arm64 a:1 AS arm64\n",
        );
    }
}
