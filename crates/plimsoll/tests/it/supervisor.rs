//! Services that behave badly, and switches under load, in the real sandbox.

use crate::{
    processes,
    service::{Shop, answer},
};
use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

#[test]
fn no_request_is_lost_while_versions_follow_each_other() {
    let shop = Shop::new();
    shop.deliver("v0");
    let (over, port) = (AtomicBool::new(false), shop.port);
    let lost = thread::scope(|scope| {
        let load = scope.spawn(|| {
            let (mut asked, mut lost) = (0, 0);
            while !over.load(Ordering::SeqCst) {
                asked += 1;
                lost += usize::from(answer(port).is_none());
            }
            (asked, lost)
        });
        for version in ["v1", "v2", "v3", "v4"] {
            shop.deliver(version);
            assert_eq!(shop.answer().as_deref(), Some(version));
        }
        over.store(true, Ordering::SeqCst);
        load.join().unwrap()
    });
    assert_eq!(lost.1, 0, "of {}", lost.0);
    assert!(lost.0 > 4);
}

/// Each is refused as what it is to a client: not healthy. Nothing of it stays, and the version before serves on.
#[test]
fn a_service_that_ends_at_once_forks_away_runs_out_of_descriptors_or_listens_elsewhere_is_not_healthy() {
    let shop = Shop::new();
    shop.deliver("v1");
    for version in ["quits", "forks", "leaks", "elsewhere", "six"] {
        shop.commit_version(version);
        shop.world.plimsoll(&["run"]).ok();
        let refused = shop.promote().ended(1).refused(&["E-HEALTH"]);
        assert_eq!(shop.answer().as_deref(), Some("v1"), "{version}: {refused:#?}");
    }
    let unit = format!("__supervisor\u{0}shop@local\u{0}--state\u{0}{}", shop.world.state().display());
    processes::until("only one supervisor is left", || processes::with(&unit).len() == 1);
    // The benign twins of those that listen elsewhere.
    shop.deliver("anywhere");
    assert_eq!(shop.answer().as_deref(), Some("anywhere"));
}

#[test]
fn a_service_that_ignores_the_request_to_end_is_ended() {
    let shop = Shop::new();
    let pid = |promoted: &serde_json::Value| {
        u32::try_from(promoted["service"]["process"].as_u64().unwrap()).unwrap()
    };
    let first = pid(&shop.deliver("stubborn 1"));
    let second = pid(&shop.deliver("stubborn 2"));
    assert_eq!(shop.answer().as_deref(), Some("stubborn 2"));
    assert!(!processes::exists(first));
    shop.world.json(&["stop", "shop@local"]).ok();
    assert!(!processes::exists(second));
}

#[test]
fn each_supervisor_has_files_of_its_own_and_leaves_none() {
    let shop = Shop::new();
    shop.deliver("v1");
    // The same artifact again, beside itself.
    shop.promote().ok();
    for version in ["v2", "v3"] {
        shop.deliver(version);
    }
    shop.world.json(&["stop", "shop@local"]).ok();
    shop.deliver("v4");
    let unpacked = || {
        let unit = fs::read_dir(shop.world.state().join("services/shop@local")).unwrap();
        let names = unit.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("release-")).count()
    };
    // A supervisor removes its own as the last thing it does.
    processes::until("only the files of the newest are left", || unpacked() == 1);
}
