//! `plimsoll-policy` from the outside: what is allowed, what each single change of it is refused with, and what can be
//! computed again.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a scenario that cannot be set up must fail")]

mod approvals;
mod chain;
mod defects;
mod delivery;
mod dossier;
mod exceptions;
mod fixture;
mod foreign;
mod forgery;
mod gates;
mod golden;
mod keys;
mod policies;
mod rego;
mod replay;
mod samples;
mod sbom;
mod scans;
mod vex;
mod weakened;
