//! A download whose server proves nothing.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/pipeline-disabled-tls",
    title: "the certificate of a server is not checked",
    severity: Severity::Medium,
    help: "\
Without the check, anybody on the way can answer in the server's place, and reads the credentials that are sent. Add the
authority of an internal server to the trusted ones instead.

Bad:

```yaml
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: curl --insecure -O https://files.example.com/tool
```

Good:

```yaml
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: curl --cacert company.pem -O https://files.example.com/tool
```",
    references: &["https://curl.se/docs/sslcerts.html"],
};

/// Variables that turn the check off, with the values that do.
const OFF: &[(&str, &[&str])] = &[
    ("GIT_SSL_NO_VERIFY", &["1", "true"]),
    ("NODE_TLS_REJECT_UNAUTHORIZED", &["0"]),
    ("PYTHONHTTPSVERIFY", &["0"]),
    ("CURL_INSECURE", &["1", "true"]),
];

pub(crate) fn check(facts: &Facts, found: &mut Found<'_>) {
    let fix = "trust the server's authority instead of nobody's";
    for command in facts.scripts.iter().flat_map(|script| script.commands(&facts.source)) {
        if is_off(&command) || command.words.iter().any(|word| assigns(&word.text)) {
            found.at(&facts.source, &command.span(), "the server's certificate is not checked").fix(fix);
        }
    }
    for variable in facts.variables.iter().filter(|variable| turns_off(&variable.name, &variable.value.text)) {
        let message = format!("`{}` turns the check of certificates off", variable.name);
        found.at(&facts.source, &variable.value.span, message).fix(fix);
    }
}

fn is_off(command: &Command) -> bool {
    let any = |test: &dyn Fn(&str) -> bool| command.arguments().iter().any(|word| test(&word.text));
    match command.program() {
        "curl" => command.short('k').is_some_and(|word| !word.text.starts_with("-H")) || any(&|word| word == "--insecure"),
        "wget" => any(&|word| word == "--no-check-certificate"),
        "git" => any(&|word| word.eq_ignore_ascii_case("http.sslverify=false"))
            || (any(&|word| word.eq_ignore_ascii_case("http.sslverify")) && any(&|word| word == "false")),
        "npm" | "yarn" => any(&|word| word == "strict-ssl=false") || (any(&|word| word == "strict-ssl") && any(&|word| word == "false")),
        _ => false,
    }
}

fn assigns(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, value)| turns_off(name, value))
}

fn turns_off(name: &str, value: &str) -> bool {
    OFF.iter().any(|(known, values)| *known == name && values.contains(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_each_way_to_turn_the_check_off() {
        for script in [
            "curl -sk https://a",
            "wget --no-check-certificate https://a",
            "git -c http.sslVerify=false clone https://a",
            "git config --global http.sslVerify false",
            "npm config set strict-ssl false",
            "export NODE_TLS_REJECT_UNAUTHORIZED=0",
        ] {
            fires_on(&RULE, WORKFLOW, &running(script), &["6:14"]);
        }
        fires_on(&RULE, ".gitlab-ci.yml", "variables:\n  GIT_SSL_NO_VERIFY: '1'\n", &["2:22"]);
    }

    #[test]
    fn is_silent_where_it_is_checked() {
        for script in ["curl -sS https://a", "wget https://a", "git config http.sslVerify true", "kubectl -k a"] {
            is_silent_on(&RULE, WORKFLOW, &running(script));
        }
    }
}
