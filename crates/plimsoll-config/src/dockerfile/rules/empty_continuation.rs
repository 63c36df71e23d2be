//! An empty line in the middle of an instruction.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-empty-continuation",
    title: "empty line inside an instruction",
    severity: Severity::Low,
    help: "\
An instruction that is continued over an empty line looks as if it ended there. Builders warn, and will refuse it. Use
a comment, or nothing.

Bad:

```dockerfile
RUN a && \\

    b
```

Good:

```dockerfile
RUN a && \\
    b
```",
    references: &["https://docs.docker.com/reference/build-checks/"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for instruction in file.instructions() {
        if let Some(place) = &instruction.empty_continuation {
            let end = (place.end + 1).min(file.source.text.len());
            found
                .at(&file.source, place, format!("this {} goes on after an empty line", instruction.name))
                .identity(&instruction.body.text)
                .fix("remove the empty line")
                .edit(Edit::replace(place.start..end, ""));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_an_empty_line() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN a && \\\n\n  b\n", &["3:1"]);
    }

    #[test]
    fn is_silent_on_comments_and_between_instructions() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN a && \\\n# c\n  b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN a\n\nRUN b\n");
    }
    #[test]
    fn the_diff_removes_it() {
        is_fixed_by_its_diff(&RULE, "Dockerfile", "FROM a:1\nRUN a && \\\n\n  b\n", &["-"]);
    }
}
