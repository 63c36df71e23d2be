//! `people.yaml`: who is who. A key, a mail address and a name belong to one person only, so that nobody counts twice.

use crate::{
    diagnostic::{FileErrors, Findings},
    read::{self, Spanned, mapping},
    value::{Version, line, texts},
};
use plimsoll_model::reason::printable;
use serde::Serialize;
use ssh_key::{HashAlg, PublicKey};
use std::collections::{BTreeMap, BTreeSet};

mapping! {
    /// `people.yaml`: the people and robots whose keys count.
    PeopleFile {
        /// Version of this form of file; always 1, and always the first key.
        #[expect(dead_code, reason = "judged before anything else is read")]
        version: Version,
        /// Everybody. Names, mail addresses and keys belong to one of them only.
        people: Vec<PersonFile>,
    }
}

mapping! {
    /// A person or a robot.
    PersonFile {
        /// Name, for people.
        name: Spanned<PersonName>,
        /// Mail addresses under which they commit. Upper and lower case are the same.
        git_emails: Option<Vec<Spanned<Email>>>,
        /// Public SSH keys, one line each, as in `~/.ssh/authorized_keys` without options.
        ssh_keys: Option<Vec<Spanned<SshKeyLine>>>,
        /// What they may be asked for, as in `release-managers`.
        roles: Option<Vec<Spanned<RoleName>>>,
        /// Whether this is a robot, which never counts as a person. Default `false`.
        robot: Option<bool>,
    }
}

texts! {
    /// Name of a person.
    PersonName("^.{1,100}$") = |text| {
        line(text)?;
        if text.chars().count() > 100 { Err("is longer than 100 characters".into()) } else { Ok(()) }
    };
    /// A mail address.
    Email("^[^@ ]+@[^@ ]+$") = email;
    /// A public SSH key.
    SshKeyLine("^[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( .*)?$") = |text| SshKey::parse(text).map(|_| ());
    /// Name of a role.
    RoleName("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$") = |text| {
        text.parse::<plimsoll_model::ToolName>().map(|_| ()).map_err(|_| {
            format!("`{text}` is not a role: expected 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit")
        })
    };
}

/// A checked `people.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct People {
    /// Everybody, in the order of the file.
    pub people: Vec<Person>,
}

/// A person or a robot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Name, unique regardless of case.
    pub name: String,
    /// Mail addresses in lower case; each belongs to this person only.
    pub git_emails: BTreeSet<String>,
    /// Keys; each belongs to this person only.
    pub ssh_keys: Vec<SshKey>,
    /// Names of roles.
    pub roles: BTreeSet<String>,
    /// Whether this is a robot.
    pub robot: bool,
}

/// A public SSH key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SshKey {
    /// Algorithm and key as one line of `authorized_keys(5)`, without options and comment.
    pub line: String,
    /// `SHA256:…`, as `ssh-keygen -l` shows it.
    pub fingerprint: String,
}

impl SshKey {
    /// Reads a line of `authorized_keys(5)` without options. A comment is dropped.
    ///
    /// # Errors
    /// When it is not a public key, or has options.
    pub fn parse(text: &str) -> Result<Self, String> {
        line(text)?;
        let error = |problem: &str| format!("`{}` is not a public SSH key: {problem}", printable(text, 60));
        let mut words = text.split_ascii_whitespace();
        let (Some(algorithm), Some(blob)) = (words.next(), words.next()) else {
            return Err(error("expected an algorithm and a key, as in the file that ends with .pub"));
        };
        if !["ssh-", "ecdsa-", "sk-"].iter().any(|family| algorithm.starts_with(family)) {
            return Err(error("it does not begin with an algorithm; options are not taken over"));
        }
        let line = format!("{algorithm} {blob}");
        let key = PublicKey::from_openssh(&line).map_err(|problem| error(&problem.to_string()))?;
        if key.algorithm().as_str() != algorithm {
            return Err(error("the algorithm is not that of the key"));
        }
        Ok(Self { line, fingerprint: key.fingerprint(HashAlg::Sha256).to_string() })
    }
}

impl People {
    /// Reads `people.yaml`. `file` is its name for messages.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, Box<FileErrors>> {
        read::file(file, bytes, check)
    }

    /// Everybody's key lines, in the order of the file.
    #[must_use]
    pub fn key_lines(&self) -> Vec<String> {
        self.people.iter().flat_map(|person| &person.ssh_keys).map(|key| key.line.clone()).collect()
    }

    /// Name of the holder of each key, by fingerprint.
    #[must_use]
    pub fn by_fingerprint(&self) -> BTreeMap<String, String> {
        let keys = self.people.iter().flat_map(|person| person.ssh_keys.iter().map(move |key| (key, person)));
        keys.map(|(key, person)| (key.fingerprint.clone(), person.name.clone())).collect()
    }

    /// Whoever has the key with this fingerprint (`SHA256:…`).
    #[must_use]
    pub fn of_key(&self, fingerprint: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.ssh_keys.iter().any(|key| key.fingerprint == fingerprint))
    }

    /// Whoever commits under this mail address; upper and lower case are the same.
    #[must_use]
    pub fn of_email(&self, email: &str) -> Option<&Person> {
        let email = email.to_lowercase();
        self.people.iter().find(|person| person.git_emails.contains(&email))
    }
}

/// Whom each name, mail address and key belongs to.
#[derive(Default)]
struct Taken(BTreeMap<(&'static str, String), String>);

impl Taken {
    /// Claims `value`, in the form in which it is compared, for `owner`, with a diagnostic if somebody has it.
    fn claim(
        &mut self,
        what: &'static str,
        value: &str,
        owner: &str,
        span: &std::ops::Range<usize>,
        found: &mut Findings,
    ) {
        let previous = self.0.insert((what, value.to_owned()), owner.to_owned());
        match previous {
            None => {}
            Some(previous) if previous == owner && what != "name" => {
                found.add(span, format!("the {what} is listed twice"))
            }
            Some(_) if what == "name" => found.add(span, format!("there are two people named `{owner}`")),
            Some(previous) => found.add(span, format!("the {what} belongs to `{previous}` already")),
        }
    }
}

fn check(file: PeopleFile, found: &mut Findings) -> Option<People> {
    let mut taken = Taken::default();
    Some(People { people: file.people.into_iter().map(|file| person(file, &mut taken, found)).collect() })
}

fn person(file: PersonFile, taken: &mut Taken, found: &mut Findings) -> Person {
    let PersonName(name) = file.name.value;
    taken.claim("name", &name.to_lowercase(), &name, &file.name.span, found);
    let mut git_emails = BTreeSet::new();
    for Spanned { span, value: Email(email) } in file.git_emails.unwrap_or_default() {
        let email = email.to_lowercase();
        taken.claim("mail address", &email, &name, &span, found);
        git_emails.insert(email);
    }
    let mut ssh_keys = Vec::new();
    for Spanned { span, value: SshKeyLine(line) } in file.ssh_keys.unwrap_or_default() {
        if let Ok(key) = SshKey::parse(&line) {
            taken.claim("key", &key.fingerprint, &name, &span, found);
            ssh_keys.push(key);
        }
    }
    let roles = file.roles.unwrap_or_default().into_iter().map(|role| role.value.0).collect();
    Person { name, git_emails, ssh_keys, roles, robot: file.robot.unwrap_or(false) }
}

fn email(text: &str) -> Result<(), String> {
    let parts = text.split_once('@');
    let good = |part: &str| !part.is_empty() && !part.contains(['@', ' ', '<', '>', ',']);
    line(text)?;
    match parts {
        Some((user, domain)) if good(user) && good(domain) && text.len() <= 254 => Ok(()),
        _ => Err(format!("`{text}` is not a mail address")),
    }
}

/// One line of an `allowed_signers` file: who may sign with which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedSigner {
    /// The principals of the line: mail addresses.
    pub emails: BTreeSet<String>,
    /// The key.
    pub key: SshKey,
}

/// A line of an `allowed_signers` file that cannot be taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct AllowedSignersError {
    /// Its number, from 1.
    pub line: usize,
    /// Why.
    pub problem: String,
}

/// Reads an `allowed_signers` file (`ssh-keygen(1)`, "ALLOWED SIGNERS"): principals, optional `namespaces="git"`, and a
/// key. Lines whose meaning people.yaml cannot hold are refused, never weakened: patterns and negations, certificate
/// authorities, validity intervals, and namespaces without `git`.
///
/// # Errors
/// Every line that cannot be taken over.
pub fn import_allowed_signers(text: &str) -> Result<Vec<AllowedSigner>, Vec<AllowedSignersError>> {
    let (mut signers, mut errors) = (Vec::new(), Vec::new());
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match allowed_signer(line) {
            Ok(signer) => signers.push(signer),
            Err(problem) => errors.push(AllowedSignersError { line: at + 1, problem }),
        }
    }
    if errors.is_empty() { Ok(signers) } else { Err(errors) }
}

fn allowed_signer(line: &str) -> Result<AllowedSigner, String> {
    let (principals, rest) = line.split_once([' ', '\t']).ok_or("expected principals and a key")?;
    let mut emails = BTreeSet::new();
    for principal in principals.trim_matches('"').split(',') {
        if principal.contains(['*', '?', '!']) {
            return Err(format!("the pattern `{}` names nobody", printable(principal, 100)));
        }
        email(principal)?;
        emails.insert(principal.to_lowercase());
    }
    let key = options(rest.trim_start())?;
    Ok(AllowedSigner { emails, key: SshKey::parse(key)? })
}

/// Judges the options before a key, and gives the key.
fn options(rest: &str) -> Result<&str, String> {
    let first = rest.split_ascii_whitespace().next().unwrap_or("");
    let Some((name, value)) = first.split_once('=') else {
        return if first == "cert-authority" {
            Err("certificate authorities cannot be taken over".into())
        } else {
            Ok(rest)
        };
    };
    let namespaces = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    match namespaces {
        Some(namespaces) if name == "namespaces" && namespaces.split(',').any(|n| n == "git") => {
            Ok(rest[first.len()..].trim_start())
        }
        _ => Err(format!("the option `{}` cannot be taken over", printable(first, 100))),
    }
}
