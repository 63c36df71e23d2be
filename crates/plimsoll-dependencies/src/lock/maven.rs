//! `pom.xml` (Maven's POM reference). It names what a project asks for itself; parents, imported lists of versions and what
//! dependencies ask for are elsewhere, so that it is never complete.

use crate::{
    component::{Component, Ecosystem, Graph, Scope, Source},
    format::Unreadable,
    lock::Draft,
};
use quick_xml::{Reader, events::Event};
use std::{collections::BTreeMap, ops::Range};

/// Elements within each other.
const MAX_DEPTH: usize = 100;
/// Characters of a value after its properties are put in, and how often one may lead to another.
const MAX_VALUE: usize = 1000;
const MAX_STEPS: usize = 8;

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    let pom = Pom::read(draft.text())?;
    let root = draft.add(pom.own()?, pom.own.clone())?;
    draft.graph.roots.push(root);
    for dependency in &pom.dependencies {
        let component = pom.component(dependency);
        if component.version.is_empty() {
            let name = &component.name;
            draft.graph.completeness.lacks(format!("the version of `{name}` is not in the file"));
        }
        let at = draft.add(component, dependency.span.clone())?;
        draft.edge(root, at)?;
    }
    draft.graph.completeness.lacks("what dependencies ask for is not in a pom.xml");
    Ok(draft.finish())
}

/// Texts of elements, by name.
type Fields = BTreeMap<String, String>;

#[derive(Default)]
struct Dependency {
    fields: Fields,
    span: Range<usize>,
}

#[derive(Default)]
struct Pom {
    project: Fields,
    parent: Fields,
    properties: Fields,
    dependencies: Vec<Dependency>,
    /// Versions that `dependencyManagement` gives, by name.
    managed: BTreeMap<String, Fields>,
    own: Range<usize>,
}

impl Pom {
    fn read(text: &str) -> Result<Self, Unreadable> {
        let invalid = |problem: String| Unreadable::new(format!("it is not valid XML: {problem}"));
        let mut reader = Reader::from_str(text);
        let (mut pom, mut way, mut before) = (Self::default(), Vec::<String>::new(), 0);
        loop {
            let event = reader.read_event().map_err(|error| invalid(error.to_string()))?;
            let after = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
            match event {
                Event::Start(element) => {
                    if way.len() >= MAX_DEPTH {
                        return Err(Unreadable::new(format!("it is nested deeper than {MAX_DEPTH} levels")));
                    }
                    way.push(element.local_name().as_ref().to_owned());
                    pom.start(&way, before)?;
                }
                Event::End(_) => {
                    pom.end(&way, after);
                    way.pop();
                }
                Event::Text(value) => pom.text(&way, value.trim()),
                // Kept as written: what has one is no version that anything could be compared with.
                Event::GeneralRef(name) => pom.text(&way, &format!("&{};", &*name)),
                Event::DocType(_) => {
                    return Err(Unreadable::new("it declares a document type, which no pom.xml needs"));
                }
                Event::Eof if way.is_empty() && pom.own.end > 0 => return Ok(pom),
                Event::Eof => return Err(invalid("it ends early".to_owned())),
                _ => {}
            }
            before = after;
        }
    }

    fn start(&mut self, way: &[String], at: usize) -> Result<(), Unreadable> {
        match place(way) {
            Place::Project => self.own = at..at,
            Place::Dependency => {
                self.dependencies.push(Dependency { fields: Fields::new(), span: at..at });
            }
            Place::Managed => {
                // Kept under no name until it has one.
                self.managed.insert(String::new(), Fields::new());
            }
            _ => {
                let known =
                    |(field, above): (&String, &[String])| Some(self.fields(above)?.contains_key(field));
                if way.split_last().and_then(known) == Some(true) {
                    let field = way.last().map(String::as_str).unwrap_or_default();
                    return Err(Unreadable::new(format!("`{field}` stands twice in one place")));
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, way: &[String], at: usize) {
        match place(way) {
            Place::Project => self.own.end = self.own.start + 1,
            Place::Dependency => {
                if let Some(last) = self.dependencies.last_mut() {
                    last.span.end = at;
                }
            }
            Place::Managed => {
                if let Some(fields) = self.managed.remove("") {
                    self.managed.insert(name(&fields), fields);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, way: &[String], value: &str) {
        if value.is_empty() {
            return;
        }
        let Some((field, above)) = way.split_last() else { return };
        if let Some(fields) = self.fields(above) {
            let known = fields.entry(field.clone()).or_default();
            let room = MAX_VALUE.saturating_sub(known.len());
            known.extend(value.chars().take(room));
        }
    }

    /// Where the fields of an element are kept, if it is one that counts.
    fn fields(&mut self, way: &[String]) -> Option<&mut Fields> {
        match place(way) {
            Place::Project => Some(&mut self.project),
            Place::Parent => Some(&mut self.parent),
            Place::Properties => Some(&mut self.properties),
            Place::Dependency => self.dependencies.last_mut().map(|last| &mut last.fields),
            Place::Managed => Some(self.managed.entry(String::new()).or_default()),
            Place::Elsewhere => None,
        }
    }

    /// The project itself; group and version can be its parent's.
    fn own(&self) -> Result<Component, Unreadable> {
        let field = |key: &str| self.project.get(key).or_else(|| self.parent.get(key));
        let artifact =
            self.project.get("artifactId").ok_or_else(|| Unreadable::new("it has no `artifactId`"))?;
        let group = field("groupId").map(String::as_str).unwrap_or_default();
        let version = field("version").and_then(|version| self.whole(version)).unwrap_or_default();
        let mut own = Component::new(Ecosystem::Maven, &format!("{group}:{artifact}"), &version);
        own.source = Source::Path(String::new());
        Ok(own)
    }

    fn component(&self, dependency: &Dependency) -> Component {
        let part = |key: &str| {
            let written = dependency.fields.get(key)?;
            Some(self.whole(written).unwrap_or_else(|| written.clone()))
        };
        let name =
            format!("{}:{}", part("groupId").unwrap_or_default(), part("artifactId").unwrap_or_default());
        let managed = self.managed.get(&name);
        let field = |key: &str| dependency.fields.get(key).or_else(|| managed?.get(key));
        let version = field("version").and_then(|version| self.whole(version));
        // A range is no version.
        let version = version.filter(|version| !version.contains(['[', '(', ',', '$', '&']));
        let mut component = Component::new(Ecosystem::Maven, &name, &version.unwrap_or_default());
        component.scope = match field("scope").map(String::as_str) {
            Some("test" | "provided") => Scope::Development,
            _ if dependency.fields.get("optional").is_some_and(|optional| optional == "true") => {
                Scope::Optional
            }
            _ => Scope::Runtime,
        };
        component
    }

    /// A value with its properties put in; none where one is not in the file.
    fn whole(&self, written: &str) -> Option<String> {
        let mut value = written.to_owned();
        for _ in 0..MAX_STEPS {
            let Some((before, rest)) = value.split_once("${") else { return Some(value) };
            let (property, after) = rest.split_once('}')?;
            value = format!("{before}{}{after}", self.property(property)?);
            if value.len() > MAX_VALUE {
                return None;
            }
        }
        (!value.contains("${")).then_some(value)
    }

    fn property(&self, name: &str) -> Option<&str> {
        let own = name.strip_prefix("project.").or_else(|| name.strip_prefix("pom."));
        let found = match own.map(|field| (field, field.strip_prefix("parent."))) {
            Some((_, Some(field))) => self.parent.get(field),
            Some((field, None)) => self.project.get(field).or_else(|| self.parent.get(field)),
            None => self.properties.get(name),
        };
        found.map(String::as_str)
    }
}

fn name(fields: &Fields) -> String {
    let field = |key: &str| fields.get(key).map(String::as_str).unwrap_or_default();
    format!("{}:{}", field("groupId"), field("artifactId"))
}

/// What an element is for.
enum Place {
    Project,
    Parent,
    Properties,
    Dependency,
    Managed,
    Elsewhere,
}

fn place(way: &[String]) -> Place {
    let way: Vec<&str> = way.iter().take(5).map(String::as_str).collect();
    match way.as_slice() {
        ["project"] => Place::Project,
        ["project", "parent"] => Place::Parent,
        ["project", "properties"] => Place::Properties,
        ["project", "dependencies", "dependency"] => Place::Dependency,
        ["project", "dependencyManagement", "dependencies", "dependency"] => Place::Managed,
        _ => Place::Elsewhere,
    }
}
