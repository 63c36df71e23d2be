//! The orders as their own tools have them; `dev/` holds none of those tools, so the answers stand here.

use super::*;
use proptest::prelude::*;

/// Versions from the least to the greatest; those joined by `=` are equal.
fn ascending(scheme: Scheme, list: &str) {
    let groups: Vec<Vec<&str>> = list.split_whitespace().map(|group| group.split('=').collect()).collect();
    let parse = |text: &str| Version::parse(scheme, text).unwrap_or_else(|| panic!("{scheme:?}: {text}"));
    for (i, lower) in groups.iter().enumerate() {
        for (j, upper) in groups.iter().enumerate() {
            for (a, b) in lower.iter().flat_map(|a| upper.iter().map(move |b| (a, b))) {
                assert_eq!(parse(a).compare(&parse(b)), Some(i.cmp(&j)), "{scheme:?}: {a} and {b}");
            }
        }
    }
}

#[test]
fn every_ecosystem_has_its_own_order() {
    // Semantic Versioning 2.0.0, section 11, and Go's own releases.
    ascending(
        Scheme::Semver,
        "0.0.0-0 1.0.0-alpha=v1.0.0-alpha=1.0.0-alpha+b 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 \
         1.0.0-beta.11 1.0.0-rc.1 1.0.0=v1=1.0=1.0.0+build 1.2.0 1.21rc2=go1.21rc2=1.21.0-rc.2 1.21.0=go1.21 1.21.10 \
         20231224093000.0.0 99999999999999999999999999.0.0",
    );
    ascending(Scheme::Npm, "0.0.0 1.2.3beta=1.2.3-beta 1.2.3-beta.2 1.2.3=v1.2.3=V1.2.3+x 1.2.10 1.10.0");
    // PEP 440, "Summary of permitted suffixes and relative ordering".
    ascending(
        Scheme::Pep440,
        "1.dev0 1.0.dev456 1.0a1=1.0-alpha.1 1.0a2.dev456 1.0a12.dev456 1.0a12 1.0b1.dev456 1.0b2 1.0b2.post345.dev456 \
         1.0b2.post345 1.0rc1.dev456 1.0rc1=1.0c1 1.0=1=v1.0.0 1.0+abc.5 1.0+abc.7 1.0+5 1.0.post456.dev34 \
         1.0.post456=1.0-456 1.0.15 1.1.dev1 1!0.1",
    );
    ascending(
        Scheme::Maven,
        "1-alpha-1=1a1=1-alpha1 1-beta-2 1-milestone=1.milestone 1-m3 1-rc=1-cr 1-rc1=1-rc-1 1-snapshot=1-SNAPSHOT \
         1=1.0=1.0.0=1-ga=1.final=1-0=1.release 1-sp 1-sp1 1-foo 1-0.1 1-1 1.0.1 1.1-rc 1.1 1.2 1.10 \
         999999999999999999999",
    );
    ascending(
        Scheme::RubyGems,
        "0.9 1.0.a=1.a 1.0.b1 1.0.0.pre1=1.0.0.pre.1=1.0.0-1 1.0.0.pre2 1.0.0.rc1 1=1.0=1.0.0 1.0.1 1.2.b 1.2 1.10",
    );
    ascending(
        Scheme::Composer,
        "1.0.0-dev=1.0-dev 1.0.0-alpha1=v1.0a1 1.0-beta 1.0-beta2-dev 1.0-beta2=1.0b.2 1.0-RC1 1.0=1.0.0.0=1.0.0+x=1.0-stable \
         1.0-p1=1.0-patch1=1.0-pl1 1.0.1 1.10 2010.01.02=2010-01-02 20100102",
    );
    ascending(
        Scheme::NuGet,
        "1.0.0-alpha=1.0-ALPHA 1.0.0-alpha.2 1.0.0-alpha.10 1.0.0-beta 1=1.0=1.0.0=1.0.0.0=1.0.0+b 1.0.0.1 1.0.1",
    );
    ascending(
        Scheme::Dpkg,
        "0~~ 0~~a 0~ 0=0:0-0 0a 0+ 1.0~rc1-1 1.0-0=1.0 1.0-1~deb11u1 1.0-1 1.0-1ubuntu1 1.0-1+b1 1.0-1+deb12u1 1.0a-1 1.0.1-1 1.0.10-1 \
         1:0.1-1=1:0.01-1",
    );
    ascending(
        Scheme::Rpm,
        "1.0~rc1-1 1.0~rc1^git1-1 1.0~rc2-1 1.0 1.0-1=0:1_0-1=(none):1.0-1 1.0^-1 1.0^git1-1 1.0a-1 1.0.1-1 1.0.10-1 1:0.1-1",
    );
    ascending(
        Scheme::Apk,
        "0.9 1.0_alpha 1.0_alpha1 1.0_beta 1.0_rc1 1.0 1.0-r1 1.0_git20200101 1.0_p1 1.0a 1.0.01 1.0.1 1.2 1.10",
    );
}

#[test]
fn what_an_ecosystem_takes_as_no_version_has_no_order() {
    let check = |scheme, list: &[&str]| {
        for text in list {
            assert!(Version::parse(scheme, text).is_none(), "{scheme:?}: {text}");
        }
    };
    check(
        Scheme::Semver,
        &["", "x", "1.2.3.4", "1..2", "1.0.0-", "1.0.0-a..b", "-1", "1.0.0-ü", "main", "1.0rcx"],
    );
    check(Scheme::Npm, &["git+https://example.com/x", "1.2.3-", "latest", "file:../x", "1.2.3.4"]);
    check(Scheme::Pep440, &["2004d", "1.0-foo", "1.0+", "a"]);
    check(Scheme::RubyGems, &["a", "1..2", "1.0_1", "1.0 beta"]);
    check(Scheme::Composer, &["dev-main", "1.x-dev", "main", "1.0-foo", "1.0-dev2"]);
    check(Scheme::NuGet, &["1.2.3.4.5", "1.0-", "a"]);
    check(Scheme::Dpkg, &["1:", "x:1", "1.0-", "-1", "1 0", "1.0-1/2"]);
    check(Scheme::Rpm, &["x:1", "-1", ":"]);
    check(Scheme::Apk, &["a", "1.", "1_foo", "1-1", "1.0-r", "1.0ab", "1.123456789012345678"]);
    for scheme in Scheme::ALL {
        assert!(Version::parse(scheme, &"1".repeat(MAX_VERSION + 1)).is_none());
        assert!(Version::parse(scheme, "1\u{7}").is_none());
    }
    let (semver, maven) = (Version::parse(Scheme::Semver, "1.0.0"), Version::parse(Scheme::Maven, "1.0.0"));
    assert_eq!(semver.unwrap().compare(&maven.unwrap()), None);
}

/// Text that looks much like versions.
fn plausible() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[0-9]{1,3}",
        "00?[0-9]",
        Just("alpha".to_owned()),
        Just("rc".to_owned()),
        Just("sp".to_owned()),
        Just("final".to_owned()),
        Just("p".to_owned()),
        "[a-z]{1,2}",
        Just("dev".to_owned()),
    ];
    let separator =
        prop_oneof![Just("."), Just("-"), Just(""), Just("_"), Just("~"), Just("+"), Just("^"), Just(":")];
    let parts = prop::collection::vec((separator, part), 0..5);
    ("[0-9]{1,2}", parts).prop_map(|(first, parts)| {
        parts.iter().fold(first, |text, (separator, part)| text + separator + part)
    })
}

proptest! {
    #[test]
    fn no_text_is_too_strange_to_be_read(text in "\\PC*", scheme in prop::sample::select(&Scheme::ALL[..])) {
        if let Some(version) = Version::parse(scheme, &text) {
            prop_assert_eq!(version.compare(&version), Some(Ordering::Equal));
        }
    }

    #[test]
    fn an_order_reads_the_same_from_both_sides(a in plausible(), b in plausible(), scheme in prop::sample::select(&Scheme::ALL[..])) {
        if let (Some(a), Some(b)) = (Version::parse(scheme, &a), Version::parse(scheme, &b)) {
            prop_assert_eq!(a.compare(&b).map(Ordering::reverse), b.compare(&a));
        }
    }

    /// Maven's and apk's own orders are not transitive for every strange version, and neither can these be.
    #[test]
    fn orders_are_transitive(
        mut texts in prop::collection::vec(plausible(), 3),
        scheme in prop::sample::select(&[Scheme::Semver, Scheme::Npm, Scheme::Pep440, Scheme::RubyGems, Scheme::NuGet, Scheme::Dpkg][..]),
    ) {
        texts.retain(|text| Version::parse(scheme, text).is_some());
        let versions: Vec<Version> = texts.iter().filter_map(|text| Version::parse(scheme, text)).collect();
        if let [a, b, c] = versions.as_slice()
            && a.compare(b).unwrap().is_le()
            && b.compare(c).unwrap().is_le()
        {
            prop_assert!(a.compare(c).unwrap().is_le(), "{:?}", texts);
        }
    }

    #[test]
    fn semantic_versions_are_those_of_the_usual_crate(
        a in "[0-9]\\.[0-9]\\.[0-9](-[a-z0-9]{1,2}(\\.[a-z0-9]{1,2})?)?",
        b in "[0-9]\\.[0-9]\\.[0-9](-[a-z0-9]{1,2}(\\.[a-z0-9]{1,2})?)?",
    ) {
        if let (Ok(usual_a), Ok(usual_b)) = (::semver::Version::parse(&a), ::semver::Version::parse(&b)) {
            let own = |text: &str, scheme| Version::parse(scheme, text).unwrap();
            for scheme in [Scheme::Semver, Scheme::Npm, Scheme::NuGet] {
                prop_assert_eq!(own(&a, scheme).compare(&own(&b, scheme)), Some(usual_a.cmp_precedence(&usual_b)));
            }
        }
    }
}
