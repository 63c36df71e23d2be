//! A `cd` that is forgotten at the end of its step.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-cd-alone",
    title: "cd without effect",
    severity: Severity::Low,
    help: "\
Every `RUN` begins in the `WORKDIR`. A step that only changes the folder changes nothing for the next one.

Bad:

```dockerfile
RUN cd /app
RUN make
```

Good:

```dockerfile
WORKDIR /app
RUN make
```",
    references: &["https://docs.docker.com/build/building/best-practices/#workdir"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for run in file.named("RUN").filter(|run| run.list.is_none()) {
        let commands = run.commands(&file.source);
        let [only] = commands.as_slice() else { continue };
        if only.program() == "cd" {
            found
                .at(&file.source, &run.span, "the folder is forgotten at the end of this step")
                .fix("write WORKDIR");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_cd_alone() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN cd /app\n", &["2:1"]);
    }

    #[test]
    fn is_silent_on_cd_before_a_command() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN cd /app && make\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nWORKDIR /app\n");
    }
}
