//! A build step in the network of the host.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-host-network-run",
    title: "build step in the host's network",
    severity: Severity::Medium,
    help: "\
`--network=host` lets the step reach whatever listens on the machine that builds, metadata services and other people's
builds included. The default network is enough for downloads; `none` is better where nothing is downloaded.

Bad:

```dockerfile
RUN --network=host ./configure
```

Good:

```dockerfile
RUN --network=none ./configure
```",
    references: &["https://docs.docker.com/reference/dockerfile/#run---network"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for run in file.named("RUN") {
        let Some(flag) = run.flag("network").filter(|flag| flag.value == "host") else { continue };
        found
            .at(&file.source, &flag.span, "this step runs in the network of the host")
            .fix("leave it out, or write `--network=none`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_hosts_network() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN --network=host a\n", &["2:5"]);
    }

    #[test]
    fn is_silent_on_other_networks() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN --network=none a\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN a\n");
    }
}
