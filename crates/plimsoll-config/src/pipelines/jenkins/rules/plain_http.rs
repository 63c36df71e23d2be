//! Source or tools over an unprotected connection.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/jenkins-plain-http",
    title: "source is fetched over a connection that anybody can change",
    severity: Severity::Medium,
    help: "\
Over plain HTTP whoever is on the way decides what is built, and reads the credentials. Use HTTPS or SSH.

Bad:

```groovy
node {
  git url: 'http://git.example.com/app.git'
}
```

Good:

```groovy
node {
  git url: 'https://git.example.com/app.git'
}
```",
    references: &["https://www.jenkins.io/doc/pipeline/steps/git/"],
};

pub(crate) fn check(file: &Jenkinsfile<'_>, found: &mut Found<'_>) {
    for index in 0..file.tokens.len() {
        let string = match file.word(index) {
            "git" => file.argument(index).or_else(|| file.named_argument(index, "url")),
            "url" if file.is(index + 1, ':') => file.string(index + 2).filter(|_| file.word(index.saturating_sub(1)) != "git"),
            "httpRequest" => file.argument(index),
            _ => None,
        };
        let Some(string) = string else { continue };
        let text = file.text(string).text;
        let local = ["http://localhost", "http://127.", "http://[::1]"].iter().any(|host| text.starts_with(host));
        if text.starts_with("http://") && !local {
            found.at(file.source, &string.span, "anybody on the way can answer for this address").fix("use `https://`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_git_and_checkout() {
        fires_on(&RULE, FILE, "git 'http://a/b.git'\ncheckout([userRemoteConfigs: [[url: 'http://a/c.git']]])\n", &["1:5", "2:37"]);
    }

    #[test]
    fn is_silent_on_protected_and_local_ones() {
        is_silent_on(&RULE, FILE, "git 'https://a/b.git'\nhttpRequest 'http://localhost:8080'\n");
    }
}
