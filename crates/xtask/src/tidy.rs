//! What the compiler lets pass: source and test files that no `mod` names, tests that are switched off, notes to
//! ourselves, crates without the workspace's lints, `unsafe` outside the one crate that is reviewed for it, and controls
//! that no test removes.

use crate::project::{Project, Result};
use cargo_metadata::Package;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    str::FromStr,
};

/// The only crate whose sources may contain `unsafe`.
const UNSAFE_CRATE: &str = "plimsoll-sandbox";
/// The folder of the tests that remove each control that can be removed.
const SENSITIVITY: &str = "crates/plimsoll/tests/sensitivity";
/// Spelt in halves, so that this file passes its own check.
const NOTES: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];

/// Everything untidy in the Rust files of all crates.
pub(crate) fn check(project: &Project) -> Result<Vec<String>> {
    let files = project.files_with("rs")?;
    let (mut found, mut all) = (Vec::new(), BTreeMap::new());
    for package in project.metadata.workspace_packages() {
        let folder = package.manifest_path.parent().ok_or("a manifest without a folder")?;
        let folder = folder.strip_prefix(&project.metadata.workspace_root)?.as_std_path();
        found.extend(own_lints(&package.name, &std::fs::read_to_string(&package.manifest_path)?));
        let mut sources = BTreeMap::new();
        for file in files.iter().filter(|file| file.starts_with(folder)) {
            let text = std::fs::read_to_string(project.root().join(file))?;
            found.extend(notes(file, &text));
            sources.insert(file.clone(), Source::parse(file, &text)?);
        }
        let forbidden = sources.iter().flat_map(|(file, source)| source.forbidden(package, file));
        found.extend(forbidden);
        found.extend(forgotten(folder, &roots(project, package)?, &sources));
        all.extend(sources);
    }
    found.extend(controls(&all));
    Ok(found)
}

/// Controls that stand in two places, so that no single one is what stops the attack, or that no test removes.
fn controls(sources: &BTreeMap<PathBuf, Source>) -> Vec<String> {
    let tests = sources.iter().filter(|(file, _)| file.starts_with(SENSITIVITY));
    let tested: BTreeSet<&String> = tests.flat_map(|(_, source)| &source.strings).collect();
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for (file, source) in sources {
        for (line, control) in &source.removed {
            let place = format!("{}:{line}: the control `{control}`", file.display());
            if !seen.insert(control) {
                found.push(format!("{place} stands in another place too"));
            } else if !tested.contains(control) {
                found.push(format!("{place} is not removed by any test of {SENSITIVITY}"));
            }
        }
    }
    found
}

/// A crate with lints of its own is held by none of the workspace's.
fn own_lints(name: &str, manifest: &str) -> Option<String> {
    let shared = manifest.contains("\n[lints]\nworkspace = true\n") || name == UNSAFE_CRATE;
    (!shared).then(|| format!("{name}: its Cargo.toml lacks `[lints]` with `workspace = true`"))
}

fn notes(file: &Path, text: &str) -> Vec<String> {
    let has_note = |line: &&str| NOTES.iter().any(|note| line.contains(note));
    let lines = text.lines().enumerate().filter(|(_, line)| has_note(line));
    lines
        .map(|(at, _)| format!("{}:{}: a note to ourselves: do it or drop it", file.display(), at + 1))
        .collect()
}

/// Files that cargo compiles by itself.
fn roots(project: &Project, package: &Package) -> Result<BTreeSet<PathBuf>> {
    let relative = |path: &cargo_metadata::camino::Utf8Path| {
        path.strip_prefix(&project.metadata.workspace_root).map(|path| path.as_std_path().to_path_buf())
    };
    Ok(package
        .targets
        .iter()
        .map(|target| relative(&target.src_path))
        .collect::<std::result::Result<_, _>>()?)
}

/// Files that neither cargo, nor a `mod`, nor the text of a reachable file names.
fn forgotten(folder: &Path, roots: &BTreeSet<PathBuf>, sources: &BTreeMap<PathBuf, Source>) -> Vec<String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<PathBuf> = roots.iter().cloned().collect();
    while let Some(file) = open.pop() {
        let Some(source) = sources.get(&file) else { continue };
        if reached.insert(file.clone()) {
            open.extend(source.modules(&file, roots.contains(&file)));
            let named = |other: &&PathBuf| source.names(&file, folder, other);
            open.extend(sources.keys().filter(named).cloned());
        }
    }
    let lost = sources.keys().filter(|file| !reached.contains(*file));
    lost.map(|file| format!("{}: never compiled: no `mod` names it", file.display())).collect()
}

/// What the checks need of one file, from its tokens: comments and the insides of strings do not count.
#[derive(Default)]
struct Source {
    /// Files that `mod x;` can mean, relative to the folder of submodules, or to the file's own with `#[path]`.
    modules: Vec<Module>,
    strings: Vec<String>,
    /// Line and what is wrong there.
    forbidden: Vec<(usize, &'static str)>,
    unsafe_lines: Vec<usize>,
    /// Line and name of each `removed!("name")`.
    removed: Vec<(usize, String)>,
}

struct Module {
    within: PathBuf,
    name: String,
    path: Option<String>,
}

impl Source {
    fn parse(file: &Path, text: &str) -> Result<Self> {
        let tokens = TokenStream::from_str(text).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut source = Self::default();
        source.read(tokens, Path::new(""));
        Ok(source)
    }

    fn read(&mut self, tokens: TokenStream, within: &Path) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut path = None;
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Ident(word) => {
                    self.word(&word.to_string(), word.span().start().line, tokens.get(at + 1));
                    if word == "mod" {
                        self.module(&tokens[at..], within, path.take());
                    }
                    if word == "registry" {
                        self.registry(&tokens[at..], within);
                    }
                    if word == "removed" {
                        self.control(&tokens[at..]);
                    }
                }
                TokenTree::Literal(literal) => self.strings.extend(string(&literal.to_string())),
                TokenTree::Group(group) => {
                    let attribute =
                        at > 0 && is_punct(&tokens[at - 1], '#') && group.delimiter() == Delimiter::Bracket;
                    if attribute {
                        path = path_attribute(group.stream()).or(path);
                        self.attribute(group.stream());
                    }
                    self.read(group.stream(), &inline_module(&tokens[..at], within));
                }
                TokenTree::Punct(_) => {}
            }
        }
    }

    fn word(&mut self, word: &str, line: usize, next: Option<&TokenTree>) {
        match word {
            "unsafe" | "unsafe_code" => self.unsafe_lines.push(line),
            "todo" | "unimplemented" if next.is_some_and(|next| is_punct(next, '!')) => {
                self.forbidden.push((line, "unfinished code"));
            }
            _ => {}
        }
    }

    /// Finds `ignore` in `#[ignore]`, `#[ignore = "…"]` and inside `cfg_attr`.
    fn attribute(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Ident(word) if word == "ignore" => {
                    self.forbidden.push((word.span().start().line, "a test that is switched off"));
                }
                TokenTree::Group(group) => self.attribute(group.stream()),
                _ => {}
            }
        }
    }

    fn module(&mut self, tokens: &[TokenTree], within: &Path, path: Option<String>) {
        if let [_, TokenTree::Ident(name), end, ..] = tokens
            && is_punct(end, ';')
        {
            self.modules.push(Module { within: within.to_owned(), name: name.to_string(), path });
        }
    }

    /// The modules of a `registry! { one, two }`: the macro declares one of each name.
    fn registry(&mut self, tokens: &[TokenTree], within: &Path) {
        if let [_, not, TokenTree::Group(group), ..] = tokens
            && is_punct(not, '!')
        {
            let names = group.stream().into_iter().filter_map(|token| match token {
                TokenTree::Ident(name) => Some(name.to_string()),
                TokenTree::Group(_) | TokenTree::Literal(_) | TokenTree::Punct(_) => None,
            });
            self.modules.extend(names.map(|name| Module { within: within.to_owned(), name, path: None }));
        }
    }

    fn control(&mut self, tokens: &[TokenTree]) {
        if let [word, not, TokenTree::Group(group), ..] = tokens
            && is_punct(not, '!')
            && let [TokenTree::Literal(name)] = group.stream().into_iter().collect::<Vec<_>>().as_slice()
        {
            self.removed.extend(string(&name.to_string()).map(|name| (word.span().start().line, name)));
        }
    }

    fn modules(&self, file: &Path, is_root: bool) -> Vec<PathBuf> {
        let folder = file.parent().unwrap_or(Path::new(""));
        let owns_folder = is_root || file.file_name().is_some_and(|name| name == "mod.rs");
        let below = if owns_folder { folder.to_owned() } else { file.with_extension("") };
        let candidates = |module: &Module| match &module.path {
            Some(path) => vec![folder.join(path)],
            None => {
                let stem = below.join(&module.within).join(&module.name);
                vec![stem.with_extension("rs"), stem.join("mod.rs")]
            }
        };
        self.modules.iter().flat_map(candidates).collect()
    }

    /// Whether a string of this file names `other`: `include!`, or the glob of a compile-fail test.
    fn names(&self, file: &Path, folder: &Path, other: &Path) -> bool {
        let beside = file.parent().and_then(|parent| other.strip_prefix(parent).ok());
        let in_crate = other.strip_prefix(folder).ok();
        let matches = |written: &Path, path: &Path| {
            written == path
                || (written.file_name().is_some_and(|n| n == "*.rs") && written.parent() == path.parent())
        };
        let named = |written: &String| {
            [beside, in_crate].iter().flatten().any(|path| matches(Path::new(written), path))
        };
        self.strings.iter().filter(|written| written.ends_with(".rs")).any(named)
    }

    fn forbidden(&self, package: &Package, file: &Path) -> Vec<String> {
        let unsafe_lines = self.unsafe_lines.iter().filter(|_| package.name != UNSAFE_CRATE);
        let lines = unsafe_lines.map(|line| (*line, "`unsafe` outside plimsoll-sandbox"));
        let all = self.forbidden.iter().copied().chain(lines);
        all.map(|(line, what)| format!("{}:{line}: {what}", file.display())).collect()
    }
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

/// The inside of a plain string literal.
fn string(literal: &str) -> Option<String> {
    Some(literal.strip_prefix('"')?.strip_suffix('"')?.to_owned())
}

fn path_attribute(tokens: TokenStream) -> Option<String> {
    match tokens.into_iter().collect::<Vec<_>>().as_slice() {
        [TokenTree::Ident(name), equals, TokenTree::Literal(path)]
            if name == "path" && is_punct(equals, '=') =>
        {
            string(&path.to_string())
        }
        _ => None,
    }
}

/// Where `mod x;` looks inside the braces that follow `before`: one folder deeper when that is `mod name {`.
fn inline_module(before: &[TokenTree], within: &Path) -> PathBuf {
    match before {
        [.., TokenTree::Ident(keyword), TokenTree::Ident(name)] if keyword == "mod" => {
            within.join(name.to_string())
        }
        _ => within.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package() -> Package {
        let metadata = Project::open().unwrap().metadata;
        metadata.workspace_packages().into_iter().find(|p| p.name == "xtask").unwrap().clone()
    }

    #[test]
    fn the_project_is_tidy() {
        let found = check(&Project::open().unwrap()).unwrap();
        assert!(found.is_empty(), "{}", found.join("\n"));
    }

    fn forbidden(text: &str, expect: &[&str]) {
        let file = Path::new("x.rs");
        assert_eq!(Source::parse(file, text).unwrap().forbidden(&package(), file), expect, "{text}");
    }

    #[test]
    fn switched_off_tests_and_unsafe_code_are_found_in_code_only() {
        forbidden("fn f() { unsafe { g() } }", &["x.rs:1: `unsafe` outside plimsoll-sandbox"]);
        forbidden("#![allow(unsafe_code)]", &["x.rs:1: `unsafe` outside plimsoll-sandbox"]);
        forbidden(
            "macro_rules! m { () => { unsafe { g() } } }",
            &["x.rs:1: `unsafe` outside plimsoll-sandbox"],
        );
        forbidden("\n#[ignore = \"slow\"] #[test] fn t() {}", &["x.rs:2: a test that is switched off"]);
        forbidden("#[cfg_attr(feature = \"x\", ignore)] fn t() {}", &["x.rs:1: a test that is switched off"]);
        forbidden("fn f() { todo!() }", &["x.rs:1: unfinished code"]);
        forbidden("// unsafe #[ignore] todo!()\nfn f() -> &'static str { \"unsafe\" }", &[]);
        forbidden("fn ignore(todo: u8) -> u8 { todo }", &[]);
    }

    #[test]
    fn notes_to_ourselves_are_found_in_comments() {
        let text = format!("fn f() {{}}\n// {} later\n", NOTES[0]);
        assert_eq!(notes(Path::new("x.rs"), &text), ["x.rs:2: a note to ourselves: do it or drop it"]);
    }

    #[test]
    fn every_control_that_can_be_removed_stands_once_and_is_removed_by_a_test() {
        let check = |code: &str, expect: &[&str]| {
            let parse = |(path, text): (&str, &str)| {
                (PathBuf::from(path), Source::parse(Path::new(path), text).unwrap())
            };
            let test = format!("{SENSITIVITY}/main.rs");
            let sources = [("x.rs", code), (&test, "fn t() { twins(\"hash\") }")].map(parse).into();
            assert_eq!(controls(&sources), expect, "{code}");
        };
        check("fn f() { if !removed!(\"hash\") && a != b { g() } }", &[]);
        check(
            "fn f() { removed!(\"role\") }",
            &["x.rs:1: the control `role` is not removed by any test of crates/plimsoll/tests/sensitivity"],
        );
        check(
            "fn f() { removed!(\"hash\") }\nfn g() { removed!(\"hash\") }",
            &["x.rs:2: the control `hash` stands in another place too"],
        );
        check("// removed!(\"role\")\nfn removed() { removed(\"role\") }", &[]);
    }

    #[test]
    fn every_crate_but_one_has_the_lints_of_the_workspace() {
        assert_eq!(own_lints("plimsoll-fs", "[package]\n\n[lints]\nworkspace = true\n"), None);
        assert_eq!(own_lints("plimsoll-sandbox", "[lints.rust]\nunsafe_code = \"allow\"\n"), None);
        let expect = "plimsoll-fs: its Cargo.toml lacks `[lints]` with `workspace = true`";
        assert_eq!(
            own_lints("plimsoll-fs", "[lints.rust]\nunsafe_code = \"allow\"\n").as_deref(),
            Some(expect)
        );
    }

    fn lost(files: &[(&str, &str)], expect: &[&str]) {
        let parse = |(path, text): &(&str, &str)| {
            (Path::new("c").join(path), Source::parse(Path::new(path), text).unwrap())
        };
        let sources = files.iter().map(parse).collect();
        let roots = BTreeSet::from([PathBuf::from("c/src/lib.rs"), PathBuf::from("c/tests/main.rs")]);
        let expect: Vec<_> =
            expect.iter().map(|file| format!("c/{file}: never compiled: no `mod` names it")).collect();
        assert_eq!(forgotten(Path::new("c"), &roots, &sources), expect);
    }

    #[test]
    fn a_file_that_no_module_names_is_forgotten() {
        lost(&[("src/lib.rs", "mod a; pub mod b { mod c; }"), ("src/a.rs", ""), ("src/b/c.rs", "")], &[]);
        lost(&[("src/lib.rs", "mod a;"), ("src/a.rs", ""), ("src/b.rs", "")], &["src/b.rs"]);
        lost(&[("src/lib.rs", "mod a;"), ("src/a/mod.rs", "mod b;"), ("src/a/b.rs", "")], &[]);
        lost(&[("src/lib.rs", "mod a;"), ("src/a.rs", "mod b;"), ("src/b.rs", "")], &["src/b.rs"]);
        lost(&[("src/lib.rs", "// mod a;"), ("src/a.rs", "")], &["src/a.rs"]);
        let registry = "macro_rules! registry { ($($n:ident),*) => { $(mod $n;)* } } registry! { a, b }";
        let files = [("src/lib.rs", registry), ("src/a.rs", ""), ("src/b.rs", ""), ("src/c.rs", "")];
        lost(&files, &["src/c.rs"]);
    }

    #[test]
    fn a_test_file_is_reached_by_module_path_include_or_glob() {
        lost(&[("tests/main.rs", "mod escape;"), ("tests/escape.rs", "")], &[]);
        lost(&[("tests/main.rs", ""), ("tests/escape.rs", "")], &["tests/escape.rs"]);
        lost(&[("tests/main.rs", "#[path = \"x/y.rs\"] mod z;"), ("tests/x/y.rs", "")], &[]);
        lost(&[("tests/main.rs", "include!(\"x.rs\");"), ("tests/x.rs", "")], &[]);
        let glob = "fn f(t: T) { t.compile_fail(\"tests/forge/*.rs\"); }";
        lost(&[("tests/main.rs", glob), ("tests/forge/permit.rs", "")], &[]);
    }
}
