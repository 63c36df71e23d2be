//! Commands in a shell's text, as far as rules need them: words without their quotes, what stands between commands, and
//! the commands inside of substitutions. It is no shell: what it cannot tell apart stays one word.

use crate::joined::Joined;
use std::ops::Range;

/// Substitutions inside of substitutions that are looked into.
const MAX_DEPTH: usize = 6;

/// One simple command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) words: Vec<Word>,
    /// What stands between it and the next.
    pub(crate) then: Then,
    /// How many substitutions it stands in.
    pub(crate) depth: usize,
}

/// A word, its quotes removed, and its place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) span: Range<usize>,
}

/// What stands after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Pipe,
    And,
    Or,
    End,
}

/// Words that begin a command without being one.
const BEFORE: &[&str] = &["if", "then", "elif", "else", "while", "until", "do", "!", "{", "(", "time"];
/// Programs that run the program named after them.
const WRAPPERS: &[&str] = &["sudo", "exec", "command", "env", "nice", "nohup", "eatmydata", "builtin"];

impl Command {
    /// The words from the program on: assignments, keywords and programs that only run others are left out.
    pub(crate) fn call(&self) -> &[Word] {
        let mut words = &self.words[..];
        while let Some((first, rest)) = words.split_first() {
            let word = first.text.as_str();
            let skipped = word.starts_with("<<")
                || BEFORE.contains(&word)
                || is_assignment(word)
                || WRAPPERS.contains(&word);
            if !skipped {
                break;
            }
            words = rest;
            while WRAPPERS.contains(&word) && words.first().is_some_and(|word| word.text.starts_with('-')) {
                words = &words[1..];
            }
        }
        words
    }

    /// The program's name without its folder; empty where there is none.
    pub(crate) fn program(&self) -> &str {
        let program = self.call().first().map_or("", |word| word.text.as_str());
        program.rsplit('/').next().unwrap_or(program)
    }

    /// The words after the program.
    pub(crate) fn arguments(&self) -> &[Word] {
        self.call().get(1..).unwrap_or(&[])
    }

    /// The argument that is one of `flags`, also as `--flag=value`.
    pub(crate) fn flag(&self, flags: &[&str]) -> Option<&Word> {
        let is = |word: &&Word| {
            let name = word.text.split_once('=').map_or(word.text.as_str(), |(name, _)| name);
            flags.contains(&name)
        };
        self.arguments().iter().find(is)
    }

    /// The argument that has the one-letter flag, alone or among others as in `-yq`.
    pub(crate) fn short(&self, letter: char) -> Option<&Word> {
        let has = |word: &&Word| {
            word.text.strip_prefix('-').is_some_and(|flags| !flags.starts_with('-') && flags.contains(letter))
        };
        self.arguments().iter().find(has)
    }

    /// The arguments that are no flags.
    pub(crate) fn operands(&self) -> impl Iterator<Item = &Word> {
        self.arguments().iter().filter(|word| !word.text.starts_with('-'))
    }

    /// From its first to its last word.
    pub(crate) fn span(&self) -> Range<usize> {
        let first = self.words.first().map_or(0, |word| word.span.start);
        first..self.words.last().map_or(first, |word| word.span.end)
    }
}

fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map_or("", |(name, _)| name);
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether it gets something from the network and gives it on.
pub(crate) fn is_download(command: &Command) -> bool {
    matches!(command.program(), "curl" | "wget" | "aria2c" | "fetch" | "axel")
}

/// Whether it compares what was downloaded with what was expected.
pub(crate) fn is_checksum(command: &Command) -> bool {
    match command.program() {
        "sha256sum" | "sha512sum" | "sha384sum" | "sha1sum" | "shasum" | "b2sum" => {
            command.flag(&["--check"]).is_some() || command.short('c').is_some()
        }
        "gpg" | "gpg2" => command.flag(&["--verify"]).is_some(),
        "gpgv" | "cosign" | "minisign" => true,
        _ => false,
    }
}

/// Whether it runs what it reads.
pub(crate) fn is_interpreter(command: &Command) -> bool {
    let program = command.program().trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    matches!(
        program,
        "sh" | "bash"
            | "ash"
            | "dash"
            | "zsh"
            | "ksh"
            | "python"
            | "perl"
            | "ruby"
            | "node"
            | "php"
            | "eval"
            | "source"
    )
}

/// Whether it installs packages of a distribution.
pub(crate) fn is_package_install(command: &Command) -> bool {
    let verbs: &[&str] = match command.program() {
        "apt-get" | "apt" | "yum" | "dnf" | "microdnf" | "tdnf" | "zypper" => &["install", "in"],
        "apk" => &["add"],
        "pacman" => return command.short('S').is_some(),
        _ => return false,
    };
    command.operands().any(|word| verbs.contains(&word.text.as_str()))
}

/// Flags of pip that take the next word.
const PIP_VALUES: &[&str] = &[
    "-r",
    "--requirement",
    "-c",
    "--constraint",
    "-e",
    "--editable",
    "-i",
    "--index-url",
    "--extra-index-url",
    "-f",
    "--find-links",
    "-t",
    "--target",
    "--prefix",
    "--root",
    "--trusted-host",
    "--timeout",
    "--proxy",
    "--retries",
    "--platform",
    "--python-version",
    "--src",
    "--cache-dir",
    "--no-binary",
    "--only-binary",
    "--progress-bar",
    "--upgrade-strategy",
    "--python",
];

/// What pip is told to install by name; none where it is not pip, or where a file says the versions.
pub(crate) fn python_packages(command: &Command) -> Option<Vec<&Word>> {
    let arguments = command.arguments();
    let arguments = match command.program() {
        "pip" | "pip3" => arguments,
        "python" | "python3" => arguments.strip_prefix_words(&["-m", "pip"])?,
        "uv" => arguments.strip_prefix_words(&["pip"])?,
        _ => return None,
    };
    let at = arguments
        .iter()
        .position(|word| !word.text.starts_with('-'))
        .filter(|at| arguments[*at].text == "install")?;
    let rest = &arguments[at + 1..];
    if rest.iter().any(|word| {
        word.text == "-c" || word.text.starts_with("--constraint") || word.text == "--require-hashes"
    }) {
        return None;
    }
    let mut packages = Vec::new();
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        if PIP_VALUES.contains(&word.text.as_str()) {
            words.next();
        } else if !word.text.starts_with(['-', '$', '>', '/']) && !word.text.contains("://") {
            packages.push(word);
        }
    }
    Some(packages)
}

/// Words without some that they must begin with.
trait Words {
    fn strip_prefix_words(&self, prefix: &[&str]) -> Option<&Self>;
}

impl Words for [Word] {
    fn strip_prefix_words(&self, prefix: &[&str]) -> Option<&Self> {
        let begins =
            self.len() >= prefix.len() && self.iter().zip(prefix).all(|(word, prefix)| word.text == *prefix);
        begins.then(|| &self[prefix.len()..])
    }
}

/// The command of an exec form.
pub(crate) fn of_list(list: &[String], span: &Range<usize>) -> Command {
    let words = list.iter().map(|text| Word { text: text.clone(), span: span.clone() }).collect();
    Command { words, then: Then::End, depth: 0 }
}

/// All commands in `text`, those in substitutions after the one that they stand in.
pub(crate) fn commands(text: &Joined) -> Vec<Command> {
    let mut commands = Vec::new();
    inside(text, 0..text.text.len(), 0, &mut commands);
    commands
}

fn inside(text: &Joined, span: Range<usize>, depth: usize, commands: &mut Vec<Command>) {
    let mut lexer = Lexer { text, at: span.start, end: span.end, nested: Vec::new() };
    let mut words = Vec::new();
    loop {
        let token = lexer.token();
        let then = match token {
            Token::Word(word) => {
                words.push(word);
                continue;
            }
            Token::Then(then) => then,
            Token::End => Then::End,
        };
        if !words.is_empty() {
            commands.push(Command { words: std::mem::take(&mut words), then, depth });
        }
        let nested = std::mem::take(&mut lexer.nested);
        if depth < MAX_DEPTH {
            nested.into_iter().for_each(|span| inside(text, span, depth + 1, commands));
        }
        if token == Token::End {
            return;
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(Word),
    Then(Then),
    End,
}

struct Lexer<'t> {
    text: &'t Joined,
    at: usize,
    end: usize,
    /// Substitutions that were met since the last command ended.
    nested: Vec<Range<usize>>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.text.get(self.at..self.end).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn token(&mut self) -> Token {
        self.blanks();
        let Some(c) = self.peek() else { return Token::End };
        let operators = [("&&", Then::And), ("||", Then::Or), ("|&", Then::Pipe), ("|", Then::Pipe)];
        if let Some((sign, then)) = operators.into_iter().find(|(sign, _)| self.rest().starts_with(sign)) {
            self.at += sign.len();
            return Token::Then(then);
        }
        if matches!(c, ';' | '&' | '\n' | '(' | ')') {
            self.bump();
            return Token::Then(Then::End);
        }
        self.word()
    }

    /// Blanks, continued lines and comments.
    fn blanks(&mut self) {
        loop {
            let rest = self.rest();
            if rest.starts_with("\\\n") {
                self.at += 2;
            } else if rest.starts_with([' ', '\t', '\r']) {
                self.at += 1;
            } else if rest.starts_with('#') {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else {
                return;
            }
        }
    }

    fn word(&mut self) -> Token {
        let start = self.at;
        let mut word = String::new();
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' | '|' | ')' => break,
                '&' if !word.ends_with(['>', '<']) => break,
                '(' if !word.ends_with(['<', '>', '=']) => break,
                '(' => self.substitution(&mut word, ')'),
                '\'' => self.single(&mut word),
                '"' => self.double(&mut word),
                '`' => self.substitution(&mut word, '`'),
                '$' if self.rest().starts_with("$(") => {
                    self.take(&mut word);
                    self.substitution(&mut word, ')');
                }
                '\\' => {
                    self.bump();
                    word.extend(self.bump().filter(|c| *c != '\n'));
                }
                _ => self.take(&mut word),
            }
        }
        Token::Word(Word { text: word, span: self.text.span(&(start..self.at)) })
    }

    fn take(&mut self, word: &mut String) {
        word.extend(self.bump());
    }

    fn single(&mut self, word: &mut String) {
        self.bump();
        while let Some(c) = self.bump().filter(|c| *c != '\'') {
            word.push(c);
        }
    }

    fn double(&mut self, word: &mut String) {
        self.bump();
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.bump();
                    return;
                }
                '\\' => {
                    self.bump();
                    self.take(word);
                }
                '`' => self.substitution(word, '`'),
                '$' if self.rest().starts_with("$(") => {
                    self.take(word);
                    self.substitution(word, ')');
                }
                _ => self.take(word),
            }
        }
    }

    /// `(…)` or a pair of backticks: stays in the word, and what it runs is looked at too.
    fn substitution(&mut self, word: &mut String, close: char) {
        self.take(word);
        let start = self.at;
        let mut open = 1_usize;
        let mut quote = None;
        while let Some(c) = self.peek() {
            match quote {
                Some(mark) if c == mark => quote = None,
                Some(_) => {}
                None if c == '\'' || c == '"' => quote = Some(c),
                None if c == close => open -= 1,
                None if c == '(' && close == ')' => open += 1,
                None => {}
            }
            if open == 0 {
                break;
            }
            self.take(word);
        }
        self.nested.push(start..self.at);
        self.take(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<Command> {
        let source = Source::new("a", text.as_bytes()).unwrap();
        commands(&Joined::of(&source, 0..text.len()))
    }

    fn check(text: &str, expect: &[&[&str]]) {
        let commands = read(text);
        let words: Vec<Vec<&str>> = commands
            .iter()
            .map(|command| command.words.iter().map(|word| word.text.as_str()).collect())
            .collect();
        assert_eq!(words, expect, "{text}");
    }

    #[test]
    fn commands_are_split_where_a_shell_splits_them() {
        check("a b && c; d | e || f & g", &[&["a", "b"], &["c"], &["d"], &["e"], &["f"], &["g"]]);
        check("a 'b c' \"d e\" f\\ g", &[&["a", "b c", "d e", "f g"]]);
        check("a # b\nc", &[&["a"], &["c"]]);
        check("(a; b) && { c; }", &[&["a"], &["b"], &["{", "c"], &["}"]]);
        check("a 2>&1 >b", &[&["a", "2>&1", ">b"]]);
        check("sh -c \"$(curl x)\"", &[&["sh", "-c", "$(curl x)"], &["curl", "x"]]);
        check("bash <(curl x | y)", &[&["bash", "<(curl x | y)"], &["curl", "x"], &["y"]]);
        check("a `b c`", &[&["a", "`b c`"], &["b", "c"]]);
    }

    #[test]
    fn a_command_knows_its_program_and_flags() {
        let command = &read("FOO=1 sudo -E /usr/bin/apt-get -yq install --foo=2 x")[0];
        assert_eq!(command.program(), "apt-get");
        assert!(command.short('q').is_some());
        assert!(command.flag(&["--foo"]).is_some());
        assert_eq!(command.operands().map(|word| word.text.as_str()).collect::<Vec<_>>(), ["install", "x"]);
        assert_eq!(read("curl a | sh")[0].then, Then::Pipe);
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "[a-c$(){}'\"`\\\\|&;#<> \n]{0,60}") {
            let _ = read(&text);
        }
    }
}
