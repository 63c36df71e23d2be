//! Package lists that stay in the image.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-apt-lists-left",
    title: "package lists left in the image",
    severity: Severity::Info,
    help: "\
The lists are tens of megabytes that nobody needs in the image. Remove them in the same step; a later step cannot make
the layer smaller. A cache mount does it too.

Bad:

```dockerfile
RUN apt-get update && apt-get install -y curl
```

Good:

```dockerfile
RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*
```",
    references: &["https://docs.docker.com/build/building/best-practices/#apt-get"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    let Some(last) = file.last() else { return };
    for run in file.ancestry(last).flat_map(|stage| &stage.instructions).filter(|i| i.name == "RUN") {
        let commands = run.commands(&file.source);
        let update = commands
            .iter()
            .find(|c| matches!(c.program(), "apt-get" | "apt") && c.operands().any(|w| w.text == "update"));
        let removes = commands
            .iter()
            .any(|c| c.words.iter().any(|w| w.text.contains("/var/lib/apt") || w.text == "/var/lib"));
        let mounts = run.flags.iter().any(|flag| flag.name == "mount" && flag.value.contains("/var/lib/apt"));
        if let Some(update) = update.filter(|_| !removes && !mounts) {
            found
                .at(&file.source, &update.span(), "the package lists stay in the image")
                .fix("add `&& rm -rf /var/lib/apt/lists/*`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_lists_that_stay() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN apt-get update && apt-get install -y b\n", &["2:5"]);
    }

    #[test]
    fn is_silent_where_they_are_removed_mounted_or_in_another_stage() {
        is_silent_on(
            &RULE,
            "Dockerfile",
            "FROM a:1\nRUN apt-get update && apt-get install -y b && rm -rf /var/lib/apt/lists/*\n",
        );
        is_silent_on(
            &RULE,
            "Dockerfile",
            "FROM a:1\nRUN --mount=type=cache,target=/var/lib/apt apt-get update\n",
        );
        is_silent_on(
            &RULE,
            "Dockerfile",
            "FROM a:1 AS b\nRUN apt-get update\nFROM c:1\nCOPY --from=b /x /x\n",
        );
    }
}
