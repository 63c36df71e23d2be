//! Files of a stranger, unpacked in a run with secrets.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-artifact-poisoning",
    title: "files from a pull request are unpacked in a privileged run",
    severity: Severity::High,
    help: "\
The run that made the artifact belonged to whoever opened the pull request, and so do its files: names, contents, scripts.
Unpacked over the workspace they replace what the next step runs. Unpack into an empty folder outside of the workspace, read
only values that you check, and run nothing of it.

Bad:

```yaml
on: workflow_run
permissions: {}
jobs:
  comment:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/download-artifact@0123456789abcdef0123456789abcdef01234567 # v4
        with:
          run-id: ${{ github.event.workflow_run.id }}
      - run: ./report.sh
```

Good:

```yaml
on: workflow_run
permissions: {}
jobs:
  comment:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/download-artifact@0123456789abcdef0123456789abcdef01234567 # v4
        with:
          run-id: ${{ github.event.workflow_run.id }}
          path: ${{ runner.temp }}/report
      - run: grep -Eo '^[0-9]+$' \"$RUNNER_TEMP/report/number\"
```",
    references: &["https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    let Some(trigger) = workflow.trigger("workflow_run") else { return };
    for (job, step) in workflow.steps() {
        let Some(node) = downloads(step) else { continue };
        found
            .at(workflow.source, &node.span, format!("on `{}` these files may come from a stranger, and they go into the workspace", trigger.name))
            .subject(job.name)
            .fix("unpack into `${{ runner.temp }}`, check each value, run nothing of it");
    }
}

/// What downloads artifacts of another run into the workspace.
fn downloads<'a>(step: &Step<'a>) -> Option<&'a crate::yaml::Node> {
    let outside = |path: Option<&crate::yaml::Node>| path.and_then(|path| path.text()).is_some_and(|path| path.contains("runner.temp") || path.starts_with("/tmp"));
    let other_run = step.is("actions/download-artifact") && step.with("run-id").is_some();
    if other_run || step.is("dawidd6/action-download-artifact") {
        return step.uses.map(|uses| uses.node).filter(|_| !outside(step.with("path")));
    }
    let run = step.run()?;
    let text = run.text()?;
    let by_hand = text.contains("gh run download") || text.contains("downloadArtifact") || (text.contains("artifacts") && text.contains("unzip"));
    let kept_apart = text.to_ascii_lowercase().contains("runner_temp") || text.contains("runner.temp") || text.contains("/tmp");
    (by_hand && !kept_apart).then_some(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(trigger: &str, step: &str) -> String {
        format!("on: {trigger}\njobs:\n  a:\n    steps:\n{step}")
    }

    #[test]
    fn fires_on_each_way_to_download() {
        fires_on(&RULE, WORKFLOW, &on("workflow_run", "      - uses: dawidd6/action-download-artifact@v6\n"), &["5:15"]);
        fires_on(&RULE, WORKFLOW, &on("workflow_run", "      - run: gh run download 1\n"), &["5:14"]);
    }

    #[test]
    fn is_silent_on_artifacts_of_the_same_run() {
        is_silent_on(&RULE, WORKFLOW, &on("workflow_run", "      - uses: actions/download-artifact@v4\n"));
        is_silent_on(&RULE, WORKFLOW, &on("push", "      - run: gh run download 1\n"));
    }
}
