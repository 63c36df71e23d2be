//! What users see when a file is wrong: every kind of error of every file, as rendered. These snapshots are the
//! specification of the texts.

use crate::{
    Delivery, Environment, FileErrors, People, Pipeline, Project, Target, diagnostic::MAX_DIAGNOSTICS,
};

mod delivery;

/// Compares the rendered errors of all cases with the snapshot `name`.
fn check<T: std::fmt::Debug>(
    name: &str,
    file: &str,
    read: impl Fn(&str, &[u8]) -> Result<T, Box<FileErrors>>,
    cases: &[(&str, impl AsRef<str>)],
) {
    let rendered = cases.iter().map(|(title, text)| {
        let errors = read(file, text.as_ref().as_bytes()).expect_err(title);
        format!("# {title}\n{}", errors.render())
    });
    let rendered = rendered.collect::<Vec<_>>().join("\n");
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(name, rendered) });
}

/// A pipeline that is right, around other steps, artifact and evidence.
fn pipeline(steps: &str, artifact: &str, evidence: &str) -> String {
    format!(
        "version: 1\nproject: shop\nbuild:\n  steps:\n  - {{name: base, run: x, out: [base]}}\n{steps}  artifact: {artifact}\nevidence:\n{evidence}"
    )
}

#[test]
fn what_is_not_yaml_or_more_than_it_shows() {
    let long = format!("version: 1\nproject: shop\n{}: 1\n", "k".repeat(300));
    check(
        "what_is_not_yaml_or_more_than_it_shows",
        "plimsoll.yaml",
        Pipeline::read,
        &[
            ("empty", ""),
            ("only a comment", "# nothing\n"),
            ("not a mapping", "- version: 1\n"),
            ("broken", "version: 1\nproject: [shop\nbuild: {}\n"),
            ("tabs", "version: 1\nbuild:\n\tsteps: []\n"),
            ("a second document", "version: 1\n---\nversion: 1\n"),
            ("a directive", "%YAML 1.1\n---\nversion: 1\n"),
            ("an alias", "version: 1\nproject: &p shop\nbuild: *p\n"),
            ("an unknown alias", "version: 1\nproject: *p\n"),
            ("a tag", "version: 1\nproject: !!str shop\nbuild: 1\n"),
            ("a merge key", "version: 1\nproject: shop\nbuild: {<<: {steps: []}}\n"),
            ("a key twice", "version: 1\nproject: shop\nproject: other\nbuild: 1\n"),
            ("a list as key", "version: 1\n[a]: b\nproject: 1\nbuild: 1\n"),
            ("text that reorders itself", "version: 1\nproject: shop # \u{202e}pohs\n"),
            ("a terminal sequence", "version: 1\nproject: \"\\e[2Jshop\"\nbuild: 1\n"),
            ("too deep", &format!("version: 1\nbuild: {}\n", "[".repeat(40))),
            ("a long line", &long),
        ],
    );
}

#[test]
fn versions() {
    check(
        "versions",
        "plimsoll.yaml",
        Pipeline::read,
        &[
            ("missing", "project: shop\nbuild: 1\n"),
            ("later", "version: 2\nproject: shop\nwhatever: 1\n"),
            ("text", "version: \"1\"\n"),
            ("not first", "project: shop\nversion: 1\nbuild: 1\n"),
        ],
    );
}

#[test]
fn all_errors_of_a_file_at_once() {
    check(
        "all_errors_of_a_file_at_once",
        "plimsoll.yaml",
        Pipeline::read,
        &[(
            "several",
            "version: 1\nproject: My Shop\nbuild:\n  toolchian: host\n  fetch: [npm]\n  steps:\n  - name: compile\n    run: 7\n    env: {1x: a, A: 1, B: true}\n    timeout: 10\n    retry: 4\n    out: /abs\n  - {nam: x, run: [], scratch: [../up]}\n  artifact: {file: [a]}\nnotify: slack\n",
        )],
    );
}

#[test]
fn values_of_a_step() {
    let step = |keys: &str| pipeline(&format!("  - {{name: s, {keys}}}\n"), "{files: [base/f]}", "  []\n");
    let cases = [
        ("a name that is a number", pipeline("  - {name: 1.5, run: x}\n", "{files: [base/f]}", "  []\n")),
        ("no command", step("run: \" \"")),
        ("nothing", step("run: ")),
        ("a mapping as command", step("run: {a: b}")),
        ("a control character", step("run: \"echo \\a\"")),
        ("event text", step("run: \"echo ${{ github.head_ref }}\"")),
        (
            "event text in a script",
            pipeline(
                "  - name: s\n    run: |\n      set -x\n      echo '{{ event.title }}'\n",
                "{files: [base/f]}",
                "  []\n",
            ),
        ),
        ("event text in an argument", step("run: [echo, \"{{ .Branch }}\"]")),
        ("a template in a variable", step("run: x, env: {TITLE: \"${{ github.event.title }}\"}")),
        ("a variable of Plimsoll", step("run: x, env: {PATH: /x, PLIMSOLL_REVISION: x}")),
        ("times", step("run: x, timeout: 25h")),
        ("a time without unit", step("run: x, timeout: 90")),
        ("retry", step("run: x, retry: 03")),
        ("the whole project as output", step("run: x, out: [.]")),
        ("leaving the project", step("run: x, scratch: [a/../../b]")),
        ("an absolute path", step("run: x, out: [/etc]")),
    ];
    check("values_of_a_step", "plimsoll.yaml", Pipeline::read, &cases);
}

#[test]
fn relations_between_steps() {
    let steps = |steps: &str| pipeline(steps, "{files: [base/f]}", "  []\n");
    let cases = [
        ("no step", "version: 1\nproject: p\nbuild: {steps: [], artifact: {files: [a]}}\n".to_owned()),
        ("a name twice", steps("  - {name: base, run: x}\n")),
        ("a name of Plimsoll", steps("  - {name: fetch, run: x}\n")),
        ("an unknown need", steps("  - {name: b, run: x, needs: [bsae]}\n")),
        ("a need twice", steps("  - {name: b, run: x, needs: [base, base]}\n")),
        ("itself", steps("  - {name: b, run: x, needs: [b]}\n")),
        (
            "a circle",
            steps(
                "  - {name: b, run: x, needs: [d]}\n  - {name: c, run: x, needs: [b]}\n  - {name: d, run: x, needs: [c]}\n",
            ),
        ),
        ("an implied circle", steps("  - {name: b, run: x, needs: [c]}\n  - {name: c, run: x}\n")),
        ("outputs that overlap", steps("  - {name: b, run: x, out: [base/inner]}\n")),
        ("the same output", steps("  - {name: b, run: x, out: [base]}\n")),
        ("an output in an output", steps("  - {name: b, run: x, out: [o, o/p]}\n")),
        ("a scratch directory in an output", steps("  - {name: b, run: x, scratch: [o/tmp], out: [o]}\n")),
        ("writing where an input is", steps("  - {name: b, run: x, scratch: [base/tmp]}\n")),
    ];
    check("relations_between_steps", "plimsoll.yaml", Pipeline::read, &cases);
}

#[test]
fn artifacts() {
    let artifact = |artifact: &str| pipeline("", artifact, "  []\n");
    let image = |keys: &str| artifact(&format!("{{image: {{{keys}}}}}"));
    let cases = [
        ("neither", artifact("{}")),
        (
            "both",
            artifact("{files: [base/f], image: {base: scratch, files: {base/f: /f}, entrypoint: [/f]}}"),
        ),
        ("nothing in it", artifact("{files: []}")),
        ("no output", artifact("{files: [bsae, other/very/far/away, base/f, base/f]}")),
        ("a base without digest", image("base: \"debian:13\", files: {base/f: /f}, entrypoint: [/f]")),
        (
            "a base outside",
            image(&format!("base: ../x@sha256:{}, files: {{base/f: /f}}, entrypoint: [/f]", "0".repeat(64))),
        ),
        ("relative targets", image("base: scratch, files: {base/f: f, base/g: /a/../b}, entrypoint: [/f]")),
        (
            "targets in each other",
            image("base: scratch, files: {base/f: /f, base/g: /f/g, base/h: /f}, entrypoint: [/f]"),
        ),
        ("no program", image("base: scratch, files: {}, entrypoint: []")),
        (
            "the loader",
            image(
                "base: scratch, files: {base/f: /f}, entrypoint: [/f], env: {LD_PRELOAD: /x.so, PATH: /bin}",
            ),
        ),
    ];
    check("artifacts", "plimsoll.yaml", Pipeline::read, &cases);
}

#[test]
fn evidence() {
    let evidence = |entry: &str| pipeline("", "{files: [base/f]}", &format!("  - {entry}\n"));
    let cases = [
        ("neither", evidence("{lint: [secrets]}")),
        ("both", evidence("{test: a, adapter: b}")),
        ("three", evidence("{scan: [secrets], test: a, adapter: b}")),
        ("a scan of nothing", evidence("{scan: []}")),
        ("a scan that does not exist", evidence("{scan: [secrets, dependency]}")),
        ("a scan with a command", evidence("{scan: [config], run: ./mine}")),
        ("a scan twice", evidence("{scan: [secrets, config]}\n  - {scan: [config]}")),
        ("a list of the source", evidence("{scan: [sbom], on: source}")),
        (
            "a list of the artifact, twice",
            evidence("{scan: [sbom, secrets], on: artifact}\n  - {scan: [sbom]}"),
        ),
        ("a test under the name of the list", evidence("{test: sbom, on: source, run: x}")),
        ("a test under the name of a scan", evidence("{test: secrets, on: source, run: x}")),
        (
            "a tool under the name of a scan",
            evidence("{adapter: artifact-config, run: x, report: {sarif: r/o}}"),
        ),
        ("text", evidence("unit")),
        ("without on", evidence("{test: a, run: x}")),
        ("on something else", evidence("{test: a, on: sources, run: x}")),
        ("a name of a step", evidence("{test: base, on: source, run: x}")),
        ("no report", evidence("{test: a, on: source, run: x, report: {}}")),
        ("two reports", evidence("{test: a, on: source, run: x, report: {libtest: stdout, junit: r/x.xml}}")),
        ("a report in the source", evidence("{test: a, on: source, run: x, report: {junit: x.xml}}")),
        ("an unknown report", evidence("{test: a, on: source, run: x, report: {tap: stdout}}")),
        ("findings in the source", evidence("{adapter: a, run: x, report: {sarif: out.sarif}}")),
        ("an adapter without report", evidence("{adapter: a, run: x}")),
        ("a tool of the source", evidence("{adapter: a, run: x, report: {sarif: r/o}, tool: ./lint}")),
        ("keys of a test", evidence("{adapter: a, run: x, report: {sarif: r/o}, libtest: stdout}")),
        ("a scan of a service without one", evidence("{adapter: schemathesis}")),
        (
            "a service for a scanner of files",
            evidence("{adapter: hadolint, service: {run: [/artifact/f], port: 80}}"),
        ),
        (
            "a service that was not built",
            evidence("{adapter: schemathesis, service: {run: [/bin/sh, -c, x], port: 80}}"),
        ),
        (
            "a service beside the artifact",
            evidence("{adapter: schemathesis, service: {run: [/artifact/../bin/sh], port: 80}}"),
        ),
        (
            "a service of another name",
            evidence("{adapter: schemathesis, service: {run: [/artifact/g], port: 80}}"),
        ),
        ("a service without a port", evidence("{adapter: schemathesis, service: {run: [/artifact/f]}}")),
        (
            "a service of the source",
            evidence("{adapter: schemathesis, on: source, service: {run: [/artifact/f], port: 80}}"),
        ),
    ];
    check("evidence", "plimsoll.yaml", Pipeline::read, &cases);
}

#[test]
fn keys_of_later_versions_are_unknown() {
    let cases = [
        "build: {toolchain: {image: x}, steps: [], artifact: {files: [a]}}",
        "build: {services: {}, cache: {}, steps: [], artifact: {files: [a]}}",
        "data: [/data]",
        "matrix: {}",
    ];
    for keys in cases {
        assert!(
            Pipeline::read("plimsoll.yaml", format!("version: 1\nproject: p\n{keys}\n").as_bytes()).is_err(),
            "{keys}"
        );
    }
}

#[test]
fn environments() {
    let require =
        |require: &str| format!("version: 1\nid: \"00000000000000000000000000000007\"\nrequire: {require}\n");
    let cases = [
        ("no requirement", "version: 1\nid: \"00000000000000000000000000000007\"\n".to_owned()),
        ("an empty one", require("{}")),
        ("a blank one", require("")),
        ("half a list", require("{sbom: most}")),
        ("empty parts", require("{source: {}, provenance: {}, tests: {}, scans: {}}")),
        ("what looks like one", require("{source: {protected: false, signed: false}}")),
        ("lists that nothing satisfies", require("{provenance: {builder: [], network: []}}")),
        ("a network that shows nothing", require("{provenance: {network: [tunnelled, lockd]}}")),
        ("later keys", require("{licenses: {deny: [x]}, tests: {unit: source}}")),
        ("tests", require("{tests: {Unit: source, smoke: everything}}")),
        ("scans", require("{scans: {semgrep: {block: hgih}, zizmor: {tool: \"sha256:12\"}}}")),
        ("a name as identity", "version: 1\nid: production\nrequire: {tests: {unit: source}}\n".to_owned()),
    ];
    check("environments", "environments/production/environment.yaml", Environment::read, &cases);
}

#[test]
fn projects() {
    let project = |keys: &str| format!("version: 1\nid: \"00000000000000000000000000000007\"\n{keys}\n");
    let cases = [
        ("missing keys", project("path: sub")),
        ("nothing protected", project("repository: /srv/shop\nprotected: []")),
        (
            "short and strange refs",
            project(
                "repository: /srv/shop\nprotected: [main, refs/heads/a..b, refs/remotes/o/m, \"refs/heads/*\", refs/heads/main, refs/heads/main]",
            ),
        ),
        ("an option", project("repository: --upload-pack=touch\nprotected: [refs/heads/main]")),
        ("a command", project("repository: \"ext::sh -c touch\"\nprotected: [refs/heads/main]")),
        (
            "credentials",
            project("repository: https://ada:secret@example.org/shop\nprotected: [refs/heads/main]"),
        ),
        (
            "nobody proves who answers",
            project("repository: http://example.org/shop\nprotected: [refs/heads/main]"),
        ),
        (
            "pipelines",
            project("repository: /srv/shop\nprotected: [refs/heads/main]\npipelines: [\"sha256:abc\", all]"),
        ),
    ];
    check("projects", "projects/shop.yaml", Project::read, &cases);
}

#[test]
fn people() {
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL67f9I2UJxxd/xbB4DvjFFM1td1q4WvpGDsGz0ilZeK";
    let people = |people: &str| format!("version: 1\npeople:\n{people}");
    let cases = [
        ("the same name", people("- {name: Ada}\n- {name: ADA}\n")),
        (
            "the same address",
            people("- {name: Ada, git-emails: [a@b.c, A@B.C]}\n- {name: Bob, git-emails: [a@B.c]}\n"),
        ),
        (
            "the same key",
            people(&format!(
                "- {{name: Ada, ssh-keys: [{KEY} laptop]}}\n- {{name: Bob, ssh-keys: [{KEY} other]}}\n"
            )),
        ),
        (
            "not keys",
            people(
                "- {name: Ada, ssh-keys: [ssh-ed25519, ssh-ed25519 AAAA, \"-----BEGIN OPENSSH PRIVATE KEY-----\"]}\n",
            ),
        ),
        (
            "a key with options",
            people(&format!("- {{name: Ada, ssh-keys: ['restrict {KEY}', 'command=\"x\" {KEY}']}}\n")),
        ),
        (
            "another algorithm",
            people(&format!("- {{name: Ada, ssh-keys: ['{}']}}\n", KEY.replace("ssh-ed25519", "ssh-rsa"))),
        ),
        ("addresses", people("- {name: Ada, git-emails: [ada, \"Ada <a@b.c>\", a@b@c]}\n")),
        (
            "names and roles",
            people("- {name: \"Ada\\nBob\", roles: [Release Managers]}\n- {name: \" Ada\", robot: yes}\n"),
        ),
        ("later keys", people("- {name: Ada, approvals: 2}\n")),
    ];
    check("people", "people.yaml", People::read, &cases);
}

#[test]
fn registries() {
    let index = |index: &str| format!("version: 1\nregistries: [{{ecosystem: cargo, index: \"{index}\"}}]\n");
    let cases = [
        ("not encrypted", index("http://packages.example.org/")),
        ("credentials", index("https://user:secret@packages.example.org/")),
        ("a query", index("https://packages.example.org/?token=1")),
        ("strange hosts", index("https://Packages_example/")),
        ("a host that hides another", index("https://packages.example.org\\\\@evil.example/")),
        ("a port", index("https://packages.example.org:0/")),
        ("twice", "version: 1\nregistries:\n- {ecosystem: cargo, index: \"https://a.example/\"}\n- {ecosystem: cargo, index: \"https://a.example/\", private: true}\n".to_owned()),
        ("private", "version: 1\nregistries:\n- {ecosystem: cargo, index: \"https://a.example/\", private: \"true\"}\n".to_owned()),
    ];
    check("registries", "delivery.yaml", Delivery::read, &cases);
}

#[test]
fn targets() {
    let local = |keys: &str| format!("version: 1\nlocal: {{{keys}}}\n");
    let cases = [
        ("nothing", "version: 1\n".to_owned()),
        ("ports", local("port: 0, listen: 65536, health: /")),
        ("ports as text", local("port: \"80\", listen: 0x50, health: /")),
        ("health", local("port: 80, listen: 8080, health: \"/a b\"")),
        ("a host as health", local("port: 80, listen: 8080, health: //example.org/")),
        ("what stays", local("port: 80, listen: 8080, health: /, data: [/data]")),
        ("later kinds", "version: 1\nkubernetes: {context: prod-1}\n".to_owned()),
    ];
    check("targets", "environments/local/shop/target.yaml", Target::read, &cases);
}

#[test]
fn bytes_that_are_not_text_are_refused_where_they_begin() {
    let errors = Pipeline::read("plimsoll.yaml", b"version: 1\nproject: \xff\xfe\n").unwrap_err();
    insta::assert_snapshot!(errors.render());
}

#[test]
fn what_does_not_fit_is_refused_before_it_is_parsed() {
    let large = vec![b'a'; (1 << 20) + 1];
    insta::assert_snapshot!(Pipeline::read("plimsoll.yaml", &large).unwrap_err().render(), @"plimsoll.yaml:1:1: is larger than 1048576 bytes");
}

#[test]
fn aliases_cannot_multiply() {
    let mut text = String::from("version: 1\na0: &a0 [x, x]\n");
    for level in 1..40 {
        text.push_str(&format!("a{level}: &a{level} [*a{}, *a{}]\n", level - 1, level - 1));
    }
    let errors = Pipeline::read("plimsoll.yaml", text.as_bytes()).unwrap_err();
    assert!(errors.diagnostics.iter().any(|diagnostic| diagnostic.message == "aliases are refused"));
}

#[test]
fn a_hostile_file_has_few_errors_and_ends_soon() {
    let texts = [
        format!("version: 1\n{}", (0..15_000).map(|at| format!("k{at}: 1\n")).collect::<String>()),
        format!("version: 1\nproject: [{}]\n", "x,".repeat(100_000)),
        format!("version: 1\nproject: {}\n", "? ".repeat(100_000)),
        format!("version: 1\nproject: {}\n", "- ".repeat(100_000)),
        format!("version: 1\n{}", "{".repeat(100_000)),
        pipeline(
            &(0..199)
                .map(|at| {
                    format!(
                        "  - {{name: s{at}, run: x, out: [{}]}}\n",
                        (0..40).map(|o| format!("o{at}-{o}")).collect::<Vec<_>>().join(", ")
                    )
                })
                .collect::<String>(),
            "{files: [x]}",
            "  []\n",
        ),
        pipeline(
            &(0..3000).map(|at| format!("  - {{name: s{at}, run: x}}\n")).collect::<String>(),
            "{files: [base/f]}",
            "  []\n",
        ),
    ];
    for text in texts {
        let errors = Pipeline::read("plimsoll.yaml", text.as_bytes()).unwrap_err();
        assert!(errors.diagnostics.len() <= MAX_DIAGNOSTICS);
        assert!(errors.render().len() < 100_000);
    }
}
