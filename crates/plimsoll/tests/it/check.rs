//! `plimsoll check` of a delivery repository: what each file says by itself, and what they say together.

use crate::{service::Shop, world::World};
use std::fs;

/// What is wrong, as people read it.
fn problems(world: &World, status: i32) -> String {
    let delivery = world.delivery();
    world.plimsoll(&["check", delivery.to_str().unwrap()]).ended(status).stderr
}

#[test]
fn environments_that_wait_for_each_other_are_found_with_place_and_file() {
    let shop = Shop::with(&["staging", "production"]);
    let path = shop.world.delivery().join("environments/staging/environment.yaml");
    assert_eq!(problems(&shop.world, 0), "");
    let text = fs::read_to_string(&path).unwrap();
    for (after, problem) in [
        ("staging", "an environment does not come after itself"),
        ("production", "comes back to itself: staging after production after staging"),
        ("nowhere", "there is no environments/nowhere/environment.yaml"),
    ] {
        fs::write(&path, text.replace("require:", &format!("after: {after}\nrequire:"))).unwrap();
        let shown = problems(&shop.world, 2);
        assert!(
            shown.contains(problem) && shown.contains("environments/staging/environment.yaml:"),
            "{shown}"
        );
    }
}

#[test]
fn approvals_that_nobody_could_give_are_found() {
    let shop = Shop::with(&["staging", "production"]);
    let path = shop.world.delivery().join("environments/production/environment.yaml");
    let text = fs::read_to_string(&path).unwrap();
    for (old, new, problem) in [
        ("count: 1", "count: 2", "2 have to agree, and people.yaml has 1 with these roles"),
        ("release-managers", "managers", "nobody in people.yaml has the role `managers`"),
    ] {
        assert!(text.contains(old), "{text}");
        fs::write(&path, text.replace(old, new)).unwrap();
        let shown = problems(&shop.world, 2);
        assert!(shown.contains(problem), "{shown}");
    }
    fs::write(&path, text).unwrap();
    problems(&shop.world, 0);
}
