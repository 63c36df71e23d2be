//! Keys that everybody may know, and a trust root that lists them. Signatures are deterministic, so that everything
//! here has the same bytes every time.

use p256::{
    ecdsa::{DerSignature, SigningKey, signature::Signer as _},
    pkcs8::EncodePublicKey as _,
};
use plimsoll_attest::{
    Predicate, PublicKey, Statement, TrustRoot, seal,
    trust::{NAMESPACE, NamedKey, RootDocument},
};
use plimsoll_model::{Opaque, Role};
use ssh_key::{HashAlg, LineEnding, PrivateKey, private::Ed25519Keypair};

/// Roles of the trust root; the place of each is its key.
const ROLES: [&str; 6] =
    ["source", "builder", "scanner", "decision:production", "decision:staging", "refusal"];
/// A signer that the trust root does not list.
pub(crate) const STRANGER: &str = "stranger";

fn key(who: &str) -> SigningKey {
    let seed = ROLES.iter().position(|role| *role == who).map_or(99, |at| u8::try_from(at + 1).unwrap());
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

pub(crate) fn public(who: &str) -> PublicKey {
    PublicKey::from_der(key(who).verifying_key().to_public_key_der().unwrap().as_bytes()).unwrap()
}

/// The bundle of a statement, signed by the key of `who`.
pub(crate) fn sealed<P: Predicate>(who: &str, statement: &Statement<P>) -> Vec<u8> {
    sealed_bytes(who, &statement.to_bytes().unwrap())
}

pub(crate) fn sealed_bytes(who: &str, payload: &[u8]) -> Vec<u8> {
    let sign = |message: &[u8]| {
        let signature: DerSignature = key(who).sign(message);
        Ok::<_, std::convert::Infallible>(signature.as_bytes().to_vec())
    };
    seal(payload, &public(who), sign).unwrap()
}

fn person(seed: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
}

/// `trust/root.json` with this genesis and number, and its signature by the one root key.
pub(crate) fn root(genesis: u8, number: u64) -> (Vec<u8>, String) {
    let line = person(1).public_key().to_openssh().unwrap();
    let document = RootDocument {
        version: 1,
        genesis: Opaque::from_random([genesis; 16]),
        number,
        threshold: 1,
        root_keys: vec![NamedKey { name: "ada".into(), key: line }],
        roles: ROLES
            .iter()
            .map(|role| (role.parse::<Role>().unwrap(), vec![public(role).to_pem()]))
            .collect(),
        policy_signers: vec![],
    };
    let bytes = serde_json::to_vec_pretty(&document).unwrap();
    let signature = person(1).sign(NAMESPACE, HashAlg::Sha512, &bytes).unwrap();
    (bytes, signature.to_pem(LineEnding::LF).unwrap())
}

/// The trust root that is pinned in these tests.
pub(crate) fn pinned() -> TrustRoot {
    let (bytes, signature) = root(7, 3);
    TrustRoot::accept(&bytes, &[&signature], None).unwrap()
}
