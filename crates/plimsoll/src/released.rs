//! What is known about the packages of what runs: the signed list of each release against an index of advisories. Neither
//! source nor artifact is needed. It is what is known today, and no part of what was decided.

use crate::{
    advisories,
    context::Context,
    failure::Failure,
    places::Place,
    records::{self, RunRecord},
};
use plimsoll_attest::{
    Trust, check_subject,
    predicate::{Sbom, Scan, sbom},
    verify,
};
use plimsoll_dependencies::{
    Component, Ecosystem, Graph, Index,
    component::Origin,
    matching::{self, Options},
};
use plimsoll_engine::ports::Blobs as _;
use plimsoll_model::{CommitId, Digest, Role, RunId, ScanEngine, Severity, Timestamp};
use plimsoll_scan::Finding;
use plimsoll_store::StateDir;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of a bundle.
const LIMIT: u64 = 32 << 20;

/// A release that runs, or that should.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Running {
    /// The project and where it runs.
    pub(crate) unit: String,
    /// What runs.
    pub(crate) artifact: Digest,
    /// What it was made from.
    pub(crate) commit: CommitId,
    /// When it was allowed, or came to serve.
    pub(crate) since: Timestamp,
    #[serde(skip)]
    run: Option<RunId>,
}

/// Something that is known about a package of a release.
#[derive(Debug, Serialize)]
pub(crate) struct Known {
    /// Whether it was not known yet when the release was scanned.
    pub(crate) new: bool,
    /// What it is.
    pub(crate) finding: Finding,
    /// Who has it.
    pub(crate) releases: Vec<Running>,
}

/// What a package is called in advisories.
type Name = (Ecosystem, String, String, String);

/// What came of comparing.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The worst first.
    pub(crate) known: Vec<Known>,
    /// Of which releases or packages nothing can be said, and why.
    pub(crate) untold: Vec<String>,
}

/// What runs in these places; of which that cannot be said, and why.
pub(crate) fn running<'p>(places: impl Iterator<Item = &'p Place>) -> (Vec<Running>, Vec<String>) {
    let (mut running, mut untold) = (Vec::new(), Vec::new());
    for place in places {
        match releases(place) {
            Ok(found) => running.extend(found),
            Err(problem) => untold.push(problem),
        }
    }
    (running, untold)
}

/// What stands in a place, and what was seen to run there, where that is another.
fn releases(Place { unit, standing, observed }: &Place) -> Result<Vec<Running>, String> {
    let standing = standing.as_ref().map_err(|problem| format!("{unit}: {problem}"))?;
    let standing = standing.as_ref().map(|promoted| {
        let summary = &promoted.statement.value().predicate;
        let decision = &summary.decision;
        Running {
            unit: unit.to_string(),
            artifact: decision.release.artifact,
            commit: decision.commit.clone(),
            since: summary.time_verified,
            run: Some(decision.run.clone()),
        }
    });
    let observed = observed.as_ref().map(|seen| Running {
        unit: unit.to_string(),
        artifact: seen.artifact,
        commit: seen.commit.clone(),
        since: seen.since,
        run: None,
    });
    let other = observed.filter(|seen| Some(seen.artifact) != standing.as_ref().map(|it| it.artifact));
    Ok(standing.into_iter().chain(other).collect())
}

/// A release with its packages.
pub(crate) struct Listed {
    /// The release.
    release: Running,
    components: Vec<Component>,
    /// What was found when it was scanned.
    known: BTreeSet<Digest>,
}

/// The signed list of each release; what has none is said in `untold`.
///
/// # Errors
/// When the records of runs or the trusted keys cannot be read.
pub(crate) fn listed(
    context: &Context,
    state: &StateDir,
    running: Vec<Running>,
    untold: &mut Vec<String>,
) -> Result<Vec<Listed>, Failure> {
    let trust = context.trust()?;
    let finished = records::list(state)?.filter_map(|found| found.map(|found| found.record).transpose());
    let runs = finished.collect::<Result<Vec<RunRecord>, Failure>>()?;
    let by_run: BTreeMap<&RunId, &RunRecord> = runs.iter().map(|run| (&run.run, run)).collect();
    let lists = |run: &&RunRecord| run.statement("sbom").is_some();
    let made = runs.iter().filter(lists).filter_map(|run| Some((run.artifact.as_ref()?.manifest, run)));
    let by_artifact: BTreeMap<Digest, &RunRecord> = made.collect();
    let mut all = Vec::new();
    for release in running {
        let own = release.run.as_ref().and_then(|run| by_run.get(run)).copied();
        let with_list = own.filter(lists).or_else(|| by_artifact.get(&release.artifact).copied());
        let Some(run) = with_list else {
            untold.push(format!(
                "{} commit {}: no signed list of artifact {} is here; let its pipeline make one: scan: [sbom]",
                release.unit,
                release.commit.short(),
                release.artifact.short(),
            ));
            continue;
        };
        match components(state, &trust, run, &release.artifact) {
            Ok(components) => {
                let known = own.map(|run| scanned(state, &trust, run)).unwrap_or_default();
                all.push(Listed { release, components, known });
            }
            Err(failure) => untold.push(format!("{}: {}", release.unit, failure.text())),
        }
    }
    Ok(all)
}

/// The packages of an artifact that come from a registry, by the list that the run signed.
fn components(
    state: &StateDir,
    trust: &Trust,
    run: &RunRecord,
    artifact: &Digest,
) -> Result<Vec<Component>, Failure> {
    let Some(made) = run.statement("sbom") else { return Ok(vec![]) };
    let bundle = state.layout().read(&made.bundle, LIMIT)?;
    let list = verify::<Sbom>(&bundle, trust, &Role::Scanner)?;
    check_subject(list.value(), artifact)?;
    Ok(list.value().predicate.components.iter().filter_map(component).collect())
}

/// A package as advisories know it; none for what comes from no registry, about which there are none.
fn component(listed: &sbom::Component) -> Option<Component> {
    let purl = listed.purl.as_ref()?;
    let rest = listed.reference.strip_prefix(purl.as_str())?;
    let published = rest.is_empty() || rest.starts_with("#sha256:");
    let ecosystem = Ecosystem::of_purl(purl).filter(|_| published)?;
    let separator = if ecosystem == Ecosystem::Maven { ':' } else { '/' };
    let name = match &listed.group {
        Some(group) => format!("{group}{separator}{}", listed.name),
        None => listed.name.clone(),
    };
    let mut component = Component::new(ecosystem, &name, &listed.version);
    component.purl.clone_from(purl);
    if let Some((_, release)) = listed.property("plimsoll:distribution").and_then(|it| it.split_once(':')) {
        component.release = release.to_owned();
    }
    let origin = listed.property("plimsoll:source-package").zip(listed.property("plimsoll:source-version"));
    component.origin =
        origin.map(|(name, version)| Origin { name: name.to_owned(), version: version.to_owned() });
    Some(component)
}

/// Fingerprints of what the scans of dependencies of a run had found. What cannot be read was not known.
fn scanned(state: &StateDir, trust: &Trust, run: &RunRecord) -> BTreeSet<Digest> {
    let engine = ScanEngine::Dependencies;
    let made = [engine.as_str(), engine.artifact_check()].into_iter().filter_map(|name| run.statement(name));
    let scans = made.filter_map(|made| {
        let bundle = state.layout().read(&made.bundle, LIMIT).ok()?;
        verify::<Scan>(&bundle, trust, &Role::Scanner).ok()?.value().predicate.own.clone()
    });
    scans.flat_map(|own| own.results).map(|result| result.fingerprint).collect()
}

fn name(component: &Component) -> Name {
    let Component { ecosystem, release, name, version, .. } = component;
    (*ecosystem, release.clone(), name.clone(), version.clone())
}

impl Told {
    /// Looks each package up once, however many releases have it.
    ///
    /// # Errors
    /// When a page of the index was altered.
    pub(crate) fn compare(&mut self, listed: &[Listed], index: &Index) -> Result<(), Failure> {
        let mut having: BTreeMap<Name, Vec<&Listed>> = BTreeMap::new();
        let mut graph = Graph::default();
        for list in listed {
            for component in &list.components {
                let having = having.entry(name(component)).or_default();
                if having.is_empty() {
                    graph.components.push(component.clone());
                }
                having.push(list);
            }
        }
        let by_purl: BTreeMap<&str, Name> =
            graph.components.iter().map(|component| (component.purl.as_str(), name(component))).collect();
        let checked = matching::check(std::slice::from_ref(&graph), index, &Options::default());
        let checked = checked.map_err(|error| advisories::damaged(&error))?;
        self.untold.extend(checked.gaps.into_iter().map(|gap| gap.problem));
        for finding in checked.findings {
            let having = by_purl.get(finding.subject.as_str()).and_then(|name| having.get(name));
            self.add(&finding, having.map_or(&[][..], Vec::as_slice));
        }
        self.known.sort_by(|a, b| {
            (b.finding.severity, &a.finding.message).cmp(&(a.finding.severity, &b.finding.message))
        });
        Ok(())
    }

    /// One entry for the releases in which it is new, and one for those in which it is not.
    fn add(&mut self, finding: &Finding, having: &[&Listed]) {
        let was_known = |list: &&&Listed| list.known.contains(&finding.fingerprint.digest());
        let (known, new): (Vec<&&Listed>, Vec<&&Listed>) = having.iter().partition(|list| was_known(list));
        for (new, lists) in [(true, new), (false, known)] {
            let releases: BTreeSet<Running> = lists.iter().map(|list| list.release.clone()).collect();
            if !releases.is_empty() {
                let releases = releases.into_iter().collect();
                self.known.push(Known { new, finding: finding.clone(), releases });
            }
        }
    }
}

/// What is known today about what runs in one place, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Today {
    /// When the advisories were changed last at their source.
    pub(crate) updated: Timestamp,
    /// How bad the worst is.
    pub(crate) worst: Severity,
    /// How many.
    pub(crate) count: usize,
    /// Its first names, the worst first.
    pub(crate) names: Vec<String>,
}

/// Names that are told of one place.
const NAMED: usize = 3;

/// What the index in use says about what runs, by place; nothing where there is no index, or no list to hold against it.
/// `least` is what is worth telling.
pub(crate) fn today(
    context: &Context,
    state: &StateDir,
    places: &[Place],
    least: Severity,
) -> Result<BTreeMap<String, Today>, Failure> {
    let Ok(advisories::InUse { index, .. }) = advisories::in_use(context) else { return Ok(BTreeMap::new()) };
    let (running, _) = running(places.iter());
    let mut told = Told::default();
    told.compare(&listed(context, state, running, &mut vec![])?, &index)?;
    let updated = index.database().updated;
    let mut all: BTreeMap<String, Today> = BTreeMap::new();
    for known in told.known.iter().filter(|known| known.finding.severity >= least) {
        let units: BTreeSet<&String> = known.releases.iter().map(|release| &release.unit).collect();
        for unit in units {
            let empty = || Today { updated, worst: known.finding.severity, count: 0, names: vec![] };
            let today = all.entry(unit.clone()).or_insert_with(empty);
            today.worst = today.worst.max(known.finding.severity);
            today.count += 1;
            today.names.extend(known.finding.aliases.first().filter(|_| today.names.len() < NAMED).cloned());
        }
    }
    Ok(all)
}

impl Today {
    /// In one line.
    pub(crate) fn text(&self) -> String {
        let day = self.updated.to_string();
        let (day, names) = (day.get(..10).unwrap_or_default(), self.names.join(", "));
        let more = self.count - self.names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let worst = self.worst;
        format!(
            "known today, by advisories of {day}: {names}{more}, at worst {worst}; next: plimsoll scan released"
        )
    }
}

/// What another index means for what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Touched {
    /// Released artifacts that have a signed list.
    pub(crate) artifacts: usize,
    /// Those about which it says what the index before it did not say.
    pub(crate) newly: usize,
}

/// Which released artifacts an index is about and the one before was not; none where nothing is released. Nothing is fetched.
///
/// # Errors
/// When what is released cannot be read, or a page of an index was altered.
pub(crate) fn touched(
    context: &Context,
    state: &StateDir,
    before: Option<&Index>,
    index: &Index,
) -> Result<Option<Touched>, Failure> {
    let (running, _) = running(crate::places::known_places(context)?.iter());
    if running.is_empty() {
        return Ok(None);
    }
    let lists = listed(context, state, running, &mut vec![])?;
    let known = |index: Option<&Index>| -> Result<BTreeSet<(Digest, Digest)>, Failure> {
        let mut told = Told::default();
        if let Some(index) = index {
            told.compare(&lists, index)?;
        }
        let of = |known: &Known| {
            let fingerprint = known.finding.fingerprint.digest();
            known.releases.iter().map(|release| (release.artifact, fingerprint)).collect::<Vec<_>>()
        };
        Ok(told.known.iter().flat_map(of).collect())
    };
    let (old, new) = (known(before)?, known(Some(index))?);
    let artifacts: BTreeSet<Digest> = lists.iter().map(|list| list.release.artifact).collect();
    let newly: BTreeSet<&Digest> = new.difference(&old).map(|(artifact, _)| artifact).collect();
    Ok((!artifacts.is_empty()).then_some(Touched { artifacts: artifacts.len(), newly: newly.len() }))
}
