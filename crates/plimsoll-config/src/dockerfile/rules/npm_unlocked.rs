//! Node packages in other versions than the lock file's.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-npm-unlocked",
    title: "npm without its lock file",
    severity: Severity::Low,
    help: "\
`npm install` may change the lock file and take newer versions; `npm ci` installs what the lock file says, or fails. A
tool installed by name needs its version.

Bad:

```dockerfile
COPY package.json ./
RUN npm install
```

Good:

```dockerfile
COPY package.json package-lock.json ./
RUN npm ci
```",
    references: &["https://docs.npmjs.com/cli/commands/npm-ci"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for command in file.named("RUN").flat_map(|run| run.commands(&file.source)) {
        let mut words = command.operands();
        let (program, verb) = (command.program(), words.next().map_or("", |word| word.text.as_str()));
        if program != "npm" || !matches!(verb, "install" | "i" | "add") {
            continue;
        }
        let packages: Vec<_> = words.collect();
        if packages.is_empty() {
            let message = "`npm install` takes other versions than the lock file where it likes";
            found.at(&file.source, &command.span(), message).fix("write `npm ci`");
        }
        for word in packages.into_iter().filter(|word| is_unpinned(&word.text)) {
            found
                .at(&file.source, &word.span, format!("`{}` is whatever was published last", word.text))
                .subject(&word.text)
                .fix(format!("write `{}@<version>`", word.text));
        }
    }
}

fn is_unpinned(text: &str) -> bool {
    let version = text.strip_prefix('@').unwrap_or(text).split_once('@').map(|(_, version)| version);
    let is_place = text.starts_with(['.', '/', '$'])
        || text.contains("://")
        || text.ends_with(".tgz")
        || text.starts_with("file:");
    !is_place && matches!(version, None | Some("latest" | "next"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_install_and_packages_without_versions() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN npm install\n", &["2:5"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN npm i -g @a/b c@latest\n", &["2:14", "2:19"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN cd /a && npm install --production\n", &["2:14"]);
    }

    #[test]
    fn is_silent_on_ci_and_versions() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN npm ci\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN npm install -g a@1.2.3\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN npm install ./a.tgz\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN npm run install\n");
    }
}
