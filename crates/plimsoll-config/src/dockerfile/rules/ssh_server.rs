//! A way to log in from outside.

use super::prelude::*;
use crate::shell;
pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-ssh-server",
    title: "SSH server in the image",
    severity: Severity::Medium,
    help: "\
A container has a way in already: `docker exec`, `kubectl exec`, checked and logged by the platform. An SSH server
beside it has its own keys and users that nobody rotates, and one more port to attack.

Bad:

```dockerfile
RUN apt-get install -y openssh-server
EXPOSE 22
```

Good:

```dockerfile
CMD [\"/server\"]
```",
    references: &["https://docs.docker.com/reference/cli/docker/container/exec/"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for expose in file.named("EXPOSE") {
        for word in expose.words.iter().filter(|word| matches!(word.text.as_str(), "22" | "22/tcp")) {
            found.at(&file.source, &word.span, "the port of SSH").fix("use `docker exec` or `kubectl exec`");
        }
    }
    for command in file.named("RUN").flat_map(|run| run.commands(&file.source)) {
        if !shell::is_package_install(&command) {
            continue;
        }
        for word in command
            .operands()
            .filter(|word| matches!(word.text.as_str(), "openssh-server" | "dropbear" | "sshd"))
        {
            found
                .at(&file.source, &word.span, "installs an SSH server")
                .fix("use `docker exec` or `kubectl exec`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_port_and_the_package() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nEXPOSE 80 22\n", &["2:11"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN apt-get install -y a openssh-server\n", &["2:26"]);
    }

    #[test]
    fn is_silent_on_other_ports_and_the_client() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nEXPOSE 8022 80\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN apt-get install -y openssh-client\n");
    }
}
