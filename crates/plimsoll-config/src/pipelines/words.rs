//! What values say by themselves: whether one is a secret that is written out, whether an image or a revision can change
//! under its name.

use crate::names;

/// Whether `value` is a secret that is written out: no reference to one, no stand-in, no word of a configuration.
pub(crate) fn is_literal_secret(value: &str) -> bool {
    let value = value.trim();
    let word = ["test", "read", "write", "default", "inherit"].contains(&value.to_ascii_lowercase().as_str());
    let refers = value.contains(['$', '{', ' ', '\n']) || value.starts_with(['!', '@', '*']);
    value.len() >= 4 && !word && !refers && names::is_secret_value(value)
}

/// Whether the image `reference` names its content; what is put together at run time counts as not known.
pub(crate) fn image_pin(reference: &str) -> Pin {
    let reference = reference.trim();
    if reference.is_empty() || reference.contains(['$', '{']) || reference == "scratch" {
        return Pin::Unknown;
    }
    match reference.split_once("@sha256:") {
        Some((_, digest)) if is_hex(digest, 64) => Pin::Fixed,
        _ => Pin::Mutable,
    }
}

/// Whether a reference can change what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pin {
    Fixed,
    Mutable,
    Unknown,
}

/// Whether `revision` is a whole commit identifier, SHA-1 or SHA-256.
pub(crate) fn is_commit(revision: &str) -> bool {
    is_hex(revision, 40) || is_hex(revision, 64)
}

/// Whether `revision` is a name that moves with each push.
pub(crate) fn is_branch(revision: &str) -> bool {
    ["main", "master", "develop", "dev", "trunk", "head", "latest"]
        .contains(&revision.to_ascii_lowercase().as_str())
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_out_secrets_are_told_from_references_and_placeholders() {
        for value in ["hunter22", "AKIA0123"] {
            assert!(is_literal_secret(value), "{value}");
        }
        for value in
            ["", "$TOKEN", "${{ secrets.A }}", "true", "changeme", "<token>", "/run/secrets/a", "{{ a }}"]
        {
            assert!(!is_literal_secret(value), "{value}");
        }
    }

    #[test]
    fn a_digest_fixes_an_image_and_a_tag_does_not() {
        let digest = "a".repeat(64);
        assert_eq!(image_pin(&format!("alpine:3@sha256:{digest}")), Pin::Fixed);
        assert_eq!(image_pin("alpine:3.20"), Pin::Mutable);
        assert_eq!(image_pin("alpine@sha256:12"), Pin::Mutable);
        assert_eq!(image_pin("$CI_REGISTRY_IMAGE:1"), Pin::Unknown);
    }
}
