//! `plimsoll __unpacker`: takes an artifact apart, inside a sandbox that holds nothing else ([`crate::unpacker`]).

use crate::{
    cli::Unpacker,
    failure::Failure,
    unpacker::{TREE, Told},
};
use plimsoll_store::{Staging, artifact};
use std::{
    fs,
    io::{self, Write as _},
    process::ExitCode,
};

/// Leaves the contents of the artifact's files and their tree in a directory, or says why not.
pub(crate) fn unpack(arguments: &Unpacker) -> Result<ExitCode, Failure> {
    let failure = match take_apart(arguments) {
        Ok(()) => return Ok(ExitCode::SUCCESS),
        Err(failure) => failure,
    };
    let (status, text) = (failure.status(), failure.text());
    let told = match failure {
        Failure::Refused(reasons) => Told::Refused { reasons },
        Failure::Usage(_) | Failure::Broken { .. } | Failure::Interrupted => Told::Broken { problem: text },
    };
    let written = serde_json::to_string(&told).map_err(io::Error::from);
    let written = written.and_then(|text| writeln!(io::stdout(), "{text}"));
    written.map_err(|error| Failure::broken("nobody listens", &error))?;
    Ok(ExitCode::from(status))
}

fn take_apart(Unpacker { artifact: manifest, from, to }: &Unpacker) -> Result<(), Failure> {
    let staging = Staging::open(from, to)?;
    let tree = artifact::artifact_tree(&staging, manifest)?;
    let failed = |error: io::Error| Failure::broken("the tree cannot be written", &error);
    let text = serde_json::to_vec(&tree).map_err(|error| failed(error.into()))?;
    fs::write(to.join(TREE), text).map_err(failed)
}
