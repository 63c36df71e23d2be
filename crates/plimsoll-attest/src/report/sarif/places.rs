//! Where a result is: the artifact that its first location names, against the bases of its run (sections 3.4 and 3.14.14).

use super::super::{
    ReportError,
    fields::{Object, list, object, position, text},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// What the places of one run refer to.
pub(super) struct Places<'a> {
    bases: BTreeMap<&'a str, &'a str>,
    artifacts: &'a [Value],
}

/// A place.
#[derive(Default)]
pub(super) struct Place<'a> {
    pub(super) uri: Option<String>,
    pub(super) line: Option<u64>,
    pub(super) snippet: Option<&'a str>,
}

impl<'a> Places<'a> {
    pub(super) fn read(run: &'a Object) -> Result<Self, ReportError> {
        let bases = object(run, "originalUriBaseIds")?.into_iter().flatten();
        let bases = bases.filter_map(|(id, base)| Some((id.as_str(), base.get("uri")?.as_str()?)));
        Ok(Self { bases: bases.collect(), artifacts: list(run, "artifacts")?.unwrap_or_default() })
    }

    /// The first location of a result; nothing for one without.
    pub(super) fn first<'r>(&self, result: &'r Object) -> Result<Place<'r>, ReportError> {
        let first = list(result, "locations")?.and_then(<[Value]>::first).and_then(Value::as_object);
        let Some(physical) = first.map(|first| object(first, "physicalLocation")).transpose()?.flatten()
        else {
            return Ok(Place::default());
        };
        let artifact = object(physical, "artifactLocation")?;
        let region = object(physical, "region")?;
        let snippet = region.map(|region| object(region, "snippet")).transpose()?.flatten();
        Ok(Place {
            uri: artifact.map(|artifact| self.uri(artifact)).transpose()?.flatten(),
            line: region.and_then(|region| region.get("startLine")).and_then(Value::as_u64),
            snippet: snippet.map(|snippet| text(snippet, "text")).transpose()?.flatten(),
        })
    }

    /// The URI of an artifact location, or that of the artifact it names by index.
    fn uri(&self, location: &Object) -> Result<Option<String>, ReportError> {
        let named = position(location, "index")?.and_then(|index| self.artifacts.get(index));
        let named = named.and_then(|artifact| artifact.get("location")).and_then(Value::as_object);
        let Some((location, uri)) = [Some(location), named]
            .into_iter()
            .flatten()
            .find_map(|location| Some((location, location.get("uri")?.as_str()?)))
        else {
            return Ok(None);
        };
        let base = text(location, "uriBaseId")?.and_then(|id| self.bases.get(id));
        Ok(Some(match base {
            // Section 3.14.14: a base that is given ends with a slash.
            Some(base) if !uri.contains(':') && !uri.starts_with('/') => {
                format!("{}/{uri}", base.trim_end_matches('/'))
            }
            _ => uri.to_owned(),
        }))
    }
}
