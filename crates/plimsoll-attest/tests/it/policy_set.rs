//! When a policy set counts: the newest of an unbroken row of statements, signed by a policy signer of the trust root.

use plimsoll_attest::{
    PolicySetDocument, SignedPolicySet, TrustRoot, document,
    policy_set::PolicySetFile,
    trust::{self, NamedKey, RootDocument},
};
use plimsoll_model::{Code, Digest, Opaque, Reason};
use plimsoll_testkit::SshKey;
use std::collections::BTreeMap;

const GENESIS: [u8; 16] = [1; 16];

/// Two policy signers, and three statements, of which the newest is signed by Ada.
struct Team {
    ada: SshKey,
    bo: SshKey,
    root: TrustRoot,
}

fn files(number: u64) -> BTreeMap<String, Digest> {
    ["delivery.yaml", "people.yaml"]
        .map(|path| (path.to_owned(), Digest::of(format!("{path} {number}").as_bytes())))
        .into()
}

impl Team {
    fn new() -> Self {
        let (ada, bo) = (SshKey::generate(), SshKey::generate_as("ecdsa"));
        let named = |name: &str, key: &SshKey| NamedKey { name: name.into(), key: key.public_line() };
        let root = RootDocument {
            version: 1,
            genesis: Opaque::from_random(GENESIS),
            number: 1,
            threshold: 1,
            root_keys: vec![named("ada", &ada)],
            roles: BTreeMap::new(),
            policy_signers: vec![named("ada", &ada), named("bo", &bo)],
        };
        let root = serde_json::to_vec(&root).unwrap();
        let root = TrustRoot::accept(&root, &[&ada.sign(trust::NAMESPACE, &root)], None).unwrap();
        Self { ada, bo, root }
    }

    fn accept(&self, statements: &BTreeMap<u64, PolicySetFile>) -> Result<SignedPolicySet, Reason> {
        SignedPolicySet::accept(&self.root, statements)
    }

    /// Three statements. `change` sees each before it is written; the newest is signed by Ada.
    fn statements(&self, change: impl Fn(&mut PolicySetDocument)) -> BTreeMap<u64, PolicySetFile> {
        let mut statements = BTreeMap::new();
        let mut previous = None;
        for number in 1..=3 {
            let genesis = Opaque::from_random(GENESIS);
            let mut document =
                PolicySetDocument { version: 1, genesis, number, previous, files: files(number) };
            change(&mut document);
            let bytes = document::write(&document).unwrap();
            previous = Some(Digest::of(&bytes));
            let signatures =
                if number == 3 { self.ada.sign("plimsoll-policy", &bytes) } else { String::new() };
            statements.insert(number, PolicySetFile { bytes, signatures });
        }
        statements
    }

    fn good(&self) -> BTreeMap<u64, PolicySetFile> {
        self.statements(|_| ())
    }

    /// The newest statement with other signatures.
    fn signed(&self, signatures: impl FnOnce(&[u8]) -> String) -> BTreeMap<u64, PolicySetFile> {
        let mut statements = self.good();
        let newest = statements.get_mut(&3).unwrap();
        newest.signatures = signatures(&newest.bytes);
        statements
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Reason>, problem: &str) {
    let reason = result.unwrap_err();
    assert_eq!(reason.code, Code::PolicyUnsigned, "{reason}");
    assert!(reason.parameters["problem"].contains(problem), "{reason}");
}

#[test]
fn the_newest_of_an_unbroken_row_counts() {
    let team = Team::new();
    let set = team.accept(&team.good()).unwrap();
    assert_eq!((set.document().number, &set.document().files), (3, &files(3)));
    assert_eq!(set.digest(), Digest::of(&team.good()[&3].bytes));
    assert_eq!(set.signers(), &BTreeMap::from([(team.ada.fingerprint(), "ada".to_owned())]));
    let first = team.statements(|_| ()).into_iter().take(1).map(|(number, mut file)| {
        file.signatures = team.bo.sign("plimsoll-policy", &file.bytes);
        (number, file)
    });
    assert_eq!(team.accept(&first.collect()).unwrap().document().number, 1);
}

#[test]
fn a_row_with_a_gap_or_a_wrong_link_does_not_count() {
    let team = Team::new();
    refused(team.accept(&BTreeMap::new()), "there is no statement");
    let without = |number| {
        let mut statements = team.good();
        statements.remove(&number);
        team.accept(&statements)
    };
    refused(without(1), "statement 1 is missing");
    refused(without(2), "statement 2 is missing");
    // Without the newest one, the one before it must stand on its own signature.
    refused(without(3), "statement 2: it has no signature");
    let mut zero = team.good();
    zero.insert(0, zero[&1].clone());
    refused(team.accept(&zero), "statement 1 is missing");

    let at_2 = |change: fn(&mut PolicySetDocument)| {
        team.accept(&team.statements(|document| {
            if document.number == 2 {
                change(document)
            }
        }))
    };
    refused(at_2(|document| document.previous = None), "statement 2: it does not name the statement before");
    refused(at_2(|document| document.previous = Some(Digest::of(b"x"))), "statement 2: it does not name");
    refused(at_2(|document| document.genesis = Opaque::from_random([2; 16])), "it belongs to the trust root");
    refused(at_2(|document| document.number = 9), "statement 2: it says that it is statement 9");
    let mut first = team.good();
    first.get_mut(&1).unwrap().bytes = first[&2].bytes.clone();
    refused(team.accept(&first), "statement 1: it says that it is statement 2");
}

#[test]
fn history_cannot_be_exchanged_below_a_signed_statement() {
    let team = Team::new();
    let mut statements = team.good();
    let lax = team.statements(|document| document.files.retain(|path, _| path != "people.yaml"));
    statements.insert(2, lax[&2].clone());
    assert!(team.accept(&lax).is_ok());
    refused(team.accept(&statements), "statement 2: it does not name the statement before it");
    statements.insert(1, lax[&1].clone());
    refused(team.accept(&statements), "statement 3: it does not name the statement before it");
}

#[test]
fn only_a_policy_signer_puts_a_set_into_force() {
    let team = Team::new();
    let stranger = SshKey::generate();
    let check = |signatures: &dyn Fn(&[u8]) -> String, problem: &str| {
        refused(team.accept(&team.signed(signatures)), problem);
    };
    check(&|_| String::new(), "statement 3: it has no signature");
    check(&|bytes| stranger.sign("plimsoll-policy", bytes), "is not allowed");
    check(&|bytes| team.ada.sign("plimsoll-approval", bytes), "made for the namespace `plimsoll-approval`");
    check(&|_| team.ada.sign("plimsoll-policy", b"other"), "does not fit the message");
    check(&|_| team.good()[&2].signatures.clone() + "no armour", "it has no signature");
}

#[test]
fn signatures_that_do_not_count_do_not_harm_and_each_key_counts_once() {
    let team = Team::new();
    let stranger = SshKey::generate();
    let all = |bytes: &[u8]| {
        let sign = |key: &SshKey| key.sign("plimsoll-policy", bytes);
        [sign(&stranger), sign(&team.bo), "text\n".into(), sign(&team.ada), sign(&team.ada)].concat()
    };
    let set = team.accept(&team.signed(all)).unwrap();
    let mut names: Vec<&str> = set.signers().values().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["ada", "bo"]);
}

#[test]
fn a_set_holds_the_files_that_it_lists_and_no_others() {
    let team = Team::new();
    let set = team.accept(&team.good()).unwrap();
    let used = |change: fn(&mut BTreeMap<String, Digest>)| {
        let mut used = files(3);
        change(&mut used);
        used
    };
    let check = |change: fn(&mut BTreeMap<String, Digest>), problem: &str| {
        refused(set.holds(&used(change)), problem);
        refused(set.is_exactly(&used(change)), problem);
    };
    check(
        |used| used.extend([("people.yaml".into(), Digest::of(b"me"))]),
        "people.yaml was changed after it was signed (statement 3)",
    );
    check(
        |used| used.extend([("policies/lax.rego".into(), Digest::of(b""))]),
        "policies/lax.rego is not listed (statement 3)",
    );
    assert_eq!(set.is_exactly(&files(3)), Ok(()));
    let fewer = used(|used| used.retain(|path, _| path != "people.yaml"));
    assert_eq!(set.holds(&fewer), Ok(()));
    refused(set.is_exactly(&fewer), "people.yaml is listed and not there (statement 3)");
}

#[test]
fn bytes_that_are_no_statement_are_refused() {
    let team = Team::new();
    for bad in [&b""[..], b"{}", b"null", &[0xff; 40]] {
        let mut statements = team.good();
        statements.get_mut(&2).unwrap().bytes = bad.to_vec();
        refused(team.accept(&statements), "statement 2: the document is malformed");
    }
    let mut statements = team.good();
    statements.get_mut(&3).unwrap().bytes.push(b'\n');
    refused(team.accept(&statements), "statement 3: the document is not in canonical form");
}
