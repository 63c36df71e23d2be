//! Toolchain mode: what of the host a build may use, as plain mounts, and a digest of what that was. It is the host's
//! software, so it is never called hermetic; the digest only says whether it was the same.

use crate::manifest::{Known, ToolchainManifest};
use plimsoll_engine::ports::Mount;
use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
};

/// Top-level names that are links into `/usr` on most hosts, and directories on some.
const MERGED: &[&str] = &["bin", "sbin", "lib", "lib32", "lib64", "libx32"];

/// What programs need of `/etc`, where it exists. Not all of `/etc/ssl`: private keys lie there.
const SETTINGS: &[&str] = &[
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/ca-certificates",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust/extracted",
];

/// Where distributions keep the bundle of certificate authorities.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Files that say who and where, without saying anything about the host.
const FILES: &[(&str, &str)] = &[
    (
        "/etc/passwd",
        "root:x:0:0:root:/:/usr/sbin/nologin\nbuild:x:1000:1000:build:/home/build:/bin/sh\n\
         nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
    ),
    ("/etc/group", "root:x:0:\nbuild:x:1000:\nnogroup:x:65534:\n"),
    ("/etc/hosts", "127.0.0.1 localhost sandbox\n::1 localhost sandbox\n"),
    ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n"),
];

/// Directories and name prefixes below `/usr` whose content decides what a compiler makes: programs, compilers, headers,
/// libraries. Documentation, locales, fonts and the like are visible in the sandbox but not part of the digest.
const DECISIVE: &[&str] = &["/usr/bin", "/usr/include", "/usr/lib/gcc", "/usr/libexec/gcc", "/usr/local/bin"];

/// Directories of shared libraries, one per architecture.
const LIBRARIES: &[&str] = &["/usr/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];

/// The mounts of toolchain mode: `/usr` with its top-level names, the parts of `/etc` that programs need, and each
/// directory of `extra` (such as a Rust sysroot) at its own path; all read-only. `certificates` is a bundle of
/// certificate authorities that the caller was told to use, as by `SSL_CERT_FILE`.
///
/// # Errors
/// When a directory of `extra`, or `certificates`, cannot be found.
pub fn toolchain_mounts(extra: &[PathBuf], certificates: Option<&Path>) -> io::Result<Vec<Mount>> {
    let mut list = List { mounts: Vec::new(), covered: Vec::new() };
    list.read_only("/usr".as_ref())?;
    for name in MERGED {
        list.top_level(&Path::new("/").join(name))?;
    }
    for path in SETTINGS.iter().map(Path::new).filter(|path| path.exists()) {
        list.read_only(path)?;
    }
    for (target, content) in FILES {
        list.mounts.push(Mount::File { target: (*target).into(), content: (*content).into() });
    }
    let bundles = BUNDLES.iter().map(Path::new).filter(|path| path.exists());
    for path in bundles.chain(certificates).chain(extra.iter().map(PathBuf::as_path)) {
        list.with_what_it_resolves_to(path)?;
    }
    Ok(list.mounts)
}

/// A manifest of what toolchain mode binds that decides what comes out of a build; see [`ToolchainManifest`]. The host's own
/// directories are read while `extra` looks for the others. Of those `share/doc` is left out: a Rust sysroot can have
/// fifty thousand files there. Hashes are kept in the file `cache`, which must not be writable by whoever is to be judged.
///
/// # Errors
/// When a directory cannot be read, and those of `extra`. A cache that cannot be written is no error.
pub fn toolchain_manifest<E>(
    cache: &Path,
    extra: impl FnOnce() -> Result<Vec<PathBuf>, E>,
) -> io::Result<Result<ToolchainManifest, E>> {
    let fixed = DECISIVE.iter().chain(LIBRARIES).map(Path::new);
    let fixed: Vec<&Path> =
        fixed.chain([Path::new("/etc/alternatives")]).filter(|path| path.is_dir()).collect();
    let known = Known::of(cache);
    thread::scope(|scope| {
        let fixed = scope.spawn(|| known.read(&fixed, &[]));
        let extra = match extra() {
            Ok(extra) => extra,
            Err(error) => return Ok(Err(error)),
        };
        let roots: Vec<&Path> = extra.iter().map(PathBuf::as_path).collect();
        let documentation: Vec<PathBuf> = extra.iter().map(|directory| directory.join("share/doc")).collect();
        let mut parts = known.read(&roots, &documentation)?;
        let broke_off = |_| Err(io::Error::other("reading the host's directories broke off"));
        parts.extend(fixed.join().unwrap_or_else(broke_off)?);
        Ok(Ok(known.manifest(parts)))
    })
}

struct List {
    mounts: Vec<Mount>,
    covered: Vec<PathBuf>,
}

impl List {
    fn read_only(&mut self, path: &Path) -> io::Result<()> {
        let text = path.to_str().ok_or_else(|| io::Error::other("a path is not UTF-8"))?;
        let source = fs::canonicalize(path)?;
        if !self.covered.iter().any(|covered| path.starts_with(covered)) {
            self.mounts.push(Mount::ReadOnly { source, target: text.into() });
            self.covered.push(path.into());
        }
        Ok(())
    }

    fn top_level(&mut self, path: &Path) -> io::Result<()> {
        let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
        if !metadata.is_symlink() {
            return self.read_only(path);
        }
        let to = fs::read_link(path)?.to_string_lossy().into_owned();
        self.mounts.push(Mount::Symlink { target: path.to_string_lossy().into_owned(), to });
        Ok(())
    }

    /// A path inside something that is mounted can still be a link out of it.
    fn with_what_it_resolves_to(&mut self, path: &Path) -> io::Result<()> {
        let resolved = fs::canonicalize(path)?;
        self.read_only(path)?;
        self.read_only(&resolved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(mounts: &[Mount]) -> Vec<&str> {
        let target = |mount| match mount {
            &Mount::ReadOnly { ref target, .. } | &Mount::File { ref target, .. } => Some(target.as_str()),
            _ => None,
        };
        mounts.iter().filter_map(target).collect()
    }

    #[test]
    fn named_directories_appear_at_their_own_paths_and_nothing_appears_twice() {
        let directory = tempfile::tempdir().unwrap();
        let extra = [directory.path().to_path_buf(), "/usr/lib".into(), directory.path().join(".")];
        let mounts = toolchain_mounts(&extra, None).unwrap();
        let targets = targets(&mounts);
        assert!(targets.contains(&directory.path().to_str().unwrap()));
        assert!(targets.contains(&"/usr") && !targets.contains(&"/usr/lib"));
        let mut once = targets.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), targets.len(), "{targets:?}");
    }

    #[test]
    fn a_bundle_that_is_a_link_brings_what_it_points_to() {
        let directory = tempfile::tempdir().unwrap();
        let (real, link) = (directory.path().join("real.pem"), directory.path().join("link.pem"));
        fs::write(&real, "certificates").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let mounts = toolchain_mounts(&[], Some(&link)).unwrap();
        let targets = targets(&mounts);
        for path in [fs::canonicalize(&real).unwrap(), link] {
            assert!(targets.contains(&path.to_str().unwrap()), "{targets:?}");
        }
    }

    #[test]
    fn what_is_named_and_missing_is_an_error() {
        assert!(toolchain_mounts(&["/nowhere/at/all".into()], None).is_err());
        assert!(toolchain_mounts(&[], Some(Path::new("/nowhere/bundle.pem"))).is_err());
    }

    #[test]
    fn private_keys_and_real_accounts_of_the_host_are_not_mounted() {
        let mounts = toolchain_mounts(&[], None).unwrap();
        for mount in &mounts {
            if let Mount::ReadOnly { source, .. } = mount {
                for secret in ["/etc/ssl/private", "/etc/passwd", "/etc/shadow", "/etc/ssh"] {
                    assert!(!Path::new(secret).starts_with(source), "{source:?}");
                }
            }
        }
    }
}
