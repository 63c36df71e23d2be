//! `docs/files.md` and `docs/schemas/` are what the readers are made of. `UPDATE_GOLDEN=1 cargo test -p
//! plimsoll-pipeline` writes them anew.
#![expect(clippy::disallowed_methods, reason = "a test of files reads them; the library does not")]

use plimsoll_pipeline::schema::{reference, schemas};
use std::{fs, path::PathBuf};

fn golden(path: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(path);
    if std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text,
        "{} is out of date: UPDATE_GOLDEN=1 cargo test -p plimsoll-pipeline",
        path.display()
    );
}

#[test]
fn the_schemas_are_those_of_the_readers() {
    for file in schemas() {
        let text = serde_json::to_string_pretty(&file.schema).unwrap() + "\n";
        golden(&format!("schemas/{}", file.name), &text);
    }
}

#[test]
fn the_reference_page_is_that_of_the_readers() {
    golden("files.md", &reference());
}
