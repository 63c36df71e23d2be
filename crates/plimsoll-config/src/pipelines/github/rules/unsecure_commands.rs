//! Commands by which printed text sets variables.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-unsecure-commands",
    title: "printed text can set variables of later steps",
    severity: Severity::High,
    help: "\
With the old commands `::set-env::` and `::add-path::` any program that prints a stranger's text lets the stranger choose
variables, and with them programs. They were switched off in 2020; this switches them on again. Append to the files
`$GITHUB_ENV` and `$GITHUB_PATH`.

Bad:

```yaml
on: push
permissions: {}
env:
  ACTIONS_ALLOW_UNSECURE_COMMANDS: true
jobs: {}
```

Good:

```yaml
on: push
permissions: {}
env:
  LEVEL: info
jobs: {}
```",
    references: &["https://www.cve.org/CVERecord?id=CVE-2020-15228"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    let jobs = workflow.jobs.iter().map(|job| job.node);
    let steps = workflow.steps().map(|(_, step)| step.node);
    for environment in jobs.chain(steps).chain([workflow.root]).filter_map(|node| node.get("env")) {
        let Some((key, value)) = environment.entry("ACTIONS_ALLOW_UNSECURE_COMMANDS") else { continue };
        if value.text().is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            found
                .at(workflow.source, &key.span, "this switches on commands that any printed text can hold")
                .fix("remove it, and append to `$GITHUB_ENV` and `$GITHUB_PATH`");
        }
    }
    for (_, step) in workflow.steps() {
        let Some(run) = step.run() else { continue };
        let (span, text) = workflow.raw(run);
        let command = ["::set-env", "::add-path"].iter().find_map(|command| Some((command, text.find(command)?)));
        if let Some((command, at)) = command {
            let place = span.start + at..span.start + at + command.len();
            found
                .at(workflow.source, &place, format!("`{command}` has been switched off since 2020"))
                .severity(Severity::Low)
                .fix("append to `$GITHUB_ENV` or `$GITHUB_PATH`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_switch_and_on_the_commands() {
        let text = "jobs:\n  a:\n    steps:\n      - run: echo ::set-env name=A::b\n        env:\n          ACTIONS_ALLOW_UNSECURE_COMMANDS: 'true'\n";
        fires_on(&RULE, WORKFLOW, text, &["4:19", "6:11"]);
    }

    #[test]
    fn is_silent_where_it_is_off() {
        is_silent_on(&RULE, WORKFLOW, "env: {ACTIONS_ALLOW_UNSECURE_COMMANDS: false}\njobs: {}\n");
    }
}
