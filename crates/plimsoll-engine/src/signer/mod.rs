//! What a signer derives for itself. The executor says what it observed; a signer opens the run from the commit, hashes
//! every blob again, judges every report again, and writes each statement itself. There is no request to sign given
//! bytes.

mod bill;
mod doubt;
mod foreign;
mod judge;
mod memory;
mod own_scan;
pub mod protocol;
mod run_statement;
mod session;
mod statements;

pub(crate) use foreign::{ended_well, read as read_foreign};
pub use protocol::{
    CloseArtifact, CloseCheck, CloseFetch, CloseStep, CloseToolless, Closed, Decide, Decided, DeltaOf,
    Observed, Open, Opened, Request, Response, Signed,
};
pub(crate) use session::REPORT_LIMIT;
pub use session::{Imported, Key, Session, World};
