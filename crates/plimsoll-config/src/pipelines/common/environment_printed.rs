//! The whole environment in the log.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/pipeline-environment-printed",
    title: "all variables are printed into the log",
    severity: Severity::Low,
    help: "\
Variables hold tokens. The log masks only those that it knows, in the one spelling that it knows, and everybody who may read
the log has the rest. Print the variables that you want to see by name.

Bad:

```yaml
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: printenv | sort
```

Good:

```yaml
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: echo \"$GITHUB_REF\"
```",
    references: &["https://owasp.org/www-project-top-10-ci-cd-security-risks/CICD-SEC-06-Insufficient-Credential-Hygiene"],
};

/// What only arranges or finds lines of its input: all of them may still come out.
const THROUGH: &[&str] = &["sort", "cat", "tee", "uniq", "column", "base64", "gzip"];

pub(crate) fn check(facts: &Facts, found: &mut Found<'_>) {
    for script in &facts.scripts {
        let commands = script.commands(&facts.source);
        for pipe in pipes(&commands) {
            let Some((first, rest)) = pipe.split_first().filter(|(first, _)| first.depth == 0) else { continue };
            let through = rest.iter().all(|command| THROUGH.contains(&command.program()));
            let written = pipe.iter().flat_map(|command| &command.words).any(|word| word.text.starts_with('>'));
            if prints_all(first) && through && !written {
                found
                    .at(&facts.source, &first.span(), "prints every variable, those with secrets among them")
                    .fix("print only the variables that you want to see, by name");
            }
        }
    }
}

fn prints_all(command: &Command) -> bool {
    let words: Vec<&str> = command.words.iter().map(|word| word.text.as_str()).collect();
    matches!(
        words.as_slice(),
        ["env" | "printenv" | "/usr/bin/env"] | ["export" | "declare" | "typeset", "-p" | "-x"] | ["cat", "/proc/self/environ"]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_what_prints_all() {
        for script in ["env", "printenv | sort", "export -p", "env | base64"] {
            fires_on(&RULE, WORKFLOW, &running(script), &["6:14"]);
        }
    }

    #[test]
    fn is_silent_on_single_ones_and_on_files() {
        for script in ["printenv HOME", "env A=b make", "env > .env", "env | grep ^CI_", "set -e"] {
            is_silent_on(&RULE, WORKFLOW, &running(script));
        }
    }
}
