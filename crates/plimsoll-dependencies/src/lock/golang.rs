//! `go.mod` (the Go modules reference, "go.mod files"). From Go 1.17 on it lists every module that a build of the project's
//! packages and their tests can use; `go.sum` lists checksums of many more, and is not what is built.

use crate::{
    component::{Component, Ecosystem, Graph, Scope, Source},
    format::Unreadable,
    lock::Draft,
};
use std::{collections::BTreeMap, ops::Range};

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    let file = File::read(&draft)?;
    let mut own = Component::new(Ecosystem::Go, file.module.0, "");
    own.source = Source::Path(String::new());
    own.scope = Scope::Runtime;
    let root = draft.add(own, file.module.1.clone())?;
    draft.graph.roots.push(root);
    for require in &file.requires {
        let at = draft.add(file.component(require), require.span.clone())?;
        if !require.indirect {
            draft.edge(root, at)?;
        }
    }
    if !file.lists_all() {
        let reason = "before Go 1.17 a go.mod names only what the project asks for itself";
        draft.graph.completeness.lacks(reason);
    }
    Ok(draft.finish())
}

struct Require<'a> {
    module: &'a str,
    version: &'a str,
    indirect: bool,
    span: Range<usize>,
}

/// A module or a directory, and a version where one is written.
type Target<'a> = (&'a str, Option<&'a str>);

#[derive(Default)]
struct File<'a> {
    module: (&'a str, Range<usize>),
    go: &'a str,
    requires: Vec<Require<'a>>,
    /// What stands in for what.
    replaced: BTreeMap<Target<'a>, Target<'a>>,
}

impl<'a> File<'a> {
    fn read(draft: &Draft<'a>) -> Result<Self, Unreadable> {
        let (mut file, mut block) = (Self::default(), None);
        for (start, line) in draft.lines() {
            let (content, comment) = line.split_once("//").unwrap_or((line, ""));
            let words: Vec<&str> = content.split_whitespace().collect();
            let span = start..start + content.trim_end().len();
            match (block, words.as_slice()) {
                (_, []) => {}
                (Some(_), [")"]) => block = None,
                (None, [verb, "("]) => block = Some(*verb),
                (Some(verb), words) => file.directive(verb, words, comment, span),
                (None, [verb, words @ ..]) => file.directive(verb, words, comment, span),
            }
        }
        match file.module.0 {
            "" => Err(Unreadable::new("it has no `module`")),
            _ => Ok(file),
        }
    }

    fn directive(&mut self, verb: &str, words: &[&'a str], comment: &str, span: Range<usize>) {
        match (verb, words) {
            ("module", [module]) => self.module = (unquoted(module), span),
            ("go", [version]) => self.go = version,
            ("require", [module, version]) => {
                let indirect = comment.trim_start().starts_with("indirect");
                self.requires.push(Require { module: unquoted(module), version, indirect, span });
            }
            ("replace", [module, rest @ ..]) => {
                let (version, target) = match rest {
                    ["=>", target @ ..] => (None, target),
                    [version, "=>", target @ ..] => (Some(*version), target),
                    _ => return,
                };
                if let [to, of @ ..] = target {
                    self.replaced.insert((unquoted(module), version), (unquoted(to), of.first().copied()));
                }
            }
            _ => {}
        }
    }

    /// What a build uses for a requirement.
    fn component(&self, require: &Require<'a>) -> Component {
        let Require { module, version, .. } = *require;
        let replaced =
            self.replaced.get(&(module, Some(version))).or_else(|| self.replaced.get(&(module, None)));
        match replaced {
            None => Component::new(Ecosystem::Go, module, version),
            Some((other, Some(version))) => Component::new(Ecosystem::Go, other, version),
            Some((directory, None)) => {
                let mut component = Component::new(Ecosystem::Go, module, version);
                component.source = Source::Path((*directory).to_owned());
                component
            }
        }
    }

    /// Whether the file is of Go 1.17 or later.
    fn lists_all(&self) -> bool {
        let mut numbers = self.go.split('.').map(|number| number.parse::<u32>().unwrap_or_default());
        let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
        self.requires.is_empty() || (major, minor) >= (1, 17)
    }
}

fn unquoted(text: &str) -> &str {
    text.trim_matches(['"', '`'])
}
