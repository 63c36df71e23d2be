//! An image whose programs trust whoever answers.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/image-tls-verification-off",
    title: "image that trusts any server",
    severity: Severity::High,
    help: "\
The variable switches the check of certificates off for every program of the image: everybody on the way reads and
changes what it sends. Add the authority that is missing instead.

Bad:

```json
{\"config\": {\"Env\": [\"NODE_TLS_REJECT_UNAUTHORIZED=0\"]}}
```

Good:

```json
{\"config\": {\"Env\": [\"NODE_EXTRA_CA_CERTS=/etc/ssl/our-authority.pem\"]}}
```",
    references: &["https://nodejs.org/api/cli.html#node_tls_reject_unauthorizedvalue"],
};

pub(crate) fn check(image: &Image, found: &mut Found<'_>) {
    for node in image.config("Env").map_or(&[][..], Node::items) {
        let Some((name, value)) = node.text().and_then(|text| text.split_once('=')) else { continue };
        let is_off = match name {
            "NODE_TLS_REJECT_UNAUTHORIZED" | "PYTHONHTTPSVERIFY" => value == "0",
            "GIT_SSL_NO_VERIFY" => !matches!(value, "" | "0" | "false"),
            _ => false,
        };
        if is_off {
            image
                .report(found, Some(node), &format!("`{name}` makes programs trust any server"))
                .fix("add the authority that is missing instead");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_where_the_check_is_off() {
        fires_on(&RULE, "config.json", &image("\"Env\": [\"NODE_TLS_REJECT_UNAUTHORIZED=0\"]"), &["2:22"]);
    }

    #[test]
    fn is_silent_where_it_is_on() {
        is_silent_on(&RULE, "config.json", &image("\"Env\": [\"NODE_TLS_REJECT_UNAUTHORIZED=1\"]"));
    }
}
