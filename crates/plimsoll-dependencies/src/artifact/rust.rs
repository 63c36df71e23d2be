//! What `cargo auditable` writes into programs: the packages they were built from, as compressed JSON in a section of its own
//! (rust-secure-code, "cargo-auditable", format of version 1).

use crate::{
    component::{Component, Ecosystem, Graph, Scope, Source},
    format::Unreadable,
    lock::Draft,
    tree::Node,
};
use flate2::read::ZlibDecoder;
use object::{Object as _, ObjectSection as _};
use std::io::Read as _;

/// The section.
const SECTION: &str = ".dep-v0";
/// Bytes that it may unpack to; that of the largest real programs has some 100 KiB.
const MAX_UNPACKED: u64 = 8 << 20;

/// The content of the section of an ELF program, if there is one.
pub(crate) fn find(bytes: &[u8]) -> Option<&[u8]> {
    let file = object::File::parse(bytes).ok()?;
    file.section_by_name(SECTION)?.data().ok()
}

pub(crate) fn read(path: &str, section: &[u8]) -> Result<Graph, Unreadable> {
    let mut unpacked = Vec::new();
    ZlibDecoder::new(section)
        .take(MAX_UNPACKED + 1)
        .read_to_end(&mut unpacked)
        .map_err(|_| Unreadable::new("its list of Rust packages cannot be unpacked"))?;
    if unpacked.len() as u64 > MAX_UNPACKED {
        return Err(Unreadable::new(format!("its list of Rust packages has more than {MAX_UNPACKED} bytes")));
    }
    let mut draft = Draft::new(path, &unpacked)?;
    let list = Node::json(draft.text())?;
    let packages = list.items_of("packages");
    for package in packages {
        let at = draft.add_at(component(package)?)?;
        if package.is_true("root") {
            draft.graph.roots.push(at);
        }
    }
    for (from, package) in packages.iter().enumerate() {
        for to in package.items_of("dependencies").iter().filter_map(|to| to.word()?.parse::<usize>().ok()) {
            draft.edge(from, to)?;
        }
    }
    Ok(draft.finish())
}

fn component(package: &Node<'_>) -> Result<Component, Unreadable> {
    let field = |key| {
        package.text_of(key).ok_or_else(|| Unreadable::new(format!("a Rust package in it has no `{key}`")))
    };
    let mut component = Component::new(Ecosystem::Cargo, field("name")?, field("version")?);
    component.source = match package.text_of("source") {
        Some("local") => Source::Path(String::new()),
        Some("git") => Source::Git(String::new()),
        _ => Source::Registry,
    };
    component.scope = match package.text_of("kind") {
        Some("build") => Scope::Development,
        _ => Scope::Runtime,
    };
    Ok(component)
}
