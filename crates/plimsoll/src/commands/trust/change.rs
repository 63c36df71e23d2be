//! The next trust root: a key more or less, signed by the people whom the root before names. Nothing of the work tree
//! changes before a signature has been checked, and a change that cannot be committed is taken back.

use crate::{
    cli::Ceremony,
    context::{self, Context, Pinned},
    failure::Failure,
    output::Output,
    people::{Me, run},
};
use plimsoll_attest::{
    PublicKey, TrustRoot,
    sshsig::SshKey,
    trust::{Candidate, NAMESPACE, RootDocument},
};
use plimsoll_model::{Digest, Role};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::Command,
};

/// Directory of the delivery repository.
const TRUST: &str = "trust";
const ROOT: &str = "root.json";
/// Bytes of a key's file; a P-256 key has 180.
const MAX_KEY: u64 = 16 << 10;

/// One key more for a role.
pub(super) fn add(
    context: &Context,
    role: &Role,
    file: &Path,
    ceremony: &Ceremony,
    output: &Output,
) -> Result<(), Failure> {
    let key = read_key(file)?;
    next(context, ceremony, output, ("added", role, key.fingerprint()), |root, document| {
        match root.trust().find(key.fingerprint()) {
            Some((other, _)) if other == role => Err(format!("this key stands for {role} already")),
            Some((other, _)) => {
                Err(format!("this key stands for {other} already, and a key has one role: make another"))
            }
            None => {
                document.roles.entry(role.clone()).or_default().push(key.to_pem());
                Ok(())
            }
        }
    })
}

/// One key less. The last key of a role can go too: then nobody is believed in that role.
pub(super) fn remove(
    context: &Context,
    role: &Role,
    fingerprint: &Digest,
    ceremony: &Ceremony,
    output: &Output,
) -> Result<(), Failure> {
    next(context, ceremony, output, ("removed", role, fingerprint), |root, document| {
        if !matches!(root.trust().find(fingerprint), Some((other, _)) if other == role) {
            return Err(format!("no key {fingerprint} stands for {role}: plimsoll trust show"));
        }
        let keys = document.roles.entry(role.clone()).or_default();
        keys.retain(|pem| !PublicKey::from_pem(pem).is_ok_and(|key| key.fingerprint() == fingerprint));
        document.roles.retain(|_, keys| !keys.is_empty());
        Ok(())
    })
}

/// A signature more under a root that another person wrote.
pub(super) fn sign(context: &Context, ceremony: &Ceremony, output: &Output) -> Result<(), Failure> {
    let pinned = context.pinned()?.ok_or_else(context::not_pinned)?;
    let person = Me::find(&ceremony.directory, ceremony.key.as_deref())?;
    let tree = WorkTree::open(&ceremony.directory)?;
    let root = tree.root()?;
    let candidate = TrustRoot::candidate(&root, &tree.signatures(), &pinned.accept()?)?;
    let signer = Signer::of(&person, candidate.root_keys())?;
    if candidate.signers().contains(signer.key.fingerprint()) {
        let problem =
            format!("root number {} has a signature by {} already", candidate.number(), signer.name);
        return Err(Failure::Usage(problem));
    }
    let signature = signer.sign(context, "trust sign", &root)?;
    let mut texts = tree.signatures();
    texts.push(&signature);
    let signed = TrustRoot::candidate(&root, &texts, &pinned.accept()?)?;
    let mut files = tree.files.clone();
    files.insert(signer.file(), signature.clone().into_bytes());
    tree.commit(&files, &format!("trust: {} signs root number {}", signer.name, signed.number()))?;
    report(output, &tree, &pinned, &signed, "signed", serde_json::json!({ "by": signer.name }));
    Ok(())
}

/// Writes, signs and commits the root after the one in the work tree.
fn next(
    context: &Context,
    ceremony: &Ceremony,
    output: &Output,
    (done, role, key): (&str, &Role, &Digest),
    change: impl FnOnce(&TrustRoot, &mut RootDocument) -> Result<(), String>,
) -> Result<(), Failure> {
    let pinned = context.pinned()?.ok_or_else(context::not_pinned)?;
    let person = Me::find(&ceremony.directory, ceremony.key.as_deref())?;
    let tree = WorkTree::open(&ceremony.directory)?;
    let root = TrustRoot::accept(&tree.root()?, &tree.signatures(), Some(&pinned.accept()?))?;
    let broken =
        |error: &(dyn std::error::Error + 'static)| Failure::broken("the trust root was not written", error);
    let mut document: RootDocument = serde_json::from_slice(&tree.root()?).map_err(|error| broken(&error))?;
    change(&root, &mut document).map_err(Failure::Usage)?;
    document.number = document.number.saturating_add(1);
    let signer = Signer::of(&person, root.root_keys())?;
    let text = serde_json::to_string_pretty(&document).map_err(|error| broken(&error))? + "\n";
    let signature = signer.sign(context, &format!("trust {done}"), text.as_bytes())?;
    let candidate = TrustRoot::candidate(text.as_bytes(), &[&signature], &root)?;
    let files =
        BTreeMap::from([(ROOT.to_owned(), text.into_bytes()), (signer.file(), signature.into_bytes())]);
    tree.commit(&files, &format!("trust: root number {}, {role} {done}", candidate.number()))?;
    let told = serde_json::json!({ "role": role, "key": key, "by": signer.name });
    report(output, &tree, &pinned, &candidate, &format!("{done:<9} {role}  {key}"), told);
    Ok(())
}

fn report(
    output: &Output,
    tree: &WorkTree,
    pinned: &Pinned,
    candidate: &Candidate,
    done: &str,
    mut told: serde_json::Value,
) {
    let (number, have, need) = (candidate.number(), candidate.signers().len(), candidate.threshold());
    let here = tree.directory.canonicalize().is_ok_and(|path| path.as_os_str() == pinned.delivery.as_str());
    let next = match (candidate.lacks(), here) {
        (0, true) => "machines that pinned this repository follow by themselves",
        (0, false) => "git push; machines that pinned this repository then follow by themselves",
        (_, true) => "plimsoll trust sign, by another root signer; nothing new starts before",
        (_, false) => "plimsoll trust sign, by another root signer, and git push only then",
    };
    let text = format!("{done}\nroot      number {number}, signed by {have} of {need}\nnext      {next}");
    if let Some(told) = told.as_object_mut() {
        told.extend([
            ("number".to_owned(), number.into()),
            ("signatures".to_owned(), have.into()),
            ("threshold".to_owned(), need.into()),
            ("lacks".to_owned(), candidate.lacks().into()),
        ]);
    }
    output.result(&text, &told);
}

fn read_key(file: &Path) -> Result<PublicKey, Failure> {
    let wrong = |problem: String| Failure::Usage(format!("{}: {problem}", file.display()));
    let mut text = Vec::new();
    let read = File::open(file).and_then(|opened| opened.take(MAX_KEY + 1).read_to_end(&mut text));
    read.map_err(|error| wrong(error.to_string()))?;
    let text = String::from_utf8_lossy(&text);
    if text.contains("PRIVATE KEY") {
        return Err(wrong(
            "this is a private key, which must not leave its machine: give what `plimsoll trust key` prints there"
                .into(),
        ));
    }
    PublicKey::from_pem(&text)
        .map_err(|error| wrong(format!("no public key as `plimsoll trust key` prints it: {error}")))
}

/// A person who signs roots, by the name that the root has for their key.
struct Signer<'a> {
    person: &'a Me,
    name: String,
    key: SshKey,
    slug: String,
}

impl<'a> Signer<'a> {
    fn of(person: &'a Me, root_keys: &[(String, SshKey)]) -> Result<Self, Failure> {
        let key: SshKey = person
            .key
            .parse()
            .map_err(|error| Failure::Usage(format!("the key of {}: {error}", person.name)))?;
        let at = root_keys.iter().position(|(_, known)| *known == key);
        let found = at.and_then(|at| root_keys.get(at).map(|(name, _)| (at, name)));
        let Some((at, name)) = found else {
            let names: Vec<&str> = root_keys.iter().map(|(name, _)| name.as_str()).collect();
            let (key, names) = (key.fingerprint(), names.join(", "));
            let problem = format!("{key} is no key that signs the trust root; those of {names} are");
            return Err(Failure::Usage(problem));
        };
        let slugs = root_keys.iter().filter(|(other, _)| slug(other) == slug(name));
        // Two people whose names look alike in a file name must not replace each other's signature.
        let slug = match slugs.count() {
            1 if !slug(name).is_empty() => slug(name),
            _ => format!("{}-{}", slug(name), at + 1),
        };
        Ok(Self { person, name: name.clone(), key, slug })
    }

    /// Signs away from the work tree, which so cannot be left with half a signature.
    fn sign(&self, context: &Context, command: &str, root: &[u8]) -> Result<String, Failure> {
        let state = context.writer(command)?;
        let file = state.path().join("tmp").join(format!("{}.root.json", Digest::of(root).hex()));
        fs::write(&file, root).map_err(|error| Failure::broken("the root was not written", &error))?;
        self.person.sign(NAMESPACE, &file)
    }

    fn file(&self) -> String {
        format!("{ROOT}.{}.sig", self.slug)
    }
}

/// A name as it can stand in a file's.
fn slug(name: &str) -> String {
    let words = name.split(|character: char| !character.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

/// `trust/root.json` with its signatures, as it is committed in a work tree of the delivery repository.
struct WorkTree {
    directory: PathBuf,
    files: BTreeMap<String, Vec<u8>>,
}

impl WorkTree {
    fn open(directory: &Path) -> Result<Self, Failure> {
        let tree = Self { directory: directory.to_owned(), files: BTreeMap::new() };
        let wrong = |problem: &str| Failure::Usage(format!("{} {problem}", directory.display()));
        if !tree.path(ROOT).is_file() {
            return Err(wrong("is no delivery repository: it has no trust/root.json"));
        }
        let mut status = tree.git(&["status", "--porcelain", "--", TRUST]);
        let status = status.output().map_err(|error| Failure::broken("failed to run git", &error))?;
        if !status.status.success() {
            return Err(wrong("is no work tree of a git repository"));
        }
        if !status.stdout.is_empty() {
            return Err(wrong("has changes in trust/ that are not committed: git status trust"));
        }
        let files = tree.found().map_err(|error| Failure::broken("failed to read the trust root", &error))?;
        Ok(Self { files, ..tree })
    }

    fn found(&self) -> io::Result<BTreeMap<String, Vec<u8>>> {
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(self.directory.join(TRUST))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name == ROOT || (name.starts_with(ROOT) && name.ends_with(".sig")) {
                let bytes = fs::read(self.path(&name))?;
                found.insert(name, bytes);
            }
        }
        Ok(found)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(TRUST).join(name)
    }

    fn root(&self) -> Result<Vec<u8>, Failure> {
        let root = self.files.get(ROOT).cloned();
        root.ok_or_else(|| Failure::Usage("trust/root.json is gone".into()))
    }

    fn signatures(&self) -> Vec<&str> {
        let signatures = self.files.iter().filter(|(name, _)| *name != ROOT);
        signatures.filter_map(|(_, text)| std::str::from_utf8(text).ok()).collect()
    }

    /// Puts these files in the place of those that are there, in one commit or not at all.
    fn commit(&self, files: &BTreeMap<String, Vec<u8>>, message: &str) -> Result<(), Failure> {
        let written = self.replace(&self.files, files);
        let written = written.map_err(|error| Failure::broken("the trust root was not written", &error));
        let done = written.and_then(|()| {
            run(self.git(&["add", "-A", "--", TRUST]), "add the trust root")?;
            run(self.git(&["commit", "-q", "-m", message, "--", TRUST]), "commit the trust root")
        });
        if done.is_err() {
            // The first error is the one to tell.
            drop(self.replace(files, &self.files));
            drop(run(self.git(&["reset", "-q", "--", TRUST]), "take the trust root back"));
        }
        done
    }

    fn replace(&self, old: &BTreeMap<String, Vec<u8>>, new: &BTreeMap<String, Vec<u8>>) -> io::Result<()> {
        for (name, bytes) in new {
            fs::write(self.path(name), bytes)?;
        }
        let mut gone = old.keys().filter(|name| !new.contains_key(*name));
        gone.try_for_each(|name| fs::remove_file(self.path(name)))
    }

    fn git(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.current_dir(&self.directory).args(arguments);
        command
    }
}
