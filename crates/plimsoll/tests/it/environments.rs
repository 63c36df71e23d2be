//! A trace does not end at this machine: it leads to every environment where a commit stands, and where it runs.

use crate::{
    delivery::{team, to},
    service::Shop,
    world::text,
};
use serde_json::{Value, json};

fn trace(shop: &Shop, of: &str) -> Value {
    shop.world.json(&["trace", of]).ok().value()
}

/// Each environment of the first way, with the place of what stands there and whether that was seen.
fn places(trace: &Value) -> Value {
    let environments = trace[0]["environments"].as_array().unwrap().iter();
    environments.map(|e| json!([e["unit"], e["stands"]["counter"], e["observed"]["same"]])).collect()
}

#[test]
fn a_commit_is_followed_to_where_it_stands_and_runs_and_to_nowhere_else() {
    let (shop, [bob, dora]) = team();
    let first = shop.world.repository.head().as_str().to_owned();
    assert_eq!(places(&trace(&shop, &first)), json!([]), "nothing was promoted yet");
    to(&shop, "staging").ok();
    assert_eq!(places(&trace(&shop, &first)), json!([["shop@staging", 1, true]]));
    to(&shop, "production").ended(1);
    bob.approve("shop@production").ok();
    dora.approve("shop@production").ok();
    to(&shop, "production").ok();
    let both = json!([["shop@production", 1, true], ["shop@staging", 1, true]]);
    assert_eq!(places(&trace(&shop, &first)), both);

    shop.commit_version("v2");
    shop.world.plimsoll(&["run"]).ok();
    to(&shop, "staging").ok();
    let second = shop.world.repository.head().as_str().to_owned();
    assert_eq!(places(&trace(&shop, &first)), json!([["shop@production", 1, true]]));
    let traced = trace(&shop, &second);
    assert_eq!(places(&traced), json!([["shop@staging", 2, true]]));
    let shown = shop.world.plimsoll(&["trace", &second]).ok().stdout;
    assert!(shown.contains("stands    shop@staging  decision 2"), "{shown}");
    assert!(shown.contains("runs      shop@staging  serving since"), "{shown}");

    // A machine that built nothing knows what it has fetched.
    bob.plimsoll(&["trace", &second]).ended(2);
    let delivery = shop.world.delivery();
    bob.plimsoll(&["policy", "preflight", "-C", delivery.to_str().unwrap()]).ended(3);
    let staging = &traced[0]["environments"][0];
    let decision = text(&staging["stands"]["decision"]).to_owned();
    let artifact = text(&staging["stands"]["artifact"]).to_owned();
    for of in [&second, &second[..12], &decision, &artifact[..20], "shop@staging"] {
        let elsewhere = bob.plimsoll(&["trace", of]).ok().value();
        assert_eq!(places(&elsewhere), json!([["shop@staging", 2, true]]), "{of}");
    }
    bob.plimsoll(&["trace", &"0".repeat(40)]).ended(2);
    bob.plimsoll(&["trace", "s"]).ended(2);
}

#[test]
fn what_stands_and_does_not_run_is_told_apart_from_what_runs() {
    let shop = Shop::new();
    shop.world.plimsoll(&["run"]).ok();
    shop.promote().ok();
    let first = shop.world.repository.head().as_str().to_owned();
    shop.commit_version("ill");
    shop.world.plimsoll(&["run"]).ok();
    shop.promote().refused(&["E-HEALTH"]);
    let second = shop.world.repository.head().as_str().to_owned();
    assert_eq!(places(&trace(&shop, &first)), json!([["shop@local", null, true]]));
    assert_eq!(places(&trace(&shop, &second)), json!([["shop@local", 2, false]]));
    let shown = shop.world.plimsoll(&["trace", &second]).ok().stdout;
    assert!(shown.contains("runs      shop@local  SOMETHING ELSE"), "{shown}");
}
