//! `poetry.lock`, versions 1 and 2. It names the groups that need a package, but not which packages the project asks for
//! itself.

use crate::{
    component::{Component, Graph, Scope, Source},
    format::Unreadable,
    lock::{
        Draft,
        python::{self, Names},
        reach::roots_are_unasked,
    },
    tree::Node,
};

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    let file = Node::toml(draft.text())?;
    let packages = file.items_of("package");
    for package in packages {
        draft.add_block(component(package, &file)?, package)?;
    }
    let names = Names::of(&draft);
    for (from, package) in packages.iter().enumerate() {
        for (name, _) in package.entries_of("dependencies") {
            // What another platform or Python needs is not locked.
            names.ask(&mut draft, from, name)?;
        }
    }
    roots_are_unasked(&mut draft.graph);
    Ok(draft.finish())
}

fn component(package: &Node<'_>, file: &Node<'_>) -> Result<Component, Unreadable> {
    let mut component = python::named(package)?;
    let files = match package.get("files") {
        Some(files) => files.items(),
        // Before version 2 they stood at the end.
        None => file
            .at(&["metadata", "files"])
            .map_or(&[][..], |files| files.items_of(package.text_of("name").unwrap_or_default())),
    };
    component.hashes = python::hashes(files);
    component.source = source(package.get("source"));
    component.scope = match package.text_of("category") {
        _ if package.is_true("optional") => Scope::Optional,
        Some("main") => Scope::Runtime,
        Some(_) => Scope::Development,
        None => python::scope_of_groups(package.items_of("groups"), "main"),
    };
    Ok(component)
}

fn source(source: Option<&Node<'_>>) -> Source {
    let Some(source) = source else { return Source::Registry };
    let address = source.text_of("url").unwrap_or_default().to_owned();
    match source.text_of("type") {
        Some("git") => {
            let commit = source.text_of("resolved_reference").unwrap_or_default();
            Source::Git(format!("{address}#{commit}"))
        }
        Some("directory" | "file") => Source::Path(address),
        Some("url") => Source::Url(address),
        _ => Source::RegistryAt(address),
    }
}
