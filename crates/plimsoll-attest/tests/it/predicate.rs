//! Observations and deltas: what identifies them, and how much they may hold.

use crate::samples;
use plimsoll_attest::{
    Statement, StatementError,
    predicate::{
        Delta, Observation,
        delta::{MAX_CO_AUTHORS, MAX_COMMITS, MAX_PATHS},
        observation::MAX_DRIFT,
        source::Signature,
    },
};
use plimsoll_model::Digest;
use serde_json::{Value, json};

#[test]
fn the_subject_of_a_delta_is_the_range_that_was_asked_for() {
    let subject = samples::changes().subject().unwrap();
    let range = br#"{"base":"ffffffffffffffffffffffffffffffffffffffff","delivery_base":null,"delivery_head":"89abcdef0123456789abcdef0123456789abcdef","environment":"production","head":"0123456789abcdef0123456789abcdef01234567","project":"shop"}"#;
    assert_eq!(subject, Digest::of(range));
    let changed = |change: fn(&mut Delta)| {
        let mut delta = samples::changes();
        change(&mut delta);
        delta.subject().unwrap()
    };
    let asked: [fn(&mut Delta); 6] = [
        |delta| delta.project = "till".parse().unwrap(),
        |delta| delta.environment = "staging".parse().unwrap(),
        |delta| delta.base = None,
        |delta| delta.head = delta.delivery_head.clone(),
        |delta| delta.delivery_base = Some(delta.head.clone()),
        |delta| delta.delivery_head = delta.head.clone(),
    ];
    for change in asked {
        assert_ne!(changed(change), subject);
    }
    let found: [fn(&mut Delta); 3] = [
        |delta| delta.commits.clear(),
        |delta| delta.base_is_ancestor = true,
        |delta| delta.dropped[0].signature = Signature::Unsigned,
    ];
    for change in found {
        assert_eq!(changed(change), subject);
    }
}

#[test]
fn approvals_name_everything_that_a_delta_found() {
    let digest = samples::changes().digest().unwrap();
    assert_eq!(samples::changes().digest().unwrap(), digest);
    let found: [fn(&mut Delta); 4] = [
        |delta| delta.commits.clear(),
        |delta| delta.base_is_ancestor = true,
        |delta| delta.policy[0].co_authors.clear(),
        |delta| delta.delivery[0].summary.push('!'),
    ];
    for change in found {
        let mut delta = samples::changes();
        change(&mut delta);
        assert_ne!(delta.digest().unwrap(), digest);
    }
    assert_eq!(samples::changes().all().count(), 4);
}

#[track_caller]
fn limited<P: plimsoll_attest::Predicate>(statement: &Statement<P>) {
    let error = statement.to_bytes().unwrap_err();
    assert!(matches!(&error, StatementError::Malformed(text) if text.contains("more than")), "{error}");
}

#[test]
fn counts_and_lengths_are_limited() {
    let delta = |change: fn(&mut Delta)| {
        let mut statement = samples::delta();
        change(&mut statement.predicate);
        statement
    };
    assert!(delta(|delta| delta.commits = vec![delta.commits[0].clone(); MAX_COMMITS]).to_bytes().is_ok());
    limited(&delta(|delta| delta.commits = vec![delta.commits[0].clone(); MAX_COMMITS + 1]));
    limited(&delta(|delta| delta.dropped = vec![delta.commits[0].clone(); MAX_COMMITS + 1]));
    limited(&delta(|delta| delta.delivery = vec![delta.commits[0].clone(); MAX_COMMITS + 1]));
    limited(&delta(|delta| delta.policy = vec![delta.commits[0].clone(); MAX_COMMITS + 1]));
    limited(&delta(|delta| {
        let commit = &mut delta.commits[0];
        commit.co_authors = vec![commit.author.clone(); MAX_CO_AUTHORS + 1];
    }));
    limited(&delta(|delta| {
        delta.commits[0].paths = (0..=MAX_PATHS).map(|path| path.to_string()).collect();
    }));
    limited(&delta(|delta| delta.commits[0].summary = "x".repeat(1002)));
    let observation = |change: fn(&mut Observation)| {
        let mut statement = samples::observation();
        change(&mut statement.predicate);
        statement
    };
    limited(&observation(|seen| seen.drift = vec![seen.drift[0].clone(); MAX_DRIFT + 1]));
    limited(&observation(|seen| seen.agent.name = "x".repeat(1002)));
}

/// Canonical bytes with one change, as a faulty signer could sign them.
fn refused<P: plimsoll_attest::Predicate>(good: &Statement<P>, change: fn(&mut Value)) -> bool {
    let mut json: Value = serde_json::from_slice(&good.to_bytes().unwrap()).unwrap();
    change(&mut json["predicate"]);
    Statement::<P>::from_bytes(&plimsoll_model::jcs::to_bytes(&json).unwrap()).is_err()
}

#[test]
fn other_shapes_are_not_read() {
    let observations: [fn(&mut Value); 6] = [
        |seen| seen["schema"] = json!(2),
        |seen| seen["state"] = json!("fine"),
        |seen| seen["agent_isolation"] = json!(true),
        |seen| seen["sequence"] = json!(-1),
        |seen| seen["extra"] = json!(1),
        |seen| drop(seen.as_object_mut().unwrap().remove("executable")),
    ];
    assert!(!refused(&samples::observation(), |_| ()));
    for change in observations {
        assert!(refused(&samples::observation(), change));
    }
    let deltas: [fn(&mut Value); 6] = [
        |delta| delta["schema"] = json!(0),
        |delta| delta["head"] = json!("HEAD"),
        |delta| delta["commits"][0]["extra"] = json!(1),
        |delta| delta["commits"][0]["signature"] = json!({"kind": "good"}),
        |delta| delta["delivery"][0]["paths"] = json!(["b", "a"]),
        |delta| drop(delta.as_object_mut().unwrap().remove("base")),
    ];
    assert!(!refused(&samples::delta(), |_| ()));
    for change in deltas {
        assert!(refused(&samples::delta(), change));
    }
}
