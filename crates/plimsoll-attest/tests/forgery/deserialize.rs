use plimsoll_attest::Verified;

fn main() {
    let _: Verified<()> = serde_json::from_str("{}").unwrap();
}
