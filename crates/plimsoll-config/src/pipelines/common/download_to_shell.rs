//! A script that is fetched and run in one go.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/pipeline-download-to-shell",
    title: "a downloaded script is run without a look at it",
    severity: Severity::Medium,
    help: "\
Whoever controls the server, or the way to it, runs commands in your pipeline, with its secrets, and can answer your pipeline
otherwise than your browser. Fetch a named version, compare its digest, then run it.

Bad:

```yaml
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: curl -sSf https://example.com/install.sh | sh
```

Good:

```yaml
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: |
          curl -sSfo install.sh https://example.com/1.2.3/install.sh
          echo \"$INSTALL_SHA256  install.sh\" | sha256sum --check
          sh install.sh
```",
    references: &["https://owasp.org/www-project-top-10-ci-cd-security-risks/CICD-SEC-03-Dependency-Chain-Abuse"],
};

const FETCH: &[&str] = &["curl", "wget", "iwr", "irm", "Invoke-WebRequest", "Invoke-RestMethod"];
const SHELLS: &[&str] = &[
    "sh", "bash", "dash", "zsh", "ksh", "ash", "python", "python3", "perl", "ruby", "node", "php", "iex", "Invoke-Expression",
    "pwsh", "powershell", "source", ".", "eval",
];

pub(crate) fn check(facts: &Facts, found: &mut Found<'_>) {
    for script in &facts.scripts {
        let commands = script.commands(&facts.source);
        for (index, command) in commands.iter().enumerate() {
            let runs = SHELLS.contains(&command.program());
            let nested = runs && commands[index + 1..].iter().take_while(|inner| inner.depth > command.depth).any(fetches);
            if nested {
                report(facts, found, command, command);
            }
        }
        for pipe in pipes(&commands) {
            let Some(from) = pipe.iter().position(fetches) else { continue };
            if let Some(to) = pipe[from + 1..].iter().find(|command| reads_a_program(command)) {
                report(facts, found, &pipe[from], to);
            }
        }
    }
}

fn fetches(command: &Command) -> bool {
    FETCH.contains(&command.program())
}

/// Whether the shell runs what comes through the pipe, and not a program that its arguments name.
fn reads_a_program(command: &Command) -> bool {
    let inline = ["-c", "-e", "-m", "-ne", "-pe", "-r"];
    SHELLS.contains(&command.program()) && !command.arguments().iter().any(|word| inline.contains(&word.text.as_str()))
}

fn report(facts: &Facts, found: &mut Found<'_>, from: &Command, to: &Command) {
    let span = from.span().start..to.span().end;
    found
        .at(&facts.source, &span, "what the server answers is run as it comes")
        .fix("download a named version, compare its SHA-256, then run the file");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(script: &str, places: &[&str]) {
        fires_on(&RULE, WORKFLOW, &running(script), places);
    }

    #[test]
    fn fires_on_each_way_to_run_an_answer() {
        check("curl -s https://a | sh", &["6:14"]);
        check("curl -s https://a | tee x | sudo -E bash -s -- y", &["6:14"]);
        check("bash <(curl -s https://a)", &["6:14"]);
        check("'sh -c \"$(wget -qO- https://a)\"'", &["6:15"]);
        check("iwr https://a | iex", &["6:14"]);
    }

    #[test]
    fn fires_in_each_system() {
        fires_on(&RULE, ".gitlab-ci.yml", "a:\n  script:\n    - curl https://a | sh\n", &["3:7"]);
        fires_on(&RULE, "Jenkinsfile", "node { sh 'curl https://a | sh' }\n", &["1:12"]);
    }

    #[test]
    fn is_silent_where_the_answer_is_only_data() {
        for script in
            ["curl https://a | jq .", "curl -o a https://a", "curl https://a | python3 -c 'x'", "curl https://a || sh b"]
        {
            is_silent_on(&RULE, WORKFLOW, &running(script));
        }
    }
}
