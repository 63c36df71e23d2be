//! A `Secret` with its values in a manifest.

use super::prelude::*;
use crate::names;
pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-secret-in-repository",
    title: "Secret with its values in a manifest",
    severity: Severity::Medium,
    help: "\
The values of a `Secret` are only encoded, not encrypted: who reads the repository has them. Let an operator fetch
them from a vault, or encrypt the manifest (sealed secrets, SOPS), and replace what was published.

Bad:

```yaml
kind: Secret
data:
  password: aHVudGVyMg==
```

Good:

```yaml
kind: ExternalSecret
spec:
  secretStoreRef: {name: vault}
```",
    references: &["https://kubernetes.io/docs/concepts/security/secrets-good-practices/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in
        graph.of_kind("Secret").filter(|object| object.group.is_empty() && object.at(&["sops"]).is_none())
    {
        let entries =
            ["data", "stringData"].into_iter().filter_map(|key| object.at(&[key])).flat_map(Node::entries);
        let real = |value: &Node| {
            value.text().is_some_and(|text| {
                names::is_secret_value(text) && !text.contains("${") && !text.starts_with("ENC[")
            })
        };
        if let Some((key, value)) =
            entries.into_iter().find(|(key, value)| !is_public(&key.text) && real(value))
        {
            object
                .report(found, Some(value), format!("the value of `{}` can be read here", key.text))
                .identity(&key.text)
                .hide(&value.span)
                .fix("fetch it from a vault or encrypt it, and replace the value");
        }
    }
}
/// Ends of names of what is kept beside a secret and is none.
const PUBLIC: &[&str] = &[
    ".crt",
    ".pub",
    "known_hosts",
    "username",
    "user",
    "url",
    "type",
    "endpoint",
    "audience",
    "clientid",
    "client_id",
    "accountname",
    "address",
    "host",
    "port",
    "database",
    "dbname",
    "region",
    "bucket",
    "bucketnames",
    "issuer",
    "issuerurl",
    "name",
    "namespace",
    "email",
];

fn is_public(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    PUBLIC.iter().any(|end| key.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_values() {
        fires(&RULE, &object("Secret", "data:\n  user: ''\n  password: aHVudGVyMg==\n"), &["7:13"]);
        fires(&RULE, &object("Secret", "stringData:\n  a: b\n"), &["6:6"]);
    }

    #[test]
    fn is_silent_on_public_encrypted_and_empty_ones() {
        is_silent(&RULE, &object("Secret", "data:\n  ca.crt: AAAA\n  apiAddress: dGNw\n"));
        is_silent(&RULE, &object("Secret", "type: Opaque\n"));
        is_silent(&RULE, &object("Secret", "stringData:\n  a: ENC[AES256]\nsops: {}\n"));
        is_silent(&RULE, &object("Secret", "stringData:\n  a: <password>\n"));
    }
}
