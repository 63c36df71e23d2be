use super::*;
use crate::pipeline::{ArtifactSpec, Pipeline};

const TARGET: &str = "x86_64-unknown-linux-gnu";

fn infer(manifest: &str, files: &[&str]) -> Result<String, InferError> {
    let files = files.iter().map(|path| path.parse().unwrap()).collect();
    infer_cargo(&CargoLayout { manifest, files: &files, target: TARGET })
}

/// The names of the binaries of the inferred pipeline.
fn check(manifest: &str, files: &[&str], expect: &[&str]) {
    let text = infer(manifest, files).unwrap();
    let pipeline = Pipeline::read("plimsoll.yaml", text.as_bytes())
        .unwrap_or_else(|errors| panic!("{}", errors.render()));
    let ArtifactSpec::Files(files) = &pipeline.artifact else { panic!("not files") };
    let names: Vec<_> = files.iter().map(RelPath::file_name).collect();
    assert_eq!(names, expect, "{manifest}");
}

#[test]
fn a_package_with_a_binary_gets_this_pipeline() {
    let text = infer("[package]\nname = \"shop\"\n", &["Cargo.lock", "Cargo.toml", "src/main.rs"]).unwrap();
    insta::assert_snapshot!(text);
}

#[test]
fn binaries_are_those_that_cargo_builds() {
    let package = "[package]\nname = \"my_Shop\"\nedition = \"2024\"\n";
    check(package, &["Cargo.lock", "src/main.rs"], &["my_Shop"]);
    check(
        package,
        &["Cargo.lock", "src/lib.rs", "src/bin/a.rs", "src/bin/b/main.rs", "src/bin/b/c.rs"],
        &["a", "b"],
    );
    check(
        &format!("{package}[[bin]]\nname = \"server\"\npath = \"src/main.rs\"\n"),
        &["Cargo.lock", "src/main.rs"],
        &["server"],
    );
    check(
        &format!("{package}[[bin]]\nname = \"x\"\nrequired-features = [\"y\"]\n"),
        &["Cargo.lock", "src/main.rs", "src/bin/x.rs"],
        &["my_Shop"],
    );
    check(
        "[package]\nname = \"a\"\nautobins = false\n[[bin]]\nname = \"only\"\npath = \"x.rs\"\n",
        &["Cargo.lock", "src/main.rs", "src/bin/x.rs"],
        &["only"],
    );
    check(
        "[workspace]\nmembers = [\"b\"]\n[package]\nname = \"a\"\n",
        &["Cargo.lock", "src/main.rs"],
        &["a"],
    );
    check("[package]\nname = \"2048\"\n", &["Cargo.lock", "src/main.rs"], &["2048"]);
}

#[test]
fn where_the_manifest_does_not_say_what_is_shipped_nothing_is_guessed() {
    let package = "[package]\nname = \"a\"\n";
    for (manifest, files, expect) in [
        (package, &["src/main.rs"][..], "there is no Cargo.lock"),
        (package, &["Cargo.lock", "src/lib.rs"], "the package `a` is a library without a binary"),
        ("[workspace]\nmembers = [\"x\", \"y\"]\n", &["Cargo.lock"], "(members: x, y)"),
        ("", &[], "neither `[package]` nor `[workspace]`"),
        ("[package]\n", &[], "`package.name` is missing"),
        ("[package\n", &[], "Cargo.toml cannot be read"),
        ("[package]\nname = \"ä\"\n", &["Cargo.lock", "src/main.rs"], "cannot be a project name"),
        (
            "[package]\nname = \"a\"\n[[bin]]\nname = \"../../etc\"\n",
            &["Cargo.lock"],
            "`../../etc` is not the name of a binary",
        ),
    ] {
        let error = infer(manifest, files).unwrap_err().to_string();
        assert!(error.contains(expect), "{manifest}: {error}");
    }
}

#[test]
fn a_hostile_manifest_cannot_write_yaml() {
    let manifest = "[package]\nname = \"a\\nevidence: []\"\n";
    assert!(infer(manifest, &["Cargo.lock", "src/main.rs"]).is_err());
}

proptest::proptest! {
    #[test]
    fn any_manifest_ends_in_a_pipeline_that_is_read_or_in_an_error(name in "\\PC{0,12}", bin in "\\PC{0,12}", junk in "\\PC{0,40}") {
        let manifest = format!("[package]\nname = {name:?}\n[[bin]]\nname = {bin:?}\n{junk}\n");
        if let Ok(text) = infer(&manifest, &["Cargo.lock", "src/main.rs"]) {
            proptest::prop_assert!(Pipeline::read("plimsoll.yaml", text.as_bytes()).is_ok(), "{}", text);
        }
    }
}
