//! A shop with a service whose staging lives with an agent: a second machine, as far as Plimsoll can tell, with a state
//! directory and a home of its own. What it starts ends with it.

use super::{
    Bench,
    case::{say, succeed},
    service::{self, Running},
    shop::Shop,
};
use crate::project::Result;
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// See the module.
pub(super) struct Hosted {
    pub(super) shop: Shop,
    /// Where the service answers.
    pub(super) port: u16,
    /// The compiled service, without a version.
    pub(super) service: PathBuf,
    home: PathBuf,
    agent: Option<Running>,
    versions: u32,
}

impl Hosted {
    /// With an agent at work that looks every `interval` seconds, and a first version that serves.
    pub(super) fn open(bench: &Bench<'_>, interval: u32) -> Result<Self> {
        let (service, port) = (service::compiled(bench)?, service::free_port()?);
        let (listen, bytes) = (port.to_string(), std::fs::read(&service)?);
        let shop = Shop::of(bench, &["--environments", "staging", "--listen", &listen], |repository| {
            repository.write_executable("service", bytes);
            repository.write("version", "");
            repository.write("plimsoll.yaml", service::PIPELINE);
        })?;
        let target = shop.delivery().join("environments/staging/shop/target.yaml");
        let text = std::fs::read_to_string(&target)?;
        std::fs::write(&target, text.replace("local:\n", "host:\n  agent: here\n"))?;
        shop.commit_delivery("staging lives with an agent")?;
        let home = bench.scratch.join("host");
        std::fs::create_dir(&home)?;
        let mut hosted = Self { shop, port, service, home, agent: None, versions: 0 };
        hosted.enroll()?;
        let interval = interval.to_string();
        let mut run = hosted.elsewhere(&["agent", "run", "--interval", &interval]);
        hosted.agent = Some(Running::start(&mut run)?);
        hosted.build()?;
        hosted.promote()?;
        Ok(hosted)
    }

    fn enroll(&self) -> Result<()> {
        let mut enroll = self.elsewhere(&["agent", "enroll", "here", "--environment", "staging"]);
        enroll.arg("--delivery").arg(self.shop.delivery());
        succeed(enroll.arg("--artifacts").arg(self.shop.state().join("layout")))?;
        let key = self.home.join("state/keys/agent-staging.pub");
        let key = key.to_str().ok_or("the folder for temporary files is not text")?;
        self.shop.as_person(&["trust", "add", "agent:staging", key])
    }

    fn elsewhere(&self, arguments: &[&str]) -> Command {
        self.shop.elsewhere(&self.home, arguments)
    }

    /// Commits and builds the next version.
    pub(super) fn build(&mut self) -> Result<()> {
        self.versions += 1;
        self.shop.repository.write("version", format!("\n{}", self.version()));
        self.shop.commit("another version");
        succeed(&mut self.shop.plimsoll(&["run"]))
    }

    /// The newest version.
    pub(super) fn version(&self) -> String {
        format!("v{}", self.versions)
    }

    /// Promotes the newest version. Gives how long it took until it answered; until the promoter knew so is not counted.
    pub(super) fn promote(&self) -> Result<Duration> {
        let mut promote = self.shop.plimsoll(&["promote", "shop", "--to", "staging"]);
        let start = Instant::now();
        let promotion = promote.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let answered = service::until_it_answers(self.port, &self.version()).map(|()| start.elapsed());
        let promoted = promotion.wait_with_output()?;
        if !promoted.status.success() {
            return Err(String::from_utf8_lossy(&promoted.stderr).into());
        }
        answered
    }

    /// Process ids of the agent, and of the supervisor of what serves.
    pub(super) fn processes(&self) -> Result<[u32; 2]> {
        let agent = self.agent.as_ref().ok_or("there is no agent")?.id();
        let record = std::fs::read(self.home.join("state/services/shop@staging/service.json"))?;
        let record: serde_json::Value = serde_json::from_slice(&record)?;
        let supervisor =
            record["supervisor"].as_u64().ok_or("the record of the service has no supervisor")?;
        Ok([agent, u32::try_from(supervisor)?])
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        drop(self.agent.take());
        stop(&mut self.elsewhere(&["stop", "shop@staging"]));
    }
}

/// A service that goes on costs memory on the machine that measures, and nothing else depends on it.
pub(super) fn stop(command: &mut Command) {
    if let Err(error) = say(command) {
        eprintln!("  a service goes on: {error}");
    }
}

/// The delivery repository's trust root with its signatures.
pub(super) fn trust_root(delivery: &Path) -> Result<plimsoll_attest::TrustRoot> {
    let mut signatures = Vec::new();
    for entry in std::fs::read_dir(delivery.join("trust"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("root.json") && name.ends_with(".sig") {
            signatures.push(std::fs::read_to_string(path)?);
        }
    }
    let texts: Vec<&str> = signatures.iter().map(String::as_str).collect();
    let root = std::fs::read(delivery.join("trust/root.json"))?;
    Ok(plimsoll_attest::TrustRoot::accept(&root, &texts, None).map_err(|reason| reason.to_string())?)
}
