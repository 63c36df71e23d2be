//! One small project, its delivery repository, a key for each role, and shorthands for what an executor asks.

use crate::memory::{
    Commit, MemoryAssemble, MemoryBlobs, MemoryJournal, MemorySource, NoEgress, NoTools, Scripted, clock,
    isolation, path,
};
use p256::{
    ecdsa::{Signature, SigningKey, signature::Signer as _},
    pkcs8::EncodePublicKey as _,
};
use plimsoll_attest::{
    PolicySetDocument, Predicate, PublicKey, Statement, TrustRoot, document,
    predicate::Run,
    seal,
    trust::{NamedKey, RootDocument},
    verify,
};
use plimsoll_engine::{
    ports::{Blobs, Exit, Signer, SignerError, Source},
    run::{self, Client, Report, RunError, Scanner, Signers, Toolchain, execute},
    signer::{
        CloseArtifact, CloseCheck, CloseStep, Closed, Key, Observed, Open, Opened, Request, Response,
        Session, Signed, World,
    },
};
use plimsoll_model::{Code, Digest, Entry, Opaque, Reason, Role, RunId, Tree, jcs};
use plimsoll_pipeline::{
    NewDelivery, NewEnvironment, NewPerson, NewProject, NewTarget, Pipeline, Place, Require,
    RequireProvenance, render_people,
};
use plimsoll_policy::repository::is_policy_file;
use plimsoll_testkit::SshKey;
use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex, atomic::AtomicBool},
};

/// Signs the trust root and the policy set.
static OWNER: LazyLock<SshKey> = LazyLock::new(SshKey::generate);
const GENESIS: [u8; 16] = [9; 16];

/// A trust root with these role keys.
fn root(keys: &BTreeMap<Role, RoleKey>) -> TrustRoot {
    let owner = NamedKey { name: "Olga".into(), key: OWNER.public_line() };
    let document = RootDocument {
        version: 1,
        genesis: Opaque::from_random(GENESIS),
        number: 1,
        threshold: 1,
        root_keys: vec![owner.clone()],
        roles: keys.iter().map(|(role, key)| (role.clone(), vec![key.public.to_pem()])).collect(),
        policy_signers: vec![owner],
    };
    let bytes = serde_json::to_vec(&document).unwrap();
    let signature = OWNER.sign("plimsoll-root", &bytes);
    TrustRoot::accept(&bytes, &[&signature], None).unwrap()
}

/// The first statement about the policy set of these files, with its signature.
fn signed(files: &[(&str, &str)]) -> (String, String) {
    let policy = files.iter().filter(|(path, _)| is_policy_file(path));
    let statement = PolicySetDocument {
        version: 1,
        genesis: Opaque::from_random(GENESIS),
        number: 1,
        previous: None,
        files: policy.map(|(path, text)| ((*path).to_owned(), Digest::of(text.as_bytes()))).collect(),
    };
    let bytes = document::write(&statement).unwrap();
    let signature = OWNER.sign("plimsoll-policy", &bytes);
    (String::from_utf8(bytes).unwrap(), signature)
}

/// A build of one file, a test of the revision and a test of the artifact.
pub(crate) const PIPELINE: &str = "version: 1
project: shop
build:
  steps:
    - {name: compile, run: [compile], out: [dist]}
  artifact: {files: [dist/shop]}
evidence:
  - {test: unit, on: source, run: [unit], report: {libtest: stdout}}
  - {test: smoke, on: artifact, run: [smoke]}
";

/// The same build, whose evidence is this item.
pub(crate) fn with_evidence(item: &str) -> String {
    let (build, _) = PIPELINE.split_once("  - {test").unwrap();
    format!("{build}  - {item}\n")
}

/// An adapter whose tool every machine has; its executable is hashed, the scripted sandbox does the rest.
pub(crate) const LINT: &str = "{adapter: lint, run: [lint], tool: sh, report: {sarif: reports/lint.sarif}}";

pub(crate) const PASSING: &str = "\nrunning 2 tests\ntest a ... ok\ntest b ... ok\n\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n";
pub(crate) const FAILING: &str = "\nrunning 2 tests\ntest a ... ok\ntest b ... FAILED\n\nfailures:\n\nfailures:\n    b\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n";
pub(crate) const NO_TESTS: &str = "\nrunning 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n";

/// A key pair made for these tests.
pub(crate) const KEY_LINE: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL67f9I2UJxxd/xbB4DvjFFM1td1q4WvpGDsGz0ilZeK";
pub(crate) const FINGERPRINT: &str = "SHA256:i7OXxZe09KcqCQooBsnSWyZTMIZvj2RzBIYKc4V1GdE";

const ROLES: [&str; 6] =
    ["builder", "scanner", "source", "decision:staging", "decision:production", "refusal"];

pub(crate) fn role(name: &str) -> Role {
    name.parse().unwrap()
}

pub(crate) struct RoleKey {
    key: SigningKey,
    public: PublicKey,
}

impl RoleKey {
    fn new(seed: u8) -> Self {
        let key = SigningKey::from_slice(&[seed; 32]).unwrap();
        let der = key.verifying_key().to_public_key_der().unwrap();
        Self { public: PublicKey::from_der(der.as_bytes()).unwrap(), key }
    }
}

impl Key for RoleKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.key.sign(message);
        signature.to_der().as_bytes().to_vec()
    }
}

/// Everything that is there before a run.
pub(crate) struct Bench {
    pub(crate) blobs: MemoryBlobs,
    assemble: MemoryAssemble,
    pub(crate) journal: MemoryJournal,
    pub(crate) source: MemorySource,
    pub(crate) delivery: Option<MemorySource>,
    /// The rules that this machine imported for its scanners.
    pub(crate) imported: Arc<Mutex<Result<Option<Digest>, String>>>,
    keys: BTreeMap<Role, RoleKey>,
    pub(crate) root: TrustRoot,
}

impl Bench {
    /// A repository with one commit on main, whose pipeline this is, and no delivery repository.
    pub(crate) fn with(pipeline: &str) -> Self {
        let source = MemorySource::at("/srv/shop");
        source.commit_to(
            "refs/heads/main",
            Commit::of(&[("plimsoll.yaml", pipeline), ("main.rs", "fn main() {}")]),
        );
        let keys: BTreeMap<Role, RoleKey> =
            ROLES.iter().zip(1..).map(|(name, seed)| (role(name), RoleKey::new(seed))).collect();
        let root = root(&keys);
        let blobs = MemoryBlobs::default();
        let assemble = MemoryAssemble(blobs.clone());
        Self {
            blobs,
            assemble,
            journal: MemoryJournal::default(),
            source,
            delivery: None,
            imported: Arc::new(Mutex::new(Ok(None))),
            keys,
            root,
        }
    }

    pub(crate) fn new() -> Self {
        Self::with(PIPELINE)
    }

    /// The same with a delivery repository that agrees to everything.
    pub(crate) fn delivered(pipeline: &str) -> Self {
        let mut bench = Self::with(pipeline);
        let delivery = MemorySource::at("/srv/delivery");
        let approved = Pipeline::read("plimsoll.yaml", pipeline.as_bytes()).unwrap().digest().unwrap();
        delivery.commit_to("refs/heads/main", delivery_files(&project_file(approved), &require()));
        bench.delivery = Some(delivery);
        bench
    }

    pub(crate) fn world(&self) -> World<'_> {
        World {
            blobs: &self.blobs,
            journal: &self.journal,
            source: &self.source,
            delivery: self.delivery.as_ref().map(|delivery| delivery as &dyn Source),
            assemble: &self.assemble,
            trust: Some(&self.root),
            rules: |_, _| Digest::of(b"rules"),
            imported: Box::new(|_| self.imported.lock().unwrap().clone()),
            clock,
        }
    }

    pub(crate) fn session(&self, name: &str) -> Asked<'_> {
        let role = role(name);
        Asked(Session::new(role.clone(), &self.keys[&role], self.world()))
    }

    /// A run of HEAD.
    pub(crate) fn open(&self, id: u8) -> Open {
        let resolved = self.source.resolve("HEAD").unwrap();
        Open {
            run: RunId::from_random([id; 16]),
            requested: resolved.requested,
            reference: resolved.reference,
            commit: resolved.commit,
            subdirectory: None,
            parameters: BTreeMap::new(),
        }
    }

    pub(crate) fn observed(&self, exit: Exit) -> Observed {
        let log = self.blobs.put(b"a log").unwrap();
        Observed { exit, log, isolation: isolation(), started: clock(), finished: clock() }
    }

    /// Stores files as a frozen tree.
    pub(crate) fn tree(&self, files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (name, text) in files {
            let digest = self.blobs.put(text.as_bytes()).unwrap();
            let entry = Entry::File { digest, size: text.len() as u64, executable: true };
            tree.entries.insert(path(name), entry);
        }
        tree
    }

    pub(crate) fn keep(&self, tree: &Tree) -> Digest {
        self.blobs.put(&jcs::to_bytes(tree).unwrap()).unwrap()
    }

    /// The genuine end of a step that left these files.
    pub(crate) fn step(&self, name: &str, attempt: u32, files: &[(&str, &str)]) -> CloseStep {
        let outputs = Some(self.keep(&self.tree(files)));
        let observed = self.observed(Exit::Status(0));
        CloseStep { step: name.parse().unwrap(), attempt, observed, outputs, problem: None }
    }

    /// The genuine end of `compile`.
    pub(crate) fn compiled(&self) -> Request {
        Request::CloseStep(self.step("compile", 1, &[("dist/shop", "#!/bin/sh")]))
    }

    pub(crate) fn check(
        &self,
        name: &str,
        attempt: u32,
        report: Option<&str>,
        artifact: Option<Digest>,
    ) -> CloseCheck {
        CloseCheck {
            check: name.parse().unwrap(),
            attempt,
            observed: self.observed(Exit::Status(0)),
            report: report.map(|report| self.blobs.put(report.as_bytes()).unwrap()),
            artifact,
            tool: None,
            data: None,
        }
    }

    /// Executes a run of HEAD with real sessions.
    pub(crate) fn run(&self, sandbox: &Scripted) -> Result<Report, RunError> {
        self.run_until(sandbox, &AtomicBool::new(false), &mut |_| {})
    }

    pub(crate) fn run_until(
        &self,
        sandbox: &Scripted,
        interrupted: &AtomicBool,
        watch: &mut dyn FnMut(run::Event<'_>),
    ) -> Result<Report, RunError> {
        let scratch = tempfile::tempdir().unwrap();
        let toolchain = Toolchain {
            mounts: vec![],
            path: "/usr/bin".into(),
            directories: vec!["/usr/bin".into(), "/bin".into()],
            cargo: None,
            digest: Digest::of(b"toolchain"),
        };
        let client = Client::default();
        let scanner = Scanner { program: "/proc/self/exe".into(), data: vec![] };
        let world = run::World {
            blobs: &self.blobs,
            sandbox,
            source: &self.source,
            assemble: &self.assemble,
            egress: &NoEgress,
            toolchain: &toolchain,
            client: &client,
            scanner: &scanner,
            tools: &NoTools,
            directory: scratch.path().join("run"),
            clock,
            interrupted,
        };
        let (mut builder, mut scanner, mut source) =
            (self.session("builder"), self.session("scanner"), self.session("source"));
        let mut signers = Signers { builder: &mut builder, scanner: &mut scanner, source: &mut source };
        let report = execute(&world, &mut signers, &self.open(1), watch);
        assert!(!scratch.path().join("run").exists(), "the run's directory goes with the run");
        report
    }

    /// What a signed bundle says, verified as signed by `role`.
    pub(crate) fn read<P: Predicate + Clone>(&self, signed: &Signed, role_name: &str) -> Statement<P> {
        let verified = verify::<P>(signed.bundle.as_bytes(), self.root.trust(), &role(role_name)).unwrap();
        assert_eq!(*verified.payload_digest(), signed.statement);
        verified.value().clone()
    }

    /// A statement that the key of a role signs, whatever it says.
    pub(crate) fn signed<P: Predicate>(&self, role_name: &str, statement: &Statement<P>) -> Signed {
        let (payload, key) = (statement.to_bytes().unwrap(), &self.keys[&role(role_name)]);
        let bundle = seal(&payload, &key.public, |message| Ok::<_, ()>(key.sign(message))).unwrap();
        let bundle = String::from_utf8(bundle).unwrap();
        Signed { statement: Digest::of(&payload), predicate_type: P::TYPE.into(), bundle }
    }

    /// The run statement of a report.
    pub(crate) fn run_statement(&self, report: &Report) -> Run {
        let made = report.statements.last().unwrap();
        assert_eq!(made.name, "run");
        self.read::<Run>(&made.signed, "builder").predicate
    }
}

/// A session that is asked as a process is: requests and answers travel as JSON.
pub(crate) struct Asked<'a>(Session<'a>);

impl Signer for Asked<'_> {
    fn ask(&mut self, request: &Request) -> Result<Response, SignerError> {
        let request = serde_json::from_slice(&serde_json::to_vec(request).unwrap()).unwrap();
        let response = self.0.answer(request);
        Ok(serde_json::from_slice(&serde_json::to_vec(&response).unwrap()).unwrap())
    }
}

impl Asked<'_> {
    pub(crate) fn answer(&mut self, request: &Request) -> Response {
        self.ask(request).unwrap()
    }

    pub(crate) fn opened(&mut self, open: &Open) -> Opened {
        match self.answer(&Request::Open(open.clone())) {
            Response::Opened(opened) => opened,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn closed(&mut self, request: &Request) -> Closed {
        match self.answer(request) {
            Response::Closed(closed) => closed,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn refusal(&mut self, request: &Request) -> Reason {
        match self.answer(request) {
            Response::Refused { mut reasons } => reasons.remove(0),
            other => panic!("{other:?}"),
        }
    }

    /// Asks for something that must be refused with `code`.
    pub(crate) fn refuses(&mut self, request: &Request, code: Code) {
        let reason = self.refusal(request);
        assert_eq!(reason.code, code, "{reason}");
    }
}

pub(crate) fn artifact() -> Request {
    Request::CloseArtifact(CloseArtifact {
        toolchain: Digest::of(b"toolchain"),
        started: clock(),
        finished: clock(),
    })
}

pub(crate) fn project_file(approved: Digest) -> NewProject {
    NewProject {
        id: Opaque::from_random([1; 16]),
        repository: "/srv/shop".into(),
        path: None,
        protected: vec!["refs/heads/main".into()],
        pipelines: vec![approved],
    }
}

/// What an environment asks for at least.
pub(crate) fn require() -> Require {
    let builder = Some(["local".to_owned()].into());
    Require { provenance: Some(RequireProvenance { builder, network: None }), ..Require::default() }
}

/// A delivery repository with one project and the environments staging and production.
pub(crate) fn delivery_files(project: &NewProject, require: &Require) -> Commit {
    let person = NewPerson { name: "Ada".into(), ssh_keys: vec![KEY_LINE.into()], ..NewPerson::default() };
    let target =
        NewTarget { place: Place::Local, port: 80, listen: 8080, health: "/healthz".into() }.render();
    let environment = |id: u8| {
        let new = NewEnvironment {
            id: Opaque::from_random([id; 16]),
            after: None,
            soak_seconds: 0,
            require: require.clone(),
            freeze: vec![],
            rollback: None,
        };
        new.render()
    };
    let (environment_2, environment_3) = (environment(2), environment(3));
    let (delivery, people, project) =
        (NewDelivery::default().render(), render_people(&[person]), project.render());
    let files = [
        ("delivery.yaml", delivery.as_str()),
        ("people.yaml", &people),
        ("projects/shop.yaml", &project),
        ("environments/staging/environment.yaml", &environment_2),
        ("environments/staging/shop/target.yaml", &target),
        ("environments/production/environment.yaml", &environment_3),
        ("environments/production/shop/target.yaml", &target),
    ];
    let (statement, signature) = signed(&files);
    let statement = [("policy-set/1.json", statement.as_str()), ("policy-set/1.json.sig", &signature)];
    Commit::of(&[&files[..], &statement].concat())
}

/// Commands that do what the pipeline expects of them.
pub(crate) fn benign() -> Scripted {
    Scripted::default()
        .when("compile", |act| {
            act.write("dist/shop", "#!/bin/sh\nexec true\n");
            Exit::Status(0)
        })
        .when("unit", |act| {
            act.print(PASSING);
            Exit::Status(0)
        })
        .when("smoke", |_| Exit::Status(0))
}

/// The codes of a run that was refused.
pub(crate) fn codes(error: RunError) -> Vec<Code> {
    match error {
        RunError::Refused(reasons) => reasons.iter().map(|reason| reason.code).collect(),
        other => panic!("{other:?}"),
    }
}
