//! A case: everything that one decision depends on. [`Case::good`] is allowed; tests change it.

use crate::{
    keys::{self, pinned, sealed},
    samples::{self, time},
};
use plimsoll_attest::{
    Bundle, Predicate, Statement, Verified,
    predicate::{
        Provenance, Run, Sbom, Scan, SourceRevision, TestResult,
        run::{Attempt, AttemptKind},
    },
    verify,
};
use plimsoll_model::{Code, Digest, Outcome, Role, record::LogPosition};
use plimsoll_policy::{
    Context, DeliveryFiles, DossierParts, GatherError, Inputs, Kind, Standing, Summary, Verdict, decide,
    gather, repository::is_policy_file,
};
use std::{collections::BTreeMap, sync::LazyLock};

/// A statement, whose key signs it, and whether its bundle is there.
pub(crate) struct Said<P> {
    pub(crate) statement: Statement<P>,
    pub(crate) by: &'static str,
    pub(crate) given: bool,
}

impl<P: Predicate> Said<P> {
    pub(crate) fn new(by: &'static str, statement: Statement<P>) -> Self {
        Self { statement, by, given: true }
    }

    pub(crate) fn says(&mut self) -> &mut P {
        &mut self.statement.predicate
    }

    fn bundle(&self) -> Option<Vec<u8>> {
        self.given.then(|| sealed(self.by, &self.statement))
    }

    fn attempt(&self, kind: AttemptKind, name: &str, attempt: u32, outcome: Outcome) -> Attempt {
        Attempt {
            kind,
            name: name.into(),
            attempt,
            outcome,
            role: match kind {
                AttemptKind::Source => Role::Source,
                AttemptKind::Step | AttemptKind::Artifact => Role::Builder,
                AttemptKind::Check => Role::Scanner,
            },
            predicate_type: Some(P::TYPE.into()),
            statement: Some(Digest::of(&self.statement.to_bytes().unwrap())),
        }
    }
}

pub(crate) struct Case {
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) source: Said<SourceRevision>,
    pub(crate) provenance: Said<Provenance>,
    pub(crate) tests: Vec<Said<TestResult>>,
    pub(crate) lint: Said<Scan>,
    pub(crate) sbom: Option<Said<Sbom>>,
    /// Attempts are added when it is sealed.
    pub(crate) run: Said<Run>,
    /// Changes of the run statement after its attempts were added.
    pub(crate) edits: Vec<fn(&mut Run)>,
    /// Bundles that nobody asked for.
    pub(crate) extra: Vec<Vec<u8>>,
    pub(crate) context: Context,
    /// Files of each statement about the policy set, the newest signed; none for one over the files as they are.
    pub(crate) policy: Option<Vec<BTreeMap<String, String>>>,
    /// Who signed the newest of them.
    pub(crate) policy_signer: u8,
    /// Version of the trust root.
    pub(crate) root: u64,
}

/// The decision that the good case follows: the same release was allowed, as the fourth, when another commit was there.
static BEFORE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut statement = Case::first().decide();
    let decision = &mut statement.predicate.decision;
    (decision.counter, decision.previous) = (Some(4), Some(Digest::of(b"decision 3")));
    decision.commit = "76".repeat(20).parse().unwrap();
    decision.delivery_commit = "54".repeat(20).parse().unwrap();
    let Summary { time_verified, input_attestations, decision, .. } = statement.predicate;
    sealed("decision:production", &decision.into_statement(time_verified, input_attestations))
});

/// The bundle of the decision that the good case follows.
pub(crate) fn before() -> Vec<u8> {
    BEFORE.clone()
}

/// What stands before the good case.
pub(crate) fn standing() -> Standing {
    static STANDING: LazyLock<Standing> = LazyLock::new(|| {
        let role = Role::Decision("production".parse().unwrap());
        Standing::after(&verify(&BEFORE, pinned().trust(), &role).unwrap()).unwrap()
    });
    STANDING.clone()
}

/// The same, but for the decision and its place in the chain.
pub(crate) fn standing_at((decision, counter): (Digest, u64)) -> Standing {
    Standing { decision, counter, ..standing() }
}

pub(crate) const ENVIRONMENT: &str = "environments/production/environment.yaml";
pub(crate) const PROJECT: &str = "projects/shop.yaml";
pub(crate) const PEOPLE: &str = "people.yaml";
pub(crate) const TARGET: &str = "environments/production/shop/target.yaml";
/// Lines of `require:` in [`ENVIRONMENT`], each of which can be left out.
pub(crate) const REQUIRE: [&str; 4] = [
    "  source: {protected: true, signed: true}\n",
    "  provenance: {builder: [local], network: [none, locked]}\n",
    "  tests: {unit: source, smoke: artifact}\n",
    "  scans: {lint: {block: warning, tool: TOOL}}\n",
];

/// An `environment.yaml` that asks for this.
pub(crate) fn environment(require: &str) -> String {
    let require = require.replace("TOOL", &format!("\"{}\"", Digest::of(b"tool")));
    format!("version: 1\nid: \"{}\"\nrequire:\n{require}", "0e".repeat(16))
}

fn files() -> BTreeMap<String, String> {
    let pipeline = Digest::of(b"pipeline");
    BTreeMap::from([
        ("delivery.yaml".into(), "version: 1\n".into()),
        (ENVIRONMENT.into(), environment(&REQUIRE.concat())),
        (
            PROJECT.into(),
            format!(
                "version: 1\nid: \"{}\"\nrepository: https://git.example/shop\nprotected: [refs/heads/main]\npipelines: [\"{pipeline}\"]\n",
                "0b".repeat(16)
            ),
        ),
        (
            PEOPLE.into(),
            format!("version: 1\npeople:\n  - {{name: ada, ssh-keys: [\"{}\"]}}\n", samples::COMMITTER.0),
        ),
        (TARGET.into(), "version: 1\nlocal: {port: 8080, listen: 18080, health: /healthz}\n".into()),
    ])
}

impl Case {
    /// A run with one failed and one passed attempt of `unit`, in an environment that asks for everything.
    pub(crate) fn good() -> Self {
        let mut case = Self::first();
        case.context.standing = Some(standing());
        case
    }

    /// The good case where nothing stood before.
    pub(crate) fn first() -> Self {
        use plimsoll_attest::predicate::common::On;
        let test = |name, on, attempt, passed| Said::new("scanner", samples::test(name, on, attempt, passed));
        Self {
            files: files(),
            source: Said::new("source", samples::source()),
            provenance: Said::new("builder", samples::provenance()),
            tests: vec![
                test("unit", On::Source, 1, false),
                test("unit", On::Source, 2, true),
                test("smoke", On::Artifact, 1, true),
            ],
            lint: Said::new("scanner", samples::scan()),
            sbom: None,
            run: Said::new("builder", samples::run()),
            edits: vec![],
            extra: vec![],
            context: Context {
                kind: Kind::Deploy,
                project: "shop".parse().unwrap(),
                environment: "production".parse().unwrap(),
                log: LogPosition { size: 20, head: Digest::of(b"newest entry") },
                standing: None,
                now: time("2026-01-02T04:00:00Z"),
                start_by: time("2026-01-03T04:00:00Z"),
            },
            policy: None,
            policy_signer: keys::POLICY_SIGNER,
            root: pinned().number(),
        }
    }

    /// The good case with one change.
    pub(crate) fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut case = Self::good();
        change(&mut case);
        case
    }

    /// The newest attempt of `unit`.
    pub(crate) fn unit(&mut self) -> &mut Said<TestResult> {
        &mut self.tests[1]
    }

    pub(crate) fn replace(&mut self, file: &str, old: &str, new: &str) {
        let text = self.files.get_mut(file).unwrap();
        assert!(text.contains(old), "{old} in {file}");
        *text = text.replace(old, new);
    }

    fn attempts(&self) -> Vec<Attempt> {
        let tests = self.tests.iter().map(|said| {
            let check = &said.statement.predicate.check;
            said.attempt(AttemptKind::Check, check.check.as_str(), check.attempt, check.outcome)
        });
        let lint = &self.lint.statement.predicate;
        [
            self.source.attempt(AttemptKind::Source, "source", 1, Outcome::Passed),
            self.provenance.attempt(AttemptKind::Artifact, "artifact", 1, Outcome::Passed),
            self.lint.attempt(AttemptKind::Check, lint.check.as_str(), lint.attempt, lint.outcome),
        ]
        .into_iter()
        .chain(tests)
        .chain(self.sbom.iter().map(|sbom| sbom.attempt(AttemptKind::Check, "sbom", 1, Outcome::Passed)))
        .collect()
    }

    pub(crate) fn run_bundle(&self) -> Vec<u8> {
        let mut statement = samples::run();
        statement.subject.clone_from(&self.run.statement.subject);
        statement.predicate = self.run.statement.predicate.clone();
        statement.predicate.attempts = self.attempts();
        self.edits.iter().for_each(|edit| edit(&mut statement.predicate));
        sealed(self.run.by, &statement)
    }

    /// The bundles of the run's statements, in the order of their attempts.
    pub(crate) fn own_bundles(&self) -> Vec<Vec<u8>> {
        let one = [self.source.bundle(), self.provenance.bundle(), self.lint.bundle()];
        let sbom = self.sbom.iter().map(Said::bundle);
        one.into_iter().chain(self.tests.iter().map(Said::bundle)).chain(sbom).flatten().collect()
    }

    pub(crate) fn delivery(&self) -> DeliveryFiles {
        let digests = |files: &BTreeMap<String, String>| {
            let policies = files.iter().filter(|(path, _)| is_policy_file(path));
            policies.map(|(path, text)| (path.clone(), Digest::of(text.as_bytes()))).collect()
        };
        let statements: Vec<_> = match &self.policy {
            Some(statements) => statements.iter().map(digests).collect(),
            None => vec![digests(&self.files)],
        };
        let mut files = keys::policy_set(self.policy_signer, &statements);
        files.extend(self.files.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes())));
        DeliveryFiles { commit: "89".repeat(20).parse().unwrap(), files }
    }

    pub(crate) fn gather_from(&self, bundles: &[Vec<u8>]) -> Result<Inputs, GatherError> {
        gather(&self.delivery(), &keys::accepted(self.root), &self.run_bundle(), bundles, &self.context)
    }

    pub(crate) fn inputs(&self) -> Inputs {
        let bundles: Vec<_> = self.own_bundles().into_iter().chain(self.extra.iter().cloned()).collect();
        self.gather_from(&bundles).unwrap()
    }

    pub(crate) fn decide(&self) -> Statement<Summary> {
        decide(&self.inputs()).unwrap()
    }

    pub(crate) fn is_allowed(&self) -> bool {
        self.decide().predicate.decision.verdict == Verdict::Allow
    }

    /// Gates that do not pass, each with its outcome and code.
    pub(crate) fn refusals(&self) -> Vec<(String, Outcome, Code)> {
        let gates = self.decide().predicate.decision.gates;
        gates
            .into_iter()
            .flat_map(|gate| gate.reasons.into_iter().map(move |r| (gate.name.clone(), gate.outcome, r.code)))
            .collect()
    }

    /// The bundle of the decision, by the key of its verdict.
    pub(crate) fn decision_bundle(&self) -> Vec<u8> {
        let statement = self.decide();
        let allowed = statement.predicate.decision.verdict == Verdict::Allow;
        sealed(if allowed { "decision:production" } else { "refusal" }, &statement)
    }

    pub(crate) fn dossier(&self) -> DossierParts {
        let (root, signature) = keys::root(7, self.root);
        let run = self.run_bundle();
        let context = self.decide().predicate.decision.context;
        let extra =
            self.extra.iter().filter(|bundle| context.contains(&Digest::of(&payload(bundle)))).cloned();
        DossierParts {
            decision: self.decision_bundle(),
            statements: self
                .own_bundles()
                .into_iter()
                .filter(|bundle| named(&run, bundle))
                .chain(extra)
                .collect(),
            standing: self.context.standing.as_ref().map(|_| before()),
            run,
            files: self.delivery().files,
            root,
            root_signatures: [signature].into(),
            manifest: samples::MANIFEST.to_vec(),
        }
    }
}

/// The payload of a bundle.
pub(crate) fn payload(bundle: &[u8]) -> Vec<u8> {
    Bundle::parse(bundle).unwrap().envelope().payload.clone()
}

fn named(run: &[u8], bundle: &[u8]) -> bool {
    let run = Statement::<Run>::from_bytes(&payload(run)).unwrap();
    let digest = Some(Digest::of(&payload(bundle)));
    run.predicate.attempts.iter().any(|attempt| attempt.statement == digest)
}

/// A statement as it comes out of verification.
pub(crate) fn verified(who: &str, statement: &Statement<Summary>) -> Verified<Statement<Summary>> {
    verify(&sealed(who, statement), pinned().trust(), &who.parse().unwrap()).unwrap()
}
