//! A port that does not exist.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-invalid-port",
    title: "port that does not exist",
    severity: Severity::Low,
    help: "\
Ports go from 1 to 65535. A builder takes the number, and nothing will ever listen there.

Bad:

```dockerfile
EXPOSE 80800
```

Good:

```dockerfile
EXPOSE 8080
```",
    references: &["https://docs.docker.com/reference/dockerfile/#expose"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for expose in file.named("EXPOSE") {
        for word in expose.words.iter().filter(|word| !is_port(&word.text)) {
            found
                .at(&file.source, &word.span, format!("`{}` is no port", word.text))
                .fix("name a port from 1 to 65535");
        }
    }
}

fn is_port(text: &str) -> bool {
    let port = text.split('/').next().unwrap_or("");
    text.contains('$') || port.split('-').all(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_what_is_no_port() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nEXPOSE 80800\n", &["2:8"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nEXPOSE 0/tcp a\n", &["2:8", "2:14"]);
    }

    #[test]
    fn is_silent_on_ports() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nEXPOSE 80 8000-8010/udp $PORT\n");
    }
}
