use crate::project::{Project, Result};
pub(crate) fn run(_project: &Project, _names: &[String]) -> Result<()> {
    Ok(())
}
