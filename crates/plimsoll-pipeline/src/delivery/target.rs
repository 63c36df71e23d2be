//! `environments/<environment>/<project>/target.yaml`: where a project lives in an environment.

use crate::{
    diagnostic::{FileErrors, Findings},
    read::{self, mapping},
    value::{Port, Seconds, Version, texts},
};
use serde::{Deserialize, Serialize};

/// Seconds that a service may take to answer unless its file says otherwise.
pub const DEFAULT_START_TIMEOUT_SECONDS: u64 = 30;

mapping! {
    /// `environments/<environment>/<project>/target.yaml`: where a project lives in an environment. It is part of every
    /// release there.
    TargetFile {
        /// Version of this form of file; always 1, and always the first key.
        #[expect(dead_code, reason = "judged before anything else is read")]
        version: Version,
        /// The project runs on the machine of whoever promotes it.
        local: LocalFile,
    }
}

mapping! {
    /// A service on this machine. It runs in a sandbox without a network; connections are passed in.
    LocalFile {
        /// Port that the service listens on inside its sandbox, on 127.0.0.1.
        port: Port,
        /// Port on this machine's loopback, from which connections are passed to the service.
        listen: Port,
        /// Path that answers with status 200 when the service is well, as in `/healthz`.
        health: HealthPath,
        /// How long the service may take to be well before it is stopped and the release counts as failed. Default `30s`.
        start_timeout: Option<Seconds>,
    }
}

texts! {
    /// Path of an HTTP request.
    HealthPath("^/[!-~]*$") = |text| {
        let good = text.starts_with('/') && !text.starts_with("//") && text.bytes().all(|b| b.is_ascii_graphic());
        if good && text.len() <= 1000 { Ok(()) } else { Err(format!("`{text}` is not a path of an HTTP request: expected `/…`")) }
    };
}

/// A checked `target.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Target {
    /// On the machine of whoever promotes it.
    Local {
        /// Port inside the sandbox.
        port: u16,
        /// Port on the machine's loopback.
        listen: u16,
        /// Path that answers with status 200 when the service is well.
        health: String,
        /// Seconds that it may take to be well.
        start_timeout_seconds: u64,
    },
}

impl Target {
    /// Reads `target.yaml`. `file` is its name for messages.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, Box<FileErrors>> {
        read::file(file, bytes, check)
    }
}

fn check(file: TargetFile, _: &mut Findings) -> Option<Target> {
    Some(Target::Local {
        port: u16::try_from(file.local.port.0).ok()?,
        listen: u16::try_from(file.local.listen.0).ok()?,
        health: file.local.health.0,
        start_timeout_seconds: file
            .local
            .start_timeout
            .map_or(DEFAULT_START_TIMEOUT_SECONDS, |Seconds(seconds)| seconds),
    })
}
