//! The databases of rpm: what is installed, and what each was built from. Two of its three kinds are read. The third, which
//! rpm itself gave up, and a database whose newest changes lie in a file beside it, are refused.

mod header;
mod ndb;
mod sqlite;
#[cfg(test)]
mod tests;

use crate::{
    component::{Component, Ecosystem, Graph, Origin, Scope},
    format::Unreadable,
    lock::Draft,
    purl,
};
use header::{Header, Tag};
use sqlite::{Database, Value};
use std::collections::BTreeMap;

/// Where a database lies.
pub(crate) const PATHS: [&str; 6] = [
    "var/lib/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "var/lib/rpm/Packages.db",
    "usr/lib/sysimage/rpm/Packages.db",
    "var/lib/rpm/Packages",
    "usr/lib/sysimage/rpm/Packages",
];
/// Where SQLite keeps changes that are not in the database yet.
pub(crate) const LOGS: [&str; 2] = ["var/lib/rpm/rpmdb.sqlite-wal", "usr/lib/sysimage/rpm/rpmdb.sqlite-wal"];
/// Bytes of a database. Those of hosts with some thousand packages have some 200 MB.
pub(crate) const MAX_BYTES: usize = 512 << 20;
/// The table of packages.
const TABLE: &str = "Packages";
/// Keys that vouch for packages are kept as if they were some.
const KEY: &str = "gpg-pubkey";

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut reader = Reader { draft: Draft::new(path, b"")?, names: BTreeMap::new(), asks: Vec::new() };
    if bytes.starts_with(sqlite::MAGIC) {
        let found = Database::open(bytes)?.rows(TABLE, &mut |row| match row.get(1) {
            Some(Value::Bytes(header)) => reader.package(header),
            _ => Err(Unreadable::new("a package in it has no header")),
        })?;
        if !found {
            return Err(Unreadable::new("it has no table of packages"));
        }
    } else if bytes.starts_with(ndb::MAGIC) {
        ndb::rows(bytes, &mut |header| reader.package(header))?;
    } else {
        let next = "`rpmdb --rebuilddb` of rpm 4.16 or later makes one that is";
        return Err(Unreadable::new(format!(
            "a database of rpm in Berkeley DB's format is not read; {next}"
        )));
    }
    reader.finish()
}

struct Reader<'a> {
    draft: Draft<'a>,
    /// Packages by what they provide.
    names: BTreeMap<String, usize>,
    /// What each asks for.
    asks: Vec<(usize, Vec<String>)>,
}

impl Reader<'_> {
    fn package(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        let header = Header::read(bytes)?;
        if header.text(Tag::Name) == Some(KEY) {
            return Ok(());
        }
        let component =
            component(&header).ok_or_else(|| Unreadable::new("a package in it has no name or no version"))?;
        let at = self.draft.add_at(component)?;
        for provided in header.text(Tag::Name).into_iter().chain(header.texts(Tag::Provides)) {
            self.names.entry(provided.to_owned()).or_insert(at);
        }
        self.asks.push((at, header.texts(Tag::Requires).map(str::to_owned).collect()));
        Ok(())
    }

    /// Links what is asked for by the name of a package or of what one provides; files are not.
    fn finish(mut self) -> Result<Graph, Unreadable> {
        for (from, wanted) in self.asks {
            for to in wanted.iter().filter_map(|wanted| self.names.get(wanted)) {
                self.draft.edge(from, *to)?;
            }
        }
        Ok(self.draft.finish())
    }
}

fn component(header: &Header<'_>) -> Option<Component> {
    let text = |tag| header.text(tag).filter(|text| !text.is_empty());
    let (name, version, release) = (text(Tag::Name)?, text(Tag::Version)?, text(Tag::Release)?);
    let epoch = header.number(Tag::Epoch).filter(|epoch| *epoch > 0);
    let whole = |rest: &str| epoch.map_or_else(|| rest.to_owned(), |epoch| format!("{epoch}:{rest}"));
    let mut component = Component::new(Ecosystem::Rpm, name, &whole(&format!("{version}-{release}")));
    component.scope = Scope::Runtime;
    component.license = text(Tag::License).map(str::to_owned);
    component.purl = purl::of(
        Ecosystem::Rpm,
        name,
        &component.version,
        &[("arch", text(Tag::Architecture).unwrap_or_default())],
    );
    // `name-version-release.src.rpm`; the epoch of a source package is that of what was built from it.
    let origin = text(Tag::SourcePackage).and_then(|file| file.strip_suffix(".rpm")?.rsplit_once('.'));
    let parts = origin.and_then(|(rest, _)| {
        let (rest, release) = rest.rsplit_once('-')?;
        let (name, version) = rest.rsplit_once('-')?;
        Some(Origin { name: name.to_owned(), version: whole(&format!("{version}-{release}")) })
    });
    component.origin = parts;
    Some(component)
}
