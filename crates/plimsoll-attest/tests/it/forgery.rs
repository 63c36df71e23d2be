//! `Verified` cannot be made up, copied out of bytes or changed from outside of the crate: the compiler refuses.

#[test]
fn verified_is_made_by_verification_only() {
    trybuild::TestCases::new().compile_fail("tests/forgery/*.rs");
}
