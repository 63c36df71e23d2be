//! The expressions of GitHub Actions: where they stand in a text and which contexts they read. Values that a comparison or a
//! predicate turns into true or false are left out, since no text of theirs comes through.

use std::ops::Range;

/// `${{ … }}` in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expression<'t> {
    /// Its place in the file, braces included.
    pub(super) span: Range<usize>,
    pub(super) inner: &'t str,
}

/// Every expression of `text`, which begins at `base` of its file.
pub(super) fn expressions(text: &str, base: usize) -> Vec<Expression<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find("${{").map(|start| at + start) {
        let Some(length) = text[start..].find("}}") else { break };
        let end = start + length + 2;
        found.push(Expression { span: base + start..base + end, inner: text[start + 3..end - 2].trim() });
        at = end;
    }
    found
}

/// Functions that give true, false or a digest, whatever they are asked about.
const PREDICATES: &[&str] = &["contains", "startswith", "endswith", "hashfiles"];

/// The contexts whose text comes through `inner`, in lower case: `github.event.commits.*.message`.
pub(super) fn contexts(inner: &str) -> Vec<String> {
    let tokens = tokens(inner);
    let mut found = Vec::new();
    let mut calls: Vec<bool> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match token {
            Token::Open => {
                let before = index.checked_sub(1).and_then(|before| tokens.get(before));
                calls.push(matches!(before, Some(Token::Path(name)) if PREDICATES.contains(&name.as_str())));
            }
            Token::Close => {
                calls.pop();
            }
            Token::Path(path) => {
                let next = tokens.get(index + 1);
                let before = index.checked_sub(1).and_then(|before| tokens.get(before));
                let compared = [before, next].contains(&Some(&Token::Comparison));
                if next != Some(&Token::Open) && !compared && !calls.contains(&true) {
                    found.push(path.clone());
                }
            }
            Token::Comparison | Token::Other => {}
        }
    }
    found
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Path(String),
    Open,
    Close,
    Comparison,
    Other,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(char) = rest.chars().next() {
        let (token, length) = match char {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '=' | '<' | '>' => (Token::Comparison, 1 + usize::from(rest[1..].starts_with('='))),
            '!' if rest.starts_with("!=") => (Token::Comparison, 2),
            '\'' => (Token::Other, quoted(rest)),
            _ if char.is_ascii_alphabetic() || char == '_' => path(rest),
            _ => (Token::Other, char.len_utf8()),
        };
        found.push(token);
        rest = rest[length..].trim_start();
    }
    found
}

/// Length of the string that `text` begins with; a quote in it is written twice.
fn quoted(text: &str) -> usize {
    text[1..].find('\'').map_or(text.len(), |end| end + 2)
}

/// A path of names, `.*`, `['name']` and `[0]`.
fn path(text: &str) -> (Token, usize) {
    let name = |text: &str| text.find(|char: char| !(char.is_ascii_alphanumeric() || "_-*".contains(char)));
    let mut length = name(text).unwrap_or(text.len());
    let mut found = text[..length].to_ascii_lowercase();
    loop {
        let rest = &text[length..];
        if let Some(after) = rest.strip_prefix('.') {
            let end = name(after).unwrap_or(after.len());
            found.push('.');
            found.push_str(&after[..end].to_ascii_lowercase());
            length += 1 + end;
        } else if rest.starts_with('[') {
            let end = rest.find(']').unwrap_or(rest.len());
            let index = rest[1..end].trim();
            let literal = index.strip_prefix('\'').and_then(|index| index.strip_suffix('\''));
            found.push('.');
            found.push_str(&literal.map_or("*".to_owned(), str::to_ascii_lowercase));
            length += (end + 1).min(rest.len());
        } else {
            return (Token::Path(found), length);
        }
    }
}

/// Whether anybody who can open an issue or a pull request decides the text of `context`
/// (docs.github.com, "Secure use reference", script injections).
pub(super) fn anybody_writes(context: &str) -> bool {
    if context == "github.head_ref" {
        return true;
    }
    let Some(event) = context.strip_prefix("github.event.") else { return false };
    let last = event.rsplit('.').next().unwrap_or("");
    let text = [
        "title",
        "body",
        "message",
        "email",
        "label",
        "default_branch",
        "page_name",
        "display_title",
        "head_branch",
    ];
    let person = event.contains("author.") || event.contains("committer.");
    text.contains(&last)
        || (last == "name" && (person || event.starts_with("label") || event.starts_with("head_commit")))
        || event == "pull_request.head.ref"
        || event == "workflow_run.head_repository.description"
        || event == "pull_request.head.repo.description"
        || event == "pull_request.head.repo.homepage"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn contexts_are_read_in_each_spelling() {
        let check = |inner: &str, expect: &[&str]| assert_eq!(contexts(inner), expect, "{inner}");
        check("github.event.issue.title", &["github.event.issue.title"]);
        check("GitHub.Event['issue'].Title", &["github.event.issue.title"]);
        check("github.event.commits[0].message", &["github.event.commits.*.message"]);
        check("format('{0}', github.head_ref)", &["github.head_ref"]);
        check("toJSON(secrets)", &["secrets"]);
        check("github.event_name == 'push' && github.head_ref || 'x'", &["github.head_ref"]);
    }

    #[test]
    fn what_is_only_compared_does_not_come_through() {
        let check = |inner: &str| assert!(contexts(inner).is_empty(), "{inner}");
        check("contains(github.event.issue.title, 'a')");
        check("github.head_ref == 'main'");
        check("'main' != github.head_ref");
        check("'github.head_ref'");
    }

    #[test]
    fn text_of_strangers_is_known() {
        let check = |context: &str, expect| assert_eq!(anybody_writes(context), expect, "{context}");
        for context in [
            "github.head_ref",
            "github.event.issue.title",
            "github.event.comment.body",
            "github.event.pull_request.head.ref",
            "github.event.head_commit.author.name",
            "github.event.commits.*.message",
            "github.event.workflow_run.head_branch",
        ] {
            check(context, true);
        }
        for context in [
            "github.sha",
            "github.event.number",
            "github.event.pull_request.head.sha",
            "github.event.repository.name",
            "secrets.title",
        ] {
            check(context, false);
        }
    }

    #[test]
    fn places_are_those_of_the_file() {
        let text = "a ${{ b }} ${{c}}";
        let found = expressions(text, 5);
        assert_eq!((found[0].span.clone(), found[1].inner), (7..15, "c"));
        assert!(expressions("${{ a", 0).is_empty());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "[a-c.*'=!<>()\\[\\]{}$ ü]{0,60}") {
            for expression in expressions(&text, 0) {
                contexts(expression.inner);
            }
            contexts(&text);
        }
    }
}
