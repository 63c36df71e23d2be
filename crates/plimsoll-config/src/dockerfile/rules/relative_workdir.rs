//! A working directory below whatever it was before.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-relative-workdir",
    title: "relative WORKDIR",
    severity: Severity::Low,
    help: "\
A relative `WORKDIR` depends on the one before, also on that of the base image, which can change. Write the whole
path.

Bad:

```dockerfile
FROM debian:12
WORKDIR app
```

Good:

```dockerfile
FROM debian:12
WORKDIR /app
```",
    references: &["https://docs.docker.com/reference/dockerfile/#workdir", "https://docs.docker.com/reference/build-checks/workdir-relative-path/"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for stage in &file.stages {
        let mut is_known = matches!(stage.base, Base::Stage(_));
        for workdir in stage.instructions.iter().filter(|i| i.name == "WORKDIR") {
            let Some(word) = workdir.words.first() else { continue };
            if is_known || is_absolute(&word.text) {
                is_known = true;
                continue;
            }
            let issue = found.at(
                &file.source,
                &word.span,
                format!("`{}` is below whatever the base image says", word.text),
            );
            issue.fix("write the whole path").edit(Edit::insert(word.span.start, "/"));
            is_known = true;
        }
    }
}

fn is_absolute(path: &str) -> bool {
    let windows = path.len() > 2 && path.as_bytes()[1] == b':';
    path.starts_with(['/', '$', '\\']) || windows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_relative_path() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nWORKDIR app\n", &["2:9"]);
    }

    #[test]
    fn is_silent_below_a_path_that_is_known() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nWORKDIR /app\nWORKDIR b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nWORKDIR $HOME/a\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nWORKDIR C:\\\\a\n");
    }
}
