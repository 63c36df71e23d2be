//! What several statements say together. Whoever decides by them reads them strictly: one that does not name the version
//! clears nothing, and where two disagree nothing is cleared.

use super::{Statement, Status, covers, parts};

/// What statements say about a vulnerability in one package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'s> {
    /// None is about it in exactly this version.
    Nothing,
    /// It does not matter there: by this statement, the first of those that say so.
    Clears(&'s Statement),
    /// One says so, and another that it matters or that nobody knows yet.
    Disputed,
}

/// What `statements` say about a vulnerability, by any of its `names`, in the package `purl` of `product`.
pub fn said<'s>(
    statements: impl Iterator<Item = &'s Statement>,
    names: &[&str],
    purl: &str,
    product: Option<&str>,
) -> Said<'s> {
    let mut said = Said::Nothing;
    let mut doubted = false;
    for statement in statements.filter(|statement| statement.is_named(names)) {
        let cleared = match statement.status {
            Status::NotAffected | Status::Fixed => statement.is_exactly_about(purl, product),
            Status::Affected | Status::UnderInvestigation => {
                doubted |= statement.is_about(purl, product);
                false
            }
        };
        if cleared && said == Said::Nothing {
            said = Said::Clears(statement);
        }
    }
    if doubted && said != Said::Nothing { Said::Disputed } else { said }
}

impl Statement {
    pub(super) fn is_named(&self, names: &[&str]) -> bool {
        self.vulnerabilities.iter().any(|name| names.iter().any(|id| id.eq_ignore_ascii_case(name)))
    }

    /// Whether it is about the package, or about every version of it.
    pub(super) fn is_about(&self, purl: &str, product: Option<&str>) -> bool {
        match &self.component {
            None => covers(&self.product, purl),
            Some(component) => {
                covers(component, purl) && product.is_some_and(|product| covers(&self.product, product))
            }
        }
    }

    fn is_exactly_about(&self, purl: &str, product: Option<&str>) -> bool {
        let (_, version) = parts(self.component.as_ref().unwrap_or(&self.product));
        !version.is_empty() && self.is_about(purl, product)
    }
}
