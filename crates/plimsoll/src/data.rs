//! The directories of a service that stay when it is replaced (`data` of a target): one for each path that it sees. They
//! are made here and mounted by the sandbox; nothing in them is ever read, and nothing removes them.

use crate::failure::Failure;
use plimsoll_engine::ports::Mount;
use plimsoll_sandbox::RESERVED_ID;
use rustix::fs::{CWD, Gid, Mode, OFlags, Uid};
use std::{collections::BTreeSet, fs, io, os::unix::fs::DirBuilderExt as _, path::Path};

/// The directories of a service that stay, below `parent`; made where they are missing.
pub(crate) fn mounts(parent: &Path, targets: &BTreeSet<String>) -> Result<Vec<Mount>, Failure> {
    let persistent = |target: &String| {
        let source = parent.join(name(target));
        make(&source).map_err(|error| {
            Failure::broken(format!("the directory {} cannot be made", source.display()), &error)
        })?;
        Ok(Mount::Persistent { source, target: target.clone() })
    };
    targets.iter().map(persistent).collect()
}

/// The name of the directory that appears at `target`: `/var/lib/app` is `var-lib-app`. No two targets have one name.
fn name(target: &str) -> String {
    let escaped = target.replace('%', "%25").replace('-', "%2d");
    escaped.trim_start_matches('/').replace('/', "-")
}

/// A directory that only what runs in a sandbox can enter. Nothing in it is touched, and no link in its place is
/// followed.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
    if rustix::process::geteuid().is_root() {
        let (user, group) = (Uid::from_raw(RESERVED_ID), Gid::from_raw(RESERVED_ID));
        rustix::fs::fchown(&directory, Some(user), Some(group))?;
    }
    Ok(rustix::fs::fchmod(&directory, Mode::RWXU)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt as _, symlink};

    fn targets(targets: &[&str]) -> BTreeSet<String> {
        targets.iter().map(|target| (*target).to_owned()).collect()
    }

    #[test]
    fn every_target_has_a_directory_of_its_own() {
        for (target, expect) in [
            ("/data", "data"),
            ("/var/lib/app", "var-lib-app"),
            ("/var/lib-app", "var-lib%2dapp"),
            ("/var-lib/app", "var%2dlib-app"),
            ("/100%", "100%25"),
            ("/.hidden", ".hidden"),
        ] {
            assert_eq!(name(target), expect);
        }
    }

    #[test]
    fn what_stays_is_made_once_for_its_service_alone() {
        let base = tempfile::tempdir().unwrap();
        let parent = base.path().join("data/shop@production");
        let made = mounts(&parent, &targets(&["/data", "/var/lib/app"])).unwrap();
        let source = parent.join("data");
        assert_eq!(made[0], Mount::Persistent { source: source.clone(), target: "/data".into() });
        assert_eq!(made.len(), 2);
        fs::write(source.join("kept"), "kept").unwrap();
        mounts(&parent, &targets(&["/data"])).unwrap();
        assert_eq!(fs::read_to_string(source.join("kept")).unwrap(), "kept");
        let metadata = fs::metadata(&source).unwrap();
        let own = rustix::process::geteuid();
        let owner = if own.is_root() { RESERVED_ID } else { own.as_raw() };
        assert_eq!((metadata.mode() & 0o7777, metadata.uid()), (0o700, owner));
        assert_eq!(fs::metadata(&parent).unwrap().mode() & 0o7777, 0o700);
        assert_eq!(mounts(&parent, &targets(&[])).unwrap(), []);
    }

    #[test]
    fn a_link_in_the_place_of_such_a_directory_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let elsewhere = base.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        let before = fs::metadata(&elsewhere).unwrap();
        symlink(&elsewhere, base.path().join("data")).unwrap();
        assert!(mounts(base.path(), &targets(&["/data"])).is_err());
        let after = fs::metadata(&elsewhere).unwrap();
        assert_eq!((after.uid(), after.mode()), (before.uid(), before.mode()));
    }
}
