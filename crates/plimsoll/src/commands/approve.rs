//! `plimsoll approve`: shows what a release changes and signs, with the person's own SSH key, that it may start.

use crate::{
    cli::{self, ProjectAt},
    context::{Context, Pinned},
    failure::Failure,
    output::Output,
    people::Me,
    promotion::{self, DELTA, REFUSAL},
};
use plimsoll_attest::{
    ApprovalDocument, Signed, Statement, TrustRoot, Verified,
    approval::ApprovalKind,
    document::{self, Document},
    predicate::{Delta, delta::DeltaCommit, source::Signature},
    sshsig::SshKey,
    verify,
};
use plimsoll_engine::ports::Source as _;
use plimsoll_git::{Identity, Place};
use plimsoll_model::{Code, CommitId, Digest, Opaque, Outcome, Role, Timestamp};
use plimsoll_pipeline::Environment;
use plimsoll_policy::{
    Decision, Kind, Summary,
    repository::{approval_path, environment_path},
};
use plimsoll_store::StateDir;
use std::{collections::BTreeSet, fs, io::Write as _, time::Duration};

mod disclaim;

/// Bytes of a bundle.
const LIMIT: u64 = 32 << 20;

pub(crate) fn approve(context: &Context, arguments: &cli::Approve, output: &Output) -> Result<(), Failure> {
    let unit = &arguments.unit;
    let state = context.writer("approve")?;
    let here =
        std::env::current_dir().map_err(|error| Failure::broken("failed to find this directory", &error))?;
    let person = Me::find(&here, arguments.key.as_deref())?;
    let (pinned, head) = context.refresh()?;
    let root = pinned.accept()?;
    let waiting = Waiting::read(context, unit, &root)?;
    if let Some(commit) = &arguments.disclaim {
        let at = At { state: &state, pinned: &pinned, head };
        return disclaim::disclaim(context, arguments, (&waiting, commit), &person, at, output);
    }
    let asked = environment(context, unit, &head)?;
    let asked =
        asked.require.approvals.ok_or_else(|| Failure::Usage(format!("{unit} asks for no approvals")))?;
    let now = Timestamp::now();
    let expiry = now.checked_add(Duration::from_secs(asked.expire_seconds)).unwrap_or(now);
    output.progress(waiting.text().trim_end());
    if !arguments.yes && !agreed(&format!("approve {unit}"))? {
        return Err(Failure::Usage("nothing was signed".into()));
    }
    let document = waiting.document(expiry)?;
    let Written { digest, bytes, signature } = signed(&state, &person, &document)?;
    let path = approval_path(&unit.project, &unit.environment, &digest);
    let changes = [(format!("{path}.sig"), signature.into_bytes()), (path, bytes)];
    let author = author(&person, now);
    let message = format!("approve {unit}: {}\n", waiting.decision().commit.short());
    promotion::propose(context, &pinned, Place::Branch, Some(head), changes, message, author)?;
    let next = format!("plimsoll promote {} --to {}", unit.project, unit.environment);
    let text = format!(
        "approved  {unit} by {}\nrelease   {}\nuntil     {expiry}\napproval  {digest}\nnext      {next}",
        person.name, document.release
    );
    output.result(&text, &serde_json::json!({ "unit": unit.to_string(), "approval": digest, "document": document, "next": next }));
    Ok(())
}

/// Where a document of a person goes.
struct At<'a> {
    state: &'a StateDir,
    pinned: &'a Pinned,
    /// The newest commit of the delivery repository.
    head: CommitId,
}

/// A document of a person.
struct Written {
    digest: Digest,
    bytes: Vec<u8>,
    signature: String,
}

/// Writes a document and has the person sign it.
fn signed<T: Document>(state: &StateDir, person: &Me, document: &T) -> Result<Written, Failure> {
    let broken =
        |error: &(dyn std::error::Error + 'static)| Failure::broken("the document cannot be written", error);
    let bytes = document::write(document).map_err(|error| broken(&error))?;
    let digest = Digest::of(&bytes);
    let file = state.path().join("tmp").join(format!("{}.json", digest.hex()));
    fs::write(&file, &bytes).map_err(|error| broken(&error))?;
    let signature = person.sign(T::NAMESPACE, &file)?;
    Signed::<T>::verify(&bytes, &signature, &[key(person)?])
        .map_err(|error| Failure::broken("the signature does not verify", &error))?;
    Ok(Written { digest, bytes, signature })
}

fn key(person: &Me) -> Result<SshKey, Failure> {
    person.key.parse().map_err(|error| Failure::broken("the key cannot be read", &error))
}

fn author(person: &Me, time: Timestamp) -> Identity {
    Identity { name: person.name.clone(), email: person.email.clone(), time }
}

fn environment(context: &Context, unit: &ProjectAt, head: &CommitId) -> Result<Environment, Failure> {
    let path = environment_path(&unit.environment);
    let bytes = plimsoll_engine::derive::required(&context.delivery()?, head, &path)?;
    Environment::read(&path, &bytes).map_err(|errors| Failure::Refused(errors.reasons()))
}

fn agreed(question: &str) -> Result<bool, Failure> {
    let failed = |error: std::io::Error| Failure::broken("failed to ask", &error);
    write!(std::io::stderr(), "{question}? [y/N] ").map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(failed)?;
    Ok(["y", "yes"].contains(&answer.trim()))
}

/// A release that lacks nothing but people: the signed decision that refused it, and what it changes.
struct Waiting {
    refusal: Verified<Statement<Summary>>,
    delta: Verified<Statement<Delta>>,
}

impl Waiting {
    fn read(context: &Context, unit: &ProjectAt, root: &TrustRoot) -> Result<Self, Failure> {
        let delivery = context.delivery()?;
        let reference = format!("refs/plimsoll/proposals/{}/{}", unit.environment, unit.project);
        let nothing = || {
            let next = format!("plimsoll promote {} --to {}", unit.project, unit.environment);
            Failure::Usage(format!("nothing of {unit} waits for approval: {next}"))
        };
        let tip = delivery.resolve(&reference).map_err(|_| nothing())?.commit;
        let bundle = |name: &str| {
            let path = name.parse().map_err(|error| Failure::broken("failed to name a file", &error))?;
            delivery.file(&tip, &path, LIMIT)?.ok_or_else(nothing)
        };
        let refusal = verify::<Summary>(&bundle(REFUSAL)?, root.trust(), &Role::Refusal)?;
        let delta = verify::<Delta>(&bundle(DELTA)?, root.trust(), &Role::Source)?;
        let waiting = Self { refusal, delta };
        waiting.fits(unit)?;
        Ok(waiting)
    }

    fn decision(&self) -> &Decision {
        &self.refusal.value().predicate.decision
    }

    fn delta(&self) -> &Delta {
        &self.delta.value().predicate
    }

    /// The refusal is about this unit, and looked at this delta.
    fn fits(&self, unit: &ProjectAt) -> Result<(), Failure> {
        let (decision, delta) = (self.decision(), self.delta());
        let about = (&decision.project.name, &decision.environment.name)
            == (&unit.project, &unit.environment)
            && (&delta.project, &delta.environment) == (&unit.project, &unit.environment);
        if about && decision.context.contains(self.delta.payload_digest()) && delta.head == decision.commit {
            return Ok(());
        }
        let reason = Code::SubjectMismatch
            .reason()
            .with("actual", format!("{}@{}", decision.project.name, decision.environment.name));
        Err(reason.with("expected", unit).into())
    }

    fn document(&self, expiry: Timestamp) -> Result<ApprovalDocument, Failure> {
        let decision = self.decision();
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|error| Failure::broken("failed to find randomness", &error))?;
        let gates = decision
            .gates
            .iter()
            .filter(|gate| gate.name != "approvals" && !gate.name.starts_with("policy."));
        Ok(ApprovalDocument {
            version: 1,
            kind: match decision.kind {
                Kind::Deploy => ApprovalKind::Deploy,
                Kind::Rollback => ApprovalKind::Rollback,
            },
            project: decision.project.clone(),
            environment: decision.environment.clone(),
            release: decision.release_digest,
            base: decision.runs,
            delta: self
                .delta()
                .digest()
                .map_err(|error| Failure::broken("the delta has no digest", &error))?,
            policy_set: decision.policy_set,
            floor: gates.map(|gate| (gate.name.clone(), gate.outcome)).collect(),
            nonce: Opaque::from_random(nonce),
            expiry,
        })
    }

    /// What the person agrees to, in words.
    fn text(&self) -> String {
        let (decision, delta) = (self.decision(), self.delta());
        let base = delta.base.as_ref().map_or_else(
            || "nothing (older history is taken as it is)".to_owned(),
            |base| base.short().to_owned(),
        );
        let mut text = format!(
            "release   {}@{}  {}\nchanges   {base} -> {}\n",
            decision.project.name,
            decision.environment.name,
            decision.release_digest.short(),
            delta.head.short()
        );
        for (title, commits) in
            [("commit", &delta.commits), ("DROPPED", &delta.dropped), ("delivery", &delta.delivery)]
        {
            text.extend(commits.iter().map(|commit| commit_text(title, commit)));
        }
        if !delta.base_is_ancestor {
            text.push_str("UNUSUAL   what runs is no ancestor of this: one more approval is needed\n");
        }
        for gate in decision.gates.iter().filter(|gate| gate.name != "approvals") {
            let mark = if gate.outcome == Outcome::Passed { "ok" } else { "NO" };
            text.push_str(&format!("gate      {mark}  {}\n", gate.name));
        }
        let named: BTreeSet<&str> = delta.all().map(|commit| commit.author.name.as_str()).collect();
        text.push_str(&format!(
            "authors   {} (none of whom can approve)\n",
            named.into_iter().collect::<Vec<_>>().join(", ")
        ));
        text
    }
}

fn commit_text(title: &str, commit: &DeltaCommit) -> String {
    let signed = match &commit.signature {
        Signature::Good { person, .. } => format!("signed by {person}"),
        Signature::Unsigned => "NOT SIGNED".to_owned(),
        Signature::Bad { .. } => "BAD SIGNATURE".to_owned(),
    };
    format!("{title:<9} {}  {}  {signed}  {}\n", commit.commit.short(), commit.author.name, commit.summary)
}
