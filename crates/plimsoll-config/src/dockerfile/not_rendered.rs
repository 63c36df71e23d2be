//! Templates of Dockerfiles, which become Dockerfiles only when a generator fills them in.

use crate::{issue::Issues, source::Source};
use plimsoll_scan::{Rule, Severity};
use std::rc::Rc;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-template-not-rendered",
    title: "template of a Dockerfile that is not looked at",
    severity: Severity::Info,
    help: "\
The file becomes a Dockerfile only when a generator fills it in, so no other rule looks at it. Keep what comes out beside it,
or scan that; a name such as `Dockerfile.j2` tells people and tools that it is a template.

Bad:

```dockerfile
{{ header }}
FROM {{ base }}
```

Good:

```dockerfile
FROM debian:12.8@sha256:…
```",
    references: &["https://docs.docker.com/reference/dockerfile/"],
};

/// Reports the template.
pub(crate) fn report(source: &Rc<Source>, issues: &mut Issues) {
    issues
        .of(&RULE)
        .at(source, &(0..0), "this template is not looked at: it is not filled in yet")
        .identity("template")
        .fix("scan the Dockerfile that comes out of it");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::{fires_on, is_silent_on};

    #[test]
    fn fires_on_a_template() {
        fires_on(&RULE, "Dockerfile", "{{ header }}\nFROM {{ base }}\n", &["1:1"]);
    }

    #[test]
    fn is_silent_on_a_dockerfile() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nLABEL b={{c}}\n");
    }
}
