//! Files that no tool wrote. Each is read or is a gap, in time and memory that its size bounds; none is silence.

use crate::show::bytes;
use plimsoll_dependencies::Inventory;
use proptest::prelude::*;
use std::fmt::Write as _;

/// One file of each format, as its tool writes it.
const FIXTURES: &[&str] = &[
    "cargo/v1/Cargo.lock",
    "cargo/v4/Cargo.lock",
    "npm/v1/package-lock.json",
    "npm/v3/package-lock.json",
    "pnpm/v7/pnpm-lock.yaml",
    "pnpm/v8/pnpm-lock.yaml",
    "pnpm/v9/pnpm-lock.yaml",
    "yarn/classic/yarn.lock",
    "yarn/berry/yarn.lock",
    "python/poetry/poetry.lock",
    "python/uv/uv.lock",
    "python/pdm/pdm.lock",
    "python/pipenv/Pipfile.lock",
    "python/pip-compile/requirements.txt",
    "python/uv/pylock.toml",
    "go/tidy/go.mod",
    "java/gradle.lockfile",
    "java/pom.xml",
    "ruby/Gemfile.lock",
    "php/composer.lock",
    "dotnet/packages.lock.json",
    "dotnet/project.assets.json",
    "dotnet/shop.deps.json",
    "artifacts/var/lib/dpkg/status",
    "artifacts/lib/apk/db/installed",
];

fn read(path: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn what_is_no_lock_file_is_a_gap() {
    for path in FIXTURES {
        for broken in [&b"\xff\xfe\x00"[..], b"<", b"{", b"[[", b"- &a [*a]"] {
            let mut inventory = Inventory::new();
            assert!(inventory.add(path, broken));
            let found = inventory.finish();
            assert_eq!(found.coverage.gaps.len(), 1, "{path} {broken:?}");
        }
    }
}

#[test]
fn a_file_larger_than_any_honest_one_is_a_gap() {
    let big = vec![b'\n'; plimsoll_dependencies::inventory::MAX_BYTES + 1];
    assert!(bytes("Cargo.lock", &big).starts_with("gap: it has 33554433 bytes"));
    let many = "a:a:1=\n".repeat(200_001);
    assert_eq!(bytes("gradle.lockfile", many.as_bytes()), "gap: it has more than 200000 packages");
}

#[test]
fn a_name_that_everybody_shares_does_not_multiply() {
    let mut lock = String::new();
    for at in 0..1000 {
        let _ = write!(
            lock,
            "[[package]]\nname = \"a\"\nversion = \"{at}\"\n[package.dependencies]\na = \"*\"\n"
        );
    }
    assert!(bytes("poetry.lock", lock.as_bytes()).starts_with("gap: it has more than 800000 dependencies"));
}

#[test]
fn a_cycle_is_normal() {
    let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = [\"b\"]\n\
        [[package]]\nname = \"b\"\nversion = \"1.0.0\"\ndependencies = [\"a\"]\n";
    let shown = bytes("Cargo.lock", lock.as_bytes());
    assert!(shown.contains("-> b") && shown.contains("-> a"), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_are_read_or_refused(content in prop::collection::vec(any::<u8>(), 0..400)) {
        for path in FIXTURES {
            let mut inventory = Inventory::new();
            inventory.add(path, &content);
            let _ = inventory.finish();
        }
    }

    /// A byte changed, a part taken out or doubled: still no panic, and all indices lead somewhere.
    #[test]
    fn mutated_files_are_read_or_refused(which in 0..FIXTURES.len(), at in any::<prop::sample::Index>(),
        length in 0..40_usize, byte in any::<u8>(), way in 0..3) {
        let path = FIXTURES[which];
        let mut content = read(path);
        let start = at.index(content.len());
        let end = (start + length).min(content.len());
        match way {
            0 => content[start] = byte,
            1 => drop(content.drain(start..end)),
            _ => {
                let part = content[start..end].to_vec();
                drop(content.splice(start..start, part));
            }
        }
        let mut inventory = Inventory::new();
        inventory.add(path, &content);
        for file in inventory.finish().graphs {
            let count = file.graph.components.len();
            prop_assert!(file.graph.edges.iter().all(|(from, to)| *from < count && *to < count));
            let paths = file.graph.paths();
            prop_assert!((0..count).all(|at| paths.to(at).is_none_or(|path| path.last() == Some(&at))));
        }
    }
}
