//! An instruction that is gone.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-maintainer",
    title: "MAINTAINER instruction",
    severity: Severity::Info,
    help: "\
`MAINTAINER` is deprecated. A label says the same and is shown by tools.

Bad:

```dockerfile
MAINTAINER team@example.org
```

Good:

```dockerfile
LABEL org.opencontainers.image.authors=\"team@example.org\"
```",
    references: &["https://docs.docker.com/reference/build-checks/maintainer-deprecated/"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for maintainer in file.named("MAINTAINER").filter(|i| !i.on_build) {
        let who = maintainer.body.text.trim();
        let issue = found.at(&file.source, &maintainer.span, "MAINTAINER is deprecated").fix("use a label");
        if !who.contains(['"', '\\', '$']) {
            issue.edit(Edit::replace(
                maintainer.span.clone(),
                format!("LABEL org.opencontainers.image.authors=\"{who}\""),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_it() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nMAINTAINER a <b@c>\n", &["2:1"]);
    }

    #[test]
    fn is_silent_on_a_label() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nLABEL maintainer=a\n");
    }
    #[test]
    fn the_diff_makes_it_a_label() {
        let changes = ["-MAINTAINER a", "+LABEL org.opencontainers.image.authors=\"a\""];
        is_fixed_by_its_diff(&RULE, "Dockerfile", "FROM a:1\nMAINTAINER a\n", &changes);
    }
}
