//! `plimsoll hook`: makes git ask before a commit (on a person's machine) or a push (on the server) is taken, and answers
//! when it asks. A hook that cannot tell says no: git goes on only after an exit status of 0.

mod ask;
mod critical;

use crate::{
    cli::hook::{Hook, HookCommand},
    context::Context,
    failure::Failure,
    output::Output,
};
use std::{
    env, fs,
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// The second line of every hook that this program wrote. A file without it is somebody else's.
const MARK: &str = "# Written by `plimsoll hook install`; `plimsoll hook uninstall` removes it.";
/// Longest hook that is read, in bytes.
const LONGEST: u64 = 1 << 20;

pub(crate) fn hook(context: &Context, command: &HookCommand, output: &Output) -> Result<(), Failure> {
    match command {
        HookCommand::Install(hook) => install(hook, output),
        HookCommand::Uninstall(hook) => uninstall(hook, output),
        HookCommand::PreCommit => ask::pre_commit(context, output),
        HookCommand::PreReceive => ask::pre_receive(context, output),
    }
}

fn install(hook: &Hook, output: &Output) -> Result<(), Failure> {
    let (path, name) = place(hook)?;
    let text = script(name)?;
    match standing(&path)? {
        Standing::Foreign => return Err(foreign(&path, name)),
        Standing::Own(old) if old == text => {}
        Standing::Own(_) | Standing::Nothing => {
            write(&path, &text)
                .map_err(|error| Failure::broken(format!("failed to write {}", path.display()), &error))?;
        }
    }
    let shown = format!("installed  {}", path.display());
    output.result(&shown, &serde_json::json!({ "installed": path }));
    Ok(())
}

fn uninstall(hook: &Hook, output: &Output) -> Result<(), Failure> {
    let (path, _) = place(hook)?;
    let removed = match standing(&path)? {
        Standing::Nothing => false,
        Standing::Foreign => {
            return Err(Failure::Usage(format!("{} was not written by plimsoll: it stays", path.display())));
        }
        Standing::Own(_) => {
            fs::remove_file(&path)
                .map_err(|error| Failure::broken(format!("failed to remove {}", path.display()), &error))?;
            true
        }
    };
    let word = if removed { "removed" } else { "not there" };
    output.result(
        &format!("{word}  {}", path.display()),
        &serde_json::json!({ "removed": removed, "path": path }),
    );
    Ok(())
}

/// Where the hook belongs, and which it is.
fn place(hook: &Hook) -> Result<(PathBuf, &'static str), Failure> {
    let hooks = plimsoll_git::hooks(&hook.repository)?;
    let name = match (hook.server, hooks.bare) {
        (false, false) => "pre-commit",
        (true, true) => "pre-receive",
        (true, false) => {
            let text =
                "a server's hook belongs to a bare repository, and this has a work tree; leave out --server";
            return Err(Failure::Usage(text.into()));
        }
        (false, true) => {
            let text = "nobody commits in a bare repository; `plimsoll hook install --server` checks what is pushed to it";
            return Err(Failure::Usage(text.into()));
        }
    };
    if let Some(elsewhere) = hooks.elsewhere {
        let text = format!(
            "git looks for this repository's hooks in {elsewhere} (core.hooksPath): make a {name} there that runs `{}`",
            command(name)
        );
        return Err(Failure::Usage(text));
    }
    Ok((hooks.directory.join(name), name))
}

fn command(name: &str) -> String {
    format!("plimsoll hook {name}")
}

/// A hook that runs this very binary. git gives it its own environment, which names the repository.
fn script(name: &str) -> Result<String, Failure> {
    let binary =
        env::current_exe().map_err(|error| Failure::broken("failed to find this program", &error))?;
    let binary = binary.to_str().filter(|path| !path.contains(char::is_control));
    let binary =
        binary.ok_or_else(|| Failure::Usage("the path of this program cannot stand in a script".into()))?;
    let quoted = format!("'{}'", binary.replace('\'', r"'\''"));
    Ok(format!("#!/bin/sh\n{MARK}\nexec {quoted} hook {name}\n"))
}

enum Standing {
    Nothing,
    Own(String),
    Foreign,
}

fn standing(path: &Path) -> Result<Standing, Failure> {
    let failed = |error: io::Error| Failure::broken(format!("failed to read {}", path.display()), &error);
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Standing::Nothing),
        Err(error) => return Err(failed(error)),
        Ok(metadata) if !metadata.is_file() || metadata.len() > LONGEST => return Ok(Standing::Foreign),
        Ok(_) => {}
    }
    let text = String::from_utf8_lossy(&fs::read(path).map_err(failed)?).into_owned();
    Ok(if text.lines().nth(1) == Some(MARK) { Standing::Own(text) } else { Standing::Foreign })
}

fn foreign(path: &Path, name: &str) -> Failure {
    let text = format!(
        "{} is another hook, and stays as it is; to run both, add this line to it: {} || exit 1",
        path.display(),
        command(name)
    );
    Failure::Usage(text)
}

/// Writes beside and renames, so that git finds the old hook or the new one.
fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let temporary = path.with_extension("plimsoll-new");
    let _ = fs::remove_file(&temporary);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.set_permissions(fs::Permissions::from_mode(0o755))?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}
