//! Keys that everybody may know, and a trust root that lists them. Signatures are deterministic, so that everything
//! here has the same bytes every time.

use p256::{
    ecdsa::{DerSignature, SigningKey, signature::Signer as _},
    pkcs8::EncodePublicKey as _,
};
use plimsoll_attest::{
    PolicySetDocument, Predicate, PublicKey, Statement, TrustRoot,
    document::{self, Document as _},
    seal,
    trust::{NAMESPACE, NamedKey, RootDocument},
};
use plimsoll_model::{Digest, Opaque, Role};
use plimsoll_policy::repository::policy_statement_path;
use ssh_key::{HashAlg, LineEnding, PrivateKey, private::Ed25519Keypair};
use std::{collections::BTreeMap, sync::Mutex};

/// Roles of the trust root; the place of each is its key.
const ROLES: [&str; 8] = [
    "source",
    "builder",
    "scanner",
    "decision:production",
    "decision:staging",
    "refusal",
    "agent:staging",
    "agent:production",
];
/// Who puts the policy files into force.
pub(crate) const POLICY_SIGNER: u8 = 2;
/// Who else does where the root has the number [`TWO_SIGNERS`].
pub(crate) const SECOND_POLICY_SIGNER: u8 = 5;
/// The version of the trust root that names two policy signers; all others name one.
pub(crate) const TWO_SIGNERS: u64 = 12;
/// A signer that the trust root does not list.
pub(crate) const STRANGER: &str = "stranger";

/// What was made before from the same input. Signatures here are deterministic, so that making one again gives the same bytes;
/// thousands of cases share most of theirs. What looks at them verifies each, every time.
struct Made<K, V>(Mutex<BTreeMap<K, V>>);

impl<K: Ord, V: Clone> Made<K, V> {
    const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    fn get(&self, from: K, make: impl FnOnce(&K) -> V) -> V {
        if let Some(made) = self.0.lock().unwrap().get(&from) {
            return made.clone();
        }
        let made = make(&from);
        self.0.lock().unwrap().insert(from, made.clone());
        made
    }
}

fn key(who: &str) -> SigningKey {
    let seed = ROLES.iter().position(|role| *role == who).map_or(99, |at| u8::try_from(at + 1).unwrap());
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

pub(crate) fn public(who: &str) -> PublicKey {
    static MADE: Made<String, PublicKey> = Made::new();
    MADE.get(who.to_owned(), |who| newly_public(who))
}

fn newly_public(who: &str) -> PublicKey {
    PublicKey::from_der(key(who).verifying_key().to_public_key_der().unwrap().as_bytes()).unwrap()
}

/// The bundle of a statement, signed by the key of `who`.
pub(crate) fn sealed<P: Predicate>(who: &str, statement: &Statement<P>) -> Vec<u8> {
    sealed_bytes(who, &statement.to_bytes().unwrap())
}

pub(crate) fn sealed_bytes(who: &str, payload: &[u8]) -> Vec<u8> {
    static MADE: Made<(String, Vec<u8>), Vec<u8>> = Made::new();
    MADE.get((who.to_owned(), payload.to_vec()), |(who, payload)| newly_sealed(who, payload))
}

fn newly_sealed(who: &str, payload: &[u8]) -> Vec<u8> {
    let sign = |message: &[u8]| {
        let signature: DerSignature = key(who).sign(message);
        Ok::<_, std::convert::Infallible>(signature.as_bytes().to_vec())
    };
    seal(payload, &public(who), sign).unwrap()
}

fn person(seed: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
}

/// The public key of a person, as people.yaml lists it.
pub(crate) fn line(seed: u8) -> String {
    static MADE: Made<u8, String> = Made::new();
    MADE.get(seed, |seed| person(*seed).public_key().to_openssh().unwrap())
}

/// The armoured signature of a person.
pub(crate) fn signed_by(seed: u8, namespace: &str, bytes: &[u8]) -> String {
    static MADE: Made<(u8, String, Vec<u8>), String> = Made::new();
    MADE.get((seed, namespace.to_owned(), bytes.to_vec()), |(seed, namespace, bytes)| {
        person(*seed).sign(namespace, HashAlg::Sha512, bytes).unwrap().to_pem(LineEnding::LF).unwrap()
    })
}

/// `trust/root.json` with this genesis and number, and its signature by the one root key.
pub(crate) fn root(genesis: u8, number: u64) -> (Vec<u8>, String) {
    let mut policy_signers = vec![NamedKey { name: "petra".into(), key: line(POLICY_SIGNER) }];
    if number == TWO_SIGNERS {
        policy_signers.push(NamedKey { name: "paul".into(), key: line(SECOND_POLICY_SIGNER) });
    }
    let document = RootDocument {
        version: 1,
        genesis: self::genesis(genesis),
        number,
        threshold: 1,
        root_keys: vec![NamedKey { name: "ada".into(), key: line(1) }],
        roles: ROLES
            .iter()
            .map(|role| (role.parse::<Role>().unwrap(), vec![public(role).to_pem()]))
            .collect(),
        policy_signers,
    };
    let bytes = serde_json::to_vec_pretty(&document).unwrap();
    let signature = signed_by(1, NAMESPACE, &bytes);
    (bytes, signature)
}

fn genesis(genesis: u8) -> Opaque {
    Opaque::from_random([genesis; 16])
}

/// The trust root that is pinned in these tests.
pub(crate) fn pinned() -> TrustRoot {
    accepted(3)
}

/// The trust root that is pinned in these tests, with another number.
pub(crate) fn accepted(number: u64) -> TrustRoot {
    static MADE: Made<u64, TrustRoot> = Made::new();
    MADE.get(number, |number| {
        let (bytes, signature) = root(7, *number);
        TrustRoot::accept(&bytes, &[&signature], None).unwrap()
    })
}

/// Statements about the policy set by path, with their signatures: one for each of `files`, and the newest is signed.
pub(crate) fn policy_set(signer: u8, files: &[BTreeMap<String, Digest>]) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut previous = None;
    for (number, files) in (1..).zip(files) {
        let document =
            PolicySetDocument { version: 1, genesis: genesis(7), number, previous, files: files.clone() };
        let bytes = document::write(&document).unwrap();
        previous = Some(Digest::of(&bytes));
        found.retain(|path: &String, _| !path.ends_with(".sig"));
        let signature = signed_by(signer, PolicySetDocument::NAMESPACE, &bytes).into_bytes();
        let path = policy_statement_path(number);
        found.extend([(format!("{path}.sig"), signature), (path, bytes)]);
    }
    found
}
