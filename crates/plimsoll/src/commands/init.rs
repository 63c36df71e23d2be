//! `plimsoll init`: a pipeline for a project, or a delivery repository with this person as its first.

use super::policy;
use crate::{
    cli::Init,
    context::{Context, Pinned, RUN_ROLES, public_key},
    failure::Failure,
    output::Output,
    people::{Me, run},
};
use plimsoll_attest::{
    TrustRoot,
    trust::{NamedKey, RootDocument},
};
use plimsoll_engine::ports::{CommitSignature, Source as _};
use plimsoll_git::GitSource;
use plimsoll_model::record::NetworkMode;
use plimsoll_model::{CommitId, EnvironmentName, Opaque, RelPath, Role};
use plimsoll_pipeline::{
    BlockLevel, CargoLayout, CheckKind, NewDelivery, NewEnvironment, NewPerson, NewProject, NewTarget, On,
    Pipeline, Place, Require, RequireApprovals, RequireManifest, RequireProvenance, RequireSbom, RequireScan,
    RequireSource, infer_cargo, render_people,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

/// How long an approval may be used: a day.
const EXPIRE_SECONDS: u64 = 24 * 3600;
/// The role of people who approve.
const APPROVERS: &str = "release-managers";
/// Bytes of a pipeline's file.
const LIMIT: u64 = 1 << 20;

pub(crate) fn init(context: &Context, arguments: &Init, output: &Output) -> Result<(), Failure> {
    match &arguments.delivery {
        None => pipeline(output),
        Some(directory) => delivery(context, directory, arguments, output),
    }
}

/// Writes plimsoll.yaml for the Cargo project here.
fn pipeline(output: &Output) -> Result<(), Failure> {
    let here = current_directory()?;
    let target = here.join("plimsoll.yaml");
    if target.exists() {
        return Err(Failure::Usage("there is a plimsoll.yaml already; `plimsoll check` reads it".into()));
    }
    let manifest = fs::read_to_string(here.join("Cargo.toml")).map_err(|_| {
        Failure::Usage("there is no Cargo.toml here: this version infers pipelines of Cargo projects only. Write plimsoll.yaml by hand; docs/files.md describes it".into())
    })?;
    let files = files_below(&here);
    let layout = CargoLayout { manifest: &manifest, files: &files, target: "x86_64-unknown-linux-gnu" };
    let text = infer_cargo(&layout).map_err(|error| Failure::Usage(error.to_string()))?;
    write_new(&target, text.as_bytes())?;
    output.progress(text.trim_end());
    let next = "git add plimsoll.yaml && git commit -m 'build with plimsoll' && plimsoll run";
    output.result(
        &format!("written   plimsoll.yaml\nnext      {next}"),
        &serde_json::json!({ "written": "plimsoll.yaml", "next": next }),
    );
    Ok(())
}

/// The files that the inference looks for: those beside the manifest and below `src`.
fn files_below(root: &Path) -> BTreeSet<RelPath> {
    let mut found = BTreeSet::new();
    for directory in ["", "src", "src/bin", "tests"] {
        let entries = fs::read_dir(root.join(directory)).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
            found.extend(path.parse());
            let main = format!("{path}/main.rs");
            if root.join(&main).is_file() {
                found.extend(main.parse());
            }
        }
    }
    found
}

/// Makes a delivery repository for the project here, and pins its trust root.
fn delivery(context: &Context, directory: &Path, arguments: &Init, output: &Output) -> Result<(), Failure> {
    let here = current_directory()?;
    let source = GitSource::open(&here)?;
    let head = source.resolve("HEAD")?;
    let pipeline = committed_pipeline(&source, &head.commit)?;
    if directory.exists() && fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::Usage(format!("{} is not empty", directory.display())));
    }
    let person = Me::find(&here, arguments.key.as_deref())?;
    let state = context.writer("init")?;
    if context.pinned()?.is_some() {
        let pinned = "this state directory has pinned a trust root already; another delivery repository needs another --state";
        return Err(Failure::Usage(pinned.into()));
    }
    let environments = &arguments.environments;
    let root = root(context, environments, &person)?;
    let signed = is_signed(&source, &head.commit, &person)?;
    let mut files = team_files(&source, &pipeline, &person, head.reference)?;
    for (environment, port) in environments.iter().zip(arguments.listen..) {
        let before = environments.iter().take_while(|other| *other != environment).last();
        let path = format!("environments/{environment}/environment.yaml");
        files.insert(path, new_environment(&pipeline, signed, before)?.render());
        let target = NewTarget { place: Place::Local, port: 8080, listen: port, health: "/healthz".into() };
        files.insert(format!("environments/{environment}/{}/target.yaml", pipeline.project), target.render());
    }
    fs::create_dir_all(directory)
        .map_err(|error| Failure::broken(format!("failed to make {}", directory.display()), &error))?;
    let directory =
        directory.canonicalize().map_err(|error| Failure::broken("failed to find the directory", &error))?;
    for (path, text) in &files {
        write_new(&directory.join(path), text.as_bytes())?;
    }
    let root_path = directory.join("trust/root.json");
    write_new(&root_path, root.as_bytes())?;
    let signature = person.sign("plimsoll-root", &root_path)?;
    let accepted = TrustRoot::accept(root.as_bytes(), &[&signature], None)?;
    policy::sign_first(&directory, &accepted, &person)?;
    commit(&directory, &person)?;
    let delivery = directory.display().to_string();
    context.pin(&Pinned {
        version: 1,
        delivery,
        root,
        signatures: vec![signature],
        earlier: BTreeSet::new(),
    })?;
    context.refresh()?;
    drop(state);
    let mut text: String = files.keys().map(|path| format!("written   {path}\n")).collect();
    let first = environments.first().map_or("", |environment| environment.as_str());
    let next = format!("plimsoll run && plimsoll promote {} --to {first}", pipeline.project);
    text.push_str(&format!("pinned    the trust root of {}\nnext      {next}", directory.display()));
    output.result(&text, &serde_json::json!({ "delivery": directory, "written": files.keys().collect::<Vec<_>>(), "next": next }));
    Ok(())
}

fn committed_pipeline(source: &GitSource, commit: &CommitId) -> Result<Pipeline, Failure> {
    let path = plimsoll_engine::derive::pipeline_path(source.prefix())
        .map_err(|error| Failure::broken("failed to name the pipeline's file", &error))?;
    let bytes = source.file(commit, &path, LIMIT)?;
    let missing = || {
        let what = format!("{path} is not committed yet; the delivery repository approves what is committed");
        Failure::Usage(format!(
            "{what}: plimsoll init && git add plimsoll.yaml && git commit -m 'build with plimsoll'"
        ))
    };
    Pipeline::read(path.as_str(), &bytes.ok_or_else(missing)?)
        .map_err(|errors| Failure::Refused(errors.reasons()))
}

pub(crate) fn random_id() -> Result<Opaque, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Failure::broken("failed to find randomness", &error))?;
    Ok(Opaque::from_random(bytes))
}

fn root(context: &Context, environments: &[EnvironmentName], person: &Me) -> Result<String, Failure> {
    let keys = context.keys();
    let mut roles = BTreeMap::new();
    let of_environment = |name: &EnvironmentName| [Role::Decision(name.clone()), Role::Agent(name.clone())];
    let of_environments = environments.iter().flat_map(of_environment);
    for role in RUN_ROLES.into_iter().chain([Role::Refusal]).chain(of_environments) {
        let made = keys.load_or_create(&role);
        made.map_err(|error| Failure::broken(format!("failed to make the {role} key"), &error))?;
        roles.insert(role.clone(), vec![public_key(&keys, &role)?.to_pem()]);
    }
    let named = NamedKey { name: person.name.clone(), key: person.key.clone() };
    let document = RootDocument {
        version: 1,
        genesis: random_id()?,
        number: 1,
        threshold: 1,
        root_keys: vec![named.clone()],
        roles,
        policy_signers: vec![named],
    };
    let text = serde_json::to_string_pretty(&document)
        .map_err(|error| Failure::broken("failed to write the root", &error))?;
    Ok(text + "\n")
}

/// The files of the team and of the project.
fn team_files(
    source: &GitSource,
    pipeline: &Pipeline,
    person: &Me,
    reference: Option<String>,
) -> Result<BTreeMap<String, String>, Failure> {
    let digest = pipeline.digest().map_err(|error| Failure::broken("failed to name the pipeline", &error))?;
    let repository = source.work_tree().map(|path| path.display().to_string()).unwrap_or_default();
    let project = NewProject {
        id: random_id()?,
        repository,
        path: source.prefix().cloned(),
        protected: vec![reference.unwrap_or_else(|| "refs/heads/main".into())],
        pipelines: vec![digest],
    };
    let me = NewPerson {
        name: person.name.clone(),
        git_emails: vec![person.email.clone()],
        ssh_keys: vec![person.key.clone()],
        roles: vec![APPROVERS.into()],
        ..NewPerson::default()
    };
    Ok(BTreeMap::from([
        ("delivery.yaml".into(), NewDelivery { team: None }.render()),
        ("people.yaml".into(), render_people(&[me])),
        (format!("projects/{}.yaml", pipeline.project), project.render()),
    ]))
}

/// An environment that asks for everything that the project can show already; one that comes after another also for
/// somebody else's approval.
fn new_environment(
    pipeline: &Pipeline,
    signed: bool,
    before: Option<&EnvironmentName>,
) -> Result<NewEnvironment, Failure> {
    let approvals = before.map(|_| RequireApprovals {
        count: 1,
        from: BTreeSet::from([APPROVERS.to_owned()]),
        expire_seconds: EXPIRE_SECONDS,
        // Where nobody signs commits, one more person has to look.
        unsigned_needs_extra: !signed,
    });
    Ok(NewEnvironment {
        id: random_id()?,
        after: before.cloned(),
        soak_seconds: 0,
        require: Require { approvals, ..require(pipeline, signed) },
        freeze: vec![],
        rollback: None,
    })
}

/// Whether the person signs commits already: then the environment asks for it.
fn is_signed(source: &GitSource, commit: &CommitId, person: &Me) -> Result<bool, Failure> {
    let facts = source.commit(commit, std::slice::from_ref(&person.key))?;
    Ok(matches!(facts.signature, CommitSignature::Good { .. }))
}

fn require(pipeline: &Pipeline, signed: bool) -> Require {
    let tests = pipeline.checks.iter().filter(|check| matches!(check.kind, CheckKind::Test { .. }));
    let tests: BTreeMap<_, On> = tests.map(|check| (check.name.clone(), check.on)).collect();
    let scans =
        pipeline.checks.iter().filter_map(|check| Some((check.name.clone(), require_scan(&check.kind)?)));
    let lists = pipeline.checks.iter().any(|check| matches!(check.kind, CheckKind::Sbom));
    Require {
        source: Some(RequireSource { protected: true, signed }),
        provenance: Some(RequireProvenance {
            builder: Some(BTreeSet::from(["local".to_owned()])),
            network: Some(BTreeSet::from([NetworkMode::None, NetworkMode::Locked])),
        }),
        tests,
        scans: scans.collect(),
        sbom: lists.then_some(RequireSbom::Any),
        ..Require::default()
    }
}

/// What is asked of a scan whose findings are listed one by one. A foreign scanner that comes with Plimsoll counts as it
/// comes, so that a manifest of the project cannot take its place.
fn require_scan(kind: &CheckKind) -> Option<RequireScan> {
    let blocking = RequireScan::blocking(BlockLevel::Error);
    match kind {
        CheckKind::Scan { .. } | CheckKind::Manifest { file: Some(_), .. } => Some(blocking),
        CheckKind::Manifest { file: None, .. } => {
            Some(RequireScan { manifest: Some(RequireManifest::Ready), ..blocking })
        }
        CheckKind::Test { .. } | CheckKind::Adapter { .. } | CheckKind::Sbom => None,
    }
}

fn commit(directory: &Path, person: &Me) -> Result<(), Failure> {
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(directory).args(arguments);
        command
    };
    run(git(&["init", "-q", "-b", "main"]), "make the delivery repository")?;
    // Promotions are pushed to it and appear in its work tree.
    let push = ["config", "receive.denyCurrentBranch", "updateInstead"];
    run(git(&push), "let promotions into the delivery repository")?;
    run(git(&["add", "-A"]), "add files to the delivery repository")?;
    let name = format!("user.name={}", person.name);
    let email = format!("user.email={}", person.email);
    let arguments = ["-c", &name, "-c", &email, "commit", "-q", "-m", "delivery: the first environment"];
    run(git(&arguments), "commit to the delivery repository")
}

fn current_directory() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| Failure::broken("failed to find this directory", &error))
}

/// Writes a file that must not be there: whole, or not at all.
fn write_new(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::broken(format!("failed to write {}", path.display()), &error);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut file = fs::File::create_new(path).map_err(failed)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    written.map_err(|error| {
        let _ = fs::remove_file(path);
        failed(error)
    })
}
