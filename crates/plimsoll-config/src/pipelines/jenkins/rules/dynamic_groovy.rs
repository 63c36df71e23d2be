//! A program that is put together while it runs.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/jenkins-dynamic-groovy",
    title: "Groovy is put together at run time and then run",
    severity: Severity::Medium,
    help: "\
`evaluate` and `load` run Groovy with all rights of the pipeline. If the text or the file name comes from a parameter or from
the workspace of a change request, its author writes the pipeline. Load only from a shared library with a fixed version.

Bad:

```groovy
node {
  evaluate(params.SCRIPT)
}
```

Good:

```groovy
@Library('steps@v1.2.3') _
node {
  steps.build()
}
```",
    references: &["https://www.jenkins.io/doc/book/managing/script-approval/"],
};

pub(crate) fn check(file: &Jenkinsfile<'_>, found: &mut Found<'_>) {
    for index in 0..file.tokens.len() {
        let word = file.word(index);
        let evaluates = matches!(word, "evaluate" | "Eval.me" | "GroovyShell") && file.is(index + 1, '(');
        let loads = word == "load" && (file.argument(index).is_some_and(|path| path.interpolates() && file.text(path).text.contains('$')));
        if evaluates || loads {
            found
                .at(file.source, &file.tokens[index].span, format!("`{word}` runs whatever its argument says"))
                .fix("put the program into a shared library with a fixed version");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_evaluation_and_on_computed_files() {
        fires_on(&RULE, FILE, "x = evaluate(readFile('a'))\nload \"${params.A}.groovy\"\n", &["1:5", "2:1"]);
    }

    #[test]
    fn is_silent_on_a_fixed_file() {
        is_silent_on(&RULE, FILE, "load 'a.groovy'\n");
    }
}
