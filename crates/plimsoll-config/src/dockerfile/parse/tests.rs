//! Dockerfiles as BuildKit reads them: each case is a text and what comes out of it.

use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Dockerfile {
    Dockerfile::read(&Rc::new(Source::new("Dockerfile", text.as_bytes()).unwrap())).unwrap()
}

fn refused(text: &str) -> String {
    Dockerfile::read(&Rc::new(Source::new("Dockerfile", text.as_bytes()).unwrap())).unwrap_err()
}

/// Name and body of each instruction after the first FROM.
fn check(text: &str, expect: &[(&str, &str)]) -> Dockerfile {
    let file = read(text);
    let got: Vec<_> = file.instructions().map(|i| (i.name.as_str(), i.body.text.as_str())).collect();
    assert_eq!(got, expect, "{text}");
    file
}

#[test]
fn lines_are_joined_past_comments_and_empty_lines() {
    check("FROM a\nRUN b \\\n  c\n", &[("RUN", "b   c")]);
    check("FROM a\nRUN b \\\n# no\n\n  # no\n  c \\  \n d\nUSER 1\n", &[("RUN", "b   c  d"), ("USER", "1")]);
    check("FROM a\n  run b\\\\\nUSER 1\n", &[("RUN", "b\\\\"), ("USER", "1")]);
    check("FROM a\nRUN b \\", &[("RUN", "b ")]);
    check("FROM a\r\nRUN b \\\r\n c\r\n", &[("RUN", "b  c")]);
    check("# escape=`\nFROM a\nRUN b `\n c\\\nUSER 1\n", &[("RUN", "b  c\\"), ("USER", "1")]);
    check("\u{feff}FROM a\n", &[]);
}

#[test]
fn heredocs_belong_to_their_instruction() {
    let file = check("FROM a\nRUN <<EOF\nFROM b\n# c\nEOF\nUSER 1\n", &[("RUN", "<<EOF"), ("USER", "1")]);
    let run = &file.stages[0].instructions[0];
    assert_eq!(file.source.slice(&run.heredocs[0].content), "FROM b\n# c\n");
    check(
        "FROM a\nRUN <<A cat <<-\"B\"\n1\nA\n2\n\tB\nUSER 1\n",
        &[("RUN", "<<A cat <<-\"B\""), ("USER", "1")],
    );
    check("FROM a\nCOPY <<'X Y' <<f /b\nX Y\nf\nUSER 1\n", &[("COPY", "<<'X Y' <<f /b"), ("USER", "1")]);
}

#[test]
fn what_only_looks_like_a_heredoc_is_none() {
    check("FROM a\nRUN cat <<< x\nUSER 1\n", &[("RUN", "cat <<< x"), ("USER", "1")]);
    check("FROM a\nRUN echo $((1 << 3))\nUSER 1\n", &[("RUN", "echo $((1 << 3))"), ("USER", "1")]);
    check("FROM a\nRUN echo 'a <<EOF'\nUSER 1\n", &[("RUN", "echo 'a <<EOF'"), ("USER", "1")]);
    check("FROM a\nENV a=<<EOF\nUSER 1\n", &[("ENV", "a=<<EOF"), ("USER", "1")]);
    check("FROM a\nRUN [\"a\", \"<<EOF\"]\nUSER 1\n", &[("RUN", "[\"a\", \"<<EOF\"]"), ("USER", "1")]);
}

#[test]
fn flags_lists_and_pairs_are_told_apart() {
    let file =
        read("FROM a\nRUN --mount=type=secret,id=x --network=none go\nCMD [\"a\", \"b c\"]\nCMD ['a']\n");
    let all = &file.stages[0].instructions;
    assert_eq!(all[0].flag("mount").unwrap().value, "type=secret,id=x");
    assert_eq!(all[0].body.text, "go");
    assert_eq!(all[1].list.as_deref(), Some(&["a".to_owned(), "b c".to_owned()][..]));
    assert_eq!(all[2].list, None);
    let pairs = |line: &str| -> Vec<(String, Option<String>)> {
        let file = read(&format!("FROM a\n{line}\n"));
        let pairs = file.stages[0].instructions[0].pairs();
        pairs.into_iter().map(|pair| (pair.key.text, pair.value.map(|value| value.text))).collect()
    };
    let pair = |key: &str, value: &str| (key.to_owned(), Some(value.to_owned()));
    assert_eq!(pairs("ENV a=b c=\"d e\" f=g\\ h"), [pair("a", "b"), pair("c", "d e"), pair("f", "g h")]);
    assert_eq!(pairs("ENV a b  c"), [pair("a", "b c")]);
    assert_eq!(pairs("ARG a b=c"), [("a".to_owned(), None), pair("b", "c")]);
}

#[test]
fn stages_know_what_they_begin_with() {
    let file =
        read("ARG V=1\nARG W\nFROM a:$V AS one\nFROM ONE\nFROM b:${W}\nFROM c:${W:-2}\nFROM scratch\n");
    let bases: Vec<_> = file.stages.iter().map(|stage| stage.base.clone()).collect();
    let image = |text| Base::Image(Image::parse(text));
    assert_eq!(bases[0], image("a:1"));
    assert_eq!(bases[2..], [Base::Unknown, image("c:2"), Base::Nothing]);
}

#[test]
fn an_instruction_for_later_builds_is_marked() {
    let file = read("FROM a\nONBUILD RUN b <<X\n1\nX\nONBUILD COPY a b\n");
    let all = &file.stages[0].instructions;
    assert_eq!(
        all.iter().map(|i| (i.name.as_str(), i.on_build)).collect::<Vec<_>>(),
        [("RUN", true), ("COPY", true)]
    );
}

#[test]
fn the_builder_that_a_file_asks_for_is_known() {
    let file = read("# syntax = docker/dockerfile:1 \n# escape=\\\n# check=skip=all\nFROM a\n");
    assert_eq!(file.directives.syntax.unwrap().0, "docker/dockerfile:1");
    assert!(read("# a comment\n# syntax=x\nFROM a\n").directives.syntax.is_none());
}

#[test]
fn places_lead_back_through_continuations() {
    let text = "FROM a\nRUN x \\\n && curl -k y\n";
    let file = read(text);
    let commands = file.stages[0].instructions[0].commands(&file.source);
    assert_eq!(&text[commands[1].span()], "curl -k y");
}

#[test]
fn what_no_builder_takes_is_refused() {
    assert_eq!(refused(""), "has no FROM");
    assert_eq!(refused("RUN a\nFROM b\n"), "RUN stands before the first FROM");
    assert_eq!(refused("FROM a\n{{ b }}\n"), "`{{` is no instruction (line 2)");
    assert_eq!(refused("FROM a\nRUN <<EOF\nb\n"), "a here-document of line 2 does not end");
    assert_eq!(refused("# escape=x\nFROM a\n"), "its escape character is neither \\ nor `");
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "(FROM a\n)?((RUN|COPY|ENV|ONBUILD|#|ARG) ?[-a<>=\\[\\]\"'\\\\$`{} \n]{0,20}){0,4}") {
        let source = Rc::new(Source::new("Dockerfile", text.as_bytes()).unwrap());
        if let Ok(file) = Dockerfile::read(&source) {
            for instruction in file.instructions() {
                prop_assert!(text.get(instruction.span.clone()).is_some());
                for command in instruction.commands(&source) {
                    prop_assert!(text.get(command.span()).is_some());
                }
            }
        }
    }
}
