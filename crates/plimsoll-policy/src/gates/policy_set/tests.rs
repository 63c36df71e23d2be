use super::*;
use plimsoll_attest::predicate::source::{Person as Mention, Signature};
use plimsoll_pipeline::SshKey;

fn person(name: &str, email: &str, keys: &[&str]) -> Person {
    let key = |key: &&str| SshKey { line: format!("ssh-ed25519 {key}"), fingerprint: (*key).to_owned() };
    Person {
        name: name.into(),
        git_emails: [email.to_owned()].into(),
        ssh_keys: keys.iter().map(key).collect(),
        roles: [].into(),
        robot: false,
    }
}

fn change(author: &str, email: &str, key: &str) -> DeltaCommit {
    let by = Mention { name: author.into(), email: email.into() };
    DeltaCommit {
        commit: "4".repeat(40).parse().unwrap(),
        author: by.clone(),
        committer: by,
        co_authors: vec![],
        signature: Signature::Good { person: author.into(), fingerprint: key.into() },
        summary: "ask for less".into(),
        paths: ["people.yaml".to_owned()].into(),
    }
}

fn ada() -> DeltaCommit {
    change("Ada", "ada@example.org", "SHA256:ada")
}

fn named(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, name)| ((*key).to_owned(), (*name).to_owned())).collect()
}

const ADA: (&str, &str) = ("SHA256:ada", "ada");
const BO: (&str, &str) = ("SHA256:bo", "Bo of security");

/// The answer when `signers` of Ada and Bo signed what `changes` did.
fn answer(signers: &[(&str, &str)], changes: &[DeltaCommit]) -> Result<Duties, Vec<Reason>> {
    ask(2, signers, &[ADA, BO], changes)
}

fn ask(
    number: u64,
    signers: &[(&str, &str)],
    root: &[(&str, &str)],
    changes: &[DeltaCommit],
) -> Result<Duties, Vec<Reason>> {
    let people = [
        person("Ada", "ada@example.org", &["SHA256:ada", "SHA256:ada-2"]),
        person("Bo", "bo@example.org", &["SHA256:bo"]),
    ];
    let (signers, policy_signers) = (named(signers), named(root));
    let policy_signers = &policy_signers;
    judge(&PolicySetQuestion { number, signers: &signers, policy_signers, people: &people, changes })
}

#[track_caller]
fn refused(answer: Result<Duties, Vec<Reason>>) {
    let reasons = answer.unwrap_err();
    assert!(reasons.iter().all(|reason| reason.code == Code::PolicySod), "{reasons:?}");
    assert!(!reasons.is_empty());
}

#[test]
fn who_changed_a_policy_does_not_put_it_into_force() {
    refused(answer(&[ADA], &[ada()]));
    assert_eq!(answer(&[BO], &[ada()]), Ok(Duties::Separated));
    assert_eq!(answer(&[ADA], &[]), Ok(Duties::Separated));
    let reason = answer(&[ADA], &[ada()]).unwrap_err().remove(0);
    let expect =
        format!("ada signed the policy set and wrote {}, which is part of the change", "4".repeat(40));
    assert_eq!(reason.sentence(), expect);
}

#[test]
fn a_second_signature_does_not_make_up_for_the_authors() {
    refused(answer(&[ADA, BO], &[ada()]));
}

#[test]
fn a_signer_is_recognised_as_author_committer_co_author_and_by_any_key() {
    let by_ada: [fn(&mut DeltaCommit); 5] = [
        |commit| commit.author = Mention { name: "A.".into(), email: "ADA@Example.org".into() },
        |commit| commit.committer = Mention { name: "ADA".into(), email: "unknown@elsewhere.example".into() },
        |commit| commit.co_authors = plimsoll_attest::co_authors("x\n\nco-AUTHORED-by: ada <x@y>"),
        |commit| {
            commit.signature = Signature::Good { person: "Ada".into(), fingerprint: "SHA256:ada-2".into() };
        },
        |commit| commit.author.name = "Ada".into(),
    ];
    let clean = || change("Di", "di@example.org", "SHA256:di");
    assert_eq!(answer(&[ADA], &[clean()]), Ok(Duties::Separated));
    for edit in by_ada {
        let mut commit = clean();
        edit(&mut commit);
        refused(answer(&[ADA], &[clean(), commit]));
    }
}

#[test]
fn a_signer_whom_people_yaml_does_not_know_is_recognised_by_key_and_name() {
    let ex = ("SHA256:ex", "Ex Ternal");
    let by = |author: &str, key: &str| ask(2, &[ex], &[ex, BO], &[change(author, "x@y", key)]);
    refused(by("ex ternal", "SHA256:other"));
    refused(by("somebody", "SHA256:ex"));
    assert_eq!(by("somebody", "SHA256:other"), Ok(Duties::Separated));
}

#[test]
fn the_first_statement_has_no_author_rule() {
    assert_eq!(ask(1, &[ADA], &[ADA, BO], &[ada()]), Ok(Duties::First));
    refused(ask(2, &[ADA], &[ADA, BO], &[ada()]));
}

#[test]
fn a_single_policy_signer_is_said_to_be_one() {
    assert_eq!(ask(2, &[ADA], &[ADA], &[ada()]), Ok(Duties::OneSigner));
    // Two keys of one person are one signer, by the list of people or by the name in the trust root.
    let second = ("SHA256:ada-2", "ada's other key");
    assert_eq!(ask(2, &[ADA], &[ADA, second], &[ada()]), Ok(Duties::OneSigner));
    assert_eq!(ask(2, &[ADA], &[ADA, ("SHA256:new", "ADA")], &[ada()]), Ok(Duties::OneSigner));
    refused(ask(2, &[ADA], &[], &[ada()]));
}

#[test]
fn a_long_list_is_cut() {
    let many: Vec<DeltaCommit> = std::iter::repeat_n(ada(), 100).collect();
    assert_eq!(answer(&[ADA], &many).unwrap_err().len(), MAX_LISTED);
}
