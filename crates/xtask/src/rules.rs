//! `docs/rules/`: one page for each rule of the scanners, written from the rule itself, and a list of them. The committed
//! pages equal what the rules say, so that nobody reads of a rule that does not exist.

use crate::project::{Project, Result};
use plimsoll_scan::Rule;
use std::{collections::BTreeMap, fs, path::Path};

/// The folder, below the root of the checkout.
const FOLDER: &str = "docs/rules";

const OPENING: &str = "\
# Rules

What `plimsoll scan` looks for. `plimsoll explain RULE` prints one page. These pages are generated from the rules by
`cargo xtask rules`.
";

/// Writes the pages, and removes those of rules that are no more.
pub(crate) fn write(project: &Project) -> Result<()> {
    let folder = project.root().join(FOLDER);
    let expect = pages();
    for path in found(&folder)?.keys().filter(|path| !expect.contains_key(*path)) {
        fs::remove_file(folder.join(path))?;
    }
    for (path, text) in expect {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap_or(&folder))?;
        fs::write(file, text)?;
    }
    Ok(())
}

/// What differs from what the rules say.
pub(crate) fn check(project: &Project) -> Result<Vec<String>> {
    Ok(differences(&pages(), &found(&project.root().join(FOLDER))?))
}

fn differences(expect: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> Vec<String> {
    let changed = expect.iter().filter(|(path, text)| found.get(*path) != Some(*text)).map(|(path, _)| path);
    let gone = found.keys().filter(|path| !expect.contains_key(*path));
    changed
        .chain(gone)
        .map(|path| format!("{FOLDER}/{path}: not what the rules say: cargo xtask rules"))
        .collect()
}

/// Every page by its path below the folder.
fn pages() -> BTreeMap<String, String> {
    let rules = rules();
    let mut pages: BTreeMap<_, _> =
        rules.iter().map(|rule| (format!("{}.md", rule.id), plimsoll_scan::page(rule))).collect();
    pages.insert("README.md".into(), list(&rules));
    pages
}

/// Every rule of every scanner, in order of its name.
fn rules() -> Vec<&'static Rule> {
    let mut rules = plimsoll_scan::secrets::rules();
    rules.extend(plimsoll_config::rules());
    rules.extend(plimsoll_dependencies::rules());
    rules.extend(plimsoll_scan::malware::rules());
    rules.sort_by_key(|rule| rule.id);
    rules
}

fn list(rules: &[&Rule]) -> String {
    let mut text = OPENING.to_owned();
    let mut engine = "";
    for rule in rules {
        let (of, _) = rule.id.split_once('/').unwrap_or_default();
        if of != engine {
            text.push_str(&format!("\n## {of}\n\n| rule | | severity |\n|---|---|---|\n"));
            engine = of;
        }
        text.push_str(&format!("| [{}]({}.md) | {} | {} |\n", rule.id, rule.id, rule.title, rule.severity));
    }
    text
}

/// The committed pages.
fn found(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let entry = entry?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            match entry.file_type()?.is_dir() {
                true => folders.push((entry.path(), format!("{path}/"))),
                false => drop(found.insert(path, fs::read_to_string(entry.path())?)),
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_missing_changed_or_left_over_is_told() {
        let expect: BTreeMap<String, String> = [("a/b.md", "b"), ("README.md", "list")]
            .map(|(path, text)| (path.to_owned(), text.to_owned()))
            .into();
        assert!(differences(&expect, &expect).is_empty());
        let mut other = expect.clone();
        other.remove("a/b.md");
        other.insert("README.md".into(), "another list".into());
        other.insert("a/old.md".into(), "old".into());
        assert_eq!(differences(&expect, &other).len(), 3);
    }

    #[test]
    fn every_rule_has_a_name_of_its_own_and_a_page_with_its_help() {
        let rules = rules();
        let mut names: Vec<_> = rules.iter().map(|rule| rule.id).collect();
        names.dedup();
        assert_eq!(names.len(), rules.len());
        assert!(rules.iter().all(|rule| pages()[&format!("{}.md", rule.id)].contains(rule.help.trim())));
    }
}
