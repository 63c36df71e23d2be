//! Ctrl-C and SIGTERM as a flag that the run loop looks at, so that a run ends in order: sandboxes killed, directories
//! removed, nothing half signed.

use std::{
    io,
    sync::{Arc, OnceLock, atomic::AtomicBool},
};

/// The flag; signals set it from the first call on. A second signal ends the process at once.
///
/// # Errors
/// When signals cannot be listened for.
pub(crate) fn flag() -> io::Result<&'static AtomicBool> {
    static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    if let Some(flag) = FLAG.get() {
        return Ok(flag);
    }
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&flag))?;
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
    }
    Ok(FLAG.get_or_init(|| flag))
}
