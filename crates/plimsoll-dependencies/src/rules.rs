//! What is said about dependencies: one rule for each kind of warning, and one for licences.

use crate::advisory::Kind;
use plimsoll_model::{Digest, Hasher};
use plimsoll_scan::{Rule, Severity};

/// All rules of this engine.
#[must_use]
pub fn rules() -> Vec<&'static Rule> {
    vec![&MALICIOUS, &VULNERABLE, &UNSOUND, &UNMAINTAINED, &NOTICE, &LICENSE]
}

/// Digest over the rules.
#[must_use]
pub fn rules_digest() -> Digest {
    let mut hasher = Hasher::new();
    for rule in rules() {
        hasher.update(format!("{} {} {}\n", rule.id, rule.severity, rule.title).as_bytes());
    }
    hasher.finish()
}

/// The rule of a kind of advisory.
#[must_use]
pub fn of(kind: Kind) -> &'static Rule {
    match kind {
        Kind::Malicious => &MALICIOUS,
        Kind::Vulnerable => &VULNERABLE,
        Kind::Unsound => &UNSOUND,
        Kind::Unmaintained => &UNMAINTAINED,
        Kind::Notice => &NOTICE,
    }
}

/// The version of a package is an attack.
pub const MALICIOUS: Rule = Rule {
    id: "dependencies/malicious",
    title: "a dependency is known to be an attack",
    severity: Severity::Critical,
    help: "Somebody published this version to do harm: to steal credentials, to open a way in, to spread. It needs no \
bug in your program, being installed is enough.\n\nRemove it from the lock file. Treat every machine that installed it \
as broken into: change what it could read.\n\n**Bad**\n\n```json\n\"event-stream\": { \"version\": \"3.3.6\" }\n```\n\n\
**Good**\n\n```json\n\"event-stream\": { \"version\": \"4.0.1\" }\n```\n\nThis rule has no severity below critical, and \
no prediction or score changes it.",
    references: &[
        "https://github.com/ossf/malicious-packages",
        "https://slsa.dev/spec/v1.2/threats-overview",
    ],
};

/// The version of a package has a known vulnerability.
pub const VULNERABLE: Rule = Rule {
    id: "dependencies/vulnerable",
    title: "a dependency has a known vulnerability",
    severity: Severity::High,
    help: "Advisories say which versions of a package can be attacked. This one is among them, by the ranges that the \
advisory itself states and in the order of versions of its ecosystem; names alone are never compared.\n\nUpdate to the \
version that the finding names: it is the smallest that no longer has this vulnerability. `plimsoll scan dependencies \
--explain ID` shows what asks for the package. Where the vulnerable part is not used, say so in a signed VEX \
statement.\n\nThe severity is that of the CVSS vector of the advisory. An advisory without one counts as high, since \
nobody said that it is less. What is known to be exploited (KEV) is critical; what is likely to be (EPSS 10 % or more) is \
one step worse.\n\n**Bad**\n\n```toml\n[[package]]\nname = \"openssl\"\nversion = \"0.10.38\"\n```\n\n**Good**\n\n```toml\n\
[[package]]\nname = \"openssl\"\nversion = \"0.10.78\"\n```",
    references: &["https://ossf.github.io/osv-schema/", "https://www.first.org/cvss/specification-document"],
};

/// The version of a package can break memory safety.
pub const UNSOUND: Rule = Rule {
    id: "dependencies/unsound",
    title: "a dependency can break what its language promises",
    severity: Severity::Medium,
    help: "Safe code that uses this version in an unusual way can corrupt memory. No attack is known, but nobody can say \
that there is none.\n\nUpdate to the version that the finding names, or read the advisory and make sure that you do not use \
the part that it names.\n\n**Bad**\n\n```toml\n[[package]]\nname = \"lru\"\nversion = \"0.7.0\"\n```\n\n**Good**\n\n```toml\n\
[[package]]\nname = \"lru\"\nversion = \"0.16.3\"\n```",
    references: &["https://rustsec.org", "https://doc.rust-lang.org/nomicon/what-unsafe-does.html"],
};

/// Nobody maintains the package.
pub const UNMAINTAINED: Rule = Rule {
    id: "dependencies/unmaintained",
    title: "nobody maintains a dependency any more",
    severity: Severity::Low,
    help: "Its author said so, or did not answer for long. What is found in it tomorrow will not be fixed.\n\nThe advisory \
often names another package that does the same. Plan the change; there is no hurry today.\n\n**Bad**\n\n```toml\n\
[[package]]\nname = \"term_size\"\nversion = \"0.3.2\"\n```\n\n**Good**\n\n```toml\n[[package]]\nname = \"terminal_size\"\n\
version = \"0.4.3\"\n```",
    references: &["https://rustsec.org"],
};

/// Something to know about the package.
pub const NOTICE: Rule = Rule {
    id: "dependencies/notice",
    title: "there is something to know about a dependency",
    severity: Severity::Info,
    help: "A database of advisories has a notice about this version that is no vulnerability. Read it once.\n\n**Bad**\n\n\
A notice that nobody read.\n\n**Good**\n\nA version that the notice is not about, or a suppression that says why it does not \
matter here.",
    references: &["https://rustsec.org"],
};

/// The licence of a package is not on the list.
pub const LICENSE: Rule = Rule {
    id: "dependencies/license",
    title: "the licence of a dependency is not allowed here",
    severity: Severity::Medium,
    help: "Whoever owns the rules listed the licences that dependencies may have, as SPDX identifiers. This package states \
another one, or one that is no SPDX expression, so that nobody can tell. `A OR B` is allowed where either is, `A AND B` \
where both are.\n\nReplace the package, or have its licence added to the list by whoever answers for that.\n\n**Bad**\n\n\
```json\n\"license\": \"SSPL-1.0\"\n```\n\n**Good**\n\n```json\n\"license\": \"MIT OR Apache-2.0\"\n```",
    references: &[
        "https://spdx.org/licenses/",
        "https://spdx.github.io/spdx-spec/v3.0.1/annexes/spdx-license-expressions/",
    ],
};
