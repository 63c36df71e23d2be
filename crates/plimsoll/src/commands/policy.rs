//! `plimsoll policy`: the rules of a delivery repository, and who put them into force.

use crate::{
    cli::PolicyCommand,
    context::{self, Context},
    failure::Failure,
    output::Output,
    people::{Me, run},
};
use plimsoll_attest::{
    PolicySetDocument, SignedPolicySet, TrustRoot,
    document::{self, Document as _},
    policy_set::PolicySetFile,
};
use plimsoll_model::{Code, Digest, RelPath};
use plimsoll_policy::{
    rego::{Limits, NamedInput, run_tests, vacuous},
    repository::{is_policy_file, policy_statement_numbers, policy_statement_path},
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    os::fd::AsFd as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

mod preflight;

pub(crate) fn policy(
    context: &Context,
    command: &PolicyCommand,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let done = match command {
        PolicyCommand::Sign { directory, key } => sign(context, directory, key.as_deref(), output),
        PolicyCommand::Test { directory } => test(directory, output),
        PolicyCommand::Show { directory } => show(context, directory, output),
        PolicyCommand::Preflight { directory } => return preflight::preflight(context, directory, output),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// The first statement of a new delivery repository.
pub(crate) fn sign_first(directory: &Path, root: &TrustRoot, person: &Me) -> Result<(), Failure> {
    next(&Checkout::read(directory)?, root, person).map(|_| ())
}

fn sign(context: &Context, directory: &Path, key: Option<&Path>, output: &Output) -> Result<(), Failure> {
    let root = context.pinned()?.ok_or_else(context::not_pinned)?.accept()?;
    let person = Me::find(directory, key)?;
    let checkout = Checkout::read(directory)?;
    if let Ok(signed) = checkout.signed(&root)
        && signed.is_exactly(&checkout.files).is_ok()
    {
        return Err(Failure::Usage(format!(
            "statement {} is signed already and holds",
            signed.document().number
        )));
    }
    let (number, changed) = next(&checkout, &root, &person)?;
    let statement = policy_statement_path(number);
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(directory).args(arguments);
        command
    };
    let signature = format!("{statement}.sig");
    run(git(&["add", &statement, &signature]), "add the statement")?;
    let message = format!("policy: statement {number}");
    run(git(&["commit", "-q", "-m", &message, "--", &statement, &signature]), "commit the statement")?;
    let mut text = format!("signed    {statement} by {}\n", person.name);
    text.extend(changed.iter().map(|path| format!("  in force {path}\n")));
    output.result(&text, &serde_json::json!({ "statement": statement, "number": number, "changed": changed, "by": person.name }));
    Ok(())
}

/// Writes and signs the statement after the newest, and tells what it puts into force.
fn next(checkout: &Checkout, root: &TrustRoot, person: &Me) -> Result<(u64, Vec<String>), Failure> {
    let newest = checkout.statements.last_key_value();
    let number = newest.map_or(1, |(number, _)| number + 1);
    let before = newest.and_then(|(_, file)| document::read::<PolicySetDocument>(&file.bytes).ok());
    let before = before.map(|document| document.files).unwrap_or_default();
    let changed = checkout.files.iter().filter(|(path, digest)| before.get(*path) != Some(digest));
    let changed = changed.map(|(path, _)| path.clone()).collect();
    let statement = PolicySetDocument {
        version: 1,
        genesis: root.genesis().clone(),
        number,
        previous: newest.map(|(_, file)| Digest::of(&file.bytes)),
        files: checkout.files.clone(),
    };
    let broken =
        |error: &(dyn std::error::Error + 'static)| Failure::broken("the statement was not written", error);
    let bytes = document::write(&statement).map_err(|error| broken(&error))?;
    let path = checkout.directory.join(policy_statement_path(number));
    fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(|error| broken(&error))?;
    fs::write(&path, bytes).map_err(|error| broken(&error))?;
    person.sign(PolicySetDocument::NAMESPACE, &path)?;
    Ok((number, changed))
}

fn show(context: &Context, directory: &Path, output: &Output) -> Result<(), Failure> {
    let root = context.pinned()?.ok_or_else(context::not_pinned)?.accept()?;
    let checkout = Checkout::read(directory)?;
    let signed = checkout.signed(&root)?;
    let signers: Vec<&str> = signed.signers().values().map(String::as_str).collect();
    let mut text = format!("statement {}  signed by {}\n", signed.document().number, signers.join(", "));
    for (path, digest) in &checkout.files {
        let state = match signed.document().files.get(path) {
            Some(listed) if listed == digest => "in force",
            Some(_) => "CHANGED",
            None => "NOT SIGNED",
        };
        text.push_str(&format!("  {state:<10} {path}\n"));
    }
    if signed.is_exactly(&checkout.files).is_err() {
        text.push_str("next      plimsoll policy sign\n");
    }
    output.result(
        &text,
        &serde_json::json!({ "statement": signed.document(), "signers": signers, "present": checkout.files }),
    );
    Ok(())
}

/// Every policy has tests, they pass, and it can refuse something.
fn test(directory: &Path, output: &Output) -> Result<(), Failure> {
    let checkout = Checkout::read(directory)?;
    let mut texts = Vec::new();
    for path in checkout.files.keys().filter(|path| path.ends_with(".rego")) {
        let text = fs::read_to_string(directory.join(path));
        let text = text.map_err(|error| Failure::Usage(format!("failed to read {path}: {error}")))?;
        texts.push((path.as_str(), text));
    }
    let (tests, policies): (Vec<_>, Vec<_>) = texts
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .partition(|(path, _)| path.ends_with("_test.rego"));
    let report = run_tests(&policies, &tests, &Limits::default());
    let mut text = String::new();
    for outcome in &report.outcomes {
        let mark = if outcome.passed { "ok" } else { "NO" };
        let problem = outcome.problem.as_deref().unwrap_or_default();
        text.push_str(format!("{mark}  {}  {problem}", outcome.name).trim_end());
        text.push('\n');
    }
    text.extend(report.untested.iter().map(|name| format!("NO  {name}  has no test\n")));
    let some = NamedInput { name: "any".into(), id: "0".repeat(32) };
    let vacuous = policies.iter().filter_map(|(path, source)| {
        let problem = vacuous(path, source, &some, &some, &Limits::default())?;
        Some(Code::PolicyVacuous.reason().with("policy", path).with("problem", problem))
    });
    let mut reasons: Vec<_> = vacuous.collect();
    let failed = report.outcomes.iter().filter(|outcome| !outcome.passed).count() + report.untested.len();
    if failed > 0 {
        let problem = format!("{failed} of its tests fail or are missing");
        reasons.push(Code::PolicyErrored.reason().with("policy", "policies/").with("problem", problem));
    }
    if reasons.is_empty() {
        output.result(
            &text,
            &serde_json::json!({ "tests": report.outcomes.len(), "policies": policies.len() }),
        );
        return Ok(());
    }
    output.progress(text.trim_end());
    Err(Failure::Refused(reasons))
}

/// The rules as they lie in a work tree of the delivery repository.
struct Checkout {
    directory: PathBuf,
    files: BTreeMap<String, Digest>,
    statements: BTreeMap<u64, PolicySetFile>,
}

impl Checkout {
    fn read(directory: &Path) -> Result<Self, Failure> {
        let failed =
            |error: io::Error| Failure::Usage(format!("failed to read {}: {error}", directory.display()));
        if !directory.join("delivery.yaml").is_file() {
            let problem =
                format!("{} is no delivery repository: it has no delivery.yaml", directory.display());
            return Err(Failure::Usage(problem));
        }
        let mut found = Vec::new();
        walk(directory, "", &mut found).map_err(failed)?;
        let mut files = BTreeMap::new();
        for path in found.iter().filter(|path| is_policy_file(path)) {
            let opened = File::open(directory.join(path)).map_err(failed)?;
            let digest = plimsoll_fs::open_and_hash(opened.as_fd())
                .map_err(|error| Failure::broken(format!("failed to read {path}"), &error))?;
            files.insert(path.clone(), digest);
        }
        let mut statements = BTreeMap::new();
        for number in policy_statement_numbers(found.iter().map(String::as_str)) {
            let path = policy_statement_path(number);
            let bytes = fs::read(directory.join(&path)).map_err(failed)?;
            let signatures = fs::read_to_string(directory.join(format!("{path}.sig"))).unwrap_or_default();
            statements.insert(number, PolicySetFile { bytes, signatures });
        }
        Ok(Self { directory: directory.to_owned(), files, statements })
    }

    fn signed(&self, root: &TrustRoot) -> Result<SignedPolicySet, Failure> {
        Ok(SignedPolicySet::accept(root, &self.statements)?)
    }
}

/// Names of the regular files below a directory, without `.git` and without following links.
fn walk(root: &Path, below: &str, found: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() && name != ".git" {
            walk(root, &path, found)?;
        } else if kind.is_file() && path.parse::<RelPath>().is_ok() {
            found.push(path);
        }
    }
    Ok(())
}
