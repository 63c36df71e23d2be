//! Which registries a lock file may choose among, and which hosts they stand on. Plimsoll knows no registry: addresses
//! come from the client's built-in default, from the operator's configuration of the client, and from `registries:` of
//! the delivery repository. Of a configuration only addresses are kept; everything else in it is left behind.

use super::FetchError;
use crate::ports::{AllowedHost, Host};
use plimsoll_pipeline::{Ecosystem, Registry};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// Cargo's key for its built-in registry in `[source]` tables; not an address.
const BUILT_IN: &str = "crates-io";
/// The source that stands for all registries in a build.
const VENDORED: &str = "plimsoll-vendored";
/// Replacements of replacements that are followed.
const MAX_REPLACEMENTS: usize = 8;

/// The client's built-in registry, as the client itself tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltIn {
    /// How lock files name it.
    pub identity: String,
    /// The domain that names it; its index and archives stand on it or below.
    pub domain: Host,
}

impl BuiltIn {
    /// Reads what the client says about a package with one dependency that it has never heard of: `metadata` is the
    /// output of `cargo metadata --no-deps`, `complaint` that of `cargo generate-lockfile --offline`. None when it
    /// says something else.
    #[must_use]
    pub fn from_answers(metadata: &[u8], complaint: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Metadata {
            packages: Vec<Package>,
        }
        #[derive(Deserialize)]
        struct Package {
            dependencies: Vec<Dependency>,
        }
        #[derive(Deserialize)]
        struct Dependency {
            source: String,
        }
        let metadata: Metadata = serde_json::from_slice(metadata).ok()?;
        let identity = metadata.packages.into_iter().next()?.dependencies.into_iter().next()?.source;
        let searched = complaint.lines().find_map(|line| line.trim().strip_prefix("location searched: "))?;
        let domain: Host = searched.strip_suffix(" index")?.parse().ok()?;
        let is_domain = matches!(&domain, Host::Name(name) if name.contains('.'));
        (is_domain && address(&identity).is_some()).then_some(Self { identity, domain })
    }
}

/// The operator's own configuration of the client (`config.toml` of its home directory), reduced to addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ClientConfig {
    #[serde(default)]
    registries: BTreeMap<String, NamedRegistry>,
    #[serde(default, rename = "source")]
    sources: BTreeMap<String, SourceTable>,
    #[serde(default)]
    http: Http,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
struct NamedRegistry {
    index: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
struct SourceTable {
    #[serde(skip_serializing_if = "Option::is_none")]
    registry: Option<String>,
    #[serde(rename = "replace-with", skip_serializing_if = "Option::is_none")]
    replace_with: Option<String>,
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    directory: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct Http {
    cainfo: Option<PathBuf>,
}

impl ClientConfig {
    /// Reads a configuration; the empty text is a configuration without anything.
    ///
    /// # Errors
    /// `E-FETCH-FAILED` when it cannot be read.
    pub fn parse(text: &str) -> Result<Self, FetchError> {
        toml::from_str(text).map_err(|error| {
            FetchError::failed(format!("the client's own configuration cannot be read: {}", error.message()))
        })
    }

    /// The bundle of certificate authorities that the operator told the client to use, as written.
    #[must_use]
    pub fn certificates(&self) -> Option<&PathBuf> {
        self.http.cainfo.as_ref()
    }

    /// Where packages of the source `name` really come from: a URL, or none for the built-in place.
    fn follow(&self, name: &str) -> Result<Option<&str>, FetchError> {
        let mut name = name;
        for _ in 0..MAX_REPLACEMENTS {
            let table = self.sources.get(name);
            match table.and_then(|table| table.replace_with.as_deref()) {
                Some(next) => name = next,
                None => return self.end_of_chain(name, table),
            }
        }
        Err(FetchError::failed(format!("the client's configuration replaces source {name} again and again")))
    }

    fn end_of_chain<'a>(
        &'a self,
        name: &str,
        table: Option<&'a SourceTable>,
    ) -> Result<Option<&'a str>, FetchError> {
        let named = self.registries.get(name).and_then(|registry| registry.index.as_deref());
        match table.and_then(|table| table.registry.as_deref()).or(named) {
            Some(url) => Ok(Some(url)),
            None if name == BUILT_IN => Ok(None),
            None => Err(FetchError::failed(format!(
                "the client's configuration takes packages from source {name}, which is not a registry with an address"
            ))),
        }
    }

    /// The source table that says where packages of the registry at `url` come from instead.
    fn table_of(&self, url: &str) -> Option<&str> {
        self.sources
            .iter()
            .find(|(_, table)| table.registry.as_deref() == Some(url))
            .map(|(name, _)| name.as_str())
    }
}

/// Every registry that a lock file may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registries {
    /// Hosts by identity, which is what lock files write.
    known: BTreeMap<String, BTreeSet<AllowedHost>>,
    built_in: String,
    client: ClientConfig,
}

impl Registries {
    /// Brings together what the client and the operator know.
    ///
    /// # Errors
    /// `E-FETCH-FAILED` for addresses that are not `https` or carry credentials, and for replacements that are no
    /// registries.
    pub fn new(built_in: BuiltIn, client: ClientConfig, operator: &[Registry]) -> Result<Self, FetchError> {
        let mut known: BTreeMap<String, BTreeSet<AllowedHost>> = BTreeMap::new();
        let own = match client.follow(BUILT_IN)? {
            Some(url) => host_of(url)?,
            None => AllowedHost { subdomains: true, ..AllowedHost::exactly(built_in.domain) },
        };
        known.entry(built_in.identity.clone()).or_default().insert(own);
        // Registries at addresses that no gateway can serve, as by ssh, stay unknown: a lock file that names one is
        // refused, and one that does not is not disturbed.
        let named = client.registries.values().filter_map(|registry| registry.index.as_deref());
        for url in named.filter(|url| address(url).is_some()) {
            let real = client.table_of(url).map_or(Ok(Some(url)), |table| client.follow(table))?;
            known.entry(identity(url)).or_default().insert(host_of(real.unwrap_or(url))?);
        }
        for registry in operator.iter().filter(|registry| registry.ecosystem == Ecosystem::Cargo) {
            known.entry(identity(&registry.index)).or_default().insert(allowed(registry)?);
        }
        let mut registries = Self { known, built_in: built_in.identity, client };
        registries.allow_private(operator)?;
        Ok(registries)
    }

    /// A host that the operator lists as private is private wherever it serves, as when it is a mirror.
    fn allow_private(&mut self, operator: &[Registry]) -> Result<(), FetchError> {
        for registry in operator.iter().filter(|registry| registry.private) {
            let private = allowed(registry)?;
            for hosts in self.known.values_mut() {
                if hosts.iter().any(|host| host.matches(&private.host, private.port)) {
                    hosts.insert(private.clone());
                }
            }
        }
        Ok(())
    }

    /// Whether a lock file may name this source.
    #[must_use]
    pub fn knows(&self, source: &str) -> bool {
        self.known.contains_key(source)
    }

    /// The hosts that stand behind some sources, and those of registries that the operator lists.
    #[must_use]
    pub fn hosts<'a>(&self, sources: impl Iterator<Item = &'a str>) -> Vec<AllowedHost> {
        let hosts: BTreeSet<_> =
            sources.filter_map(|source| self.known.get(source)).flatten().cloned().collect();
        hosts.into_iter().collect()
    }

    /// The client's configuration for a fetch: the operator's addresses and nothing else.
    ///
    /// # Errors
    /// Never for addresses that were read as text.
    pub fn fetch_config(&self) -> Result<String, FetchError> {
        let mut sources = self.client.sources.clone();
        sources.retain(|_, table| {
            table.registry = table.registry.take().filter(|url| address(url).is_some());
            table.registry.is_some() || table.replace_with.is_some()
        });
        render(&ConfigFile { registries: self.named(), sources })
    }

    fn named(&self) -> BTreeMap<String, NamedRegistry> {
        let usable =
            |registry: &NamedRegistry| registry.index.as_deref().is_some_and(|url| address(url).is_some());
        let named = self.client.registries.iter().filter(|(_, registry)| usable(registry));
        named.map(|(name, registry)| (name.clone(), registry.clone())).collect()
    }

    /// The client's configuration for a build in which `directory` holds all packages of `sources`.
    ///
    /// # Errors
    /// Never for addresses that were read as text.
    pub fn build_config<'a>(
        &self,
        sources: impl Iterator<Item = &'a str>,
        directory: &str,
    ) -> Result<String, FetchError> {
        let vendored = || Some(VENDORED.to_owned());
        let mut tables = BTreeMap::new();
        let place = SourceTable { directory: Some(directory.into()), ..SourceTable::default() };
        tables.insert(VENDORED.to_owned(), place);
        for (at, source) in sources.collect::<BTreeSet<_>>().into_iter().enumerate() {
            let (name, registry) = if source == self.built_in {
                (BUILT_IN.to_owned(), None)
            } else {
                (
                    format!("plimsoll-{at}"),
                    Some(source.strip_prefix("registry+").unwrap_or(source).to_owned()),
                )
            };
            tables.insert(name, SourceTable { registry, replace_with: vendored(), directory: None });
        }
        render(&ConfigFile { registries: self.named(), sources: tables })
    }
}

#[derive(Serialize)]
struct ConfigFile {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    registries: BTreeMap<String, NamedRegistry>,
    #[serde(rename = "source", skip_serializing_if = "BTreeMap::is_empty")]
    sources: BTreeMap<String, SourceTable>,
}

fn render(config: &ConfigFile) -> Result<String, FetchError> {
    toml::to_string(config).map_err(|error| FetchError::failed(error.to_string()))
}

/// How a lock file names the registry at `url`.
fn identity(url: &str) -> String {
    if url.starts_with("sparse+") { url.to_owned() } else { format!("registry+{url}") }
}

fn host_of(url: &str) -> Result<AllowedHost, FetchError> {
    let (host, port) = address(url).ok_or_else(|| {
        FetchError::failed(format!("the registry address {url} is not plain https without credentials"))
    })?;
    Ok(AllowedHost { port, ..AllowedHost::exactly(host) })
}

fn allowed(registry: &Registry) -> Result<AllowedHost, FetchError> {
    let host = registry.host.parse().map_err(|error| FetchError::failed(format!("registries: {error}")))?;
    Ok(AllowedHost { port: registry.port, private: registry.private, ..AllowedHost::exactly(host) })
}

/// Host and port of an `https` URL, with any of Cargo's prefixes before it.
fn address(url: &str) -> Option<(Host, u16)> {
    let plain = ["sparse+", "registry+"].iter().find_map(|prefix| url.strip_prefix(prefix)).unwrap_or(url);
    let authority = plain.strip_prefix("https://")?.split(['/', '?', '#']).next()?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok().filter(|port| *port > 0)?),
        _ => (authority, 443),
    };
    Some((host.parse().ok()?, port))
}
