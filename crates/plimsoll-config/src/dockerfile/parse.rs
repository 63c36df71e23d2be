//! Instructions of a Dockerfile with their flags, words, pairs and lists, and the stages that they build.

use super::{
    image::Image,
    lines::{self, Directives, Heredoc, Line},
};
use crate::{
    joined::Joined,
    shell::{self, Command},
    source::Source,
    yaml,
};
use std::{collections::BTreeMap, ops::Range, rc::Rc};

/// A Dockerfile.
#[derive(Debug)]
pub(crate) struct Dockerfile {
    pub(crate) source: Rc<Source>,
    pub(crate) directives: Directives,
    /// What stands before the first `FROM`.
    pub(crate) globals: Vec<Instruction>,
    pub(crate) stages: Vec<Stage>,
}

/// A `FROM` and what follows it.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) from: Instruction,
    pub(crate) name: Option<Word>,
    pub(crate) base: Base,
    pub(crate) instructions: Vec<Instruction>,
}

/// What a stage begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Base {
    /// `FROM scratch`.
    Nothing,
    /// An earlier stage.
    Stage(usize),
    /// An image, its build arguments replaced by their defaults.
    Image(Image),
    /// An image that depends on build arguments without a default.
    Unknown,
}

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Instruction {
    /// In capitals.
    pub(crate) name: String,
    /// Whether it runs only in builds that begin with the image.
    pub(crate) on_build: bool,
    /// All of it in the file.
    pub(crate) span: Range<usize>,
    pub(crate) flags: Vec<Flag>,
    /// What follows the flags.
    pub(crate) body: Joined,
    /// Its words, quotes removed.
    pub(crate) words: Vec<Word>,
    /// The items, where the body is a JSON list of texts.
    pub(crate) list: Option<Vec<String>>,
    pub(crate) heredocs: Vec<Heredoc>,
    pub(crate) empty_continuation: Option<Range<usize>>,
}

/// `--name=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flag {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) span: Range<usize>,
}

/// A word and its place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) span: Range<usize>,
}

/// What a Dockerfile may say.
const INSTRUCTIONS: &[&str] = &[
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

impl Dockerfile {
    /// Reads a file as BuildKit does.
    ///
    /// # Errors
    ///
    /// What a builder would refuse, in one line.
    pub(crate) fn read(source: &Rc<Source>) -> Result<Self, String> {
        let (directives, lines) = lines::read(source)?;
        let mut file =
            Self { source: Rc::clone(source), directives, globals: Vec::new(), stages: Vec::new() };
        for line in lines {
            let escape = file.directives.escape;
            let instruction = instruction(line, false, escape)
                .map_err(|(at, problem)| format!("{problem} (line {})", 1 + source.line_of(at)))?;
            file.take(instruction)?;
        }
        if file.stages.is_empty() {
            return Err("has no FROM".to_owned());
        }
        Ok(file)
    }

    fn take(&mut self, instruction: Instruction) -> Result<(), String> {
        if instruction.name == "FROM" && !instruction.on_build {
            let stage = self.stage(instruction);
            self.stages.push(stage);
            return Ok(());
        }
        match self.stages.last_mut() {
            Some(stage) => stage.instructions.push(instruction),
            None if instruction.name == "ARG" => self.globals.push(instruction),
            None => return Err(format!("{} stands before the first FROM", instruction.name)),
        }
        Ok(())
    }

    fn stage(&self, from: Instruction) -> Stage {
        let is_as = from.words.get(1).is_some_and(|word| word.text.eq_ignore_ascii_case("as"));
        let name = from.words.get(2).filter(|_| is_as).cloned();
        let written = from.words.first().map_or("", |word| word.text.as_str());
        let base = match expand(written, &self.global_values()) {
            None => Base::Unknown,
            Some(image) if image == "scratch" => Base::Nothing,
            Some(image) => match self.stage_named(&image) {
                Some(index) => Base::Stage(index),
                None => Base::Image(Image::parse(&image)),
            },
        };
        Stage { from, name, base, instructions: Vec::new() }
    }

    /// Index of the last stage so far with that name.
    pub(crate) fn stage_named(&self, name: &str) -> Option<usize> {
        let named =
            |stage: &Stage| stage.name.as_ref().is_some_and(|word| word.text.eq_ignore_ascii_case(name));
        self.stages.iter().rposition(named)
    }

    /// Build arguments before the first `FROM`, with their defaults.
    pub(crate) fn global_values(&self) -> BTreeMap<String, Option<String>> {
        let mut values = BTreeMap::new();
        for pair in self.globals.iter().flat_map(Instruction::pairs) {
            let value = pair.value.and_then(|value| expand(&value.text, &values));
            values.insert(pair.key.text, value);
        }
        values
    }

    /// All instructions of all stages.
    pub(crate) fn instructions(&self) -> impl Iterator<Item = &Instruction> {
        self.stages.iter().flat_map(|stage| &stage.instructions)
    }

    /// All instructions of that name, those for later builds too.
    pub(crate) fn named<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f Instruction> {
        self.instructions().filter(move |instruction| instruction.name == name)
    }

    /// The stage that becomes the image.
    pub(crate) fn last(&self) -> Option<&Stage> {
        self.stages.last()
    }

    /// A stage and those that it begins with, itself first.
    pub(crate) fn ancestry<'f>(&'f self, stage: &'f Stage) -> impl Iterator<Item = &'f Stage> {
        std::iter::successors(Some(stage), |stage| match stage.base {
            Base::Stage(index) => self.stages.get(index),
            _ => None,
        })
    }
}

/// A key with its value, as of `ENV`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) key: Word,
    pub(crate) value: Option<Word>,
    pub(crate) span: Range<usize>,
}

impl Instruction {
    /// The first flag of that name.
    pub(crate) fn flag(&self, name: &str) -> Option<&Flag> {
        self.flags.iter().find(|flag| flag.name == name)
    }

    /// Keys and values of `ENV`, `ARG` and `LABEL`.
    pub(crate) fn pairs(&self) -> Vec<Pair> {
        if self.is_legacy_pair() {
            return self.legacy_pair().into_iter().collect();
        }
        self.words.iter().map(pair).collect()
    }

    /// Whether it is written `ENV key value`.
    pub(crate) fn is_legacy_pair(&self) -> bool {
        self.name != "ARG" && self.words.first().is_some_and(|first| !first.text.contains('='))
    }

    fn legacy_pair(&self) -> Option<Pair> {
        let (key, rest) = self.words.split_first()?;
        let texts: Vec<&str> = rest.iter().map(|word| word.text.as_str()).collect();
        let value = rest
            .first()
            .zip(rest.last())
            .map(|(first, last)| Word { text: texts.join(" "), span: first.span.start..last.span.end });
        let end = value.as_ref().map_or(key.span.end, |value| value.span.end);
        Some(Pair { key: key.clone(), value, span: key.span.start..end })
    }

    /// Commands that `RUN`, `CMD` and `ENTRYPOINT` hand to a shell, here-documents included. Words have places in the file.
    pub(crate) fn commands(&self, source: &Source) -> Vec<Command> {
        if let Some(list) = &self.list {
            return vec![shell::of_list(list, &self.body.span(&(0..self.body.text.len())))];
        }
        let mut commands = shell::commands(&self.body);
        let is_script = commands.first().is_none_or(|command| {
            let program = command.program();
            program.is_empty() || matches!(program, "sh" | "bash" | "ash" | "dash" | "zsh")
        });
        if self.name == "RUN" && is_script {
            for heredoc in &self.heredocs {
                commands.extend(shell::commands(&Joined::of(source, heredoc.content.clone())));
            }
        }
        commands
    }

    /// What `COPY` and `ADD` take; the last word is where to.
    pub(crate) fn sources(&self) -> &[Word] {
        self.words.split_last().map_or(&[], |(_, sources)| sources)
    }
}

fn pair(word: &Word) -> Pair {
    let (key, value) = match word.text.split_once('=') {
        Some((key, value)) => (key, Some(value)),
        None => (word.text.as_str(), None),
    };
    let cut = word.span.start + key.len().min(word.span.len());
    Pair {
        key: Word { text: key.to_owned(), span: word.span.start..cut },
        value: value
            .map(|value| Word { text: value.to_owned(), span: (cut + 1).min(word.span.end)..word.span.end }),
        span: word.span.clone(),
    }
}

fn instruction(line: Line, on_build: bool, escape: char) -> Result<Instruction, (usize, String)> {
    let text = &line.joined.text;
    let name_end = text.find(char::is_whitespace).unwrap_or(text.len());
    let name = text[..name_end].to_ascii_uppercase();
    if !INSTRUCTIONS.contains(&name.as_str()) {
        let shown: String = name.chars().take(20).filter(|c| !c.is_control()).collect();
        return Err((line.span.start, format!("`{shown}` is no instruction")));
    }
    let rest = line.joined.from(name_end + leading_blanks(&text[name_end..]));
    if name == "ONBUILD" && !on_build {
        let line = Line { joined: rest, ..line };
        return instruction(line, true, escape);
    }
    let (flags, body) = flags(&rest);
    let words = words(&body, escape);
    let takes_list =
        matches!(name.as_str(), "RUN" | "CMD" | "ENTRYPOINT" | "SHELL" | "ADD" | "COPY" | "VOLUME");
    let list = if takes_list { json_list(&body.text) } else { None };
    let words = match &list {
        Some(list) if matches!(name.as_str(), "ADD" | "COPY" | "VOLUME") => {
            let span = body.span(&(0..body.text.len()));
            list.iter().map(|text| Word { text: text.clone(), span: span.clone() }).collect()
        }
        _ => words,
    };
    let Line { span, heredocs, empty_continuation, .. } = line;
    Ok(Instruction { name, on_build, span, flags, body, words, list, heredocs, empty_continuation })
}

fn leading_blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// Leading words that begin with `--`.
fn flags(rest: &Joined) -> (Vec<Flag>, Joined) {
    let mut flags = Vec::new();
    let mut at = 0;
    loop {
        let text = &rest.text[at..];
        let Some(flag) = text.strip_prefix("--") else { break };
        let end = flag.find(char::is_whitespace).unwrap_or(flag.len());
        if end == 0 {
            break;
        }
        let (name, value) = flag[..end].split_once('=').unwrap_or((&flag[..end], ""));
        flags.push(Flag {
            name: name.to_ascii_lowercase(),
            value: value.trim_matches('"').to_owned(),
            span: rest.span(&(at..at + 2 + end)),
        });
        at += 2 + end;
        at += leading_blanks(&rest.text[at..]);
    }
    (flags, rest.from(at))
}

/// Words as `ENV` and `COPY` have them: split at blanks outside of quotes, quotes and escapes removed.
fn words(body: &Joined, escape: char) -> Vec<Word> {
    let mut words = Vec::new();
    let mut open: Option<(usize, String)> = None;
    let mut quote = None;
    let mut chars = body.text.char_indices();
    while let Some((at, c)) = chars.next() {
        if quote.is_none() && c.is_whitespace() {
            words.extend(open.take().map(|(start, text)| Word { text, span: body.span(&(start..at)) }));
            continue;
        }
        let (_, text) = open.get_or_insert((at, String::new()));
        match quote {
            None if c == '"' || c == '\'' => quote = Some(c),
            Some(mark) if mark == c => quote = None,
            _ if c == escape && quote != Some('\'') => text.extend(chars.next().map(|(_, c)| c)),
            _ => text.push(c),
        }
    }
    words.extend(open.map(|(start, text)| Word { text, span: body.span(&(start..body.text.len())) }));
    words
}

/// The items of a JSON list of texts. JSON is YAML; what is not is no list for BuildKit either.
fn json_list(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    if !text.starts_with('[') || !text.ends_with(']') || text.contains('\'') && !text.contains('"') {
        return None;
    }
    let document = yaml::parse(text).ok()?.into_iter().next()?;
    let items = document.root.items();
    let is_text = |node: &yaml::Node| matches!(&node.value, yaml::Value::Scalar { plain: false, .. });
    items.iter().all(is_text).then(|| document.root.texts().map(str::to_owned).collect())
}

/// `text` with its variables replaced by `values`; nothing where one has none.
pub(crate) fn expand(text: &str, values: &BTreeMap<String, Option<String>>) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (name, default, tail) = variable(after)?;
        let value = values.get(name).cloned().flatten().filter(|value| !value.is_empty());
        out.push_str(&value.or_else(|| default.map(str::to_owned))?);
        rest = tail;
    }
    out.push_str(rest);
    Some(out)
}

/// Name and default of the variable after a `$`, and what follows it.
fn variable(text: &str) -> Option<(&str, Option<&str>, &str)> {
    if let Some(inner) = text.strip_prefix('{') {
        let (inner, tail) = inner.split_once('}')?;
        let (name, default) = match inner.split_once(":-").or_else(|| inner.split_once('-')) {
            Some((name, default)) => (name, Some(default)),
            None => (inner, None),
        };
        return Some((name, default, tail));
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| (&text[..end], None, &text[end..]))
}

/// Names of the variables in `text`.
pub(crate) fn variables(text: &str) -> Vec<&str> {
    text.split('$').skip(1).filter_map(variable).map(|(name, ..)| name).collect()
}

#[cfg(test)]
mod tests;
