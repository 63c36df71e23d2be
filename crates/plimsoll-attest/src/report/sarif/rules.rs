//! The rules of one run of a SARIF log, and how a result names one of them.

use super::super::fields::{Object, list, object, objects, position, text};
use super::super::{ReportError, inconsistent, malformed};
use super::{Level, level_named};
use serde_json::Value;
use std::collections::BTreeMap;

/// Parts of a hierarchical rule id that are looked at.
const MAX_ID_DEPTH: usize = 8;
/// Extensions of one tool: each result can ask for one by name.
const MAX_EXTENSIONS: usize = 1_000;

/// The rules of one run, by component (driver, then extensions) and by id.
pub(super) struct Rules {
    components: Vec<Vec<String>>,
    names: Vec<String>,
    levels: BTreeMap<String, Level>,
    /// The severity that the property bag of a rule gives, by id, for the property that was asked for.
    severities: BTreeMap<String, String>,
    /// Other names of a rule, by id: those that it had before (section 3.49.4), where some tools put names of an advisory.
    other_names: BTreeMap<String, Vec<String>>,
    /// The one package that a rule is about, by id; none where there are several.
    packages: BTreeMap<String, Option<String>>,
    /// How many there are.
    pub(super) count: u64,
}

impl Rules {
    /// `property` is the key of a rule's property bag that [`Rules::severity`] gives back.
    pub(super) fn read(tool: &Object, driver: &Object, property: Option<&str>) -> Result<Self, ReportError> {
        let mut rules = Self {
            components: Vec::new(),
            names: Vec::new(),
            levels: BTreeMap::new(),
            severities: BTreeMap::new(),
            other_names: BTreeMap::new(),
            packages: BTreeMap::new(),
            count: 0,
        };
        rules.component(driver, property)?;
        for extension in objects(tool, "extensions")? {
            rules.component(extension?, property)?;
            if rules.components.len() > MAX_EXTENSIONS {
                return Err(ReportError::TooLarge(format!("{MAX_EXTENSIONS} extensions")));
            }
        }
        Ok(rules)
    }

    fn component(&mut self, component: &Object, property: Option<&str>) -> Result<(), ReportError> {
        let mut ids = Vec::new();
        for rule in objects(component, "rules")? {
            let rule = rule?;
            let id = text(rule, "id")?.ok_or_else(|| malformed("a rule without `id`"))?;
            let configuration = object(rule, "defaultConfiguration")?;
            let level = configuration.map(level_of).transpose()?.flatten().unwrap_or(Level::Warning);
            self.raise_to(id, level);
            let bag = object(rule, "properties")?;
            if let Some(word) = property.zip(bag).and_then(|(property, bag)| word(bag, property)) {
                self.severities.entry(id.to_owned()).or_insert(word);
            }
            self.say_about(id, rule, bag)?;
            ids.push(id.to_owned());
            self.count += 1;
        }
        self.names.push(text(component, "name")?.unwrap_or_default().to_owned());
        self.components.push(ids);
        Ok(())
    }

    fn say_about(&mut self, id: &str, rule: &Object, bag: Option<&Object>) -> Result<(), ReportError> {
        let before = list(rule, "deprecatedIds")?.unwrap_or_default().iter().filter_map(Value::as_str);
        let before: Vec<String> = before.map(str::to_owned).collect();
        if !before.is_empty() {
            self.other_names.entry(id.to_owned()).or_default().extend(before);
        }
        let packages = bag.and_then(|bag| bag.get("purls")).and_then(Value::as_array).into_iter().flatten();
        for package in packages.filter_map(Value::as_str) {
            let known = self.packages.entry(id.to_owned()).or_insert_with(|| Some(package.to_owned()));
            if known.as_deref() != Some(package) {
                *known = None;
            }
        }
        Ok(())
    }

    /// Where an id stands twice, in two components, the higher level is meant.
    fn raise_to(&mut self, id: &str, level: Level) {
        let known = self.levels.entry(id.to_owned()).or_insert(level);
        *known = level.max(*known);
    }

    /// Applies one configuration override (section 3.51) where it makes a rule more severe. A repository's own
    /// configuration of a scanner is no reason to take its findings more lightly.
    pub(super) fn raise(&mut self, change: &Object) -> Result<(), ReportError> {
        let descriptor =
            object(change, "descriptor")?.ok_or_else(|| malformed("an override without descriptor"))?;
        let configuration = object(change, "configuration")?;
        if let (Some(id), Some(level)) =
            (self.resolve(None, None, Some(descriptor))?, configuration.map(level_of).transpose()?.flatten())
        {
            self.raise_to(&id, level);
        }
        Ok(())
    }

    /// The level of the rule that a result names; a rule that is not described is a `warning`.
    pub(super) fn level(&self, id: Option<&str>) -> Level {
        // Section 3.27.5: `CA1000/1` is a more specific id of the rule `CA1000`.
        let ids = std::iter::successors(id, |id| id.rsplit_once('/').map(|(parent, _)| parent));
        ids.take(MAX_ID_DEPTH).find_map(|id| self.levels.get(id)).copied().unwrap_or(Level::Warning)
    }

    /// What the property bag of a rule says about its severity.
    pub(super) fn severity(&self, id: Option<&str>) -> Option<&str> {
        let ids = std::iter::successors(id, |id| id.rsplit_once('/').map(|(parent, _)| parent));
        ids.take(MAX_ID_DEPTH).find_map(|id| self.severities.get(id)).map(String::as_str)
    }

    /// Other names of a rule, and the package that it is about.
    pub(super) fn about(&self, id: Option<&str>) -> (&[String], Option<&str>) {
        let names = id.and_then(|id| self.other_names.get(id)).map_or(&[][..], Vec::as_slice);
        (names, id.and_then(|id| self.packages.get(id)?.as_deref()))
    }

    /// Resolves `ruleId`, `ruleIndex` and a descriptor reference (sections 3.27.5 to 3.27.7, 3.52) to an id. They
    /// must agree, or a finding could borrow the level of a milder rule.
    pub(super) fn resolve(
        &self,
        id: Option<&str>,
        index: Option<usize>,
        reference: Option<&Object>,
    ) -> Result<Option<String>, ReportError> {
        let no_object = Object::new();
        let reference = reference.unwrap_or(&no_object);
        let ids = [id, text(reference, "id")?];
        let component = self.component_of(object(reference, "toolComponent")?)?;
        let mut named: Option<&str> = None;
        for index in [index, position(reference, "index")?].into_iter().flatten() {
            let rule =
                component.get(index).ok_or_else(|| inconsistent(format!("there is no rule {index}")))?;
            if named.is_some_and(|other| other != rule) {
                return Err(inconsistent("a result names two rules"));
            }
            named = Some(rule);
        }
        for id in ids.into_iter().flatten() {
            let fits = |rule: &str| {
                id.strip_prefix(rule).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            match named {
                Some(rule) if !fits(rule) => {
                    return Err(inconsistent(format!("the rules `{rule}` and `{id}` of one result")));
                }
                Some(_) => {}
                None => named = Some(id),
            }
        }
        Ok(named.map(str::to_owned))
    }

    /// The rules of the component that a reference (section 3.54) names; the driver if it names none.
    fn component_of(&self, reference: Option<&Object>) -> Result<&[String], ReportError> {
        let Some(reference) = reference else {
            return Ok(self.components.first().map_or(&[], Vec::as_slice));
        };
        let unknown = || inconsistent("a tool component that the run does not have");
        let at = match (position(reference, "index")?, text(reference, "name")?) {
            (Some(extension), _) => extension.saturating_add(1),
            (None, Some(name)) => self.names.iter().position(|known| known == name).ok_or_else(unknown)?,
            (None, None) => 0,
        };
        self.components.get(at).map(Vec::as_slice).ok_or_else(unknown)
    }
}

/// The level of a reporting configuration (section 3.50); `none` is a note, since the rule can still fail.
fn level_of(configuration: &Object) -> Result<Option<Level>, ReportError> {
    match text(configuration, "level")? {
        None => Ok(None),
        Some("none") => Ok(Some(Level::Note)),
        Some(name) => level_named(name).map(Some),
    }
}

/// A value of a property bag that stands for a severity: a word, or a score as text or number.
pub(super) fn word(bag: &Object, property: &str) -> Option<String> {
    match bag.get(property)? {
        Value::String(word) => Some(word.clone()),
        Value::Number(score) => Some(score.to_string()),
        _ => None,
    }
}
