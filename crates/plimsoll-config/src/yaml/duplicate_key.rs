//! A key that stands twice in one mapping of any YAML file that is read.

use super::Document;
use crate::{issue::Issues, source::Source};
use plimsoll_scan::{Rule, Severity};
use std::rc::Rc;

pub(crate) static RULE: Rule = Rule {
    id: "config/yaml-duplicate-key",
    title: "key that stands twice in one mapping",
    severity: Severity::Medium,
    help: "\
YAML forbids it, and readers differ: one takes the first value, one the last, one refuses the file. So the reviewer may see
one value while the cluster takes the other. Keep one of them.

Bad:

```yaml
securityContext:
  privileged: false
  privileged: true
```

Good:

```yaml
securityContext:
  privileged: false
```",
    references: &["https://yaml.org/spec/1.2.2/#3213-node-comparison"],
};

/// All documents of a file, its duplicate keys reported.
///
/// # Errors
///
/// Why the file is no YAML that can be judged, in one line.
pub(crate) fn read(source: &Rc<Source>, issues: &mut Issues) -> Result<Vec<Document>, String> {
    let documents = super::parse(&source.text).map_err(|error| error.to_string())?;
    for key in documents.iter().flat_map(|document| &document.duplicates) {
        let message = format!("the key `{}` stands a second time in its mapping", key.text);
        issues.of(&RULE).at(source, &key.span, message).fix("keep one of them");
    }
    Ok(documents)
}
