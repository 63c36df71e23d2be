//! A script that is run as it comes from the network.

use super::prelude::*;
use crate::shell::{self, Command, Then};
pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-pipe-to-shell",
    title: "script from the network that runs unseen",
    severity: Severity::Medium,
    help: "\
Whatever the server sends runs in the build, and a connection that breaks runs half of it. Nobody can say later what
it was. Download it, compare its digest, then run it; or install a package of a fixed version.

Bad:

```dockerfile
RUN curl -fsSL https://example.org/install.sh | sh
```

Good:

```dockerfile
ADD --checksum=sha256:24454f83… https://example.org/install.sh /tmp/install.sh
RUN sh /tmp/install.sh
```",
    references: &["https://docs.docker.com/reference/dockerfile/#add---checksum"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for run in file.named("RUN") {
        let commands = run.commands(&file.source);
        let mut piped = false;
        for (index, command) in commands.iter().enumerate() {
            let fetches = shell::is_download(command);
            let runs =
                shell::is_interpreter(command) && (piped || runs_nested(command, &commands[index + 1..]));
            if runs {
                found
                    .at(&file.source, &command.span(), "runs a script as it comes from the network")
                    .fix("download it with a checksum first, or install a fixed version of a package");
            }
            piped = command.then == Then::Pipe && (fetches || piped);
        }
    }
}

/// `sh -c "$(curl …)"` and `bash <(curl …)`.
fn runs_nested(command: &Command, after: &[Command]) -> bool {
    let takes = command
        .arguments()
        .iter()
        .any(|word| word.text.contains("$(") || word.text.contains("<(") || word.text.contains('`'));
    takes && after.iter().take_while(|nested| nested.depth > command.depth).any(shell::is_download)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_what_goes_from_the_network_to_an_interpreter() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN curl -fsSL https://a.org/i.sh | sh\n", &["2:37"]);
        fires_on(
            &RULE,
            "Dockerfile",
            "FROM a:1\nRUN a && wget -qO- https://a.org/i | sudo bash -s -- -y\n",
            &["2:38"],
        );
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN sh -c \"$(curl -fsSL https://a.org/i)\"\n", &["2:5"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN bash <(curl https://a.org/i)\n", &["2:5"]);
        fires_on(
            &RULE,
            "Dockerfile",
            "FROM a:1\nRUN <<EOF\ncurl https://a.org/i | gunzip | python3\nEOF\n",
            &["3:33"],
        );
    }

    #[test]
    fn is_silent_on_files_and_other_pipes() {
        is_silent_on(
            &RULE,
            "Dockerfile",
            "FROM a:1\nRUN curl https://a.org/i -o i && sha256sum -c i.sum && sh i\n",
        );
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN curl https://a.org/i | tar xz\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN cat a | sh\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN sh -c 'echo a'\n");
    }
}
