//! `plimsoll explain`: the registry of reasons, for people and as the source of `docs/reasons.md`.

use crate::{cli::Explain, failure::Failure, output::Output};
use plimsoll_model::{Code, reason::Explanation};

pub(crate) fn explain(arguments: &Explain, output: &Output) -> Result<(), Failure> {
    let Some(code) = &arguments.code else {
        let all: Vec<_> = Code::ALL.iter().map(|code| code.explanation()).collect();
        let text: String =
            all.iter().map(|entry| format!("{:<22} {}\n", entry.code, plain(entry.fact))).collect();
        output.result(&text, &all.iter().map(as_json).collect::<Vec<_>>());
        return Ok(());
    };
    let found = Code::find(code).ok_or_else(|| {
        Failure::Usage(format!("`{code}` is not a reason code; `plimsoll explain` lists them all"))
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

/// A template for people: `{step}` becomes `<step>`.
fn plain(template: &str) -> String {
    template.replace('{', "<").replace('}', ">")
}
