//! An identity of the cloud for a run that strangers start.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-identity-token",
    title: "a run that strangers start, or every job, can take the identity of the repository",
    severity: Severity::Medium,
    help: "\
`id-token: write` lets a job prove to a cloud that it is this repository. Given to every job, each action in each of them can;
given to a run on pull requests, the cloud must tell strangers' runs from your own, and a trust rule such as `repo:org/*` does
not. Give it to the one job that deploys, and let the cloud ask for that branch or environment.

Bad:

```yaml
on: pull_request
permissions:
  id-token: write
jobs:
  test: {}
  deploy: {}
```

Good:

```yaml
on: push
permissions: {}
jobs:
  test: {}
  deploy:
    environment: production
    permissions:
      id-token: write
```",
    references: &["https://docs.github.com/en/actions/concepts/security/openid-connect"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    let top = workflow.root.at(&["permissions"]).and_then(|node| node.entry("id-token"));
    let jobs = workflow.jobs.iter().filter_map(|job| job.node.get("permissions")?.entry("id-token"));
    let shared = workflow.jobs.len() > 1;
    for (is_top, (key, value)) in top.into_iter().map(|entry| (true, entry)).chain(jobs.map(|entry| (false, entry))) {
        let trigger = workflow.public();
        if value.text() != Some("write") || (trigger.is_none() && !(is_top && shared)) {
            continue;
        }
        let message = match trigger {
            Some(trigger) => format!("on `{}` strangers start this run, and it can take the repository's identity", trigger.name),
            None => "every job can take the repository's identity".to_owned(),
        };
        found
            .at(workflow.source, &(key.span.start..value.span.end), message)
            .fix("give `id-token: write` only to the job that deploys, behind an environment");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_public_triggers_and_on_all_jobs() {
        fires_on(&RULE, WORKFLOW, "on: pull_request\njobs:\n  a:\n    permissions: {id-token: write}\n", &["4:19"]);
        fires_on(&RULE, WORKFLOW, "on: push\npermissions: {id-token: write}\njobs:\n  a: {}\n  b: {}\n", &["2:15"]);
    }

    #[test]
    fn is_silent_on_one_job_of_a_push() {
        is_silent_on(&RULE, WORKFLOW, "on: push\njobs:\n  a:\n    permissions: {id-token: write}\n  b: {}\n");
    }
}
