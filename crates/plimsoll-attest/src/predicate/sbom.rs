//! What an artifact is made of: a bill of materials in CycloneDX 1.6 (ECMA-424), as other tools read it. The subjects are
//! the artifact's manifest, then each of its files. Of the format, the part that Plimsoll writes; anything else is refused.

use super::Predicate;
use serde::{Deserialize, Serialize};

/// A bill of materials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Sbom {
    /// Address of the format's schema.
    #[serde(rename = "$schema")]
    pub schema: String,
    /// Always `CycloneDX`.
    pub bom_format: String,
    /// Always `1.6`.
    pub spec_version: String,
    /// From the content, so that the same content has the same number.
    pub serial_number: String,
    /// Always 1: what changes is another list.
    pub version: u32,
    /// What the list is about, who made it, and what it lacks.
    pub metadata: Metadata,
    /// Every package, by its reference.
    pub components: Vec<Component>,
    /// What asks for what.
    pub dependencies: Vec<Dependency>,
    /// How complete the whole is, then each file.
    pub compositions: Vec<Composition>,
}

impl Predicate for Sbom {
    const TYPE: &'static str = "https://cyclonedx.org/bom";
}

impl Sbom {
    /// Reference of what the list is about.
    pub const SUBJECT: &'static str = "subject";
    /// Before the file of each [`Sbom::shortcomings`].
    pub const INCOMPLETE: &'static str = "plimsoll:incomplete:";

    /// How complete the whole is: what is said of the subject's dependencies. Said of nothing, or in two ways, it is
    /// unknown.
    #[must_use]
    pub fn completeness(&self) -> Aggregate {
        let about = |composition: &&Composition| composition.dependencies == [Self::SUBJECT];
        let mut whole = self.compositions.iter().filter(about);
        match (whole.next(), whole.next()) {
            (Some(whole), None) => whole.aggregate,
            _ => Aggregate::Unknown,
        }
    }

    /// Why it is not complete: the file that is to blame, and what it lacks.
    pub fn shortcomings(&self) -> impl Iterator<Item = (&str, &str)> {
        let properties = self.metadata.properties.iter();
        properties.filter_map(|one| Some((one.name.strip_prefix(Self::INCOMPLETE)?, one.value.as_str())))
    }
}

/// What the list is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// Who made it.
    pub tools: Tools,
    /// The subject.
    pub component: Main,
    /// What the format has no place for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<Property>,
}

/// Who made the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tools {
    /// Programs.
    pub components: Vec<Tool>,
}

/// A program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Always `application`.
    pub r#type: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Of its executable, hashed before it ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hashes: Vec<Hash>,
}

/// The subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Main {
    /// Always `application`.
    pub r#type: String,
    /// [`Sbom::SUBJECT`].
    #[serde(rename = "bom-ref")]
    pub reference: String,
    /// The project.
    pub name: String,
    /// The commit.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
}

/// A name and a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Property {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Component {
    /// Always `library`.
    pub r#type: String,
    /// Its name within the list. That of a package of a registry begins with its package URL.
    #[serde(rename = "bom-ref")]
    pub reference: String,
    /// What stands before the name: an organisation or a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its name.
    pub name: String,
    /// Its version; empty where it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Whether it is `required`, `optional` or `excluded`, which is only for development.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Of its archives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hashes: Vec<Hash>,
    /// As stated where it was found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub licenses: Vec<License>,
    /// Its package URL; none for packages of the project itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purl: Option<String>,
    /// Where it comes from, if it is not its ecosystem's public registry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub external_references: Vec<External>,
    /// What the format has no place for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<Property>,
    /// Where it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

impl Component {
    /// The value of a property.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|property| property.name == name).map(|property| property.value.as_str())
    }
}

/// A digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hash {
    /// Its function, as in `SHA-256`.
    pub alg: String,
    /// Its value in hexadecimal digits.
    pub content: String,
}

/// A licence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum License {
    /// An SPDX expression.
    Expression(Expression),
    /// Some other text.
    Named(Named),
}

/// An SPDX expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expression {
    /// Its text.
    pub expression: String,
}

/// A licence under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// It.
    pub license: Name,
}

/// A name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// Its text.
    pub name: String,
}

/// A place from which something comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct External {
    /// `distribution` or `vcs`.
    pub r#type: String,
    /// Its address.
    pub url: String,
}

/// Where a package was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Each place.
    pub occurrences: Vec<Occurrence>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Occurrence {
    /// The file: below the source, or `artifact:` and its path in the artifact.
    pub location: String,
    /// The line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// What one asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Dependency {
    /// Who asks.
    pub r#ref: String,
    /// For what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
}

/// How complete a part is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Composition {
    /// How complete.
    pub aggregate: Aggregate,
    /// The packages that this is said of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assemblies: Vec<String>,
    /// Those whose dependencies this is said of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<String>,
}

/// How complete something is (CycloneDX 1.6, "compositions[].aggregate").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregate {
    /// Nothing is missing.
    Complete,
    /// Something is.
    Incomplete,
    /// Nobody can tell.
    Unknown,
}
