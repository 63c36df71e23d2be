//! A build step with the rights of the host.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-insecure-run",
    title: "build step with all rights",
    severity: Severity::High,
    help: "\
`--security=insecure` runs the step without its sandbox: it can reach the machine that builds, and what else is built
there. Find the one thing that needs it and do that outside of the build.

Bad:

```dockerfile
RUN --security=insecure mount -t tmpfs none /mnt
```

Good:

```dockerfile
RUN --mount=type=tmpfs,target=/mnt ./step
```",
    references: &["https://docs.docker.com/reference/dockerfile/#run---security"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for run in file.named("RUN") {
        let Some(flag) = run.flag("security").filter(|flag| flag.value == "insecure") else { continue };
        found
            .at(&file.source, &flag.span, "this step runs without its sandbox")
            .fix("do without `--security=insecure`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_an_insecure_step() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN --security=insecure mount a\n", &["2:5"]);
    }

    #[test]
    fn is_silent_on_a_sandboxed_one() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN --security=sandbox a\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN a --security=insecure\n");
    }
}
