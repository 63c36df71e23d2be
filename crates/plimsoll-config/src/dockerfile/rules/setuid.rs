//! A program that runs as its owner, whoever starts it.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-setuid",
    title: "program with the setuid bit",
    severity: Severity::Medium,
    help: "\
A program with the setuid bit runs as its owner, mostly root, whoever starts it: one flaw in it makes every user root.
Give it the one capability that it needs with `setcap`, or none.

Bad:

```dockerfile
RUN chmod u+s /usr/local/bin/tool
```

Good:

```dockerfile
RUN setcap cap_net_bind_service=+ep /usr/local/bin/tool
```",
    references: &["https://man7.org/linux/man-pages/man7/capabilities.7.html"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for run in file.named("RUN") {
        for command in run.commands(&file.source).iter().filter(|command| command.program() == "chmod") {
            if let Some(word) = command.operands().next().filter(|word| sets(&word.text)) {
                found
                    .at(&file.source, &word.span, "makes a program run as its owner")
                    .fix("give it a capability instead, or nothing");
            }
        }
    }
}

fn sets(mode: &str) -> bool {
    if mode.chars().all(|c| c.is_digit(8)) {
        return mode.len() == 4 && matches!(mode.chars().next(), Some('4' | '6' | '7'));
    }
    mode.split(',').any(|part| {
        let (who, rest) = part.split_once(['+', '=']).unwrap_or(("", ""));
        part.contains(['+', '=']) && rest.contains('s') && (who.is_empty() || who.contains(['u', 'a']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_bit() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN chmod u+s /b\n", &["2:11"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN chmod 4755 /b\n", &["2:11"]);
    }

    #[test]
    fn is_silent_on_other_modes() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN chmod 755 /b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN chmod u-s /b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN chmod g+s /b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN chmod 2775 /b\n");
    }
}
