//! Shell text inside of pipelines: prepared so that the shell reader keeps a template such as `${{ a b }}` in one word and
//! does not take the content of a here-document for commands.

use crate::{
    joined::Joined,
    shell::{self, Command, Then},
    source::Source,
};
use std::ops::Range;

/// The longest template that keeps its words together, in bytes.
const MAX_TEMPLATE: usize = 400;
/// Here-documents of one script whose ends are looked for.
const MAX_HEREDOCS: usize = 200;

/// A piece of a file that a shell runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) span: Range<usize>,
    /// Its lines are one line, as those of a folded YAML text.
    pub(crate) folded: bool,
}

impl Script {
    /// The commands in it.
    pub(crate) fn commands(&self, source: &Source) -> Vec<Command> {
        let mut joined = Joined::default();
        for span in outside_heredocs(source, &self.span) {
            joined.push(source, span);
        }
        joined.text = masked(&joined.text, self.folded);
        shell::commands(&joined)
    }
}

/// The commands of each pipeline `a | b | c` together.
pub(crate) fn pipes(commands: &[Command]) -> impl Iterator<Item = &[Command]> {
    commands.split_inclusive(|command| command.then != Then::Pipe)
}

/// The parts of `span` without the content of here-documents.
fn outside_heredocs(source: &Source, span: &Range<usize>) -> Vec<Range<usize>> {
    let text = source.slice(span);
    let mut parts = Vec::new();
    let (mut start, mut at, mut end) = (0, 0, None::<String>);
    let mut budget = MAX_HEREDOCS;
    for line in text.split_inclusive('\n') {
        let next = at + line.len();
        match &end {
            Some(mark) if line.trim() == mark => (start, end) = (next, None),
            Some(_) => {}
            None => {
                end = heredoc(line).filter(|mark| budget > 0 && text[next..].contains(mark.as_str()));
                budget -= usize::from(line.contains("<<") && budget > 0);
                if end.is_some() {
                    parts.push(span.start + start..span.start + next);
                }
            }
        }
        at = next;
    }
    if end.is_none() && start < text.len() {
        parts.push(span.start + start..span.end);
    }
    parts
}

/// The mark that ends the here-document which begins behind `line`.
fn heredoc(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("<<")?;
    let mark = rest.strip_prefix('-').unwrap_or(rest).trim_start();
    let mark = mark.trim_start_matches(['\'', '"', '\\']);
    let word: String = mark.chars().take_while(|char| char.is_ascii_alphanumeric() || *char == '_').collect();
    (!word.is_empty() && !rest.starts_with('<')).then_some(word)
}

/// `text` with what could end a word masked inside of templates; every byte keeps its place.
fn masked(text: &str, folded: bool) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        let length = template(rest).unwrap_or(0);
        let (inside, after) = rest.split_at(length.max(char.len_utf8()));
        if length > 0 {
            let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"._-${}[]*".contains(&byte);
            masked.extend(inside.bytes().map(|byte| if kept(byte) { char::from(byte) } else { '_' }));
        } else {
            masked.push(if folded && char == '\n' { ' ' } else { char });
        }
        rest = after;
    }
    masked
}

/// Length of the template of a pipeline that `text` begins with.
fn template(text: &str) -> Option<usize> {
    [("${{", "}}"), ("{{", "}}"), ("$[[", "]]")].into_iter().find_map(|(open, close)| {
        let inner = text.strip_prefix(open)?.as_bytes();
        let near = &inner[..inner.len().min(MAX_TEMPLATE)];
        let line = near.split(|byte| *byte == b'\n').next()?;
        let end = line.windows(close.len()).position(|bytes| bytes == close.as_bytes())?;
        Some(open.len() + end + close.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn commands(text: &str, folded: bool) -> Vec<Vec<String>> {
        let source = Source::new("a", text.as_bytes()).unwrap();
        let commands = Script { span: 0..text.len(), folded }.commands(&source);
        commands
            .into_iter()
            .map(|command| command.words.into_iter().map(|word| word.text).collect())
            .collect()
    }

    #[test]
    fn templates_are_one_word() {
        assert_eq!(commands("echo ${{ a | b }}x {{ c }}", false), [["echo", "${{_a___b_}}x", "{{_c_}}"]]);
        assert_eq!(commands("a '${{ c }}\n'", false), [["a", "${{_c_}}\n"]]);
    }

    #[test]
    fn the_content_of_a_here_document_is_no_command() {
        let expect: [&[&str]; 2] = [&["cat", "<<EOF", ">", "x"], &["z"]];
        assert_eq!(commands("cat <<EOF > x\ncurl y | sh\n  EOF\nz", false), expect);
        assert_eq!(commands("a <<E\nb", false).len(), 2, "an end that never comes ends nothing");
    }

    #[test]
    fn lines_of_a_folded_text_are_one_line() {
        assert_eq!(commands("a\nb", true), [["a", "b"]]);
        assert_eq!(commands("a\nb", false).len(), 2);
    }

    proptest! {
        #[test]
        fn every_byte_keeps_its_place(text in "[a-c ${}|\\[\\]\nü<E]{0,80}") {
            prop_assert_eq!(masked(&text, true).len(), text.len());
            commands(&text, false);
        }
    }

    #[test]
    fn long_and_odd_text_is_read_in_a_moment() {
        commands(&"${{".repeat(50_000), false);
        commands(&"a <<E\n".repeat(5_000), false);
        let ends: String = (0..20_000).map(|end| format!("a <<E{end}\n")).collect();
        commands(&ends, false);
    }
}
