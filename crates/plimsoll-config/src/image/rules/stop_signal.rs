//! A service that is killed instead of stopped.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/image-stop-signal",
    title: "image whose service is killed instead of stopped",
    severity: Severity::Low,
    help: "\
`SIGKILL` cannot be caught: the service loses what it has not written yet.

Bad:

```json
{\"config\": {\"StopSignal\": \"SIGKILL\"}}
```

Good:

```json
{\"config\": {\"StopSignal\": \"SIGTERM\"}}
```",
    references: &["https://github.com/opencontainers/image-spec/blob/main/config.md"],
};

pub(crate) fn check(image: &Image, found: &mut Found<'_>) {
    if let Some(node) = image
        .config("StopSignal")
        .filter(|node| matches!(node.text(), Some("9" | "KILL" | "SIGKILL" | "SIGSTOP")))
    {
        image
            .report(found, Some(node), "the service is killed and cannot finish")
            .fix("build it with `STOPSIGNAL SIGTERM`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_signals_that_cannot_be_caught() {
        fires_on(&RULE, "config.json", &image("\"StopSignal\": \"SIGKILL\""), &["2:28"]);
    }

    #[test]
    fn is_silent_on_others() {
        is_silent_on(&RULE, "config.json", &image("\"StopSignal\": \"SIGTERM\""));
    }
}
