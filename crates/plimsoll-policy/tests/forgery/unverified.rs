use plimsoll_attest::Statement;
use plimsoll_model::{Reason, Timestamp};
use plimsoll_policy::{Observed, Permit, Summary, permit};

fn straight(decision: &Statement<Summary>, observed: &Observed, now: Timestamp) -> Result<Permit, Reason> {
    permit(decision, observed, now)
}

fn main() {}
