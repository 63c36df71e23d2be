//! Approvals can only help: whatever is taken away, weakened or added by somebody who may not approve, a refusal stays a
//! refusal.

use super::{
    world::{World, commit, key, mention, named},
    *,
};
use proptest::prelude::*;

const PEOPLE: [&str; 5] = ["Ada", "Bo", "Cy", "Di", "Robo"];
const GATES: [&str; 3] = ["provenance", "tests.unit", "scans.lint"];

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&PEOPLE[..])
}

fn signed_commit() -> impl Strategy<Value = DeltaCommit> {
    (prop::sample::select(vec!['3', '4', '5']), name(), name(), prop::option::of(name()), 0..4_u8).prop_map(
        |(digit, author, committer, co_author, signature)| {
            let mut commit = commit(digit, author);
            commit.committer = mention(committer, "");
            commit.co_authors.extend(co_author.map(|name| mention(name, "")));
            if signature == 0 {
                commit.signature = Signature::Unsigned;
            }
            commit
        },
    )
}

/// Approvals of the very change that is judged, by whoever, so that the other rules decide.
fn world() -> impl Strategy<Value = World> {
    let commits = || prop::collection::vec(signed_commit(), 0..2);
    let lists = (commits(), commits(), commits(), commits());
    let outcomes = prop::collection::vec(prop::bool::weighted(0.9), GATES.len());
    let asked = (0..4_u32, any::<bool>(), any::<bool>());
    (lists, outcomes, asked, prop::collection::vec(name(), 0..6)).prop_map(
        |((commits, dropped, delivery, policy), outcomes, (count, extra, ancestor), approvers)| {
            World::new().with(|world| {
                (world.require.count, world.require.unsigned_needs_extra) = (count, extra);
                world.delta.commits.extend(commits);
                world.delta.base_is_ancestor = ancestor;
                (world.delta.dropped, world.delta.delivery, world.delta.policy) = (dropped, delivery, policy);
                let outcome = |passed| if passed { Outcome::Passed } else { Outcome::Failed };
                world.outcomes = GATES
                    .iter()
                    .map(|gate| (*gate).to_owned())
                    .zip(outcomes.into_iter().map(outcome))
                    .collect();
                approvers.into_iter().for_each(|name| world.approve(name));
            })
        },
    )
}

/// Each makes an approval void whatever else holds.
fn spoil(document: &mut ApprovalDocument, how: usize) {
    match how {
        0 => document.release = Digest::of(b"other"),
        1 => document.base = Some(Digest::of(b"other")),
        2 => document.delta = Digest::of(b"other"),
        3 => document.policy_set = Digest::of(b"other"),
        4 => document.environment = named("staging"),
        5 => document.project = named("till"),
        6 => document.kind = ApprovalKind::Rollback,
        7 => document.expiry = "2026-05-01T12:00:00Z".parse().unwrap(),
        _ => document.expiry = "2036-05-01T12:00:00Z".parse().unwrap(),
    }
}

proptest! {
    #[test]
    fn fewer_approvals_never_allow(before in world(), drop in any::<prop::sample::Index>()) {
        let mut after = before.clone();
        if !after.approvals.is_empty() {
            after.approvals.remove(drop.index(before.approvals.len()));
        }
        prop_assert!(after.judge().is_err() || before.judge().is_ok());
    }

    #[test]
    fn approvals_that_are_spoiled_never_allow(before in world(), name in name(), how in 0..9_usize) {
        let mut after = before.clone();
        after.approve(name);
        spoil(&mut after.approvals.last_mut().unwrap().0, how);
        prop_assert_eq!(after.judge().is_ok(), before.judge().is_ok());
    }

    #[test]
    fn approvals_by_those_who_may_not_never_allow(before in world(), nobody in any::<bool>()) {
        let mut after = before.clone();
        after.approve("Robo");
        after.approvals.last_mut().unwrap().1 = if nobody { "SHA256:x".into() } else { key("Robo") };
        after.unreadable.push((Digest::of(b"x"), "malformed".into()));
        prop_assert_eq!(after.judge().is_ok(), before.judge().is_ok());
    }

    #[test]
    fn used_approvals_never_allow(before in world()) {
        let mut after = before.clone();
        if let Ok(counted) = before.judge() {
            after.used = counted.iter().map(|approval| approval.approval).collect();
            prop_assert!(after.judge().map_or(true, |again| again.iter().all(|a| !after.used.contains(&a.approval))));
        } else {
            after.used.insert(Digest::of(b"any"));
            prop_assert!(after.judge().is_err());
        }
    }

    #[test]
    fn worse_outcomes_never_allow(
        before in world(),
        gate in prop::sample::select(vec!["provenance", "tests.unit", "scans.lint", "scans.new"]),
        outcome in prop::sample::select(vec![Outcome::Failed, Outcome::Missing, Outcome::Stale]),
    ) {
        let after = before.clone().judged(gate, outcome);
        prop_assert!(after.judge().is_err() || before.judge().is_ok());
        let gone = before.clone().unasked(gate);
        prop_assert!(gone.judge().is_err() || before.judge().is_ok());
    }

    #[test]
    fn more_people_in_the_change_never_allow(
        before in world(),
        list in 0..4_usize,
        more in signed_commit(),
        named in name(),
    ) {
        let mut after = before.clone();
        let delta = &mut after.delta;
        [&mut delta.commits, &mut delta.dropped, &mut delta.delivery, &mut delta.policy][list].push(more);
        after.approve_again();
        prop_assert!(after.judge().is_err() || before.judge().is_ok());
        let mut after = before.clone();
        after.delta.commits[0].co_authors.push(mention("anybody", &format!("{named}@HOME.example")));
        after.approve_again();
        prop_assert!(after.judge().is_err() || before.judge().is_ok());
    }

    #[test]
    fn nobody_who_counts_takes_part_and_all_are_different_people(world in world()) {
        let Ok(counted) = world.judge() else { return Ok(()) };
        let people: BTreeSet<&str> = counted.iter().map(|approval| approval.person.as_str()).collect();
        prop_assert_eq!(people.len(), counted.len());
        prop_assert!(counted.len() >= world.require.count as usize);
        for commit in world.delta.all() {
            for person in [&commit.author, &commit.committer].into_iter().chain(&commit.co_authors) {
                prop_assert!(!people.contains(person.name.as_str()));
            }
        }
    }
}
