//! An instruction that only counts once and stands twice.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-several-commands",
    title: "instruction without effect",
    severity: Severity::Low,
    help: "\
Of several `CMD`, `ENTRYPOINT` and `HEALTHCHECK` in a stage only the last counts. The others mislead the reader.

Bad:

```dockerfile
CMD [\"/setup\"]
CMD [\"/server\"]
```

Good:

```dockerfile
RUN /setup
CMD [\"/server\"]
```",
    references: &["https://docs.docker.com/reference/dockerfile/#cmd", "https://docs.docker.com/reference/build-checks/multiple-instructions-disallowed/"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for stage in &file.stages {
        for name in ["CMD", "ENTRYPOINT", "HEALTHCHECK"] {
            let all: Vec<_> = stage.instructions.iter().filter(|i| i.name == name && !i.on_build).collect();
            for hidden in all.iter().rev().skip(1).rev() {
                found
                    .at(&file.source, &hidden.span, format!("a later {name} hides this one"))
                    .fix("remove it");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_all_but_the_last() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nCMD a\nCMD b\nCMD c\n", &["2:1", "3:1"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nENTRYPOINT a\nENTRYPOINT b\n", &["2:1"]);
    }

    #[test]
    fn is_silent_on_one_in_each_stage() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nCMD a\nENTRYPOINT b\nFROM a:1\nCMD c\n");
    }
}
