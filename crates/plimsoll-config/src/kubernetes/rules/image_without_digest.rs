//! An image whose version can be published anew.

use super::prelude::*;
use crate::dockerfile::image::Image;
pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-image-without-digest",
    title: "image without a digest",
    severity: Severity::Info,
    help: "\
A tag can be moved by whoever owns the registry account; then the pods that start next run something else than what
was tested. A digest names exactly the bytes.

Bad:

```yaml
image: example/shop:1.4.2
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
        let image = Image::parse(text);
        if image.digest.is_none() && !image.is_moving() && !text.contains(['$', '{', ' ']) {
            container
                .report(found, Some(node), format!("`{text}` can be published anew"))
                .fix("add `@sha256:…`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_tag_alone() {
        fires(&RULE, &container("image: a:1"), &["7:12"]);
    }

    #[test]
    fn is_silent_on_a_digest_and_where_no_tag_is() {
        is_silent(&RULE, &container("image: a:1@sha256:0"));
        is_silent(&RULE, &container("image: a"));
    }
}
