//! Package lists that are old when they are used.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-apt-update-alone",
    title: "package lists in a step of their own",
    severity: Severity::Low,
    help: "\
The step is cached: weeks later a new package is installed from the old lists, in a version that is gone or has known
flaws. Update and install in one step.

Bad:

```dockerfile
RUN apt-get update
RUN apt-get install -y curl
```

Good:

```dockerfile
RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
```",
    references: &["https://docs.docker.com/build/building/best-practices/#apt-get"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for run in file.named("RUN") {
        let commands = run.commands(&file.source);
        let calls = |word: &str| {
            commands
                .iter()
                .find(|c| matches!(c.program(), "apt-get" | "apt") && c.operands().any(|w| w.text == word))
        };
        let uses = |word: &str| commands.iter().any(|c| c.words.iter().any(|w| w.text.contains(word)));
        if let Some(update) =
            calls("update").filter(|_| !uses("install") && !uses("upgrade") && !uses("build-dep"))
        {
            found
                .at(&file.source, &update.span(), "package lists that are old when they are used")
                .fix("install in the same step");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_update_alone() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN apt-get update\nRUN apt-get install -y b\n", &["2:5"]);
    }

    #[test]
    fn is_silent_on_update_and_install() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN apt-get update && apt-get install -y b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN apt-get -q update; ./install.sh\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN apk update\n");
    }
}
