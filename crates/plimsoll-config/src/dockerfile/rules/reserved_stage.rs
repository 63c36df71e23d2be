//! A stage with a name that means something else.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-reserved-stage",
    title: "stage with a reserved name",
    severity: Severity::Low,
    help: "\
`scratch` is the empty image and `context` is what the builder was given. A stage of that name cannot be reached, or
hides it from the reader.

Bad:

```dockerfile
FROM a:1 AS scratch
```

Good:

```dockerfile
FROM a:1 AS build
```",
    references: &["https://docs.docker.com/reference/build-checks/reserved-stage-name/"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for name in file.stages.iter().filter_map(|stage| stage.name.as_ref()) {
        if matches!(name.text.to_ascii_lowercase().as_str(), "scratch" | "context") {
            found
                .at(&file.source, &name.span, format!("`{}` means something else", name.text))
                .fix("give it another name");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_reserved_name() {
        fires_on(&RULE, "Dockerfile", "FROM a:1 AS scratch\n", &["1:13"]);
    }

    #[test]
    fn is_silent_on_other_names() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1 AS build\nFROM scratch\n");
    }
}
