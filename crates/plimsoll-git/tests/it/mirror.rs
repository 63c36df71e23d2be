//! The delivery repository through its mirror: what is fetched, what is proposed, and what goes wrong between.

use crate::support::{path, raw_tree, refusal};
use plimsoll_engine::ports::{Source, SourceError};
use plimsoll_git::{Bounds, DeliveryMirror, Identity, Place, Proposal, ProposeError, Transport};
use plimsoll_model::{Code, CommitId, Timestamp};
use plimsoll_testkit::GitFixture;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A bare delivery repository with one commit, and a work tree that pushes to it.
struct Delivery {
    fixture: GitFixture,
    bare: PathBuf,
    mirrors: TempDir,
}

impl Delivery {
    fn new() -> Self {
        Self::with_init(&[])
    }

    fn with_init(options: &[&str]) -> Self {
        let fixture = GitFixture::with_init(options);
        let bare = fixture.home().join("delivery.git");
        let format = options.first().copied().unwrap_or("--object-format=sha1");
        fixture.git(&["init", "-q", "--bare", "-b", "main", format, bare.to_str().unwrap()]);
        fixture.git(&["remote", "add", "origin", bare.to_str().unwrap()]);
        let delivery = Self { fixture, bare, mirrors: tempfile::tempdir().unwrap() };
        delivery.fixture.write("delivery.yaml", "version: 1\n");
        delivery.fixture.write("environments/staging/environment.yaml", "version: 1\n");
        delivery.fixture.write_executable("tool", "#!/bin/sh\n");
        delivery.push("first");
        delivery
    }

    /// Commits the work tree and pushes it, over whatever is there.
    fn push(&self, message: &str) -> CommitId {
        let commit = self.fixture.commit(message);
        self.fixture.git(&["push", "-q", "-f", "origin", "main"]);
        commit
    }

    fn mirror(&self, name: &str) -> DeliveryMirror {
        self.mirror_of(name, &self.bare)
    }

    fn mirror_of(&self, name: &str, location: &Path) -> DeliveryMirror {
        let directory = self.mirrors.path().join(name);
        DeliveryMirror::open(&directory, location.to_str().unwrap(), Transport::default()).unwrap()
    }

    fn head(&self) -> CommitId {
        self.reference("refs/heads/main")
    }

    fn reference(&self, name: &str) -> CommitId {
        self.fixture.git(&["-C", self.bare.to_str().unwrap(), "rev-parse", name]).parse().unwrap()
    }
}

fn somebody() -> Identity {
    let time = Timestamp::from_second(1_800_000_000).unwrap();
    Identity { name: "Pia Promoter".into(), email: "pia@example.org".into(), time }
}

fn proposal(place: Place, parent: Option<&CommitId>, changes: &[(&str, Option<&str>)]) -> Proposal {
    let content = |text: &Option<&str>| text.map(|text| text.as_bytes().to_vec());
    Proposal {
        place,
        parent: parent.cloned(),
        changes: changes.iter().map(|(name, text)| (path(name), content(text))).collect(),
        message: "promote shop to staging".into(),
        author: somebody(),
        committer: somebody(),
    }
}

const RELEASE: &str = "environments/staging/shop/release.json";

fn promotion(parent: &CommitId, text: &str) -> Proposal {
    proposal(Place::Branch, Some(parent), &[(RELEASE, Some(text))])
}

fn failure<T: std::fmt::Debug>(result: Result<T, SourceError>) -> String {
    match result {
        Err(error @ SourceError::Failed { .. }) => error.to_string(),
        other => panic!("expected a failure, got {other:?}"),
    }
}

#[test]
fn a_mirror_follows_the_branch_and_the_refs_of_plimsoll_and_nothing_else() {
    let delivery = Delivery::new();
    let fixture = &delivery.fixture;
    fixture.git(&[
        "push",
        "-q",
        "origin",
        "HEAD:refs/plimsoll/observations/staging",
        "HEAD:refs/heads/other",
    ]);
    fixture.git(&["tag", "v1"]);
    fixture.git(&["push", "-q", "origin", "v1"]);
    let mirror = delivery.mirror("a");
    let text = failure(mirror.source().map(drop));
    assert!(text.contains("nothing was fetched"), "{text}");
    let first = mirror.fetch().unwrap();
    let source = mirror.source().unwrap();
    assert_eq!((first.clone(), mirror.branch().unwrap().as_str()), (delivery.head(), "refs/heads/main"));
    assert_eq!(source.resolve("HEAD").unwrap().commit, first);
    assert_eq!(source.resolve("refs/plimsoll/observations/staging").unwrap().commit, first);
    for absent in ["refs/heads/other", "refs/tags/v1", "refs/seen/000000000"] {
        assert_eq!(refusal(source.resolve(absent)), Code::SrcRevision);
    }
    assert!(source.uri().ends_with("/delivery.git"), "{}", source.uri());
    let second = delivery.push("second");
    assert_eq!(mirror.fetch().unwrap(), second);
    assert!(source.is_ancestor(&first, &second).unwrap());
    // A ref that is gone is gone.
    fixture.git(&["push", "-q", "origin", ":refs/plimsoll/observations/staging"]);
    mirror.fetch().unwrap();
    let place = Place::Observations("staging".parse().unwrap());
    assert_eq!(mirror.reference(&place).unwrap(), None);
    // Another HEAD changes nothing.
    fixture.git(&["-C", delivery.bare.to_str().unwrap(), "symbolic-ref", "HEAD", "refs/heads/other"]);
    assert_eq!(mirror.fetch().unwrap(), second);
}

#[test]
fn a_mirror_of_sha256_ids_is_the_same() {
    let delivery = Delivery::with_init(&["--object-format=sha256"]);
    let mirror = delivery.mirror("a");
    let head = mirror.fetch().unwrap();
    assert_eq!(head.as_str().len(), 64);
    let commit = mirror.propose(&promotion(&head, "{}")).unwrap();
    assert_eq!((delivery.head(), mirror.fetch().unwrap()), (commit.clone(), commit));
}

#[test]
fn a_rewind_is_seen_and_what_was_there_stays_readable() {
    let delivery = Delivery::new();
    let first = delivery.head();
    let second = delivery.push("second");
    let mirror = delivery.mirror("a");
    assert_eq!(mirror.fetch().unwrap(), second);
    delivery.fixture.git(&["reset", "-q", "--hard", first.as_str()]);
    delivery.fixture.git(&["push", "-q", "-f", "origin", "main"]);
    assert_eq!(mirror.fetch().unwrap(), first);
    let source = mirror.source().unwrap();
    assert!(!source.is_ancestor(&second, &first).unwrap());
    assert_eq!(source.commit(&second, &[]).unwrap().summary, "second");
}

#[test]
fn many_fetches_leave_few_packs_and_lose_nothing() {
    let delivery = Delivery::new();
    let mirror = delivery.mirror("a");
    let commits: Vec<_> = (0..70)
        .map(|number: u32| {
            let commit = delivery.push(&number.to_string());
            assert_eq!(mirror.fetch().unwrap(), commit);
            if number == 40 {
                delivery.fixture.git(&["reset", "-q", "--hard", "HEAD~3"]);
            }
            commit
        })
        .collect();
    let packs = fs::read_dir(mirror.path().join("objects/pack")).unwrap().count();
    assert!(packs < 40, "{packs}");
    let source = mirror.source().unwrap();
    for commit in commits {
        source.tree(&commit, None).unwrap();
    }
}

#[test]
fn a_proposal_changes_what_it_says_and_nothing_else() {
    let delivery = Delivery::new();
    delivery.fixture.write("old/gone", "x");
    delivery.fixture.write("environments.txt", "sorts between");
    delivery.fixture.symlink("link", "tool");
    let parent = delivery.push("more");
    let mirror = delivery.mirror("a");
    assert_eq!(mirror.fetch().unwrap(), parent);
    let changes =
        [(RELEASE, Some("{}")), ("old/gone", None), ("delivery.yaml", Some("version: 1\nteam: x\n"))];
    let commit = mirror.propose(&proposal(Place::Branch, Some(&parent), &changes)).unwrap();
    assert_eq!(delivery.head(), commit);
    let source = mirror.source().unwrap();
    assert_eq!(source.resolve("HEAD").unwrap().commit, commit);
    let facts = source.commit(&commit, &[]).unwrap();
    assert_eq!(facts.parents, [parent]);
    assert_eq!(
        (facts.author.email.as_str(), facts.committed.as_second()),
        ("pia@example.org", 1_800_000_000)
    );
    let changed: Vec<_> = source.changed_paths(&commit, None).unwrap().into_iter().collect();
    assert_eq!(changed, ["delivery.yaml", RELEASE, "old/gone"]);
    assert_eq!(source.file(&commit, &path(RELEASE), 9).unwrap().unwrap(), b"{}");
    delivery.fixture.git(&["-C", delivery.bare.to_str().unwrap(), "fsck", "--strict", "--no-dangling"]);
}

#[test]
fn a_proposal_that_does_not_fit_its_parent_is_not_made() {
    let delivery = Delivery::new();
    let mirror = delivery.mirror("a");
    let head = mirror.fetch().unwrap();
    let check = |changes: &[(&str, Option<&str>)], expect: &str| {
        let error = mirror.propose(&proposal(Place::Branch, Some(&head), changes)).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    check(&[("absent", None)], "nothing to remove");
    check(&[("environments", Some(""))], "is a directory");
    check(&[("environments", None)], "is a directory");
    check(&[("delivery.yaml/file", Some(""))], "not a directory");
    check(&[("a", Some("")), ("a/b", Some(""))], "makes a file of a directory");
    check(&[(".GIT/config", Some(""))], "no tree may hold");
    check(&[("a/git~1/x", Some(""))], "no tree may hold");
    let mut odd = promotion(&head, "{}");
    odd.author.name = "Eve <e>\nparent x".into();
    assert!(mirror.propose(&odd).unwrap_err().to_string().contains("cannot stand in a commit"));
    assert!(mirror.propose(&proposal(Place::Branch, None, &[])).is_err());
    let absent = "f".repeat(40).parse().unwrap();
    assert_eq!(refusal(mirror.propose(&promotion(&absent, "{}")).map_err(Into::into)), Code::SrcObject);
    assert_eq!(delivery.head(), head);
}

#[test]
fn observations_are_a_chain_of_their_own() {
    let delivery = Delivery::new();
    let mirror = delivery.mirror("a");
    let head = mirror.fetch().unwrap();
    let place = Place::Observations("staging".parse().unwrap());
    let observed = |parent: Option<&CommitId>, text| {
        proposal(place.clone(), parent, &[("shop.sigstore.json", Some(text))])
    };
    let first = mirror.propose(&observed(None, "1")).unwrap();
    assert_eq!(mirror.reference(&place).unwrap(), Some(first.clone()));
    let second = mirror.propose(&observed(Some(&first), "2")).unwrap();
    assert_eq!(delivery.reference("refs/plimsoll/observations/staging"), second);
    assert_eq!(mirror.fetch().unwrap(), head);
    for parent in [None, Some(&first)] {
        let moved = mirror.propose(&observed(parent, "3")).unwrap_err();
        assert!(
            matches!(moved, ProposeError::Moved { second: Some(ref now), .. } if *now == second),
            "{moved:?}"
        );
    }
}

/// What somebody proposed to a ref that moved in between changes nothing, whichever way it moved.
#[test]
fn a_moved_ref_is_never_overwritten() {
    let delivery = Delivery::new();
    let mirror = delivery.mirror("a");
    let first = mirror.fetch().unwrap();
    let second = delivery.push("second");
    let error = mirror.propose(&promotion(&first, "{}")).unwrap_err();
    assert!(
        matches!(&error, ProposeError::Moved { first: a, second: b, .. }
        if a.as_ref() == Some(&first) && b.as_ref() == Some(&second)),
        "{error:?}"
    );
    assert_eq!(refusal(Err::<(), _>(error.into())), Code::RefMoved);
    assert_eq!(delivery.head(), second);
    // Backwards: the proposal descends from what is there, and still does not count.
    let ahead = mirror.fetch().unwrap();
    delivery.fixture.git(&["reset", "-q", "--hard", first.as_str()]);
    delivery.fixture.git(&["push", "-q", "-f", "origin", "main"]);
    let error = mirror.propose(&promotion(&ahead, "{}")).unwrap_err();
    assert!(matches!(error, ProposeError::Moved { .. }), "{error:?}");
    assert_eq!(delivery.head(), first);
}

/// Twenty rounds of two at once; half of them share one mirror.
#[test]
fn of_two_proposals_at_once_one_arrives_and_the_other_learns_of_it() {
    let delivery = Delivery::new();
    let (one, two) = (delivery.mirror("one"), delivery.mirror("two"));
    for round in 0..20 {
        let mirrors = [&one, if round % 2 == 0 { &two } else { &one }];
        let head = one.fetch().unwrap();
        two.fetch().unwrap();
        let start = Barrier::new(2);
        let results = thread::scope(|scope| {
            let propose = |number: usize| {
                let (mirror, start, head) = (mirrors[number], &start, &head);
                scope.spawn(move || {
                    start.wait();
                    mirror.propose(&promotion(head, &format!("{round} {number}")))
                })
            };
            [propose(0), propose(1)].map(|thread| thread.join().unwrap())
        });
        let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 1), "{round}: {won:?} {lost:?}");
        let winner = won.into_iter().next().unwrap().unwrap();
        assert_eq!(delivery.head(), winner);
        match lost.into_iter().next().unwrap().unwrap_err() {
            ProposeError::Moved { first, second, .. } => {
                assert_eq!((first, second), (Some(head), Some(winner)))
            }
            other => panic!("{round}: {other:?}"),
        }
    }
}

/// ATTACKS A04, for the delivery repository: what was read at one commit never belongs to another.
#[test]
fn a_ref_that_flips_while_it_is_read_gives_whole_commits() {
    let delivery = Delivery::new();
    let write = |text: &str| {
        delivery.fixture.write("a", text);
        delivery.fixture.write("z/b", text);
    };
    write("one");
    let one = delivery.push("one");
    write("two");
    let two = delivery.push("two");
    let content = BTreeMap::from([(one.clone(), b"one".to_vec()), (two.clone(), b"two".to_vec())]);
    let (reader, flipper) = (delivery.mirror("reader"), delivery.bare.join("refs/heads/main"));
    thread::scope(|scope| {
        let reading = scope.spawn(|| {
            for _ in 0..25 {
                let commit = reader.fetch().unwrap();
                let source = reader.source().unwrap();
                for name in ["a", "z/b"] {
                    assert_eq!(source.file(&commit, &path(name), 9).unwrap().unwrap(), content[&commit]);
                }
                // What is proposed on top of it stands on it, or nowhere.
                if let Ok(proposed) = reader.propose(&promotion(&commit, "{}")) {
                    assert_eq!(delivery.reference(&format!("{proposed}^")), commit);
                }
            }
        });
        let mut flips = 0;
        while !reading.is_finished() || flips < 200 {
            let next = flipper.with_file_name(".flip");
            fs::write(&next, format!("{}\n", if flips % 2 == 0 { &one } else { &two })).unwrap();
            fs::rename(next, &flipper).unwrap();
            flips += 1;
        }
        reading.join().unwrap();
    });
}

#[test]
fn a_repository_that_cannot_be_reached_is_a_failure_and_the_mirror_stays() {
    let delivery = Delivery::new();
    let mirror = delivery.mirror("a");
    let head = mirror.fetch().unwrap();
    let away = delivery.bare.with_extension("away");
    fs::rename(&delivery.bare, &away).unwrap();
    let text = failure(mirror.fetch());
    assert!(text.starts_with("failed to reach the delivery repository"), "{text}");
    assert!(matches!(
        mirror.propose(&promotion(&head, "{}")),
        Err(ProposeError::Source(SourceError::Failed { .. }))
    ));
    assert_eq!(mirror.source().unwrap().resolve("HEAD").unwrap().commit, head);
    fs::rename(&away, &delivery.bare).unwrap();
    assert_eq!(mirror.fetch().unwrap(), head);
    for location in ["https://127.0.0.1:1/x", "ssh://127.0.0.1:1/x"] {
        let directory = delivery.mirrors.path().join("remote");
        let mirror = DeliveryMirror::open(&directory, location, Transport::default()).unwrap();
        let text = failure(mirror.fetch());
        assert!(text.contains(location), "{text}");
    }
}

#[test]
fn a_repository_without_commits_or_that_is_none_is_a_failure() {
    let delivery = Delivery::new();
    let empty = delivery.fixture.home().join("empty.git");
    delivery.fixture.git(&["init", "-q", "--bare", empty.to_str().unwrap()]);
    let text = failure(delivery.mirror_of("empty", &empty).fetch());
    assert!(text.contains("no branch with a commit"), "{text}");
    let file = delivery.fixture.home().join("file");
    fs::write(&file, "").unwrap();
    assert!(failure(delivery.mirror_of("file", &file).fetch()).contains("not a directory"));
    failure(delivery.mirror_of("home", &delivery.fixture.home()).fetch());
    for bad in ["ext::sh -c id", "--upload-pack=id", "https://a:b@example.org/x", "http://example.org/x"] {
        assert!(DeliveryMirror::open(&file.with_extension("m"), bad, Transport::default()).is_err(), "{bad}");
    }
}

#[test]
fn damaged_and_malformed_objects_are_refused_and_do_not_arrive() {
    let delivery = Delivery::new();
    let mirror = delivery.mirror("a");
    let head = mirror.fetch().unwrap();
    // A tree with a path that git's own check refuses.
    let blob = delivery.fixture.object("blob", "x");
    let tree = raw_tree(&delivery.fixture, &[("100644", b".git", &blob)]);
    let bad = crate::support::raw_commit(&delivery.fixture, &tree, "");
    delivery.fixture.git(&["push", "-q", "-f", "origin", &format!("{bad}:refs/heads/main")]);
    assert_eq!(refusal(mirror.fetch()), Code::SrcObject);
    assert_eq!(mirror.source().unwrap().resolve("HEAD").unwrap().commit, head);
    assert_eq!(refusal(mirror.source().unwrap().commit(&bad, &[])), Code::SrcObject);
    // An object whose bytes are those of another.
    delivery.fixture.write("new", "honest content");
    delivery.push("third");
    let (honest, evil) =
        (delivery.fixture.git(&["rev-parse", "HEAD:new"]), delivery.fixture.object("blob", "evil"));
    let loose = |root: &Path, id: &str| root.join("objects").join(&id[..2]).join(&id[2..]);
    let stored = loose(&delivery.bare, &honest);
    fs::remove_file(&stored).unwrap();
    fs::copy(loose(&delivery.fixture.path().join(".git"), &evil), &stored).unwrap();
    assert!(mirror.fetch().is_err());
    assert_eq!(mirror.source().unwrap().resolve("HEAD").unwrap().commit, head);
}

#[test]
fn a_shallow_repository_is_refused() {
    let delivery = Delivery::new();
    delivery.push("second");
    let shallow = delivery.fixture.home().join("shallow.git");
    let from = format!("file://{}", delivery.bare.display());
    delivery.fixture.git(&["clone", "-q", "--bare", "--depth=1", &from, shallow.to_str().unwrap()]);
    assert_eq!(refusal(delivery.mirror_of("a", &shallow).fetch()), Code::SrcShallow);
    // Also for somebody who knew the whole.
    let link = delivery.fixture.home().join("link");
    symlink(&delivery.bare, &link).unwrap();
    let mirror = delivery.mirror_of("b", &link);
    let known = mirror.fetch().unwrap();
    delivery.push("third");
    let deeper = delivery.fixture.home().join("deeper.git");
    delivery.fixture.git(&["clone", "-q", "--bare", "--depth=1", &from, deeper.to_str().unwrap()]);
    fs::remove_file(&link).unwrap();
    symlink(&deeper, &link).unwrap();
    assert_eq!(refusal(mirror.fetch()), Code::SrcShallow);
    assert_eq!(mirror.source().unwrap().resolve("HEAD").unwrap().commit, known);
}

#[test]
fn a_huge_repository_and_a_slow_one_are_given_up() {
    let delivery = Delivery::new();
    let noise: Vec<u8> =
        (0..6_000_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[..2].to_vec()).collect();
    delivery.fixture.write("noise", noise);
    delivery.push("huge");
    let mirror = delivery.mirror("a");
    let small = mirror.clone().with_bounds(Bounds { bytes: 1 << 16, ..Bounds::default() });
    let slow = mirror.clone().with_bounds(Bounds { time: Duration::ZERO, ..Bounds::default() });
    let text = failure(slow.fetch());
    assert!(text.contains("did not end within"), "{text}");
    let text = failure(small.fetch());
    assert!(text.contains("more than 65536 bytes"), "{text}");
    assert_eq!(mirror.fetch().unwrap(), delivery.head());
}

#[test]
fn a_work_tree_follows_what_is_proposed_to_its_branch_where_it_is_allowed() {
    let delivery = Delivery::new();
    let work_tree = delivery.fixture.path();
    let mirror = delivery.mirror_of("a", &work_tree);
    let head = mirror.fetch().unwrap();
    let error = mirror.propose(&promotion(&head, "{}")).unwrap_err();
    let ProposeError::Denied { command: Some(command), .. } = &error else { panic!("{error:?}") };
    let command = command.strip_prefix("git ").unwrap().split(' ').collect::<Vec<_>>();
    delivery.fixture.git(&command);
    let commit = mirror.propose(&promotion(&head, "{}")).unwrap();
    assert_eq!(delivery.fixture.head(), commit);
    assert_eq!(fs::read_to_string(work_tree.join(RELEASE)).unwrap(), "{}");
    delivery.fixture.write(RELEASE, "a change of somebody's own");
    let error = mirror.propose(&promotion(&commit, "{ }")).unwrap_err();
    assert!(
        matches!(&error, ProposeError::Denied { command: Some(command), .. } if command.contains("stash")),
        "{error:?}"
    );
}

#[test]
fn a_repository_that_says_no_is_heard() {
    let delivery = Delivery::new();
    let mirror = delivery.mirror("a");
    let head = mirror.fetch().unwrap();
    let hook = delivery.bare.join("hooks/pre-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\necho 'not on a Friday' >&2\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let error = mirror.propose(&promotion(&head, "{}")).unwrap_err();
    assert!(
        matches!(&error, ProposeError::Denied { problem, command: None } if problem.contains("hook") && problem.contains("not on a Friday")),
        "{error:?}"
    );
    assert_eq!(delivery.head(), head);
}

/// Settings and programs of the caller's account that would make git do something else.
#[test]
fn a_planted_configuration_of_the_mirror_is_overwritten() {
    let delivery = Delivery::new();
    let mirror = delivery.mirror("a");
    mirror.fetch().unwrap();
    let mark = delivery.fixture.home().join("executed");
    fs::write(
        mirror.path().join("config"),
        format!("[core]\n\tfsmonitor = touch {0}\n\tsshCommand = touch {0}\n", mark.display()),
    )
    .unwrap();
    let hook = mirror.path().join("hooks/reference-transaction");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", mark.display())).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    delivery.push("second");
    let head = delivery.mirror("a").fetch().unwrap();
    mirror.propose(&promotion(&head, "{}")).unwrap();
    assert!(!mark.exists());
}

/// A repository of another user: it is read and written, and its hooks do not run as this user. An ordinary user
/// cannot give files away, and looks at one of root's instead.
#[test]
fn programs_of_another_users_repository_do_not_run() {
    let delivery = Delivery::new();
    let mark = delivery.fixture.home().join("executed");
    for hook in ["pre-receive", "update", "post-receive", "reference-transaction"] {
        let hook = delivery.bare.join("hooks").join(hook);
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", mark.display())).unwrap();
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let root = rustix::process::geteuid().is_root();
    if root {
        chown(&delivery.bare);
    }
    let mirror = delivery.mirror("a");
    let head = mirror.fetch().unwrap();
    let commit = mirror.propose(&promotion(&head, "{}")).unwrap();
    assert_eq!(mirror.fetch().unwrap(), commit);
    // The twin: the hooks of one's own repository do run, as they do for `git push`.
    assert_eq!(mark.exists(), !root);
    if root {
        chown(&delivery.fixture.path());
        let mirror = delivery.mirror_of("b", &delivery.fixture.path());
        let head = mirror.fetch().unwrap();
        assert!(matches!(mirror.propose(&promotion(&head, "{}")), Err(ProposeError::Denied { .. })));
    }
}

fn chown(path: &Path) {
    let status = Command::new("chown").args(["-R", "65534:65534"]).arg(path).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_git_file_that_points_elsewhere_is_read_as_git_reads_it_and_a_lie_is_a_failure() {
    let delivery = Delivery::new();
    let place = delivery.fixture.home().join("place");
    fs::create_dir(&place).unwrap();
    fs::write(place.join(".git"), format!("gitdir: {}\n", delivery.bare.display())).unwrap();
    let through = delivery.mirror_of("a", &place).fetch();
    assert!(through.is_err() || through.unwrap() == delivery.head());
    fs::write(place.join(".git"), "gitdir: /dev/zero\n").unwrap();
    failure(delivery.mirror_of("b", &place).fetch());
    let link = delivery.fixture.home().join("link");
    symlink(&delivery.bare, &link).unwrap();
    assert_eq!(delivery.mirror_of("c", &link).fetch().unwrap(), delivery.head());
}

/// Runs this test binary once more as a process that can be killed.
fn child(delivery: &Delivery, work: &str, head: &CommitId) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "mirror::child_that_is_killed", "--nocapture"])
        .env("PLIMSOLL_TEST_WORK", work)
        .env("PLIMSOLL_TEST_MIRROR", delivery.mirrors.path().join("killed"))
        .env("PLIMSOLL_TEST_LOCATION", &delivery.bare)
        .env("PLIMSOLL_TEST_HEAD", head.as_str())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

/// Does nothing unless another test started it.
#[test]
fn child_that_is_killed() {
    let Ok(work) = std::env::var("PLIMSOLL_TEST_WORK") else { return };
    let variable = |name: &str| std::env::var(format!("PLIMSOLL_TEST_{name}")).unwrap();
    let mirror =
        DeliveryMirror::open(variable("MIRROR").as_ref(), &variable("LOCATION"), Transport::default())
            .unwrap();
    if work == "fetch" {
        mirror.fetch().unwrap();
    } else {
        // It may lose against the proposal of its predecessor, which arrived after all.
        mirror.propose(&promotion(&variable("HEAD").parse().unwrap(), &work)).ok();
    }
}

#[test]
fn a_mirror_may_lie_anywhere() {
    let delivery = Delivery::new();
    // Relative to wherever the program was started.
    let mut elsewhere = Command::new(std::env::current_exe().unwrap());
    elsewhere.args(["--exact", "mirror::child_that_is_killed"]).current_dir(delivery.mirrors.path());
    elsewhere.env("PLIMSOLL_TEST_LOCATION", &delivery.bare).env("PLIMSOLL_TEST_MIRROR", "relative");
    for (work, head) in [("fetch", None), ("push", Some(delivery.head()))] {
        elsewhere.env("PLIMSOLL_TEST_WORK", work);
        elsewhere.envs(head.iter().map(|head| ("PLIMSOLL_TEST_HEAD", head.as_str())));
        assert!(elsewhere.output().unwrap().status.success());
    }
    let mirror = delivery.mirror("relative");
    assert_eq!(mirror.source().unwrap().resolve("HEAD").unwrap().commit, delivery.head());
    assert_ne!(delivery.head(), delivery.fixture.head());
    // Names that git would take apart, and inside a work tree.
    delivery.fixture.write("below/file", "");
    let below = delivery.fixture.path().join("below");
    for directory in [delivery.mirrors.path().join("a:b \"c\" \\ d\ne,f"), below] {
        let location = delivery.bare.to_str().unwrap();
        let mirror = DeliveryMirror::open(&directory, location, Transport::default()).unwrap();
        let head = mirror.fetch().unwrap();
        let commit = mirror.propose(&promotion(&head, &directory.display().to_string())).unwrap();
        assert_eq!(mirror.source().unwrap().resolve("HEAD").unwrap().commit, commit);
    }
}

#[test]
fn a_mirror_is_only_written_to_when_a_ref_moved_came_or_went() {
    let delivery = Delivery::new();
    let git = |arguments: &[&str]| {
        let bare = ["-C", delivery.bare.to_str().unwrap()];
        delivery.fixture.git(&[&bare, arguments].concat());
    };
    let mirror = delivery.mirror("a");
    let written = || fs::metadata(mirror.path().join("packed-refs")).unwrap().ino();
    let head = mirror.fetch().unwrap();
    let before = written();
    assert_eq!((mirror.fetch().unwrap(), written()), (head.clone(), before));
    // Packed or not, a ref is the same.
    git(&["pack-refs", "--all"]);
    assert_eq!((mirror.fetch().unwrap(), written()), (head.clone(), before));
    let place = Place::Observations("staging".parse().unwrap());
    git(&["update-ref", "refs/plimsoll/observations/staging", head.as_str()]);
    assert_eq!(mirror.fetch().unwrap(), head);
    assert_eq!(mirror.reference(&place).unwrap(), Some(head.clone()));
    git(&["update-ref", "-d", "refs/plimsoll/observations/staging"]);
    assert_eq!(mirror.fetch().unwrap(), head);
    assert_eq!(mirror.reference(&place).unwrap(), None);
    let before = written();
    let next = delivery.push("second");
    assert_eq!(mirror.fetch().unwrap(), next);
    assert_ne!(written(), before);
}

#[test]
fn a_fetch_that_was_killed_is_in_nobodys_way() {
    let delivery = Delivery::new();
    for round in 0..12_u64 {
        for file in 0..40 {
            delivery.fixture.write(&format!("many/{file}"), format!("{round} {file}").repeat(500));
        }
        let head = delivery.push(&round.to_string());
        let mut child = child(&delivery, "fetch", &head);
        thread::sleep(Duration::from_millis(8 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let mirror = delivery.mirror("killed");
        assert_eq!(mirror.fetch().unwrap(), head);
        mirror.source().unwrap().tree(&head, None).unwrap();
    }
}

#[test]
fn a_push_that_was_killed_arrived_or_did_not_and_the_next_one_works() {
    let delivery = Delivery::new();
    let mirror = delivery.mirror("killed");
    let mut head = mirror.fetch().unwrap();
    for round in 0..12_u64 {
        let mut child = child(&delivery, &format!("push {round}"), &head);
        thread::sleep(Duration::from_millis(8 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let started = Instant::now();
        // What the killed one left running may arrive at any time; then the answer is `Moved`.
        head = loop {
            let now = mirror.fetch().unwrap();
            assert!(mirror.source().unwrap().is_ancestor(&head, &now).unwrap());
            match mirror.propose(&promotion(&now, &format!("after {round}"))) {
                Ok(commit) => break commit,
                Err(ProposeError::Moved { .. }) if started.elapsed() < Duration::from_secs(30) => {}
                Err(other) => panic!("{round}: {other:?}"),
            }
        };
    }
}

/// What a git that somebody killed leaves: locks, half-written packs, directories.
#[test]
fn left_over_locks_and_packs_are_removed_or_in_nobodys_way() {
    let delivery = Delivery::new();
    let mirror = delivery.mirror("a");
    mirror.fetch().unwrap();
    let repository = mirror.path();
    let leftover = [
        repository.join("HEAD.lock"),
        repository.join("packed-refs.lock"),
        repository.join("config.lock"),
        repository.join("shallow.lock"),
        repository.join("objects/pack/tmp_pack_abc"),
        repository.join("objects/pack/.tmp-1-pack-2.pack"),
    ];
    for file in &leftover {
        fs::write(file, "").unwrap();
    }
    let work = delivery.mirrors.path().join("a/work-dead/git");
    fs::create_dir_all(&work).unwrap();
    let head = delivery.push("second");
    assert_eq!(mirror.fetch().unwrap(), head);
    mirror.propose(&promotion(&head, "{}")).unwrap();
    assert!(!work.exists() && leftover[4..].iter().all(|file| !file.exists()));
}

#[test]
fn a_mirror_in_use_is_waited_for_and_not_for_ever() {
    let delivery = Delivery::new();
    let mirror =
        delivery.mirror("a").with_bounds(Bounds { time: Duration::from_millis(300), ..Bounds::default() });
    let lock = fs::File::create(delivery.mirrors.path().join("a/lock")).unwrap();
    lock.lock().unwrap();
    assert!(failure(mirror.fetch()).contains("another command is using it"));
    drop(lock);
    delivery.mirror("a").fetch().unwrap();
}
