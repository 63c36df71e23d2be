//! `plimsoll scan released`: what became known about the packages of what runs. Neither source nor artifact is needed:
//! every release has a signed list of what it is made of, and that is compared with the advisories in use.

use crate::{
    advisories, board,
    cli::scan::ScanReleased,
    context::{Context, not_pinned},
    failure::Failure,
    output::Output,
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
use plimsoll_model::{CommitId, Digest, Role, RunId, ScanEngine, Timestamp, reason::printable};
use plimsoll_scan::Finding;
use plimsoll_store::StateDir;
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    process::ExitCode,
};

/// Bytes of a bundle.
const LIMIT: u64 = 32 << 20;

/// A release that runs, or that should.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Running {
    unit: String,
    artifact: Digest,
    commit: CommitId,
    /// When it was allowed, or came to serve.
    since: Timestamp,
    #[serde(skip)]
    run: Option<RunId>,
}

/// Something that is known about a package of a release.
#[derive(Debug, Serialize)]
struct Known {
    /// Whether it was not known yet when the release was scanned.
    new: bool,
    finding: Finding,
    releases: Vec<Running>,
}

/// What a package is called in advisories.
type Name = (Ecosystem, String, String, String);

/// What came of comparing.
#[derive(Debug, Default)]
struct Told {
    known: Vec<Known>,
    /// Of which releases or packages nothing can be said, and why.
    untold: Vec<String>,
    releases: usize,
}

pub(crate) fn scan(context: &Context, asked: &ScanReleased, output: &Output) -> Result<ExitCode, Failure> {
    let index = advisories::in_use(context)?.index;
    let pinned = context.pinned()?.ok_or_else(not_pinned)?;
    let mut told = Told::default();
    let mut running = Vec::new();
    for place in board::newest_places(context, pinned, output)? {
        if asked.environments.is_empty() || asked.environments.contains(&place.unit.environment) {
            match releases(place) {
                Ok(found) => running.extend(found),
                Err(problem) => told.untold.push(problem),
            }
        }
    }
    told.releases = running.len();
    let listed = listed(context, running, &mut told.untold)?;
    told.compare(&listed, &index)?;
    told.known.retain(|known| known.finding.severity >= asked.least && (asked.all || known.new));
    let database = index.database();
    let value = serde_json::json!({
        "advisories": { "index": database.digest, "updated": database.updated },
        "releases": told.releases, "findings": told.known, "untold": told.untold,
    });
    output.result(&told.text(), &value);
    Ok(ExitCode::from(match (told.known.is_empty(), told.untold.is_empty()) {
        (false, _) => 1,
        (true, false) => 3,
        (true, true) => 0,
    }))
}

/// What stands in a place, and what was seen to run there, where that is another.
fn releases(Place { unit, standing, observed }: Place) -> Result<Vec<Running>, String> {
    let standing = standing.map_err(|problem| format!("{unit}: {problem}"))?;
    let standing = standing.map(|promoted| {
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
    let observed = observed.map(|seen| Running {
        unit: unit.to_string(),
        artifact: seen.artifact,
        commit: seen.commit,
        since: seen.since,
        run: None,
    });
    let other = observed.filter(|seen| Some(seen.artifact) != standing.as_ref().map(|it| it.artifact));
    Ok(standing.into_iter().chain(other).collect())
}

/// A release with its packages.
struct Listed {
    release: Running,
    components: Vec<Component>,
    /// What was found when it was scanned.
    known: BTreeSet<Digest>,
}

/// The signed list of each release; what has none is said in `untold`.
fn listed(
    context: &Context,
    running: Vec<Running>,
    untold: &mut Vec<String>,
) -> Result<Vec<Listed>, Failure> {
    let (state, trust) = (context.reader()?, context.trust()?);
    let finished = records::list(&state)?.filter_map(|found| found.map(|found| found.record).transpose());
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
        match components(&state, &trust, run, &release.artifact) {
            Ok(components) => {
                let known = own.map(|run| scanned(&state, &trust, run)).unwrap_or_default();
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
    fn compare(&mut self, listed: &[Listed], index: &Index) -> Result<(), Failure> {
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

    fn text(&self) -> String {
        let mut text = String::new();
        for Known { new, finding, releases } in &self.known {
            let mark = if *new { "" } else { " (known when it was released)" };
            // Writing to a string does not fail.
            let _ = writeln!(text, "{}: {}{mark}", finding.severity, printable(&finding.message, 400));
            for release in releases {
                let (commit, artifact) = (release.commit.short(), release.artifact.short());
                let (unit, since) = (&release.unit, release.since);
                let _ = writeln!(text, "  in   {unit}  commit {commit}  artifact {artifact}  since {since}");
            }
            if let Some(fix) = &finding.fix {
                let _ = writeln!(text, "  fix  {}", printable(fix, 400));
            }
        }
        for problem in &self.untold {
            let _ = writeln!(text, "cannot tell: {}", printable(problem, 400));
        }
        if self.known.is_empty() && self.untold.is_empty() {
            let _ = writeln!(text, "nothing new is known about {} releases", self.releases);
        }
        text
    }
}
