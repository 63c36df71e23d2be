//! The first gate: what a decision lets start, what it refuses and how, and what happens to what runs already.

use crate::{
    processes,
    service::Shop,
    world::{Ran, World, pipeline, text},
};
use plimsoll_model::Digest;
use plimsoll_testkit::SshKey;
use std::fs;

/// Runs `HEAD`, whether it passes or not, and asks for it.
fn asked(shop: &Shop) -> Ran {
    shop.world.json(&["run"]);
    shop.promote()
}

#[test]
fn an_allowed_release_starts_answers_is_traced_to_its_process_and_stops() {
    let shop = Shop::new();
    let run = shop.world.json(&["run"]).ok().value();
    assert_eq!(run["tier"], "trusted");
    let promoted = shop.promote().ok().value();
    assert_eq!(shop.answer().as_deref(), Some("v1"));
    assert_eq!(shop.state(), "serving");

    // What its supervisor sees is in the trace, once it has looked.
    shop.seen(&[]);
    let trace = shop.world.json(&["trace", "shop@local"]).ok().value();
    let process = &trace[0]["processes"][0];
    let pid = process["service"]["process"].as_u64().unwrap();
    let executed = Digest::of(&fs::read(format!("/proc/{pid}/exe")).unwrap()).to_string();
    assert_eq!(process["actual"], executed.as_str());
    assert_eq!(run["artifact"]["files"][0]["digest"], executed.as_str());
    assert_eq!(trace[0]["run"]["commit"], shop.world.repository.head().as_str());
    assert_eq!(trace[0]["decisions"][0]["decision"], promoted["decision"]["decision"]);
    for from in [
        shop.world.repository.head().as_str(),
        text(&run["run"]),
        text(&run["artifact"]["manifest"]),
        &executed,
        text(&promoted["decision"]["decision"]),
    ] {
        assert_eq!(shop.world.json(&["trace", from]).ok().value(), trace, "from {from}");
    }

    shop.world.json(&["stop", "shop@local"]).ok();
    assert_eq!((shop.answer(), shop.state()), (None, "stopped".to_owned()));
    assert!(!processes::exists(u32::try_from(pid).unwrap()));
    shop.world.json(&["stop", "shop@local"]).ended(2);
}

#[test]
fn a_failing_test_is_refused_and_the_refusal_is_signed_kept_and_explained() {
    let shop = Shop::new();
    shop.world.repository.write("broken", "");
    shop.commit_version("v2");
    shop.world.json(&["run"]).ended(1).refused(&["E-EVIDENCE-FAILED"]);
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    assert_eq!(shop.answer(), None);

    let why = shop.world.json(&["why", "shop@local"]).ok();
    assert!(why.stdout.contains("E-EVIDENCE-FAILED"), "{why:#?}");
    let shown = shop.world.plimsoll(&["why", "shop@local"]).ok().stdout;
    assert!(shown.contains("refused") && shown.contains("NO  tests.unit"), "{shown}");
    let trace = shop.world.json(&["trace", "HEAD"]);
    trace.ended(2);
    let trace = shop.world.json(&["trace", shop.world.repository.head().as_str()]).ok().value();
    let refusal = shop.world.blob(&trace[0]["decisions"][0]["bundle"]);
    let verified = shop.world.json(&["verify", refusal.to_str().unwrap()]).ok().value();
    assert_eq!(verified["role"], "refusal");
}

#[test]
fn what_the_environment_asks_for_and_the_run_does_not_show_is_refused() {
    struct Case {
        what: &'static str,
        change: fn(&Shop),
        codes: &'static [&'static str],
    }
    let cases = [
        Case {
            what: "a branch that nobody protects",
            change: |shop| {
                shop.world.repository.branch("feature");
                shop.commit_version("v2");
            },
            codes: &["E-SRC-UNPROTECTED", "E-TIER"],
        },
        Case {
            what: "a pipeline that nobody approved",
            change: |shop| {
                let pipeline =
                    fs::read_to_string(shop.world.repository.path().join("plimsoll.yaml")).unwrap();
                shop.world.repository.write("plimsoll.yaml", pipeline.replace("test ! -e broken", "exit 0"));
                shop.commit_version("v2");
            },
            codes: &["E-PIPE-UNAPPROVED", "E-TIER"],
        },
        Case {
            what: "a test that the pipeline does not have",
            change: |shop| {
                shop.world.change_delivery("environments/local/environment.yaml", |text| {
                    text.replace("{unit: source}", "{unit: source, load: artifact}")
                });
            },
            codes: &["E-EVIDENCE-MISSING"],
        },
        Case {
            what: "a builder that is not this machine",
            change: |shop| {
                shop.world.change_delivery("environments/local/environment.yaml", |text| {
                    text.replace("[local]", "[farm]")
                });
            },
            codes: &["E-BUILDER"],
        },
        Case {
            what: "a build with another network",
            change: |shop| {
                shop.world.change_delivery("environments/local/environment.yaml", |text| {
                    text.replace("[none, locked]", "[locked]")
                });
            },
            codes: &["E-PROV-NETWORK"],
        },
    ];
    for Case { what, change, codes } in cases {
        let shop = Shop::new();
        change(&shop);
        let refused = asked(&shop).ended(1);
        assert_eq!(unique(refused.codes()), codes, "{what}: {refused:#?}");
        assert_eq!(shop.answer(), None, "{what}");
    }
}

fn unique(mut codes: Vec<String>) -> Vec<String> {
    codes.sort();
    codes.dedup();
    codes
}

#[test]
fn a_protected_branch_only_moves_forward() {
    let shop = Shop::new();
    shop.deliver("v2");
    let honest = shop.world.repository.head();
    shop.world.repository.git(&["reset", "-q", "--hard", "HEAD~1"]);
    // It stays refused whatever comes on top.
    for version in ["rewritten", "further"] {
        shop.commit_version(version);
        let run = shop.world.json(&["run"]).ok().value();
        let mut untrusted = run["untrusted"].as_array().unwrap().iter().map(|reason| &reason["code"]);
        assert!(untrusted.any(|code| code == "E-SRC-REWOUND"), "{run:#?}");
        shop.promote().ended(1).refused(&["E-SRC-UNPROTECTED", "E-TIER"]);
        assert_eq!(shop.answer().as_deref(), Some("v2"));
    }
    shop.world.repository.git(&["reset", "-q", "--hard", honest.as_str()]);
    shop.deliver("v4");
    assert_eq!(shop.answer().as_deref(), Some("v4"));
}

#[test]
fn where_signatures_are_asked_for_only_those_of_known_people_count() {
    let shop = Shop::new();
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        text.replace("{protected: true}", "{protected: true, signed: true}")
    });
    asked(&shop).ended(1).refused(&["E-SRC-UNSIGNED"]);
    shop.world.repository.write("version", "\nv2");
    shop.world.repository.commit_signed("v2", &SshKey::generate());
    asked(&shop).ended(1).refused(&["E-SRC-SIGNER"]);
    shop.world.repository.write("version", "\nv3");
    shop.world.repository.commit_signed("v3", &shop.world.person);
    asked(&shop).ok();
    assert_eq!(shop.answer().as_deref(), Some("v3"));
}

/// Somebody with nothing but the dossier and the root, which they got another way.
#[test]
fn a_dossier_convinces_a_stranger_and_a_changed_one_does_not() {
    let shop = Shop::new();
    shop.world.plimsoll(&["run"]).ok();
    let dossier = |name: &str| {
        let file = shop.world.scratch(name, b"");
        shop.world.json(&["dossier", "shop@local", "--output", file.to_str().unwrap()]).ok();
        file
    };
    let promoted = shop.promote().ok().value();
    let allowed = dossier("allowed.tar");
    shop.world.repository.write("broken", "");
    shop.commit_version("v2");
    asked(&shop).ended(1).refused(&["E-EVIDENCE-FAILED"]);
    let refused = dossier("refused.tar");

    let stranger = World::empty();
    let root = shop.world.delivery().join("trust/root.json");
    let verify = |file: &std::path::Path| {
        stranger.json(&["verify", file.to_str().unwrap(), "--root", root.to_str().unwrap()])
    };
    assert_eq!(verify(&allowed).ok().value()["decision"], promoted["decision"]["decision"]);
    assert!(verify(&refused).ok().stdout.contains("E-EVIDENCE-FAILED"));
    let bytes = fs::read(&allowed).unwrap();
    for at in (600..bytes.len()).step_by(bytes.len() / 30) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let ran = verify(&stranger.scratch("changed.tar", &changed));
        assert_eq!((ran.status, ran.codes().len()), (1, 1), "byte {at}: {ran:#?}");
    }
    stranger.json(&["verify", allowed.to_str().unwrap()]).ended(1).refused(&["E-TRUST-ROOT"]);
}

#[test]
fn what_is_no_dossier_is_refused_as_one() {
    let shop = Shop::new();
    for (what, bytes) in [("empty", &b""[..]), ("binary", &[0xff; 64]), ("text", b"a dossier")] {
        let file = shop.world.scratch(what, bytes);
        shop.world.json(&["verify", file.to_str().unwrap()]).ended(1).refused(&["E-DOSSIER-PARSE"]);
    }
}

#[test]
fn promotions_follow_each_other_and_each_takes_over() {
    let shop = Shop::new();
    let decisions = ["v2", "v3"].map(|version| {
        let promoted = shop.deliver(version);
        assert_eq!(shop.answer().as_deref(), Some(version));
        promoted
    });
    let pids = decisions.each_ref().map(|promoted| promoted["service"]["process"].as_u64().unwrap());
    assert!(!processes::exists(u32::try_from(pids[0]).unwrap()), "the version before is gone");
    let summaries = decisions.each_ref().map(|promoted| {
        let bundle = shop.world.blob(&promoted["decision"]["bundle"]);
        shop.world.json(&["verify", bundle.to_str().unwrap()]).ok().value()["predicate"].clone()
    });
    let followed = summaries[1].to_string();
    let first = text(&decisions[0]["decision"]["decision"]);
    assert!(followed.contains(first), "the second names the first that it follows: {followed}");
    let status = shop.world.json(&["status"]).ok().value();
    assert_eq!(status["services"].as_array().unwrap().len(), 1);
}

#[test]
fn an_older_run_can_be_promoted_again_by_name_with_a_new_decision() {
    let shop = Shop::new();
    let first = shop.world.json(&["run"]).ok().value();
    shop.promote().ok();
    shop.deliver("v2");
    let run = text(&first["run"]);
    shop.world.json(&["promote", "shop", "--to", "local", "--run", &run[..8]]).ok();
    assert_eq!(shop.answer().as_deref(), Some("v1"));
}

#[test]
fn a_version_that_is_not_healthy_is_refused_and_the_one_before_serves_on() {
    let shop = Shop::new();
    shop.deliver("v2");
    shop.commit_version("ill");
    shop.world.plimsoll(&["run"]).ok();
    shop.promote().ended(1).refused(&["E-HEALTH"]);
    assert_eq!((shop.answer().as_deref(), shop.state().as_str()), (Some("v2"), "serving"));
    shop.deliver("v3");
    assert_eq!(shop.answer().as_deref(), Some("v3"));
}

#[test]
fn a_service_that_dies_is_started_again() {
    let shop = Shop::new();
    let promoted = shop.deliver("v2");
    let pid = u32::try_from(promoted["service"]["process"].as_u64().unwrap()).unwrap();
    processes::kill(pid);
    processes::until("the service serves again", || {
        let status = shop.world.json(&["status"]).value();
        status["services"][0]["service"]["restarts"] == 1 && shop.answer().as_deref() == Some("v2")
    });
}

#[test]
fn without_a_trust_root_nothing_is_decided() {
    let world = World::new(&pipeline("echo x > out/x"));
    world.plimsoll(&["run"]).ok();
    world.json(&["promote", "shop", "--to", "local"]).ended(1).refused(&["E-TRUST-ROOT"]);
    world.json(&["why", "shop@local"]).ended(2);
}

#[test]
fn a_changed_trust_root_is_not_used() {
    let shop = Shop::new();
    shop.world.plimsoll(&["run"]).ok();
    let pinned = shop.world.state().join("pinned.json");
    let text = fs::read_to_string(&pinned).unwrap();
    fs::write(&pinned, text.replace("\\\"threshold\\\": 1", "\\\"threshold\\\": 0")).unwrap();
    shop.promote().ended(1).refused(&["E-TRUST-ROOT"]);
}
