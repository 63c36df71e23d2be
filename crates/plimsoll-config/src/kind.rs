//! Which rules read a file, told by its path and its first look. A file of a kind is read whole or is a gap, so a file that
//! is only similar must not be taken for one.

use crate::{infrastructure::Form, pipelines::System, source::MAX_BYTES};

/// Bytes of an image's configuration, beyond which it is something else.
const MAX_IMAGE: usize = 4 << 20;

/// A kind of file that some rule reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Dockerfile,
    /// What becomes a Dockerfile only when a generator fills it in.
    DockerfileTemplate,
    /// What Terraform or CloudFormation makes.
    Infrastructure(Form),
    /// A pipeline, told by its place.
    Pipeline(System),
    /// Configuration of a container image, as registries keep it.
    Image,
    /// Objects for Kubernetes, as YAML or JSON.
    Manifest,
    /// What becomes manifests only when Helm fills it in.
    HelmTemplate,
}

/// Ends of names of what makes a Dockerfile, or is about one.
const NOT_DOCKERFILES: &[&str] = &[
    "dockerignore",
    "erb",
    "go",
    "hbs",
    "in",
    "j2",
    "jinja",
    "jinja2",
    "json",
    "js",
    "lock",
    "md",
    "mustache",
    "orig",
    "patch",
    "png",
    "ps1",
    "py",
    "rb",
    "rs",
    "rst",
    "sh",
    "sha256",
    "svg",
    "template",
    "tmpl",
    "toml",
    "tpl",
    "ts",
    "txt",
    "yaml",
    "yml",
];

impl Kind {
    /// Whether a file of this kind is only said to be there, and not judged.
    pub(crate) fn is_template(self) -> bool {
        matches!(self, Self::DockerfileTemplate | Self::HelmTemplate)
    }

    /// The kind of the file at `path`, if any rule reads it.
    pub(crate) fn of(path: &str, bytes: &[u8]) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        if is_dockerfile(name) {
            return Some(if is_template(bytes) { Self::DockerfileTemplate } else { Self::Dockerfile });
        }
        if let Some(system) = System::of(path) {
            return Some(Self::Pipeline(system));
        }
        if let Some(form) = Form::of_name(name) {
            return Some(Self::Infrastructure(form));
        }
        let end = name.rsplit_once('.').map_or("", |(_, end)| end).to_ascii_lowercase();
        if is_image(&end, bytes) {
            return Some(Self::Image);
        }
        if !matches!(end.as_str(), "yaml" | "yml" | "json" | "template") {
            return None;
        }
        let text = first_look(bytes);
        if end == "template" || !(has_key(&text, "apiVersion") && has_key(&text, "kind")) {
            return Form::of_text(&text).map(Self::Infrastructure);
        }
        let is_template = path.contains("templates/") && text.contains("{{");
        Some(if is_template { Self::HelmTemplate } else { Self::Manifest })
    }
}

/// Whether the first thing that is said, past comments, is said to a generator. No instruction begins like that.
fn is_template(bytes: &[u8]) -> bool {
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_start);
    let first = lines.into_iter().find(|line| !line.is_empty() && !line.starts_with(b"#"));
    first.is_some_and(|line| [&b"{{"[..], b"{%", b"<%", b"{#"].iter().any(|begin| line.starts_with(begin)))
}

/// Whether it is JSON that says what layers it has. Registries and archives keep it under its digest, without an ending.
fn is_image(end: &str, bytes: &[u8]) -> bool {
    let holds = |word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    let is_json = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    matches!(end, "" | "json")
        && is_json
        && bytes.len() <= MAX_IMAGE
        && holds("\"diff_ids\"")
        && holds("\"rootfs\"")
}

/// Text enough to know what it is, however it is encoded.
fn first_look(bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(MAX_BYTES)];
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    text.retain(|c| c != '\0');
    text
}

/// Whether some line begins with that key, or it stands in quotes.
pub(crate) fn has_key(text: &str, key: &str) -> bool {
    text.match_indices(key).any(|(at, _)| {
        let before = text[..at].chars().next_back().unwrap_or('\n');
        let after = text[at + key.len()..].trim_start_matches(['"', '\'']).trim_start_matches([' ', '\t']);
        (before.is_whitespace() || matches!(before, '"' | '\'' | '{' | ',' | '\u{feff}' | '\u{fffd}'))
            && after.starts_with(':')
    })
}

/// `Dockerfile`, `Dockerfile.web`, `web.Dockerfile`, `Dockerfile-web`, and the same with `Containerfile`.
fn is_dockerfile(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let (stem, end) = name.rsplit_once('.').unwrap_or((&name, ""));
    if matches!(end, "dockerfile" | "containerfile") {
        return !stem.is_empty();
    }
    let begins = |word: &str| {
        name.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
    };
    (begins("dockerfile") || begins("containerfile")) && !NOT_DOCKERFILES.contains(&end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_of_a_kind_by_its_name() {
        let check = |path: &str, expect| assert_eq!(Kind::of(path, b""), expect, "{path}");
        for path in
            ["Dockerfile", "a/b/Dockerfile.web", "web.dockerfile", "Containerfile", "Dockerfile-alpine"]
        {
            check(path, Some(Kind::Dockerfile));
        }
        for path in
            ["Dockerfile.md", "Dockerfile.j2", "dockerfile_test.go", "Dockerfile.dockerignore", "dockerfiles"]
        {
            check(path, None);
        }
    }

    #[test]
    fn pipelines_are_told_by_their_place() {
        let check = |path: &str, expect: Option<System>| {
            assert_eq!(Kind::of(path, b""), expect.map(Kind::Pipeline), "{path}");
        };
        for path in [".github/workflows/a.yml", "x/.github/workflows/a.yaml", "action.yml", "a/b/action.yaml"]
        {
            check(path, Some(System::GitHub));
        }
        for path in [".gitlab-ci.yml", "x/.gitlab-ci.yml", "build.gitlab-ci.yml", ".gitlab/ci/a.yml"] {
            check(path, Some(System::GitLab));
        }
        for path in ["Jenkinsfile", "ci/Jenkinsfile.release", "a.jenkinsfile"] {
            check(path, Some(System::Jenkins));
        }
        for path in [".github/dependabot.yml", ".github/workflows/a.md", "workflows/a.yml", "Jenkinsfile.md"]
        {
            check(path, None);
        }
    }

    #[test]
    fn what_a_generator_fills_in_is_no_dockerfile_yet() {
        let check =
            |text: &str, expect| assert_eq!(Kind::of("Dockerfile", text.as_bytes()), Some(expect), "{text}");
        check("# a\n\n{{ base }}\nRUN b\n", Kind::DockerfileTemplate);
        check("{% set a = 1 %}\nFROM b\n", Kind::DockerfileTemplate);
        check("FROM a\nLABEL b={{c}}\n", Kind::Dockerfile);
        check("", Kind::Dockerfile);
    }

    #[test]
    fn infrastructure_is_told_by_its_name_or_its_keys() {
        let check = |path: &str, text: &str, expect: Option<Form>| {
            assert_eq!(Kind::of(path, text.as_bytes()), expect.map(Kind::Infrastructure), "{path}");
        };
        check("a/main.tf", "", Some(Form::Hcl));
        check("a/b.auto.tfvars", "", Some(Form::Values));
        check("a/example.tfvars", "", None);
        check("plan.json", "{\"terraform_version\": \"1\", \"resource_changes\": []}", Some(Form::Plan));
        check("a.yaml", "Resources:\n  A:\n    Type: AWS::S3::Bucket\n", Some(Form::Template));
        check(
            "a.template",
            "{\"Resources\": {\"A\": {\"Type\": \"AWS::S3::Bucket\"}}}",
            Some(Form::Template),
        );
        check("a.yaml", "Resources:\n  - AWS::S3::Bucket\n", None);
        check("a.json", "{\"Resources\": 1}", None);
    }

    #[test]
    fn manifests_are_told_by_their_keys_however_they_are_encoded() {
        let check = |path: &str, bytes: &[u8], expect| assert_eq!(Kind::of(path, bytes), expect, "{path}");
        let text = "apiVersion: v1\nkind: Pod\n";
        let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.bytes().flat_map(|byte| [byte, 0])).collect();
        check("a.yaml", text.as_bytes(), Some(Kind::Manifest));
        check("a.yml", &wide, Some(Kind::Manifest));
        check("a.json", b"{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}", Some(Kind::Manifest));
        check("chart/templates/a.yaml", b"apiVersion: v1\nkind: {{ .k }}\n", Some(Kind::HelmTemplate));
        check("a.yaml", b"kind: of\n", None);
        check("a.yaml", b"text: the apiVersion and kind of\n", None);
        check("blobs/sha256/0a1b", b"{\"rootfs\":{\"diff_ids\":[]}}", Some(Kind::Image));
        check("a.txt", text.as_bytes(), None);
    }
}
