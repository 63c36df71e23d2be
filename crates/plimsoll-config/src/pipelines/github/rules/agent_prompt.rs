//! A language model that obeys text of strangers.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-agent-prompt",
    title: "text of a stranger is an instruction to an agent",
    severity: Severity::High,
    help: "\
An agent cannot tell your instructions from those in an issue's title. Whoever opens an issue tells it what to run, with the
secrets and the token of the job; Cline's releases were lost to an issue title in 2026. Give an agent that reads foreign text no
secret, no right to write and no tool that runs commands, and let a person start it.

Bad:

```yaml
on: issues
permissions: {}
jobs:
  triage:
    runs-on: ubuntu-24.04
    steps:
      - uses: anthropics/claude-code-action@0123456789abcdef0123456789abcdef01234567 # v1
        with:
          prompt: \"Sort this issue: ${{ github.event.issue.title }}\"
```

Good:

```yaml
on: workflow_dispatch
permissions: {}
jobs:
  triage:
    runs-on: ubuntu-24.04
    steps:
      - uses: anthropics/claude-code-action@0123456789abcdef0123456789abcdef01234567 # v1
        with:
          prompt: \"Sort the open issues by age\"
```",
    references: &["https://owasp.org/www-project-top-10-for-large-language-model-applications/"],
};

/// Actions that hand an input to a language model which may use tools.
const AGENTS: &[&str] = &[
    "anthropics/claude-code-action",
    "anthropics/claude-code-base-action",
    "openai/codex-action",
    "google-github-actions/run-gemini-cli",
    "google-gemini/gemini-cli-action",
    "actions/ai-inference",
    "github/copilot-cli-action",
];
/// Programs that do the same from a script.
const PROGRAMS: &[&str] = &["claude -p", "claude --print", "codex exec", "gemini -p", "gemini --prompt", "copilot -p", "llm "];

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    for (_, step) in workflow.steps() {
        let agent = AGENTS.iter().any(|agent| step.is(agent));
        let program = step.run().and_then(|run| run.text()).is_some_and(|text| PROGRAMS.iter().any(|name| text.contains(name)));
        if !agent && !program {
            continue;
        }
        let expressions = workflow.all_expressions(step.node);
        let foreign = expressions.iter().find(|expression| contexts(expression.inner).iter().any(|context| anybody_writes(context)));
        if let Some(expression) = foreign {
            let message = format!("`{}` reaches a language model as an instruction", expression.inner);
            found
                .at(workflow.source, &expression.span, message)
                .fix("let a person start it, and give it neither secrets nor rights to write");
        } else if let Some(trigger) = workflow.privileged().filter(|_| agent && step.with("prompt").is_none()) {
            let place = step.uses.map_or(&trigger.span, |uses| &uses.node.span);
            let message = format!("on `{}` anybody talks to this agent", trigger.name);
            found
                .at(workflow.source, place, message)
                .severity(Severity::Medium)
                .fix("let only members start it, and give it neither secrets nor rights to write");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_foreign_text_in_prompts_and_programs() {
        let text = "on: issues\njobs:\n  a:\n    steps:\n      - run: claude -p \"$T\"\n        env:\n          T: ${{ github.event.issue.body }}\n";
        fires_on(&RULE, WORKFLOW, text, &["7:14"]);
        let text = "on: issue_comment\njobs:\n  a:\n    steps:\n      - uses: anthropics/claude-code-action@v1\n";
        fires_on(&RULE, WORKFLOW, text, &["5:15"]);
    }

    #[test]
    fn is_silent_on_own_words() {
        let text = "on: push\njobs:\n  a:\n    steps:\n      - uses: openai/codex-action@v1\n        with: {prompt: Review it}\n";
        is_silent_on(&RULE, WORKFLOW, text);
    }
}
