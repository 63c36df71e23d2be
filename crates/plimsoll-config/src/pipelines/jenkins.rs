//! Jenkins: declarative and scripted pipelines, and the rules about them. They are programs in Groovy; what is judged is what
//! can be read without running them.

mod groovy;
mod rules;

use super::{Facts, Text, Unit, Variable, common, script::Script};
use crate::{
    issue::{Found, Issues},
    names,
    source::Source,
};
use groovy::{Kind, Token};
use plimsoll_scan::Rule;
use rules::RULES;
use std::{collections::BTreeSet, rc::Rc};

/// Looks at one file for one rule.
type Check = fn(&Jenkinsfile<'_>, &mut Found<'_>);

/// Its rules.
pub(super) fn rules() -> Vec<&'static Rule> {
    RULES.iter().map(|(rule, _)| *rule).collect()
}

/// A Jenkinsfile as its rules ask for it.
struct Jenkinsfile<'a> {
    source: &'a Rc<Source>,
    tokens: Vec<Token>,
    /// Variables that hold credentials somewhere in the file.
    secrets: BTreeSet<String>,
}

/// Steps that run a script.
const SHELLS: &[&str] = &["sh", "bat", "powershell", "pwsh"];

/// Judges a Jenkinsfile.
pub(super) fn check(source: &Rc<Source>, issues: &mut Issues) {
    let tokens = groovy::tokens(&source.text);
    let mut file = Jenkinsfile { source, tokens, secrets: BTreeSet::new() };
    file.secrets = file.credentials();
    common::check(&facts(&file), issues);
    RULES.iter().for_each(|(rule, check)| check(&file, &mut issues.of(rule)));
}

fn facts(file: &Jenkinsfile<'_>) -> Facts {
    let mut facts = Facts::new(file.source);
    facts.scripts = file.scripts().map(|token| Script { span: token.inner(), folded: false }).collect();
    for (index, token) in file.tokens.iter().enumerate() {
        let Kind::Word = token.kind else { continue };
        let word = file.word(index);
        let is_image = matches!(word, "docker" | "image") || word.ends_with(".image");
        if let Some(image) = file.argument(index).filter(|_| is_image) {
            facts.images.push(file.text(image));
        }
        if let Some(value) = file.assigned(index).filter(|_| names::is_secret(word)) {
            facts.variables.push(Variable { name: word.to_owned(), value: file.text(value) });
        }
    }
    let first = (0..file.tokens.len()).find(|index| matches!(file.word(*index), "pipeline" | "node"));
    if let Some(token) = first.map(|index| &file.tokens[index]) {
        let limited = (0..file.tokens.len()).any(|index| file.word(index) == "timeout");
        let name = file.source.slice(&token.span).to_owned();
        facts.units.push(Unit { name, span: token.span.clone(), limited });
    }
    facts
}

impl Jenkinsfile<'_> {
    /// The word at `index`; empty where there is none.
    fn word(&self, index: usize) -> &str {
        let token = self.tokens.get(index).filter(|token| token.kind == Kind::Word);
        token.map_or("", |token| self.source.slice(&token.span))
    }

    fn is(&self, index: usize, symbol: char) -> bool {
        self.tokens.get(index).is_some_and(|token| token.kind == Kind::Symbol(symbol))
    }

    fn string(&self, index: usize) -> Option<&Token> {
        self.tokens.get(index).filter(|token| token.is_string())
    }

    /// A string without its quotes.
    fn text(&self, token: &Token) -> Text {
        let span = token.inner();
        Text { text: self.source.slice(&span).to_owned(), span }
    }

    /// The string that the call at `index` takes first: `sh 'a'`, `sh('a')`.
    fn argument(&self, index: usize) -> Option<&Token> {
        self.string(if self.is(index + 1, '(') { index + 2 } else { index + 1 })
    }

    /// The string after `name:` in the call at `index`, which ends with its line or its parentheses.
    fn named_argument(&self, index: usize, name: &str) -> Option<&Token> {
        let mut open = 0_usize;
        for at in index + 1..self.tokens.len() {
            match self.tokens[at].kind {
                Kind::Symbol('(' | '[') => open += 1,
                Kind::Symbol(')' | ']') if open <= 1 => return None,
                Kind::Symbol(')' | ']') => open -= 1,
                Kind::Symbol('\n' | '{' | '}') if open == 0 => return None,
                Kind::Word if self.word(at) == name && self.is(at + 1, ':') => return self.string(at + 2),
                _ => {}
            }
        }
        None
    }

    /// The string that is assigned to the word at `index`.
    fn assigned(&self, index: usize) -> Option<&Token> {
        self.string(index + 2).filter(|_| self.is(index + 1, '=') && !self.is(index + 3, '+'))
    }

    /// The scripts of all steps that run one.
    fn scripts(&self) -> impl Iterator<Item = &Token> {
        (0..self.tokens.len())
            .filter(|index| SHELLS.contains(&self.word(*index)))
            .filter_map(|index| self.argument(index).or_else(|| self.named_argument(index, "script")))
    }

    /// Variables that `withCredentials` and `credentials(…)` set.
    fn credentials(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for index in 0..self.tokens.len() {
            let word = self.word(index);
            let names_one = matches!(
                word,
                "variable" | "passwordVariable" | "keyFileVariable" | "tokenVariable" | "secretKeyVariable"
            );
            if let Some(name) = self.string(index + 2).filter(|_| names_one && self.is(index + 1, ':')) {
                names.insert(self.source.slice(&name.inner()).to_owned());
            }
            if self.word(index + 2) == "credentials" && self.is(index + 1, '=') {
                names.extend(["", "_PSW"].map(|end| format!("{word}{end}")));
            }
        }
        names
    }
}
