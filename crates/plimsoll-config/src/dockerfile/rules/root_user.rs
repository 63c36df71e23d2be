//! An image whose processes run as root.

use super::prelude::*;
use crate::dockerfile::parse::{Instruction, Stage};

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-root-user",
    title: "image that runs as root",
    severity: Severity::Medium,
    help: "\
Without `USER`, everything in the container runs as root. Whoever takes over the program is then root inside, can write
everything there, and is one kernel bug or one careless mount away from the host. Give the program a user of its own, by
number, so that Kubernetes can check it; become root before it only for the steps that need it.

Bad:

```dockerfile
FROM debian:12
COPY server /server
CMD [\"/server\"]
```

Good:

```dockerfile
FROM debian:12
COPY server /server
USER 10001:10001
CMD [\"/server\"]
```",
    references: &[
        "https://docs.docker.com/build/building/best-practices/#user",
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/",
    ],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    let Some(last) = file.last() else { return };
    let user = file.ancestry(last).find_map(last_user);
    match user {
        Some(user) => {
            let Some(word) = user.words.first().filter(|word| is_root(&word.text)) else { return };
            found
                .at(&file.source, &user.span, "the image runs as root: this is its last USER")
                .fix("end with a user that is not root")
                .edit(Edit::replace(word.span.clone(), "10001:10001"));
        }
        None => {
            let base = file.ancestry(last).last().map(|stage| &stage.base);
            if matches!(base, Some(Base::Image(image)) if image.is_non_root()) {
                return;
            }
            missing(file, last, found);
        }
    }
}

fn missing(file: &Dockerfile, last: &Stage, found: &mut Found<'_>) {
    let before = last.instructions.iter().find(|i| matches!(i.name.as_str(), "CMD" | "ENTRYPOINT"));
    let issue = found.at(&file.source, &last.from.span, "no USER: the image runs as root");
    issue.identity("no user").fix("add `USER 10001:10001` after the last step that needs root");
    if let Some(before) = before {
        issue.edit(Edit::insert(before.span.start, "USER 10001:10001\n"));
    }
}

fn last_user(stage: &Stage) -> Option<&Instruction> {
    stage.instructions.iter().rfind(|instruction| instruction.name == "USER" && !instruction.on_build)
}

fn is_root(user: &str) -> bool {
    matches!(user.split(':').next(), Some("root" | "0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_an_image_that_ends_as_root() {
        fires_on(&RULE, "Dockerfile", "FROM debian:12\nRUN a\n", &["1:1"]);
        fires_on(&RULE, "Dockerfile", "FROM debian:12\nUSER app\nUSER root\n", &["3:1"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1 AS b\nUSER 0:0\nFROM b\n", &["2:1"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1 AS b\nUSER 7\nFROM a:1\nCOPY --from=b /a /a\n", &["3:1"]);
    }

    #[test]
    fn is_silent_on_an_image_with_a_user() {
        is_silent_on(&RULE, "Dockerfile", "FROM debian:12\nUSER root\nRUN a\nUSER 10001\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1 AS b\nUSER 7\nFROM b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM gcr.io/distroless/static:nonroot\n");
        is_silent_on(&RULE, "Dockerfile", "FROM debian:12\nUSER $APP\n");
    }

    #[test]
    fn the_diff_gives_it_a_user() {
        let text = "FROM debian:12\nRUN a\nCMD [\"b\"]\n";
        is_fixed_by_its_diff(&RULE, "Dockerfile", text, &["+USER 10001:10001"]);
        is_fixed_by_its_diff(
            &RULE,
            "Dockerfile",
            "FROM debian:12\nUSER root\n",
            &["-USER root", "+USER 10001:10001"],
        );
    }
}
