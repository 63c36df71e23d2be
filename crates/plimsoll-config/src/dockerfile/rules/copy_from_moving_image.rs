//! Files out of an image that is another one tomorrow.

use super::prelude::*;
use crate::dockerfile::image::Image;
pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-copy-from-moving-image",
    title: "files from an image without a version",
    severity: Severity::Medium,
    help: "\
`COPY --from` of an image without a version takes whatever was published last, into your image. Name the version that
you tested, and better its digest too.

Bad:

```dockerfile
COPY --from=ghcr.io/example/tool /tool /bin/tool
```

Good:

```dockerfile
COPY --from=ghcr.io/example/tool:1.4.2@sha256:… /tool /bin/tool
```",
    references: &["https://docs.docker.com/reference/dockerfile/#copy---from"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for instruction in file.instructions() {
        let from = instruction.flag("from").map(|flag| (flag.value.as_str(), flag));
        let mounts = instruction.flags.iter().filter(|flag| flag.name == "mount");
        let mounted = mounts.filter_map(|flag| {
            let from = flag.value.split(',').find_map(|part| part.strip_prefix("from="))?;
            Some((from, flag))
        });
        for (name, flag) in from.into_iter().chain(mounted) {
            if is_moving(file, name) {
                found
                    .at(
                        &file.source,
                        &flag.span,
                        format!("`{name}` names no version, so it is whatever was published last"),
                    )
                    .subject(name)
                    .fix("name the version that you tested, as `name:version@sha256:…`");
            }
        }
    }
}

/// Whether it is an image, as a folder, a host or `:latest` in it says; a plain word can be a build context.
fn is_moving(file: &Dockerfile, name: &str) -> bool {
    let is_other = name.contains('$') || name.parse::<usize>().is_ok() || file.stage_named(name).is_some();
    !is_other && name.contains(['/', ':']) && Image::parse(name).is_moving()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_an_image_without_a_version() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nCOPY --from=r.io/a/b /x /x\n", &["2:6"]);
        fires_on(
            &RULE,
            "Dockerfile",
            "FROM a:1\nRUN --mount=type=bind,from=a/b:latest,target=/x x\n",
            &["2:5"],
        );
    }

    #[test]
    fn is_silent_on_versions_stages_and_contexts() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nCOPY --from=r.io/a/b:1 /x /x\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nCOPY --from=context /x /x\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1 AS b/c\nFROM a:1\nCOPY --from=b/c /x /x\n");
    }
}
