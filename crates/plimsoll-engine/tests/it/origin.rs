//! Where a run comes from: only a commit behind a protected ref, of the repository and directory that the delivery
//! repository names, with an approved pipeline, is trusted. The tier is the signer's own finding.

use crate::{
    bench::{Bench, FINGERPRINT, KEY_LINE, PIPELINE, delivery_files, project_file, require},
    memory::{Commit, MemorySource, path},
};
use plimsoll_attest::predicate::{
    SourceRevision,
    source::{PipelineApproval, Signature},
};
use plimsoll_engine::{
    ports::{Event, Source as _},
    signer::{Open, Opened, Request},
};
use plimsoll_model::{Code, CommitId, Digest, record::Tier};
use plimsoll_pipeline::{NewProject, Pipeline};

fn approved() -> Digest {
    Pipeline::read("plimsoll.yaml", PIPELINE.as_bytes()).unwrap().digest().unwrap()
}

/// A bench whose delivery repository says this about the project.
fn with(project: &NewProject) -> Bench {
    let mut bench = Bench::new();
    let delivery = MemorySource::at("/srv/delivery");
    delivery.commit_to("refs/heads/main", delivery_files(project, &require()));
    bench.delivery = Some(delivery);
    bench
}

fn judged(bench: &Bench) -> (Tier, Vec<Code>) {
    let Opened { tier, reasons, .. } = bench.session("builder").opened(&bench.open(1));
    (tier, reasons.iter().map(|reason| reason.code).collect())
}

/// What the source signer says about a run.
fn revision(bench: &Bench, open: &Open) -> SourceRevision {
    bench.session("builder").opened(open);
    let mut source = bench.session("source");
    source.opened(open);
    let signed = source.closed(&Request::CloseSource).signed.unwrap();
    bench.read::<SourceRevision>(&signed, "source").predicate
}

#[test]
fn a_commit_of_a_protected_ref_with_an_approved_pipeline_is_trusted() {
    let bench = with(&project_file(approved()));
    assert_eq!(judged(&bench), (Tier::Trusted, vec![]));
    let mut open = bench.open(2);
    open.requested = "refs/heads/main".into();
    let revision = revision(&bench, &open);
    assert_eq!((revision.tier, revision.approval), (Tier::Trusted, PipelineApproval::Approved));
    assert_eq!(revision.protected_by.as_deref(), Some("refs/heads/main"));
    assert_eq!(revision.delivery_commit, Some(bench.delivery.unwrap().resolve("HEAD").unwrap().commit));
}

#[test]
fn anything_less_is_untrusted_and_says_why() {
    let project = project_file(approved());
    let cases: [(NewProject, &[Code]); 5] = [
        (NewProject { pipelines: vec![], ..project.clone() }, &[Code::PipeUnapproved]),
        (NewProject { pipelines: vec![Digest::of(b"another")], ..project.clone() }, &[Code::PipeUnapproved]),
        (
            NewProject { protected: vec!["refs/heads/release".into()], ..project.clone() },
            &[Code::SrcUnprotected],
        ),
        (NewProject { repository: "/srv/fork".into(), ..project.clone() }, &[Code::TierUntrusted]),
        (NewProject { path: Some(path("services/shop")), ..project.clone() }, &[Code::TierUntrusted]),
    ];
    for (project, codes) in cases {
        assert_eq!(judged(&with(&project)), (Tier::Untrusted, codes.to_vec()), "{project:?}");
    }
    let both = NewProject { pipelines: vec![], protected: vec!["refs/heads/release".into()], ..project };
    assert_eq!(judged(&with(&both)).1, [Code::SrcUnprotected, Code::PipeUnapproved]);
}

#[test]
fn a_project_without_a_file_or_a_delivery_repository_is_untrusted() {
    assert_eq!(judged(&Bench::new()), (Tier::Untrusted, vec![Code::TierUntrusted]));
    let mut bench = with(&project_file(approved()));
    let mut files = delivery_files(&project_file(approved()), &require());
    files.files.remove(&path("projects/shop.yaml"));
    bench.delivery = Some(MemorySource::at("/srv/delivery"));
    bench.delivery.as_ref().unwrap().commit_to("refs/heads/main", files);
    assert_eq!(judged(&bench), (Tier::Untrusted, vec![Code::TierUntrusted]));
}

#[test]
fn a_broken_file_of_the_delivery_repository_is_an_error_and_not_an_opinion() {
    let mut files = delivery_files(&project_file(approved()), &require());
    files.files.insert(path("projects/shop.yaml"), b"version: 1\nprotected: []\n".to_vec());
    let mut bench = Bench::new();
    let delivery = MemorySource::at("/srv/delivery");
    delivery.commit_to("refs/heads/main", files);
    bench.delivery = Some(delivery);
    bench.session("builder").refuses(&Request::Open(bench.open(1)), Code::FileInvalid);
}

/// The directory of a monorepo that is approved is the directory that is built.
#[test]
fn the_same_pipeline_in_another_directory_is_not_the_project() {
    let project = NewProject { path: Some(path("services/shop")), ..project_file(approved()) };
    let bench = with(&project);
    let files = [
        ("services/shop/plimsoll.yaml", PIPELINE),
        ("copy/plimsoll.yaml", PIPELINE),
        ("copy/main.rs", "evil"),
    ];
    bench.source.commit_to("refs/heads/main", Commit::of(&files));
    let tier = |id: u8, directory: &str| {
        let mut open = bench.open(id);
        open.subdirectory = Some(path(directory));
        bench.session("builder").opened(&open).tier
    };
    assert_eq!(tier(1, "services/shop"), Tier::Trusted);
    assert_eq!(tier(2, "copy"), Tier::Untrusted);
}

/// A change of a fork may be built, and nothing of it can be released.
#[test]
fn a_commit_that_was_not_merged_is_untrusted_until_it_is() {
    let bench = with(&project_file(approved()));
    let main = bench.open(1).commit;
    let change = Commit::of(&[("plimsoll.yaml", PIPELINE), ("main.rs", "changed")]).after(&main);
    let commit = bench.source.commit_to("refs/heads/change", change);
    let open = |id: u8| Open {
        requested: "refs/heads/change".into(),
        reference: Some("refs/heads/change".into()),
        commit: commit.clone(),
        ..bench.open(id)
    };
    assert_eq!(bench.session("builder").opened(&open(1)).tier, Tier::Untrusted);
    bench.source.point("refs/heads/main", &commit);
    assert_eq!(bench.session("builder").opened(&open(2)).tier, Tier::Trusted);
}

fn advance(bench: &Bench, after: &CommitId) -> CommitId {
    bench.source.commit_to("refs/heads/main", Commit::of(&[("plimsoll.yaml", PIPELINE)]).after(after))
}

#[test]
fn a_protected_ref_that_was_rewound_protects_nothing_until_it_holds_what_was_seen() {
    let bench = with(&project_file(approved()));
    let first = bench.open(1).commit;
    let second = advance(&bench, &first);
    let open = |id| bench.session("builder").opened(&bench.open(id));
    assert_eq!(open(1).tier, Tier::Trusted);
    bench.source.point("refs/heads/main", &first);
    for id in [2, 3] {
        let rewound = open(id);
        let codes: Vec<_> = rewound.reasons.iter().map(|reason| reason.code).collect();
        assert_eq!((rewound.tier, codes), (Tier::Untrusted, vec![Code::SrcRewound, Code::SrcUnprotected]));
    }
    let other = advance(&bench, &first);
    assert_eq!(open(4).tier, Tier::Untrusted, "a history without the commit that was seen");
    let merge = Commit::of(&[("plimsoll.yaml", PIPELINE)]).after(&other).after(&second);
    bench.source.commit_to("refs/heads/main", merge);
    assert_eq!(open(5).tier, Tier::Trusted);
}

#[test]
fn tips_are_written_down_when_they_move_and_not_otherwise() {
    let bench = with(&project_file(approved()));
    let seen = || {
        let tips = bench.journal.events().into_iter().filter_map(|(_, event)| match event {
            Event::TipSeen { tip, .. } => Some(tip),
            _ => None,
        });
        tips.collect::<Vec<_>>()
    };
    let first = bench.open(1).commit;
    for id in [1, 2] {
        bench.session("builder").opened(&bench.open(id));
        assert_eq!(seen(), std::slice::from_ref(&first));
    }
    let second = advance(&bench, &first);
    bench.session("builder").opened(&bench.open(3));
    assert_eq!(seen(), [first, second]);
}

#[test]
fn a_signature_is_by_a_person_of_the_delivery_repository_or_counts_for_nothing() {
    let stranger = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVua25vd24ga2V5IHVua25vd24ga2V5IHVuaw==";
    for (key, expect) in [
        (None, Signature::Unsigned),
        (Some(KEY_LINE), Signature::Good { person: "Ada".into(), fingerprint: FINGERPRINT.into() }),
        (Some(stranger), Signature::Bad { problem: "the key is not allowed".into() }),
    ] {
        let bench = with(&project_file(approved()));
        let mut commit = Commit::of(&[("plimsoll.yaml", PIPELINE)]).after(&bench.open(1).commit);
        commit.signed = key.map(|line| (line.into(), FINGERPRINT.into()));
        bench.source.commit_to("refs/heads/main", commit);
        assert_eq!(revision(&bench, &bench.open(1)).signature, expect);
    }
}

#[test]
fn without_people_nobody_has_signed() {
    let bench = Bench::new();
    let mut commit = Commit::of(&[("plimsoll.yaml", PIPELINE)]);
    commit.signed = Some((KEY_LINE.into(), FINGERPRINT.into()));
    bench.source.commit_to("refs/heads/main", commit);
    assert!(matches!(revision(&bench, &bench.open(1)).signature, Signature::Bad { .. }));
}
