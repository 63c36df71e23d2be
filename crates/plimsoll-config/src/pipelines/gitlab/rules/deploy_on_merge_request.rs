//! A deployment to production before the merge.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/gitlab-deploy-on-merge-request",
    title: "a merge request deploys to production",
    severity: Severity::Medium,
    help: "\
A pipeline of a merge request runs what its author changed, the pipeline file included. A job of it that deploys to production
does so before anybody has agreed. Deploy from the protected branch.

Bad:

```yaml
deploy:
  environment: production
  rules:
    - if: $CI_PIPELINE_SOURCE == \"merge_request_event\"
  script:
    - ./deploy
```

Good:

```yaml
deploy:
  environment: production
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  script:
    - ./deploy
```",
    references: &["https://docs.gitlab.com/ci/environments/protected_environments/"],
};

pub(crate) fn check(pipeline: &Pipeline<'_>, found: &mut Found<'_>) {
    for job in &pipeline.jobs {
        let Some(environment) = job.node.get("environment") else { continue };
        let name = environment.get("name").unwrap_or(environment).text().unwrap_or("").to_ascii_lowercase();
        let production = ["production", "prod", "live"].iter().any(|word| name == *word || name.starts_with(&format!("{word}/")));
        let rules = job.node.get("rules").map_or(&[][..], |rules| rules.items());
        let on_request = |rule: &&crate::yaml::Node| {
            let condition = rule.get("if").and_then(|node| node.text()).unwrap_or("");
            let taken = rule.get("when").and_then(|node| node.text()) != Some("never");
            taken && condition.contains("merge_request_event") && condition.contains("==") && !condition.contains("!=")
        };
        let only = job.node.get("only").map_or(&[][..], |only| only.items());
        let hit = rules.iter().find(on_request).or(only.iter().find(|node| node.text() == Some("merge_requests")));
        if let Some(node) = hit.filter(|_| production) {
            found
                .at(pipeline.source, &node.span, format!("`{}` deploys to `{name}` before the merge", job.key.text))
                .subject(&job.key.text)
                .fix("deploy from the default branch");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_rules_and_only() {
        fires_on(&RULE, FILE, "a:\n  environment: {name: prod}\n  only: [merge_requests]\n  script: x\n", &["3:10"]);
    }

    #[test]
    fn is_silent_on_review_environments() {
        is_silent_on(&RULE, FILE, "a:\n  environment: review/$CI_COMMIT_REF_SLUG\n  only: [merge_requests]\n  script: x\n");
    }
}
