//! What a name says of the value it is given: words, role, and words that take the role back (`password_file`).

/// What a value is for, by the name it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// `password`, `passwd`, `pwd`, `passphrase`
    Password,
    /// `secret`, `client_secret`
    Secret,
    /// `token`, `access_token`, `jwt`, `session`
    Token,
    /// `api_key`, `private_key`, `access_key`
    ApiKey,
    /// `key` alone, or of something that is no secret by its name
    Key,
    /// `auth`, `authorization`, `credential`
    Auth,
    /// `salt`, `nonce`, `signature`
    Salt,
    /// The password in an address.
    Address,
    /// What follows the scheme of an authorization header.
    Header,
    /// The password that a command is given.
    Command,
}

/// Words in lower case: `dbPassword2` and `DB_PASSWORD` are `db`, `password`.
pub(crate) fn words(name: &[u8]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (index, byte) in name.iter().enumerate() {
        let next = name.get(index + 1);
        let before = index.checked_sub(1).map(|at| name[at]);
        let upper = byte.is_ascii_uppercase();
        let starts = upper
            && (before.is_some_and(|before| before.is_ascii_lowercase() || before.is_ascii_digit())
                || next.is_some_and(u8::is_ascii_lowercase));
        if starts || !byte.is_ascii_alphanumeric() {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
        }
        if byte.is_ascii_alphanumeric() {
            word.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

const PASSWORD: &[&str] = &[
    "password",
    "passwords",
    "passwd",
    "pwd",
    "pass",
    "passphrase",
    "passcode",
    "passwort",
    "pw",
    "psw",
    "userpass",
    "rootpass",
    "contrasena",
    "senha",
    "pwds",
];
const SECRET: &[&str] = &["secret", "secrets"];
const TOKEN: &[&str] = &["token", "tokens", "jwt", "bearer", "session", "cookie", "sessionid", "webhook"];
const KEY: &[&str] = &["key", "keys"];
const AUTH: &[&str] =
    &["auth", "authorization", "authentication", "credential", "credentials", "cred", "creds", "oauth"];
const SALT: &[&str] = &["salt", "nonce", "hmac", "signature"];
/// Endings of words that were written in one: `dbpassword`, `apikey`.
const GLUED: &[(&str, Role)] = &[
    ("password", Role::Password),
    ("passwd", Role::Password),
    ("passphrase", Role::Password),
    ("pwd", Role::Password),
    ("secret", Role::Secret),
    ("token", Role::Token),
    ("apikey", Role::ApiKey),
    ("secretkey", Role::ApiKey),
    ("accesskey", Role::ApiKey),
    ("privatekey", Role::ApiKey),
    ("authkey", Role::ApiKey),
    ("masterkey", Role::ApiKey),
    ("signingkey", Role::ApiKey),
    ("encryptionkey", Role::ApiKey),
    ("appkey", Role::ApiKey),
    ("nkey", Role::ApiKey),
    ("pass", Role::Password),
    ("salt", Role::Salt),
];
/// What makes a key a secret one.
const OF_SECRET: &[&str] = &[
    "api",
    "access",
    "private",
    "secret",
    "encryption",
    "encrypt",
    "signing",
    "sign",
    "auth",
    "master",
    "app",
    "application",
    "account",
    "shared",
    "license",
    "storage",
    "client",
    "consumer",
    "service",
    "session",
    "cookie",
    "aes",
    "hmac",
    "crypto",
    "cipher",
    "priv",
    "ssh",
    "deploy",
    "security",
    "admin",
    "jwt",
    "token",
    "recaptcha",
];

/// The role of the word at `index`.
fn of_word(words: &[String], index: usize) -> Option<Role> {
    let word = words.get(index)?.trim_end_matches(|char: char| char.is_ascii_digit());
    let is = |list: &[&str]| list.contains(&word);
    if is(PASSWORD) || word == "by" && index > 0 && words[index - 1] == "identified" {
        Some(Role::Password)
    } else if is(SECRET) {
        Some(Role::Secret)
    } else if is(TOKEN) {
        Some(Role::Token)
    } else if is(KEY) {
        let before = index.checked_sub(1).and_then(|at| words.get(at));
        let secret = before.is_some_and(|before| OF_SECRET.contains(&before.as_str()));
        Some(if secret { Role::ApiKey } else { Role::Key })
    } else if is(AUTH) {
        Some(Role::Auth)
    } else if is(SALT) {
        Some(Role::Salt)
    } else {
        GLUED.iter().find(|(end, _)| word.ends_with(end)).map(|(_, role)| *role)
    }
}

/// The role of a name and how many of its words come after the word that says so. Of several, the last decides, but
/// a plain `key` or `auth` gives way to anything stronger.
pub(crate) fn role(words: &[String]) -> Option<(Role, usize)> {
    let all =
        (0..words.len()).rev().filter_map(|at| of_word(words, at).map(|role| (role, words.len() - 1 - at)));
    let all: Vec<_> = all.take(8).collect();
    let strong = all.iter().find(|(role, _)| !matches!(role, Role::Key | Role::Auth | Role::Salt));
    strong.or(all.first()).copied()
}

/// Words after which a name is about a secret rather than for one.
pub(crate) const ABOUT: &[&str] = &[
    "file",
    "path",
    "dir",
    "url",
    "uri",
    "endpoint",
    "name",
    "names",
    "field",
    "type",
    "length",
    "len",
    "policy",
    "regex",
    "pattern",
    "hint",
    "prompt",
    "message",
    "msg",
    "error",
    "err",
    "label",
    "title",
    "placeholder",
    "reset",
    "expire",
    "expires",
    "expiry",
    "expiration",
    "ttl",
    "timeout",
    "count",
    "index",
    "size",
    "format",
    "provider",
    "service",
    "manager",
    "class",
    "min",
    "max",
    "enabled",
    "required",
    "valid",
    "algorithm",
    "alg",
    "algo",
    "public",
    "pub",
    "input",
    "form",
    "attribute",
    "attr",
    "column",
    "param",
    "parameter",
    "parameters",
    "header",
    "prefix",
    "suffix",
    "version",
    "policy",
    "strategy",
    "method",
    "mode",
    "level",
    "scope",
    "issuer",
    "audience",
    "is",
    "has",
    "get",
    "set",
    "check",
    "validate",
    "verify",
    "change",
    "update",
    "forgot",
    "show",
    "hide",
    "confirm",
    "confirmation",
    "store",
    "ref",
    "reference",
    "map",
    "list",
    "set",
    "schema",
    "description",
    "desc",
    "text",
    "help",
    "doc",
    "usage",
    "event",
    "action",
    "state",
    "status",
    "code",
    "event",
    "handler",
    "callback",
    "fn",
    "func",
    "function",
    "factory",
    "builder",
    "spec",
    "test",
    "lifetime",
    "duration",
    "age",
    "date",
    "time",
    "at",
    "host",
    "port",
    "user",
    "username",
    "login",
    "email",
    "domain",
    "region",
    "bucket",
    "table",
    "db",
    "database",
    "ring",
    "board",
    "stroke",
    "word",
    "id",
    "ids",
    "arn",
    "env",
    "var",
    "variable",
    "option",
    "opt",
    "flag",
    "strength",
    "score",
    "hash",
    "hashed",
    "digest",
    "encrypted",
    "cert",
    "certificate",
    "pem",
    "usages",
    "usage",
    "pair",
    "pairs",
    "value",
    "values",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_split_where_a_reader_would() {
        let check = |name: &str, expect: &[&str]| assert_eq!(words(name.as_bytes()), expect, "{name}");
        check("dbPassword", &["db", "password"]);
        check("DB_PASSWORD", &["db", "password"]);
        check("AWSSecretKey", &["aws", "secret", "key"]);
        check("x-api-key", &["x", "api", "key"]);
        check("--password", &["password"]);
        check("foo.bar.pwd1", &["foo", "bar", "pwd1"]);
    }

    #[test]
    fn the_role_comes_from_the_strongest_word() {
        let check = |name: &str, expect| assert_eq!(role(&words(name.as_bytes())), expect, "{name}");
        check("db_password", Some((Role::Password, 0)));
        check("password_file", Some((Role::Password, 1)));
        check("client_secret_key", Some((Role::ApiKey, 0)));
        check("apikey", Some((Role::ApiKey, 0)));
        check("primaryKey", Some((Role::Key, 0)));
        check("dbpassword", Some((Role::Password, 0)));
        check("authToken", Some((Role::Token, 0)));
        check("keyboard", None);
        check("author", None);
    }
}
