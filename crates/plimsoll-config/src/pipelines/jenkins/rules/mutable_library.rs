//! A shared library in whatever version it has today.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/jenkins-mutable-library",
    title: "a shared library is taken from a branch",
    severity: Severity::Medium,
    help: "\
A shared library runs in the controller's trust: outside of the sandbox, with every credential. Without a version it is whatever
was pushed last to its repository. Name a commit or a protected tag.

Bad:

```groovy
@Library('deploy') _
node { sh 'make' }
```

Good:

```groovy
@Library('deploy@5f0c1e5d2b7a4c3e9d8f7a6b5c4d3e2f1a0b9c8d') _
node { sh 'make' }
```",
    references: &["https://www.jenkins.io/doc/book/pipeline/shared-libraries/"],
};

use crate::pipelines::words;

pub(crate) fn check(file: &Jenkinsfile<'_>, found: &mut Found<'_>) {
    for index in 0..file.tokens.len() {
        let annotation = file.word(index) == "Library" && index > 0 && file.is(index - 1, '@');
        let step = file.word(index) == "library";
        if !(annotation || step) {
            continue;
        }
        let listed = (index + 1..file.tokens.len()).take_while(|at| annotation && !file.is(*at, ')') && !file.is(*at, '{'));
        let first = file.argument(index).or_else(|| file.named_argument(index, "identifier"));
        let mut libraries: Vec<_> = listed.filter_map(|at| file.string(at)).collect();
        libraries.extend(first.filter(|_| libraries.is_empty()));
        for library in libraries {
            let text = file.text(library).text;
            let version = text.split_once('@').map(|(_, version)| version);
            if version.is_none_or(words::is_branch) {
                found
                    .at(file.source, &library.span, format!("`{text}` is whatever was pushed last"))
                    .fix(format!("name a commit: `{}@<commit>`", text.split('@').next().unwrap_or("")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_each_way_to_load_one() {
        fires_on(&RULE, FILE, "@Library(['a@main', 'b@1.2', \"c\"]) _\n", &["1:11", "1:30"]);
        fires_on(&RULE, FILE, "library 'a@master'\n", &["1:9"]);
        fires_on(&RULE, FILE, "library identifier: 'a', retriever: b\n", &["1:21"]);
    }

    #[test]
    fn is_silent_on_versions() {
        is_silent_on(&RULE, FILE, "@Library('a@v1.2.3') _\nlibrary(\"b@${version}\")\n");
    }
}
