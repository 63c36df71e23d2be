//! A value that others choose, put into a script by Groovy.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/jenkins-script-injection",
    title: "a value that others choose becomes part of a script",
    severity: Severity::High,
    help: "\
Groovy puts the value into the text before the shell reads it: a branch or a title such as `$(…)` is a command, with every
credential of the stage. Between single quotes Groovy puts nothing in, and the shell takes the same name from its environment.

Bad:

```groovy
node {
  sh \"git checkout ${env.CHANGE_BRANCH}\"
}
```

Good:

```groovy
node {
  sh 'git checkout \"$CHANGE_BRANCH\"'
}
```",
    references: &["https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#string-interpolation"],
};

use crate::{diff::Edit, pipelines::jenkins::groovy::{Kind, Token}};

/// What whoever opens a change request, pushes a branch or starts the build writes.
const FOREIGN: &[&str] = &["CHANGE_TITLE", "CHANGE_BRANCH", "CHANGE_AUTHOR", "CHANGE_AUTHOR_DISPLAY_NAME", "CHANGE_AUTHOR_EMAIL", "CHANGE_FORK", "CHANGE_TARGET", "BRANCH_NAME", "GIT_BRANCH", "GIT_LOCAL_BRANCH", "TAG_NAME", "ghprbPullTitle", "ghprbPullLongDescription", "ghprbSourceBranch", "ghprbCommentBody", "gitlabSourceBranch", "gitlabMergeRequestTitle", "gitlabMergeRequestDescription"];

pub(crate) fn check(file: &Jenkinsfile<'_>, found: &mut Found<'_>) {
    for script in file.scripts().filter(|script| script.interpolates()) {
        let inner = script.inner();
        let values = groovy::values(file.source.slice(&inner), inner.start);
        let Some((value, parameter)) = values.iter().find_map(|value| Some((value, is_foreign(value.inner)?))) else { continue };
        let issue = found.at(file.source, &value.span, format!("`{}` is put into the script by Groovy", value.inner));
        issue
            .severity(if parameter { Severity::Medium } else { Severity::High })
            .fix("use single quotes, and let the shell take it from the environment");
        single_quoted(file, script).into_iter().for_each(|edit| {
            issue.edit(edit);
        });
    }
}

/// Whether strangers choose the value, or, as `Some(true)`, whoever starts the build.
fn is_foreign(inner: &str) -> Option<bool> {
    if inner.starts_with("params.") {
        return Some(true);
    }
    let name = inner.strip_prefix("env.").unwrap_or(inner);
    FOREIGN.contains(&name).then_some(false)
}

/// The string between single quotes, where each value in it is a variable of the environment.
fn single_quoted(file: &Jenkinsfile<'_>, script: &Token) -> Option<Edit> {
    let inner = script.inner();
    let text = file.source.slice(&inner);
    let Kind::Text { quotes, .. } = script.kind else { return None };
    if text.contains(['\'', '\\']) {
        return None;
    }
    let mut changed = text.to_owned();
    for value in groovy::values(text, 0).into_iter().rev() {
        let name = value.inner.strip_prefix("env.").or(value.inner.strip_prefix("params.")).unwrap_or(value.inner);
        let known = name.len() < value.inner.len() || FOREIGN.contains(&name) || file.secrets.contains(name);
        if !known || !name.chars().all(|char| char == '_' || char.is_ascii_alphanumeric()) {
            return None;
        }
        let quoted = text[..value.span.start].ends_with('"') && text[value.span.end..].starts_with('"');
        changed.replace_range(value.span, &if quoted { format!("${{{name}}}") } else { format!("\"${{{name}}}\"") });
    }
    // A variable inside of a quoted word would end the quotes.
    (!text.contains('"')).then(|| {
        let quote = "'".repeat(quotes);
        Edit::replace(script.span.clone(), format!("{quote}{changed}{quote}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::is_fixed_by_its_diff;

    #[test]
    fn fires_on_each_shell_and_its_diff_uses_single_quotes() {
        let text = "node {\n  sh(script: \"a ${params.B} c\", returnStdout: true)\n}\n";
        fires_on(&RULE, FILE, text, &["2:17"]);
        let changes = ["-  sh(script: \"a ${params.B} c\", returnStdout: true)", "+  sh(script: 'a \"${B}\" c', returnStdout: true)"];
        is_fixed_by_its_diff(&RULE, FILE, text, &changes);
        fires_on(&RULE, FILE, "bat \"\"\"\n  echo $BRANCH_NAME\n\"\"\"\n", &["2:8"]);
    }

    #[test]
    fn is_silent_where_the_shell_takes_the_value() {
        is_silent_on(&RULE, FILE, "sh 'echo \"$BRANCH_NAME\"'\nsh \"echo ${BUILD_NUMBER}\"\necho \"${params.A}\"\n");
    }
}
