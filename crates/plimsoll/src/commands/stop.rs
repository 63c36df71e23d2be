//! `plimsoll stop`: ends a service.

use crate::{cli::ProjectAt, context::Context, failure::Failure, output::Output};
use plimsoll_host::{ControlError, ServiceDirectory};

pub(crate) fn stop(context: &Context, unit: &ProjectAt, output: &Output) -> Result<(), Failure> {
    if crate::agent::keeps(context, unit) {
        let target = plimsoll_policy::repository::target_path(&unit.project, &unit.environment);
        return Err(Failure::Usage(format!(
            "the agent that runs here would start {unit} again: take {target} out of the delivery repository"
        )));
    }
    let directory = directory(context, unit)?;
    if let Some(installed) = crate::installed::of(&directory) {
        let path = installed.path.display();
        return Err(Failure::Usage(format!(
            "{unit} is installed in {path}, and no service: there is nothing to stop"
        )));
    }
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
