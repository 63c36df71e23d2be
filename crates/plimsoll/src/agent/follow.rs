//! What the delivery repository wants of this agent, and whether each promotion is in order: signed, promoted as a
//! promotion is, next in its chain, under rules that are in force, and recomputed from a dossier whose artifact is here.

use super::accepted;
use crate::failure::Failure;
use plimsoll_attest::{Bundle, Statement, TrustRoot, Verified};
use plimsoll_engine::{
    delivery::{Chain, Listing},
    derive::required,
    ports::{Blobs as _, Source as _},
    promoted::{self, Unit},
};
use plimsoll_git::GitSource;
use plimsoll_host::{
    agent_state::{AgentState, Link, Place, accept_decision},
    reconcile::{Promoted, Wanted},
};
use plimsoll_model::{Code, CommitId, Digest, ProjectName, Reason, RelPath, Timestamp};
use plimsoll_pipeline::{Environment, FreezeWindow, Target};
use plimsoll_policy::{
    DeliveryFiles, Kind, Summary,
    dossier::{self, MAX_DOSSIER, recompute},
    frozen, gather,
    repository::{decision_path, environment_path, target_path},
};
use plimsoll_store::{
    Layout, StateDir, dossier_referrer,
    oci::{Descriptor, MANIFEST},
};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of a bundle or manifest.
const LIMIT: u64 = 32 << 20;

/// What the delivery repository wants.
#[derive(Debug, Clone)]
pub(crate) struct Followed {
    /// The commit that says so; none where none could be followed yet.
    pub(crate) head: Option<CommitId>,
    pub(crate) wanted: Wanted,
    /// Decisions that were made under other rules than those in force.
    pub(crate) grandfathered: BTreeSet<Digest>,
    /// For how many seconds something must serve here before an environment after this one takes it.
    pub(crate) soaks: BTreeSet<u64>,
    freeze: Vec<FreezeWindow>,
}

impl Followed {
    /// What was accepted before, and nothing new.
    pub(crate) fn remembered(memory: &AgentState) -> Self {
        let known = |(project, unit): (&ProjectName, &plimsoll_host::agent_state::UnitState)| {
            let Place { decision, .. } = unit.accepted;
            (project.clone(), Promoted { decision, release: unit.release, rollback: false, check: Ok(()) })
        };
        let units = memory.units.iter().map(known).collect();
        let environment = memory.environment.name.clone();
        Self {
            head: None,
            wanted: Wanted { environment, frozen: None, units },
            grandfathered: BTreeSet::new(),
            soaks: BTreeSet::new(),
            freeze: vec![],
        }
    }

    /// The same with nothing new started, if there are reasons for that.
    pub(crate) fn held_back(mut self, reasons: Vec<Reason>) -> Self {
        if !reasons.is_empty() {
            for unit in self.wanted.units.values_mut() {
                unit.check = Err(reasons.clone());
            }
        }
        self
    }

    fn is_in_order(&self) -> bool {
        self.wanted.units.values().all(|unit| unit.check.is_ok())
    }

    /// The same at this moment: a freeze begins and ends by itself.
    fn now(mut self) -> Self {
        let frozen = frozen(&self.freeze, Timestamp::now());
        self.wanted.frozen = frozen.map(|frozen| {
            let reason = Code::Freeze.reason().with("environment", &self.wanted.environment);
            reason.with("window", frozen.window).with("until", frozen.until)
        });
        self
    }
}

/// Follows one delivery repository.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    /// What was found at a commit under a trust root. Where all was in order, nothing needs to be looked at again.
    last: Option<(CommitId, Digest, Followed)>,
}

impl Follower {
    /// What is wanted at `head`. Accepts the decisions that are in order: `memory` then stands at them.
    ///
    /// # Errors
    /// When the environment itself cannot be read; what is wrong with one project is in its [`Promoted::check`].
    pub(crate) fn follow(
        &mut self,
        (state, source): (&StateDir, &GitSource),
        (root, earlier): (&TrustRoot, &BTreeSet<Digest>),
        head: &CommitId,
        memory: &mut AgentState,
    ) -> Result<Followed, Failure> {
        if let Some((known, by, followed)) = &self.last
            && (known, by) == (head, root.digest())
            && followed.is_in_order()
        {
            return Ok(followed.clone().now());
        }
        let grandfathered = BTreeSet::new();
        let mut look = Look { state, source, root, earlier, head, memory, grandfathered, listing: None };
        let declared = look.environment()?;
        let units = look.units()?;
        // Rules that nobody signed freeze nothing either.
        let before = || self.last.as_ref().map(|(_, _, before)| before.freeze.clone()).unwrap_or_default();
        let freeze = if units.values().any(is_unsigned) { before() } else { declared.freeze };
        let followed = Followed {
            head: Some(head.clone()),
            wanted: Wanted { environment: look.memory.environment.name.clone(), frozen: None, units },
            soaks: look.soaks()?,
            grandfathered: look.grandfathered,
            freeze,
        };
        self.last = Some((head.clone(), *root.digest(), followed.clone()));
        Ok(followed.now())
    }
}

fn is_unsigned(unit: &Promoted) -> bool {
    unit.check.as_ref().is_err_and(|reasons| reasons.iter().any(|reason| reason.code == Code::PolicyUnsigned))
}

/// One look at the delivery repository.
struct Look<'a> {
    state: &'a StateDir,
    source: &'a GitSource,
    root: &'a TrustRoot,
    earlier: &'a BTreeSet<Digest>,
    head: &'a CommitId,
    memory: &'a mut AgentState,
    grandfathered: BTreeSet<Digest>,
    /// Made for the first unit and used for all.
    listing: Option<Listing>,
}

type Decided = Verified<Statement<Summary>>;

impl Look<'_> {
    /// environment.yaml of the agent's own environment: the very one that it was enrolled for.
    fn environment(&self) -> Result<Environment, Failure> {
        let own = &self.memory.environment;
        let path = environment_path(&own.name);
        let bytes = required(self.source, self.head, &path)?;
        let declared =
            Environment::read(&path, &bytes).map_err(|errors| Failure::Refused(errors.reasons()))?;
        if declared.id == own.id {
            return Ok(declared);
        }
        let problem = format!("its id is {}, and this agent was enrolled for {}", declared.id, own.id);
        Err(Code::FileInvalid.reason().with("place", path).with("problem", problem).into())
    }

    /// For how long other environments want to see something here.
    fn soaks(&self) -> Result<BTreeSet<u64>, Failure> {
        let environments: RelPath = file("environments")?;
        let tree = self.source.tree(self.head, Some(&environments))?;
        let files = tree.entries.keys().filter(|path| path.as_str().ends_with("/environment.yaml"));
        let declared = files.filter_map(|path| {
            let path = format!("environments/{path}");
            let bytes = required(self.source, self.head, &path).ok()?;
            Environment::read(&path, &bytes).ok()
        });
        let own = Some(&self.memory.environment.name);
        Ok(declared.filter(|other| other.after.as_ref() == own).map(|other| other.soak_seconds).collect())
    }

    /// The projects that live with this agent.
    fn units(&mut self) -> Result<BTreeMap<ProjectName, Promoted>, Failure> {
        let own: RelPath = file(&format!("environments/{}", self.memory.environment.name))?;
        let tree = self.source.tree(self.head, Some(&own))?;
        let targets = tree.entries.keys().filter_map(|path| path.as_str().strip_suffix("/target.yaml"));
        let projects: Vec<ProjectName> = targets.filter_map(|name| name.parse().ok()).collect();
        let mut units = BTreeMap::new();
        for project in projects {
            if self.is_ours(&project)?
                && let Some(promoted) = self.unit(&project)?
            {
                units.insert(project, promoted);
            }
        }
        Ok(units)
    }

    /// A target that cannot be read takes nothing away from whoever has the project.
    fn is_ours(&self, project: &ProjectName) -> Result<bool, Failure> {
        let path = target_path(project, &self.memory.environment.name);
        let target = Target::read(&path, &required(self.source, self.head, &path)?);
        Ok(match target {
            Ok(target) => target.agent() == Some(self.memory.agent.name.as_str()),
            Err(_) => self.memory.units.contains_key(project),
        })
    }

    /// What is promoted, and whether it is in order; none where nothing ever was.
    fn unit(&mut self, project: &ProjectName) -> Result<Option<Promoted>, Failure> {
        let environment = self.memory.environment.name.clone();
        let unit = Unit { project, environment: &environment };
        let reasons = match self.check(unit) {
            Ok(Some(decided)) => return Ok(Some(self.accept(project, &decided))),
            Ok(None) if !self.memory.units.contains_key(project) => return Ok(None),
            Ok(None) => vec![removed(unit)],
            Err(Failure::Refused(reasons)) => reasons,
            Err(other) => return Err(other),
        };
        let (decision, release) = self.named(project)?;
        Ok(Some(Promoted { decision, release, rollback: false, check: Err(reasons) }))
    }

    fn accept(&mut self, project: &ProjectName, decided: &Decided) -> Promoted {
        let judged = &decided.value().predicate.decision;
        let place = link(decided).place;
        let known = self.memory.units.remove(project);
        self.memory.units.insert(project.clone(), accepted(known, place, judged.release_digest));
        Promoted {
            decision: place.decision,
            release: judged.release_digest,
            rollback: judged.kind == Kind::Rollback,
            check: Ok(()),
        }
    }

    /// What is named where nothing can be believed: only ever shown.
    fn named(&self, project: &ProjectName) -> Result<(Digest, Digest), Failure> {
        let path = file(&decision_path(project, &self.memory.environment.name))?;
        let bytes = self.source.file(self.head, &path, LIMIT)?.unwrap_or_default();
        let payload = Bundle::parse(&bytes).map(|bundle| bundle.envelope().payload.clone());
        let decision = Digest::of(payload.as_ref().unwrap_or(&bytes));
        let release = payload.ok().and_then(|payload| Statement::<Summary>::from_bytes(&payload).ok());
        Ok((decision, release.map_or(decision, |named| named.predicate.decision.release_digest)))
    }

    fn check(&mut self, unit: Unit<'_>) -> Result<Option<Decided>, Failure> {
        let known = self.memory.units.get(unit.project).map(|known| known.accepted.decision);
        let promoted = promoted::promoted(self.source, self.head, self.root.trust(), unit, known.as_ref())?;
        let Some(decided) = promoted else { return Ok(None) };
        self.follows(unit, &decided)?;
        self.is_in_force(unit, &decided)?;
        self.fetch(&decided)?;
        Ok(Some(decided))
    }

    /// The decision is the one that was accepted, or one of those after it.
    fn follows(&self, unit: Unit<'_>, decided: &Decided) -> Result<(), Failure> {
        let accepted = self.memory.units.get(unit.project).map(|known| known.accepted);
        let Some(accepted) = accepted.filter(|known| known.decision != *decided.payload_digest()) else {
            return Ok(());
        };
        let head = self.head.clone();
        let mut since = Vec::new();
        for found in Chain::new(self.source, head, self.root.trust(), unit.project, unit.environment) {
            let link = link(&found?.statement);
            since.push(link);
            if link.place.counter <= accepted.counter.saturating_add(1) {
                break;
            }
        }
        let mut links = since.into_iter().rev();
        let follow = |standing, link| accept_decision((unit.project, unit.environment), Some(standing), link);
        Ok(links.try_fold(accepted, follow).map(|_| ())?)
    }

    /// The rules at this commit are signed. What was decided under earlier ones is marked.
    fn is_in_force(&mut self, unit: Unit<'_>, decided: &Decided) -> Result<(), Failure> {
        let listing = match &mut self.listing {
            Some(made) => made,
            none => none.insert(Listing::of(self.source, self.head)?),
        };
        let files = listing.files(self.source, unit.project, unit.environment)?;
        let set = policy_set(&files, unit, self.root)?;
        if set.digest != decided.value().predicate.decision.policy_set {
            self.grandfathered.insert(*decided.payload_digest());
        }
        set.signed.map(|_| ()).map_err(Failure::from)
    }

    /// Gets the dossier and the artifact from the store that the agent was enrolled with, and computes the decision again.
    fn fetch(&self, decided: &Decided) -> Result<(), Failure> {
        let (own, decision) = (self.state.layout(), decided.payload_digest());
        if own.dossier(decision)?.is_some() {
            return Ok(());
        }
        let from = Layout::open_reader(&self.memory.artifacts)?;
        let missing = || {
            let what = format!("the dossier of decision {decision}");
            Code::StoreMissing.reason().with("path", self.memory.artifacts.display()).with("what", what)
        };
        let found = from.dossier(decision)?.ok_or_else(missing)?;
        let bytes = from.read(&found.digest, MAX_DOSSIER as u64)?;
        let parts = dossier::read(&bytes)?;
        if recompute(&parts, self.root, self.earlier)?.payload_digest() != decision {
            let problem = format!("the store's dossier is not that of {decision}");
            return Err(Code::DecisionMismatch.reason().with("problem", problem).into());
        }
        let artifact = decided.value().predicate.decision.release.artifact;
        own.copy_artifact(&from, &artifact)?;
        let subject = Descriptor::new(MANIFEST, artifact, parts.manifest.len() as u64);
        own.add_entries(vec![dossier_referrer(own, &subject, &bytes, decision)?])?;
        Ok(())
    }
}

fn policy_set(
    files: &DeliveryFiles,
    unit: Unit<'_>,
    root: &TrustRoot,
) -> Result<plimsoll_policy::gather::PolicySet, Failure> {
    gather::policy_set(files, unit.project, unit.environment, root).map_err(|error| match error {
        plimsoll_policy::GatherError::Refused(reason) => reason.into(),
        plimsoll_policy::GatherError::File(errors) => Failure::Refused(errors.reasons()),
    })
}

fn link(decided: &Decided) -> Link {
    let judged = &decided.value().predicate.decision;
    let place = Place { decision: *decided.payload_digest(), counter: judged.counter.unwrap_or_default() };
    Link { place, previous: judged.previous }
}

/// A decision that was taken out of the repository is a step back.
fn removed(unit: Unit<'_>) -> Reason {
    let reason = Code::Rollback.reason().with("project", unit.project).with("environment", unit.environment);
    reason.with("actual", "no decision at all").with("expected", "the one that was accepted, or one after it")
}

fn file(path: &str) -> Result<RelPath, Failure> {
    path.parse().map_err(|error| Failure::broken("failed to name a file", &error))
}
