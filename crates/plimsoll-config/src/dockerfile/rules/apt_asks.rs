//! An installation that waits for an answer.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-apt-asks",
    title: "installation that asks",
    severity: Severity::Low,
    help: "\
Nobody answers in a build, so it fails. `-y` says yes.

Bad:

```dockerfile
RUN apt-get install curl
```

Good:

```dockerfile
RUN apt-get install -y curl
```",
    references: &["https://docs.docker.com/build/building/best-practices/#apt-get"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for command in file.named("RUN").flat_map(|run| run.commands(&file.source)) {
        let installs = matches!(command.program(), "apt-get" | "apt" | "yum" | "dnf" | "microdnf")
            && command.operands().any(|w| w.text == "install");
        let answers =
            command.flag(&["--yes", "--assume-yes", "--assumeyes", "--force-yes", "--nogpgcheck"]).is_some()
                || command.short('y').is_some()
                || command.words.iter().any(|w| {
                    w.text == "-qq" || w.text.starts_with("APT::Get::Assume-Yes") || w.text.contains('$')
                });
        let installs_word = command.operands().find(|w| w.text == "install");
        if let Some(word) = installs_word.filter(|_| installs && !answers) {
            let issue = found
                .at(&file.source, &command.span(), format!("`{}` asks and nobody answers", command.program()))
                .fix("add -y");
            issue.edit(Edit::insert(word.span.end, " -y"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_an_installation_without_yes() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN apt-get install b\n", &["2:5"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN x && yum install b\n", &["2:10"]);
    }

    #[test]
    fn is_silent_on_one_with_it() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN apt-get install -y b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN apt-get -yq install b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN apt-get -qq install b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN dnf --assumeyes install b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN apt-get install $OPTS b\n");
    }
    #[test]
    fn the_diff_answers() {
        let changes = ["-RUN apt-get install b", "+RUN apt-get install -y b"];
        is_fixed_by_its_diff(&RULE, "Dockerfile", "FROM a:1\nRUN apt-get install b\n", &changes);
    }
}
