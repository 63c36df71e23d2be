//! What each file becomes, and that new files are read back as they were meant. What is refused stands in
//! `src/errors.rs`.

use super::{
    approvals::RequireApprovals,
    environment::{Environment, Require, RequireProvenance, RequireSource},
    people::{People, import_allowed_signers},
    project::Project,
    registries::Delivery,
    rollback::{FailureKind, Rollback},
    scans::{BlockLevel, RequireManifest, RequireScan},
    target::{Place, ServiceTarget, Target},
};
use crate::{
    diagnostic::FileErrors,
    init::{NewDelivery, NewEnvironment, NewPerson, NewProject, NewTarget, render_people, scalar},
    pipeline::On,
};
use plimsoll_model::{Digest, Opaque, record::NetworkMode};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Keys made for these tests, and what `ssh-keygen -l` says of them.
const KEYS: [(&str, &str); 3] = [
    (
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL67f9I2UJxxd/xbB4DvjFFM1td1q4WvpGDsGz0ilZeK",
        "SHA256:i7OXxZe09KcqCQooBsnSWyZTMIZvj2RzBIYKc4V1GdE",
    ),
    (
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBO7Za+lIYRH6XsZaMrfJBQPZ9oBdt7kaP0UJsG+oYZ9lvUPG0RpRPSwuIjcHueYjNbvNGAcckp/CJ3I2yf9MqDA=",
        "SHA256:DTKgQ/Jn8ONdpR2o/JHjzpx0rkGpPpyLN1BU8gghHLg",
    ),
    (
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDCUpn5HScy9Z40LeVGqiEMF21D6RUavBIFRzT9ZlBho1t2NznFYL/KmCHwD6eTA7qbS6p5/G0ZVgBGXhgSuLuz003e+Ih4X60fL9HBCgh4wu4vMncD2xOc3wpZZ9OG62XGZ2lEhAvconp75KzaU5VZg0VLHnYahcg4l4Q28GyTWTs4t2JBMtzdoKUKBie2pohGNXTUiXCTcN04NqyKrJ3LIMCajqZUpNeUq5RiV9T2j88LJGd6aoxl7Mb9u9brytyw2EymVxzF1jXyKmaIt0uh/nLgC3Y1X4M6EqhAAA1J3lkCsZycf/Lt4Chxks2k+rXHtTfOXflKr9R3JN3RGgVH",
        "SHA256:dNyaDdjgKmnYmney5GyqQznrCjlFbKVddFZl1WDjx28",
    ),
];

fn good<T>(result: Result<T, Box<FileErrors>>) -> T {
    result.unwrap_or_else(|errors| panic!("{}", errors.render()))
}

fn id() -> Opaque {
    Opaque::from_random([7; 16])
}

#[test]
fn keys_have_the_fingerprints_that_ssh_keygen_shows() {
    let keys: Vec<_> = KEYS.iter().map(|(line, _)| format!("{line} a comment")).collect();
    let person = NewPerson { name: "Ada".into(), ssh_keys: keys, ..NewPerson::default() };
    let people = good(People::read("people.yaml", render_people(&[person]).as_bytes()));
    let read: Vec<_> =
        people.people[0].ssh_keys.iter().map(|key| (key.line.as_str(), key.fingerprint.as_str())).collect();
    assert_eq!(read, KEYS);
    assert_eq!(people.by_fingerprint()[KEYS[1].1], "Ada");
    assert_eq!(people.of_key(KEYS[1].1).map(|person| person.name.as_str()), Some("Ada"));
    assert_eq!(people.of_key("SHA256:"), None);
    assert_eq!(people.key_lines(), KEYS.map(|(line, _)| line.to_owned()));
}

#[test]
fn mail_addresses_are_kept_in_lower_case() {
    let people = good(People::read("people.yaml", b"version: 1\npeople:\n- {name: A, git-emails: [Ada@Example.ORG], roles: [release-managers], robot: true}\n"));
    let ada = &people.people[0];
    assert!(
        ada.git_emails.contains("ada@example.org") && ada.roles.contains("release-managers") && ada.robot
    );
    assert_eq!(people.of_email("ADA@example.org"), Some(ada));
    assert_eq!(people.of_email("ada@example.com"), None);
}

#[test]
fn allowed_signers_are_taken_over_only_where_people_yaml_means_the_same() {
    let (ed25519, ecdsa) = (KEYS[0].0, KEYS[1].0);
    let text = format!(
        "# team\n\nAda@example.org,a@b.c namespaces=\"git,file\" {ed25519} ada\n\"bob@example.org\" {ecdsa}\n"
    );
    let signers = import_allowed_signers(&text).unwrap();
    assert_eq!(signers[0].emails, BTreeSet::from(["a@b.c".to_owned(), "ada@example.org".into()]));
    assert_eq!(signers[0].key.fingerprint, KEYS[0].1);
    assert_eq!(signers[1].emails, BTreeSet::from(["bob@example.org".to_owned()]));
    for (line, expect) in [
        (format!("*@example.org {ed25519}"), "names nobody"),
        (format!("!a@b.c {ed25519}"), "names nobody"),
        (format!("a@b.c cert-authority {ed25519}"), "certificate authorities"),
        (format!("a@b.c cert-authority,namespaces=\"git\" {ed25519}"), "cannot be taken over"),
        (format!("a@b.c namespaces=\"file\" {ed25519}"), "cannot be taken over"),
        (format!("a@b.c valid-before=\"20300101\" {ed25519}"), "cannot be taken over"),
        (format!("a@b.c namespaces=\"git\",valid-before=\"20300101\" {ed25519}"), "cannot be taken over"),
        ("a@b.c".into(), "expected principals and a key"),
        ("a@b.c ssh-ed25519 AAAA".into(), "is not a public SSH key"),
    ] {
        let errors = import_allowed_signers(&format!("# one\n{line}\n")).unwrap_err();
        assert_eq!(errors[0].line, 2);
        assert!(errors[0].problem.contains(expect), "{line}: {}", errors[0].problem);
    }
}

#[test]
fn a_registry_is_known_by_host_and_port() {
    for (index, host, port) in [
        ("https://packages.example.org/index", "packages.example.org", 443),
        ("sparse+https://packages.example.org:8443/", "packages.example.org", 8443),
        ("https://10.0.0.1", "10.0.0.1", 443),
    ] {
        let text = format!(
            "version: 1\nteam: shop people\nregistries: [{{ecosystem: cargo, index: \"{index}\", private: true}}]\n"
        );
        let delivery = good(Delivery::read("delivery.yaml", text.as_bytes()));
        let registry = &delivery.registries[0];
        assert_eq!(
            (registry.index.as_str(), registry.host.as_str(), registry.port, registry.private),
            (index, host, port, true)
        );
    }
}

#[test]
fn repositories_are_paths_and_urls() {
    for repository in [
        "/srv/git/shop.git",
        "../shop",
        "https://example.org/shop.git",
        "ssh://git@example.org/shop",
        "file:///srv/shop",
    ] {
        let new = NewProject {
            id: id(),
            repository: repository.into(),
            path: None,
            protected: vec!["refs/heads/main".into()],
            pipelines: vec![],
        };
        assert_eq!(good(Project::read("p.yaml", new.render().as_bytes())).repository, repository);
    }
}

#[test]
fn a_new_delivery_repository_reads_like_this() {
    let person = NewPerson {
        name: "Ada Lovelace".into(),
        git_emails: vec!["ada@example.org".into()],
        ssh_keys: vec![KEYS[0].0.into()],
        roles: vec!["release-managers".into()],
        robot: false,
    };
    let project = NewProject {
        id: id(),
        repository: "/srv/git/shop".into(),
        path: None,
        protected: vec!["refs/heads/main".into()],
        pipelines: vec![Digest::of(b"pipeline")],
    };
    let environment = new_environment();
    let files = [
        NewDelivery { team: Some("shop".into()) }.render(),
        project.render(),
        render_people(&[person]),
        environment.render(),
        target(Place::Host { agent: "prod-1".into() }).render(),
        target(Place::Local).render(),
    ];
    insta::assert_snapshot!(files.join("\n"));
    good(Delivery::read("delivery.yaml", files[0].as_bytes()));
    good(Project::read("shop.yaml", files[1].as_bytes()));
    good(People::read("people.yaml", files[2].as_bytes()));
    let NewEnvironment { id, after, soak_seconds, require, freeze, rollback } = environment;
    assert_eq!(
        good(Environment::read("environment.yaml", files[3].as_bytes())),
        Environment { id, after, soak_seconds, require, freeze, rollback }
    );
    let read = |file: &str| good(Target::read("target.yaml", file.as_bytes()));
    assert_eq!(read(&files[4]), plain(Place::Host { agent: "prod-1".into() }));
    assert_eq!(read(&files[5]), plain(Place::Local));
}

fn new_environment() -> NewEnvironment {
    let windows = "version: 1\nid: \"07070707070707070707070707070707\"\nrequire: {tests: {a: source}}\nfreeze:\n- {from: \"Fri 16:00\", to: \"Mon 08:00\", zone: Europe/Berlin}\n- {from: \"2026-12-20 00:00\", to: \"2027-01-02 00:00\", zone: UTC}\n";
    NewEnvironment {
        id: id(),
        after: Some("staging".parse().unwrap()),
        soak_seconds: 1800,
        require: require(),
        freeze: good(Environment::read("environment.yaml", windows.as_bytes())).freeze,
        rollback: Some(Rollback {
            on: BTreeSet::from([FailureKind::Start, FailureKind::Health]),
            confirm_seconds: 90,
        }),
    }
}

fn target(place: Place) -> NewTarget {
    NewTarget { place, port: 8080, listen: 9000, health: "/healthz".into() }
}

/// A target that says no more than it must.
fn plain(place: Place) -> Target {
    Target::Service(ServiceTarget {
        place,
        port: 8080,
        listen: 9000,
        health: "/healthz".into(),
        start_timeout_seconds: 30,
        env: BTreeMap::new(),
        args: vec![],
        data: BTreeSet::new(),
    })
}

fn require() -> Require {
    let by = |manifest| RequireScan { manifest: Some(manifest), ..RequireScan::blocking(BlockLevel::Error) };
    Require {
        source: Some(RequireSource { protected: true, signed: true }),
        provenance: Some(RequireProvenance {
            builder: Some(BTreeSet::from(["local".into()])),
            network: Some(BTreeSet::from([NetworkMode::None, NetworkMode::Locked, NetworkMode::Recorded])),
        }),
        tests: BTreeMap::from([
            ("unit".parse().unwrap(), On::Source),
            ("smoke".parse().unwrap(), On::Artifact),
        ]),
        sbom: Some(crate::RequireSbom::Complete),
        scans: BTreeMap::from([
            (
                "1e3".parse().unwrap(),
                RequireScan { tool: Some(Digest::of(b"tool")), ..RequireScan::blocking(BlockLevel::Warning) },
            ),
            ("null".parse().unwrap(), RequireScan::blocking(BlockLevel::Note)),
            ("hadolint".parse().unwrap(), by(RequireManifest::Ready)),
            ("mine".parse().unwrap(), by(RequireManifest::Digest(Digest::of(b"manifest")))),
        ]),
        approvals: Some(RequireApprovals {
            count: 2,
            from: BTreeSet::from(["release-managers".into(), "null".into()]),
            expire_seconds: 3600,
            unsigned_needs_extra: true,
        }),
        policies: BTreeSet::from(["policies/production.rego".into()]),
    }
}

proptest! {
    #[test]
    fn any_text_is_read_back_as_it_was_meant(name in "[ -~äß€日]{1,40}") {
        prop_assume!(name.trim() == name);
        let person = NewPerson { name: name.clone(), ..NewPerson::default() };
        let people = good(People::read("people.yaml", render_people(&[person]).as_bytes()));
        prop_assert_eq!(&people.people[0].name, &name);
    }

    #[test]
    fn any_characters_become_one_scalar(text in "\\PC{0,20}|[\\s\\S]{0,10}") {
        let yaml = format!("- {}\n", scalar(&text));
        let read: Vec<String> = serde_saphyr::from_str(&yaml).unwrap();
        prop_assert_eq!(&read[0], &text);
    }

    #[test]
    fn any_bytes_end(bytes in "(version: 1\n)?[-a-z:{}\\[\\], \n\"0-9/@]{0,200}") {
        let bytes = bytes.as_bytes();
        let results = [
            Delivery::read("d", bytes).err(),
            Project::read("p", bytes).err(),
            People::read("p", bytes).err(),
            Environment::read("e", bytes).err(),
            Target::read("t", bytes).err(),
        ];
        for errors in results.into_iter().flatten() {
            prop_assert!(!errors.render().is_empty());
        }
    }
}

/// Environments that name each other, and people who may approve.
#[track_caller]
fn together(environments: &[(&str, &str)], people: &str, expect: &[&str]) {
    let text = |(name, keys): &(&str, &str)| crate::EnvironmentText {
        name: name.parse().unwrap(),
        file: format!("environments/{name}/environment.yaml"),
        bytes: format!("version: 1\nid: \"{}\"\n{keys}\n", "0e".repeat(16)).into_bytes(),
    };
    let texts: Vec<_> = environments.iter().map(text).collect();
    let people = People::read("people.yaml", format!("version: 1\npeople: {people}\n").as_bytes()).unwrap();
    let found = crate::check_together(&texts, Some(&people));
    let shown: Vec<String> = found
        .iter()
        .flat_map(|errors| errors.diagnostics.iter().map(move |one| (errors, one)))
        .map(|(errors, one)| {
            let name = errors.file.split('/').nth(1).unwrap();
            format!("{name}: {} [{}]", one.message, &errors.source[one.span.clone()])
        })
        .collect();
    assert_eq!(shown, expect);
}

const ASKS: &str = "require: {tests: {unit: source}}";

#[test]
fn environments_come_after_each_other_without_a_circle() {
    let after = |name: &str| format!("after: {name}\n{ASKS}");
    let (qa, staging, production) = (after("qa"), after("staging"), after("production"));
    together(&[("qa", ASKS), ("staging", &qa), ("production", &staging)], "[]", &[]);
    // Two may come after one.
    together(&[("qa", ASKS), ("staging", &qa), ("production", &qa)], "[]", &[]);
    together(&[("qa", &qa)], "[]", &["qa: an environment does not come after itself [qa]"]);
    together(
        &[("qa", ASKS), ("production", &staging)],
        "[]",
        &["production: there is no environments/staging/environment.yaml [staging]"],
    );
    // What leads into a circle is not in it.
    together(
        &[("canary", &production), ("production", &staging), ("staging", &production)],
        "[]",
        &[
            "production: comes back to itself: production after staging after production [staging]",
            "staging: comes back to itself: staging after production after staging [production]",
        ],
    );
    // A file that cannot be read is there, and says nothing.
    together(&[("qa", "after: production"), ("production", &qa)], "[]", &[]);
}

#[test]
fn approvals_are_asked_of_people_who_are_there() {
    let asks = |approvals: &str| format!("require: {{approvals: {approvals}}}");
    let people = "[{name: ada, roles: [owners]}, {name: bo, roles: [owners, release-managers]}, {name: robo, robot: true, roles: [release-managers, deployers]}]";
    let check =
        |approvals: &str, expect: &[&str]| together(&[("production", &asks(approvals))], people, expect);
    check("{count: 2, from: [owners]}", &[]);
    check("{count: 2, from: [owners, release-managers]}", &[]);
    check(
        "{count: 3, from: [owners, release-managers]}",
        &["production: 3 have to agree, and people.yaml has 2 with these roles [[owners, release-managers]]"],
    );
    check(
        "{count: 1, from: [owners, managers]}",
        &["production: nobody in people.yaml has the role `managers` [managers]"],
    );
    check(
        "{count: 1, from: [deployers]}",
        &[
            "production: 1 have to agree, and people.yaml has 0 with these roles [[deployers]]",
            "production: nobody in people.yaml has the role `deployers` [deployers]",
        ],
    );
}
