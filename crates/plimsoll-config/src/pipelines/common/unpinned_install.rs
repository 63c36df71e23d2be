//! A tool that is installed in whatever version is the newest.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/pipeline-unpinned-install",
    title: "a tool is installed without a version",
    severity: Severity::Low,
    help: "\
The newest version is whatever was published last, by its author or by whoever took the author's account. A pipeline that
fetches it has the change before anybody has looked at it. Name the version, or install from a lock file.

Bad:

```yaml
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: pip install build && npm install -g pnpm
```

Good:

```yaml
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: pip install build==1.2.2 && npm install -g pnpm@9.15.0
```",
    references: &["https://owasp.org/www-project-top-10-ci-cd-security-risks/CICD-SEC-03-Dependency-Chain-Abuse"],
};

pub(crate) fn check(facts: &Facts, found: &mut Found<'_>) {
    for command in facts.scripts.iter().flat_map(|script| script.commands(&facts.source)) {
        let names = unpinned(&command);
        if !names.is_empty() {
            let message = format!("the newest version of {} is installed", names.join(", "));
            found.at(&facts.source, &command.span(), message).fix("name a version, or install from a lock file");
        }
    }
}

/// What the command installs without a version.
fn unpinned(command: &Command) -> Vec<String> {
    let words: Vec<&str> = command.arguments().iter().map(|word| word.text.as_str()).collect();
    let names = match (command.program(), words.as_slice()) {
        ("pip" | "pip3" | "pipx", ["install", rest @ ..])
        | ("uv", ["pip", "install", rest @ ..] | ["tool", "install", rest @ ..])
        | ("python" | "python3", ["-m", "pip", "install", rest @ ..]) => pip(rest),
        ("npm", ["install" | "i" | "add", rest @ ..]) if global(rest) => npm(rest),
        ("pnpm", ["add" | "install", rest @ ..]) if global(rest) => npm(rest),
        ("yarn", ["global", "add", rest @ ..]) | ("bun", ["add", "-g", rest @ ..]) => npm(rest),
        ("npx", rest) if rest.contains(&"-y") || rest.contains(&"--yes") => npm(rest).into_iter().take(1).collect(),
        ("go", ["install" | "run", rest @ ..]) => rest.iter().copied().filter(|name| name.ends_with("@latest")).collect(),
        ("cargo", ["install", rest @ ..]) => cargo(rest),
        ("gem", ["install", rest @ ..]) if !rest.iter().any(|word| matches!(*word, "-v" | "--version")) => {
            plain(rest).filter(|name| !name.contains(':') && !name.ends_with(".gem")).collect()
        }
        _ => Vec::new(),
    };
    names.into_iter().map(|name| format!("`{name}`")).collect()
}

fn global(words: &[&str]) -> bool {
    words.iter().any(|word| matches!(*word, "-g" | "--global"))
}

/// The arguments that are names: no flags, paths, addresses or variables.
fn plain<'a>(words: &'a [&str]) -> impl Iterator<Item = &'a str> {
    let name = |word: &&str| {
        !word.starts_with(['-', '.', '/', '$', '>', '<']) && !word.contains("://") && !word.contains('$') && !word.is_empty()
    };
    words.iter().copied().filter(name)
}

fn pip<'a>(words: &'a [&str]) -> Vec<&'a str> {
    // With a file of requirements or constraints, the file says which versions.
    let files = ["-r", "-c", "-e", "--requirement", "--constraint", "--editable", "--require-hashes"];
    if words.iter().any(|word| files.iter().any(|file| word.starts_with(file))) {
        return Vec::new();
    }
    let fixed = |name: &&str| !name.contains("==") && !name.contains('@') && !name.contains('/') && !name.ends_with(".whl");
    let own = |name: &&str| !matches!(*name, "pip" | "setuptools" | "wheel");
    plain(words).filter(fixed).filter(own).collect()
}

fn npm<'a>(words: &'a [&str]) -> Vec<&'a str> {
    let moving = |name: &&str| match name.rsplit_once('@') {
        Some(("", _)) | None => true,
        Some((_, version)) => matches!(version, "latest" | "next" | "*"),
    };
    plain(words).filter(moving).collect()
}

fn cargo<'a>(words: &'a [&str]) -> Vec<&'a str> {
    let flags = ["--version", "--vers", "--path", "--git", "--locked"];
    let said = words.iter().any(|word| flags.iter().any(|flag| word.starts_with(flag)));
    plain(words).filter(|name| !said && !name.contains('@')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_newest_version() {
        for script in [
            "pip install build",
            "sudo pip3 install -U 'build>=1'",
            "python -m pip install tox",
            "npm install -g pnpm",
            "npm i --global @a/b",
            "npx --yes cowsay hello",
            "go install example.com/a@latest",
            "cargo install just",
            "gem install bundler",
        ] {
            fires_on(&RULE, WORKFLOW, &running(&format!("|\n          {script}")), &["7:11"]);
        }
    }

    #[test]
    fn is_silent_on_versions_and_files() {
        for script in [
            "pip install -r requirements.txt",
            "pip install build==1.2.2 .",
            "pip install --upgrade pip",
            "npm install",
            "npm install -g @a/b@1.2.3",
            "npx eslint .",
            "go install example.com/a@v1.2.3",
            "cargo install just@1.36.0",
            "cargo install --locked --path .",
            "gem install bundler -v 2.5.0",
        ] {
            is_silent_on(&RULE, WORKFLOW, &running(script));
        }
    }
}
