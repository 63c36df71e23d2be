//! The name of an image, taken apart: `registry/path:tag@digest`.

/// An image as a `FROM` or a manifest names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    /// With registry, without tag and digest.
    pub(crate) name: String,
    pub(crate) tag: Option<String>,
    pub(crate) digest: Option<String>,
}

impl Image {
    pub(crate) fn parse(text: &str) -> Self {
        let (text, digest) = match text.split_once('@') {
            Some((text, digest)) => (text, Some(digest.to_owned())),
            None => (text, None),
        };
        let last = text.rfind('/').map_or(0, |at| at + 1);
        let (name, tag) = match text[last..].rfind(':') {
            Some(at) => (&text[..last + at], Some(text[last + at + 1..].to_owned())),
            None => (text, None),
        };
        Self { name: name.to_owned(), tag, digest }
    }

    /// Whether its content can change under its name at any time: no digest, and no tag or one that is meant to move.
    pub(crate) fn is_moving(&self) -> bool {
        let moves =
            |tag: &str| matches!(tag, "latest" | "edge" | "nightly" | "main" | "master" | "dev" | "canary");
        self.digest.is_none() && self.tag.as_deref().is_none_or(moves)
    }

    /// Whether it is published to run as an ordinary user, as its name says.
    pub(crate) fn is_non_root(&self) -> bool {
        let says = |text: &str| {
            text.contains("nonroot") || text.contains("rootless") || text.contains("unprivileged")
        };
        says(&self.name) || self.tag.as_deref().is_some_and(says)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let check = |text: &str, name: &str, tag: Option<&str>, digest: Option<&str>| {
            let image = Image::parse(text);
            assert_eq!(
                (image.name.as_str(), image.tag.as_deref(), image.digest.as_deref()),
                (name, tag, digest)
            );
        };
        check("node", "node", None, None);
        check("node:20", "node", Some("20"), None);
        check("r.io:5000/a/b", "r.io:5000/a/b", None, None);
        check("r.io:5000/a/b:1@sha256:0", "r.io:5000/a/b", Some("1"), Some("sha256:0"));
        check("library/node", "library/node", None, None);
        check("localhost/a", "localhost/a", None, None);
    }
}
