use plimsoll_attest::Verified;
use plimsoll_model::Role;

fn main() {
    let _ = Verified::new((), Role::Builder, Vec::new());
}
