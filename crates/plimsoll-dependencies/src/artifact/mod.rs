//! Readers of what artifacts and images hold: databases of installed packages, and what compilers and packers write into
//! programs and archives. None executes anything; what unpacks has a budget.

pub(crate) mod alpine;
pub(crate) mod debian;
pub(crate) mod golang;
pub(crate) mod jar;
pub(crate) mod release;
pub(crate) mod rpm;
pub(crate) mod rust;
