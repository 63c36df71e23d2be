use plimsoll_policy::Permit;

fn main() {
    let _: Permit = serde_json::from_str("{}").unwrap();
}
