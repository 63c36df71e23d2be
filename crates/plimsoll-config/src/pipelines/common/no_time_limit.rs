//! A job that may hang for as long as the system lets it.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/pipeline-no-time-limit",
    title: "a job has no time limit of its own",
    severity: Severity::Info,
    help: "\
A job that hangs holds a runner, its secrets and its locks until the system's own limit, six hours on some and none on others.
A step that an attacker injected has as long. Say how long the job needs at most.

Bad:

```yaml
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: make
```

Good:

```yaml
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    steps:
      - run: make
```",
    references: &["https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax"],
};

pub(crate) fn check(facts: &Facts, found: &mut Found<'_>) {
    for unit in facts.units.iter().filter(|unit| !unit.limited) {
        found
            .at(&facts.source, &unit.span, format!("nobody says how long `{}` may take", unit.name))
            .subject(&unit.name)
            .fix("give it a time limit somewhat above what it needs");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_job_without_a_limit() {
        fires_on(&RULE, WORKFLOW, &running("make"), &["3:3"]);
        fires_on(&RULE, "Jenkinsfile", "pipeline { agent any\n stages { } }\n", &["1:1"]);
    }

    #[test]
    fn is_silent_on_a_job_with_one_and_on_a_call() {
        is_silent_on(&RULE, WORKFLOW, "on: push\njobs:\n  a:\n    timeout-minutes: 5\n    steps: []\n");
        is_silent_on(&RULE, WORKFLOW, "on: push\njobs:\n  a:\n    uses: ./.github/workflows/b.yml\n");
        is_silent_on(&RULE, "Jenkinsfile", "pipeline { options { timeout(time: 1) } }\n");
    }
}
