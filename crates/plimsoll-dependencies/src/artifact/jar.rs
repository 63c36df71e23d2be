//! Archives of Java: what Maven writes into them about what they were built from, and the archives within them, to a depth
//! and a number of bytes.

use crate::{
    component::{Component, Ecosystem, Graph, Scope},
    format::Unreadable,
    lock::Draft,
};
use plimsoll_scan::Location;
use std::io::{Cursor, Read as _};
use zip::ZipArchive;

/// Archives within each other.
const MAX_DEPTH: usize = 4;
/// Entries of all archives together, and bytes that are unpacked of them.
const MAX_FILES: usize = 500_000;
const MAX_UNPACKED: u64 = 512 << 20;

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut reader = Jar { draft: Draft::new(path, b"")?, files: 0, left: MAX_UNPACKED };
    reader.archive(path, bytes, 0)?;
    Ok(reader.draft.finish())
}

struct Jar<'a> {
    draft: Draft<'a>,
    files: usize,
    left: u64,
}

impl Jar<'_> {
    fn archive(&mut self, path: &str, bytes: &[u8], depth: usize) -> Result<(), Unreadable> {
        if depth > MAX_DEPTH {
            return Err(Unreadable::new(format!("`{path}` lies in more than {MAX_DEPTH} archives")));
        }
        let broken =
            |error: zip::result::ZipError| Unreadable::new(format!("`{path}` is no whole archive: {error}"));
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
        self.files += archive.len();
        if self.files > MAX_FILES {
            return Err(Unreadable::new(format!("it has more than {MAX_FILES} files")));
        }
        let (mut named, mut manifest) = (false, None);
        for index in 0..archive.len() {
            let name =
                archive.name_for_index(index).transpose().map_err(broken)?.unwrap_or_default().into_owned();
            if name.starts_with("META-INF/maven/") && name.ends_with("/pom.properties") {
                let text = self.unpack(&mut archive, index, path)?;
                named |= self.properties(path, &String::from_utf8_lossy(&text))?;
            } else if name == "META-INF/MANIFEST.MF" {
                manifest = Some(self.unpack(&mut archive, index, path)?);
            } else if is_archive(&name) {
                let inner = self.unpack(&mut archive, index, path)?;
                self.archive(&format!("{path}!/{name}"), &inner, depth + 1)?;
            }
        }
        match named {
            true => Ok(()),
            false => self.unnamed(path, &String::from_utf8_lossy(&manifest.unwrap_or_default())),
        }
    }

    fn unpack(
        &mut self,
        archive: &mut ZipArchive<Cursor<&[u8]>>,
        index: usize,
        path: &str,
    ) -> Result<Vec<u8>, Unreadable> {
        let broken =
            |error: String| Unreadable::new(format!("a file of `{path}` cannot be unpacked: {error}"));
        let entry = archive.by_index(index).map_err(|error| broken(error.to_string()))?;
        let mut content = Vec::new();
        entry.take(self.left + 1).read_to_end(&mut content).map_err(|error| broken(error.to_string()))?;
        self.left = self
            .left
            .checked_sub(content.len() as u64)
            .ok_or_else(|| Unreadable::new(format!("it unpacks to more than {MAX_UNPACKED} bytes")))?;
        Ok(content)
    }

    /// `pom.properties`; gives whether it names something.
    fn properties(&mut self, path: &str, text: &str) -> Result<bool, Unreadable> {
        let field = |key: &str| {
            text.lines().find_map(|line| Some(line.strip_prefix(key)?.trim_start().strip_prefix('=')?.trim()))
        };
        let (Some(group), Some(artifact)) = (field("groupId"), field("artifactId")) else { return Ok(false) };
        self.add(path, &format!("{group}:{artifact}"), field("version").unwrap_or_default())?;
        Ok(true)
    }

    /// An archive that Maven did not name. Its file and its manifest can tell name and version, not the group.
    fn unnamed(&mut self, path: &str, manifest: &str) -> Result<(), Unreadable> {
        let attribute =
            |key: &str| manifest.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        let file = path.rsplit('/').next().unwrap_or(path);
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let number = stem
            .char_indices()
            .zip(stem.chars().skip(1))
            .find(|((_, c), next)| *c == '-' && next.is_ascii_digit());
        let (name, version) = number.map_or((stem, ""), |((at, _), _)| (&stem[..at], &stem[at + 1..]));
        let stated =
            attribute("Implementation-Version").or(attribute("Bundle-Version")).map_or(version, str::trim);
        self.draft.graph.completeness.lacks(format!("`{file}` does not say of which group it is"));
        self.add(path, name, if version.is_empty() { stated } else { version })
    }

    fn add(&mut self, path: &str, name: &str, version: &str) -> Result<(), Unreadable> {
        let mut component = Component::new(Ecosystem::Maven, name, version);
        component.scope = Scope::Runtime;
        component.location = Some(Location {
            path: path.to_owned(),
            line: 1,
            column: 1,
            end_line: 1,
            end_column: 1,
            excerpt: String::new(),
            commit: None,
        });
        self.draft.add_at(component).map(drop)
    }
}

/// Archives of Java by their names.
pub(crate) fn is_archive(name: &str) -> bool {
    [".jar", ".war", ".ear"].iter().any(|end| name.ends_with(end))
}
