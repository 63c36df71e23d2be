//! A Docker daemon that everybody in the network can use.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/gitlab-docker-without-tls",
    title: "the Docker daemon of a job is open to its network",
    severity: Severity::Medium,
    help: "\
Who reaches the daemon is root on its machine. An empty `DOCKER_TLS_CERTDIR`, or port 2375, means that it asks nobody who they
are. Leave TLS on, or build images without a daemon.

Bad:

```yaml
build:
  services: [docker:27-dind]
  variables:
    DOCKER_TLS_CERTDIR: \"\"
  script:
    - docker build .
```

Good:

```yaml
build:
  services: [docker:27-dind]
  variables:
    DOCKER_TLS_CERTDIR: /certs
  script:
    - docker build .
```",
    references: &["https://docs.gitlab.com/ci/docker/using_docker_build/"],
};

pub(crate) fn check(pipeline: &Pipeline<'_>, found: &mut Found<'_>) {
    for (key, value) in pipeline.variables() {
        let text = value.text().unwrap_or("");
        let open = match key.text.as_str() {
            "DOCKER_TLS_CERTDIR" => text.is_empty(),
            "DOCKER_HOST" => text.starts_with("tcp://") && text.trim_end_matches('/').ends_with(":2375"),
            _ => false,
        };
        if open {
            found
                .at(pipeline.source, &(key.span.start..value.span.end.max(key.span.end)), "the daemon asks nobody who they are")
                .fix("set `DOCKER_TLS_CERTDIR: /certs` and use port 2376");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_both_ways() {
        fires_on(&RULE, FILE, "variables:\n  DOCKER_TLS_CERTDIR: ''\n  DOCKER_HOST: tcp://docker:2375\n", &["2:3", "3:3"]);
    }

    #[test]
    fn is_silent_with_tls() {
        is_silent_on(&RULE, FILE, "variables:\n  DOCKER_HOST: tcp://docker:2376\n  DOCKER_TLS_CERTDIR: /certs\n");
    }
}
