//! The socket by which everything on a host can be had.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-docker-socket",
    title: "socket of the container engine as a volume",
    severity: Severity::Medium,
    help: "\
Whoever can talk to the socket of the container engine can start a container with the whole host in it. An image that
declares it as a volume expects to be given the host.

Bad:

```dockerfile
VOLUME /var/run/docker.sock
```

Good:

```dockerfile
VOLUME /data
```",
    references: &["https://docs.docker.com/engine/security/#docker-daemon-attack-surface"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for volume in file.named("VOLUME") {
        for word in volume.words.iter().filter(|word| {
            ["docker.sock", "containerd.sock", "crio.sock", "podman.sock"]
                .iter()
                .any(|end| word.text.ends_with(end))
        }) {
            found
                .at(&file.source, &word.span, format!("`{}` gives the whole host", word.text))
                .fix("do without the socket");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_socket() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nVOLUME /a /var/run/docker.sock\n", &["2:11"]);
    }

    #[test]
    fn is_silent_on_other_volumes() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nVOLUME /data\n");
    }
}
