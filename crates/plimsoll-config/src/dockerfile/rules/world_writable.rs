//! Files that everybody may write.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-world-writable",
    title: "files that everybody may write",
    severity: Severity::Medium,
    help: "\
Whoever gets to run anything in the container, as whatever user, can replace the files: programs that others run later
too. Give the files to the user that needs them.

Bad:

```dockerfile
RUN chmod -R 777 /app
```

Good:

```dockerfile
COPY --chown=10001:10001 app /app
```",
    references: &["https://docs.docker.com/build/building/best-practices/"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for run in file.named("RUN") {
        for command in run.commands(&file.source).iter().filter(|command| command.program() == "chmod") {
            if let Some(word) = command.operands().next().filter(|word| opens(&word.text)) {
                found
                    .at(&file.source, &word.span, "lets everybody write these files")
                    .fix("give them to the user that needs them, with `--chown`");
            }
        }
    }
    for copy in file.instructions().filter(|i| matches!(i.name.as_str(), "COPY" | "ADD")) {
        if let Some(flag) = copy.flag("chmod").filter(|flag| opens(&flag.value)) {
            found
                .at(&file.source, &flag.span, "lets everybody write these files")
                .fix("give them to the user that needs them, with `--chown`");
        }
    }
}

/// Whether a mode lets others write. With the sticky bit only the owner can replace a file.
fn opens(mode: &str) -> bool {
    if mode.chars().all(|c| c.is_digit(8)) {
        let sticky = mode.len() == 4 && mode.starts_with(['1', '3', '5', '7']);
        return mode.len() >= 3 && !sticky && matches!(mode.chars().last(), Some('2' | '3' | '6' | '7'));
    }
    mode.split(',').any(|part| {
        let who: String = part.chars().take_while(|c| matches!(c, 'u' | 'g' | 'o' | 'a')).collect();
        let grants = part[who.len()..].starts_with(['+', '=']) && part.contains('w') && !part.contains('t');
        grants && (who.contains(['o', 'a']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_modes_that_let_others_write() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN chmod -R 777 /app\n", &["2:14"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN a && chmod a+rw /app\n", &["2:16"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nCOPY --chmod=0666 a /b\n", &["2:6"]);
    }

    #[test]
    fn is_silent_on_other_modes() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN chmod 755 /app\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN chmod 1777 /tmp\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN chmod g+w /app\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN chmod +x /app\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nCOPY --chmod=644 a /b\n");
    }
}
