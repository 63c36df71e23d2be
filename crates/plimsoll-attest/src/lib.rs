//! Statements, envelopes, bundles, trust and reports: everything that is signed or verified, as bytes in and values
//! out. Nothing here fetches, reads a clock or holds a private key; the caller supplies bytes, keys and time.
//! [`Verified`] is made by [`verify`] and [`verify_any`] and by nothing else.

pub mod approval;
pub mod bundle;
mod co_authors;
pub mod document;
pub mod dsse;
mod json;
pub mod key;
mod limits;
pub mod policy_set;
pub mod predicate;
pub mod report;
pub mod sshsig;
pub mod statement;
pub mod trust;
mod verified;

pub use approval::{ApprovalDocument, Disclaimer};
pub use bundle::{Bundle, BundleError, seal};
pub use co_authors::co_authors;
pub use document::Signed;
pub use key::PublicKey;
pub use policy_set::{PolicySetDocument, SignedPolicySet};
pub use predicate::Predicate;
pub use statement::{AnyStatement, Statement, StatementError, Subject};
pub use trust::{Trust, TrustRoot};
pub use verified::{Verified, check_subject, verify, verify_any};
