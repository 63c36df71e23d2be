//! What the Go linker writes into every program (package `debug/buildinfo`): the modules it was built from, exactly. It is
//! found by its mark, whatever the format of the program.

use crate::{
    component::{Component, Ecosystem, Graph, Scope, Source},
    format::Unreadable,
    lock::Draft,
};

/// The mark; only as a whole is it one, so that this program does not hold it.
const MARK: [&[u8]; 2] = [b"\xff Go build", b"inf:"];
/// Offset of the text where it stands in place, and what it is aligned to.
const HEADER: usize = 32;
const ALIGNMENT: usize = 16;
/// The flag that says so; since Go 1.18.
const IN_PLACE: u8 = 2;
/// Bytes around the list of modules, by which Go finds it itself.
const GUARD: usize = 16;

/// Where the information begins, if there is any.
pub(crate) fn find(bytes: &[u8]) -> Option<usize> {
    let mark = MARK.concat();
    let mut at = 0;
    while let Some(place) = memchr::memmem::find(bytes.get(at..)?, &mark) {
        at += place;
        if at % ALIGNMENT == 0 && bytes.len() >= at + HEADER {
            return Some(at);
        }
        at += 1;
    }
    None
}

pub(crate) fn read(path: &str, bytes: &[u8], at: usize) -> Result<Graph, Unreadable> {
    if bytes.get(at + 15).copied().unwrap_or_default() & IN_PLACE == 0 {
        return Err(Unreadable::new("it was built by Go before 1.18, whose list of modules is not read"));
    }
    let broken = || Unreadable::new("its list of Go modules is cut off");
    let (version, rest) = text(&bytes[at + HEADER..]).ok_or_else(broken)?;
    let (modules, _) = text(rest).ok_or_else(broken)?;
    let inner = modules.get(GUARD..modules.len().saturating_sub(GUARD)).unwrap_or_default();
    let mut draft = Draft::new(path, inner)?;
    let version = String::from_utf8_lossy(version);
    let number = version.strip_prefix("go").unwrap_or(&version).split([' ', '-']).next().unwrap_or_default();
    let mut library = Component::new(Ecosystem::Go, "stdlib", number);
    library.scope = Scope::Runtime;
    draft.add_at(library)?;
    for (_, line) in draft.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields.as_slice() {
            ["mod", name, version, ..] => {
                let mut own = module(name, version);
                own.source = Source::Path(String::new());
                let at = draft.add_at(own)?;
                draft.graph.roots.push(at);
            }
            ["dep", name, version, ..] => drop(draft.add_at(module(name, version))?),
            // It stands in for the module above.
            ["=>", name, version, ..] => {
                if let Some(last) = draft.graph.components.last_mut() {
                    *last = module(name, version);
                }
            }
            _ => {}
        }
    }
    connect(&mut draft)?;
    Ok(draft.finish())
}

/// Which module asks for which is not written: the program has them all.
fn connect(draft: &mut Draft<'_>) -> Result<(), Unreadable> {
    let Some(root) = draft.graph.roots.first().copied() else { return Ok(()) };
    for to in (0..draft.graph.components.len()).filter(|to| *to != root) {
        draft.edge(root, to)?;
    }
    Ok(())
}

fn module(name: &str, version: &str) -> Component {
    let version = if version == "(devel)" { "" } else { version };
    let mut component = Component::new(Ecosystem::Go, name, version);
    if name.starts_with(['.', '/']) {
        component.source = Source::Path(name.to_owned());
    }
    component.scope = Scope::Runtime;
    component
}

/// A text after its length (as `encoding/binary`'s Uvarint), and what follows.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut length, mut shift) = (0_usize, 0);
    for (at, byte) in bytes.iter().take(5).enumerate() {
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return bytes[at + 1..].split_at_checked(length);
        }
        shift += 7;
    }
    None
}
