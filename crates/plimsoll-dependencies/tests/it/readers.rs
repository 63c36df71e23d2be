//! What each reader makes of a small lock file of its tool.

use crate::show::{bytes, fixture};
use insta::assert_snapshot;

#[test]
fn cargo_names_every_package_with_its_lines_and_what_it_asks_for() {
    assert_snapshot!(fixture("cargo/v4/Cargo.lock"));
}

#[test]
fn cargo_of_format_1_has_its_checksums_at_the_end() {
    assert_snapshot!(fixture("cargo/v1/Cargo.lock"));
}

#[test]
fn cargo_entries_that_are_missing_or_ambiguous_make_it_incomplete() {
    let text = b"[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = [\"b\"]\n";
    assert_snapshot!(bytes("Cargo.lock", text));
    assert_snapshot!(bytes("Cargo.lock", b"[[package]"));
}
