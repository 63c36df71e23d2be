//! `gradle.lockfile` (Gradle's user manual, "Locking Versions"): one line a module, with the configurations that use it.

use crate::{
    component::{Component, Ecosystem, Graph, Scope},
    format::Unreadable,
    lock::Draft,
};

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    for (start, line) in draft.lines() {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') || content.starts_with("empty=") {
            continue;
        }
        let unexpected = || draft.not_understood(start);
        let (module, configurations) = content.split_once('=').ok_or_else(unexpected)?;
        let (name, version) =
            module.rsplit_once(':').filter(|(name, _)| name.contains(':')).ok_or_else(unexpected)?;
        let mut component = Component::new(Ecosystem::Maven, name, version);
        component.scope = scope(configurations);
        draft.add(component, start..start + line.len())?;
    }
    Ok(draft.finish())
}

/// What is on a class path with which something other than tests runs is for running.
fn scope(configurations: &str) -> Scope {
    let runs = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.ends_with("runtimeclasspath") && !name.contains("test")
    };
    match configurations.split(',').any(runs) {
        true => Scope::Runtime,
        false => Scope::Development,
    }
}
