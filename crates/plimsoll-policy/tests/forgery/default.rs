use plimsoll_policy::Permit;

fn main() {
    let _ = Permit::default();
}
