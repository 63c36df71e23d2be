//! The real binary, from outside: real repositories, real keys, a state directory and a home of its own for each test.
//! What is written here is what users and attackers can rely on; how it comes about is tested in the other crates.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod advisories;
mod agent;
mod agent_disk;
mod agent_faults;
mod agent_kills;
mod agent_many;
mod artifact;
mod audit;
mod check;
mod clock;
mod delivery;
mod directory;
mod disclaim;
mod docs_examples;
mod drift;
mod environments;
mod exceptions;
mod faults;
mod fetch;
mod first_gate;
mod full_disk;
mod hooks;
mod host;
mod hostile_steps;
mod image;
mod input;
mod interface;
mod isolation;
mod journal;
mod kills;
mod manual;
mod preflight;
mod processes;
mod released;
mod rollback;
mod rules;
mod sbom;
mod scans;
mod secret_modes;
mod service;
mod supervisor;
mod trust;
mod unpacker;
mod world;
