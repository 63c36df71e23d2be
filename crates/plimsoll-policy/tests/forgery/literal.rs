use plimsoll_model::Digest;
use plimsoll_policy::{Kind, Permit};

fn main() {
    let any = Digest::of(b"");
    let _ = Permit { release: any, artifact: any, decision: any, kind: Kind::Deploy };
}
