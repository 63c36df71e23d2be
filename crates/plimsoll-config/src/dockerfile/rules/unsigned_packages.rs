//! Packages whose signatures are not checked.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-unsigned-packages",
    title: "packages without checking their signatures",
    severity: Severity::High,
    help: "\
The signature is what makes a package the distribution's. With the check switched off, a mirror or anybody on the way
decides what is installed, as root. Import the right key instead.

Bad:

```dockerfile
RUN apt-get install -y --allow-unauthenticated tool
```

Good:

```dockerfile
COPY example.gpg /etc/apt/keyrings/
RUN apt-get update && apt-get install -y tool
```",
    references: &["https://manpages.debian.org/stable/apt/apt-secure.8.en.html"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for command in file.named("RUN").flat_map(|run| run.commands(&file.source)) {
        let flags: &[&str] = match command.program() {
            "apt" | "apt-get" => &["--allow-unauthenticated", "--force-yes", "--allow-insecure-repositories"],
            "apk" => &["--allow-untrusted"],
            "yum" | "dnf" | "microdnf" | "tdnf" => &["--nogpgcheck", "--no-gpgchecks"],
            "zypper" => &["--no-gpg-checks"],
            "rpm" => &["--nodigest", "--nosignature"],
            _ => continue,
        };
        if let Some(word) = command.flag(flags) {
            let message =
                format!("`{}` installs packages without checking their signatures", command.program());
            found.at(&file.source, &word.span, message).fix("import the key of the repository instead");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_flags_that_switch_it_off() {
        fires_on(
            &RULE,
            "Dockerfile",
            "FROM a:1\nRUN apt-get install -y --allow-unauthenticated b\n",
            &["2:24"],
        );
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN apk add --allow-untrusted b.apk\n", &["2:13"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN yum -y --nogpgcheck install b\n", &["2:12"]);
    }

    #[test]
    fn is_silent_on_ordinary_installations() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN apt-get install -y b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN apk add --no-cache b\n");
    }
}
