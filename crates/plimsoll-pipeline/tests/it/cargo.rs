//! The inferred pipeline ships exactly the binaries that Cargo says it builds.

use crate::Result;
use plimsoll_pipeline::{ArtifactSpec, CargoLayout, Pipeline, infer_cargo};
use std::{collections::BTreeSet, fs, path::Path, process::Command};

const PACKAGE: &str = "[package]\nname = \"my_shop\"\nversion = \"0.1.0\"\n";

/// Names of the binaries that need no feature, by `cargo metadata`.
fn by_cargo(folder: &Path) -> Result<BTreeSet<String>> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(folder);
    let output = command.output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let targets = metadata["packages"][0]["targets"].as_array().cloned().unwrap_or_default();
    let built = targets.iter().filter(|target| {
        target["kind"][0] == "bin" && target["required-features"].as_array().is_none_or(Vec::is_empty)
    });
    Ok(built.filter_map(|target| target["name"].as_str().map(str::to_owned)).collect())
}

/// Names of the binaries of the inferred pipeline.
fn by_plimsoll(manifest: &str, files: &[&str]) -> Result<BTreeSet<String>> {
    let files =
        files.iter().copied().chain(["Cargo.lock"]).map(str::parse).collect::<std::result::Result<_, _>>()?;
    let text = infer_cargo(&CargoLayout { manifest, files: &files, target: "x86_64-unknown-linux-gnu" })?;
    let pipeline = Pipeline::read("plimsoll.yaml", text.as_bytes())?;
    let ArtifactSpec::Files(files) = pipeline.artifact else { return Ok(BTreeSet::new()) };
    Ok(files.iter().map(|path| path.file_name().to_owned()).collect())
}

#[test]
fn the_binaries_are_those_of_cargo() -> Result<()> {
    let edition = "edition = \"2021\"\n";
    let server = "[[bin]]\nname = \"server\"\npath = \"src/main.rs\"\n";
    let cases: &[(&str, String, &[&str])] = &[
        ("main", format!("{PACKAGE}{edition}"), &["src/main.rs"]),
        ("library-too", format!("{PACKAGE}{edition}"), &["src/lib.rs", "src/main.rs"]),
        (
            "several",
            format!("{PACKAGE}{edition}"),
            &["src/main.rs", "src/bin/a.rs", "src/bin/b/main.rs", "src/bin/b/part.rs", "src/bin/c/other.rs"],
        ),
        ("renamed", format!("{PACKAGE}{edition}{server}"), &["src/main.rs", "src/bin/a.rs"]),
        ("first-edition", format!("{PACKAGE}{server}"), &["src/main.rs", "src/bin/a.rs"]),
        ("first-edition-alone", PACKAGE.to_owned(), &["src/main.rs", "src/bin/a.rs"]),
        (
            "first-edition-autobins",
            format!("{PACKAGE}autobins = true\n{server}"),
            &["src/main.rs", "src/bin/a.rs"],
        ),
        (
            "no-autobins",
            format!("{PACKAGE}{edition}autobins = false\n{server}"),
            &["src/main.rs", "src/bin/a.rs"],
        ),
        (
            "named-again",
            format!("{PACKAGE}{edition}[[bin]]\nname = \"a\"\n"),
            &["src/main.rs", "src/bin/a.rs"],
        ),
        (
            "dotted-path",
            format!("{PACKAGE}{edition}[[bin]]\nname = \"server\"\npath = \"./src/main.rs\"\n"),
            &["src/main.rs"],
        ),
        (
            "with-features",
            format!(
                "{PACKAGE}{edition}[[bin]]\nname = \"a\"\nrequired-features = [\"x\"]\n[features]\nx = []\n"
            ),
            &["src/main.rs", "src/bin/a.rs"],
        ),
        (
            "no-features",
            format!("{PACKAGE}{edition}[[bin]]\nname = \"a\"\nrequired-features = []\n"),
            &["src/main.rs", "src/bin/a.rs"],
        ),
    ];
    for (name, manifest, files) in cases {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("binaries").join(name);
        let _ = fs::remove_dir_all(&folder);
        for file in *files {
            let path = folder.join(file);
            fs::create_dir_all(path.parent().unwrap_or(&folder))?;
            fs::write(path, "fn main() {}\n")?;
        }
        // A workspace of its own, whatever lies above the target directory.
        let manifest = format!("{manifest}[workspace]\n");
        fs::write(folder.join("Cargo.toml"), &manifest)?;
        assert_eq!(by_plimsoll(&manifest, files)?, by_cargo(&folder)?, "{name}");
    }
    Ok(())
}
