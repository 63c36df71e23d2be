//! An image that is another one tomorrow.

use super::prelude::*;
use crate::dockerfile::image::Image;
pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-moving-image",
    title: "image that is another one tomorrow",
    severity: Severity::Medium,
    help: "\
An image without a version, or with one that moves, is whatever was published last when the pod happens to start. Two
pods of one deployment can run different code, and nobody can say which. Name the version, better the digest.

Bad:

```yaml
image: example/shop:latest
```

Good:

```yaml
image: example/shop:1.4.2@sha256:…
```",
    references: &["https://kubernetes.io/docs/concepts/containers/images/#image-names"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers() {
        let Some(node) = container.at(&["image"]) else { continue };
        let text = node.text().unwrap_or("");
        let is_known = !text.is_empty() && !text.contains(['$', '{', ' ']);
        if is_known && Image::parse(text).is_moving() {
            container
                .report(found, Some(node), format!("`{text}` is whatever was published last"))
                .fix("name the version, better the digest");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_no_version() {
        fires(&RULE, &container("image: a"), &["7:12"]);
        fires(&RULE, &container("image: r.io:5000/a/b:latest"), &["7:12"]);
    }

    #[test]
    fn is_silent_on_versions_and_digests() {
        is_silent(&RULE, &container("image: a:1"));
        is_silent(&RULE, &container("image: a@sha256:0"));
        is_silent(&RULE, &container("image: ${IMAGE}"));
    }
}
