//! `plimsoll-attest` from the outside: what is written, what is refused, and what cannot be made up.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a scenario that cannot be set up must fail")]

mod confusion;
mod document;
mod fixture;
mod forgery;
mod golden;
mod hostile;
mod person;
mod policy_set;
mod predicate;
mod root;
mod samples;
