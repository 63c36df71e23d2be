//! A stage that does not exist where it is named.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-unknown-stage",
    title: "stage that does not exist",
    severity: Severity::Medium,
    help: "\
A number names the stages before, from 0. A later one, or the stage itself, cannot be copied from, and the build fails
there.

Bad:

```dockerfile
FROM a:1 AS build
COPY --from=1 /out /out
```

Good:

```dockerfile
FROM a:1 AS build
FROM scratch
COPY --from=build /out /out
```",
    references: &["https://docs.docker.com/reference/dockerfile/#copy---from"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for (index, stage) in file.stages.iter().enumerate() {
        for copy in stage.instructions.iter().filter(|i| i.name == "COPY" && !i.on_build) {
            let Some(flag) = copy.flag("from") else { continue };
            let itself = stage.name.as_ref().is_some_and(|name| name.text.eq_ignore_ascii_case(&flag.value));
            let later = flag.value.parse::<usize>().is_ok_and(|number| number >= index);
            let named_before = file.stages[..index].iter().any(|before| {
                before.name.as_ref().is_some_and(|name| name.text.eq_ignore_ascii_case(&flag.value))
            });
            if !named_before && (itself || later) {
                found
                    .at(&file.source, &flag.span, format!("`{}` is no stage before this one", flag.value))
                    .fix("name an earlier stage");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_itself_and_later_stages() {
        fires_on(&RULE, "Dockerfile", "FROM a:1 AS b\nCOPY --from=b /x /x\n", &["2:6"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nFROM c:1\nCOPY --from=1 /x /x\n", &["3:6"]);
    }

    #[test]
    fn is_silent_on_earlier_stages_and_images() {
        is_silent_on(
            &RULE,
            "Dockerfile",
            "FROM a:1 AS b\nFROM c:1\nCOPY --from=b /x /x\nCOPY --from=0 /x /x\nCOPY --from=nginx:1 /x /x\n",
        );
    }
}
