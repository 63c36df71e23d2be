//! What names of variables say of their values: whether one holds a secret. A name is taken apart into words, so that
//! `TOKENIZER` is no token.

/// Words that say that a value is secret.
const SECRET: &[&str] =
    &["password", "passwd", "pwd", "passphrase", "secret", "token", "apikey", "credential", "credentials"];
/// Words before `key` that make it a secret one.
const KEYS: &[&str] =
    &["api", "access", "private", "secret", "encryption", "signing", "master", "account", "auth", "ssh"];
/// Words that say that the value is about a secret and not it.
const ABOUT: &[&str] = &[
    "file",
    "path",
    "dir",
    "name",
    "id",
    "public",
    "url",
    "uri",
    "host",
    "length",
    "size",
    "min",
    "max",
    "ttl",
    "expiry",
    "expiration",
    "timeout",
    "type",
    "policy",
    "enabled",
    "disabled",
    "allow",
    "require",
    "required",
    "empty",
    "hash",
    "algorithm",
    "header",
    "field",
    "endpoint",
    "issuer",
    "audience",
    "version",
    "env",
    "key",
    "ref",
    "store",
    "provider",
    "lifetime",
    "rotation",
    "count",
    "limit",
    "tokens",
    "mode",
    "reset",
    "change",
    "encryption",
    "ring",
];

/// Whether a variable of that name holds a secret.
pub(crate) fn is_secret(name: &str) -> bool {
    let words = words(name);
    let Some((last, before)) = words.split_last() else { return false };
    let is_key = last == "key" && before.last().is_some_and(|word| KEYS.contains(&word.as_str()));
    let is_secret = words.iter().any(|word| SECRET.contains(&word.as_str()));
    let is_about = before.iter().any(|word| {
        matches!(word.as_str(), "public" | "allow" | "require" | "disable" | "enable" | "no" | "has" | "use")
    });
    (is_key || is_secret && !ABOUT.contains(&last.as_str())) && !is_about
}

/// Whether a value can be a secret: neither empty nor a stand-in nor a switch.
pub(crate) fn is_secret_value(value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    let stand_in = [
        "changeme",
        "change-me",
        "change_me",
        "example",
        "placeholder",
        "your",
        "xxx",
        "todo",
        "dummy",
        "none",
        "null",
        "redacted",
    ];
    let switch = matches!(value.as_str(), "true" | "false" | "yes" | "no" | "on" | "off" | "0" | "1");
    !(value.is_empty()
        || switch
        || value.starts_with(['<', '/', '{'])
        || stand_in.iter().any(|word| value.contains(word)))
}

/// Words of a name in lower case, split at everything else and where capitals begin.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        let begins = c.is_ascii_uppercase() && was_lower;
        if !c.is_ascii_alphanumeric() || begins {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric() {
            let last = words.len() - 1;
            words[last].push(c.to_ascii_lowercase());
        }
        was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_whether_a_value_is_secret() {
        for name in [
            "PASSWORD",
            "DB_PASSWORD",
            "dbPassword",
            "API_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "NPM_TOKEN",
            "client-secret",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "KEY",
            "TOKENIZERS_PARALLELISM",
            "PASSWORD_FILE",
            "PUBLIC_KEY",
            "SECRET_NAME",
            "TOKEN_URL",
            "PWDX",
            "MAX_TOKENS",
            "ALLOW_EMPTY_PASSWORD",
            "",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn values_say_whether_they_are_stand_ins() {
        for value in ["hunter2", "s3cr3t!", "abc123"] {
            assert!(is_secret_value(value), "{value}");
        }
        for value in ["", "changeme", "<password>", "your-token-here", "true", "/run/secrets/a"] {
            assert!(!is_secret_value(value), "{value}");
        }
    }
}
