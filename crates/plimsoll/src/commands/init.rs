//! `plimsoll init`: a pipeline for a project, or a delivery repository with this person as its first.

use crate::{
    cli::Init,
    context::{Context, Pinned, RUN_ROLES, public_key},
    failure::Failure,
    output::Output,
    toolchain,
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
    CargoLayout, CheckKind, NewDelivery, NewEnvironment, NewPerson, NewProject, NewTarget, On, Pipeline,
    Place, Require, RequireProvenance, RequireSource, infer_cargo, render_people,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The only environment of this version.
const ENVIRONMENT: &str = "local";
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
    let person = person(&here, arguments.key.as_deref())?;
    let state = context.writer("init")?;
    let environment: EnvironmentName =
        ENVIRONMENT.parse().map_err(|error| Failure::broken("failed to name an environment", &error))?;
    let root = root(context, &environment, &person)?;
    let signed = is_signed(&source, &head.commit, &person)?;
    let target =
        NewTarget { place: Place::Local, port: 8080, listen: arguments.listen, health: "/healthz".into() };
    let mut files = policy_files(&source, &pipeline, &person, &environment, head.reference, signed)?;
    files.insert(format!("environments/{environment}/{}/target.yaml", pipeline.project), target.render());
    fs::create_dir_all(directory)
        .map_err(|error| Failure::broken(format!("failed to make {}", directory.display()), &error))?;
    let directory =
        directory.canonicalize().map_err(|error| Failure::broken("failed to find the directory", &error))?;
    for (path, text) in &files {
        write_new(&directory.join(path), text.as_bytes())?;
    }
    let root_path = directory.join("trust/root.json");
    write_new(&root_path, root.as_bytes())?;
    sign(&root_path, &person)?;
    let signature = fs::read_to_string(root_path.with_extension("json.sig"))
        .map_err(|error| Failure::broken("failed to read the root's signature", &error))?;
    TrustRoot::accept(root.as_bytes(), &[&signature], None)?;
    commit(&directory, &person)?;
    context.pin(&Pinned { version: 1, delivery: directory.clone(), root, signatures: vec![signature] })?;
    drop(state);
    let mut text: String = files.keys().map(|path| format!("written   {path}\n")).collect();
    let next = format!("plimsoll run && plimsoll promote {} --to {ENVIRONMENT}", pipeline.project);
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

/// The first person: who uses git here, with their SSH key.
struct FirstPerson {
    name: String,
    email: String,
    /// The public key's file; `ssh-keygen` finds the private half beside it or in the agent.
    key_file: PathBuf,
    key: String,
}

fn person(here: &Path, key: Option<&Path>) -> Result<FirstPerson, Failure> {
    let need = |name: &str, value: Option<String>| {
        value.ok_or_else(|| {
            Failure::Usage(format!("git does not know who you are: git config --global {name} …"))
        })
    };
    let name = need("user.name", git_config(here, "user.name"))?;
    let email = need("user.email", git_config(here, "user.email"))?;
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let candidates = [
        key.map(Path::to_owned),
        git_config(here, "user.signingKey").map(PathBuf::from).map(|path| home.join(path)),
        Some(home.join(".ssh/id_ed25519.pub")),
        Some(home.join(".ssh/id_ecdsa.pub")),
    ];
    let key_file = candidates.into_iter().flatten().map(public_half).find(|path| path.is_file());
    let key_file = key_file.ok_or_else(|| {
        Failure::Usage(
            "there is no SSH public key to sign with: ssh-keygen -t ed25519, or name one with --key".into(),
        )
    })?;
    let key = fs::read_to_string(&key_file)
        .map_err(|error| Failure::broken(format!("failed to read {}", key_file.display()), &error))?;
    Ok(FirstPerson { name, email, key_file, key: key.trim().to_owned() })
}

fn public_half(path: PathBuf) -> PathBuf {
    if path.extension().is_some_and(|extension| extension == "pub") {
        return path;
    }
    let mut name = path.into_os_string();
    name.push(".pub");
    name.into()
}

/// A value of git's configuration, as the person at the terminal set it.
fn git_config(here: &Path, name: &str) -> Option<String> {
    let output = Command::new(toolchain::on_path("git")?)
        .current_dir(here)
        .args(["config", "--get", name])
        .output()
        .ok()?;
    let value = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    Some(value).filter(|value| output.status.success() && !value.is_empty())
}

fn random_id() -> Result<Opaque, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Failure::broken("failed to find randomness", &error))?;
    Ok(Opaque::from_random(bytes))
}

fn root(context: &Context, environment: &EnvironmentName, person: &FirstPerson) -> Result<String, Failure> {
    let keys = context.keys();
    let mut roles = BTreeMap::new();
    for role in RUN_ROLES.into_iter().chain([Role::Decision(environment.clone()), Role::Refusal]) {
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

/// The policy files: everything that the project can show already is asked for.
fn policy_files(
    source: &GitSource,
    pipeline: &Pipeline,
    person: &FirstPerson,
    environment: &EnvironmentName,
    reference: Option<String>,
    signed: bool,
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
        ..NewPerson::default()
    };
    let name = &pipeline.project;
    let new_environment = NewEnvironment {
        id: random_id()?,
        after: None,
        soak_seconds: 0,
        require: require(pipeline, signed),
        freeze: vec![],
        rollback: None,
    };
    Ok(BTreeMap::from([
        ("delivery.yaml".into(), NewDelivery { team: None }.render()),
        ("people.yaml".into(), render_people(&[me])),
        (format!("projects/{name}.yaml"), project.render()),
        (format!("environments/{environment}/environment.yaml"), new_environment.render()),
    ]))
}

/// Whether the person signs commits already: then the environment asks for it.
fn is_signed(source: &GitSource, commit: &CommitId, person: &FirstPerson) -> Result<bool, Failure> {
    let facts = source.commit(commit, std::slice::from_ref(&person.key))?;
    Ok(matches!(facts.signature, CommitSignature::Good { .. }))
}

fn require(pipeline: &Pipeline, signed: bool) -> Require {
    let tests = pipeline.checks.iter().filter(|check| matches!(check.kind, CheckKind::Test { .. }));
    let tests: BTreeMap<_, On> = tests.map(|check| (check.name.clone(), check.on)).collect();
    Require {
        source: Some(RequireSource { protected: true, signed }),
        provenance: Some(RequireProvenance {
            builder: Some(BTreeSet::from(["local".to_owned()])),
            network: Some(BTreeSet::from([NetworkMode::None, NetworkMode::Locked])),
        }),
        tests,
        ..Require::default()
    }
}

/// Signs the root with the person's own key: file, agent or security key, as `ssh-keygen` finds it.
fn sign(root: &Path, person: &FirstPerson) -> Result<(), Failure> {
    let mut command = Command::new("ssh-keygen");
    command.args(["-Y", "sign", "-q", "-n", "plimsoll-root", "-f"]).arg(&person.key_file).arg(root);
    run(command, "sign the trust root")
}

fn commit(directory: &Path, person: &FirstPerson) -> Result<(), Failure> {
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(directory).args(arguments);
        command
    };
    run(git(&["init", "-q", "-b", "main"]), "make the delivery repository")?;
    run(git(&["add", "-A"]), "add files to the delivery repository")?;
    let name = format!("user.name={}", person.name);
    let email = format!("user.email={}", person.email);
    let arguments = ["-c", &name, "-c", &email, "commit", "-q", "-m", "delivery: the first environment"];
    run(git(&arguments), "commit to the delivery repository")
}

fn run(mut command: Command, what: &str) -> Result<(), Failure> {
    let output = command.stdin(Stdio::inherit()).output();
    let output = output.map_err(|error| Failure::broken(format!("failed to {what}"), &error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Failure::Broken { what: format!("failed to {what}: {}", said.trim()), next: None })
}

fn current_directory() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| Failure::broken("failed to find this directory", &error))
}

/// Writes a file that must not be there.
fn write_new(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::broken(format!("failed to write {}", path.display()), &error);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut file = fs::File::create_new(path).map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.sync_all().map_err(failed)
}
