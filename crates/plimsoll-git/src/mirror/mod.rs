//! A mirror of the delivery repository: it is fetched by the real git, which speaks every transport, and read by the
//! reader of this crate, which believes nothing. A proposal to it is one commit on top of what was read; when the ref
//! moved in between, nothing happens.

mod edit;
mod location;
mod proposal;
mod store;
mod transport;

pub use proposal::{Identity, Place, Proposal, ProposeError};

use crate::{
    GitSource,
    discover::Layout,
    error::{FULL, bad_object, failed, full},
    objects::Objects,
    refs,
};
use location::Location;
use plimsoll_engine::ports::{Source, SourceError};
use plimsoll_model::{Code, CommitId, reason::printable};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};
use store::{Lock, Refs, Store, Work};
use transport::Finished;

/// How often a commit is pushed that the repository refuses although its ref stands still: another push that is under
/// way has that effect.
const ATTEMPTS: u32 = 4;
/// The ssh client of the person, as a command that never asks, never waits for ever and leaves nothing running.
const SSH: &str = "ssh -oBatchMode=yes -oConnectTimeout=20 -oServerAliveInterval=15 -oServerAliveCountMax=4 \
                   -oControlMaster=no -oControlPath=none -oForwardAgent=no -oClearAllForwardings=yes \
                   -oPermitLocalCommand=no";
/// Settings under which a repository of another user runs no program of that user.
const TAMED: &str = "git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.alternateRefsCommand=true \
                     -c receive.autogc=false -c gc.auto=0 -c maintenance.auto=false";

/// What git needs of the person's environment to reach another machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transport {
    /// `SSH_AUTH_SOCK`: the socket of an ssh agent.
    pub ssh_agent: Option<PathBuf>,
    /// `SSL_CERT_FILE`: certificates that vouch for https servers, in place of those of the system.
    pub certificates: Option<PathBuf>,
}

/// How much a delivery repository may take of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How long one git may run.
    pub time: Duration,
    /// How many bytes one fetch may store, looked at twenty times a second.
    pub bytes: u64,
}

impl Default for Bounds {
    /// Five minutes, one GiB.
    fn default() -> Self {
        Self { time: Duration::from_secs(300), bytes: 1 << 30 }
    }
}

/// A bare mirror of a delivery repository. Its branch is the one that the repository's `HEAD` named at first contact.
/// Several processes may use one mirror; those that change it wait for each other.
#[derive(Debug, Clone)]
pub struct DeliveryMirror {
    store: Store,
    location: Location,
    transport: Transport,
    bounds: Bounds,
}

impl DeliveryMirror {
    /// The mirror in `directory`, which is made if it is missing, of the repository at `location`: a path, or an
    /// `https`, `ssh` or `file` URL without credentials. Nothing is fetched.
    ///
    /// # Errors
    /// When `location` is none of these, or the directory cannot be written.
    pub fn open(directory: &Path, location: &str, transport: Transport) -> Result<Self, SourceError> {
        let location = Location::read(location)?;
        let store = Store::prepare(directory, &location)?;
        Ok(Self { store, location, transport, bounds: Bounds::default() })
    }

    /// The same mirror within other bounds.
    #[must_use]
    pub fn with_bounds(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// The bare repository, for [`GitSource::open`] in another process.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.store.repository()
    }

    /// Fetches the branch and `refs/plimsoll/*`, and gives the branch's commit. A branch that was rewound is followed:
    /// what that means is for the caller to judge, by the commit that it saw last. What is fetched replaces what was
    /// there at once or not at all.
    ///
    /// # Errors
    /// `E-SRC-OBJECT` for objects that are damaged or malformed, `E-SRC-SHALLOW`; a failure when the repository cannot be
    /// reached, has no commit, or goes beyond the bounds.
    pub fn fetch(&self) -> Result<CommitId, SourceError> {
        let lock = self.store.lock(self.bounds.time)?;
        self.update(&lock).map(|(head, _)| head)
    }

    /// The reader of what was fetched; its `HEAD` is the branch.
    ///
    /// # Errors
    /// When nothing was fetched yet.
    pub fn source(&self) -> Result<GitSource, SourceError> {
        self.branch().map(|_| GitSource::own(&self.store.repository()))
    }

    /// The full name of the branch.
    ///
    /// # Errors
    /// When nothing was fetched yet.
    pub fn branch(&self) -> Result<String, SourceError> {
        self.store.branch()?.ok_or_else(|| failed("read the mirror", "nothing was fetched yet"))
    }

    /// Where a ref pointed when it was last fetched; none if there was none.
    ///
    /// # Errors
    /// When nothing was fetched yet.
    pub fn reference(&self, place: &Place) -> Result<Option<CommitId>, SourceError> {
        Ok(self.store.refs()?.remove(&self.name(place)?))
    }

    /// Adds a commit to the ref that it names, if that points to the commit's parent: compare and swap. The commit is made
    /// from the mirror, so its parent must have been fetched; afterwards the mirror is fetched once more, where possible.
    /// When the connection broke, this says whether the commit arrived.
    ///
    /// # Errors
    /// [`ProposeError`]; a failure that names the commit when nobody can say whether it arrived.
    pub fn propose(&self, proposal: &Proposal) -> Result<CommitId, ProposeError> {
        let reference = self.name(&proposal.place)?;
        let known = self.store.refs()?;
        if proposal.place == Place::Branch && proposal.parent.is_none() {
            return Err(failed("propose a commit", "the branch has a commit already").into());
        }
        let lock = self.store.lock(self.bounds.time)?;
        let work = self.work(&lock, is_sha256(&known))?;
        let commit = self.write(&work, is_sha256(&known), proposal)?;
        let mut problem = self.may_write()?;
        for attempt in 0..ATTEMPTS {
            thread::sleep(Duration::from_millis(150) * attempt);
            let pushed = self.push(&work, &commit, &reference, proposal.parent.as_ref());
            // Also after success: what was written is then in the mirror. That it is there is known without.
            let fetched = self.update(&lock);
            if matches!(pushed, Ok(None)) {
                return Ok(commit);
            }
            let (_, mut refs) = fetched.map_err(|error| self.uncertain(&commit, &error))?;
            let now = refs.remove(&reference);
            if now.as_ref().is_some_and(|now| self.holds(&commit, now)) {
                return Ok(commit);
            }
            if now != proposal.parent {
                return Err(ProposeError::Moved { reference, first: proposal.parent.clone(), second: now });
            }
            problem = pushed?.unwrap_or_default();
        }
        Err(self.denied(&problem))
    }

    fn name(&self, place: &Place) -> Result<String, SourceError> {
        let branch = self.branch()?;
        Ok(match place {
            Place::Branch => branch,
            Place::Observations(environment) => format!("refs/plimsoll/observations/{environment}"),
            Place::Proposals(environment, project) => {
                format!("refs/plimsoll/proposals/{environment}/{project}")
            }
        })
    }

    fn holds(&self, commit: &CommitId, head: &CommitId) -> bool {
        // A commit that is not in the mirror was not in the repository.
        self.source().and_then(|source| source.is_ancestor(commit, head)).unwrap_or(false)
    }

    fn unreachable(&self, problem: impl std::fmt::Display) -> SourceError {
        failed(format!("reach the delivery repository {}", self.location), problem)
    }

    fn uncertain(&self, commit: &CommitId, error: &SourceError) -> SourceError {
        failed(format!("find out whether the commit {commit} arrived in {}", self.location), error)
    }
}

/// What is asked of git.
impl DeliveryMirror {
    fn work(&self, lock: &Lock, sha256: bool) -> Result<Work, SourceError> {
        let safe = match &self.location {
            Location::Url(_) => vec![],
            Location::Local(_) => {
                let path = self.location.address()?;
                vec![format!("{path}/.git"), path]
            }
        };
        self.store.work(lock, sha256, &safe)
    }

    fn git(&self, work: &Work) -> Command {
        let mut git = work.git(self.location.protocol());
        git.env("GIT_SSH_COMMAND", SSH).env("GIT_SSH_VARIANT", "ssh");
        git.envs(self.transport.ssh_agent.iter().map(|path| ("SSH_AUTH_SOCK", path)));
        git.envs(self.transport.certificates.iter().map(|path| ("GIT_SSL_CAINFO", path)));
        git
    }

    /// Runs git's `command` with the repository's address behind `arguments`, then `rest`.
    fn ask(
        &self,
        work: &Work,
        command: &[&str],
        program: &str,
        rest: &[&str],
    ) -> Result<Finished, SourceError> {
        let mut git = self.git(work);
        git.args(command);
        if self.location.is_foreign() {
            git.arg(format!("--{program}={TAMED} {program}"));
        }
        git.arg("--").arg(self.location.address()?).args(rest);
        transport::run(&mut git, &work.git_dir(), self.bounds).map_err(|error| match error {
            SourceError::Failed { problem, .. } => self.unreachable(problem),
            refused @ SourceError::Refused(_) => refused,
        })
    }

    /// Fetches and publishes: the branch's commit, and all refs.
    fn update(&self, lock: &Lock) -> Result<(CommitId, Refs), SourceError> {
        let (known, branch) = (self.store.refs()?, self.store.branch()?);
        let (branch, sha256) = match branch {
            Some(branch) if !known.is_empty() => (branch, is_sha256(&known)),
            remembered => self.first_contact(lock, remembered)?,
        };
        if self.is_unchanged(&branch, &known)
            && let Some(head) = known.get(&branch).cloned()
        {
            return Ok((head, known));
        }
        let work = self.work(lock, sha256)?;
        let (branch_only, ours) = (format!("+{branch}:{branch}"), "+refs/plimsoll/*:refs/plimsoll/*");
        let options =
            ["--no-tags", "--no-recurse-submodules", "--no-auto-maintenance", "--no-write-fetch-head", "-q"];
        let fetched =
            self.ask(&work, &[&["fetch"], &options[..]].concat(), "upload-pack", &[&branch_only, ours])?;
        if !fetched.success {
            return Err(self.complaint(&fetched.stderr));
        }
        let mut list = self.git(&work);
        list.args(["for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/plimsoll"]);
        let listed = transport::run(&mut list, &work.git_dir(), self.bounds)?;
        let refs = store::parse_refs(&listed.stdout)?;
        // git complains of a branch that is not there, but passes over one whose history is cut off.
        let head = refs.get(&branch).filter(|_| !work.git_dir().join("shallow").exists());
        let head = head.cloned().ok_or_else(|| self.shallow())?;
        if refs == known && self.store.branch()?.as_ref() == Some(&branch) {
            return Ok((head, refs));
        }
        self.store.publish(lock, &work, &branch, &refs)?;
        if self.store.is_scattered() {
            // Reading works without it; the next fetch tries again.
            self.work(lock, sha256).and_then(|work| work.repack(self.bounds)).ok();
        }
        Ok((head, refs))
    }

    /// Whether a repository on this machine has exactly the refs that are known. Then there is nothing to fetch, and no
    /// git is asked; whatever is unusual about it is for git to say.
    fn is_unchanged(&self, branch: &str, known: &Refs) -> bool {
        let Location::Local(path) = &self.location else { return false };
        let refs = Layout::find(path).and_then(|layout| {
            layout.check_complete()?;
            if layout.prefix.is_some() { Ok(BTreeMap::new()) } else { refs::all(&layout) }
        });
        let Ok(refs) = refs else { return false };
        let ours = refs.into_iter().filter(|(name, _)| name == branch || name.starts_with("refs/plimsoll/"));
        ours.map(|(name, id)| (name, id.to_string()))
            .eq(known.iter().map(|(name, id)| (name.clone(), id.to_string())))
    }

    /// The branch to follow, and whether ids are SHA-256.
    fn first_contact(&self, lock: &Lock, remembered: Option<String>) -> Result<(String, bool), SourceError> {
        let work = self.work(lock, false)?;
        let listed = self.ask(&work, &["ls-remote", "--symref"], "upload-pack", &["HEAD"])?;
        if !listed.success {
            return Err(self.complaint(&listed.stderr));
        }
        let value = |wanted: &dyn Fn(&str) -> bool| {
            let mut values = listed.stdout.lines().filter_map(|line| line.strip_suffix("\tHEAD"));
            values.find(|value| wanted(value)).map(str::to_owned)
        };
        let branch = value(&|value| value.starts_with("ref: refs/heads/"));
        let branch = branch.map(|branch| branch.trim_start_matches("ref: ").to_owned());
        let branch =
            remembered.or(branch).filter(|name| gix_validate::reference::name(name.as_str().into()).is_ok());
        let id = value(&|value| value.parse::<CommitId>().is_ok());
        match (branch, id) {
            (Some(branch), Some(id)) => Ok((branch, id.len() == 64)),
            _ => Err(self.unreachable("its HEAD names no branch with a commit")),
        }
    }

    fn write(&self, work: &Work, sha256: bool, proposal: &Proposal) -> Result<CommitId, SourceError> {
        let kind = if sha256 { gix_hash::Kind::Sha256 } else { gix_hash::Kind::Sha1 };
        let objects: Objects = self.source()?.reader(kind)?;
        edit::commit(&objects, &work.git_dir().join("objects"), kind, proposal)
    }

    /// What the repository has against the commit, if anything.
    fn push(
        &self,
        work: &Work,
        commit: &CommitId,
        reference: &str,
        parent: Option<&CommitId>,
    ) -> Result<Option<String>, SourceError> {
        // The lease makes a push stricter than one without force: the ref must be exactly the parent.
        let lease = format!("--force-with-lease={reference}:{}", parent.map_or("", CommitId::as_str));
        let options =
            ["push", "--porcelain", "--no-verify", "--no-recurse-submodules", "--no-signed", &lease];
        let pushed = self.ask(work, &options, "receive-pack", &[&format!("{commit}:{reference}")])?;
        if pushed.success {
            return Ok(None);
        }
        let Some(line) = pushed.stdout.lines().find(|line| line.starts_with("!\t")) else {
            return Err(self.complaint(&pushed.stderr));
        };
        let said =
            pushed.stderr.lines().filter(|line| line.starts_with("remote: ") || line.contains("unpack"));
        let words: Vec<_> = line.rsplit('\t').take(1).chain(said.map(str::trim)).collect();
        Ok(Some(printable(&words.join("; "), 300)))
    }

    /// Refuses to change the work tree of another user: its checkout would run that user's filters.
    fn may_write(&self) -> Result<String, ProposeError> {
        if self.location.is_foreign() && self.location.has_work_tree() {
            let problem = format!("{} belongs to another user and has a work tree", self.location);
            let command = format!("git clone --bare {0} {0}.git", self.location);
            return Err(ProposeError::Denied { problem, command: Some(command) });
        }
        Ok(String::new())
    }

    fn denied(&self, problem: &str) -> ProposeError {
        let local = matches!(self.location, Location::Local(_));
        let command = if !local {
            None
        } else if problem.contains("currently checked out") {
            Some(format!("git -C {} config receive.denyCurrentBranch updateInstead", self.location))
        } else if problem.contains("staged changes") || problem.contains("unstaged changes") {
            Some(format!("git -C {} stash", self.location))
        } else {
            None
        };
        ProposeError::Denied { problem: problem.to_owned(), command }
    }

    fn shallow(&self) -> SourceError {
        Code::SrcShallow.reason().with("path", &self.location).into()
    }

    /// What git's words mean. Damaged content is a refusal; all else is a failure to reach the repository.
    fn complaint(&self, stderr: &str) -> SourceError {
        const DAMAGE: [&str; 8] = [
            "fsck error",
            "is corrupt",
            "hash mismatch",
            "bad object",
            "did not send all necessary objects",
            "SHA1 COLLISION",
            "unresolved delta",
            "inflate",
        ];
        let lines = || stderr.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = |wanted: &[&str]| lines().find(|line| wanted.iter().any(|word| line.contains(word)));
        if first(&["shallow"]).is_some() {
            return self.shallow();
        }
        // The other side's disk is the other side's.
        if first(&["No space left on device"]).is_some_and(|line| !line.starts_with("remote:")) {
            return full(self.store.directory(), FULL);
        }
        if let Some(line) = first(&DAMAGE) {
            let id =
                stderr.split(|c: char| !c.is_ascii_hexdigit()).find(|word| matches!(word.len(), 40 | 64));
            let id = id.and_then(|id| gix_hash::ObjectId::from_hex(id.as_bytes()).ok());
            let problem = printable(line, 300);
            return match id {
                Some(id) => bad_object(&id, problem),
                None => {
                    Code::SrcObject.reason().with("object", &self.location).with("problem", problem).into()
                }
            };
        }
        // What ssh and the other side say comes before git's own summary, which ends with advice.
        let advice =
            |line: &&str| line.starts_with("Please make sure") || *line == "and the repository exists.";
        let words: Vec<_> = lines().filter(|line| !advice(line)).take(3).collect();
        self.unreachable(printable(&words.join("; "), 300))
    }
}

fn is_sha256(refs: &Refs) -> bool {
    refs.values().next().is_some_and(|id| id.as_str().len() == 64)
}
