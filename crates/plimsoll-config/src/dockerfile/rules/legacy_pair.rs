//! A key and a value without an equals sign.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-legacy-pair",
    title: "ENV without an equals sign",
    severity: Severity::Info,
    help: "\
The old way takes the rest of the line as one value, and can only set one. With `=` it is clear where a value ends.

Bad:

```dockerfile
ENV PORT 8080
```

Good:

```dockerfile
ENV PORT=8080
```",
    references: &["https://docs.docker.com/reference/build-checks/legacy-key-value-format/"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for instruction in
        file.instructions().filter(|i| matches!(i.name.as_str(), "ENV" | "LABEL") && i.is_legacy_pair())
    {
        let pairs = instruction.pairs();
        let Some(pair) = pairs.first() else { continue };
        let issue = found
            .at(&file.source, &pair.span, format!("`{}` and its value stand without `=`", pair.key.text))
            .fix("write `=` between them");
        if let Some(value) = pair.value.as_ref().filter(|value| !value.text.contains([' ', '"', '\''])) {
            issue.edit(Edit::replace(pair.key.span.end..value.span.start, "="));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_blank_between() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nENV A b\n", &["2:5"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nLABEL a b c\n", &["2:7"]);
    }

    #[test]
    fn is_silent_on_equals_signs() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nENV A=b C=d\n");
    }
    #[test]
    fn the_diff_writes_it() {
        is_fixed_by_its_diff(&RULE, "Dockerfile", "FROM a:1\nENV A b\n", &["-ENV A b", "+ENV A=b"]);
    }
}
