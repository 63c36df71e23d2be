//! What tests remove to show that a control is what stops an attack: with it the attack is refused, without it the same
//! attack succeeds. A build without `--cfg plimsoll_sensitivity` has neither this list nor a way to ask for it: there
//! [`removed!`](crate::removed) is the literal `false`.

/// Whether this control was removed. It stands in front of the one comparison that is the control:
/// `if !removed!("lock-hash") && actual != expected`.
#[cfg(not(plimsoll_sensitivity))]
#[macro_export]
macro_rules! removed {
    ($control:literal) => {
        false
    };
}

/// Whether this control was removed. It stands in front of the one comparison that is the control:
/// `if !removed!("lock-hash") && actual != expected`.
#[cfg(plimsoll_sensitivity)]
#[macro_export]
macro_rules! removed {
    ($control:literal) => {
        $crate::sensitivity::is_removed($control)
    };
}

#[cfg(plimsoll_sensitivity)]
pub use list::{is_removed, remove, removed};

#[cfg(plimsoll_sensitivity)]
mod list {
    use std::{collections::BTreeSet, sync::RwLock};

    static REMOVED: RwLock<BTreeSet<String>> = RwLock::new(BTreeSet::new());

    /// Removes controls of this process for good.
    pub fn remove(controls: impl IntoIterator<Item = String>) {
        REMOVED.write().unwrap_or_else(std::sync::PoisonError::into_inner).extend(controls);
    }

    /// Whether this control is removed.
    #[must_use]
    pub fn is_removed(control: &str) -> bool {
        REMOVED.read().unwrap_or_else(std::sync::PoisonError::into_inner).contains(control)
    }

    /// All that is removed, for child processes.
    #[must_use]
    pub fn removed() -> Vec<String> {
        REMOVED.read().unwrap_or_else(std::sync::PoisonError::into_inner).iter().cloned().collect()
    }
}
