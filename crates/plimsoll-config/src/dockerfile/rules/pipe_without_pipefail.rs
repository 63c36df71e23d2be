//! A download that can fail without anybody seeing it.

use super::prelude::*;
use crate::{dockerfile::parse::Instruction, shell};
pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-pipe-without-pipefail",
    title: "download that can fail unseen",
    severity: Severity::Low,
    help: "\
`sh` takes the result of the last command of a pipe. A download that fails or breaks off goes unseen, and half a file
is unpacked. Set `pipefail`, or download to a file first.

Bad:

```dockerfile
RUN curl -fsSL https://example.org/a.tgz | tar xz
```

Good:

```dockerfile
SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]
RUN curl -fsSL https://example.org/a.tgz | tar xz
```",
    references: &["https://docs.docker.com/build/building/best-practices/#using-pipes"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for stage in &file.stages {
        let mut is_safe =
            file.ancestry(stage).skip(1).flat_map(|stage| &stage.instructions).any(sets_pipefail);
        for instruction in &stage.instructions {
            is_safe |= sets_pipefail(instruction);
            if instruction.name != "RUN" || is_safe || instruction.body.text.contains("pipefail") {
                continue;
            }
            let commands = instruction.commands(&file.source);
            let unseen =
                |command: &&shell::Command| command.then == shell::Then::Pipe && shell::is_download(command);
            if let Some(command) = commands.iter().find(unseen) {
                found
                    .at(
                        &file.source,
                        &command.span(),
                        "this download can fail unseen: the pipe takes the last result",
                    )
                    .fix("write `set -o pipefail` first, or download to a file");
            }
        }
    }
}

fn sets_pipefail(instruction: &Instruction) -> bool {
    instruction.name == "SHELL"
        && (instruction.body.text.contains("pipefail") || instruction.body.text.contains("powershell"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_download_into_a_pipe() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN curl https://a.org/b | tar xz\n", &["2:5"]);
    }

    #[test]
    fn is_silent_with_pipefail_and_without_a_download() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN set -o pipefail && curl https://a.org/b | tar xz\n");
        is_silent_on(
            &RULE,
            "Dockerfile",
            "FROM a:1\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN curl https://a.org/b | tar xz\n",
        );
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN curl https://a.org/b -o b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN ls | wc\n");
    }
}
