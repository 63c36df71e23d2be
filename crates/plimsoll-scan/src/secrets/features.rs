//! What the model knows of a name with a value: some ninety numbers, each with a name, computed from the bytes around.

use super::extract::{Operator, Pair, Quote};
use super::names::{self, Role};
use super::value::{self, Counts};

/// Bytes of the line that are looked at before the name and after the value.
const BEFORE: usize = 160;
const AFTER: usize = 80;
/// Bytes of other lines that are looked at on either side.
const NEAR: usize = 120;

/// A name with a value, and what is around them.
pub(crate) struct Context<'a> {
    pub(crate) path: &'a Traits,
    pub(crate) pair: &'a Pair,
    pub(crate) words: Vec<String>,
    pub(crate) role: Role,
    /// How sure the structure around makes it, where it is no name that gives the role.
    pub(crate) structure: f32,
    /// How many words of the name follow the one that gives the role.
    pub(crate) after_role: usize,
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
    pub(crate) counts: Counts,
    pub(crate) before: &'a [u8],
    pub(crate) after: &'a [u8],
    /// The lines above and below, as far as they are near.
    pub(crate) above: &'a [u8],
    pub(crate) below: &'a [u8],
    /// Whether the name stands inside a string or a comment.
    pub(crate) in_string: bool,
    pub(crate) in_comment: bool,
}

impl<'a> Context<'a> {
    /// Of a pair in `bytes`; none where its name has no role.
    pub(crate) fn named(path: &'a Traits, bytes: &'a [u8], pair: &'a Pair) -> Option<Self> {
        let words = names::words(&bytes[pair.name.clone()]);
        let (role, after_role) = names::role(&words)?;
        Some(Self::of(path, bytes, pair, Given { role, structure: 0.0, words, after_role }))
    }

    /// Of a pair whose role is given by the structure around it.
    pub(crate) fn structural(
        path: &'a Traits,
        bytes: &'a [u8],
        pair: &'a Pair,
        role: Role,
        structure: f32,
    ) -> Self {
        let words = names::words(&bytes[pair.name.clone()]);
        Self::of(path, bytes, pair, Given { role, structure, words, after_role: 0 })
    }

    fn of(path: &'a Traits, bytes: &'a [u8], pair: &'a Pair, given: Given) -> Self {
        let Given { role, structure, words, after_role } = given;
        let line = super::text::line_around(bytes, pair.name.start, BEFORE);
        let before = &bytes[line.start..pair.name.start];
        let end = super::text::line_around(bytes, pair.value.end, AFTER).end;
        let value = &bytes[pair.value.clone()];
        let next = end.min(bytes.len() - 1) + 1;
        Self {
            path,
            pair,
            words,
            role,
            structure,
            after_role,
            name: &bytes[pair.name.clone()],
            value,
            counts: value::counts(value),
            before,
            after: &bytes[pair.value.end..end],
            above: &bytes[line.start.saturating_sub(NEAR)..line.start],
            below: &bytes[next..bytes.len().min(next + NEAR)],
            in_string: inside_string(before, pair, bytes),
            in_comment: comment(before),
        }
    }

    fn has_word(&self, list: &[&str]) -> bool {
        self.words.iter().any(|word| list.contains(&word.as_str()))
    }

    fn share(&self, count: usize) -> f32 {
        count as f32 / self.counts.length.max(1) as f32
    }

    fn near_has(&self, parts: &[&str]) -> bool {
        value::has_any(self.above, parts) || value::has_any(self.below, parts)
    }

    /// What follows the value and its quotation mark.
    fn after_quote(&self) -> Option<u8> {
        let after = self.after.iter().skip_while(|byte| matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b' '));
        after.copied().next()
    }

    fn line_has(&self, parts: &[&str]) -> bool {
        value::has_any(self.before, parts) || value::has_any(self.after, parts)
    }
}

fn inside_string(before: &[u8], pair: &Pair, bytes: &[u8]) -> bool {
    let odd = |mark: u8| {
        let marks = before
            .iter()
            .enumerate()
            .filter(|(at, byte)| **byte == mark && (*at == 0 || before[at - 1] != b'\\'));
        marks.count() % 2 == 1
    };
    let quoted = pair.name.start.checked_sub(1).map(|at| bytes[at]);
    let own = |mark: u8| quoted == Some(mark);
    odd(b'"') && !own(b'"') || odd(b'`') && !own(b'`') || odd(b'\'') && !own(b'\'')
}

/// Whether the name of `pair` stands inside a string or a comment, where values are written as in settings.
pub(crate) fn in_string_or_comment(bytes: &[u8], pair: &Pair) -> bool {
    let line = super::text::line_around(bytes, pair.name.start, BEFORE);
    let before = &bytes[line.start..pair.name.start];
    comment(before) || inside_string(before, pair, bytes)
}

fn comment(before: &[u8]) -> bool {
    let start = before.trim_ascii_start();
    start.starts_with(b"#")
        || start.starts_with(b"//")
        || start.starts_with(b"*")
        || start.starts_with(b"/*")
        || start.starts_with(b"--")
}

/// What gives a value its role.
struct Given {
    role: Role,
    structure: f32,
    words: Vec<String>,
    after_role: usize,
}

/// What a path says of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Traits {
    pub(crate) kind: FileKind,
    pub(crate) test: bool,
    pub(crate) example: bool,
    pub(crate) vendored: bool,
    pub(crate) translation: bool,
    pub(crate) lock: bool,
    /// A file that names projects and their parts by UUIDs.
    pub(crate) project: bool,
    /// Settings of a build, of containers, of machines.
    pub(crate) delivery: bool,
    pub(crate) prose: bool,
    pub(crate) environment: bool,
}

/// How values are written in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// A language in which strings are quoted.
    Code,
    /// Settings, in which they often are not.
    Config,
    /// JSON.
    Json,
    /// Shell, Dockerfile.
    Shell,
    /// Prose.
    Prose,
    /// Anything else.
    #[default]
    Other,
}

/// Traits of `path`.
pub(crate) fn traits(path: &str) -> Traits {
    let path = path.to_ascii_lowercase();
    let file = path.rsplit('/').next().unwrap_or_default();
    let has = |parts: &[&str]| parts.iter().any(|part| path.contains(part));
    Traits {
        kind: kind(file),
        test: has(&["test", "spec", "fixture", "mock", "cassette", "__snapshots__", "e2e"]),
        example: has(&[
            "example", "sample", "demo", "doc", "tutorial", "guide", "readme", ".dist", "template",
        ]),
        vendored: has(&["vendor/", "node_modules/", "third_party/", "third-party/", "dist/", ".min."]),
        translation: has(&["locale", "i18n", "l10n", "/lang/", "translation", "messages"]),
        lock: has(&["lock.json", ".lock", "go.sum", "lock.yaml", ".sum"]),
        project: file.ends_with(".sln") || file.ends_with("proj"),
        delivery: has(&[
            ".github/",
            ".travis",
            ".circleci",
            "jenkins",
            "docker",
            "vagrant",
            "ansible",
            "deploy",
        ]),
        prose: has(&["doc", "readme", "changelog", "wiki"]),
        environment: file.starts_with(".env") || file.ends_with(".env"),
    }
}

fn kind(file: &str) -> FileKind {
    const CODE: &[&str] = &[
        "c", "h", "cc", "cpp", "hpp", "cs", "java", "kt", "kts", "scala", "go", "rs", "js", "jsx", "ts",
        "tsx", "mjs", "py", "rb", "php", "pl", "pm", "swift", "m", "mm", "lua", "dart", "ex", "exs", "erl",
        "hs", "clj", "cljs", "groovy", "gradle", "vue", "r", "sql", "coffee", "vb", "fs", "jl", "sol", "erb",
        "jsp", "html", "htm", "haml",
    ];
    const CONFIG: &[&str] = &[
        "yml",
        "yaml",
        "ini",
        "conf",
        "cfg",
        "config",
        "properties",
        "toml",
        "env",
        "tf",
        "tfvars",
        "hcl",
        "xml",
        "plist",
        "rsp",
        "cnf",
        "dist",
        "netrc",
        "npmrc",
        "pypirc",
    ];
    let end = file.rsplit('.').next().unwrap_or_default();
    match end {
        _ if file.starts_with(".env") => FileKind::Config,
        _ if file.starts_with("dockerfile") || file == "makefile" => FileKind::Shell,
        "json" | "jsonl" | "ipynb" | "tfstate" | "json5" | "snap" => FileKind::Json,
        "sh" | "bash" | "zsh" | "ps1" | "bat" | "cmd" | "fish" | "mk" | "dockerfile" => FileKind::Shell,
        "md" | "rst" | "txt" | "adoc" | "asciidoc" | "markdown" | "mdx" | "log" | "org" => FileKind::Prose,
        _ if CODE.contains(&end) => FileKind::Code,
        _ if CONFIG.contains(&end) => FileKind::Config,
        _ => FileKind::Other,
    }
}

/// One number of the model.
pub(crate) type Feature = (&'static str, fn(&Context<'_>) -> f32);

/// All of them, in the order of the model's columns.
pub(crate) static FEATURES: &[Feature] = &[
    ("role.password", |c| on(c.role == Role::Password)),
    ("role.secret", |c| on(c.role == Role::Secret)),
    ("role.token", |c| on(c.role == Role::Token)),
    ("role.api-key", |c| on(c.role == Role::ApiKey)),
    ("role.key", |c| on(c.role == Role::Key)),
    ("role.auth", |c| on(c.role == Role::Auth)),
    ("role.salt", |c| on(c.role == Role::Salt)),
    ("role.address", |c| on(c.role == Role::Address)),
    ("role.header", |c| on(c.role == Role::Header)),
    ("role.command", |c| on(c.role == Role::Command)),
    ("structure", |c| c.structure),
    ("name.words", |c| c.words.len() as f32),
    ("name.after-role", |c| c.after_role as f32),
    ("name.about", |c| {
        on(c.after_role > 0 && c.words.last().is_some_and(|word| names::ABOUT.contains(&word.as_str())))
    }),
    ("name.any-about", |c| on(c.has_word(names::ABOUT))),
    ("name.upper", |c| on(!c.name.iter().any(u8::is_ascii_lowercase))),
    ("name.dotted", |c| on(c.name.contains(&b'.'))),
    ("name.flag", |c| on(c.name.first() == Some(&b'-'))),
    ("name.variable", |c| on(c.name.first() == Some(&b'$'))),
    ("name.length", |c| c.name.len() as f32),
    ("name.plural", |c| {
        on(c.words.last().is_some_and(|word| word.len() > 4 && word.ends_with('s') && !word.ends_with("ss")))
    }),
    (
        "name.access",
        |c| on(c.has_word(&["access", "refresh", "client", "consumer", "api", "app", "private"])),
    ),
    ("name.user-like", |c| {
        on(c.has_word(&[
            "user", "root", "admin", "db", "database", "mysql", "postgres", "redis", "smtp", "ldap",
        ]))
    }),
    ("name.negative", |c| {
        on(c.has_word(&[
            "wrong",
            "invalid",
            "bad",
            "no",
            "empty",
            "missing",
            "null",
            "not",
            "incorrect",
            "fake",
            "dummy",
        ]))
    }),
    ("name.public", |c| {
        on(c.has_word(&[
            "public",
            "pub",
            "primary",
            "foreign",
            "sort",
            "partition",
            "cache",
            "unique",
            "index",
        ]))
    }),
    ("op.assign", |c| on(c.pair.operator == Operator::Assign)),
    ("op.colon", |c| on(c.pair.operator == Operator::Colon)),
    ("op.arrow", |c| on(c.pair.operator == Operator::Arrow)),
    ("op.compare", |c| on(c.pair.operator == Operator::Compare)),
    ("op.call", |c| on(c.pair.operator == Operator::Call)),
    ("op.comma", |c| on(c.pair.operator == Operator::Comma)),
    ("op.element", |c| on(c.pair.operator == Operator::Element)),
    ("op.space", |c| on(c.pair.operator == Operator::Space)),
    ("op.query", |c| on(c.pair.operator == Operator::Query)),
    ("op.pair", |c| on(c.pair.operator == Operator::Pair)),
    ("quoted", |c| on(c.pair.quote != Quote::None)),
    ("quote.single", |c| on(c.pair.quote == Quote::Single)),
    ("quote.back", |c| on(c.pair.quote == Quote::Back)),
    ("wrapped", |c| on(c.pair.wrapper.is_some())),
    ("fallback", |c| on(c.pair.fallback)),
    ("value.length", |c| c.value.len().min(512) as f32),
    ("value.entropy", |c| c.counts.entropy),
    ("value.rarity", |c| value::rarity(c.value)),
    ("value.distinct", |c| c.share(c.counts.distinct)),
    ("value.changes", |c| c.share(c.counts.changes)),
    ("value.lower", |c| c.share(c.counts.lower)),
    ("value.upper", |c| c.share(c.counts.upper)),
    ("value.digits", |c| c.share(c.counts.digits)),
    ("value.hex", |c| c.share(c.counts.hex)),
    ("value.marks", |c| c.share(c.counts.marks)),
    ("value.high", |c| c.share(c.counts.high)),
    ("value.spaces", |c| c.counts.spaces as f32),
    ("value.has-digit", |c| on(c.counts.digits > 0)),
    ("value.three-kinds", |c| on(c.counts.digits > 0 && c.counts.upper > 0 && c.counts.lower > 0)),
    ("value.all-hex", |c| on(c.counts.hex == c.counts.length)),
    ("value.digest", |c| {
        on(c.counts.hex == c.counts.length && matches!(c.value.len(), 32 | 40 | 56 | 64 | 96 | 128))
    }),
    ("value.uuid", |c| on(value::uuid(c.value))),
    ("value.place", |c| on(value::place(c.value))),
    ("value.expression", |c| on(value::expression(c.value))),
    ("value.identifier", |c| on(value::identifier(c.value))),
    ("value.sequence", |c| on(value::sequence(c.value))),
    ("value.is-name", |c| on(same_words(c))),
    ("value.has-role-word", |c| {
        on(value::has_any(c.value, &["pass", "pwd", "secret", "token", "key", "auth", "cred"]))
    }),
    ("value.is-role-word", |c| on(role_word(c.value))),
    ("value.example", |c| {
        on(value::has_any(c.value, &["example", "sample", "test", "demo", "foo", "bar", "fake", "mock"]))
    }),
    ("value.negative", |c| {
        on(value::has_any(c.value, &["wrong", "invalid", "bad", "none", "incorrect", "missing", "unknown"]))
    }),
    ("value.title", |c| {
        on(c.value.first().is_some_and(u8::is_ascii_uppercase) && c.counts.upper == 1 && c.counts.digits == 0)
    }),
    ("value.upper-name", |c| {
        on(c.counts.lower == 0 && c.counts.digits * 4 < c.counts.length && c.value.contains(&b'_'))
    }),
    ("value.letters", |c| on(c.counts.lower + c.counts.upper == c.counts.length)),
    ("value.colon", |c| on(c.value.contains(&b':'))),
    ("value.dot", |c| on(c.value.contains(&b'.'))),
    ("value.slash", |c| on(c.value.contains(&b'/'))),
    ("value.equals-end", |c| on(c.value.last() == Some(&b'='))),
    ("value.dash", |c| on(c.value.contains(&b'-'))),
    ("value.underscore", |c| on(c.value.contains(&b'_'))),
    ("value.crypt", |c| {
        on(c.value.starts_with(b"$2")
            || c.value.starts_with(b"$argon")
            || c.value.starts_with(b"$6$")
            || c.value.starts_with(b"{SSHA"))
    }),
    ("value.encrypted", |c| {
        on(c.value.starts_with(b"ENC[")
            || c.value.starts_with(b"ENC(")
            || value::has_any(c.value, &["vault:", "sealed", "ssm:", "!vault", "kms:", "secretsmanager"]))
    }),
    ("value.public-key", |c| {
        on(value::has_any(c.value, &["ssh-rsa", "ssh-ed25519", "begin public", "begin cert"]))
    }),
    ("value.html", |c| {
        on(c.value.contains(&b'<') || c.value.contains(&b'>') || value::has_any(c.value, &["&nbsp", "\\n"]))
    }),
    ("value.sentence", |c| on(c.counts.spaces > 1)),
    ("value.version", |c| {
        on(c.counts.digits + c.value.iter().filter(|byte| **byte == b'.').count() == c.counts.length)
    }),
    ("file.code", |c| on(c.path.kind == FileKind::Code)),
    ("file.config", |c| on(c.path.kind == FileKind::Config)),
    ("file.json", |c| on(c.path.kind == FileKind::Json)),
    ("file.shell", |c| on(c.path.kind == FileKind::Shell)),
    ("file.prose", |c| on(c.path.kind == FileKind::Prose)),
    ("path.test", |c| on(c.path.test)),
    ("path.example", |c| on(c.path.example)),
    ("path.vendored", |c| on(c.path.vendored)),
    ("path.translation", |c| on(c.path.translation)),
    ("path.lock", |c| on(c.path.lock)),
    ("line.in-string", |c| on(c.in_string)),
    ("line.comment", |c| on(c.in_comment)),
    ("line.first", |c| on(c.before.iter().all(|byte| byte.is_ascii_whitespace() || b"\"'-".contains(byte)))),
    ("line.before", |c| c.before.len() as f32),
    ("line.declares", |c| {
        on(c.line_has(&["function", "def ", "func ", "interface", "abstract", "@param", "lambda"]))
    }),
    ("line.fails", |c| on(c.line_has(&["throw", "raise", "error", "warn", "log.", "print", "console."]))),
    ("line.digest", |c| {
        on(c.line_has(&["sha1", "sha256", "sha512", "md5", "digest", "checksum", "integrity", "hash"]))
    }),
    ("line.asserts", |c| on(c.line_has(&["assert", "expect", "should", "equal"]))),
    ("line.user", |c| on(c.line_has(&["user", "login", "email", "account"]))),
    ("line.environment", |c| on(c.line_has(&["env", "getenv", "process."]))),
    ("line.markup", |c| on(c.line_has(&["<input", "type=", "placeholder", "label", "class="]))),
    ("after.call", |c| on(matches!(c.after.first(), Some(b'(' | b'[')))),
    ("after.joined", |c| {
        on(c.after
            .get(1..)
            .is_some_and(|after| matches!(after.trim_ascii_start().first(), Some(b'+' | b'%'))))
    }),
    ("after.end", |c| on(c.after.len() < 4)),
    ("after.comma", |c| on(c.after_quote() == Some(b','))),
    ("after.close", |c| on(matches!(c.after_quote(), Some(b')' | b'}' | b']')))),
    ("after.semicolon", |c| on(c.after_quote() == Some(b';'))),
    ("after.markup", |c| on(matches!(c.after_quote(), Some(b'<' | b'>')))),
    ("after.length", |c| c.after.len() as f32),
    ("near.user", |c| on(c.near_has(&["user", "login", "email", "account"]))),
    ("near.host", |c| on(c.near_has(&["host", "server", "port", "database", "url"]))),
    ("near.role", |c| on(c.near_has(&["pass", "secret", "token", "key"]))),
    ("near.asserts", |c| on(c.near_has(&["assert", "expect", "should", "test"]))),
    ("above.comment", |c| on(comment(last_line(c.above)))),
    ("line.brace", |c| on(c.before.contains(&b'{'))),
    ("line.parenthesis", |c| on(c.before.contains(&b'('))),
    ("line.names", |c| c.before.iter().filter(|byte| matches!(byte, b'=' | b':')).count() as f32),
    ("name.before", |c| kind_of(c.before.last().copied())),
    ("name.title", |c| on(c.name.first().is_some_and(u8::is_ascii_uppercase))),
    ("name.default", |c| on(c.has_word(&["default", "test", "example", "sample", "my", "initial"]))),
    ("name.changes", |c| {
        on(c.has_word(&["new", "old", "current", "confirm", "confirmation", "repeat", "re", "reset"]))
    }),
    ("name.digest", |c| {
        on(c.has_word(&["hash", "hashed", "digest", "encrypted", "sha", "md5", "crypt", "bcrypt"]))
    }),
    ("name.id", |c| on(c.has_word(&["id", "ids", "kid", "uid"]))),
    ("name.only", |c| on(c.words.len() == 1 && c.after_role == 0)),
    ("value.common", |c| on(common(c.value))),
    ("value.starts-role", |c| on(starts_with_role(c.value))),
    ("value.number", |c| on(c.value.starts_with(b"0x") && c.value[2..].iter().all(u8::is_ascii_hexdigit))),
    ("value.validation", |c| {
        on(value::has_any(c.value, &["required", "confirmed", "min:", "max:", "string|", "optional"]))
    }),
    ("value.escaped", |c| on(c.value.contains(&b'\\'))),
    ("value.leet", |c| on(leet(c.value))),
    ("value.words", |c| names::words(c.value).len().min(20) as f32),
    ("path.delivery", |c| on(c.path.delivery)),
    ("path.prose", |c| on(c.path.prose)),
    ("path.environment", |c| on(c.path.environment)),
];

fn on(holds: bool) -> f32 {
    if holds { 1.0 } else { 0.0 }
}

/// Whether a value repeats its name: `password: "password"`, `API_KEY = "api-key"`.
fn same_words(context: &Context<'_>) -> bool {
    names::words(context.value) == context.words
}

fn last_line(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii_end();
    &text[memchr::memrchr(b'\n', text).map_or(0, |end| end + 1)..]
}

/// What stands before a name, as a number that is in no order.
fn kind_of(byte: Option<u8>) -> f32 {
    match byte {
        None => 0.0,
        Some(b' ' | b'\t') => 1.0,
        Some(b'"') => 2.0,
        Some(b'\'' | b'`') => 3.0,
        Some(b'(' | b'[' | b'{' | b',') => 4.0,
        Some(b'/' | b'?' | b'&') => 5.0,
        Some(b':' | b'@') => 6.0,
        Some(_) => 7.0,
    }
}

/// Passwords that everybody tries first.
fn common(value: &[u8]) -> bool {
    const WORDS: &[&str] = &[
        "admin",
        "root",
        "guest",
        "user",
        "test",
        "123456",
        "12345678",
        "1234",
        "12345",
        "123456789",
        "changeme",
        "letmein",
        "qwerty",
        "welcome",
        "welcome1",
        "toor",
        "pass123",
        "password1",
        "passw0rd",
        "p@ssw0rd",
        "p@ssword",
        "postgres",
        "mysql",
        "oracle",
        "demo",
        "abc123",
        "password123",
        "123",
        "foo",
        "bar",
        "default",
        "hunter2",
    ];
    WORDS.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

fn starts_with_role(value: &[u8]) -> bool {
    const WORDS: &[&str] = &["pass", "pwd", "secret", "token", "key", "my"];
    WORDS
        .iter()
        .any(|word| value.len() > word.len() && value[..word.len()].eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether digits or marks stand for letters inside a word, as in `p4ssw0rd`.
fn leet(value: &[u8]) -> bool {
    let stands = |byte: u8| matches!(byte, b'0' | b'1' | b'3' | b'4' | b'5' | b'@' | b'$' | b'!');
    value
        .windows(3)
        .any(|three| three[0].is_ascii_lowercase() && stands(three[1]) && three[2].is_ascii_lowercase())
}

fn role_word(value: &[u8]) -> bool {
    const WORDS: &[&str] =
        &["password", "passwd", "pass", "secret", "token", "key", "pwd", "auth", "credentials"];
    WORDS.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

/// The numbers of one context, in the order of [`FEATURES`].
pub(crate) fn vector(context: &Context<'_>) -> Vec<f32> {
    FEATURES.iter().map(|(_, of)| of(context)).collect()
}
