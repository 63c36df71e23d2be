//! `docs/files.md` and `docs/schemas/` are what the readers are made of. `UPDATE_GOLDEN=1 cargo test -p
//! plimsoll-pipeline` writes them anew.

use crate::Result;
use plimsoll_pipeline::schema::{reference, schemas};
use std::{fs, path::PathBuf};

fn golden(path: &str, text: &str) -> Result<()> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(path);
    if std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1") {
        fs::write(&path, text)?;
    }
    let written = fs::read_to_string(&path)?;
    assert!(
        written == text,
        "{} is out of date: UPDATE_GOLDEN=1 cargo test -p plimsoll-pipeline",
        path.display()
    );
    Ok(())
}

#[test]
fn the_schemas_are_those_of_the_readers() -> Result<()> {
    for file in schemas() {
        let text = serde_json::to_string_pretty(&file.schema)? + "\n";
        golden(&format!("schemas/{}", file.name), &text)?;
    }
    Ok(())
}

#[test]
fn the_reference_page_is_that_of_the_readers() -> Result<()> {
    golden("files.md", &reference())
}
