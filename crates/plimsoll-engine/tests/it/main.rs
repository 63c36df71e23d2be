//! The engine with in-memory ports: what a run leaves, what a signer refuses, and what a decision stands on. Only the
//! sandbox is scripted; sessions, derivations, judgements and signatures are real.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a scenario that cannot be set up must fail"
)]

mod any_order;
mod bench;
mod bills;
mod checks;
mod decision;
mod doubts;
mod memory;
mod observed;
mod origin;
mod outputs;
mod own_scans;
mod run_loop;
mod signer;
