//! Versions in the order of the ecosystem that made them. Text that an ecosystem would not take as a version has no order
//! and is never guessed at: whoever compares it learns that it cannot be compared.

mod apk;
mod composer;
mod dpkg;
mod maven;
mod npm;
mod nuget;
mod pep440;
mod rpm;
mod rubygems;
mod semver;

use std::{cmp::Ordering, fmt};

/// Bytes of a version; longer text is none. Maven's own limit, far above any version that was ever published.
pub const MAX_VERSION: usize = 256;

/// A way to order versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// Semantic Versioning 2.0.0: Cargo, Go (with its `v`), Hex, Pub, Swift.
    Semver,
    /// Semantic versions as npm reads old ones: `=1.2.3`, `1.2.3beta`.
    Npm,
    /// PEP 440: Python.
    Pep440,
    /// `ComparableVersion` of Maven 3.9.
    Maven,
    /// `Gem::Version`.
    RubyGems,
    /// Composer's normal form in the order of PHP's `version_compare`.
    Composer,
    /// Semantic versions with a fourth number and without case.
    NuGet,
    /// deb-version(7).
    Dpkg,
    /// `rpmvercmp` over epoch, version and release.
    Rpm,
    /// `apk version`.
    Apk,
}

impl Scheme {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Semver,
        Self::Npm,
        Self::Pep440,
        Self::Maven,
        Self::RubyGems,
        Self::Composer,
        Self::NuGet,
        Self::Dpkg,
        Self::Rpm,
        Self::Apk,
    ];
}

/// A version that can be compared with others of the same scheme.
#[derive(Debug, Clone)]
pub struct Version(Parsed);

#[derive(Debug, Clone)]
enum Parsed {
    Semver(semver::Version),
    Pep440(Box<pep440::Version>),
    Maven(maven::Version),
    RubyGems(rubygems::Version),
    Composer(composer::Version),
    NuGet(nuget::Version),
    Dpkg(dpkg::Version),
    Rpm(rpm::Version),
    Apk(apk::Version),
}

impl Version {
    /// Reads a version; none where the scheme takes the text as none, or it is longer than [`MAX_VERSION`].
    #[must_use]
    pub fn parse(scheme: Scheme, text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.len() > MAX_VERSION || text.chars().any(char::is_control) {
            return None;
        }
        Some(Self(match scheme {
            Scheme::Semver => Parsed::Semver(semver::Version::parse(text)?),
            Scheme::Npm => Parsed::Semver(npm::parse(text)?),
            Scheme::Pep440 => Parsed::Pep440(Box::new(pep440::parse(text)?)),
            Scheme::Maven => Parsed::Maven(maven::Version::parse(text)),
            Scheme::RubyGems => Parsed::RubyGems(rubygems::Version::parse(text)?),
            Scheme::Composer => Parsed::Composer(composer::Version::parse(text)?),
            Scheme::NuGet => Parsed::NuGet(nuget::Version::parse(text)?),
            Scheme::Dpkg => Parsed::Dpkg(dpkg::Version::parse(text)?),
            Scheme::Rpm => Parsed::Rpm(rpm::Version::parse(text)?),
            Scheme::Apk => Parsed::Apk(apk::Version::parse(text)?),
        }))
    }

    /// The order of two versions of one scheme; none for versions of two.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        Some(match (&self.0, &other.0) {
            (Parsed::Semver(a), Parsed::Semver(b)) => a.cmp(b),
            (Parsed::Pep440(a), Parsed::Pep440(b)) => a.cmp(b),
            (Parsed::Maven(a), Parsed::Maven(b)) => a.compare(b),
            (Parsed::RubyGems(a), Parsed::RubyGems(b)) => a.compare(b),
            (Parsed::Composer(a), Parsed::Composer(b)) => a.compare(b),
            (Parsed::NuGet(a), Parsed::NuGet(b)) => a.cmp(b),
            (Parsed::Dpkg(a), Parsed::Dpkg(b)) => a.compare(b),
            (Parsed::Rpm(a), Parsed::Rpm(b)) => a.compare(b),
            (Parsed::Apk(a), Parsed::Apk(b)) => a.compare(b),
            _ => return None,
        })
    }
}

/// A decimal number of any length, without leading zeros. Versions hold dates and hashes that fit no machine word.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Number(String);

impl Number {
    /// Of ASCII digits; none for anything else and for nothing.
    fn parse(digits: &str) -> Option<Self> {
        let valid = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        valid.then(|| Self(digits.trim_start_matches('0').to_owned()))
    }

    fn zero() -> Self {
        Self(String::new())
    }

    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_zero() { "0" } else { &self.0 })
    }
}

/// The leading ASCII digits of `text`, and what follows them.
fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

#[cfg(test)]
mod tests;
