//! `plimsoll explain`: the registry of reasons and the rules of the scanners.

use super::scan;
use crate::{cli::Explain, failure::Failure, output::Output};
use plimsoll_model::{Code, reason::Explanation};
use plimsoll_scan::Rule;

pub(crate) fn explain(arguments: &Explain, output: &Output) -> Result<(), Failure> {
    let Some(code) = &arguments.code else {
        let all: Vec<_> = Code::ALL.iter().map(|code| code.explanation()).collect();
        let text: String =
            all.iter().map(|entry| format!("{:<22} {}\n", entry.code, plain(entry.fact))).collect();
        output.result(&text, &all.iter().map(as_json).collect::<Vec<_>>());
        return Ok(());
    };
    if let Some(rule) = scan::rules().into_iter().find(|rule| rule.names(code)) {
        output.result(&plimsoll_scan::page(rule), &rule_as_json(rule));
        return Ok(());
    }
    let found = Code::find(code).ok_or_else(|| {
        let all = "`plimsoll explain` lists the codes, docs/rules the rules";
        Failure::Usage(format!("`{code}` is neither a reason code nor a rule; {all}"))
    })?;
    let entry = found.explanation();
    let text = format!(
        "{}\n\n  What  {}\n  Rule  {}\n  Who   {}\n  Next  {}",
        entry.code,
        plain(entry.fact),
        entry.rule,
        entry.fixer.as_str(),
        plain(entry.next)
    );
    output.result(&text, &as_json(&entry));
    Ok(())
}

fn as_json(entry: &Explanation) -> serde_json::Value {
    serde_json::json!({
        "code": entry.code, "fact": entry.fact, "rule": entry.rule, "fixer": entry.fixer.as_str(), "next": entry.next,
    })
}

fn rule_as_json(rule: &Rule) -> serde_json::Value {
    serde_json::json!({
        "rule": rule.id, "title": rule.title, "severity": rule.severity, "help": rule.help, "references": rule.references,
    })
}

/// A template for people: `{step}` becomes `<step>`.
fn plain(template: &str) -> String {
    template.replace('{', "<").replace('}', ">")
}
