//! An input pasted into a script.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/gitlab-input-in-script",
    title: "an input becomes part of a script",
    severity: Severity::Low,
    help: "\
`$[[ inputs.name ]]` is replaced before the shell reads the script, so whoever includes the file or starts the pipeline writes
commands with it. Put it into a variable, or allow only certain values with `options` or `regex`.

Bad:

```yaml
spec:
  inputs:
    target:
---
deploy:
  script:
    - ./deploy $[[ inputs.target ]]
```

Good:

```yaml
spec:
  inputs:
    target:
---
deploy:
  variables:
    TARGET: $[[ inputs.target ]]
  script:
    - ./deploy \"$TARGET\"
```",
    references: &["https://docs.gitlab.com/ci/inputs/"],
};

pub(crate) fn check(pipeline: &Pipeline<'_>, found: &mut Found<'_>) {
    for script in &pipeline.scripts {
        let text = pipeline.source.slice(&script.span);
        if let Some(at) = text.find("$[[") {
            let length = text[at..].find("]]").map_or(3, |end| end + 2);
            let place = script.span.start + at..script.span.start + at + length;
            let message = format!("`{}` is pasted into the script", &text[at..at + length]);
            found.at(pipeline.source, &place, message).fix("put it into `variables` and write \"$NAME\" in the script");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_inputs_in_scripts() {
        fires_on(&RULE, FILE, "a:\n  before_script: [\"x $[[ inputs.b ]]\"]\n", &["2:22"]);
    }

    #[test]
    fn is_silent_on_inputs_elsewhere() {
        is_silent_on(&RULE, FILE, "a:\n  image: $[[ inputs.b ]]\n  script: [make]\n");
    }
}
