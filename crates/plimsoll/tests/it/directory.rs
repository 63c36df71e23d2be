//! Programs that are no service: installed as decided, all at once, into a directory that nobody else has a hand in.

use crate::{
    journal, processes,
    service::{Shop, pipeline},
    world::{Ran, entries, text},
};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

/// Makes a program and a file beside it.
const MAKE: &str = r#"printf '#!/bin/sh\necho "%s"\n' "$(cat version)" > out/shop
chmod +x out/shop
cp version out/notes"#;

/// A shop whose environments have directories named after them, below one that only the user can change.
fn shop(environments: &[&str]) -> Shop {
    let shop = Shop::from(environments, |world| {
        world.repository.write("plimsoll.yaml", pipeline(MAKE, "files: [out/shop, out/notes]"));
    });
    fs::create_dir(place(&shop)).unwrap();
    fs::set_permissions(place(&shop), fs::Permissions::from_mode(0o755)).unwrap();
    for name in environments {
        aim(&shop, name, &place(&shop).join(name));
    }
    shop
}

/// A shop with one environment, `local`, that has built version 1.
fn built() -> (Shop, PathBuf) {
    let shop = shop(&["local"]);
    shop.world.plimsoll(&["run"]).ok();
    let path = place(&shop).join("local");
    (shop, path)
}

/// The same, installed.
fn installed() -> (Shop, PathBuf) {
    let (shop, path) = built();
    shop.promote().ok();
    (shop, path)
}

fn place(shop: &Shop) -> PathBuf {
    shop.world.home().with_file_name("opt")
}

fn aim(shop: &Shop, environment: &str, path: &Path) {
    let target = format!("version: 1\ndirectory: {{path: \"{}\"}}\n", path.display());
    shop.world.change_delivery(&format!("environments/{environment}/shop/target.yaml"), |_| target);
}

/// What the installed program says.
fn says(path: &Path) -> String {
    let output = Command::new(path.join("current/shop")).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Names of what is installed in a directory, without whose it is.
fn releases(path: &Path) -> Vec<String> {
    let name = |path: PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let mut names: Vec<_> = entries(&path.join("releases")).into_iter().map(name).collect();
    names.retain(|name| name != "unit.json");
    names.sort();
    names
}

fn trace(shop: &Shop) -> Value {
    let ways = shop.world.json(&["trace", "shop@local"]).ok().value();
    ways[0]["installed"][0].clone()
}

fn head(shop: &Shop) -> String {
    let git = shop.world.repository.command(&shop.world.delivery()).args(["rev-parse", "HEAD"]).output();
    String::from_utf8(git.unwrap().stdout).unwrap()
}

#[test]
fn a_release_is_installed_read_only_beside_its_dossier_and_current_leads_to_it() {
    let (shop, path) = built();
    let promoted = shop.promote().ok().value();
    let hex = text(&promoted["installed"]["release"]).trim_start_matches("sha256:").to_owned();
    assert_eq!(fs::read_link(path.join("current")).unwrap(), Path::new("releases").join(&hex));
    assert_eq!(says(&path), "v1");
    assert_eq!(releases(&path), [hex.clone(), format!("{hex}.dossier.tar")]);
    let mode = |name: &str| fs::metadata(path.join("current").join(name)).unwrap().mode() & 0o7777;
    assert_eq!((mode("."), mode("shop"), mode("notes")), (0o555, 0o555, 0o444));
    assert_eq!(entries(&path.join("current")).len(), 2);

    let dossier = path.join("releases").join(format!("{hex}.dossier.tar"));
    let root = shop.world.delivery().join("trust/root.json");
    let [dossier, root] = [&dossier, &root].map(|path| path.to_str().unwrap());
    let verified = shop.world.json(&["verify", dossier, "--root", root]).ok().value();
    assert_eq!(verified["decision"], promoted["decision"]["decision"]);

    let seen = trace(&shop);
    let file = path.join("releases").join(&hex).join("shop");
    let digest = plimsoll_model::Digest::of(&fs::read(&file).unwrap()).to_string();
    assert_eq!(text(&seen["files"][file.to_str().unwrap()]), digest);
    assert_eq!((&seen["current"], &seen["drift"]), (&Value::from(true), &serde_json::json!([])));
    let shown = shop.world.plimsoll(&["trace", "shop@local"]).ok().stdout;
    assert!(shown.contains("as decided") && shown.contains(&digest), "{shown}");
    let status = shop.world.plimsoll(&["status"]).ok().stdout;
    assert!(status.contains("here: shop@local         installed"), "{status}");
    assert!(status.contains("shop@local               serving"), "{status}");
    let stopped = shop.world.plimsoll(&["stop", "shop@local"]).ended(2);
    assert!(stopped.stderr.contains("there is nothing to stop"), "{stopped:#?}");
}

#[test]
fn the_release_before_stays_and_older_ones_go() {
    let (shop, path) = built();
    let hex = |promoted: &Value| text(&promoted["installed"]["release"])[7..].to_owned();
    let first = hex(&shop.promote().ok().value());
    let second = hex(&shop.deliver("v2"));
    assert_eq!((says(&path).as_str(), releases(&path).len()), ("v2", 4));
    assert!(releases(&path).contains(&first));
    let third = hex(&shop.deliver("v3"));
    let mut kept = [second.clone(), third.clone()].map(|hex| [format!("{hex}.dossier.tar"), hex]).concat();
    kept.sort();
    assert_eq!((says(&path).as_str(), releases(&path)), ("v3", kept.clone()));
    // The same release again takes nothing away.
    assert_eq!(hex(&shop.promote().ok().value()), third);
    assert_eq!((says(&path).as_str(), releases(&path)), ("v3", kept));
    assert_eq!(hex(&shop.world.json(&["rollback", "shop@local"]).ok().value()), second);
    assert_eq!(says(&path), "v2");
}

#[test]
fn an_installed_file_that_was_changed_is_shown_and_the_next_promotion_puts_it_right() {
    let (shop, path) = installed();
    let file = path.join("current/shop");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(&file, "#!/bin/sh\necho evil\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o555)).unwrap();
    let drift = trace(&shop)["drift"].clone();
    assert_eq!(drift[0]["code"], "E-DRIFT", "{drift}");
    let shown = shop.world.plimsoll(&["trace", "shop@local"]).ok().stdout;
    assert!(shown.contains("NOT AS DECIDED") && shown.contains("shop has another content"), "{shown}");
    shop.promote().ok();
    assert_eq!((says(&path).as_str(), &trace(&shop)["drift"]), ("v1", &serde_json::json!([])));
    // Another link is as much of a change as another file.
    fs::remove_file(path.join("current")).unwrap();
    assert_eq!(trace(&shop)["current"], Value::from(false));
    let status = shop.world.plimsoll(&["status"]).ok().stdout;
    assert!(status.contains("here: shop@local         replaced"), "{status}");
    shop.promote().ok();
    assert_eq!(says(&path), "v1");
}

/// What puts somebody else's hand into the directory that a target names.
type Hand = fn(&Path);

/// By what it is.
const HANDS: &[(&str, Hand)] = &[
    ("others may write to it", |path| {
        fs::create_dir(path).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o1777)).unwrap();
    }),
    ("its group may write above it", |path| {
        fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o775)).unwrap();
    }),
    ("it is a link", |path| {
        fs::create_dir(path.with_file_name("elsewhere")).unwrap();
        symlink("elsewhere", path).unwrap();
    }),
    ("it is a file", |path| fs::write(path, "x").unwrap()),
    ("its parent is not there", |path| fs::remove_dir(path.parent().unwrap()).unwrap()),
    ("current is a directory", |path| fs::create_dir_all(path.join("current")).unwrap()),
    ("current leads elsewhere", |path| {
        fs::create_dir(path).unwrap();
        symlink("/usr", path.join("current")).unwrap();
    }),
    ("releases is a link", |path| {
        fs::create_dir_all(path.join("other")).unwrap();
        symlink("other", path.join("releases")).unwrap();
    }),
    ("releases has something", |path| {
        fs::create_dir_all(path.join("releases")).unwrap();
        fs::write(path.join("releases/1.0"), "x").unwrap();
    }),
    ("releases says nothing that can be understood", |path| {
        fs::create_dir_all(path.join("releases")).unwrap();
        fs::write(path.join("releases/unit.json"), "{}").unwrap();
    }),
];

/// Everything below a directory, with what says whether it was touched.
fn look(path: &Path) -> Vec<(PathBuf, u32, i64, i64)> {
    let metadata = fs::symlink_metadata(path).unwrap();
    let mut seen = vec![(path.to_owned(), metadata.mode(), metadata.mtime(), metadata.mtime_nsec())];
    if metadata.is_dir() {
        entries(path).iter().for_each(|entry| seen.extend(look(entry)));
    }
    seen.sort();
    seen
}

#[test]
fn a_directory_that_others_have_a_hand_in_is_refused_before_anything_is_decided() {
    let (shop, path) = built();
    for (name, prepare) in HANDS {
        fs::remove_dir_all(place(&shop)).unwrap_or_default();
        fs::create_dir(place(&shop)).unwrap();
        fs::set_permissions(place(&shop), fs::Permissions::from_mode(0o755)).unwrap();
        prepare(&path);
        let above = shop.world.home().with_file_name("opt");
        let before = (head(&shop), above.exists().then(|| look(&above)));
        let refused = shop.promote().ended(1);
        assert_eq!(refused.codes(), ["E-TARGET-PATH"], "{name}: {refused:#?}");
        assert_eq!((head(&shop), above.exists().then(|| look(&above))), before, "{name}");
    }
    fs::remove_dir_all(place(&shop)).unwrap_or_default();
    fs::create_dir(place(&shop)).unwrap();
    fs::set_permissions(place(&shop), fs::Permissions::from_mode(0o755)).unwrap();
    shop.promote().ok();
    assert_eq!(says(&path), "v1");
}

#[test]
fn what_is_beside_the_releases_stays_and_what_is_among_them_is_refused() {
    let (shop, path) = installed();
    fs::write(path.join("README"), "ours").unwrap();
    shop.deliver("v2");
    assert_eq!(fs::read_to_string(path.join("README")).unwrap(), "ours");
    fs::write(path.join("releases/README"), "theirs").unwrap();
    let refused = shop.promote().ended(1);
    assert!(refused.parameter("E-TARGET-PATH", "problem").contains("releases/README"), "{refused:#?}");
    assert_eq!(says(&path), "v2");
}

#[test]
fn two_units_do_not_share_a_directory() {
    let shop = shop(&["staging", "production"]);
    let path = place(&shop).join("staging");
    aim(&shop, "production", &path);
    shop.world.change_delivery("environments/production/environment.yaml", |text| {
        let lines = text.lines().filter(|line| !line.contains("approvals"));
        lines.collect::<Vec<_>>().join("\n") + "\n"
    });
    shop.world.plimsoll(&["run"]).ok();
    to(&shop, "staging").ok();
    let refused = to(&shop, "production").ended(1);
    let problem = refused.parameter("E-TARGET-PATH", "problem");
    assert!(problem.contains("belongs to shop@staging"), "{problem}");
}

fn to(shop: &Shop, environment: &str) -> Ran {
    shop.world.json(&["promote", "shop", "--to", environment])
}

#[test]
fn an_environment_comes_after_one_where_the_release_is_installed() {
    let shop = shop(&["staging", "production"]);
    shop.world.change_delivery("environments/production/environment.yaml", |text| {
        let lines = text.lines().filter(|line| !line.contains("approvals"));
        lines.collect::<Vec<_>>().join("\n") + "\n"
    });
    shop.world.plimsoll(&["run"]).ok();
    to(&shop, "production").refused(&["E-AFTER"]);
    to(&shop, "staging").ok();
    let installed = place(&shop).join("staging/current/notes");
    fs::set_permissions(&installed, fs::Permissions::from_mode(0o666)).unwrap();
    to(&shop, "production").refused(&["E-AFTER"]);
    fs::set_permissions(&installed, fs::Permissions::from_mode(0o444)).unwrap();
    to(&shop, "production").ok();
    assert_eq!(says(&place(&shop).join("production")), "v1");
    // What staging has by now is another release.
    shop.commit_version("v2");
    shop.world.plimsoll(&["run"]).ok();
    to(&shop, "production").refused(&["E-AFTER"]);
}

#[test]
fn bytes_that_are_not_the_artifact_s_are_never_installed() {
    let (shop, path) = installed();
    shop.commit_version("v2");
    let run = shop.world.json(&["run"]).ok().value();
    let blob = shop.world.blob(&run["artifact"]["files"][0]["digest"]);
    fs::set_permissions(&blob, fs::Permissions::from_mode(0o644)).unwrap();
    let good = fs::read(&blob).unwrap();
    fs::write(&blob, "#!/bin/sh\necho evil\n").unwrap();
    let before = releases(&path);
    assert_eq!(shop.promote().ended(1).codes(), ["E-DIGEST"]);
    assert_eq!((says(&path).as_str(), releases(&path)), ("v1", before));
    fs::write(&blob, good).unwrap();
    shop.promote().ok();
    assert_eq!(says(&path), "v2");
}

#[test]
fn what_is_a_service_or_has_a_configuration_is_not_installed() {
    let (shop, path) = built();
    let config = shop.world.delivery().join("environments/local/shop/config");
    fs::create_dir(&config).unwrap();
    fs::write(config.join("shop.toml"), "a = 1\n").unwrap();
    let git = |arguments: &[&str]| {
        let status = shop.world.repository.command(&shop.world.delivery()).args(arguments).status();
        assert!(status.unwrap().success());
    };
    git(&["add", "-A"]);
    git(&["commit", "-qm", "a configuration"]);
    let refused = shop.promote().ended(2);
    assert!(refused.stdout.contains("has a configuration"), "{refused:#?}");
    git(&["rm", "-qr", "environments/local/shop/config"]);
    git(&["commit", "-qm", "no configuration"]);
    let image = "image: {base: scratch, files: {out/notes: /notes}, entrypoint: [/notes]}";
    shop.world.repository.write("plimsoll.yaml", pipeline(MAKE, image));
    shop.world.repository.commit("an image");
    shop.world.plimsoll(&["run"]).ok();
    let before = head(&shop);
    let refused = shop.promote().ended(2);
    assert!(refused.stdout.contains("the artifact is an image"), "{refused:#?}");
    assert_eq!((head(&shop), path.exists()), (before, false));
}

#[test]
fn what_a_killed_promotion_left_is_replaced() {
    let (shop, path) = installed();
    shop.commit_version("v2");
    shop.world.plimsoll(&["run"]).ok();
    let releases_of = |path: &Path| path.join("releases");
    fs::create_dir_all(releases_of(&path).join(".new/half")).unwrap();
    fs::write(releases_of(&path).join(".new/half/shop"), "half").unwrap();
    fs::write(releases_of(&path).join(".file"), "half").unwrap();
    symlink("nowhere", releases_of(&path).join(".current")).unwrap();
    let promoted = shop.promote().ok().value();
    assert_eq!((says(&path).as_str(), releases(&path).len()), ("v2", 4));
    // Put into its place, and nothing led there yet.
    let hex = &text(&promoted["installed"]["release"])[7..];
    fs::remove_file(releases_of(&path).join(format!("{hex}.dossier.tar"))).unwrap();
    fs::remove_file(path.join("current")).unwrap();
    shop.promote().ok();
    assert_eq!((says(&path).as_str(), releases(&path).len()), ("v2", 4));
}

/// From the moment of the promotion on, with a little more time in every round, until one comes to its end.
#[test]
fn a_promotion_that_is_killed_leaves_the_old_release_or_the_new_one() {
    let (shop, path) = installed();
    let first = run(&shop);
    shop.deliver("v2");
    let second = run(&shop);
    let mut old = "v2";
    let mut killed = 0;
    for round in 0..60 {
        let (new, run) = if old == "v2" { ("v1", &first) } else { ("v2", &second) };
        let delay = Duration::from_millis(11 * round);
        let mut child = shop.world.spawn(&["promote", "shop", "--to", "local", "--run", run]);
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("promoted") {
            line.clear();
            assert_ne!(lines.read_line(&mut line).unwrap(), 0, "it ended before it promoted");
        }
        thread::sleep(delay);
        processes::kill(child.id());
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        let ended = child.wait().unwrap().success();
        let found = says(&path);
        assert!(found == old || found == new, "after {delay:?}: {found}, and not {old} or {new}");
        let notes = fs::read_to_string(path.join("current/notes")).unwrap();
        assert_eq!(notes.trim(), found, "after {delay:?}: one release in all of its files");
        let dossier = format!("{}.dossier.tar", fs::read_link(path.join("current")).unwrap().display());
        shop.world.plimsoll(&["verify", path.join(dossier).to_str().unwrap()]).ok();
        let seen = trace(&shop);
        assert_eq!((&seen["current"], &seen["drift"]), (&Value::from(true), &serde_json::json!([])));
        journal::entries(&shop.world);
        if ended {
            break;
        }
        killed += 1;
        old = if found == "v1" { "v1" } else { "v2" };
    }
    assert!(killed > 0, "none was killed");
    shop.world.json(&["promote", "shop", "--to", "local", "--run", &first]).ok();
    assert_eq!((says(&path).as_str(), releases(&path).len()), ("v1", 4));
}

/// The newest run.
fn run(shop: &Shop) -> String {
    text(&shop.world.json(&["status"]).ok().value()["runs"][0]["run"]).to_owned()
}
