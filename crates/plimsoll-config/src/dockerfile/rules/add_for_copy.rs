//! `ADD` where `COPY` does the same and no more.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-add-for-copy",
    title: "ADD of local files",
    severity: Severity::Info,
    help: "\
`ADD` also downloads and unpacks. Where files are only copied, `COPY` says so, and cannot be surprised by an archive
of the same name.

Bad:

```dockerfile
ADD server /usr/local/bin/
```

Good:

```dockerfile
COPY server /usr/local/bin/
```",
    references: &["https://docs.docker.com/build/building/best-practices/#add-or-copy"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for add in file.named("ADD").filter(|add| add.heredocs.is_empty()) {
        if add.sources().is_empty() || !add.sources().iter().all(|word| is_plain(&word.text)) {
            continue;
        }
        let keyword = add.span.start..add.span.start + "ADD".len();
        let issue = found.at(&file.source, &add.span, "ADD where COPY is enough").fix("write COPY");
        if !add.on_build {
            issue.edit(Edit::replace(keyword, "COPY"));
        }
    }
}

/// Neither from elsewhere, nor something that would be unpacked, nor unknown.
fn is_plain(text: &str) -> bool {
    const ARCHIVES: &[&str] = &[".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".zip"];
    let name = text.to_ascii_lowercase();
    !text.contains("://")
        && !text.starts_with("git@")
        && !text.contains(['$', '*', '?'])
        && !ARCHIVES.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_local_files() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nADD a b /c/\n", &["2:1"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nADD . /c\n", &["2:1"]);
    }

    #[test]
    fn is_silent_on_copy_archives_and_urls() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nCOPY a /c\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nADD a.tar.gz /c\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nADD https://a.org/b /c\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nADD $A /c\n");
    }
    #[test]
    fn the_diff_writes_copy() {
        is_fixed_by_its_diff(&RULE, "Dockerfile", "FROM a:1\nADD b /c\n", &["-ADD b /c", "+COPY b /c"]);
    }
}
