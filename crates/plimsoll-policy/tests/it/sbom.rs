//! The list of what an artifact is made of: which lists count, and how complete they have to be. Each refusal stands beside
//! the twin that is allowed.

use crate::{
    fixture::{Case, ENVIRONMENT, Said, environment},
    samples,
};
use plimsoll_attest::{
    Predicate as _, Statement, Subject,
    predicate::{
        Sbom,
        common::On,
        run::Planned,
        sbom::{Aggregate, Composition, Main, Metadata, Property, Tool, Tools},
    },
};
use plimsoll_model::{Code, Digest, Outcome, Role};

/// A list that says this of the whole.
fn list(aggregate: Aggregate, lacking: &[(&str, &str)]) -> Sbom {
    let property = |(file, problem): &(&str, &str)| Property {
        name: format!("{}{file}", Sbom::INCOMPLETE),
        value: (*problem).to_owned(),
    };
    let tool = Tool {
        r#type: "application".into(),
        name: "plimsoll".into(),
        version: "0.1.0".into(),
        hashes: vec![],
    };
    Sbom {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json".into(),
        bom_format: "CycloneDX".into(),
        spec_version: "1.6".into(),
        serial_number: "urn:uuid:00000000-0000-8000-8000-000000000000".into(),
        version: 1,
        metadata: Metadata {
            tools: Tools { components: vec![tool] },
            component: Main {
                r#type: "application".into(),
                reference: Sbom::SUBJECT.into(),
                name: "shop".into(),
                version: String::new(),
            },
            properties: lacking.iter().map(property).collect(),
        },
        components: vec![],
        dependencies: vec![],
        compositions: vec![Composition {
            aggregate,
            assemblies: vec![],
            dependencies: vec![Sbom::SUBJECT.into()],
        }],
    }
}

/// A case whose environment asks for this, and whose run has such a list.
fn case(require: &str, list: Sbom) -> Case {
    let mut case = Case::good();
    case.files.insert(ENVIRONMENT.into(), environment(&format!("  sbom: {require}\n")));
    let subject = vec![Subject::new("shop", samples::artifact()), Subject::new("shop", samples::tree())];
    case.sbom = Some(Said::new("scanner", Statement { subject, predicate: list }));
    case.run.says().planned.push(Planned {
        check: "sbom".parse().unwrap(),
        on: On::Artifact,
        role: Role::Scanner,
        predicate_type: Sbom::TYPE.into(),
    });
    case
}

fn complete() -> Case {
    case("complete", list(Aggregate::Complete, &[]))
}

/// Why the list does not pass; none where it does.
fn refused(case: &Case) -> Option<Code> {
    let mut found = case.refusals().into_iter().map(|(gate, _, code)| {
        assert_eq!(gate, "sbom", "{code}");
        code
    });
    found.next_back()
}

#[test]
fn a_list_is_as_complete_as_the_environment_asks_for() {
    use Aggregate::{Complete, Incomplete, Unknown};
    let lacking = [("pom.xml", "its parent is elsewhere"), ("requirements.txt", "`flask` is not pinned")];
    let check = |require, aggregate, lacking: &[_], expect| {
        assert_eq!(refused(&case(require, list(aggregate, lacking))), expect, "{require} {aggregate:?}");
    };
    check("complete", Complete, &[], None);
    check("any", Complete, &[], None);
    check("any", Incomplete, &lacking, None);
    check("any", Unknown, &[], None);
    check("complete", Incomplete, &lacking, Some(Code::EvidenceIncomplete));
    check("complete", Unknown, &[], Some(Code::EvidenceIncomplete));
}

#[test]
fn what_a_list_lacks_is_told() {
    let lacking = [("pom.xml", "its parent is elsewhere"), ("requirements.txt", "`flask` is not pinned")];
    let case = case("complete", list(Aggregate::Incomplete, &lacking));
    let decision = case.decide().predicate.decision;
    let gate = decision.gates.iter().find(|gate| gate.name == "sbom").unwrap();
    assert_eq!(gate.reasons[0].parameters["detail"], "pom.xml: its parent is elsewhere, and 1 more");
}

/// Two words about the whole are none.
#[test]
fn a_list_that_says_two_things_of_the_whole_is_not_complete() {
    let mut twice = complete();
    let list = twice.sbom.as_mut().unwrap().says();
    let whole = list.compositions[0].clone();
    list.compositions.push(Composition { aggregate: Aggregate::Incomplete, ..whole });
    assert_eq!(refused(&twice), Some(Code::EvidenceIncomplete));
}

#[test]
fn a_list_counts_if_this_run_made_it_about_what_would_run() {
    assert_eq!(refused(&complete()), None);
    let check = |name: &str, change: fn(&mut Case), expect| {
        let mut case = complete();
        change(&mut case);
        assert_eq!(refused(&case), Some(expect), "{name}");
    };
    check(
        "about another artifact",
        |case| {
            let other = vec![Subject::new("shop", Digest::of(b"another manifest"))];
            case.sbom.as_mut().unwrap().statement.subject = other;
        },
        Code::EvidenceSubject,
    );
    check("lost", |case| case.sbom.as_mut().unwrap().given = false, Code::EvidenceMissing);
    check("by the builder", |case| case.sbom.as_mut().unwrap().by = "builder", Code::EvidenceMissing);
    check("by a stranger", |case| case.sbom.as_mut().unwrap().by = "stranger", Code::EvidenceMissing);
    check("not planned", |case| drop(case.run.says().planned.pop()), Code::EvidenceMissing);
    check(
        "of another run",
        |case| {
            let theirs = case.sbom.take().unwrap();
            case.extra.push(crate::keys::sealed(theirs.by, &theirs.statement));
        },
        Code::EvidenceMissing,
    );
    check(
        "closed as failed",
        |case| {
            case.edits.push(|run| {
                run.attempts.iter_mut().find(|a| a.name == "sbom").unwrap().outcome = Outcome::Failed;
            });
        },
        Code::EvidenceErrored,
    );
}

/// An environment that does not ask is not helped by one, nor harmed.
#[test]
fn a_list_that_nobody_asked_for_changes_nothing() {
    let mut without = Case::good();
    assert!(without.refusals().is_empty());
    without.sbom = complete().sbom;
    assert!(without.refusals().is_empty());
}
