//! A file that holds credentials is copied into the image.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-secret-file-copied",
    title: "file with credentials in the image",
    severity: Severity::High,
    help: "\
Layers are for ever: deleting the file in a later step leaves it in the layer before. Everybody who pulls the image
can take it out. Use a secret mount for builds, and mount it when the container runs.

Bad:

```dockerfile
COPY .npmrc id_rsa /root/
```

Good:

```dockerfile
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci
```",
    references: &["https://docs.docker.com/build/building/secrets/"],
};

/// Names of files that hold nothing but credentials, or usually some.
const NAMES: &[&str] = &[
    ".env",
    ".npmrc",
    ".pypirc",
    ".netrc",
    "_netrc",
    ".git-credentials",
    ".dockercfg",
    ".htpasswd",
    ".pgpass",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "kubeconfig",
    "credentials.json",
    "service-account.json",
];
/// Folders that hold credentials.
const FOLDERS: &[&str] = &[".ssh", ".aws", ".gnupg", ".kube", ".azure"];
/// Ends of names of private keys.
const ENDS: &[&str] = &[".key", ".p12", ".pfx", ".jks", ".keystore"];

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    let copies = file.instructions().filter(|i| matches!(i.name.as_str(), "COPY" | "ADD"));
    for copy in copies.filter(|copy| copy.flag("from").is_none()) {
        for word in copy.sources().iter().filter(|word| is_credentials(&word.text)) {
            found
                .at(
                    &file.source,
                    &word.span,
                    format!("`{}` holds credentials, which stay in the image", word.text),
                )
                .fix("use `RUN --mount=type=secret`, or mount it when the container runs");
        }
    }
}

fn is_credentials(path: &str) -> bool {
    let path = path.trim_end_matches('/').to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or("");
    let in_folder = path.split('/').any(|part| FOLDERS.contains(&part)) && !path.ends_with("known_hosts");
    let in_docker = path.ends_with(".docker/config.json");
    NAMES.contains(&name) || in_folder || in_docker || ENDS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_files_with_credentials() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nCOPY a .npmrc id_rsa /root/\n", &["2:8", "2:15"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nADD .aws/credentials /root/.aws/\n", &["2:5"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nCOPY certs/server.key /etc/\n", &["2:6"]);
    }

    #[test]
    fn is_silent_on_examples_public_keys_and_other_stages() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nCOPY a /root/\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nCOPY .env.example /app/\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nCOPY --from=b /root/.npmrc /x\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nCOPY id_rsa.pub /root/.x/\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nCOPY .ssh/known_hosts /root/\n");
    }
}
