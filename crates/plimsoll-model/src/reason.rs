//! The registry of reasons: every refusal that Plimsoll can give, with the rule, who can fix it and what to do next.
//! `plimsoll explain CODE` prints an entry and `docs/reasons.md` is generated from all of them.

use crate::removed;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// Who can do something about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fixer {
    /// Whoever writes the change or its pipeline.
    Author,
    /// Whoever runs Plimsoll on this machine.
    Operator,
    /// Whoever owns the delivery repository and its policies.
    PolicyOwner,
    /// Nobody should fix it before somebody understands it: it can be an attack.
    Security,
}

impl Fixer {
    /// For people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Author => "the author of the change",
            Self::Operator => "the operator of this machine",
            Self::PolicyOwner => "the owner of the delivery repository",
            Self::Security => "whoever answers for security: look before you repair",
        }
    }
}

/// One entry of the registry.
#[derive(Debug, Clone, Copy)]
pub struct Explanation {
    /// The code, as in `E-NET-DENIED`.
    pub code: &'static str,
    /// What happened, in one sentence; `{name}` stands for a parameter of the [`Reason`].
    pub fact: &'static str,
    /// The rule that was applied, and why it exists.
    pub rule: &'static str,
    /// Who can fix it.
    pub fixer: Fixer,
    /// What to do, or a command that works when pasted.
    pub next: &'static str,
}

macro_rules! registry {
    ($($name:ident $code:literal, $fixer:ident, $fact:literal, $rule:literal, $next:literal;)*) => {
        /// A code of the registry.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $fact] $name,)*
        }

        impl Code {
            /// Every code, in the order of the registry.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The registry's entry.
            #[must_use]
            pub const fn explanation(self) -> Explanation {
                match self {
                    $(Self::$name => Explanation {
                        code: $code, fact: $fact, rule: $rule, fixer: Fixer::$fixer, next: $next,
                    },)*
                }
            }
        }
    };
}

registry! {
    // Source
    SrcNoRepository "E-SRC-NO-REPOSITORY", Author,
        "{path} is not a git repository",
        "Plimsoll builds commits, not folders: only a commit has an identity that others can check.",
        "git init && git add -A && git commit -m 'first'";
    SrcRevision "E-SRC-REVISION", Author,
        "the revision {revision} does not name a commit in {path}",
        "A run is about exactly one commit.",
        "git log --oneline -5";
    SrcShallow "E-SRC-SHALLOW", Author,
        "the repository {path} is a shallow clone",
        "Without history nobody can say whether a protected branch was rewound, or what a change contains.",
        "git fetch --unshallow";
    SrcObject "E-SRC-OBJECT", Security,
        "the git object {object} is missing or does not have the content that its id names: {problem}",
        "Every object is hashed again before it is believed.",
        "git fsck --full";
    SrcAlternates "E-SRC-ALTERNATES", Author,
        "the repository {path} borrows objects from elsewhere",
        "A repository that Plimsoll reads must be complete in itself: borrowed objects can change without it.",
        "git repack -a -d && rm .git/objects/info/alternates";
    SrcPath "E-SRC-PATH", Security,
        "the commit {commit} has a path that leaves the tree or that no file system should be given: {path}",
        "Paths and symbolic links of a commit stay below its root.",
        "git ls-tree -r -t HEAD";
    SrcSubmodule "E-SRC-SUBMODULE", Author,
        "the commit has a submodule at {path}",
        "This version reads one repository; what a submodule pointer names is not part of it.",
        "copy the submodule's files into the repository, or depend on it as a package";
    SrcLfs "E-SRC-LFS", Author,
        "the file {path} is a Git LFS pointer, not the file",
        "What a pointer names is not part of the commit.",
        "git lfs migrate export --include={path}";
    SrcSecret "E-SRC-SECRET", Author,
        "{what} has {count} secrets that were not there before, the first at {place}",
        "Whoever can read a repository has every secret that was ever in it; removing it later does not take it back.",
        "take it out and read it at run time instead; if it was pushed anywhere, revoke it first";
    SrcCritical "E-SRC-CRITICAL", Author,
        "{what} has {count} critical findings that were not there before, the first at {place}",
        "A package that is an attack, a weakness that is being used, and rights for everybody harm whoever takes the change.",
        "repair it as the finding says, then commit again";
    SrcUnprotected "E-SRC-UNPROTECTED", PolicyOwner,
        "the commit {commit} is not reachable from a protected ref of {project}",
        "The environment asks for a commit of a protected branch, so that nobody ships what nobody agreed on.",
        "merge the change into a protected ref listed in projects/{project}.yaml";
    SrcUnsigned "E-SRC-UNSIGNED", Author,
        "the commit {commit} is not signed",
        "The environment asks for a commit signed by a key in people.yaml.",
        "git commit --amend --no-edit -S";
    SrcSigner "E-SRC-SIGNER", PolicyOwner,
        "the signature of commit {commit} is not by a key in people.yaml: {problem}",
        "A name in a commit proves nothing; a key that the delivery repository lists does.",
        "add the signer's public key to people.yaml, if you know whose it is";
    SrcRewound "E-SRC-REWOUND", Security,
        "the protected ref {reference} was rewound: {recorded} is no longer behind {tip}",
        "A protected branch only moves forward. Where it did not, history was rewritten.",
        "git log --oneline {recorded} --not {tip}";
    RefMoved "E-REF-MOVED", Security,
        "{reference} named {first} when it was resolved and {second} when it was used",
        "What was resolved is what is used; a ref that moves in between is refused.",
        "run the command again, or name the commit itself";

    // Files and pipeline
    FileInvalid "E-FILE-INVALID", Author,
        "{file} has {count} error(s)",
        "Files are read strictly: unknown keys, duplicate keys and values of another type are errors.",
        "plimsoll check";
    FileMissing "E-FILE-MISSING", Author,
        "{file} is missing",
        "Nothing is assumed in place of a file that decides something.",
        "plimsoll init";
    TemplateUntrusted "E-TEMPLATE-UNTRUSTED", Author,
        "step {step} puts event text into a command: {text}",
        "Titles, branch names and messages are other people's text. They reach a step as environment data only.",
        "use an environment variable such as \"$PLIMSOLL_REVISION\"";
    PipeUnapproved "E-PIPE-UNAPPROVED", PolicyOwner,
        "the pipeline {pipeline} is not approved for {project}",
        "Who edits a pipeline decides what is built; the environment takes only pipelines that the delivery repository lists.",
        "add the digest {pipeline} under `pipelines:` in projects/{project}.yaml";

    // Isolation and steps
    IsoUnavailable "E-ISO-UNAVAILABLE", Operator,
        "this machine cannot isolate a step: {problem}",
        "A step never runs with less isolation than promised, and there is no switch to allow it.",
        "plimsoll doctor";
    StepFailed "E-STEP-FAILED", Author,
        "step {step} ended with {status}",
        "A step passes when its command ends with status 0.",
        "plimsoll logs {run} {step}";
    StepTimeout "E-STEP-TIMEOUT", Author,
        "step {step} ran longer than {limit}",
        "Every step has a time limit; its whole process tree is killed at the end of it.",
        "raise `timeout:` of the step, or make it faster";
    StepLimit "E-STEP-LIMIT", Author,
        "step {step} went over its limit of {limit}",
        "Memory, processes, log and output of a step are limited so that one run cannot take the machine from others.",
        "plimsoll logs {run} {step}";
    OutMissing "E-OUT-MISSING", Author,
        "step {step} did not leave its output {path}",
        "Everything listed under `out:` must exist when the step ends.",
        "plimsoll logs {run} {step}";
    OutKind "E-OUT-KIND", Security,
        "the output {path} is {kind}",
        "Outputs are regular files with one link, directories, and symbolic links that stay inside. Anything else could name something outside the sandbox.",
        "have the step write a regular file";
    OutLimit "E-OUT-LIMIT", Author,
        "the outputs of step {step} are larger than {limit}",
        "Outputs are limited in bytes, entries and depth.",
        "list only what later steps or the artifact need under `out:`";

    // Fetch
    LockHash "E-LOCK-HASH", Security,
        "{package} has the digest {actual}, and the lock file says {expected}",
        "What is fetched is what was locked. A difference means that somebody changed it under the lock.",
        "compare the archive with an older copy before you touch the lock file";
    LockOrphan "E-LOCK-ORPHAN", Security,
        "{package} is not in the dependency graph of the manifest",
        "An entry or archive that nothing asks for has no business in a build.",
        "cargo update --workspace && git diff Cargo.lock";
    LockIncomplete "E-LOCK-INCOMPLETE", Author,
        "the lock file does not pin {package}: {problem}",
        "Every dependency is pinned by version and hash, transitive ones included.",
        "cargo generate-lockfile && git add Cargo.lock";
    LockSource "E-LOCK-SOURCE", Security,
        "{package} comes from {source}, which is not a registry of the client's configuration or of the operator",
        "A lock file chooses among the registries that the operator knows; it cannot add one.",
        "list the registry under `registries:` in delivery.yaml, if you trust it";
    LockStale "E-LOCK-STALE", Author,
        "the lock file does not fit the manifest: {problem}",
        "A fetch never changes a lock file.",
        "cargo update --workspace && git add Cargo.lock";
    NetDenied "E-NET-DENIED", Security,
        "{step} asked for {host}:{port}: {problem}",
        "Only the fetch phase has a network, and only to the registries it was given.",
        "list the dependency in the manifest instead of fetching it in a step";
    FetchFailed "E-FETCH-FAILED", Operator,
        "fetching dependencies failed: {problem}",
        "Nothing partial is kept from a fetch that failed.",
        "plimsoll logs {run} fetch";

    // Artifact
    ArtInterpreter "E-ART-INTERPRETER", Author,
        "{path} needs {interpreter}, which is not in the image",
        "An executable whose loader is missing does not start; better to know before it is signed.",
        "build it statically: RUSTFLAGS='-C target-feature=+crt-static' cargo build --target x86_64-unknown-linux-gnu";
    ArtBase "E-ART-BASE", Author,
        "the base image {base} cannot be used: {problem}",
        "A base is `scratch` or an OCI layout named by digest.",
        "name a base as layout-directory@sha256:…";

    // Evidence
    EvidenceMissing "E-EVIDENCE-MISSING", Author,
        "there is no result of {check} for {subject}",
        "What the environment requires must be there; absence is not success.",
        "add the check to `evidence:` in plimsoll.yaml and run again";
    EvidenceFailed "E-EVIDENCE-FAILED", Author,
        "{check} failed: {detail}",
        "Only a check that passed passes.",
        "plimsoll logs {run} {check}";
    EvidenceErrored "E-EVIDENCE-ERRORED", Author,
        "{check} came to no answer: {detail}",
        "A check that broke has not passed.",
        "plimsoll logs {run} {check}";
    EvidenceEmpty "E-EVIDENCE-EMPTY", Author,
        "{check} looked at nothing: {detail}",
        "Zero tests, or a scan without rules, says nothing about the subject.",
        "plimsoll logs {run} {check}";
    EvidenceParse "E-EVIDENCE-PARSE", Author,
        "the report of {check} cannot be read: {detail}",
        "A report that is missing, cut off, too large or malformed is never read as `no findings`.",
        "plimsoll logs {run} {check}";
    EvidenceSelf "E-EVIDENCE-SELF", Author,
        "{check} and its report disagree: {detail}",
        "A report is what a check says of itself. How it ended, and the rules and data that it was given, must say the same.",
        "plimsoll logs {run} {check}";
    EvidenceTainted "E-EVIDENCE-TAINTED", Security,
        "{check} asked for another machine {attempts} times while it looked",
        "There is no network where checks run. A scanner that asks for it wants something else than to look, or cannot be told what it looked with.",
        "plimsoll logs {run} {check}";
    EvidenceSubject "E-EVIDENCE-SUBJECT", Security,
        "the result of {check} is about {actual}, not about {expected}",
        "A result counts for the digest it was made from, and for no other.",
        "run the check again on what you want to release";
    EvidenceTool "E-EVIDENCE-TOOL", PolicyOwner,
        "{check} was made by {actual}, and the environment asks for {expected}",
        "The environment decides which tool judges.",
        "name the tool in `require:` or use the one it names";
    EvidenceRules "E-EVIDENCE-RULES", Operator,
        "{check} was made with the imported rules {actual}, and the environment asks for {expected}",
        "The environment decides which rules judge.",
        "plimsoll rules import FILES, then run again";
    EvidenceIncomplete "E-EVIDENCE-INCOMPLETE", Author,
        "{check} does not name everything that the artifact is made of: {detail}",
        "What a list lacks, no advisory can be compared with, today or when one is published.",
        "add the lock file that names it, or write `sbom: any` in environment.yaml";
    EvidenceStale "E-EVIDENCE-STALE", Operator,
        "{check} was made with data of {updated}, and the environment asks for data of at most {limit}",
        "What was not known yet when a scan was made, it could not find.",
        "plimsoll advisories import <source>, then run again";
    EvidenceConfig "E-EVIDENCE-CONFIG", PolicyOwner,
        "{detail} of {check} are silenced by comments in the source",
        "The environment decides what counts as a finding, never the project that is looked at.",
        "repair them, or write `comments: true` for this scan in environment.yaml";

    AdapterTool "E-ADAPTER-TOOL", Operator,
        "{check} cannot use {tool}: {problem}",
        "A scanner that did not run has found out nothing; that is not the same as having found nothing.",
        "{install}";
    AdapterConfig "E-ADAPTER-CONFIG", Author,
        "{check} would let itself be configured by {path} of the project",
        "The environment decides what counts as a finding, never the project that is looked at.",
        "git rm {path}";

    AdvisoryIndex "E-ADVISORY-INDEX", Security,
        "the index of advisories cannot be used: {problem}",
        "An index decides what is called vulnerable. One that is missing, cut off, altered or signed by nobody known calls nothing clean.",
        "plimsoll advisories import ADVISORIES";
    AdvisoryOlder "E-ADVISORY-OLDER", Security,
        "the index {index} is of {updated}, and the one in use of {newest}",
        "Who can put an older index in the place of a newer one hides what was found out since.",
        "look why it is older; where that is right, name {index}: `plimsoll advisories import ADVISORIES --older DIGEST`";

    // Signing and verification
    SignUnobserved "E-SIGN-UNOBSERVED", Security,
        "the signer refused: {problem}",
        "A signer signs only what it derived itself from a run that it opened.",
        "plimsoll run";
    BundleParse "E-BUNDLE-PARSE", Security,
        "the bundle cannot be read: {problem}",
        "Bundles are read within limits and in one shape.",
        "ask whoever gave you the file for the original";
    Signature "E-SIGNATURE", Security,
        "the signature does not fit the content",
        "One changed bit is another content, which nobody signed.",
        "compare the file with an older copy";
    SignerUnknown "E-SIGNER-UNKNOWN", Security,
        "the bundle is not signed by a key that the trust root lists",
        "A good signature by an unknown key proves nothing.",
        "plimsoll trust show";
    RoleMismatch "E-ROLE", Security,
        "the bundle is signed as {actual}, and this needs {expected}",
        "Each key signs one kind of statement for one purpose.",
        "plimsoll explain E-ROLE";
    SubjectMismatch "E-SUBJECT", Security,
        "the statement is about {actual}, not about {expected}",
        "A statement counts for the digests it names.",
        "verify the file that the statement was made for";
    DigestMismatch "E-DIGEST", Security,
        "{what} has the digest {actual}, not {expected}",
        "Content is named by its digest and checked against it whenever it is read.",
        "restore it from a copy, or run again";
    TrustRoot "E-TRUST-ROOT", Security,
        "the trust root cannot be used: {problem}",
        "Which keys are believed is decided in trust/root.json, signed by the threshold of its own keys.",
        "plimsoll trust show";
    Threshold "E-THRESHOLD", Security,
        "{have} of {need} root keys signed version {version}",
        "A trust root counts when enough of its keys signed it, each once.",
        "ssh-keygen -Y sign -n plimsoll-root -f KEY trust/root.json";

    // Decision
    DossierParse "E-DOSSIER-PARSE", Security,
        "the dossier cannot be read: {problem}",
        "A dossier holds a decision and everything it names, and nothing else.",
        "ask whoever gave you the file for the original";
    DecisionMismatch "E-DECISION-MISMATCH", Security,
        "recomputing the decision gives another result: {problem}",
        "A decision is a function of its inputs. Whoever has them gets the same bytes.",
        "do not start this release; keep the dossier and look into it";
    RulesUnknown "E-RULES-UNKNOWN", Operator,
        "the decision was made under rules version {version}, which this binary does not know",
        "A decision is recomputed under the rules it was made under.",
        "use a newer plimsoll";
    NoDecision "E-NO-DECISION", Author,
        "there is no decision for {release} in {environment}",
        "Nothing starts without a decision.",
        "plimsoll promote {project} --to {environment}";
    TierUntrusted "E-TIER", PolicyOwner,
        "the run {run} is untrusted: {problem}",
        "A run is trusted when its commit is reachable from a protected ref and its pipeline is approved.",
        "merge the change into a protected ref, have the pipeline approved, and run again";
    Builder "E-BUILDER", PolicyOwner,
        "the artifact was built by {actual}, and the environment asks for {expected}",
        "The environment decides which builders it believes.",
        "build it on a builder that the environment lists";
    ProvNetwork "E-PROV-NETWORK", PolicyOwner,
        "the build's network was {actual}, and the environment asks for {expected}",
        "The environment decides how bytes from outside may come in.",
        "commit a lock file, so that every fetched byte is pinned";
    Rollback "E-ROLLBACK", Security,
        "the decision follows {actual}, and the environment stands at {expected}",
        "Decisions form a chain: an old one, however well signed, does not start again.",
        "plimsoll promote {project} --to {environment}";
    DecisionExpired "E-DECISION-EXPIRED", Author,
        "the decision could be started until {start_by}",
        "An allow that waits too long is judged again.",
        "plimsoll promote {project} --to {environment}";
    Health "E-HEALTH", Author,
        "{release} did not become healthy: {problem}",
        "A release serves only after its health check answered.",
        "plimsoll logs {project}@{environment}";

    // Environments, approvals and policies
    After "E-AFTER", Author,
        "nothing shows that {artifact} runs in {after}: {problem}",
        "An environment that comes after another one takes the very artifact that ran there, seen by an agent.",
        "plimsoll promote {project} --to {after}";
    Soak "E-SOAK", Author,
        "{artifact} was seen running in {after} for {have}, and {environment} asks for {need}",
        "Some faults need time to show.",
        "wait, then plimsoll promote {project} --to {environment}";
    Freeze "E-FREEZE", PolicyOwner,
        "{environment} is frozen until {until} ({window})",
        "In a freeze nothing new starts; what runs may restart, and a release may go back to an earlier one.",
        "wait until {until}";
    ApprQuorum "E-APPR-QUORUM", Author,
        "{have} of {need} approvals count",
        "A release needs people who did not write it; an approval that does not count is listed beside this with its reason.",
        "plimsoll approve {project}@{environment}";
    ApprSelf "E-APPR-SELF", Author,
        "{person} takes part in the change as {part}",
        "Nobody approves what they wrote, committed, signed or helped to write, under any of their names, addresses or keys. Whoever is named falsely as author or co-author can sign so: plimsoll approve --disclaim.",
        "ask somebody else to run: plimsoll approve {project}@{environment}";
    ApprRobot "E-APPR-ROBOT", Author,
        "{person} is a robot",
        "Robots do not approve: somebody is responsible for each approval.",
        "ask a person to run: plimsoll approve {project}@{environment}";
    ApprSigner "E-APPR-SIGNER", Author,
        "the approval {approval} does not count: {problem}",
        "An approval is signed by the key of a person in people.yaml who has one of the roles that the environment asks.",
        "ask one of {roles} to run: plimsoll approve {project}@{environment}";
    ApprEnvironment "E-APPR-ENV", Security,
        "the approval by {person} is for {actual}",
        "An approval counts for one project in one environment.",
        "ask {person} to run: plimsoll approve {project}@{environment}";
    ApprRelease "E-APPR-RELEASE", Author,
        "{person} approved the release {actual}, and {expected} is to start",
        "An approval counts for the exact release that was shown, configuration included.",
        "ask {person} to run again: plimsoll approve {project}@{environment}";
    ApprBase "E-APPR-BASE", Author,
        "{person} approved the change from {actual}, and {expected} runs now",
        "What an approver saw is a difference: when the base moved, they saw another one.",
        "ask {person} to run again: plimsoll approve {project}@{environment}";
    ApprPolicy "E-APPR-POLICY", Author,
        "{person} approved under another policy set",
        "An approval is given under rules; when these change it is asked for again.",
        "ask {person} to run again: plimsoll approve {project}@{environment}";
    ApprUsed "E-APPR-USED", Security,
        "the approval {approval} by {person} was used by an earlier decision",
        "An approval counts once.",
        "ask {person} to run again: plimsoll approve {project}@{environment}";
    ApprExpired "E-APPR-EXPIRED", Author,
        "the approval by {person} expired at {expiry}",
        "An approval is an answer to what was known at its time.",
        "ask {person} to run again: plimsoll approve {project}@{environment}";
    ApprFloor "E-APPR-FLOOR", Author,
        "{person} approved when {gate} was {seen}, and it is {outcome} now",
        "An approval is void when the evidence is worse than the approver saw.",
        "plimsoll why {project}@{environment}";
    ApprAuthorUnknown "E-APPR-AUTHOR-UNKNOWN", Author,
        "nobody knows who wrote {commit}: {problem}",
        "Whoever is excluded must be known: a commit in the delta is signed by a key in people.yaml.",
        "sign the commit, or let the environment say: approvals: {unsigned: extra-approval}";
    PolicyUnsigned "E-POLICY-UNSIGNED", PolicyOwner,
        "the policy set is not signed: {problem}",
        "Policy files count only as a signer named by the trust root has signed them, all together.",
        "plimsoll policy sign";
    PolicySod "E-POLICY-SOD", PolicyOwner,
        "{person} signed the policy set and wrote {commit}, which is part of the change",
        "Whoever changes the rules does not also put them into force.",
        "ask another policy signer to run: plimsoll policy sign";
    PolicyVacuous "E-POLICY-VACUOUS", PolicyOwner,
        "{policy} cannot refuse anything: {problem}",
        "A policy that allows everything looks like a control and is none.",
        "plimsoll policy test";
    PolicyFailed "E-POLICY-FAILED", Author,
        "{policy} says: {message}",
        "The policies that an environment names must have nothing against a release.",
        "plimsoll why {project}@{environment}";
    PolicyErrored "E-POLICY-ERRORED", PolicyOwner,
        "{policy} gave no answer: {problem}",
        "A policy that fails, runs out of its budget or has no rule that fits does not pass.",
        "plimsoll policy test";

    // The delivery repository and the agent
    DeliveryRewind "E-DELIVERY-REWIND", Security,
        "the delivery repository stands at {head}, which does not follow {last}",
        "The delivery repository only moves forward: an agent that saw a commit does not go back behind it.",
        "git log {last}: find out who rewrote the delivery repository, and restore that commit";
    DeliveryCommit "E-DELIVERY-COMMIT", Security,
        "the promotion commit {commit} does not count: {problem}",
        "A promotion is the direct child of the commit that was judged and changes only the files of that one release.",
        "git show {commit}: find out who wrote it; plimsoll promote {project} --to {environment} makes a new one";
    AgentTwice "E-AGENT-TWICE", Operator,
        "somebody else signs observations as the agent of {environment}: {problem}",
        "One agent owns an environment on one host; two would each repair what the other did.",
        "stop the other agent, then: plimsoll agent enroll";
    StoreMissing "E-STORE-MISSING", Operator,
        "{path} has no {what}",
        "An agent starts what it has whole, every byte hashed on the way from the store that it was enrolled with.",
        "ls {path}: is the promoter's store, or a copy of it, there?";
    Drift "E-DRIFT", Security,
        "{unit} is not what was decided: {what}: {cause}",
        "What runs is compared with the release again and again.",
        "plimsoll why {unit}";
    Loader "E-LOADER", Author,
        "the variable {name} would load foreign code into the service ({where})",
        "A service runs the bytes that were hashed: variables of loaders and interpreters would add others.",
        "remove {name}";
    TargetPath "E-TARGET-PATH", Operator,
        "nothing is installed in {path}: {problem}",
        "Only the promoter and root may change where a release is installed, and nothing that Plimsoll did not put there is replaced.",
        "ls -ld {path} {path}/releases {path}/current";
    Fallback "E-FALLBACK", Author,
        "{release} was taken back: {problem}",
        "In the confirm window a release that fails gives its place back to the one that its decision names.",
        "plimsoll logs {project}@{environment}";

    // State
    StateLocked "E-STATE-LOCKED", Operator,
        "the state directory {path} is in use by process {pid}",
        "One writer at a time: two could each undo what the other recorded.",
        "wait for the other command, or give this one another --state";
    StateNewer "E-STATE-NEWER", Operator,
        "the state directory {path} has format {found}; this binary knows up to {known}",
        "A binary does not write to what it does not understand.",
        "use a newer plimsoll";
    StateFull "E-STATE-FULL", Operator,
        "writing to {path} failed: {problem}",
        "What cannot be stored did not happen: nothing is signed about it.",
        "free some space and run the same command again";
    JournalBroken "E-LOG-EDITED", Security,
        "entry {index} of the journal does not follow from the one before it: {problem}",
        "The journal is a hash chain of everything opened, closed, decided and refused.",
        "keep a copy of the state directory before you change anything";
    Clock "E-CLOCK", Operator,
        "the clock says {now}, and the journal was last written at {last}",
        "A clock that went back makes expired things valid again.",
        "set the clock: timedatectl set-ntp true";
}

impl Code {
    /// The code as text, as in `E-NET-DENIED`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.explanation().code
    }

    /// Finds a code by its text, in any letter case.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text))
    }

    /// A reason with this code and no parameters yet.
    #[must_use]
    pub const fn reason(self) -> Reason {
        Reason { code: self, parameters: BTreeMap::new() }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = Self::ALL.iter().copied().find(|code| code.as_str() == text);
        known.ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a reason code")))
    }
}

/// A refusal: a code, and the facts that its sentence names. Never prose, so that it can be signed and compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The code.
    pub code: Code,
    /// Facts by name, as text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

impl Reason {
    /// Adds a fact. Control characters of the value are replaced, since facts can be foreign text that reaches a
    /// terminal; the value is cut at 1,000 characters.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.parameters.insert(name.to_owned(), printable(&value.to_string(), 1000));
        self
    }

    /// The registry's sentence with the facts filled in.
    #[must_use]
    pub fn sentence(&self) -> String {
        self.fill(self.code.explanation().fact)
    }

    /// The registry's next step with the facts filled in.
    #[must_use]
    pub fn next(&self) -> String {
        self.fill(self.code.explanation().next)
    }

    fn fill(&self, template: &str) -> String {
        self.parameters
            .iter()
            .fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.sentence())
    }
}

/// Whether a terminal obeys a character instead of showing it, or shows what stands around it in another order: control
/// characters, and those that format bidirectional text. Each has four hexadecimal digits.
#[must_use]
pub fn is_hostile(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Foreign text as it may be shown on a terminal: what [`is_hostile`] becomes `\u{fffd}`, and more than `limit` characters
/// are cut.
#[must_use]
pub fn printable(text: &str, limit: usize) -> String {
    let hostile = |c: char| !removed!("printable") && is_hostile(c);
    let mut shown: String =
        text.chars().take(limit).map(|c| if hostile(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(limit).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_of_one_form() {
        let mut seen = std::collections::BTreeSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} stands twice");
            assert!(
                text.starts_with("E-") && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'-'),
                "{text}"
            );
            assert_eq!(Code::find(&text.to_lowercase()), Some(*code));
        }
    }

    #[test]
    fn a_reason_fills_its_sentence_and_disarms_foreign_text() {
        let reason = Code::OutKind.reason().with("path", "a\u{1b}[2Jb").with("kind", "a fifo");
        assert_eq!(reason.sentence(), "the output a\u{fffd}[2Jb is a fifo");
        let json = serde_json::to_string(&reason).unwrap();
        assert_eq!(serde_json::from_str::<Reason>(&json).unwrap(), reason);
    }
}
