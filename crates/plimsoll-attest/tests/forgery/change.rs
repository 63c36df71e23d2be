use plimsoll_attest::Verified;

fn replace(mut verified: Verified<u8>) -> Verified<u8> {
    verified.value = 2;
    verified
}

fn main() {
    let _ = replace;
}
