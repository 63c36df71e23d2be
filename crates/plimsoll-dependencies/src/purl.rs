//! Package URLs (purl specification, "Rules for each purl component"): written in canonical form, never read.
//!
//! Case is kept where the ecosystem tells names apart by it, as npm and Go do, though the specification's type
//! definitions once folded it: `JSONStream` and `jsonstream` are two packages.

use crate::component::Ecosystem;
use std::fmt::Write as _;

/// The package URL of `name` at `version`; without version where that is empty. `qualifiers` with an empty value
/// are left out.
#[must_use]
pub fn of(ecosystem: Ecosystem, name: &str, version: &str, qualifiers: &[(&str, &str)]) -> String {
    let mut purl = format!("pkg:{}", ecosystem.purl_type());
    for segment in segments(ecosystem, name) {
        purl.push('/');
        encode(&mut purl, segment);
    }
    // Of rpm the epoch is no part of the version there (purl specification, "rpm").
    let (epoch, version) = match version.split_once(':') {
        Some((epoch, version)) if ecosystem.purl_type() == "rpm" => (epoch, version),
        _ => ("", version),
    };
    if !version.is_empty() {
        purl.push('@');
        encode(&mut purl, version);
    }
    let mut qualifiers: Vec<_> = qualifiers.iter().chain(&[("epoch", epoch)]).copied().collect();
    qualifiers.sort_unstable();
    let given = qualifiers.iter().filter(|(_, value)| !value.is_empty());
    for (at, (key, value)) in given.enumerate() {
        purl.push(if at == 0 { '?' } else { '&' });
        purl.push_str(key);
        purl.push('=');
        encode(&mut purl, value);
    }
    purl
}

fn segments(ecosystem: Ecosystem, name: &str) -> impl Iterator<Item = &str> {
    let separator = if ecosystem == Ecosystem::Maven { ':' } else { '/' };
    ecosystem.vendor().into_iter().chain(name.split(separator).filter(|segment| !segment.is_empty()))
}

/// Percent-encodes everything but the characters that the specification leaves as they are.
fn encode(purl: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => {
                purl.push(byte.into())
            }
            _ => {
                let _ = write!(purl, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_url_is_canonical() {
        use Ecosystem as E;
        let check = |ecosystem, name, version, expect| assert_eq!(of(ecosystem, name, version, &[]), expect);
        check(E::Cargo, "serde", "1.0.0+build", "pkg:cargo/serde@1.0.0%2Bbuild");
        check(E::Npm, "@babel/core", "7.0.0", "pkg:npm/%40babel/core@7.0.0");
        check(E::Npm, "JSONStream", "1.3.5", "pkg:npm/JSONStream@1.3.5");
        check(E::PyPi, "django", "", "pkg:pypi/django");
        check(E::Go, "github.com/BurntSushi/toml", "v1.4.0", "pkg:golang/github.com/BurntSushi/toml@v1.4.0");
        check(
            E::Maven,
            "org.apache.commons:commons-lang3",
            "3.14",
            "pkg:maven/org.apache.commons/commons-lang3@3.14",
        );
        check(E::Packagist, "symfony/console", "v7.0.1", "pkg:composer/symfony/console@v7.0.1");
        check(E::NuGet, "Newtonsoft.Json", "13.0.3", "pkg:nuget/Newtonsoft.Json@13.0.3");
        check(E::Cargo, "a b/é", "1", "pkg:cargo/a%20b/%C3%A9@1");
    }

    #[test]
    fn qualifiers_follow_and_empty_ones_do_not() {
        let purl = of(Ecosystem::Debian, "libc6", "1:2.36-9", &[("arch", "amd64"), ("distro", "")]);
        assert_eq!(purl, "pkg:deb/debian/libc6@1:2.36-9?arch=amd64");
        let purl =
            of(Ecosystem::RedHat, "vim", "2:8.2-20.el9", &[("arch", "x86_64"), ("distro", "rhel-9.4")]);
        assert_eq!(purl, "pkg:rpm/redhat/vim@8.2-20.el9?arch=x86_64&distro=rhel-9.4&epoch=2");
        let purl = of(Ecosystem::Alpine, "musl", "1.2.5-r0", &[("arch", "x86_64"), ("distro", "v3.20")]);
        assert_eq!(purl, "pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=v3.20");
    }
}
