//! A `Permit` cannot be made up, copied or read from bytes outside of the crate: the compiler refuses.

#[test]
fn a_permit_is_minted_by_policy_only() {
    trybuild::TestCases::new().compile_fail("tests/forgery/*.rs");
}
