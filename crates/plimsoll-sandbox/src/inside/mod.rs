//! The sandbox's own processes. The engine starts this binary again as the *outer* process, which makes the namespaces
//! and waits; the *first* process of the namespaces builds the root and then only reaps and serves; the *command*
//! process gives up what is left and executes the plan's command. All three have one thread.

mod command;
mod confine;
mod first;
mod mounts;
mod network;
mod outer;

pub(crate) use confine::landlock_in_force;

/// The first argument by which a binary is asked to set up a sandbox instead of doing its own work.
pub const INIT_ARGUMENT: &str = "__sandbox-init";

/// Must be the first statement of `main` of every binary that starts sandboxes, before any thread exists: when the
/// process was started to set up a sandbox, it does so and never returns.
pub fn init_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|argument| argument == INIT_ARGUMENT) && arguments.next().is_none() {
        std::process::exit(outer::main());
    }
}
