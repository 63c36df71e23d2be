use super::{
    world::{World, commit, commit_id, key, mention, named},
    *,
};

/// The approvals count, and are these people's.
#[track_caller]
fn allowed(world: World, people: &[&str]) {
    assert_eq!(world.answer(), Ok(people.iter().map(|name| (*name).to_owned()).collect()));
}

/// There are too few; the approvals that do not count have these codes.
#[track_caller]
fn refused(world: World, void: &[&'static str]) {
    let expect = [&["E-APPR-QUORUM"], void].concat();
    assert_eq!(world.answer(), Err(expect));
}

/// The last reason as people read it.
fn sentence(world: &World) -> String {
    world.judge().unwrap_err().last().unwrap().sentence()
}

/// Bo approves a change that was altered before anybody saw it.
fn delta(change: impl FnOnce(&mut Delta)) -> World {
    World::new().with(|world| {
        change(&mut world.delta);
        world.approve("Bo");
    })
}

/// Bo approved, and the document says something else than what is to happen.
fn document(change: impl FnOnce(&mut ApprovalDocument)) -> World {
    World::approved().with(|world| change(&mut world.approvals[0].0))
}

#[test]
fn an_approval_by_somebody_else_counts() {
    allowed(World::approved(), &["Bo"]);
    let counted = World::approved().judge().unwrap();
    assert_eq!((counted[0].fingerprint.as_str(), counted[0].person.as_str()), ("SHA256:bo", "Bo"));
    assert_eq!(counted[0].expiry, "2026-05-01T20:00:00Z".parse().unwrap());
}

#[test]
fn too_few_do_not_count() {
    let two = |world: &mut World| world.require.count = 2;
    refused(World::new(), &[]);
    refused(World::approved().with(two), &[]);
    assert_eq!(sentence(&World::approved().with(two)), "1 of 2 approvals count");
    allowed(World::approved().with(two).with(|world| world.approve("Cy")), &["Bo", "Cy"]);
    refused(World::new().with(|world| world.require.count = 0), &[]);
}

#[test]
fn who_takes_part_in_the_change_does_not_approve_it() {
    refused(World::new().with(|world| world.approve("Ada")), &["E-APPR-SELF"]);
    let world = World::new().with(|world| world.approve("Ada"));
    let expect = format!("Ada takes part in the change as signer of {}", commit_id('2'));
    assert_eq!(sentence(&world), expect);
}

#[test]
fn co_authors_are_found_under_any_name_or_address() {
    let check = |co_author: Mention, expect: &[&'static str]| {
        let world = delta(|delta| delta.commits[0].co_authors.push(co_author.clone()));
        if expect.is_empty() { allowed(world, &["Bo"]) } else { refused(world, expect) }
    };
    check(mention("Bo", "bo@example.org"), &["E-APPR-SELF"]);
    check(mention("BO", "unknown@elsewhere.example"), &["E-APPR-SELF"]);
    check(mention("somebody", "Bo@Home.Example"), &["E-APPR-SELF"]);
    check(mention("", " BO@EXAMPLE.ORG "), &["E-APPR-SELF"]);
    check(mention(" b o ", ""), &["E-APPR-SELF"]);
    check(mention("Bob", "bob@example.org"), &[]);
    check(mention("", ""), &[]);
}

#[test]
fn names_in_a_message_exclude_as_the_message_writes_them() {
    for message in ["fix\n\nCO-AUTHORED-BY: bo <BO@Home.example>", "Co-authored-by: Cy, Bo <x@y>\n\nfix"] {
        refused(
            delta(|delta| delta.commits[0].co_authors = plimsoll_attest::co_authors(message)),
            &["E-APPR-SELF"],
        );
    }
    let message = "fix\n\nReviewed-by: Bo <bo@example.org>";
    allowed(delta(|delta| delta.commits[0].co_authors = plimsoll_attest::co_authors(message)), &["Bo"]);
}

#[test]
fn a_committer_other_than_the_author_does_not_approve() {
    let by_bo = |delta: &mut Delta| delta.commits[0].committer = mention("B.", "bo@home.example");
    refused(delta(by_bo), &["E-APPR-SELF"]);
    allowed(delta(by_bo).with(|world| world.approve("Cy")), &["Cy"]);
}

#[test]
fn whose_key_signed_does_not_approve_whatever_the_commit_says() {
    let signed_by = |name: &str, fingerprint: &str| {
        let signature = Signature::Good { person: name.into(), fingerprint: fingerprint.into() };
        delta(|delta| delta.commits[0].signature = signature)
    };
    refused(signed_by("Bo", "SHA256:bo-2"), &["E-APPR-SELF"]);
    // The key was Cy's when the signature was read, and is Bo's: it is believed of both.
    refused(signed_by("Cy", "SHA256:bo-2"), &["E-APPR-SELF"]);
    refused(signed_by("bo", "SHA256:cy"), &["E-APPR-SELF"]);
    allowed(signed_by("Cy", "SHA256:cy"), &["Bo"]);
}

#[test]
fn one_person_with_two_keys_counts_once() {
    let two = World::approved().with(|world| {
        world.require.count = 2;
        world.approve("Bo");
        world.approvals[1].1 = "SHA256:bo-2".into();
    });
    refused(two.clone(), &["E-APPR-SIGNER"]);
    assert!(sentence(&two).contains("does not count: Bo approved already"), "{}", sentence(&two));
    allowed(two.with(|world| world.approve("Cy")), &["Bo", "Cy"]);
}

#[test]
fn a_merge_does_not_hide_who_wrote_what_it_brings() {
    // Ada merges a branch of Bo's: the first parent is hers, the second parent's commits are his.
    let merge = |delta: &mut Delta| delta.commits.push(commit('3', "Bo"));
    refused(delta(merge), &["E-APPR-SELF"]);
    allowed(delta(merge).with(|world| world.approve("Cy")), &["Cy"]);
}

#[test]
fn who_changed_configuration_or_policies_does_not_approve() {
    refused(delta(|delta| delta.delivery.push(commit('4', "Bo"))), &["E-APPR-SELF"]);
    refused(delta(|delta| delta.policy.push(commit('4', "Bo"))), &["E-APPR-SELF"]);
    allowed(delta(|delta| delta.delivery.push(commit('4', "Cy"))), &["Bo"]);
}

#[test]
fn history_that_drops_a_fix_asks_for_one_more() {
    let rewritten = |delta: &mut Delta| {
        delta.base_is_ancestor = false;
        delta.dropped.push(commit('5', "Di"));
    };
    refused(delta(rewritten), &[]);
    assert_eq!(sentence(&delta(rewritten)), "1 of 2 approvals count");
    allowed(delta(rewritten).with(|world| world.approve("Cy")), &["Bo", "Cy"]);
    refused(delta(|delta| delta.base_is_ancestor = false), &[]);
    refused(delta(|delta| delta.dropped.push(commit('5', "Di"))), &[]);
    let own_fix = delta(|delta| delta.dropped.push(commit('5', "Bo")));
    refused(own_fix.with(|world| world.approve("Cy")), &["E-APPR-SELF"]);
}

#[test]
fn an_approval_counts_for_its_own_unit_and_kind() {
    let check = |change: fn(&mut ApprovalDocument), actual: &str| {
        let world = document(change);
        refused(world.clone(), &["E-APPR-ENV"]);
        assert_eq!(sentence(&world), format!("the approval by Bo is for {actual}"));
    };
    check(|document| document.environment = named("staging"), "the deploy of shop@staging");
    check(|document| document.project = named("till"), "the deploy of till@production");
    check(|document| document.kind = ApprovalKind::Rollback, "the rollback of shop@production");
    check(
        |document| document.environment.id = named::<ProjectName>("other").id,
        "another deploy of shop@production",
    );
    let back = World::new().with(|world| world.kind = ApprovalKind::Rollback);
    allowed(back.with(|world| world.approve("Bo")), &["Bo"]);
}

#[test]
fn an_approval_counts_for_its_own_release() {
    refused(document(|document| document.release = Digest::of(b"other")), &["E-APPR-RELEASE"]);
    refused(World::approved().with(|world| world.release = Digest::of(b"other")), &["E-APPR-RELEASE"]);
}

#[test]
fn an_approval_counts_for_its_own_base_and_commits() {
    refused(World::approved().with(|world| world.base = Some(Digest::of(b"decision 2"))), &["E-APPR-BASE"]);
    refused(World::approved().with(|world| world.base = None), &["E-APPR-BASE"]);
    refused(document(|document| document.base = None), &["E-APPR-BASE"]);
    let more = World::approved().with(|world| world.delta.commits.push(commit('6', "Di")));
    refused(more.clone(), &["E-APPR-BASE"]);
    allowed(more.with(World::approve_again), &["Bo"]);
}

#[test]
fn an_approval_counts_under_its_own_policies() {
    refused(World::approved().with(|world| world.policy_set = Digest::of(b"new")), &["E-APPR-POLICY"]);
    refused(document(|document| document.policy_set = Digest::of(b"lax")), &["E-APPR-POLICY"]);
}

#[test]
fn an_approval_counts_once() {
    let again = |world: &mut World| world.used = world.judge().unwrap().iter().map(|a| a.approval).collect();
    refused(World::approved().with(again), &["E-APPR-USED"]);
    let fresh = World::approved().with(again).with(|world| world.approve("Bo"));
    allowed(fresh, &["Bo"]);
}

#[test]
fn an_approval_ends() {
    let at = |now: &str| World::approved().with(|world| world.now = now.parse().unwrap());
    allowed(at("2026-05-01T19:59:59.999999999Z"), &["Bo"]);
    refused(at("2026-05-01T20:00:00Z"), &["E-APPR-EXPIRED"]);
    refused(at("2027-05-01T00:00:00Z"), &["E-APPR-EXPIRED"]);
    assert_eq!(sentence(&at("2027-05-01T00:00:00Z")), "the approval by Bo expired at 2026-05-01T20:00:00Z");
}

#[test]
fn an_approval_does_not_hold_longer_than_the_environment_says() {
    let until = |expiry: &str| document(|document| document.expiry = expiry.parse().unwrap());
    allowed(until("2026-05-02T12:00:00Z"), &["Bo"]);
    refused(until("2026-05-02T12:00:00.000000001Z"), &["E-APPR-EXPIRED"]);
    refused(until("9999-01-01T00:00:00Z"), &["E-APPR-EXPIRED"]);
    let expect = "the approval by Bo expired at once: until 9999-01-01T00:00:00Z is longer than 86400 s";
    assert_eq!(sentence(&until("9999-01-01T00:00:00Z")), expect);
    let forever = |world: &mut World| world.require.expire_seconds = u64::MAX;
    allowed(until("9999-01-01T00:00:00Z").with(forever), &["Bo"]);
}

#[test]
fn nothing_may_be_worse_than_the_approver_saw() {
    let outcome = |gate: &str, outcome| World::approved().judged(gate, outcome);
    for worse in [Outcome::Failed, Outcome::Errored, Outcome::Missing, Outcome::Stale, Outcome::Skipped] {
        refused(outcome("tests.unit", worse), &["E-APPR-FLOOR"]);
        refused(outcome("scans.new", worse), &["E-APPR-FLOOR"]);
    }
    allowed(outcome("scans.new", Outcome::Passed), &["Bo"]);
    refused(World::approved().unasked("tests.unit"), &["E-APPR-FLOOR"]);
    let world = outcome("tests.unit", Outcome::Failed);
    assert_eq!(sentence(&world), "Bo approved when tests.unit was passed, and it is failed now");
}

#[test]
fn what_was_shown_as_failing_may_still_fail_or_pass() {
    let soaking = World::new().with(|world| {
        world.outcomes.insert("soak".into(), Outcome::Failed);
        world.approve("Bo");
    });
    allowed(soaking.clone(), &["Bo"]);
    allowed(soaking.judged("soak", Outcome::Passed), &["Bo"]);
}

#[test]
fn robots_and_people_without_a_role_do_not_approve() {
    refused(World::new().with(|world| world.approve("Robo")), &["E-APPR-ROBOT"]);
    let no_role = World::new().with(|world| world.approve("Di"));
    refused(no_role.clone(), &["E-APPR-SIGNER"]);
    assert!(sentence(&no_role).ends_with("does not count: Di has none of the roles"));
    let promoted = |world: &mut World| world.people[3].roles.extend(["owners".to_owned()]);
    allowed(no_role.with(promoted), &["Di"]);
}

#[test]
fn a_key_that_was_taken_from_the_list_does_not_count() {
    let gone = World::approved().with(|world| drop(world.people[1].ssh_keys.remove(0)));
    refused(gone.clone(), &["E-APPR-SIGNER"]);
    assert!(sentence(&gone).ends_with("nobody has the key SHA256:bo"));
    let other_gone = World::approved().with(|world| drop(world.people[1].ssh_keys.remove(1)));
    allowed(other_gone, &["Bo"]);
}

#[test]
fn what_cannot_be_read_does_not_count_and_does_not_disturb() {
    let bad = |world: &mut World| {
        world.unreadable.push((Digest::of(b"x"), "the signature does not fit the message".into()));
    };
    refused(World::new().with(bad), &["E-APPR-SIGNER"]);
    allowed(World::approved().with(bad), &["Bo"]);
}

#[test]
fn an_unknown_author_refuses() {
    let strangers: [(Signature, &str); 3] = [
        (Signature::Unsigned, "it is not signed"),
        (Signature::Bad { problem: "by an unknown key".into() }, "by an unknown key"),
        (
            Signature::Good { person: "Ex".into(), fingerprint: "SHA256:ex".into() },
            "the key SHA256:ex is not listed any more",
        ),
    ];
    for (signature, problem) in strangers {
        let world = delta(|delta| delta.commits[0].signature = signature.clone());
        assert_eq!(world.answer(), Err(vec!["E-APPR-AUTHOR-UNKNOWN"]));
        assert_eq!(sentence(&world), format!("nobody knows who wrote {}: {problem}", commit_id('2')));
        // No number of approvals helps, unless the environment says so; then one more does.
        let more = world.with(|world| world.approve("Cy"));
        assert_eq!(more.answer(), Err(vec!["E-APPR-AUTHOR-UNKNOWN"]));
        let extra = |world: &mut World| world.require.unsigned_needs_extra = true;
        allowed(more.clone().with(extra), &["Bo", "Cy"]);
        refused(more.with(extra).with(|world| drop(world.approvals.pop())), &[]);
    }
}

#[test]
fn every_list_of_the_delta_is_searched_for_unknown_authors() {
    let unsigned = || DeltaCommit { signature: Signature::Unsigned, ..commit('7', "Di") };
    let lists: [fn(&mut Delta) -> &mut Vec<DeltaCommit>; 3] =
        [|delta| &mut delta.commits, |delta| &mut delta.delivery, |delta| &mut delta.policy];
    for list in lists {
        let world = delta(|delta| list(delta).push(unsigned()));
        assert_eq!(world.answer(), Err(vec!["E-APPR-AUTHOR-UNKNOWN"]));
        allowed(delta(|delta| list(delta).push(commit('7', "Di"))), &["Bo"]);
    }
    let dropped = delta(|delta| delta.dropped.push(unsigned()));
    assert_eq!(dropped.answer(), Err(vec!["E-APPR-AUTHOR-UNKNOWN", "E-APPR-QUORUM"]));
}

#[test]
fn a_long_history_of_unknown_authors_is_cut_in_the_answer() {
    let many = delta(|delta| {
        let unsigned = DeltaCommit { signature: Signature::Unsigned, ..commit('7', "Di") };
        delta.commits.extend(std::iter::repeat_n(unsigned, 500));
    });
    assert_eq!(many.judge().unwrap_err().len(), MAX_LISTED);
}

#[test]
fn without_a_base_the_released_commit_is_the_change() {
    let first = |world: &mut World| {
        (world.base, world.delta.base, world.delta.delivery_base) = (None, None, None);
        world.approve("Bo");
    };
    allowed(World::new().with(first), &["Bo"]);
    let own = World::new().with(|world| world.delta.commits[0].author = mention("Bo", "x@y")).with(first);
    refused(own, &["E-APPR-SELF"]);
}

#[test]
fn a_delta_that_excludes_nobody_is_not_believed() {
    let check = |world: World, problem: &str| {
        assert_eq!(world.answer(), Err(vec!["E-APPR-AUTHOR-UNKNOWN"]));
        assert_eq!(sentence(&world), format!("nobody knows who wrote {}: {problem}", commit_id('2')));
    };
    check(delta(|delta| delta.commits.clear()), "the delta does not list it");
    check(delta(|delta| delta.environment = "staging".parse().unwrap()), "the delta is about shop@staging");
    check(delta(|delta| delta.project = "till".parse().unwrap()), "the delta is about till@production");
    // The same commit with another configuration, and history that is taken back, bring no commit.
    let same = |delta: &mut Delta| {
        delta.commits.clear();
        delta.base = Some(delta.head.clone());
    };
    allowed(delta(same), &["Bo"]);
    let back = |delta: &mut Delta| delta.dropped = std::mem::take(&mut delta.commits);
    allowed(delta(back).with(|world| world.approve("Cy")), &["Bo", "Cy"]);
}

/// A commit of Ada's that names Bo, who had no part in it and says so.
fn disclaimed(part: fn(&mut DeltaCommit) -> &mut Vec<Mention>) -> World {
    World::new().with(|world| {
        part(&mut world.delta.commits[0]).push(mention("Bo", "bo@example.org"));
        world.approve("Bo");
        world.disclaim("Bo", '2', mention("Bo", "bo@example.org"));
    })
}

#[test]
fn a_disclaimer_lifts_a_false_mention() {
    allowed(disclaimed(|commit| &mut commit.co_authors), &["Bo"]);
    let author = World::new().with(|world| {
        world.delta.commits[0].author = mention("bo", "bo@example.org");
        world.approve("Bo");
    });
    refused(author.clone(), &["E-APPR-SELF"]);
    allowed(author.with(|world| world.disclaim("Bo", '2', mention("bo", "bo@example.org"))), &["Bo"]);
}

#[test]
fn a_disclaimer_lifts_nothing_else() {
    let co_author = || disclaimed(|commit| &mut commit.co_authors);
    let changes: [fn(&mut World); 8] = [
        // by somebody else, and by a key that nobody has
        |world| world.disclaimers[0].1 = key("Cy"),
        |world| world.disclaimers[0].1 = "SHA256:stranger".into(),
        // of another commit, name, environment or project
        |world| world.disclaimers[0].0.commit = commit_id('3'),
        |world| world.disclaimers[0].0.named = mention("Bo", "bo@home.example"),
        |world| world.disclaimers[0].0.environment = named("staging"),
        |world| world.disclaimers[0].0.project = named("till"),
        // where another mention, the committer or the key says more
        |world| world.delta.commits[0].committer = mention("Bo", "bo@example.org"),
        |world| world.delta.commits[0].co_authors.push(mention("Bo", "bo@home.example")),
    ];
    for change in changes {
        refused(co_author().with(change).with(World::approve_again), &["E-APPR-SELF"]);
    }
    let signed = |world: &mut World| world.delta.commits[0] = commit('2', "Bo");
    let disclaim = |world: &mut World| world.disclaim("Bo", '2', mention("Bo", "bo@example.org"));
    refused(co_author().with(signed).with(disclaim).with(World::approve_again), &["E-APPR-SELF"]);
    let elsewhere = |world: &mut World| world.delta.commits.push(commit('3', "Bo"));
    refused(co_author().with(elsewhere).with(World::approve_again), &["E-APPR-SELF"]);
    allowed(co_author().with(|world| world.disclaimers[0].1 = "SHA256:bo-2".into()), &["Bo"]);
}

#[test]
fn every_approval_that_does_not_count_says_why() {
    let world = World::new().with(|world| {
        world.require.count = 2;
        for name in ["Ada", "Bo", "Di", "Robo"] {
            world.approve(name);
        }
        world.approvals[3].0.environment = named("staging");
    });
    let mut codes = world.answer().unwrap_err();
    assert_eq!(codes.remove(0), "E-APPR-QUORUM");
    codes.sort_unstable();
    assert_eq!(codes, ["E-APPR-ENV", "E-APPR-SELF", "E-APPR-SIGNER"]);
    for reason in world.judge().unwrap_err() {
        assert!(
            !reason.sentence().contains('{') && !reason.next().contains('{'),
            "{reason}: {}",
            reason.next()
        );
    }
}

#[test]
fn approvals_of_long_ago_are_counted_and_those_that_are_meant_are_told() {
    let world = World::new().with(|world| {
        for at in 0..60 {
            world.approve(["Bo", "Cy"][at % 2]);
            world.approvals[at].0.release = Digest::of(&[u8::try_from(at).unwrap()]);
        }
        for _ in 0..3 {
            world.approve("Bo");
        }
        let document =
            |at: usize| Digest::of(&plimsoll_attest::document::write(&world.approvals[at].0).unwrap());
        world.used = (60..63).map(document).collect();
        world.approve("Ada");
    });
    refused(world.clone(), &["E-APPR-SELF", "E-APPR-RELEASE", "E-APPR-USED"]);
    let reasons = world.judge().unwrap_err();
    let person = |at: usize| reasons[at].parameters["person"].clone();
    assert!(
        person(2).ends_with("o (and 59 more)") || person(2).ends_with("y (and 59 more)"),
        "{}",
        person(2)
    );
    assert_eq!((person(1).as_str(), person(3).as_str()), ("Ada", "Bo (and 2 more)"));
    // They stand in nobody's way.
    allowed(world.with(|world| world.approve("Cy")), &["Cy"]);
}

#[test]
fn an_answer_has_an_end_whatever_lies_in_the_repository() {
    let noise = World::new().with(|world| {
        for at in 0..200_u8 {
            world.unreadable.push((Digest::of(&[at]), "malformed".into()));
        }
    });
    assert_eq!(noise.judge().unwrap_err().len(), 1 + MAX_LISTED);
}

#[test]
fn the_answer_does_not_depend_on_the_order_of_the_files() {
    let world = World::new().with(|world| {
        world.require.count = 3;
        for name in ["Ada", "Bo", "Bo", "Cy", "Di"] {
            world.approve(name);
        }
    });
    let expect = world.judge();
    let reversed = world.clone().with(|world| world.approvals.reverse());
    assert_eq!(reversed.judge(), expect);
    let twice = world.with(|world| world.approvals.extend(world.approvals.clone()));
    assert_eq!(twice.judge(), expect);
}
