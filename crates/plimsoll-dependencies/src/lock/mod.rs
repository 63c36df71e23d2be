//! Readers of lock files, one file a format. None executes anything, follows anything out of the bytes it is given, or
//! takes more than linear time and memory.

pub(crate) mod bundler;
pub(crate) mod cargo;
pub(crate) mod composer;
mod draft;
pub(crate) mod golang;
pub(crate) mod gradle;
pub(crate) mod maven;
pub(crate) mod npm;
pub(crate) mod nuget;
pub(crate) mod pdm;
pub(crate) mod pipenv;
pub(crate) mod pnpm;
pub(crate) mod poetry;
pub(crate) mod pylock;
mod python;
mod reach;
pub(crate) mod requirements;
pub(crate) mod uv;
pub(crate) mod yarn;

pub(crate) use draft::Draft;
