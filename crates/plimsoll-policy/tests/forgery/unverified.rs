use plimsoll_attest::Statement;
use plimsoll_model::{Reason, Timestamp};
use plimsoll_policy::{Observed, Permit, Start, Summary, permit};

fn straight(decision: &Statement<Summary>, observed: &Observed, now: Timestamp) -> Result<Permit, Reason> {
    permit(decision, observed, Start::New, now)
}

fn main() {}
