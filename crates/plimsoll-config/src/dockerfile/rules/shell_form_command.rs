//! A service behind a shell that does not pass signals on.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-shell-form-command",
    title: "service that does not get its signals",
    severity: Severity::Info,
    help: "\
Without brackets the command runs below `sh -c`, which is process 1 and does not pass `SIGTERM` on: every stop waits
for its timeout and then kills. Write the list, or `exec` in front.

Bad:

```dockerfile
ENTRYPOINT server --port 80
```

Good:

```dockerfile
ENTRYPOINT [\"server\", \"--port\", \"80\"]
```",
    references: &["https://docs.docker.com/reference/build-checks/json-args-recommended/"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    let Some(last) = file.last() else { return };
    for instruction in
        last.instructions.iter().filter(|i| matches!(i.name.as_str(), "CMD" | "ENTRYPOINT") && !i.on_build)
    {
        let has_shell = last.instructions.iter().any(|i| i.name == "SHELL");
        let first = instruction.words.first().map_or("", |word| word.text.as_str());
        if instruction.list.is_some() || has_shell || first == "exec" || first.is_empty() {
            continue;
        }
        let keyword = &instruction.name;
        found
            .at(
                &file.source,
                &instruction.span,
                format!("{keyword} without brackets: the service does not get SIGTERM"),
            )
            .fix("write it as a list: `[\"program\", \"argument\"]`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_command_without_brackets() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nCMD server -p 80\n", &["2:1"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nENTRYPOINT ['a']\n", &["2:1"]);
    }

    #[test]
    fn is_silent_on_lists_exec_and_other_stages() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nCMD [\"server\"]\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nCMD exec server\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nCMD b\nFROM a:1\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nSHELL [\"/bin/bash\", \"-c\"]\nCMD b\n");
    }
}
