//! The trust root: who must sign it, what may follow it, and what is never one. Signatures are by the real `ssh-keygen`.

use crate::fixture::Signer;
use plimsoll_attest::{
    TrustRoot,
    trust::{NAMESPACE, NamedKey, RootDocument},
};
use plimsoll_model::{Code, Opaque, Reason};
use plimsoll_testkit::SshKey;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Three people, and a root that two of them must sign.
struct Team {
    people: [SshKey; 3],
}

impl Team {
    fn new() -> Self {
        Self { people: [SshKey::generate(), SshKey::generate_as("ecdsa"), SshKey::generate()] }
    }

    fn document(&self) -> RootDocument {
        let named = |(name, key): (&str, &SshKey)| NamedKey { name: name.into(), key: key.public_line() };
        let names = ["ada", "bo", "cy"];
        RootDocument {
            version: 1,
            genesis: Opaque::from_random([1; 16]),
            number: 4,
            threshold: 2,
            root_keys: names.into_iter().zip(&self.people).map(named).collect(),
            roles: BTreeMap::from([
                ("builder".parse().unwrap(), vec![Signer::of("builder").public.to_pem()]),
                ("decision:production".parse().unwrap(), vec![]),
            ]),
            policy_signers: vec![named(("ada", &self.people[0]))],
        }
    }

    fn bytes(&self, change: impl FnOnce(&mut RootDocument)) -> Vec<u8> {
        let mut document = self.document();
        change(&mut document);
        serde_json::to_vec_pretty(&document).unwrap()
    }

    fn sign(&self, bytes: &[u8], who: &[usize]) -> Vec<String> {
        who.iter().map(|&at| self.people[at].sign(NAMESPACE, bytes)).collect()
    }

    fn accept(&self, bytes: &[u8], who: &[usize], pinned: Option<&TrustRoot>) -> Result<TrustRoot, Reason> {
        accept(bytes, &self.sign(bytes, who), pinned)
    }

    fn pinned(&self) -> TrustRoot {
        self.accept(&self.bytes(|_| ()), &[0, 1], None).unwrap()
    }
}

fn accept(bytes: &[u8], signatures: &[String], pinned: Option<&TrustRoot>) -> Result<TrustRoot, Reason> {
    let signatures: Vec<&str> = signatures.iter().map(String::as_str).collect();
    TrustRoot::accept(bytes, &signatures, pinned)
}

#[track_caller]
fn refused(result: Result<TrustRoot, Reason>, code: Code, sentence: &str) {
    let reason = result.unwrap_err();
    assert_eq!(reason.code, code, "{reason}");
    assert!(reason.sentence().contains(sentence), "{reason}");
}

#[test]
fn a_root_counts_when_enough_of_its_keys_signed_it() {
    let team = Team::new();
    let bytes = team.bytes(|_| ());
    for who in [&[0, 1][..], &[1, 2], &[2, 0], &[0, 1, 2]] {
        assert!(team.accept(&bytes, who, None).is_ok(), "{who:?}");
    }
    refused(team.accept(&bytes, &[], None), Code::Threshold, "0 of 2 root keys signed version 4");
    refused(team.accept(&bytes, &[1], None), Code::Threshold, "1 of 2 root keys signed version 4");
    refused(team.accept(&bytes, &[1, 1, 1], None), Code::Threshold, "1 of 2");
}

#[test]
fn an_accepted_root_says_what_it_holds() {
    let team = Team::new();
    let root = team.pinned();
    assert_eq!((root.number(), root.genesis()), (4, &Opaque::from_random([1; 16])));
    let builder = Signer::of("builder").public;
    assert_eq!(root.trust().find(builder.fingerprint()), Some((&"builder".parse().unwrap(), &builder)));
    assert_eq!(root.trust().iter().count(), 1);
    let [(name, key)] = root.policy_signers() else { panic!("one policy signer") };
    assert_eq!((name.as_str(), key.fingerprint().to_owned()), ("ada", team.people[0].fingerprint()));
}

#[test]
fn signatures_may_lie_in_one_file_or_in_several() {
    let team = Team::new();
    let bytes = team.bytes(|_| ());
    let signatures = team.sign(&bytes, &[0, 1]);
    assert!(accept(&bytes, &signatures, None).is_ok());
    assert!(accept(&bytes, &[signatures.concat()], None).is_ok());
    assert!(accept(&bytes, &[signatures.join("by bo:\n")], None).is_ok());
    let unfinished = "-----BEGIN SSH SIGNATURE-----\nAAAA\n";
    assert!(accept(&bytes, &[unfinished.to_owned() + &signatures.join(unfinished)], None).is_ok());
    assert!(accept(&bytes, &[signatures.concat().replace('\n', "\r\n")], None).is_ok());
}

#[test]
fn signatures_that_do_not_fit_neither_count_nor_harm() {
    let team = Team::new();
    let bytes = team.bytes(|_| ());
    let stranger = SshKey::generate().sign(NAMESPACE, &bytes);
    let elsewhere = team.people[2].sign("git", &bytes);
    let other = team.people[2].sign(NAMESPACE, b"other bytes");
    let noise = "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n".to_owned();
    let mut signatures = vec![stranger, elsewhere, other, noise, "no armour".into()];
    signatures.extend(team.sign(&bytes, &[0]));
    refused(accept(&bytes, &signatures, None), Code::Threshold, "1 of 2");
    signatures.extend(team.sign(&bytes, &[1]));
    assert!(accept(&bytes, &signatures, None).is_ok());
}

#[test]
fn a_key_under_two_names_counts_once() {
    let team = Team::new();
    let twice = |document: &mut RootDocument| {
        document.root_keys.truncate(1);
        let again = NamedKey { name: "eve".into(), key: format!("{} again", document.root_keys[0].key) };
        document.root_keys.push(again);
    };
    let bytes = team.bytes(twice);
    refused(
        team.accept(&bytes, &[0, 0], None),
        Code::TrustRoot,
        "the threshold is 2 of 1 distinct root keys",
    );
    let bytes = team.bytes(|document| {
        twice(document);
        document.root_keys.push(NamedKey { name: "bo".into(), key: team.people[1].public_line() });
    });
    refused(team.accept(&bytes, &[0, 0], None), Code::Threshold, "1 of 2");
    assert!(team.accept(&bytes, &[0, 1], None).is_ok());
}

#[test]
fn a_threshold_is_between_one_and_the_number_of_keys() {
    let team = Team::new();
    for (threshold, good) in [(0, false), (1, true), (3, true), (4, false), (u32::MAX, false)] {
        let bytes = team.bytes(|document| document.threshold = threshold);
        let result = team.accept(&bytes, &[0, 1, 2], None);
        if good {
            assert!(result.is_ok(), "{threshold}");
        } else {
            refused(result, Code::TrustRoot, &format!("the threshold is {threshold} of 3"));
        }
    }
}

#[test]
fn a_new_version_follows_the_pinned_one() {
    let team = Team::new();
    let pinned = team.pinned();
    for number in [5, 6, u64::MAX >> 11] {
        let bytes = team.bytes(|document| document.number = number);
        assert_eq!(team.accept(&bytes, &[1, 2], Some(&pinned)).unwrap().number(), number);
    }
    assert!(team.accept(&team.bytes(|_| ()), &[1, 2], Some(&pinned)).is_ok(), "the same again");
    let older = team.bytes(|document| document.number = 3);
    refused(
        team.accept(&older, &[0, 1, 2], Some(&pinned)),
        Code::TrustRoot,
        "number 3, and the pinned one 4",
    );
    let same = team.bytes(|document| document.roles.clear());
    let expect = "number 4 like the pinned one, and another content";
    refused(team.accept(&same, &[0, 1, 2], Some(&pinned)), Code::TrustRoot, expect);
    let other = team.bytes(|document| {
        (document.number, document.genesis) = (5, Opaque::from_random([2; 16]));
    });
    refused(team.accept(&other, &[0, 1, 2], Some(&pinned)), Code::TrustRoot, "it has the genesis 0202");
}

#[test]
fn new_keys_need_the_old_ones_to_agree() {
    let (team, heirs) = (Team::new(), Team::new());
    let pinned = team.pinned();
    let mut document = heirs.document();
    document.number = 5;
    let bytes = serde_json::to_vec_pretty(&document).unwrap();
    let theirs = heirs.sign(&bytes, &[0, 1, 2]);
    refused(accept(&bytes, &theirs, Some(&pinned)), Code::Threshold, "0 of 2 root keys signed version 5");
    let one = [theirs.clone(), team.sign(&bytes, &[0])].concat();
    refused(accept(&bytes, &one, Some(&pinned)), Code::Threshold, "1 of 2");
    let both = [theirs, team.sign(&bytes, &[0, 1])].concat();
    assert!(accept(&bytes, &both, Some(&pinned)).is_ok());
    refused(team.accept(&bytes, &[0, 1, 2], Some(&pinned)), Code::Threshold, "0 of 2");
}

#[test]
fn a_lower_threshold_needs_the_higher_one_once_more() {
    let team = Team::new();
    let pinned = team.pinned();
    let bytes = team.bytes(|document| (document.number, document.threshold) = (5, 1));
    refused(team.accept(&bytes, &[0], Some(&pinned)), Code::Threshold, "1 of 2");
    assert!(team.accept(&bytes, &[0, 2], Some(&pinned)).is_ok());
}

#[test]
fn a_root_is_read_strictly() {
    let team = Team::new();
    let check = |change: fn(&mut Value), sentence: &str| {
        let mut json = serde_json::to_value(team.document()).unwrap();
        change(&mut json);
        let bytes = serde_json::to_vec(&json).unwrap();
        refused(team.accept(&bytes, &[0, 1, 2], None), Code::TrustRoot, sentence);
    };
    check(|root| root["extra"] = json!(1), "unknown field `extra`");
    check(|root| root["root_keys"][0]["extra"] = json!(1), "unknown field `extra`");
    check(|root| root["version"] = json!(2), "its format has version 2, and this binary knows 1");
    check(|root| root["genesis"] = json!("x"), "not a random id");
    check(|root| root["threshold"] = json!(-1), "invalid value");
    check(|root| root["roles"]["janitor"] = json!([]), "is not a role");
    check(|root| root["roles"]["builder"] = json!(["x"]), "a key of builder: not a P-256 public key");
    check(|root| root["roles"]["scanner"] = root["roles"]["builder"].clone(), "is listed for");
    check(
        |root| root["policy_signers"][0]["key"] = json!("ssh-rsa"),
        "the key of ada: not an SSH public key",
    );
    check(|root| drop(root.as_object_mut().unwrap().remove("policy_signers")), "missing field");
}

#[test]
fn a_role_that_stands_twice_is_refused() {
    let team = Team::new();
    let good = String::from_utf8(team.bytes(|_| ())).unwrap();
    let bad = good.replace("\"roles\": {", "\"roles\": {\"builder\": [],");
    assert_ne!(bad, good);
    refused(team.accept(bad.as_bytes(), &[0, 1, 2], None), Code::TrustRoot, "the key `builder` stands twice");
}

#[test]
fn what_is_no_root_is_refused_without_panic() {
    let huge = vec![b' '; (1 << 20) + 1];
    for bad in [&b""[..], b"{}", b"[]", b"\xff", "[".repeat(100_000).as_bytes(), &huge] {
        refused(accept(bad, &[], None), Code::TrustRoot, "");
    }
}

#[test]
fn a_candidate_says_who_signed_it_and_how_many_are_missing() {
    let team = Team::new();
    let pinned = team.pinned();
    let bytes = team.bytes(|root| root.number = 5);
    let candidate = |who: &[usize]| {
        let signatures = team.sign(&bytes, who);
        let signatures: Vec<&str> = signatures.iter().map(String::as_str).collect();
        TrustRoot::candidate(&bytes, &signatures, &pinned).unwrap()
    };
    for (who, lacks) in [(&[][..], 2), (&[0], 1), (&[0, 0], 1), (&[0, 1], 0), (&[0, 1, 2], 0)] {
        assert_eq!(candidate(who).lacks(), lacks, "{who:?}");
        assert_eq!(team.accept(&bytes, who, Some(&pinned)).is_ok(), lacks == 0, "{who:?}");
    }
    let one = candidate(&[1]);
    assert_eq!((one.number(), one.threshold(), one.root_keys().len()), (5, 2, 3));
    assert_eq!(one.signers().iter().collect::<Vec<_>>(), [&team.people[1].fingerprint()]);
    // Enough of its own keys, and too few of those that were pinned.
    let stranger = SshKey::generate();
    let bytes = team.bytes(|root| {
        (root.number, root.threshold) = (5, 1);
        root.root_keys = vec![NamedKey { name: "eve".into(), key: stranger.public_line() }];
    });
    let signature = stranger.sign(NAMESPACE, &bytes);
    let taken = TrustRoot::candidate(&bytes, &[&signature], &pinned).unwrap();
    assert_eq!((taken.signers().len(), taken.lacks()), (1, 2));
}

#[test]
fn what_cannot_follow_is_no_candidate() {
    let team = Team::new();
    let pinned = team.pinned();
    type Change = fn(&mut RootDocument);
    let changes: [(Change, &str); 4] = [
        (|root| root.genesis = Opaque::from_random([2; 16]), "genesis"),
        (|root| root.number = 3, "number 3"),
        (|root| root.threshold = 1, "another content"),
        (|root| (root.number, root.threshold) = (5, 4), "threshold"),
    ];
    for (change, problem) in changes {
        let bytes = team.bytes(change);
        let reason = TrustRoot::candidate(&bytes, &[], &pinned).unwrap_err();
        assert_eq!(reason.code, Code::TrustRoot);
        assert!(reason.sentence().contains(problem), "{reason}");
    }
    assert!(TrustRoot::candidate(&team.bytes(|root| root.number = 5), &[], &pinned).is_ok());
}
