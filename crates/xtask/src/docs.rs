//! Documents that stay true: every path, link and `plimsoll` command in the project's Markdown exists, and generated
//! pages are what they are generated from.

use crate::{
    project::{Project, Result},
    reasons, rules,
};
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
    process::Command,
};

/// Everything in the documents that does not exist or is stale.
pub(crate) fn check(project: &Project) -> Result<Vec<String>> {
    let tree = Tree::new(project.files()?);
    let (mut documents, mut found) = (BTreeMap::new(), Vec::new());
    for file in project.files_with("md")?.into_iter().filter(|file| !is_foreign(file)) {
        let text = std::fs::read_to_string(project.root().join(&file))?;
        found.extend(unmerged(&text).map(|problem| format!("{}: {problem}", file.display())));
        documents.insert(file, Document::parse(&text));
    }
    let mut help = Help::of(project.built("debug", "plimsoll"))?;
    found.extend(reasons::check(project)?);
    found.extend(rules::check(project)?);
    for (file, document) in &documents {
        let wrong = document.wrong_paths(file, &tree, &documents);
        let wrong = wrong.into_iter().chain(document.commands.iter().filter_map(|line| help.problem(line)));
        found.extend(wrong.map(|problem| format!("{}: {problem}", file.display())));
    }
    for file in project.files_with("rs")? {
        let text = std::fs::read_to_string(project.root().join(&file))?;
        let missing = unknown_headings(&text, &documents).into_iter();
        found.extend(missing.map(|problem| format!("{}: {problem}", file.display())));
    }
    Ok(found)
}

/// Places in code that send the reader to a heading which is not there, as in: docs/concepts.md, "Fetch".
fn unknown_headings(text: &str, documents: &BTreeMap<PathBuf, Document>) -> Vec<String> {
    const MARK: &str = ".md, \"";
    let problem = |(at, _): (usize, &str)| {
        let is_path = |c: char| c.is_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
        let path = text[..at].rsplit(|c| !is_path(c)).next()?;
        let heading = text[at + MARK.len()..].split('"').next()?;
        let document = documents.get(Path::new(&format!("{path}.md")));
        let known = document.is_some_and(|document| document.anchors.contains(&anchor(heading)));
        (!known).then(|| format!("{path}.md has no heading `{heading}`"))
    };
    text.match_indices(MARK).filter_map(problem).collect()
}

/// What a merge left for people to settle: the compiler finds it in code, and nobody in text.
fn unmerged(text: &str) -> Option<String> {
    let marks = |line: &str| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ");
    let at = text.lines().position(marks)?;
    Some(format!("line {} is the mark of a merge that nobody settled", at + 1))
}

/// Texts of others, kept as they came.
fn is_foreign(file: &Path) -> bool {
    file.components().any(|part| part.as_os_str() == "third-party")
}

/// The files of the checkout and the folders that hold them.
struct Tree {
    paths: BTreeSet<PathBuf>,
}

impl Tree {
    fn new(files: Vec<PathBuf>) -> Self {
        Self { paths: files.iter().flat_map(|file| file.ancestors()).map(Path::to_owned).collect() }
    }

    /// Whether `word` of a code span claims to be a path of this project: it starts in a folder that is there, or is
    /// the name of a file at the top. A pattern is judged by the part before it.
    fn claims(&self, word: &str) -> Option<PathBuf> {
        let clean = word.trim_end_matches('/');
        let (first, rest) = clean.split_once('/')?;
        let known = !first.is_empty() && first != ".." && self.paths.contains(Path::new(first));
        let plain = |part: &&str| !part.contains(['*', '<', '…', '{', '$']) && !part.contains("NNNN");
        let path = rest.split('/').take_while(plain).fold(PathBuf::from(first), |path, part| path.join(part));
        known.then_some(path)
    }

    fn has(&self, path: &Path) -> bool {
        self.paths.contains(path)
    }
}

/// What a document claims.
#[derive(Default)]
struct Document {
    links: Vec<String>,
    /// Contents of code spans and of the words of code blocks.
    words: Vec<String>,
    /// Command lines that start with `plimsoll`.
    commands: Vec<String>,
    anchors: BTreeSet<String>,
}

impl Document {
    fn parse(text: &str) -> Self {
        let mut document = Self::default();
        let mut block: Option<bool> = None;
        let mut heading: Option<String> = None;
        for event in Parser::new_ext(text, pulldown_cmark::Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    document.links.push(dest_url.to_string());
                }
                Event::Start(Tag::CodeBlock(kind)) => block = Some(is_shell(&kind)),
                Event::End(TagEnd::CodeBlock) => block = None,
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    document.anchors.extend(heading.take().map(|heading| anchor(&heading)));
                }
                Event::Text(text) if block == Some(true) => text.lines().for_each(|line| document.line(line)),
                Event::Text(text) => heading.iter_mut().for_each(|heading| heading.push_str(&text)),
                Event::Code(code) => {
                    heading.iter_mut().for_each(|heading| heading.push_str(&code));
                    document.line(&code);
                }
                _ => {}
            }
        }
        document
    }

    /// A line of shell, or a code span.
    fn line(&mut self, line: &str) {
        let line = line.trim().trim_start_matches("$ ");
        let line = line.split(" #").next().unwrap_or(line);
        if line.starts_with("plimsoll ") {
            self.commands.push(line.to_owned());
        }
        self.words.extend(
            line.split_whitespace().map(|word| word.trim_matches(['"', '\'', ',', ';', ':']).to_owned()),
        );
    }

    fn wrong_paths(&self, file: &Path, tree: &Tree, documents: &BTreeMap<PathBuf, Self>) -> Vec<String> {
        let missing = self.words.iter().filter(|word| tree.claims(word).is_some_and(|path| !tree.has(&path)));
        let missing = missing.map(|word| format!("`{word}` does not exist"));
        missing.chain(self.links.iter().filter_map(|link| broken(link, file, tree, documents))).collect()
    }
}

fn is_shell(kind: &CodeBlockKind<'_>) -> bool {
    matches!(kind, CodeBlockKind::Fenced(language) if ["sh", "console", "bash"].contains(&language.as_ref()))
}

/// The anchor that readers on the web get for a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect()
}

fn broken(link: &str, file: &Path, tree: &Tree, documents: &BTreeMap<PathBuf, Document>) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, fragment) =
        link.split_once('#').map_or((link, None), |(path, fragment)| (path, Some(fragment)));
    let target = match path {
        "" => file.to_owned(),
        path => resolve(file.parent()?, Path::new(path)),
    };
    if !tree.has(&target) {
        return Some(format!("link to {link}: there is no {}", target.display()));
    }
    let known = fragment.is_none_or(|f| documents.get(&target).is_none_or(|d| d.anchors.contains(f)));
    (!known).then(|| format!("link to {link}: {} has no such heading", target.display()))
}

/// `folder`/`path` without `.` and `..`.
fn resolve(folder: &Path, path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for part in folder.join(path).components() {
        match part {
            Component::ParentDir => {
                resolved.pop();
            }
            Component::Normal(name) => resolved.push(name),
            _ => {}
        }
    }
    resolved
}

/// What the program says of its own commands, asked once for each.
struct Help {
    program: PathBuf,
    asked: BTreeMap<Vec<String>, Option<String>>,
}

impl Help {
    fn of(program: PathBuf) -> Result<Self> {
        if !program.is_file() {
            return Err(format!("there is no {}: cargo build --workspace", program.display()).into());
        }
        Ok(Self { program, asked: BTreeMap::new() })
    }

    /// What is wrong with a command line of a document: an unknown command, or an option that its help does not list.
    fn problem(&mut self, line: &str) -> Option<String> {
        let words: Vec<&str> =
            line.split_whitespace().skip(1).take_while(|word| !is_shell_syntax(word)).collect();
        let first = words.iter().position(|word| !word.starts_with('-'));
        let mut command: Vec<String> = first.map(|at| words[at].to_owned()).into_iter().collect();
        let Some(mut help) = self.text(&command) else {
            return Some(format!("`{line}`: plimsoll has no such command"));
        };
        let second = first.and_then(|at| words.get(at + 1)).filter(|word| !word.starts_with('-'));
        if let (Some(second), true) = (second, has_subcommands(&help)) {
            command.push((*second).to_owned());
            match self.text(&command) {
                Some(text) => help = text,
                None => return Some(format!("`{line}`: plimsoll {} has no `{second}`", command[0])),
            }
        }
        let options = words.iter().filter(|word| word.starts_with("--")).map(|word| option_name(word));
        let unknown = options.into_iter().find(|option| !lists(&help, option));
        unknown.map(|option| format!("`{line}`: plimsoll {} has no {option}", command.join(" ")))
    }

    fn text(&mut self, command: &[String]) -> Option<String> {
        let program = &self.program;
        let ask = || {
            let answer = Command::new(program).args(command).arg("--help").output().ok()?;
            answer.status.success().then(|| String::from_utf8_lossy(&answer.stdout).into_owned())
        };
        self.asked.entry(command.to_vec()).or_insert_with(ask).clone().filter(|text| !text.is_empty())
    }
}

fn is_shell_syntax(word: &str) -> bool {
    ["|", "||", "&&", ">", ">>", "<", ";", "&"].contains(&word)
}

fn has_subcommands(help: &str) -> bool {
    help.lines().any(|line| line.trim() == "Commands:")
}

fn option_name(word: &str) -> &str {
    word.split(['=', '[']).next().unwrap_or(word)
}

/// Whether a help text has the option as a whole word.
fn lists(help: &str, option: &str) -> bool {
    option == "--help" || help.split(|c: char| !(c.is_alphanumeric() || c == '-')).any(|word| word == option)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn tree() -> Tree {
        Tree::new(["README.md", "docs/a.md", "crates/x/src/lib.rs"].map(PathBuf::from).to_vec())
    }

    fn paths(text: &str, expect: &[&str]) {
        let file = PathBuf::from("docs/a.md");
        let document = Document::parse(text);
        let documents =
            BTreeMap::from([(PathBuf::from("README.md"), Document::parse("# Five `first` minutes\n"))]);
        assert_eq!(document.wrong_paths(&file, &tree(), &documents), expect, "{text}");
    }

    #[test]
    fn a_path_of_the_project_must_exist() {
        paths("see `crates/x/src/lib.rs`, `crates/x/` and `crates/*/tests`", &[]);
        paths("see `crates/y/src/lib.rs`", &["`crates/y/src/lib.rs` does not exist"]);
        paths("```sh\ncat crates/z\n```", &["`crates/z` does not exist"]);
        paths("not ours: `environments/staging/`, `application/json`", &[]);
    }

    #[test]
    fn a_merge_must_be_settled() {
        let text = "one\n<<<<<<< HEAD\ntwo\n=======\n>>>>>>> other\n";
        assert_eq!(unmerged(text).as_deref(), Some("line 2 is the mark of a merge that nobody settled"));
        assert_eq!(unmerged("a heading\n=======\n\n> > > quoted\n"), None);
    }

    #[test]
    fn a_link_must_lead_somewhere() {
        paths("[r](../README.md) [f](../README.md#five-first-minutes) [w](https://example.org/x)", &[]);
        paths("[r](README.md)", &["link to README.md: there is no docs/README.md"]);
        paths("[r](../README.md#six)", &["link to ../README.md#six: README.md has no such heading"]);
    }

    #[test]
    fn code_that_sends_the_reader_to_a_heading_must_find_it() {
        let documents = BTreeMap::from([(PathBuf::from("docs/a.md"), Document::parse("# Way out\n"))]);
        let check = |text: &str, expect: &[&str]| {
            assert_eq!(unknown_headings(text, &documents), expect, "{text}");
        };
        check("//! Leaves (docs/a.md, \"Way out\").", &[]);
        check("//! Leaves (docs/a.md, \"Way in\").", &["docs/a.md has no heading `Way in`"]);
        check("//! Leaves (docs/b.md, \"Way out\").", &["docs/b.md has no heading `Way out`"]);
        check("//! Leaves, see docs/b.md.", &[]);
    }

    /// A program with commands `run [--dirty]` and `trust show`, in the form of the real one.
    fn program(folder: &Path) -> PathBuf {
        let path = folder.join("plimsoll");
        let script = "#!/bin/sh\ncase \"$*\" in\n\
            'run --help') echo '  --dirty  take the work tree';;\n\
            'trust --help') echo 'Commands:';;\n\
            'trust show --help'|'--help') echo 'shows';;\n\
            *) exit 2;;\nesac\n";
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn a_command_must_be_one_of_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let mut help = Help::of(program(folder.path())).unwrap();
        let mut check = |text: &str, expect: &[&str]| {
            let document = Document::parse(text);
            let found: Vec<_> = document.commands.iter().filter_map(|line| help.problem(line)).collect();
            assert_eq!(found, expect, "{text}");
        };
        check("```console\n$ plimsoll run --dirty && echo --no\nrunning…\n```", &[]);
        check("`plimsoll trust show` and `plimsoll --help`", &[]);
        check("`plimsoll ruin`", &["`plimsoll ruin`: plimsoll has no such command"]);
        check("`plimsoll run --dir`", &["`plimsoll run --dir`: plimsoll run has no --dir"]);
        check("`plimsoll trust hide`", &["`plimsoll trust hide`: plimsoll trust has no `hide`"]);
        check("```yaml\nplimsoll nonsense\n```", &[]);
    }

    #[test]
    fn without_the_program_nothing_is_passed_over() {
        assert!(Help::of(PathBuf::from("/nonexistent/plimsoll")).is_err());
    }
}
