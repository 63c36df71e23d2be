//! `plimsoll stop`: ends a service.

use crate::{cli::ProjectAt, context::Context, failure::Failure, output::Output};
use plimsoll_host::{ControlError, ServiceDirectory};

pub(crate) fn stop(context: &Context, unit: &ProjectAt, output: &Output) -> Result<(), Failure> {
    let directory = directory(context, unit)?;
    match plimsoll_host::stop(&directory) {
        Ok(()) => {
            output.result(&format!("stopped   {unit}"), &serde_json::json!({ "stopped": unit.to_string() }));
            Ok(())
        }
        Err(ControlError::NotRunning) => Err(Failure::Usage(format!("{unit} does not run here"))),
        Err(error) => Err(Failure::broken(format!("failed to stop {unit}"), &error)),
    }
}

/// The directory of a service.
pub(crate) fn directory(context: &Context, unit: &ProjectAt) -> Result<ServiceDirectory, Failure> {
    let path = context.services().join(unit.to_string());
    ServiceDirectory::open(&path)
        .map_err(|error| Failure::broken(format!("failed to open {}", path.display()), &error))
}
