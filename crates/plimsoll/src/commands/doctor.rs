//! `plimsoll doctor`: what this machine enforces, tried for real, and what to change where that is too little.

use crate::{context, failure::Failure, output::Output, toolchain};
use plimsoll_engine::ports::Sandbox as _;
use plimsoll_model::record::{Enforcement, IsolationRecord};
use serde::Serialize;
use std::process::ExitCode;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    fine: bool,
    detail: String,
    remedy: Vec<String>,
}

pub(crate) fn doctor(output: &Output) -> Result<ExitCode, Failure> {
    let isolation = context::sandbox()?.probe();
    let mut findings = vec![match &isolation {
        Ok(record) => fine("isolation", describe(record)),
        Err(error) => Finding {
            what: "isolation",
            fine: false,
            detail: error.problem.clone(),
            remedy: error.remedy.clone(),
        },
    }];
    findings.extend(isolation.as_ref().ok().map(limits));
    findings.push(rust());
    findings.push(tool("git", "reading what is not committed", "apt-get install git"));
    findings.push(tool("ssh-keygen", "signing the trust root", "apt-get install openssh-client"));
    let usable = findings.iter().all(|finding| finding.fine);
    output.result(
        &text(&findings),
        &serde_json::json!({ "usable": usable, "findings": findings, "isolation": isolation.ok() }),
    );
    Ok(if usable { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn fine(what: &'static str, detail: String) -> Finding {
    Finding { what, fine: true, detail, remedy: vec![] }
}

fn describe(record: &IsolationRecord) -> String {
    let landlock = match record.landlock_abi {
        0 => "no Landlock in this kernel".to_owned(),
        abi => format!("Landlock {abi}"),
    };
    let seccomp = if record.seccomp.is_some() { "seccomp" } else { "no seccomp" };
    let uid = if record.own_uid { "own user id" } else { "your user id" };
    format!("{} fresh namespaces, {landlock}, {seccomp}, no privileges, {uid}", record.namespaces.len())
}

/// Limits of memory and processes hold for the whole tree only where a control group can be used.
fn limits(record: &IsolationRecord) -> Finding {
    let weak: Vec<&str> = record
        .limits
        .iter()
        .filter(|(_, limit)| matches!(limit.enforced, Enforcement::NotEnforced | Enforcement::Rlimit))
        .map(|(name, _)| name.as_str())
        .collect();
    let detail = if weak.is_empty() {
        "every limit holds for the whole process tree".to_owned()
    } else {
        format!("not enforced for the whole process tree: {} (every run records this)", weak.join(", "))
    };
    let remedy = if weak.is_empty() {
        vec![]
    } else {
        vec!["systemd-run --user --scope -p Delegate=yes plimsoll run".into()]
    };
    Finding { what: "limits", fine: true, detail, remedy }
}

fn rust() -> Finding {
    let remedy = vec!["install Rust: https://rustup.rs".to_owned()];
    match toolchain::RustToolchain::find() {
        Ok(Some(rust)) => fine("rust", rust.sysroot.display().to_string()),
        Ok(None) => Finding { what: "rust", fine: false, detail: "rustc is not on PATH".into(), remedy },
        Err(_) => {
            Finding { what: "rust", fine: false, detail: "rustc does not say where it lives".into(), remedy }
        }
    }
}

fn tool(name: &'static str, purpose: &str, remedy: &str) -> Finding {
    toolchain::on_path(name).map_or_else(
        || Finding {
            what: name,
            fine: false,
            detail: format!("not on PATH; needed for {purpose}"),
            remedy: vec![remedy.into()],
        },
        |path| fine(name, path.display().to_string()),
    )
}

fn text(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let mark = if finding.fine { "ok " } else { "NO " };
        let remedy: String = finding.remedy.iter().map(|remedy| format!("\n      {remedy}")).collect();
        format!("{mark} {:<10} {}{remedy}\n", finding.what, finding.detail)
    };
    findings.iter().map(line).collect()
}
