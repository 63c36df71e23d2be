//! Files that are copied to a place that the base image decides.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-relative-copy",
    title: "COPY to a relative path without a WORKDIR",
    severity: Severity::Info,
    help: "\
Without a `WORKDIR` in this file, a relative destination is below whatever the base image says, which can change. Set
`WORKDIR`, or write the whole path.

Bad:

```dockerfile
FROM debian:12
COPY app app
```

Good:

```dockerfile
FROM debian:12
WORKDIR /srv
COPY app app
```",
    references: &["https://docs.docker.com/reference/dockerfile/#copy"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for stage in &file.stages {
        let mut is_known =
            file.ancestry(stage).skip(1).flat_map(|stage| &stage.instructions).any(|i| i.name == "WORKDIR");
        for instruction in &stage.instructions {
            is_known |= instruction.name == "WORKDIR";
            let copies =
                matches!(instruction.name.as_str(), "COPY" | "ADD") && !instruction.on_build && !is_known;
            let Some(target) = instruction.words.last().filter(|_| copies) else { continue };
            let is_absolute =
                target.text.starts_with(['/', '$', '%', '\\']) || target.text.get(1..2) == Some(":");
            if !is_absolute && stage.base != Base::Nothing {
                found
                    .at(
                        &file.source,
                        &target.span,
                        format!("`{}` is below whatever the base image says", target.text),
                    )
                    .fix("set WORKDIR before it, or write the whole path");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_relative_path() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nCOPY a b\n", &["2:8"]);
    }

    #[test]
    fn is_silent_below_a_known_place() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nWORKDIR /c\nCOPY a b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nCOPY a /b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nCOPY a $B\n");
        is_silent_on(&RULE, "Dockerfile", "FROM scratch\nCOPY a b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1 AS b\nWORKDIR /c\nFROM b\nCOPY a .\n");
    }
}
