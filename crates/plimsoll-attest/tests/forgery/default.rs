use plimsoll_attest::Verified;

fn main() {
    let _: Verified<()> = Default::default();
}
