//! Finds what looks like a template of other systems in commands. Plimsoll replaces nothing in a file, so such text has
//! no meaning here; where it names an event, its author expects other people's text in a command, which is how commands
//! get injected.

/// What to do instead.
pub(crate) const HELP: &str = "nothing is replaced in a command; read other people's text from an environment variable, as in \"$PLIMSOLL_REVISION\"";

/// Words by which other systems name events and their text.
const EVENT_WORDS: &[&str] = &[
    "actor",
    "author",
    "bitbucket",
    "branch",
    "branchname",
    "ci",
    "commit",
    "drone",
    "event",
    "forgejo",
    "gitea",
    "github",
    "gitlab",
    "inputs",
    "issue",
    "merge",
    "message",
    "params",
    "parameters",
    "pipeline",
    "pr",
    "pull",
    "pusher",
    "ref",
    "secrets",
    "sender",
    "sourcebranch",
    "title",
    "trigger",
    "variables",
    "vars",
    "woodpecker",
];

/// Characters between the marks of a template; what is longer is none.
const MAX_INNER: usize = 200;

/// What tells a template from text that a shell or a tool understands.
#[derive(Clone, Copy)]
enum Sign {
    /// The marks alone: no shell knows them.
    Marks,
    /// A word of an event between the marks.
    EventWord,
    /// A dotted name that begins with one of these words.
    Beginning(&'static [&'static str]),
}

/// Opening and closing marks of templates.
const MARKS: &[(&str, &str, Sign)] = &[
    ("${{", "}}", Sign::Marks),
    ("{{", "}}", Sign::EventWord),
    ("%{", "}", Sign::EventWord),
    ("<<", ">>", Sign::Beginning(&["pipeline.", "parameters."])),
    ("$[", "]", Sign::Beginning(&["variables.", "variables[", "dependencies."])),
];

/// The first template that puts event text into `text`.
pub(crate) fn find(text: &str) -> Option<&str> {
    let all = MARKS.iter().flat_map(|&(open, close, sign)| {
        text.match_indices(open)
            .filter_map(move |(at, _)| Some((at, template(&text[at..], open, close, sign)?)))
    });
    all.min_by_key(|&(at, _)| at).map(|(_, template)| template)
}

/// The template at the beginning of `text`, which begins with `open`.
fn template<'t>(text: &'t str, open: &str, close: &str, sign: Sign) -> Option<&'t str> {
    let inner = &text[open.len()..];
    let end =
        inner.char_indices().take(MAX_INNER).map(|(at, _)| at).find(|&at| inner[at..].starts_with(close));
    let found = match (sign, end) {
        (Sign::Marks, _) => true,
        (_, None) => false,
        (Sign::EventWord, Some(end)) => names_event(&inner[..end]),
        (Sign::Beginning(words), Some(_)) => words.iter().any(|word| inner.trim_start().starts_with(word)),
    };
    let whole = end.map_or(text, |end| &text[..open.len() + end + close.len()]);
    found.then(|| shorten(whole))
}

/// Refuses text that its author expects to be replaced, where there is no command.
pub(crate) fn absent(text: &str) -> Result<(), String> {
    match text.contains("${{") {
        true => Err(
            "`${{ … }}` means nothing here, as no text of a file is ever replaced: expected the value itself"
                .into(),
        ),
        false => Ok(()),
    }
}

fn names_event(inner: &str) -> bool {
    let mut words = inner.split(|c: char| !c.is_ascii_alphanumeric());
    !inner.contains('\n') && words.any(is_event_word)
}

fn is_event_word(word: &str) -> bool {
    EVENT_WORDS.contains(&word.to_ascii_lowercase().as_str())
}

fn shorten(template: &str) -> &str {
    let end = template.char_indices().nth(80).map_or(template.len(), |(at, _)| at);
    template[..end].lines().next().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<&str>) {
        assert_eq!(find(text), expect, "{text}");
    }

    #[test]
    fn event_text_of_other_systems_is_found_in_commands() {
        check("echo ${{ github.event.pull_request.title }}", Some("${{ github.event.pull_request.title }}"));
        check("echo ${{x}}", Some("${{x}}"));
        check("echo ${{ cut", Some("${{ cut"));
        check("git checkout {{ .Branch }}", Some("{{ .Branch }}"));
        check("echo {{event.title}} b", Some("{{event.title}}"));
        check("deploy %{head_ref}", Some("%{head_ref}"));
        check("echo << pipeline.git.branch >>", Some("<< pipeline.git.branch >>"));
        check("echo $[variables.title]", Some("$[variables.title]"));
        check("echo {{GitHub.Ref}}", Some("{{GitHub.Ref}}"));
    }

    #[test]
    fn what_a_shell_or_a_tool_understands_is_left_alone() {
        for benign in [
            "echo \"$TITLE\" ${TITLE:-none} $(git log) $((1 + 2))",
            "curl -w '%{http_code}' file:///dev/null",
            "go list -f '{{.Dir}}' ./...",
            "cat <<EOF\nbranch >> x\nEOF",
            "cat <<< \"$TITLE\" >> out",
            "awk '{ print $1 }' | sed 's/a/b/'",
            "echo {{a,b}}",
        ] {
            check(benign, None);
        }
    }
}
