//! `plimsoll.yaml` as it is written. Field documentation becomes the JSON Schema and `docs/files.md`.

use super::{Ecosystem, On, ReportStream, Toolchain};
use crate::{
    diagnostic::Findings,
    read::{Entries, Read, Spanned, mapping, words, wrong},
    value::{AbsolutePath, Argument, Number, Port, Run, Seconds, ToolPath, VariableName, Version},
    yaml::{Node, Value},
};
use plimsoll_model::{CheckName, ProjectName, RelPath, ScanEngine, StepName};

/// Variables and their values; both are text.
pub(crate) type Variables = Entries<VariableName, Argument>;

mapping! {
    /// `plimsoll.yaml`: how a project is built and checked. It stands at the root of the project; a repository with
    /// several projects has one in each project's directory.
    PipelineFile {
        /// Version of this form of file; always 1, and always the first key.
        #[expect(dead_code, reason = "judged before anything else is read")]
        version: Version,
        /// Name of the project. The delivery repository has a file `projects/<project>.yaml` for it.
        project: ProjectName,
        /// How the artifact is built.
        build: BuildFile,
        /// What is looked into before the artifact can be released. Checks run without a network.
        evidence: Option<Vec<EvidenceFile>>,
    }
}

mapping! {
    /// How the artifact is built.
    BuildFile {
        /// Where the tools come from. `host`: the machine's own, read-only; the provenance says that the build is not
        /// hermetic. Default `host`.
        toolchain: Option<Toolchain>,
        /// Ecosystems whose locked packages are fetched before the first step, through the recording gateway. No step
        /// has a network. Default none.
        fetch: Option<Vec<Spanned<Ecosystem>>>,
        /// The steps. Each runs in a fresh sandbox with the source, read-only, at `/src`.
        steps: Spanned<Vec<StepFile>>,
        /// What the steps build.
        artifact: Spanned<ArtifactFile>,
    }
}

mapping! {
    /// One step of the build.
    StepFile {
        /// Name of the step, unique among steps and checks.
        name: Spanned<StepName>,
        /// What to run. Text is a script for `/bin/sh -eu -c`; a list is a program and its arguments. Nothing in it is
        /// ever replaced.
        run: Run,
        /// Environment variables. Plimsoll sets `PATH`, `HOME`, `CARGO_HOME`, `TMPDIR`, `LANG`, `TZ`,
        /// `SOURCE_DATE_EPOCH` and `PLIMSOLL_…` itself, so they cannot be listed.
        env: Option<Variables>,
        /// Directories below the project that start empty, can be written, and are thrown away.
        scratch: Option<Vec<Spanned<RelPath>>>,
        /// What is kept and hashed. Either below a scratch directory, or a directory of its own, which then starts empty
        /// and can be written. Steps that need this one see it read-only.
        out: Option<Vec<Spanned<RelPath>>>,
        /// Steps that end before this one starts. Without the key it is the step before in the file; `[]` is none.
        needs: Option<Vec<Spanned<StepName>>>,
        /// After this time the step is killed, with everything that it started: `90s`, `10m`, `2h`; at most `24h`.
        /// Default `30m`.
        timeout: Option<Seconds>,
        /// How often a failed attempt is repeated, 0 to 3. Default 0.
        retry: Option<Number<0, 3>>,
    }
}

mapping! {
    /// What is built: either `files` or `image`.
    ArtifactFile {
        /// Paths of outputs; the artifact is these files as they are.
        files: Option<Spanned<Vec<Spanned<RelPath>>>>,
        /// The artifact is a container image.
        image: Option<ImageFile>,
    }
}

mapping! {
    /// A container image.
    ImageFile {
        /// What the image starts from: `scratch` (nothing), or the directory of an OCI layout and the digest of an image
        /// in it, as in `bases/debian@sha256:…`.
        base: BaseText,
        /// Outputs, and their absolute paths in the image.
        files: Spanned<Entries<RelPath, Spanned<AbsolutePath>>>,
        /// The program that the image runs, and its fixed arguments.
        entrypoint: Spanned<Vec<Argument>>,
        /// Default arguments, which a user of the image may replace. Default none.
        cmd: Option<Vec<Argument>>,
        /// Environment of the program. Variables that load other code, as `LD_PRELOAD`, are refused. Default none.
        env: Option<Variables>,
    }
}

/// Planned checks: a test, an adapter, or scans by Plimsoll itself.
#[derive(Debug, schemars::JsonSchema)]
#[schemars(untagged)]
pub(crate) enum EvidenceFile {
    Test(TestFile),
    Adapter(Box<AdapterFile>),
    Scan(ScanFile),
}

mapping! {
    /// A test. It passes when its command ends with status 0 and its report, if there is one, agrees.
    TestFile {
        /// Name of the test, unique among steps and checks.
        test: Spanned<CheckName>,
        /// What is tested: the revision (`source`), or what was built (`artifact`, unpacked read-only at `/artifact`).
        on: On,
        /// What to run; see `run` of a step.
        run: Run,
        /// Environment variables; see `env` of a step.
        env: Option<Variables>,
        /// Directories below the project that start empty, can be written, and are thrown away.
        scratch: Option<Vec<Spanned<RelPath>>>,
        /// Time limit; see `timeout` of a step.
        timeout: Option<Seconds>,
        /// How often a failed attempt is repeated, 0 to 3; every attempt is listed in the evidence. Default 0.
        retry: Option<Number<0, 3>>,
        /// Where the report is. Default none: only the exit status counts.
        report: Option<Spanned<TestReportFile>>,
    }
}

mapping! {
    /// Where the report of a test is: exactly one of the keys.
    TestReportFile {
        /// What `cargo test` prints, on this stream.
        libtest: Option<ReportStream>,
        /// What `cargo nextest run` prints, on this stream.
        nextest: Option<ReportStream>,
        /// A file in JUnit's XML format. Its directory starts empty and can be written.
        junit: Option<Spanned<RelPath>>,
    }
}

mapping! {
    /// A foreign tool that reports findings: described by a manifest, or by `run` and `report`. Which findings block is
    /// decided by the environment, not here.
    AdapterFile {
        /// Name of the adapter, unique among steps and checks. Without `run` and `manifest` it is the name of a manifest
        /// that comes with Plimsoll: `plimsoll adapter list`.
        adapter: Spanned<CheckName>,
        /// What is looked at: the revision (`source`), or what was built (`artifact`). Default `source`, or what the
        /// manifest is for.
        on: Option<On>,
        /// A manifest of the project, which says everything that `run`, `env`, `scratch`, `timeout`, `report` and `tool`
        /// would.
        manifest: Option<RelPath>,
        /// The report of a scanner that ran elsewhere, for manifests that read one.
        recorded: Option<RelPath>,
        /// The artifact as a running service, for manifests that look at one.
        service: Option<Spanned<ServiceFile>>,
        /// What to run; see `run` of a step.
        run: Option<Spanned<Run>>,
        /// Environment variables; see `env` of a step.
        env: Option<Spanned<Variables>>,
        /// Directories below the project that start empty, can be written, and are thrown away.
        scratch: Option<Spanned<Vec<Spanned<RelPath>>>>,
        /// Time limit; see `timeout` of a step.
        timeout: Option<Spanned<Seconds>>,
        /// How often a failed attempt is repeated, 0 to 3; every attempt is listed in the evidence. Default 0.
        retry: Option<Number<0, 3>>,
        /// Where the findings are.
        report: Option<Spanned<AdapterReportFile>>,
        /// Executable of the tool, an absolute path or a name to be found in `PATH`. It is hashed, so that an environment
        /// can ask for exactly this tool. Default: the tool is not identified.
        tool: Option<Spanned<ToolPath>>,
    }
}

mapping! {
    /// A service that a scanner looks at. It runs in a sandbox of its own; nobody but the scanner reaches it, and the scanner
    /// reaches nothing else.
    ServiceFile {
        /// A program of the artifact and its arguments, as in `[/artifact/shop, --verbose]`.
        run: Spanned<Vec<Argument>>,
        /// Environment variables; see `env` of a step.
        env: Option<Variables>,
        /// The port that it listens on, on 127.0.0.1. The scan begins when it accepts a connection there.
        port: Port,
    }
}

mapping! {
    /// Scans by Plimsoll itself, each a check of its own. Which findings block is decided by the environment, not here.
    ScanFile {
        /// What to look for. The check of the source is named as its scanner, that of the artifact `artifact-secrets` and
        /// so on. `sbom` lists what the artifact is made of, from the lock files of the source, what the build fetched and
        /// what is found in the artifact; it is always about the artifact.
        scan: Spanned<Vec<Spanned<Look>>>,
        /// What is looked at: the revision (`source`), or what was built (`artifact`). Default `source`.
        on: Option<On>,
        /// Time limit of each; see `timeout` of a step.
        timeout: Option<Seconds>,
    }
}

mapping! {
    /// Where the findings of an adapter are.
    AdapterReportFile {
        /// A file in SARIF 2.1.0. Its directory starts empty and can be written.
        sarif: Spanned<RelPath>,
    }
}

impl Read for EvidenceFile {
    fn read(node: &Node, found: &mut Findings) -> Option<Self> {
        let Value::Map(entries) = &node.value else { return wrong(node, "a mapping", found) };
        let has = |name: &str| entries.iter().any(|(key, _)| key.text == name);
        match (has("test"), has("adapter"), has("scan")) {
            (true, false, false) => TestFile::read(node, found).map(Self::Test),
            (false, true, false) => AdapterFile::read(node, found).map(Box::new).map(Self::Adapter),
            (false, false, true) => ScanFile::read(node, found).map(Self::Scan),
            (false, false, false) => {
                let at = entries.first().map_or(&node.span, |(key, _)| &key.span);
                found.help(
                    at,
                    "is neither a test nor an adapter nor a scan",
                    "name it: `test: <name>`, `adapter: <name>` or `scan: [secrets]`",
                );
                found.lose()
            }
            _ => {
                found.add(&node.span, "is more than one of test, adapter and scan: make it two entries");
                found.lose()
            }
        }
    }
}

words!(Toolchain { "host" => Self::Host });
words!(Ecosystem { "cargo" => Self::Cargo });
/// An entry of `scan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, schemars::JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(crate) enum Look {
    /// Credentials in files.
    Secrets,
    /// Packages, and what is known about them.
    Dependencies,
    /// Dockerfiles, manifests, pipelines of other systems, and infrastructure as code.
    Config,
    /// Files that rules of the user call malicious.
    Malware,
    /// What the artifact is made of.
    Sbom,
}

words!(Look {
    "secrets" => Self::Secrets,
    "dependencies" => Self::Dependencies,
    "config" => Self::Config,
    "malware" => Self::Malware,
    "sbom" => Self::Sbom
});

impl Look {
    /// The scanner behind it; none for the list.
    pub(crate) const fn engine(self) -> Option<ScanEngine> {
        match self {
            Self::Secrets => Some(ScanEngine::Secrets),
            Self::Dependencies => Some(ScanEngine::Dependencies),
            Self::Config => Some(ScanEngine::Config),
            Self::Malware => Some(ScanEngine::Malware),
            Self::Sbom => None,
        }
    }
}
words!(On { "source" => Self::Source, "artifact" => Self::Artifact });
words!(ReportStream { "stdout" => Self::Stdout, "stderr" => Self::Stderr });

/// `scratch`, or `<directory>@sha256:<digest>`.
#[derive(Debug, Clone)]
pub(crate) struct BaseText(pub(crate) super::Base);

impl Read for BaseText {
    fn read(node: &Node, found: &mut Findings) -> Option<Self> {
        crate::value::parse(node, found, base).map(Self)
    }
}

fn base(text: &str) -> Result<super::Base, String> {
    if text == "scratch" {
        return Ok(super::Base::Scratch);
    }
    let error = || format!("`{text}` is no base: expected `scratch` or <layout directory>@sha256:<digest>");
    let (directory, digest) = text.rsplit_once('@').ok_or_else(error)?;
    let digest = digest.parse().map_err(|_| error())?;
    let below: Result<RelPath, _> = directory.strip_prefix('/').unwrap_or(directory).parse();
    below.map_err(|error| error.to_string())?;
    Ok(super::Base::Layout { directory: directory.to_owned(), digest })
}

impl schemars::JsonSchema for BaseText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Base".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^(scratch|.+@sha256:[0-9a-f]{64})$" })
    }
}
