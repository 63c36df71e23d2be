//! The files of a delivery repository: who may, what is asked for, and where things run.

pub mod approvals;
pub mod environment;
pub mod exceptions;
pub mod freeze;
pub mod people;
pub mod project;
pub mod registries;
pub mod rollback;
pub mod sbom;
pub mod scans;
pub mod target;
pub mod together;

#[cfg(test)]
mod tests;
