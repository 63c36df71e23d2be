//! The manifests that come with this program, each with a report that its tool wrote and a sample that it finds something
//! in; their files are those of `adapters/`.

use super::Adapter;

/// A manifest that comes with this program.
#[derive(Debug, Clone, Copy)]
pub struct Ready {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub manifest: &'static str,
    /// A recorded report with findings.
    pub report: &'static [u8],
    /// Paths and texts of files in which its tool finds something; none where a report is all that it reads.
    pub sample: &'static [(&'static str, &'static str)],
}

macro_rules! ready {
    ($($name:literal, $report:literal, [$($path:literal),*];)*) => {
        /// All of them, in the order of names.
        pub const READY: &[Ready] = &[$(Ready {
            name: $name,
            manifest: include_str!(concat!("../../../../adapters/", $name, ".yaml")),
            report: include_bytes!(concat!("../../../../adapters/reports/", $name, $report)),
            sample: &[$(($path, include_str!(concat!("../../../../adapters/samples/", $name, "/", $path)))),*],
        }),*];
    };
}

ready! {
    "checkov", ".sarif", ["main.tf"];
    "gitleaks", ".sarif", ["settings.py"];
    "grype", ".sarif", [];
    "hadolint", ".sarif", ["Dockerfile"];
    "nuclei", ".sarif", [];
    "osv-scanner", ".sarif", ["package-lock.json"];
    "schemathesis", ".xml", [];
    "semgrep", ".sarif", ["app.py"];
    "sonarqube", ".json", [];
    "trivy", ".sarif", [];
    "zap", ".json", [];
    "zizmor", ".sarif", [".github/workflows/ci.yml"];
}

/// The manifest of this name that comes with this program.
#[must_use]
pub fn ready(name: &str) -> Option<Adapter> {
    let ready = READY.iter().find(|ready| ready.name == name)?;
    // A test reads them all.
    Adapter::read(&format!("adapters/{name}.yaml"), ready.manifest.as_bytes()).ok()
}
