//! What a run tells while it goes on.

use crate::ports::Stream;
use plimsoll_model::{Digest, Outcome, Reason, record::Tier};

/// Progress of a run, for whoever watches. Nothing is decided by it.
#[derive(Debug)]
pub enum Event<'a> {
    /// The signers opened the run.
    Opened {
        /// Digest of the plan.
        plan: Digest,
        /// Whether the run is trusted.
        tier: Tier,
        /// Why it is not.
        reasons: &'a [Reason],
    },
    /// A unit of work began: `fetch`, a step or a check.
    Started {
        /// Its name.
        name: &'a str,
        /// Which attempt, from 1.
        attempt: u32,
    },
    /// Something was printed in a sandbox. Foreign bytes.
    Output {
        /// The unit of work.
        name: &'a str,
        /// Which attempt, from 1.
        attempt: u32,
        /// Where it was printed.
        stream: Stream,
        /// What.
        bytes: &'a [u8],
    },
    /// A unit of work ended.
    Ended {
        /// Its name.
        name: &'a str,
        /// Which attempt, from 1.
        attempt: u32,
        /// The signer's judgement.
        outcome: Outcome,
        /// Why it did not pass.
        reasons: &'a [Reason],
    },
    /// The artifact was assembled.
    Assembled {
        /// Digest of its manifest.
        artifact: Digest,
    },
}
