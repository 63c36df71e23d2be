//! `plimsoll __signer`: the signer of one role, as a process of its own. It opens repository, delivery repository and
//! store for itself; its only input is the pipe on which it is asked.

use crate::{assembler::Assembler, cli, context::Context, failure::Failure};
use plimsoll_engine::{
    ports::Source,
    signer::{Session, World},
};
use plimsoll_git::GitSource;
use plimsoll_model::{Role, Timestamp};
use plimsoll_sign::SignerProcess;
use std::path::{Path, PathBuf};

pub(crate) fn serve(context: &Context, arguments: &cli::Signer) -> Result<(), Failure> {
    let state = context.member()?;
    let key = context
        .keys()
        .load(&arguments.role)
        .map_err(|error| Failure::broken("the signer has no key", &error))?;
    let pinned = context.pinned()?;
    let delivery = pinned.as_ref().map(|_| context.delivery()).transpose()?;
    let root = pinned.as_ref().map(|pinned| pinned.accept()).transpose()?;
    let source = match &arguments.repository {
        Some(path) => Some(GitSource::open(path)?),
        None => None,
    };
    // A decision signer reads no application repository: the delivery repository stands in, and is not asked.
    let source = source.as_ref().or(delivery.as_ref()).ok_or_else(crate::context::not_pinned)?;
    let assembler = Assembler { blobs: state.layout(), project: project_directory(source) };
    let world = World {
        blobs: state.layout(),
        journal: state.journal(),
        source,
        delivery: delivery.as_ref().map(|delivery| delivery as &dyn Source),
        assemble: &assembler,
        trust: root.as_ref(),
        rules: crate::scanning::rules_digest,
        imported: Box::new(|engine| crate::rulesets::imported(context, engine)),
        clock: Timestamp::now,
    };
    let mut session = Session::new(arguments.role.clone(), &key, world);
    plimsoll_sign::serve(|request| session.answer(request))
        .map_err(|error| Failure::broken("the signer's pipe broke", &error))
}

/// Where relative base images of a project are looked for.
pub(crate) fn project_directory(source: &GitSource) -> PathBuf {
    let root = source.work_tree().map(Path::to_owned).unwrap_or_default();
    source.prefix().map_or(root.clone(), |prefix| root.join(prefix.as_str()))
}

/// Starts the signer of `role`: this binary again, with nothing of this process's environment.
pub(crate) fn start(
    context: &Context,
    role: &Role,
    repository: Option<&Path>,
) -> Result<SignerProcess, Failure> {
    let mut command = super::this_binary();
    command.arg("__signer").arg("--role").arg(role.to_string()).arg("--state").arg(&context.state);
    if let Some(repository) = repository {
        command.arg("--repository").arg(repository);
    }
    let started = SignerProcess::start(role.clone(), command);
    started.map_err(|error| Failure::broken(format!("failed to start the {role} signer"), &error))
}
