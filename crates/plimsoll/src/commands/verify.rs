//! `plimsoll verify`: is this signed by whom it should be, about what it should be? Offline; reads nothing but the files
//! it is given and what is pinned.

use crate::{
    cli::Verify,
    context::{Context, not_pinned},
    failure::Failure,
    output::Output,
};
use plimsoll_attest::{AnyStatement, Trust, TrustRoot, Verified, verify_any};
use plimsoll_model::{Code, Digest, removed};
use plimsoll_policy::Verdict;
use std::{
    collections::BTreeSet,
    fmt::Display,
    fs::{self, File},
    io::Read,
    os::fd::AsFd as _,
    path::Path,
};

/// Bytes of a bundle or dossier.
const LIMIT: u64 = 512 << 20;

pub(crate) fn verify(context: &Context, arguments: &Verify, output: &Output) -> Result<(), Failure> {
    let bytes = read(&arguments.file)?;
    let (root, earlier) = match (&arguments.root, context.pinned()?) {
        (Some(root), _) => (Some(read_root(root)?), BTreeSet::new()),
        (None, Some(pinned)) => (Some(pinned.accept()?), pinned.earlier),
        (None, None) => (None, BTreeSet::new()),
    };
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return dossier(&bytes, (&root.ok_or_else(not_pinned)?, &earlier), arguments, output);
    }
    match root {
        Some(root) => bundle(&bytes, root.trust(), arguments, output),
        None => bundle(&bytes, &context.trust()?, arguments, output),
    }
}

/// Recomputes the decision from what the dossier holds; only then are its words shown.
fn dossier(
    bytes: &[u8],
    (root, earlier): (&TrustRoot, &BTreeSet<Digest>),
    arguments: &Verify,
    output: &Output,
) -> Result<(), Failure> {
    let parts = plimsoll_policy::dossier::read(bytes)?;
    let statement = plimsoll_policy::dossier::recompute(&parts, root, earlier)?;
    let summary = &statement.value().predicate;
    let decision = &summary.decision;
    let verdict = match decision.verdict {
        Verdict::Allow => "allowed",
        Verdict::Refuse => "refused",
    };
    let text = format!(
        "recomputed {}\nverdict    {verdict}\ndecision   {}\nunit       {}@{}\nartifact   {}\nrun        {}\ndecided    {}\n",
        arguments.file.display(),
        statement.payload_digest(),
        decision.project.name,
        decision.environment.name,
        decision.release.artifact,
        decision.run,
        summary.time_verified,
    );
    output.result(&text, &serde_json::json!({ "result": "recomputed", "decision": statement.payload_digest(), "summary": summary }));
    Ok(())
}

fn bundle(bytes: &[u8], trust: &Trust, arguments: &Verify, output: &Output) -> Result<(), Failure> {
    let statement = verify_any(bytes, trust)?;
    if let Some(file) = &arguments.subject {
        about(&statement, &hash(file)?)?;
    }
    let AnyStatement { predicate_type, subject, predicate } = statement.value();
    let mut text = format!(
        "verified  {}\nsigned    {}\nkind      {predicate_type}\nstatement {}\n",
        arguments.file.display(),
        statement.role(),
        statement.payload_digest()
    );
    text.extend(
        subject.iter().map(|subject| format!("subject   {}  {}\n", subject.sha256(), subject.name())),
    );
    let value = serde_json::json!({
        "result": "verified", "role": statement.role(), "statement": statement.payload_digest(),
        "predicateType": predicate_type, "subject": subject, "predicate": predicate,
    });
    output.result(&text, &value);
    Ok(())
}

fn about(statement: &Verified<AnyStatement>, digest: &Digest) -> Result<(), Failure> {
    let subjects = &statement.value().subject;
    if removed!("subject") || subjects.iter().any(|subject| subject.sha256() == *digest) {
        return Ok(());
    }
    let named = subjects.first().map_or_else(String::new, |subject| subject.sha256().to_string());
    Err(Code::SubjectMismatch.reason().with("actual", named).with("expected", digest).into())
}

/// A trust root with the signatures beside it: every file whose name begins with that of the root and ends in `.sig`.
pub(crate) fn read_root(path: &Path) -> Result<TrustRoot, Failure> {
    let root = read(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let directory =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let entries =
        fs::read_dir(directory).map_err(|error| Failure::broken("failed to look for signatures", &error))?;
    let mut signatures = Vec::new();
    for entry in entries.flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        if file.starts_with(&name) && file.ends_with(".sig") {
            signatures.push(String::from_utf8_lossy(&read(&entry.path())?).into_owned());
        }
    }
    let signatures: Vec<&str> = signatures.iter().map(String::as_str).collect();
    Ok(TrustRoot::accept(&root, &signatures, None)?)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes));
    match read {
        Err(error) => Err(Failure::Usage(format!("failed to read {}: {error}", path.display()))),
        Ok(_) if bytes.len() as u64 > LIMIT => {
            Err(Failure::Usage(format!("{} is larger than any bundle", path.display())))
        }
        Ok(_) => Ok(bytes),
    }
}

fn hash(path: &Path) -> Result<Digest, Failure> {
    let failed = |error: &dyn Display| Failure::Usage(format!("failed to read {}: {error}", path.display()));
    let file = File::open(path).map_err(|error| failed(&error))?;
    plimsoll_fs::open_and_hash(file.as_fd()).map_err(|error| failed(&error))
}
