//! Text of a commit or a merge request, evaluated as a command.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/gitlab-evaluated-text",
    title: "text of a merge request is evaluated as a command",
    severity: Severity::High,
    help: "\
A variable such as `$CI_COMMIT_MESSAGE` is safe as long as the shell only puts its value in place. `eval`, `sh -c \"…\"` and a
remote shell read the result as a program once more, and a title such as `$(…)` is then a command. Hand the value over as an
argument.

Bad:

```yaml
build:
  script:
    - sh -c \"echo $CI_MERGE_REQUEST_TITLE\"
```

Good:

```yaml
build:
  script:
    - sh -c 'echo \"$1\"' notify \"$CI_MERGE_REQUEST_TITLE\"
```",
    references: &["https://docs.gitlab.com/ci/variables/predefined_variables/", "https://owasp.org/www-project-top-10-ci-cd-security-risks/CICD-SEC-04-Poisoned-Pipeline-Execution"],
};

/// Variables whose text whoever pushes or opens a merge request chooses.
const FOREIGN: &[&str] = &[
    "CI_COMMIT_MESSAGE", "CI_COMMIT_TITLE", "CI_COMMIT_DESCRIPTION", "CI_COMMIT_REF_NAME", "CI_COMMIT_BRANCH", "CI_COMMIT_TAG",
    "CI_COMMIT_AUTHOR", "CI_COMMIT_TAG_MESSAGE", "CI_MERGE_REQUEST_TITLE", "CI_MERGE_REQUEST_DESCRIPTION",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_MERGE_REQUEST_LABELS", "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME",
];

pub(crate) fn check(pipeline: &Pipeline<'_>, found: &mut Found<'_>) {
    for command in pipeline.scripts.iter().flat_map(|script| script.commands(pipeline.source)) {
        for word in program_words(&command) {
            // Between single quotes the value comes in only when the inner shell puts it in place, which is safe.
            if pipeline.source.slice(&word.span).starts_with('\'') {
                continue;
            }
            let foreign = FOREIGN.iter().find(|name| mentions(&word.text, name));
            if let Some(name) = foreign {
                found
                    .at(pipeline.source, &word.span, format!("`{name}` is read as a program here"))
                    .fix("hand it over as an argument, and write \"$1\" in the program");
            }
        }
    }
}

/// The words of the command that are programs for another shell.
fn program_words(command: &crate::shell::Command) -> &[crate::shell::Word] {
    let words = command.arguments();
    match command.program() {
        "eval" => words,
        "sh" | "bash" | "dash" | "zsh" | "ash" | "python" | "python3" => {
            let at = words.iter().position(|word| matches!(word.text.as_str(), "-c" | "-ec" | "-lc" | "-xc"));
            at.and_then(|at| words.get(at + 1..at + 2)).unwrap_or(&[])
        }
        "ssh" => words.get(1..).unwrap_or(&[]),
        _ => &[],
    }
}

fn mentions(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].ends_with('$') || text[..at].ends_with("${");
        before && !text[at + name.len()..].starts_with(|char: char| char == '_' || char.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_each_second_reading() {
        for (script, place) in [
            ("eval deploy $CI_COMMIT_BRANCH", "3:19"),
            ("bash -c \"git tag ${CI_COMMIT_TITLE}\"", "3:15"),
            ("ssh host \"cd $CI_COMMIT_REF_NAME\"", "3:16"),
        ] {
            fires_on(&RULE, FILE, &format!("a:\n  script:\n    - {script}\n"), &[place]);
        }
    }

    #[test]
    fn is_silent_where_the_value_stays_a_value() {
        for script in ["echo \"$CI_COMMIT_TITLE\"", "bash -c 'echo $CI_COMMIT_TITLE'", "eval $CI_COMMIT_REF_NAME_X", "ssh host uptime"] {
            is_silent_on(&RULE, FILE, &format!("a:\n  script:\n    - {script}\n"));
        }
    }
}
