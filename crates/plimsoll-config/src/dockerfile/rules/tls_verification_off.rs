//! A download that trusts whoever answers.

use super::prelude::*;
use crate::{
    dockerfile::parse::Instruction,
    shell::{Command, Word},
};
use std::ops::Range;
pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-tls-verification-off",
    title: "download that trusts any server",
    severity: Severity::High,
    help: "\
Without checking the certificate, everybody on the way can put another file in place, and the build runs it. Install
the missing authority (`ca-certificates`, or your own) instead of switching the check off.

Bad:

```dockerfile
RUN curl -k https://example.org/tool -o /usr/bin/tool
```

Good:

```dockerfile
COPY our-authority.crt /usr/local/share/ca-certificates/
RUN update-ca-certificates && curl https://example.org/tool -o /usr/bin/tool
```",
    references: &["https://curl.se/docs/sslcerts.html"],
};

/// Variables that switch the check off, and the value that does.
const VARIABLES: &[(&str, &str)] = &[
    ("NODE_TLS_REJECT_UNAUTHORIZED", "0"),
    ("PYTHONHTTPSVERIFY", "0"),
    ("GIT_SSL_NO_VERIFY", ""),
    ("NPM_CONFIG_STRICT_SSL", "false"),
    ("GOINSECURE", ""),
];

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for run in file.named("RUN") {
        for command in run.commands(&file.source) {
            if let Some(word) = switches_off(&command) {
                report(file, found, &word.span, command.program());
            }
        }
    }
    for pair in file.named("ENV").flat_map(Instruction::pairs) {
        let value = pair.value.as_ref().map_or("", |value| value.text.as_str());
        let is = |(name, off): &(&str, &str)| {
            pair.key.text.eq_ignore_ascii_case(name) && (off.is_empty() && !value.is_empty() || value == *off)
        };
        if VARIABLES.iter().any(is) {
            report(file, found, &pair.span, &pair.key.text);
        }
    }
}

fn report(file: &Dockerfile, found: &mut Found<'_>, span: &Range<usize>, who: &str) {
    found
        .at(&file.source, span, format!("`{who}` does not check whom it talks to"))
        .fix("install the authority that is missing instead, and leave the check on");
}

fn switches_off(command: &Command) -> Option<&Word> {
    let arguments = command.arguments();
    let pair = |first: &str, second: &str| {
        let at = arguments
            .windows(2)
            .find(|words| words[0].text == first && words[1].text.eq_ignore_ascii_case(second));
        at.map(|words| &words[0])
    };
    let holds = |text: &str| arguments.iter().find(|word| word.text.to_ascii_lowercase().contains(text));
    match command.program() {
        "curl" => command.flag(&["--insecure", "--proxy-insecure"]).or_else(|| command.short('k')),
        "wget" => command.flag(&["--no-check-certificate"]),
        "git" => holds("http.sslverify=false").or_else(|| pair("http.sslVerify", "false")),
        "npm" | "yarn" | "pnpm" => holds("strict-ssl=false").or_else(|| pair("strict-ssl", "false")),
        "pip" | "pip3" | "python" | "python3" | "uv" => {
            command.flag(&["--trusted-host", "--allow-insecure-host"])
        }
        "apt" | "apt-get" => holds("verify-peer=false"),
        "apk" => command.flag(&["--no-verify"]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_every_way_to_switch_it_off() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN curl -fsSLk https://a.org -o b\n", &["2:10"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN wget --no-check-certificate https://a.org\n", &["2:10"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN git config --global http.sslVerify false\n", &["2:25"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nENV NODE_TLS_REJECT_UNAUTHORIZED=0\n", &["2:5"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN pip install --trusted-host a.org b\n", &["2:17"]);
    }

    #[test]
    fn is_silent_on_ordinary_downloads() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN curl -fsSL https://a.org -o k\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nENV NODE_TLS_REJECT_UNAUTHORIZED=1\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN wget -q https://a.org\n");
    }
}
