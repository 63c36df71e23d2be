//! `ADD` of a git repository at whatever it is today.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-add-git-branch",
    title: "git repository at a name that moves",
    severity: Severity::Medium,
    help: "\
Without a commit, `ADD` takes whatever the default branch holds on the day of the build; a branch or tag can be moved
too. Name the commit, or the checksum.

Bad:

```dockerfile
ADD https://github.com/example/tool.git /src
```

Good:

```dockerfile
ADD https://github.com/example/tool.git#3f786850e387550fdab836ed7e6dc881de23001b /src
```",
    references: &["https://docs.docker.com/reference/dockerfile/#adding-files-from-a-git-repository"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for add in file.named("ADD").filter(|add| add.flag("checksum").is_none()) {
        for word in add.sources().iter().filter(|word| is_moving(&word.text)) {
            found
                .at(&file.source, &word.span, "a git repository without a commit: its content moves")
                .fix("name the commit: `….git#<commit>`");
        }
    }
}

fn is_moving(url: &str) -> bool {
    let (url, reference) = url.split_once('#').unwrap_or((url, ""));
    let is_git = url.starts_with("git@")
        || url.starts_with("git://")
        || (url.contains("://") && url.ends_with(".git"));
    let reference = reference.split(':').next().unwrap_or("");
    let is_commit = reference.len() >= 40 && reference.chars().all(|c| c.is_ascii_hexdigit());
    is_git && !is_commit && !reference.contains('$')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_repository_without_a_commit() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nADD git@github.com:a/b.git /b\n", &["2:5"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nADD https://a.org/b.git#v1:dir /b\n", &["2:5"]);
    }

    #[test]
    fn is_silent_on_a_commit_and_on_files() {
        is_silent_on(
            &RULE,
            "Dockerfile",
            "FROM a:1\nADD https://a.org/b.git#3f786850e387550fdab836ed7e6dc881de23001b /b\n",
        );
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nADD --checksum=sha256:0 https://a.org/b.git#v1 /b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nADD b.git /b\n");
    }
}
