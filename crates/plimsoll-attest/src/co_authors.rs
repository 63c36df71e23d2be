//! Whom a commit message names as co-authors. Read more generously than git reads trailers: naming more people only
//! keeps more of them from approving, and a name that is overlooked lets somebody approve their own work.

use crate::predicate::source::Person;
use plimsoll_model::reason::printable;
use std::collections::BTreeSet;

/// Ends of keys that name somebody who helped to write a commit, without anything but letters and digits.
const KEYS: &[&str] = &["coauthor", "coauthors", "coauthoredby", "codevelopedby"];
/// Indented lines that a value goes on over.
const MAX_FOLDED: usize = 8;
/// Characters of names and addresses.
const MAX_NAME: usize = 1000;

/// Everybody whom `message` names as co-author, each once, in order: the trailers of git-interpret-trailers(1), and lines
/// of that form anywhere else. Letter case, spaces and punctuation of the key do not matter; a value may go on over
/// indented lines and name several people. What has no address is a name alone. Names and addresses are made printable.
#[must_use]
pub fn co_authors(message: &str) -> Vec<Person> {
    let lines: Vec<&str> = message.split(is_line_end).collect();
    let mut found = Found::default();
    for (at, line) in lines.iter().enumerate() {
        let Some(value) = value(line) else { continue };
        found.name_all(value);
        let folded = lines[at + 1..].iter().take_while(|next| is_continuation(next)).take(MAX_FOLDED);
        let folded: Vec<&str> = std::iter::once(value).chain(folded.map(|next| next.trim())).collect();
        if folded.len() > 1 {
            found.name_all(&folded.join(" "));
        }
    }
    found.people
}

/// Unicode's mandatory line breaks (UAX #14, classes BK, CR, LF and NL): what looks like a line is one.
const fn is_line_end(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_continuation(line: &str) -> bool {
    line.starts_with(char::is_whitespace) && !line.trim().is_empty() && value(line).is_none()
}

/// What follows the first key that names a co-author.
fn value(line: &str) -> Option<&str> {
    let mut rest = line;
    loop {
        let (key, after) = rest.split_once([':', '=', '\u{ff1a}'])?;
        let key: String = key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        if KEYS.iter().any(|known| key.ends_with(known)) {
            return Some(after.trim());
        }
        rest = after;
    }
}

/// People in the order in which they were found, each once.
#[derive(Default)]
struct Found {
    people: Vec<Person>,
    seen: BTreeSet<(String, String)>,
}

impl Found {
    /// Adds everybody whom a value names: each `name <address>`, and what is left without brackets.
    fn name_all(&mut self, value: &str) {
        let mut rest = value;
        while let Some((name, after)) = rest.split_once('<') {
            let (email, next) = after.split_once('>').unwrap_or((after, ""));
            self.name_list(name, email);
            rest = next;
        }
        for piece in rest.split(is_separator) {
            let email = piece.split_whitespace().find(|word| word.contains('@')).unwrap_or("");
            self.name_list(&piece.replacen(email, "", 1), email);
        }
        self.name(rest, "");
    }

    /// Adds the name before an address, which can also be several, of which the last has the address.
    fn name_list(&mut self, names: &str, email: &str) {
        self.name(names, email);
        let parted = names.replace(" and ", ",");
        let mut pieces = parted.split(is_separator).rev();
        self.name(pieces.next().unwrap_or(""), email);
        pieces.for_each(|name| self.name(name, ""));
    }

    fn name(&mut self, name: &str, email: &str) {
        let (name, email) = (tidy(name), tidy(email));
        let is_somebody = !(name.is_empty() && email.is_empty());
        if is_somebody && self.seen.insert((name.clone(), email.clone())) {
            self.people.push(Person { name, email });
        }
    }
}

const fn is_separator(character: char) -> bool {
    matches!(character, ',' | ';' | '&')
}

fn tidy(text: &str) -> String {
    let edge = |c: char| c.is_whitespace() || is_separator(c) || matches!(c, '<' | '>' | '"' | '(' | ')');
    printable(text.trim_matches(edge), MAX_NAME)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(message: &str) -> Vec<String> {
        co_authors(message).into_iter().map(|person| format!("{}|{}", person.name, person.email)).collect()
    }

    #[track_caller]
    fn check(message: &str, expect: &[&str]) {
        assert_eq!(found(message), expect, "{message:?}");
    }

    #[test]
    fn trailers_are_read_as_git_writes_them() {
        check("fix\n\nCo-authored-by: Ada Example <ada@example.org>\n", &["Ada Example|ada@example.org"]);
        check(
            "fix\n\nbody\n\nSigned-off-by: Bo <bo@x>\nCo-authored-by: Ada <a@x>\nCo-authored-by: Cy <c@x>\n",
            &["Ada|a@x", "Cy|c@x"],
        );
        check("fix\n\nCo-authored-by: Ada\n  Example <a@x>\nnext", &["Ada|", "Ada Example|a@x"]);
        check("fix", &[]);
        check("", &[]);
    }

    #[test]
    fn the_form_of_the_key_does_not_matter() {
        for key in [
            "co-authored-by: ",
            "CO-AUTHORED-BY:",
            "Co-Authored-By : ",
            "Coauthored-by: ",
            "Co authored by: ",
            "co_authored_by=",
            "Co\u{2011}authored\u{2011}by: ",
            "\u{200b}Co-authored-by\u{ff1a}",
            "Co-developed-by: ",
            "Co-author: ",
            "Co-authors: ",
            "    Co-authored-by: ",
            "> * Co-authored-by: ",
            "note: Co-authored-by: ",
        ] {
            check(&format!("{key}Ada <a@x>"), &["Ada|a@x"]);
        }
    }

    #[test]
    fn a_name_counts_wherever_it_hides() {
        let hidden = ["\r", "\r\n", "\n", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}"];
        for end in hidden {
            check(&format!("subject{end}Co-authored-by: Ada <a@x>{end}more text"), &["Ada|a@x"]);
        }
        check("Co-authored-by: Ada <a@x>\n\nnot the last paragraph", &["Ada|a@x"]);
    }

    #[test]
    fn several_people_in_one_value_are_each_named() {
        let both = found("Co-authored-by: Ada <a@x>, Bo <b@x>");
        assert!(both.contains(&"Ada|a@x".into()) && both.contains(&"Bo|b@x".into()), "{both:?}");
        for message in ["Co-authored-by: Ada, Bo <b@x>", "Co-authored-by: Ada and Bo <b@x>"] {
            let both = found(message);
            assert!(both.contains(&"Ada|".into()) && both.contains(&"Bo|b@x".into()), "{both:?}");
        }
    }

    #[test]
    fn a_damaged_value_still_names_somebody() {
        check("Co-authored-by: Ada <a@x", &["Ada|a@x"]);
        check("Co-authored-by: <a@x>", &["|a@x"]);
        check("Co-authored-by: \"Ada\" (a@x)", &["Ada|a@x", "Ada\" (a@x|"]);
        check("Co-authored-by: a@x", &["|a@x", "a@x|"]);
        check("Co-authored-by: Ada", &["Ada|"]);
        check("Co-authored-by:", &[]);
        check("Co-authored-by: Ada\u{1b}[2J <a@x>", &["Ada\u{fffd}[2J|a@x"]);
    }

    #[test]
    fn text_that_is_no_trailer_names_nobody() {
        for message in
            ["we co-authored this with Ada <a@x>", "Reviewed-by: Ada <a@x>", "by: Ada", ":::", "a=b"]
        {
            check(message, &[]);
        }
    }

    #[test]
    fn a_very_long_message_is_read_in_linear_time() {
        let people: String = (0..20_000).map(|n| format!("Co-authored-by: p{n} <p{n}@x>\n")).collect();
        assert_eq!(co_authors(&people).len(), 20_000);
        let line = format!("Co-authored-by: {}", "a,<:=".repeat(50_000));
        assert!(!co_authors(&line).is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic_and_names_are_printable(message in "\\PC*|(.|\n){0,200}") {
            for person in co_authors(&message) {
                prop_assert!(!person.name.chars().chain(person.email.chars()).any(char::is_control));
                prop_assert!(!(person.name.is_empty() && person.email.is_empty()));
            }
        }

        #[test]
        fn a_trailer_is_found_in_any_text(
            before in "(.|\n){0,100}",
            after in "(.|\n){0,100}",
            name in "[A-Za-z]{1,10}",
            key in prop::sample::select(vec!["Co-authored-by", "CO-AUTHORED-BY", "co-authored-by"]),
        ) {
            let message = format!("{before}\n{key}: {name} <{name}@example.org>\n{after}");
            let person = Person { email: format!("{name}@example.org"), name };
            prop_assert!(co_authors(&message).contains(&person));
        }

        #[test]
        fn more_lines_name_more_people(
            first in "(Co-authored-by: |[a-z]|<|>|@|,|:| |\n ?){0,30}",
            second in "[a-zC](Co-authored-by: |[a-z]|<|>|@|,|:| |\n ?){0,30}",
        ) {
            let all = co_authors(&format!("{first}\n{second}"));
            for person in co_authors(&first).into_iter().chain(co_authors(&second)) {
                prop_assert!(all.contains(&person), "{:?}", person);
            }
        }
    }
}
