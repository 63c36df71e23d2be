//! A token in an address.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/gitlab-token-in-address",
    title: "a token is part of an address",
    severity: Severity::Low,
    help: "\
The address, token included, stands in the log when the command fails, in the process list, and for git in the configuration of
the clone, which artifacts and images take along. Use a credential helper or a header.

Bad:

```yaml
release:
  script:
    - git clone https://oauth2:$RELEASE_TOKEN@gitlab.example.com/a/b.git
```

Good:

```yaml
release:
  script:
    - git -c credential.helper=./helper clone https://gitlab.example.com/a/b.git
```",
    references: &["https://git-scm.com/docs/gitcredentials"],
};

pub(crate) fn check(pipeline: &Pipeline<'_>, found: &mut Found<'_>) {
    for command in pipeline.scripts.iter().flat_map(|script| script.commands(pipeline.source)) {
        let Some(word) = command.words.iter().find(|word| has_token(&word.text)) else { continue };
        found.at(pipeline.source, &word.span, "the token shows wherever the address does").fix("use a credential helper or a header");
    }
}

/// Whether there is a variable for a password before the host of an address.
fn has_token(word: &str) -> bool {
    let Some((_, rest)) = word.split_once("://") else { return false };
    let host = rest.split('/').next().unwrap_or("");
    host.split_once('@').is_some_and(|(user, _)| user.split_once(':').is_some_and(|(_, password)| password.starts_with('$')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_tokens_before_the_host() {
        fires_on(&RULE, FILE, "a:\n  script:\n    - git push \"https://x:${TOKEN}@a.example/b\"\n", &["3:16"]);
    }

    #[test]
    fn is_silent_on_other_addresses() {
        is_silent_on(&RULE, FILE, "a:\n  script:\n    - git clone ssh://git@a.example:22/$B\n");
    }
}
