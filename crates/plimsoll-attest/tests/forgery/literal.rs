use plimsoll_attest::Verified;
use plimsoll_model::{Digest, Role};

fn main() {
    let _ = Verified {
        value: (),
        role: Role::Builder,
        payload: Vec::new(),
        payload_digest: Digest::of(b""),
    };
}
