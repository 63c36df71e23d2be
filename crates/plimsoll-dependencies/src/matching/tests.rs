//! Which components are found, what is said about them, and what is told instead of being passed over.

use super::*;
use crate::{
    advisory::priority::Priorities,
    component::{Completeness, Origin, Scope, Source},
    index::Compiler,
    vex::{Statement, Status},
};
use plimsoll_scan::{Location, Severity};

/// A record from a line: id, aliases, ecosystem, name, ranges as `from..before`, and more fields.
fn record(id: &str, aliases: &[&str], package: (&str, &str), ranges: &[&str], more: &str) -> String {
    let events = ranges.iter().map(|range| {
        let (from, to) = range.split_once("..").unwrap();
        let to = match to.strip_prefix('=') {
            Some(last) => format!(r#",{{"last_affected":"{last}"}}"#),
            None if to.is_empty() => String::new(),
            None => format!(r#",{{"fixed":"{to}"}}"#),
        };
        format!(r#"{{"type":"ECOSYSTEM","events":[{{"introduced":"{from}"}}{to}]}}"#)
    });
    let (ecosystem, name) = package;
    format!(
        r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z","aliases":{aliases:?},"summary":"bad {id}"{more},"affected":[{{
            "package":{{"ecosystem":"{ecosystem}","name":"{name}"}},"ranges":[{}]}}]}}"#,
        events.collect::<Vec<_>>().join(",")
    )
}

fn index(records: &[String]) -> Index {
    let mut compiler = Compiler::new("2026-06-01T00:00:00Z".parse().unwrap());
    for (at, text) in records.iter().enumerate() {
        compiler.add(&format!("{at}.json"), text.as_bytes());
    }
    let mut priorities = Priorities::default();
    priorities.exploited.insert("CVE-2024-6".into());
    priorities.predicted.extend([("CVE-2024-7".to_owned(), 0.1), ("CVE-2024-8".to_owned(), 0.09)]);
    let (bytes, contents) = compiler.finish(&priorities).unwrap();
    assert_eq!(contents.unreadable, 0, "{:?}", contents.problems);
    Index::open(bytes).unwrap()
}

fn component(ecosystem: Ecosystem, name: &str, version: &str) -> Component {
    let location = Location {
        path: "the.lock".into(),
        line: 3,
        column: 1,
        end_line: 3,
        end_column: 2,
        excerpt: String::new(),
        commit: None,
    };
    Component { location: Some(location), ..Component::new(ecosystem, name, version) }
}

/// The first component is the project itself, and asks for the second, which asks for the third, and so on.
fn chain(components: &[Component]) -> Graph {
    let own = Component { source: Source::Path(".".into()), ..component(Ecosystem::Cargo, "app", "0.1.0") };
    let components: Vec<Component> = std::iter::once(own).chain(components.iter().cloned()).collect();
    let edges = (1..components.len()).map(|at| (at - 1, at)).collect();
    Graph { components, edges, roots: vec![0], completeness: Completeness::Complete }
}

fn checked(records: &[String], components: &[Component], options: &Options<'_>) -> Checked {
    check(&[chain(components)], &index(records), options).unwrap()
}

const OPENSSL: (&str, &str) = ("crates.io", "openssl");

fn openssl(id: &str, aliases: &[&str], ranges: &[&str], more: &str) -> String {
    record(id, aliases, OPENSSL, ranges, more)
}

#[test]
fn a_vulnerable_version_is_found_with_its_place_and_the_smallest_update() {
    let records = [
        openssl("RUSTSEC-1", &["CVE-2024-1"], &["0.0.0-0..0.10.48"], ""),
        openssl("RUSTSEC-2", &[], &["0.0.0-0..0.9.0", "0.10.0..0.10.40"], ""),
    ];
    let checked =
        checked(&records, &[component(Ecosystem::Cargo, "openssl", "0.10.38")], &Options::default());
    assert_eq!((checked.packages, checked.gaps.as_slice()), (1, &[][..]));
    let [first, second] = checked.findings.as_slice() else { panic!("{checked:?}") };
    assert_eq!(first.rule, "dependencies/vulnerable");
    assert_eq!(first.message, "openssl 0.10.38 is vulnerable: bad RUSTSEC-1 (RUSTSEC-1)");
    assert_eq!(first.fix.as_deref(), Some("update openssl to 0.10.48"));
    assert_eq!(
        (first.subject.as_str(), first.aliases.as_slice()),
        ("pkg:cargo/openssl@0.10.38", &["RUSTSEC-1".to_owned(), "CVE-2024-1".to_owned()][..])
    );
    assert_eq!(
        first.location.as_ref().map(|location| (location.path.as_str(), location.line)),
        Some(("the.lock", 3))
    );
    assert_eq!(second.fix.as_deref(), Some("update openssl to 0.10.40"));
    let mut moved = component(Ecosystem::Cargo, "openssl", "0.10.38");
    moved.location = None;
    let again = check(&[chain(&[moved])], &index(&records), &Options::default()).unwrap();
    assert_eq!(again.findings[0].fingerprint, first.fingerprint, "lines have no influence");
}

#[test]
fn each_ecosystem_is_compared_in_its_own_order() {
    use Ecosystem as E;
    let check = |package: (&str, &str), range: &str, ecosystem, version: &str, expect: bool| {
        let records = [record("A-1", &[], package, &[range], "")];
        let mut component = component(ecosystem, &lookup_name(package.0, package.1), version);
        component.release =
            package.0.split_once(':').map_or_else(String::new, |(_, release)| release.to_owned());
        let checked = checked(&records, &[component], &Options::default());
        assert_eq!(checked.findings.len(), usize::from(expect), "{package:?} {range} {version}");
        assert_eq!(checked.gaps, []);
    };
    check(("npm", "x"), "0..1.0.0", E::Npm, "1.0.0-rc.1", true);
    check(("npm", "x"), "0..1.0.0", E::Npm, "1.0.0", false);
    check(("PyPI", "X_y"), "0..2.0", E::PyPi, "2.0rc1", true);
    check(("PyPI", "x.y"), "0..2.0", E::PyPi, "2.0.post1", false);
    check(("Go", "example.com/x"), "0..1.2.0", E::Go, "v1.2.0-0.20200101000000-abcdefabcdef", true);
    check(("Go", "example.com/x"), "0..1.2.0", E::Go, "v1.2.0+incompatible", false);
    check(("Go", "stdlib"), "1.21.0-0..1.21.4", E::Go, "1.21rc2", true);
    check(("Maven", "a:b"), "0..1.0", E::Maven, "1.0-SNAPSHOT", true);
    check(("Maven", "a:b"), "0..1.0", E::Maven, "1.0-sp1", false);
    check(("RubyGems", "x"), "0..1.0", E::RubyGems, "1.0.0.pre", true);
    check(("Packagist", "A/B"), "0..1.0", E::Packagist, "v1.0-RC1", true);
    check(("NuGet", "A.B"), "0..1.0.0.2", E::NuGet, "1.0.0.1", true);
    check(("Debian:12", "x"), "0..1.0-1", E::Debian, "1.0-1~deb12u1", true);
    check(("Debian:12", "x"), "0..1.0-1~deb12u1", E::Debian, "1.0-1", false);
    check(("Ubuntu:22.04", "x"), "0..1.0-1ubuntu0.1", E::Ubuntu, "1.0-1", true);
    check(("Alpine:v3.20", "x"), "0..1.0-r3", E::Alpine, "1.0_rc1-r9", true);
    check(("crates.io", "x"), "1.0.0..=1.2.0", E::Cargo, "1.2.0", true);
    check(("crates.io", "x"), "1.0.0..=1.2.0", E::Cargo, "1.2.1", false);
}

#[test]
fn a_distribution_is_compared_by_source_package_and_release() {
    let records = [record("DSA-1", &[], ("Debian:12", "glibc"), &["0..2.36-9+deb12u4"], "")];
    let libc = |release: &str| Component {
        release: release.into(),
        origin: Some(Origin { name: "glibc".into(), version: "2.36-9".into() }),
        ..component(Ecosystem::Debian, "libc6", "2.36-9")
    };
    let on = |release| checked(&records, &[libc(release)], &Options::default());
    assert_eq!(on("12").findings[0].message, "libc6 2.36-9 is vulnerable: bad DSA-1 (DSA-1)");
    let (eleven, unknown) = (on("11"), on(""));
    assert_eq!(eleven.findings.len() + unknown.findings.len(), 0);
    assert_eq!(eleven.gaps[0].problem, "the index of advisories has none about Debian:11");
    assert_eq!(
        unknown.gaps[0].problem,
        "the index of advisories has none about Debian of an unknown release"
    );
}

#[test]
fn records_that_are_aliases_of_each_other_are_one_finding() {
    let records = [
        openssl(
            "GHSA-x",
            &["CVE-1", "RUSTSEC-9"],
            &["0..0.10.50"],
            r#","database_specific":{"severity":"LOW"}"#,
        ),
        openssl("RUSTSEC-9", &["CVE-1"], &["0..0.10.48"], ""),
        openssl("CVE-1", &[], &["0..0.10.48"], r#","severity":[{"score":"AV:N/AC:L/Au:N/C:C/I:C/A:C"}]"#),
        openssl("RUSTSEC-8", &[], &["0..0.10.45"], ""),
    ];
    let checked =
        checked(&records, &[component(Ecosystem::Cargo, "openssl", "0.10.38")], &Options::default());
    let [other, one] = checked.findings.as_slice() else { panic!("{checked:?}") };
    assert_eq!(other.aliases, ["RUSTSEC-8"]);
    assert_eq!(one.aliases, ["RUSTSEC-9", "CVE-1", "GHSA-x"]);
    assert_eq!(one.fix.as_deref(), Some("update openssl to 0.10.50"), "free of all that say so");
    assert_eq!(one.severity, Severity::High.max(one.severity), "the worst that any states");
}

#[test]
fn severity_is_what_is_stated_raised_by_what_is_attacked() {
    let check = |aliases: &[&str], more: &str, expect| {
        let records = [openssl("A-1", aliases, &["0..9.0.0"], more)];
        let found =
            checked(&records, &[component(Ecosystem::Cargo, "openssl", "1.0.0")], &Options::default());
        assert_eq!(found.findings[0].severity, expect, "{aliases:?} {more}");
    };
    let word = |word: &str| format!(r#","database_specific":{{"severity":"{word}"}}"#);
    check(&[], "", Severity::High);
    check(&[], &word("LOW"), Severity::Low);
    check(&["CVE-2024-6"], &word("LOW"), Severity::Critical);
    check(&["CVE-2024-7"], &word("LOW"), Severity::Medium);
    check(&["CVE-2024-8"], &word("LOW"), Severity::Low);
}

#[test]
fn each_kind_of_warning_has_its_rule_and_its_advice() {
    let check = |id: &str, kind: &str, rule: &str, severity, fix: &str| {
        let text = openssl(id, &[], &["0.."], "")
            .replace(r#""ranges""#, &format!(r#""database_specific":{{"informational":{kind}}},"ranges""#));
        let found = checked(&[text], &[component(Ecosystem::Cargo, "openssl", "1.0.0")], &Options::default());
        let finding = &found.findings[0];
        assert_eq!((finding.rule.as_str(), finding.severity), (rule, severity));
        assert!(finding.fix.as_deref().unwrap().contains(fix), "{finding:?}");
    };
    check("MAL-2024-1", "null", "dependencies/malicious", Severity::Critical, "remove openssl");
    check("A-1", "null", "dependencies/vulnerable", Severity::High, "none is known");
    check("A-1", "\"unsound\"", "dependencies/unsound", Severity::Medium, "none is known");
    check("A-1", "\"unmaintained\"", "dependencies/unmaintained", Severity::Low, "replace openssl");
    check("A-1", "\"notice\"", "dependencies/notice", Severity::Info, "read the notice");
    assert_eq!(rules::rules().len(), 6);
}

#[test]
fn what_cannot_be_compared_is_a_gap_and_never_clean() {
    let records = [
        openssl("A-1", &[], &["0..1.0.0"], ""),
        record("A-2", &[], ("crates.io", "absurd"), &["0..not-a-version"], ""),
    ];
    let gaps = |component: Component| {
        let checked = checked(&records, &[component], &Options::default());
        assert_eq!(checked.findings, []);
        checked.gaps.into_iter().map(|gap| gap.problem).collect::<Vec<_>>()
    };
    let cargo = |name, version| component(Ecosystem::Cargo, name, version);
    assert_eq!(
        gaps(cargo("openssl", "main")),
        ["openssl main cannot be compared with A-1: its version has no order"]
    );
    assert_eq!(
        gaps(cargo("openssl", "")),
        ["openssl  cannot be compared with A-1: its version has no order"]
    );
    assert_eq!(
        gaps(cargo("absurd", "1.0.0")),
        ["absurd 1.0.0 cannot be compared with A-2: a version in it has no order"]
    );
    let everything = [openssl("A-1", &[], &["0.."], "")];
    let found = checked(&everything, &[cargo("openssl", "main")], &Options::default());
    assert_eq!((found.findings.len(), found.gaps.as_slice()), (1, &[][..]), "all versions are all versions");
    assert_eq!(gaps(cargo("other", "main")), Vec::<String>::new(), "there is nothing to compare with");
    assert_eq!(gaps(component(Ecosystem::Npm, "x", "1.0.0")), ["the index of advisories has none about npm"]);
}

#[test]
fn what_does_not_come_from_a_registry_is_counted_apart() {
    let records = [openssl("A-1", &[], &["0.."], "")];
    let from = |source| Component { source, ..component(Ecosystem::Cargo, "openssl", "1.0.0") };
    let sources = [
        Source::Git("https://example.com/x".into()),
        Source::Url("https://example.com/x".into()),
        Source::Path("x".into()),
    ];
    let found = checked(&records, &sources.map(from), &Options::default());
    assert_eq!((found.findings.len(), found.packages, found.elsewhere), (0, 0, 2));
    let mirror = from(Source::RegistryAt("https://mirror.example.com".into()));
    assert_eq!(checked(&records, &[mirror], &Options::default()).findings.len(), 1);
}

#[test]
fn a_statement_clears_what_it_names_and_nothing_else() {
    let records = [openssl("RUSTSEC-1", &["CVE-2024-1"], &["0.."], "")];
    let cleared = |vulnerability: &str, product: &str, component_of: Option<&str>, status| {
        let statement = Statement {
            vulnerabilities: vec![vulnerability.into()],
            product: component_of.unwrap_or(product).into(),
            component: component_of.map(|_| product.into()),
            status,
            reason: "not called".into(),
            document: "doc".into(),
        };
        let options = Options { vex: &[statement], product: Some("pkg:oci/shop"), ..Options::default() };
        let found = checked(&records, &[component(Ecosystem::Cargo, "openssl", "1.0.0")], &options);
        assert_eq!(found.findings.len() + found.suppressed.len(), 1);
        found.suppressed.len() == 1
    };
    use Status as S;
    assert!(cleared("CVE-2024-1", "pkg:cargo/openssl@1.0.0", None, S::NotAffected));
    assert!(cleared("rustsec-1", "pkg:cargo/openssl", None, S::Fixed));
    assert!(cleared("CVE-2024-1", "pkg:cargo/openssl@1.0.0", Some("pkg:oci/shop"), S::NotAffected));
    for (vulnerability, product, part_of, status) in [
        ("CVE-2024-2", "pkg:cargo/openssl@1.0.0", None, S::NotAffected),
        ("CVE-2024-1", "pkg:cargo/openssl@1.0.1", None, S::NotAffected),
        ("CVE-2024-1", "pkg:cargo/open", None, S::NotAffected),
        ("CVE-2024-1", "pkg:npm/openssl@1.0.0", None, S::NotAffected),
        ("CVE-2024-1", "openssl", None, S::NotAffected),
        ("CVE-2024-1", "", None, S::NotAffected),
        ("CVE-2024-1", "pkg:cargo/openssl@1.0.0", Some("pkg:oci/other"), S::NotAffected),
        ("CVE-2024-1", "pkg:cargo/openssl@1.0.0?arch=x", Some("pkg:oci/shop@sha256:0?x=y"), S::NotAffected),
        ("CVE-2024-1", "pkg:cargo/openssl@1.0.0", None, S::Affected),
        ("CVE-2024-1", "pkg:cargo/openssl@1.0.0", None, S::UnderInvestigation),
    ] {
        assert!(!cleared(vulnerability, product, part_of, status), "{vulnerability} {product} {part_of:?}");
    }
}

#[test]
fn nobody_can_say_that_an_attack_does_not_matter() {
    let records = [openssl("MAL-2024-1", &[], &["0.."], "")];
    let statement = Statement {
        vulnerabilities: vec!["MAL-2024-1".into()],
        product: "pkg:cargo/openssl".into(),
        component: None,
        status: Status::NotAffected,
        reason: String::new(),
        document: String::new(),
    };
    let options = Options { vex: &[statement], ..Options::default() };
    let found = checked(&records, &[component(Ecosystem::Cargo, "openssl", "1.0.0")], &options);
    assert_eq!((found.findings.len(), found.suppressed.len()), (1, 0));
}

#[test]
fn licences_are_those_of_the_list() {
    let list = Allowed::new(["MIT", "Apache-2.0"]).unwrap();
    let options = Options { licenses: Some(&list), ..Options::default() };
    let with = |license: Option<&str>| {
        let license = license.map(str::to_owned);
        let component = Component { license, ..component(Ecosystem::Cargo, "x", "1.0.0") };
        checked(&[openssl("A-1", &[], &["0.."], "")], &[component], &options)
    };
    assert_eq!(with(Some("MIT OR GPL-3.0-only")).findings, []);
    assert_eq!(
        with(Some("GPL-3.0-only")).findings[0].message,
        "x 1.0.0 is under `GPL-3.0-only`, which is not on the list"
    );
    assert_eq!(
        with(Some("see\u{7} file")).findings[0].message,
        "x 1.0.0 is under `see file`, which is no SPDX expression"
    );
    assert_eq!(with(None).gaps[0].problem, "x 1.0.0 states no licence");
}

#[test]
fn an_explanation_is_the_path_from_the_project_and_the_smallest_updates() {
    let records = [
        openssl("RUSTSEC-1", &["CVE-2024-1"], &["0..0.10.48"], ""),
        openssl("RUSTSEC-2", &[], &["0..0.10.60"], ""),
    ];
    let names = [("reqwest", "0.11.0"), ("native-tls", "0.2.0"), ("openssl", "0.10.38")];
    let graph = chain(&names.map(|(name, version)| component(Ecosystem::Cargo, name, version)));
    let index = index(&records);
    let found = explain(&[Graph::default(), graph.clone()], &index, "cve-2024-1").unwrap();
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(one.path, ["app 0.1.0", "reqwest 0.11.0", "native-tls 0.2.0", "openssl 0.10.38"]);
    assert_eq!((one.graph, one.rooted), (1, true));
    assert_eq!((one.fixed.as_deref(), one.clean.as_deref()), (Some("0.10.48"), Some("0.10.60")));
    let print = one.finding.fingerprint.to_string();
    assert_eq!(explain(std::slice::from_ref(&graph), &index, &print).unwrap().len(), 1);
    assert_eq!(explain(&[graph], &index, "CVE-1").unwrap(), []);
}

#[test]
fn scope_has_no_influence_on_what_is_found() {
    let records = [openssl("A-1", &[], &["0.."], "")];
    let development =
        Component { scope: Scope::Development, ..component(Ecosystem::Cargo, "openssl", "1.0.0") };
    assert_eq!(checked(&records, &[development], &Options::default()).findings.len(), 1);
}

#[test]
fn many_components_are_looked_up_in_time_that_grows_with_them() {
    let records: Vec<String> = (0..50)
        .map(|at| record(&format!("A-{at}"), &[], ("npm", &format!("p{at}")), &["0..2.0.0"], ""))
        .collect();
    let components: Vec<Component> =
        (0..100_000).map(|at| Component::new(Ecosystem::Npm, &format!("p{at}"), "1.0.0")).collect();
    let graph = Graph { components, ..Graph::default() };
    let found = check(&[graph], &index(&records), &Options::default()).unwrap();
    assert_eq!((found.packages, found.findings.len()), (100_000, 50));
}

/// Red Hat and SUSE have advisories for channels and products of a release; those of rpm name binary or source packages.
#[test]
fn packages_of_rpm_are_compared_with_advisories_of_their_release() {
    use Ecosystem as E;
    let of = |ecosystem: E, release: &str, version: &str| Component {
        release: release.into(),
        origin: Some(Origin { name: "vim".into(), version: version.into() }),
        ..component(ecosystem, "vim-minimal", version)
    };
    let check = |ecosystem: &str, name: &str, component: Component, expect: Result<usize, &str>| {
        let records = [record("A-1", &[], (ecosystem, name), &["0..2:8.2-20.el9_4"], "")];
        let checked = checked(&records, std::slice::from_ref(&component), &Options::default());
        // The project itself is of another ecosystem, and is not compared.
        let gap = checked.gaps.first().map(|gap| gap.problem.as_str());
        let found = gap.map_or(Ok(checked.findings.len()), Err);
        assert_eq!(found, expect, "{ecosystem} {name} {component:?}");
    };
    let old = "2:8.2-9.el9";
    check("Red Hat:enterprise_linux:9::baseos", "vim", of(E::RedHat, "9", old), Ok(1));
    check("Red Hat:enterprise_linux:9::baseos", "vim-minimal", of(E::RedHat, "9", old), Ok(1));
    check("Red Hat:enterprise_linux:9.4", "vim", of(E::RedHat, "9", "2:8.2-20.el9_4"), Ok(0));
    check("Red Hat:enterprise_linux:9::baseos", "vim-x11", of(E::RedHat, "9", old), Ok(0));
    check("SUSE:Linux Enterprise Module for Basesystem 15 SP5", "vim", of(E::Suse, "15 SP5", old), Ok(1));
    check("SUSE:Linux Enterprise Server 15 SP5-LTSS", "vim", of(E::Suse, "15 SP5", old), Ok(1));
    check("Rocky Linux:9", "vim", of(E::RockyLinux, "9", old), Ok(1));
    check("AlmaLinux:9", "vim-minimal", of(E::AlmaLinux, "9", "1:9-1"), Ok(1));
    check("openSUSE:Leap 15.6", "vim", of(E::OpenSuse, "Leap 15.6", old), Ok(1));
    let none = |what| Err(what);
    check(
        "Red Hat:enterprise_linux:90::baseos",
        "vim",
        of(E::RedHat, "9", old),
        none("the index of advisories has none about Red Hat:9"),
    );
    check(
        "SUSE:Linux Enterprise Server 15 SP5",
        "vim",
        of(E::Suse, "15", old),
        none("the index of advisories has none about SUSE:15"),
    );
    check(
        "Red Hat:enterprise_linux:9::baseos",
        "vim",
        of(E::RedHat, "", old),
        none("the index of advisories has none about Red Hat of an unknown release"),
    );
    check(
        "AlmaLinux:9",
        "vim",
        of(E::Rpm, "fedora 41", old),
        none("the index of advisories has none about RPM:fedora 41"),
    );
}
