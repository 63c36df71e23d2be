//! Manifests as they are written. Field documentation becomes the JSON Schema and `docs/files.md`.

use super::{Identity, InputKind, ReportPlace, pattern::FilePattern};
use crate::{
    pipeline::file::Variables,
    read::{Entries, Spanned, mapping, words},
    value::{AbsolutePath, Argument, Line, Number, Seconds, ToolPath, Version, texts},
};
use plimsoll_model::{Digest, ReportFormat, Severity, ToolName};

texts! {
    /// Text of any form, such as the configuration of a tool.
    FreeText("") = |_| Ok(());
}

mapping! {
    /// A manifest: how a foreign scanner is run and how its report is read. `{adapter: NAME}` in `plimsoll.yaml` uses the
    /// manifest that comes with Plimsoll, `{adapter: NAME, manifest: PATH}` one of the project. What it describes runs
    /// without a network and without secrets, and its input is read-only; there are no keys for these.
    ManifestFile {
        /// Version of this form of file; always 1, and always the first key.
        #[expect(dead_code, reason = "judged before anything else is read")]
        version: Version,
        /// Name of the scanner.
        name: ToolName,
        /// What it looks for, in one line.
        about: Line,
        /// The program.
        tool: ManifestToolFile,
        /// What it looks at.
        input: ManifestInputFile,
        /// Its arguments, without the program. In them `{subject}` stands for the directory that is looked at, `{report}`
        /// for the file to write, `{config}` for `config` as a file, `{data}` for the directory `data`, `{recorded}` for
        /// the file that `plimsoll.yaml` names, `{service}` for the address and port of the service that it looks at, and `{files}`, an argument of its own, for the files that `input` selects.
        arguments: Vec<Spanned<Argument>>,
        /// Environment variables, beside those that Plimsoll sets. Default none.
        env: Option<Variables>,
        /// The tool's configuration; it is part of the manifest and so of its digest. Default none.
        config: Option<Spanned<FreeText>>,
        /// A directory of this machine with the tool's data, such as a vulnerability database. It is hashed, and the tool
        /// sees it read-only. Default none.
        data: Option<Spanned<AbsolutePath>>,
        /// How its report is read.
        report: ManifestReportFile,
        /// What its words for severity mean. Default: `error` is high, `warning` medium, `note` low.
        severity: Option<ManifestSeverityFile>,
        /// What it may use up.
        limits: Option<ManifestLimitsFile>,
    }
}

mapping! {
    /// The program of a manifest.
    ManifestToolFile {
        /// An absolute path, or a name to be found in `PATH` of whoever starts the run.
        executable: ToolPath,
        /// What is hashed before it runs: the executable (`file`), or the whole directory of the Python virtual
        /// environment that it lies in (`venv`). Default `file`.
        identity: Option<Identity>,
        /// Digests of tools that may be used; another one is not started. Default: any, and the environment decides.
        accepted: Option<Vec<Spanned<Digest>>>,
        /// The command that puts it on a machine, for messages.
        install: Line,
    }
}

mapping! {
    /// What a foreign scanner looks at.
    ManifestInputFile {
        /// The revision (`source`), what was built (`artifact`), either (`any`), what was built as a running service
        /// (`service`), or a report that somebody recorded elsewhere and that is part of the revision (`recorded`).
        kind: InputKind,
        /// Which files it is given as `{files}`: names such as `Dockerfile` or `*.tf`, or the last parts of a path, such
        /// as `.github/workflows/*.yml`; a star stands for anything within one part. Where there is none, the scan has
        /// looked at nothing. Only for `source`. Default: the tool looks for itself.
        files: Option<Spanned<Vec<FilePattern>>>,
        /// Files of the project by which the tool would let itself be configured, in the same form. Where there is one, the
        /// scan comes to no answer: the environment says what counts, never the project. Only for `source`.
        refuses: Option<Spanned<Vec<FilePattern>>>,
    }
}

mapping! {
    /// How the report of a foreign scanner is read.
    ManifestReportFile {
        /// Its format.
        format: ReportFormat,
        /// Where it is: in the file `{report}` (`file`), or what the tool prints (`stdout`).
        at: ReportPlace,
        /// How many rules the tool applies, for tools whose reports do not list them all. Default: as the report says, and
        /// a report without rules says nothing.
        rules: Option<Number<1, 1_000_000>>,
        /// Exit statuses, beside 0, by which the tool says that it found something. With one of these a report without
        /// findings is a contradiction. Default none.
        found: Option<Vec<Spanned<Number<1, 255>>>>,
    }
}

mapping! {
    /// What a tool's words for severity mean.
    ManifestSeverityFile {
        /// Key in the properties of a result, or of its rule, that says it: a CVSS score, or one of `words`.
        property: Option<Line>,
        /// The tool's words, in any case. Its words `critical`, `high`, `medium`, `low` and `info` need no entry.
        words: Option<Entries<Line, Severity>>,
        /// What level `error` means where nothing else is said. Default `high`.
        error: Option<Severity>,
        /// What level `warning` means, which is also that of findings without one. Default `medium`.
        warning: Option<Severity>,
        /// What level `note` means. Default `low`.
        note: Option<Severity>,
    }
}

mapping! {
    /// What a foreign scanner may use up.
    ManifestLimitsFile {
        /// After this time it is killed, with everything that it started. Default `10m`.
        time: Option<Seconds>,
        /// MiB of memory. Default 4096.
        memory: Option<Number<16, 65_536>>,
        /// MiB of its report; what is larger is not read. Default 64.
        report: Option<Number<1, 64>>,
    }
}

words!(InputKind {
    "source" => Self::Source, "artifact" => Self::Artifact, "any" => Self::Any, "recorded" => Self::Recorded,
    "service" => Self::Service,
});
words!(Identity { "file" => Self::File, "venv" => Self::Venv });
words!(ReportPlace { "file" => Self::File, "stdout" => Self::Stdout });
words!(ReportFormat {
    "sarif" => Self::Sarif, "cyclonedx" => Self::Cyclonedx, "junit" => Self::Junit,
    "sonarqube" => Self::Sonarqube, "zap" => Self::Zap,
});
words!(Severity {
    "info" => Self::Info, "low" => Self::Low, "medium" => Self::Medium, "high" => Self::High,
    "critical" => Self::Critical,
});
