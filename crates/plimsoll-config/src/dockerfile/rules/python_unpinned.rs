//! Python packages in whatever version is newest.

use super::prelude::*;
use crate::shell;
pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-python-unpinned",
    title: "Python package without a version",
    severity: Severity::Low,
    help: "\
The next build gets whatever was published last: another version, or one that somebody took over. Install from a
requirements file with versions, better with hashes.

Bad:

```dockerfile
RUN pip install flask
```

Good:

```dockerfile
RUN pip install --require-hashes -r requirements.txt
```",
    references: &["https://pip.pypa.io/en/stable/topics/repeatable-installs/"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for command in file.named("RUN").flat_map(|run| run.commands(&file.source)) {
        let Some(words) = shell::python_packages(&command) else { continue };
        for word in words.iter().filter(|word| is_unpinned(&word.text)) {
            found
                .at(&file.source, &word.span, format!("`{}` is whatever was published last", word.text))
                .subject(&word.text)
                .fix(format!("write `{}==<version>`", word.text));
        }
    }
}

fn is_unpinned(text: &str) -> bool {
    let name = text.split('[').next().unwrap_or(text);
    let is_tool = matches!(name, "pip" | "setuptools" | "wheel");
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && !text.contains(['=', '<', '>', '~', '@']);
    let is_file =
        name.starts_with('.') || [".txt", ".whl", ".gz", ".zip"].iter().any(|end| name.ends_with(end));
    is_name && !is_file && !is_tool && !name.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_package_without_a_version() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN pip install -U flask\n", &["2:20"]);
        fires_on(
            &RULE,
            "Dockerfile",
            "FROM a:1\nRUN python3 -m pip install --no-cache-dir a==1 b[c]\n",
            &["2:48"],
        );
    }

    #[test]
    fn is_silent_on_versions_files_and_constraints() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN pip install flask==3.0.0\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN pip install -r requirements.txt\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN pip install .\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN pip install --upgrade pip\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN pip install -c constraints.txt flask\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN pip install ./a.whl $B\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN pip install --prefix /x -e .\n");
    }
}
