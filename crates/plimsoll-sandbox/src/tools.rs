//! Tools of foreign scanners on this machine: found where the operator's programs are, hashed, and mounted alone, so that
//! nothing else of the place where they lie appears in a sandbox.

use crate::manifest::Known;
use plimsoll_engine::ports::{FoundTool, Mount, ToolProblem, Tools};
use plimsoll_model::Digest;
use plimsoll_pipeline::adapter::{AdapterTool, Identity};
use std::{
    fs::{self, File},
    io::{self, Read as _},
    os::{fd::AsFd as _, unix::fs::PermissionsExt as _},
    path::{Path, PathBuf},
};

/// Where the executable of a tool that is one file appears.
const PLACE: &str = "/plimsoll-tool";
/// Directories of interpreters that every sandbox has.
const INTERPRETERS: [&str; 3] = ["/usr/bin", "/usr/local/bin", "/bin"];
/// Bytes of the first line of a script, and of a virtual environment's configuration.
const HEAD: u64 = 4096;

/// Tools of this machine.
#[derive(Debug, Clone)]
pub struct HostTools {
    /// Directories in which names are looked for, in order.
    pub search: Vec<PathBuf>,
    /// A directory, existing or not, for hashes that are kept; nobody who is to be judged may write there.
    pub cache: PathBuf,
}

impl Tools for HostTools {
    fn find(&self, tool: &AdapterTool) -> Result<FoundTool, ToolProblem> {
        let path = self.locate(&tool.executable)?;
        match tool.identity {
            Identity::File => one_file(&path),
            Identity::Venv => self.environment(&path),
        }
    }

    fn data(&self, directory: &str) -> Result<(PathBuf, Digest), ToolProblem> {
        let path = fs::canonicalize(directory).map_err(problem(directory))?;
        if !path.is_dir() {
            return Err(ToolProblem(format!("{directory} is no directory")));
        }
        Ok((path.clone(), self.digest(&path)?))
    }
}

impl HostTools {
    /// The executable behind a name, without links.
    fn locate(&self, name: &str) -> Result<PathBuf, ToolProblem> {
        let named = Path::new(name);
        let candidates: Vec<PathBuf> = if named.is_absolute() {
            vec![named.into()]
        } else {
            self.search.iter().map(|directory| directory.join(name)).collect()
        };
        let found = candidates.iter().find(|path| is_executable(path));
        let found = found.ok_or_else(|| match named.is_absolute() {
            true => ToolProblem("it is not on this machine".into()),
            false => ToolProblem("it is in no directory of PATH".into()),
        })?;
        fs::canonicalize(found).map_err(problem(name))
    }

    fn environment(&self, executable: &Path) -> Result<FoundTool, ToolProblem> {
        let root = executable.parent().and_then(Path::parent);
        let config = root.map(|root| root.join("pyvenv.cfg")).filter(|config| config.is_file());
        let (Some(root), Some(config)) = (root, config) else {
            let shown = executable.display();
            return Err(ToolProblem(format!("{shown} lies in no virtual environment (no pyvenv.cfg)")));
        };
        let text = head(&config).map_err(problem(&config.display().to_string()))?;
        let home = text.lines().find_map(|line| line.split_once('=').filter(|(key, _)| key.trim() == "home"));
        let home = home.map(|(_, home)| home.trim()).unwrap_or_default();
        if !INTERPRETERS.contains(&home) {
            let problem = format!(
                "its Python is that of {home}, which no sandbox has: make the environment with /usr/bin/python3 -m venv"
            );
            return Err(ToolProblem(problem));
        }
        let digest = self.digest(root)?;
        Ok(FoundTool {
            program: text_of(executable)?,
            mounts: vec![Mount::ReadOnly { source: root.into(), target: text_of(root)? }],
            digest,
        })
    }

    fn digest(&self, directory: &Path) -> Result<Digest, ToolProblem> {
        // Without it everything is hashed again, which is slow and no less right.
        let _ = fs::create_dir_all(&self.cache);
        let name = Digest::of(text_of(directory)?.as_bytes()).short();
        let known = Known::of(&self.cache.join(name));
        let parts = known.read(&[directory], &[]).map_err(problem(&directory.display().to_string()))?;
        Ok(known.manifest(parts).digest)
    }
}

fn one_file(path: &Path) -> Result<FoundTool, ToolProblem> {
    let shown = text_of(path)?;
    let file = File::open(path).map_err(problem(&shown))?;
    let first = head(path).map_err(problem(&shown))?;
    let script = first.strip_prefix("#!").map(|rest| rest.split_whitespace().next().unwrap_or_default());
    let interpreter = script.map(|program| Path::new(program).parent().unwrap_or(Path::new("")));
    if interpreter.is_some_and(|directory| !INTERPRETERS.iter().any(|known| Path::new(known) == directory)) {
        let problem =
            format!("{shown} is a script of a program that no sandbox has; `identity: venv` takes all of it");
        return Err(ToolProblem(problem));
    }
    let digest = plimsoll_fs::open_and_hash(file.as_fd()).map_err(|error| ToolProblem(error.to_string()))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let program = format!("{PLACE}/{name}");
    let mount = Mount::ReadOnly { source: path.into(), target: program.clone() };
    Ok(FoundTool { program, mounts: vec![mount], digest })
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// The beginning of a file, as far as it is text.
fn head(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn text_of(path: &Path) -> Result<String, ToolProblem> {
    path.to_str().map(str::to_owned).ok_or_else(|| ToolProblem("its path is not UTF-8".into()))
}

fn problem(what: &str) -> impl Fn(io::Error) -> ToolProblem + use<> {
    let what = what.to_owned();
    move |error| ToolProblem(format!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Host {
        base: tempfile::TempDir,
        tools: HostTools,
    }

    impl Host {
        fn new() -> Self {
            let base = tempfile::tempdir().unwrap();
            let root = fs::canonicalize(base.path()).unwrap();
            let tools =
                HostTools { search: vec![root.join("none"), root.join("bin")], cache: root.join("cache") };
            Self { base, tools }
        }

        fn write(&self, path: &str, text: &str) -> PathBuf {
            let file = fs::canonicalize(self.base.path()).unwrap().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
            file
        }

        fn find(&self, executable: &str, identity: Identity) -> Result<FoundTool, ToolProblem> {
            let accepted = std::collections::BTreeSet::new();
            let tool =
                AdapterTool { executable: executable.into(), identity, accepted, install: String::new() };
            self.tools.find(&tool)
        }
    }

    #[test]
    fn a_tool_of_one_file_is_hashed_and_mounted_alone() {
        let host = Host::new();
        host.write("bin/secret", "not for the sandbox");
        let file = host.write("bin/tool", "\u{7f}ELF");
        for name in ["tool", file.to_str().unwrap()] {
            let found = host.find(name, Identity::File).unwrap();
            assert_eq!(found.digest, Digest::of("\u{7f}ELF".as_bytes()));
            let mount = Mount::ReadOnly { source: file.clone(), target: "/plimsoll-tool/tool".into() };
            assert_eq!(found.mounts, [mount]);
            assert_eq!(found.program, "/plimsoll-tool/tool");
        }
        let missing = host.find("other", Identity::File).unwrap_err();
        assert_eq!(missing.0, "it is in no directory of PATH");
    }

    #[test]
    fn a_script_is_told_by_its_own_digest_only_where_its_interpreter_is_in_every_sandbox() {
        let host = Host::new();
        host.write("bin/shell", "#!/bin/sh\ntrue\n");
        host.write("bin/wrapper", "#!/home/x/venv/bin/python3\nimport scanner\n");
        assert!(host.find("shell", Identity::File).is_ok());
        let refused = host.find("wrapper", Identity::File).unwrap_err();
        assert!(refused.0.contains("identity: venv"), "{refused}");
    }

    #[test]
    fn a_virtual_environment_is_hashed_whole() {
        let host = Host::new();
        host.write("env/bin/tool", "#!…/env/bin/python3\n");
        let module = host.write("env/lib/module.py", "rules = 1\n");
        fs::create_dir_all(host.base.path().join("bin")).unwrap();
        std::os::unix::fs::symlink("../env/bin/tool", host.base.path().join("bin/tool")).unwrap();
        let problem = |host: &Host| host.find("tool", Identity::Venv).unwrap_err().0;
        assert!(problem(&host).contains("no pyvenv.cfg"));
        host.write("env/pyvenv.cfg", "home = /home/x/python\n");
        assert!(problem(&host).contains("/home/x/python"));
        host.write("env/pyvenv.cfg", "home = /usr/bin\nversion = 3.11.2\n");
        let first = host.find("tool", Identity::Venv).unwrap();
        assert!(matches!(&first.mounts[..], [Mount::ReadOnly { source, .. }] if source.ends_with("env")));
        assert_eq!(host.find("tool", Identity::Venv).unwrap().digest, first.digest);
        fs::write(module, "rules = 2\n").unwrap();
        assert_ne!(host.find("tool", Identity::Venv).unwrap().digest, first.digest);
    }

    #[test]
    fn data_is_a_directory_that_is_hashed() {
        let host = Host::new();
        let file = host.write("data/db", "1");
        let directory = file.parent().unwrap().to_str().unwrap().to_owned();
        let (_, first) = host.tools.data(&directory).unwrap();
        host.write("data/db", "2 and more");
        assert_ne!(host.tools.data(&directory).unwrap().1, first);
        assert!(host.tools.data("/nowhere/at/all").is_err());
        assert!(host.tools.data(file.to_str().unwrap()).is_err());
    }
}
