//! Prints what the rules of a file of gitleaks match in the files below a directory, as `rule<TAB>path<TAB>line`, for
//! comparing with what gitleaks itself finds by the same file:
//!
//! ```sh
//! cargo run --release -p plimsoll-scan --example imported -- gitleaks.toml TREE | sort
//! gitleaks dir TREE --config gitleaks.toml --max-decode-depth 0 --report-format json --report-path report.json
//! ```
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "this reads a tree, and stops when it cannot"
)]

use plimsoll_model::ScanEngine;
use plimsoll_scan::{
    ruleset::{RuleFile, RuleSet},
    secrets::imported::Imported,
};
use std::{env, fs, path::Path};

fn main() {
    let [rules, tree] = [1, 2].map(|index| env::args().nth(index).expect("RULES and TREE"));
    let text = fs::read_to_string(rules).expect("the rules");
    let files = vec![RuleFile { name: "rules".into(), text }];
    let imported = Imported::read(&RuleSet::new(ScanEngine::Secrets, files)).expect("rules that can be used");
    look(&imported, Path::new(&tree), Path::new(&tree));
}

fn look(imported: &Imported, root: &Path, at: &Path) {
    if at.is_symlink() {
        return;
    }
    if at.is_dir() {
        let mut entries: Vec<_> =
            fs::read_dir(at).expect("a directory").flatten().map(|entry| entry.path()).collect();
        entries.sort();
        return entries.iter().for_each(|entry| look(imported, root, entry));
    }
    let bytes = fs::read(at).expect("a file");
    let path = at.strip_prefix(root).expect("a path below").to_string_lossy();
    for (rule, range) in imported.matches(&path, &bytes) {
        let line = bytes[..range.start].iter().filter(|byte| **byte == b'\n').count() + 1;
        println!("{rule}\t{path}\t{line}");
    }
}
