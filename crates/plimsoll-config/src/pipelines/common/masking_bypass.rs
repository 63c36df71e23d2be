//! A secret in another spelling, which the log does not mask.

use super::prelude::*;
use crate::names;

pub(crate) static RULE: Rule = Rule {
    id: "config/pipeline-masking-bypass",
    title: "a secret is printed in a form that the log does not mask",
    severity: Severity::High,
    help: "\
The log masks a secret as it is written, not its base64, its hexadecimal form or its reverse. Whoever reads the log turns it
back. It is also the way in which injected steps carry secrets out. Never print a secret in any form; write what a tool needs
into a file.

Bad:

```yaml
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: echo \"${{ secrets.DEPLOY_KEY }}\" | base64
```

Good:

```yaml
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: echo \"$DEPLOY_KEY\" | base64 -d > key.pem
        env:
          DEPLOY_KEY: ${{ secrets.DEPLOY_KEY }}
```",
    references: &[
        "https://www.cve.org/CVERecord?id=CVE-2025-30066",
        "https://docs.github.com/en/actions/reference/security/secure-use",
    ],
};

const ENCODERS: &[&str] = &["base64", "base32", "xxd", "od", "hexdump", "rev", "tr", "sed", "fold", "gzip"];

pub(crate) fn check(facts: &Facts, found: &mut Found<'_>) {
    for script in &facts.scripts {
        let commands = script.commands(&facts.source);
        for pipe in pipes(&commands).filter(|pipe| pipe.len() > 1) {
            let secret = pipe[0].words.iter().find_map(|word| secret(&word.text));
            let Some(secret) = secret.filter(|_| matches!(pipe[0].program(), "echo" | "printf" | "printenv" | "cat")) else {
                continue;
            };
            // What goes into a substitution, a file or another program does not reach the log.
            let last = &pipe[pipe.len() - 1];
            let logged = last.depth == 0 && !pipe.iter().flat_map(|part| &part.words).any(|word| word.text.contains('>'));
            if logged && pipe[1..].iter().all(encodes) {
                let span = pipe[0].span().start..last.span().end;
                found
                    .at(&facts.source, &span, format!("`{secret}` reaches the log in a form that is not masked"))
                    .fix("do not print it; write it into a file if a tool needs it");
            }
        }
    }
}

fn encodes(command: &Command) -> bool {
    let decodes = command.arguments().iter().any(|word| matches!(word.text.as_str(), "-d" | "-D" | "--decode" | "-r"));
    ENCODERS.contains(&command.program()) && !decodes
}

/// The name of a secret whose value is in `word`.
fn secret(word: &str) -> Option<String> {
    if let Some((_, rest)) = word.split_once("secrets.") {
        let name: String = rest.chars().take_while(|char| char.is_ascii_alphanumeric() || *char == '_').collect();
        return Some(format!("secrets.{name}"));
    }
    let (_, rest) = word.split_once('$')?;
    let name: String =
        rest.trim_start_matches('{').chars().take_while(|char| char.is_ascii_alphanumeric() || *char == '_').collect();
    names::is_secret(&name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_secret_in_another_spelling() {
        for script in
            ["echo ${{ secrets.A }} | base64", "echo $DEPLOY_TOKEN | rev", "printf %s \"${DB_PASSWORD}\" | base64 | base64 -w0"]
        {
            fires_on(&RULE, WORKFLOW, &running(script), &["6:14"]);
        }
    }

    #[test]
    fn is_silent_where_the_log_has_nothing() {
        for script in [
            "echo $KEY_TOKEN | base64 -d > key",
            "echo $DEPLOY_TOKEN | base64 > key",
            "A=$(echo $DEPLOY_TOKEN | base64)",
            "echo $DEPLOY_TOKEN | docker login --password-stdin",
            "echo $GITHUB_SHA | base64",
        ] {
            is_silent_on(&RULE, WORKFLOW, &running(script));
        }
    }
}
