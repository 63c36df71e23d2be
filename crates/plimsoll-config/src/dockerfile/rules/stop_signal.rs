//! A service that is never asked to stop.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-stop-signal",
    title: "service that is killed instead of stopped",
    severity: Severity::Low,
    help: "\
`SIGKILL` cannot be caught: the service loses what it has not written yet. `SIGTERM`, or what the program documents,
lets it finish.

Bad:

```dockerfile
STOPSIGNAL SIGKILL
```

Good:

```dockerfile
STOPSIGNAL SIGTERM
```",
    references: &["https://docs.docker.com/reference/dockerfile/#stopsignal"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for stop in file.named("STOPSIGNAL") {
        if let Some(word) = stop.words.first().filter(|word| {
            matches!(word.text.to_ascii_uppercase().as_str(), "9" | "KILL" | "SIGKILL" | "SIGSTOP")
        }) {
            let issue = found.at(&file.source, &word.span, "the service is killed and cannot finish");
            issue.fix("write SIGTERM").edit(Edit::replace(word.span.clone(), "SIGTERM"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_signals_that_cannot_be_caught() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nSTOPSIGNAL SIGKILL\n", &["2:12"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nSTOPSIGNAL 9\n", &["2:12"]);
    }

    #[test]
    fn is_silent_on_others() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nSTOPSIGNAL SIGTERM\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nSTOPSIGNAL SIGQUIT\n");
    }
}
