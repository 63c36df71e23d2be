//! Readers of lock files, one file a format. None executes anything, follows anything out of the bytes it is given, or
//! takes more than linear time and memory.

pub(crate) mod cargo;
mod draft;

pub(crate) use draft::Draft;
