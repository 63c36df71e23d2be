//! The rules that go by where a value stands rather than by its own form.

use super::{imported, names::Role, tokens};
use crate::finding::{Rule, Severity};

macro_rules! place {
    ($name:ident, $id:literal, $title:literal, $severity:ident, $why:literal, $bad:literal, $good:literal) => {
        pub(crate) static $name: Rule = Rule {
            id: concat!("secrets/", $id),
            title: $title,
            severity: Severity::$severity,
            help: concat!(
                $why,
                "\n\n**What to do:** replace the secret where it is used, since everybody with a clone has it and the ",
                "history keeps it. Then read it from a secret store or the environment when the program runs. If it is no ",
                "secret, say why on the same line: `plimsoll:allow secrets/",
                $id,
                " reason`.\n\nBad: `",
                $bad,
                "`\n\nGood: `",
                $good,
                "`"
            ),
            references: &["https://cwe.mitre.org/data/definitions/798.html"],
        };
    };
}

place!(
    PASSWORD,
    "password",
    "a password in the source",
    High,
    "A name says that its value is a password, and the value looks like one. Passwords in sources are the first thing that \
     somebody with access to a repository looks for, and the same password often opens more than one door.",
    "db_password = \"…\"",
    "db_password = os.environ[\"DB_PASSWORD\"]"
);
place!(
    SECRET,
    "secret",
    "a secret in the source",
    High,
    "A name says that its value is a secret, such as the secret of an OAuth client or the secret that signs sessions. \
     Who has it can pose as the application.",
    "client_secret: …",
    "client_secret: ${CLIENT_SECRET}"
);
place!(
    TOKEN,
    "token",
    "a token in the source",
    High,
    "A name says that its value is a token. A token needs no further password: who has it acts as its owner.",
    "token = \"…\"",
    "token = os.environ[\"TOKEN\"]"
);
place!(
    API_KEY,
    "api-key",
    "a key in the source",
    High,
    "A name says that its value is a key for an interface or for encryption, and the value looks like one.",
    "apiKey: \"…\"",
    "apiKey: process.env.API_KEY"
);
place!(
    CREDENTIAL,
    "credential",
    "a credential in the source",
    High,
    "A name says that its value authenticates somebody, and the value looks as if it did.",
    "auth = \"…\"",
    "auth = read_secret(\"auth\")"
);
place!(
    SALT,
    "salt",
    "a salt or nonce in the source",
    Low,
    "A salt or nonce keeps equal inputs apart. A fixed one in the source does not, and some signatures break by one \
     repeated nonce.",
    "salt = \"…\"",
    "salt = random_bytes(16)"
);
place!(
    PRIVATE_KEY,
    "private-key",
    "a private key in the source",
    Critical,
    "A private key proves who its owner is, signs, or decrypts. Who has the file is the owner.",
    "-----BEGIN … PRIVATE KEY-----",
    "a path to a key that is mounted at run time"
);
place!(
    JWT,
    "json-web-token",
    "a signed token (JWT) in the source",
    Medium,
    "A JSON Web Token signs in whoever shows it until it expires; many never do.",
    "Authorization: Bearer eyJ…",
    "a token that is asked for when it is needed"
);
place!(
    URL,
    "url-password",
    "a password in an address",
    High,
    "An address holds a user and a password before its host. Such addresses also end in logs and shell histories.",
    "postgres://app:…@db/main",
    "postgres://db/main with the password from the environment"
);
place!(
    HEADER,
    "authorization-header",
    "credentials in a header",
    High,
    "An authorization header holds a user and password in base64, which anybody decodes, or a bearer token.",
    "Authorization: Basic …",
    "Authorization: Bearer ${TOKEN}"
);
place!(
    COMMAND,
    "command-password",
    "a password on a command line",
    High,
    "A command is given a password as an argument. Besides in the source it appears in the list of processes.",
    "mysql -u root -p…",
    "mysql --defaults-extra-file=…"
);

pub(crate) static UUID: Rule = Rule {
    id: "secrets/uuid",
    title: "a UUID that may be a secret",
    severity: Severity::Low,
    help: "A UUID usually only names something. But sessions, keys of small services, invitations and shared pages are often \
           known by a UUID alone, and who reads it has what it opens. Which of both it is cannot be seen from the text, so \
           this is reported by `--audit` only and stops nobody. Left out are UUIDs that somebody typed (all zeros, runs of \
           digits), those named as the identifier of a key or of a class, project files of Visual Studio, lock files, and \
           files with more than a thousand.\n\n**What to do:** if it opens something, replace it where it is used and read it \
           from a secret store or the environment when the program runs. If it is a name, leave it, or say so on the same \
           line: `plimsoll:allow secrets/uuid reason`.\n\nBad: `url = \"https://hooks.example.org/…\"`\n\nGood: \
           `url = os.environ[\"HOOK_URL\"]`",
    references: &["https://www.rfc-editor.org/rfc/rfc9562#section-8"],
};

/// All rules of this engine, in order of their identifiers.
#[must_use]
pub fn rules() -> Vec<&'static Rule> {
    let places = [
        &PASSWORD,
        &SECRET,
        &TOKEN,
        &API_KEY,
        &CREDENTIAL,
        &SALT,
        &PRIVATE_KEY,
        &JWT,
        &URL,
        &HEADER,
        &COMMAND,
        &UUID,
        &imported::RULE,
    ];
    let tokens = tokens::ALL.iter().copied().flatten().map(|token| &token.rule);
    let mut rules: Vec<_> = places.into_iter().chain(tokens).collect();
    rules.sort_by_key(|rule| rule.id);
    rules
}

/// The rule for a value of `role`.
pub(crate) fn of_role(role: Role) -> &'static Rule {
    match role {
        Role::Password => &PASSWORD,
        Role::Secret => &SECRET,
        Role::Token => &TOKEN,
        Role::ApiKey | Role::Key => &API_KEY,
        Role::Auth => &CREDENTIAL,
        Role::Salt => &SALT,
        Role::Address => &URL,
        Role::Header => &HEADER,
        Role::Command => &COMMAND,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_different_identifiers_and_say_what_to_do() {
        let rules = rules();
        assert!(rules.windows(2).all(|pair| pair[0].id < pair[1].id));
        for rule in rules {
            assert!(rule.id.starts_with("secrets/"), "{}", rule.id);
            assert!(rule.help.contains("**What to do:**") && rule.help.contains("Good:"), "{}", rule.id);
            assert!(!rule.references.is_empty() && !rule.title.is_empty(), "{}", rule.id);
        }
    }
}
