//! Fetches what a `Cargo.lock` pins, in two sandboxes: the real client with a network and no project code, then an
//! unpacker with neither. Only archives leave the first, and only those whose hash the lock file names. A fetch whose
//! archives are all in the store is replayed without a network.

use super::{
    FetchError, Fetched,
    archives::{self, Archives, Loose},
    lock::Lock,
    manifests::{Manifests, stale},
    registries::{BuiltIn, ClientConfig, Registries},
};
use crate::ports::{
    Blobs, Egress, EgressLimits, EgressRecord, EgressRules, Finished, Limits, Mount, Network, Sandbox,
    SandboxPlan, Stream, UNREACHABLE,
};
use plimsoll_model::{
    Code, Reason, Tree,
    record::{IsolationRecord, NetworkMode},
};
use plimsoll_pipeline::Registry;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

/// What a fetch needs.
pub struct CargoFetch<'a> {
    /// Where the client and the unpacker run.
    pub sandbox: &'a dyn Sandbox,
    /// The way out.
    pub egress: &'a dyn Egress,
    /// Where archives are kept.
    pub blobs: &'a dyn Blobs,
    /// Mounts of the toolchain: the client, `/bin/sh`, `tar` and `gzip`.
    pub toolchain: &'a [Mount],
    /// `PATH` inside.
    pub path: &'a str,
    /// The client's own binary inside, absolute; never a launcher that a file of the project can steer.
    pub cargo: &'a str,
    /// A bundle of certificate authorities on the host; none for what the toolchain mounts hold.
    pub certificates: Option<&'a Path>,
    /// The operator's own configuration of the client.
    pub client: &'a ClientConfig,
    /// Registries of the delivery repository.
    pub registries: &'a [Registry],
    /// The exported source on the host.
    pub source: &'a Path,
    /// The same as a tree.
    pub tree: &'a Tree,
    /// An empty directory of this fetch on the host; the packages stay in it.
    pub work: &'a Path,
    /// Where the packages will appear in builds.
    pub vendor: &'a str,
    /// Set from outside to stop.
    pub interrupted: &'a AtomicBool,
}

const HOME: &str = "/cargo";
const SOURCE: &str = "/src";
const CWD: &str = "/fetch";
const CERTIFICATES: &str = "/certificates.pem";
const PROXY: &str = "http://127.0.0.1:3128";
/// Names of writable mounts.
const CLIENT: &str = "client";
const UNPACKED: &str = "unpacked";
const PULSE: Duration = Duration::from_millis(50);

/// Each archive into a directory of its own, so that none can write into another's.
const UNPACK: &str = r#"cd /archives
for archive in *.crate; do
  mkdir "/unpacked/${archive%.crate}"
  tar -xzf "$archive" -C "/unpacked/${archive%.crate}" --no-same-owner --no-same-permissions
done"#;

/// A package with a dependency that exists nowhere, to make the client name its built-in registry.
const QUESTION: &str = r#"[package]
name = "question"
version = "0.0.0"
edition = "2021"
[dependencies]
plimsoll-asks-where-packages-come-from = "0"
"#;
const ASK: &str = r#""$CARGO" metadata --no-deps --offline --format-version 1 --manifest-path /question/Cargo.toml
"$CARGO" generate-lockfile --offline --manifest-path /question/Cargo.toml || true"#;

/// What came in, or was there already.
struct Brought {
    archives: Archives,
    vendor: PathBuf,
    egress: EgressRecord,
    isolation: IsolationRecord,
}

/// What a sandbox printed and left.
struct Ran {
    finished: Finished,
    stdout: Vec<u8>,
    stderr: String,
}

impl CargoFetch<'_> {
    /// Fetches everything that the lock file pins. Without such packages nothing is started; with all of them in the
    /// store already, nothing meets a network.
    ///
    /// # Errors
    /// `E-LOCK-SOURCE`, `E-LOCK-INCOMPLETE`, `E-LOCK-ORPHAN`, `E-LOCK-STALE`, `E-LOCK-HASH`, `E-NET-DENIED`,
    /// `E-FETCH-FAILED`; failures of sandbox, store and file system.
    pub fn run(&self, output: &mut dyn FnMut(Stream, &[u8])) -> Result<Fetched, FetchError> {
        let manifests = Manifests::read(open_directory(self.source)?, self.tree)?;
        let lock = manifests.lock()?;
        let mut reasons = manifests.stale(&lock);
        if lock.fetched().next().is_none() {
            return if reasons.is_empty() {
                Ok(Fetched::nothing())
            } else {
                Err(FetchError::Refused(reasons))
            };
        }
        let registries = Registries::new(self.built_in()?, self.client.clone(), self.registries)?;
        reasons.extend(lock.judge(&registries, &manifests.names()));
        if !reasons.is_empty() {
            return Err(FetchError::Refused(reasons));
        }
        let (skeleton, directory) = self.directory("manifests")?;
        manifests.write(directory.as_fd())?;
        let config = registries.build_config(sources(&lock), self.vendor)?;
        let brought = match archives::stored(&lock, self.blobs)? {
            Some(archives) => {
                let vendor = self.unpack(&lock, &archives, output)?;
                let isolation = self.confirm(&skeleton, &vendor, &config, &lock, output)?;
                Brought { archives, vendor, egress: EgressRecord::default(), isolation }
            }
            None => {
                let (finished, egress) = self.download(&skeleton, &lock, &registries, output)?;
                let archives = archives::freeze(writable(&finished, CLIENT)?.as_fd(), &lock, self.blobs)?;
                let vendor = self.unpack(&lock, &archives, output)?;
                Brought { archives, vendor, egress, isolation: finished.record }
            }
        };
        Ok(Fetched {
            materials: brought.archives.materials,
            network: NetworkMode::Locked,
            vendor: Some((brought.vendor, config)),
            events: brought.egress.events,
            unrecorded: brought.egress.unrecorded,
            isolation: Some(brought.isolation),
        })
    }

    /// Asks the client, away from every project and configuration and without a network, for its built-in registry.
    fn built_in(&self) -> Result<BuiltIn, FetchError> {
        let mut mounts = self.toolchain.to_vec();
        mounts.push(Mount::Scratch { target: "/tmp".into() });
        mounts.push(Mount::Scratch { target: HOME.into() });
        mounts.push(Mount::File { target: "/question/Cargo.toml".into(), content: QUESTION.into() });
        mounts.push(Mount::File { target: "/question/src/lib.rs".into(), content: String::new() });
        let plan = self.plan(shell(ASK), mounts, Network::None, "/question");
        let ran = self.start(&plan, None, &mut |_, _| {})?.0;
        BuiltIn::from_answers(&ran.stdout, &ran.stderr).ok_or_else(|| {
            FetchError::failed(format!(
                "the client does not say which registry it uses: {}",
                last_lines(&ran.stderr)
            ))
        })
    }

    fn download(
        &self,
        skeleton: &Path,
        lock: &Lock,
        registries: &Registries,
        output: &mut dyn FnMut(Stream, &[u8]),
    ) -> Result<(Finished, EgressRecord), FetchError> {
        let mut mounts = self.toolchain.to_vec();
        mounts.push(Mount::Scratch { target: "/tmp".into() });
        mounts.push(Mount::Writable { name: CLIENT.into(), target: HOME.into() });
        mounts.push(Mount::ReadOnly { source: skeleton.to_owned(), target: SOURCE.into() });
        mounts.push(Mount::File {
            target: format!("{CWD}/.cargo/config.toml"),
            content: registries.fetch_config()?,
        });
        if let Some(bundle) = self.certificates {
            mounts.push(Mount::ReadOnly { source: bundle.to_owned(), target: CERTIFICATES.into() });
        }
        let argv = [self.cargo, "fetch", "--locked", "--manifest-path", "/src/Cargo.toml"];
        let plan = self.plan(argv.map(String::from).into(), mounts, Network::Gateway, CWD);
        let rules = EgressRules { hosts: registries.hosts(sources(lock)), limits: EgressLimits::default() };
        let (ran, egress) = self.start(&plan, Some(rules), output)?;
        let reasons = judge_client(&ran, &egress, lock);
        if reasons.is_empty() { Ok((ran.finished, egress)) } else { Err(FetchError::Refused(reasons)) }
    }

    /// Has the client confirm, without a network, that the lock file fits the manifests and the packages fit both.
    fn confirm(
        &self,
        skeleton: &Path,
        vendor: &Path,
        config: &str,
        lock: &Lock,
        output: &mut dyn FnMut(Stream, &[u8]),
    ) -> Result<IsolationRecord, FetchError> {
        let mut mounts = self.toolchain.to_vec();
        mounts.push(Mount::Scratch { target: "/tmp".into() });
        mounts.push(Mount::Scratch { target: HOME.into() });
        mounts.push(Mount::ReadOnly { source: skeleton.to_owned(), target: SOURCE.into() });
        mounts.push(Mount::ReadOnly { source: vendor.to_owned(), target: self.vendor.into() });
        mounts.push(Mount::File { target: format!("{CWD}/.cargo/config.toml"), content: config.into() });
        let argv = [self.cargo, "fetch", "--locked", "--offline", "--manifest-path", "/src/Cargo.toml"];
        let plan = self.plan(argv.map(String::from).into(), mounts, Network::None, CWD);
        let (ran, egress) = self.start(&plan, None, output)?;
        let reasons = judge_client(&ran, &egress, lock);
        if reasons.is_empty() { Ok(ran.finished.record) } else { Err(FetchError::Refused(reasons)) }
    }

    /// Unpacks the archives in a sandbox without network and gives the client's directory source.
    fn unpack(
        &self,
        lock: &Lock,
        archives: &Archives,
        output: &mut dyn FnMut(Stream, &[u8]),
    ) -> Result<PathBuf, FetchError> {
        let (packed, directory) = self.directory("archives")?;
        plimsoll_fs::write_tree(
            &archives.tree,
            &|digest| archives::open(self.blobs, digest),
            directory.as_fd(),
            0,
        )?;
        let mut mounts = self.toolchain.to_vec();
        mounts.push(Mount::Scratch { target: "/tmp".into() });
        mounts.push(Mount::ReadOnly { source: packed, target: "/archives".into() });
        mounts.push(Mount::Writable { name: UNPACKED.into(), target: "/unpacked".into() });
        let plan = self.plan(shell(UNPACK), mounts, Network::None, "/tmp");
        let ran = self.start(&plan, None, output)?.0;
        if !ran.finished.exit.is_success() {
            return Err(FetchError::failed(format!(
                "an archive cannot be unpacked: {}",
                last_lines(&ran.stderr)
            )));
        }
        let unpacked = writable(&ran.finished, UNPACKED)?;
        let (loose, _) = self.directory("loose")?;
        let (vendor, destination) = self.directory("vendor")?;
        archives::arrange(unpacked.as_fd(), lock, Loose::new(loose), destination.as_fd())?;
        Ok(vendor)
    }

    fn plan(&self, argv: Vec<String>, mounts: Vec<Mount>, network: Network, cwd: &str) -> SandboxPlan {
        let mut env = BTreeMap::from(
            [
                ("PATH", self.path),
                ("HOME", "/tmp"),
                ("TMPDIR", "/tmp"),
                ("LANG", "C.UTF-8"),
                ("CARGO", self.cargo),
                ("CARGO_HOME", HOME),
                ("CARGO_TERM_COLOR", "never"),
                ("CARGO_NET_RETRY", "2"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        if network == Network::Gateway {
            for name in ["HTTPS_PROXY", "https_proxy", "CARGO_HTTP_PROXY"] {
                env.insert(name.into(), PROXY.into());
            }
            if self.certificates.is_some() {
                env.insert("CARGO_HTTP_CAINFO".into(), CERTIFICATES.into());
                env.insert("SSL_CERT_FILE".into(), CERTIFICATES.into());
            }
        }
        SandboxPlan { argv, env, cwd: cwd.into(), mounts, network, limits: Limits::default() }
    }

    /// Runs a plan to its end, with a gateway where there are rules for one, and stops it when somebody wants that.
    fn start(
        &self,
        plan: &SandboxPlan,
        rules: Option<EgressRules>,
        output: &mut dyn FnMut(Stream, &[u8]),
    ) -> Result<(Ran, EgressRecord), FetchError> {
        let mut running = self.sandbox.start(plan, None)?;
        let session = match rules {
            None => None,
            Some(rules) => {
                let listener =
                    running.take_gateway().ok_or_else(|| FetchError::failed("the sandbox has no gateway"))?;
                let served = self.egress.serve(listener, rules);
                Some(served.map_err(|error| FetchError::io("serve the gateway", error))?)
            }
        };
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut collect = |stream, bytes: &[u8]| {
            output(stream, bytes);
            match stream {
                Stream::Out => stdout.extend_from_slice(bytes),
                Stream::Err => stderr.extend_from_slice(bytes),
            }
        };
        let stopper = running.stopper();
        let ended = AtomicBool::new(false);
        let finished = thread::scope(|scope| {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    if self.interrupted.load(Ordering::Relaxed) {
                        return stopper.kill();
                    }
                    thread::park_timeout(PULSE);
                }
            });
            let finished = running.wait(&mut collect);
            ended.store(true, Ordering::Relaxed);
            finished
        });
        let egress = session.map(|session| session.finish()).unwrap_or_default();
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(FetchError::Interrupted);
        }
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        Ok((Ran { finished: finished?, stdout, stderr }, egress))
    }

    fn directory(&self, name: &str) -> Result<(PathBuf, OwnedFd), FetchError> {
        let path = self.work.join(name);
        fs::create_dir(&path).map_err(|error| FetchError::io(format!("make {}", path.display()), error))?;
        let descriptor = open_directory(&path)?;
        Ok((path, descriptor))
    }
}

fn sources(lock: &Lock) -> impl Iterator<Item = &str> {
    lock.fetched().filter_map(|package| package.source.as_deref())
}

fn shell(script: &str) -> Vec<String> {
    ["/bin/sh", "-eu", "-c", script].map(String::from).into()
}

fn open_directory(path: &Path) -> Result<OwnedFd, FetchError> {
    let opened = File::open(path).map(OwnedFd::from);
    opened.map_err(|error| FetchError::io(format!("open {}", path.display()), error))
}

fn writable<'a>(finished: &'a Finished, name: &str) -> Result<&'a OwnedFd, FetchError> {
    finished.writable.get(name).ok_or_else(|| FetchError::failed(format!("the sandbox did not keep {name}")))
}

/// Why the client failed: what the gateway refused it, and what it says itself. Nothing when it did not fail; a client
/// that was refused something and got on without it has what the lock file names.
fn judge_client(ran: &Ran, egress: &EgressRecord, lock: &Lock) -> Vec<Reason> {
    if ran.finished.exit.is_success() {
        return Vec::new();
    }
    let mut reasons: BTreeSet<Reason> = denials(egress).collect();
    let said = &ran.stderr;
    if said.lines().any(|line| line.contains("lock file") && line.contains("--locked was passed")) {
        reasons.insert(stale("the client would have to change it"));
    }
    reasons.extend(changed(said, lock));
    if reasons.is_empty() {
        let exit = ran.finished.exit;
        let problem = match unreachable(egress) {
            Some(host) => format!("{host}; the client ended with {exit}"),
            None => format!("the client ended with {exit}: {}", last_lines(said)),
        };
        reasons.insert(Code::FetchFailed.reason().with("problem", problem));
    }
    reasons.into_iter().collect()
}

/// Connections that a rule was against, each host once.
fn denials(egress: &EgressRecord) -> impl Iterator<Item = Reason> {
    egress.events.iter().filter_map(|event| {
        let problem = event.refused.as_deref().filter(|problem| !problem.starts_with(UNREACHABLE))?;
        let reason = Code::NetDenied.reason().with("step", "fetch").with("host", &event.host);
        Some(reason.with("port", event.port).with("problem", problem))
    })
}

/// The first host that nothing was wrong with, but that did not answer.
fn unreachable(egress: &EgressRecord) -> Option<String> {
    egress.events.iter().find_map(|event| {
        let problem = event.refused.as_deref().filter(|problem| problem.starts_with(UNREACHABLE))?;
        Some(format!("{}:{} is {problem}", event.host, event.port))
    })
}

/// The client checks hashes too, and throws away what does not fit; its words are all that is left of those bytes.
fn changed(said: &str, lock: &Lock) -> Vec<Reason> {
    let about = |line: &str| {
        ["failed to verify the checksum of `", "checksum for `"].iter().find_map(|beginning| {
            let (_, rest) = line.split_once(beginning)?;
            rest.split('`').next().map(str::to_owned)
        })
    };
    let named: BTreeSet<String> = said.lines().filter_map(about).collect();
    let package = |named: &String| {
        lock.fetched().find(|package| *named == format!("{} v{}", package.name, package.version))
    };
    let reason = |package: &super::lock::LockedPackage| {
        let expected = package.checksum.clone().unwrap_or_default();
        let reason = Code::LockHash.reason().with("package", package.label());
        reason
            .with("actual", "(not kept: the client refused those bytes)")
            .with("expected", format!("sha256:{expected}"))
    };
    named.iter().filter_map(package).map(reason).collect()
}

/// What a client said in the end, short enough for a reason.
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let kept = lines[lines.len().saturating_sub(8)..].join("; ");
    let skip = kept.chars().count().saturating_sub(800);
    kept.chars().skip(skip).collect()
}
