//! Files of a delivery: what is refused of each key with which an environment holds a release back and a target says
//! where it runs. Every message has a place in the file and says what to write.

use crate::{Environment, Exception, FileErrors, People, Target, delivery::exceptions, loader_variable};

/// As [`super::check`], and each message says what to write.
fn check<T: std::fmt::Debug>(
    name: &str,
    read: impl Fn(&str, &[u8]) -> Result<T, Box<FileErrors>>,
    text: impl Fn(&str) -> String,
    values: &[&str],
) {
    let cases: Vec<_> = values.iter().map(|value| (*value, text(value))).collect();
    for (title, text) in &cases {
        for diagnostic in read("file.yaml", text.as_bytes()).expect_err(title).diagnostics {
            let says = diagnostic.help.is_some() || diagnostic.message.contains("expected");
            assert!(says, "{title}: {}", diagnostic.message);
            assert!(diagnostic.span.end <= text.len(), "{title}: no place");
        }
    }
    super::check(name, "file.yaml", read, &cases);
}

const BEGIN: &str = "version: 1\nid: \"00000000000000000000000000000007\"\n";

fn environment(keys: &str) -> String {
    format!("{BEGIN}require: {{tests: {{unit: source}}}}\n{keys}\n")
}

fn target(keys: &str) -> String {
    format!("version: 1\nhost: {{agent: prod-1, port: 80, listen: 8080, health: /, {keys}}}\n")
}

/// The twins of what is refused below.
#[test]
fn what_is_meant_is_read() {
    for keys in [
        "after: staging",
        "after: staging\nsoak: 720h",
        "freeze: [{from: \"Fri 16:00\", to: \"Mon 08:00\", zone: Europe/Berlin}]",
        "freeze: [{from: \"2028-02-29 00:00\", to: \"2028-02-29 00:01\", zone: UTC}]",
        "freeze: [{from: \"Mon 00:00\", to: \"Sun 23:59\", zone: UTC}]",
        "rollback: {automatic: true, on: [health], confirm: 1s}",
        "rollback: {automatic: true, on: [health, start], confirm: 24h}",
    ] {
        let read = Environment::read("environment.yaml", environment(keys).as_bytes());
        assert!(read.is_ok(), "{keys}: {}", read.unwrap_err().render());
    }
    for require in [
        "{approvals: {count: 1, from: [owners]}}",
        "{policies: [policies/production.rego]}",
        "{scans: {semgrep: {block: error}, secrets: {new: 0}, config: {block: high, comments: true}}}",
        "{scans: {dependencies: {block: critical, new: 3, database-age: 24h}}}",
        "{scans: {secrets: {new: 0, rules: \"sha256:abababababababababababababababababababababababababababababababab\"}}}",
        "{scans: {dependencies: {block: high, vex: [Ada], licenses: [MIT, \"GPL-2.0-only WITH Classpath-exception-2.0\"]}}}",
    ] {
        let read = Environment::read("environment.yaml", format!("{BEGIN}require: {require}\n").as_bytes());
        assert!(read.is_ok(), "{require}: {}", read.unwrap_err().render());
    }
    for keys in [
        "strategy: blue-green, network: none, start-timeout: 10s",
        "data: [/data, /var/lib/shop, /database, /tmpfiles, /usrdata]",
        "env: {LOG_LEVEL: info, ENV: production, _x: \"\"}, args: [--verbose, \"a b\", \"\"]",
    ] {
        let read = Target::read("target.yaml", target(keys).as_bytes());
        assert!(read.is_ok(), "{keys}: {}", read.unwrap_err().render());
    }
}

#[test]
fn after_names_one_environment() {
    check(
        "after",
        Environment::read,
        environment,
        &[
            "after:",
            "after: \"\"",
            "after: Staging",
            "after: staging/shop",
            "after: ../staging",
            "after: -staging",
            "after: [staging, canary]",
            "after: {environment: staging}",
            "after: true",
            "after: \"sta\\u202Eging\"",
        ],
    );
}

#[test]
fn soak_is_a_time_after_something() {
    check(
        "soak",
        Environment::read,
        environment,
        &[
            "soak: 30m",
            "after: staging\nsoak: 0s",
            "after: staging\nsoak: 30",
            "after: staging\nsoak: -30m",
            "after: staging\nsoak: 1.5h",
            "after: staging\nsoak: 3d",
            "after: staging\nsoak: 721h",
            "after: staging\nsoak: 99999999999999999999h",
            "after: staging\nsoak: false",
            "after: staging\nsoak: [30m]",
        ],
    );
}

#[test]
fn approvals_are_by_people_who_exist() {
    check(
        "approvals",
        Environment::read,
        |value| format!("{BEGIN}require: {{approvals: {value}}}\n"),
        &[
            "{}",
            "2",
            "{count: 0, from: [owners]}",
            "{count: \"2\", from: [owners]}",
            "{count: 101, from: []}",
            "{count: 1, from: [Release Managers]}",
            "{count: 1, from: [owners, owners]}",
            "{count: 1, from: owners}",
            "{count: 1, from: [owners], expire: 0h}",
            "{count: 1, from: [owners], expire: 1000h}",
            "{count: 1, from: [owners], unsigned: allow}",
            "{count: 1, from: [owners], unsigned: false}",
            "{count: 1, from: [owners], authors: allowed}",
        ],
    );
}

#[test]
fn policies_are_files_of_rules() {
    check(
        "policies",
        Environment::read,
        |value| format!("{BEGIN}require: {{policies: {value}}}\n"),
        &[
            "[]",
            "policies/production.rego",
            "[production.rego]",
            "[policies/../people.yaml]",
            "[policies/sub/production.rego]",
            "[/policies/production.rego]",
            "[policies/production_test.rego]",
            "[policies/.rego]",
            "[policies/production.REGO]",
            "[policies/a.rego, policies/a.rego]",
            "[\"policies/a b.rego\"]",
            "[1]",
        ],
    );
}

#[test]
fn a_freeze_begins_and_ends_somewhere() {
    check(
        "freeze",
        Environment::read,
        |value| environment(&format!("freeze: {value}")),
        &[
            "[]",
            "weekend",
            "[{from: \"Fri 16:00\"}]",
            "[{from: \"Friday 16:00\", to: \"Mon 8:00\", zone: UTC}]",
            "[{from: \"Fri 24:00\", to: \"Mon 08:60\", zone: UTC}]",
            "[{from: \"Fri 16:00\", to: \"Fri 16:00\", zone: UTC}]",
            "[{from: \"Fri 16:00\", to: \"2027-01-02 00:00\", zone: UTC}]",
            "[{from: \"2027-01-02 00:00\", to: \"2026-12-20 00:00\", zone: UTC}]",
            "[{from: \"2026-02-29 00:00\", to: \"26-03-01 00:00\", zone: UTC}]",
            "[{from: \"2026-12-20 00:00:00\", to: \"2026-12-20T01:00\", zone: UTC}]",
            "[{from: \"Fri 16:00\", to: \"Mon 08:00\", zone: europe/berlin}]",
            "[{from: \"Fri 16:00\", to: \"Mon 08:00\", zone: New York}]",
            "[{from: \"Fri 16:00\", to: \"Mon 08:00\", zone: Etc/Unknown}]",
            "[{from: \"Fri 16:00\", to: \"Mon 08:00\", zone: ../../etc/localtime}]",
            "[{from: \"Fri 16:00\", to: \"Mon 08:00\", zone: CET-1CEST}]",
            "[{from: \"Fri 16:00\", to: \"Mon 08:00\", zone: UTC}, {from: \"Fri 16:00\", to: \"Mon 08:00\", zone: UTC}]",
            "[{from: \"Fri 16:00\", to: \"Mon 08:00\", zone: UTC}, {from: \"Mon 08:00\", to: \"Fri 16:00\", zone: UTC}]",
        ],
    );
}

#[test]
fn there_is_an_end_to_windows() {
    let window = |minute: usize| {
        format!("{{from: \"2026-12-20 00:{minute:02}\", to: \"2026-12-21 00:00\", zone: UTC}}")
    };
    for (windows, good) in [(50, true), (51, false)] {
        let list: Vec<_> = (0..windows).map(window).collect();
        let text = environment(&format!("freeze: [{}]", list.join(", ")));
        assert_eq!(Environment::read("environment.yaml", text.as_bytes()).is_ok(), good);
    }
}

#[test]
fn a_rollback_is_automatic_and_knows_when() {
    check(
        "rollback",
        Environment::read,
        |value| environment(&format!("rollback: {value}")),
        &[
            "{}",
            "true",
            "{automatic: false, on: [start], confirm: 10m}",
            "{automatic: \"true\", on: [start], confirm: 10m}",
            "{automatic: true, on: [], confirm: 10m}",
            "{automatic: true, on: start, confirm: 10m}",
            "{automatic: true, on: [start, start], confirm: 10m}",
            "{automatic: true, on: [helth], confirm: 10m}",
            "{automatic: true, on: [start], confirm: 0s}",
            "{automatic: true, on: [start], confirm: 25h}",
            "{automatic: true, on: [start], confirm: 10}",
            "{automatic: true, on: [start], confirm: 10m, retries: 3}",
        ],
    );
}

#[test]
fn a_target_is_one_place() {
    let host = "{agent: prod-1, port: 80, listen: 8080, health: /}";
    let local = "{port: 80, listen: 8080, health: /}";
    check(
        "places",
        Target::read,
        |keys| format!("version: 1\n{keys}\n"),
        &[
            "",
            &format!("host: {host}\nlocal: {local}"),
            &format!("host: {local}"),
            &format!("local: {host}"),
            &format!("host: [{host}]"),
            &format!("directory: {{path: /opt/shop}}\nlocal: {local}"),
            "directory: /opt/shop",
            "directory: {}",
            "directory: {path: /opt/shop, listen: 8080}",
            "directory: {path: opt/shop}",
            "directory: {path: /}",
            "directory: {path: /opt/../shop}",
            "directory: {path: /opt/shop/}",
            "directory: {path: /proc/shop}",
            &format!("hosts: {host}"),
            "host: prod-1",
            "host: {agent: Prod 1, port: 80, listen: 8080, health: /}",
            "host: {agent: [prod-1], port: 80, listen: 8080, health: /}",
            "host: {agent: prod-1, port: 0, listen: 99999, health: /}",
            "host: {agent: prod-1, port: 80, listen: 8080, health: healthz}",
            "host: {agent: prod-1, port: 80, listen: 8080, health: /, strategy: rolling}",
            "host: {agent: prod-1, port: 80, listen: 8080, health: /, network: host}",
            "host: {agent: prod-1, port: 80, listen: 8080, health: /, start-timeout: 0s}",
        ],
    );
}

#[test]
fn data_has_directories_of_its_own() {
    check(
        "data",
        Target::read,
        |value| target(&format!("data: {value}")),
        &[
            "/data",
            "[data]",
            "[/]",
            "[/data/]",
            "[/data/../etc]",
            "[//data]",
            "[/data, /data]",
            "[/data, /data/cache]",
            "[/data/cache, /data]",
            "[/proc/self, /sys, /dev/shm, /tmp/x]",
            "[/config, /artifact/data]",
            "[/usr/local, /etc, /lib64, /bin]",
        ],
    );
}

#[test]
fn variables_and_arguments_bring_no_code_along() {
    check(
        "env",
        Target::read,
        target,
        &[
            "env: [A=b]",
            "env: {1x: a}",
            "env: {\"A=B\": c}",
            "env: {A: 1}",
            "env: {A: null}",
            "env: {LD_PRELOAD: /data/x.so}",
            "env: {GLIBC_TUNABLES: x, NODE_OPTIONS: --require=/data/x.js, PYTHONPATH: /data}",
            "env: {A: \"${{ github.head_ref }}\"}",
            "env: {A: \"a\\0b\"}",
            "args: --verbose",
            "args: [1, true]",
            "args: [\"${{ github.event.title }}\"]",
        ],
    );
}

#[test]
fn every_loader_variable_is_refused_in_both_places() {
    for name in ["LD_AUDIT", "BASH_ENV", "JAVA_TOOL_OPTIONS", "LUA_INIT_5_4"] {
        assert!(loader_variable(name));
        let local = format!("version: 1\nlocal: {{port: 80, listen: 8080, health: /, env: {{{name}: x}}}}\n");
        for text in [target(&format!("env: {{{name}: x}}")), local] {
            assert!(Target::read("target.yaml", text.as_bytes()).is_err(), "{text}");
            assert!(Target::read("target.yaml", text.replace(name, "SHOP").as_bytes()).is_ok(), "{text}");
        }
    }
}

#[test]
fn scans() {
    check(
        "scans",
        Environment::read,
        |value| format!("{BEGIN}require: {{scans: {{{value}}}}}\n"),
        &[
            "",
            "secrets: {}",
            "semgrep: {comments: true}",
            "semgrep: {block: error, manifest: redy}",
            "secrets: {block: high, manifest: ready}",
            "secrets: {block: hihg}",
            "secrets: {new: -1}",
            "secrets: {new: 0, comments: false}",
            "secrets: {new: 0, database-age: 24h}",
            "dependencies: {block: high, database-age: 24}",
            "config: {block: high, rules: \"sha256:abababababababababababababababababababababababababababababababab\"}",
            "secrets: {block: high, rules: mine}",
            "config: {block: high, vex: [Ada], licenses: [MIT]}",
            "dependencies: {block: high, vex: [], licenses: []}",
            "dependencies: {block: high, vex: [Ada, Ada], licenses: [MIT, MIT]}",
            "dependencies: {block: high, licenses: [Nonsense-1.0, MIT OR ISC]}",
        ],
    );
}

/// Who may answer for an exception, and a robot.
const PEOPLE: &str = "version: 1\npeople:\n- {name: Ada}\n- {name: bot, robot: true}\n";

fn read_exceptions(file: &str, bytes: &[u8]) -> Result<Vec<Exception>, Box<FileErrors>> {
    exceptions::read(file, bytes, &People::read("people.yaml", PEOPLE.as_bytes()).expect("people"))
}

fn exceptions(entries: &str) -> String {
    format!("version: 1\nexceptions:\n{entries}\n")
}

/// The rest of an exception that is right.
const ANSWERED: &str = "owner: Ada, reason: why, expires: 2026-12-31";

#[test]
fn an_exception_names_one_finding_a_person_a_reason_and_a_day() {
    let finding = format!("finding: \"sha256:{}\"", "0a".repeat(32));
    for named in [
        finding.as_str(),
        "rule: config/x, path: a/b.yaml",
        "rule: dependencies/license, package: \"pkg:npm/a@1\"",
        "advisory: CVE-2026-1, package: \"pkg:npm/a@1\"",
    ] {
        let text = exceptions(&format!("- {{scan: artifact-dependencies, {named}, {ANSWERED}}}"));
        let read = read_exceptions("exceptions.yaml", text.as_bytes());
        let read = read.unwrap_or_else(|errors| panic!("{}", errors.render()));
        let times = (read[0].from.to_string(), read[0].until.to_string());
        assert_eq!(times, ("2025-12-31T00:00:00Z".to_owned(), "2027-01-01T00:00:00Z".to_owned()));
    }
    let one = |keys: &str| exceptions(&format!("- {{scan: config, {keys}}}"));
    let whole = |named: &str| one(&format!("{named}, {ANSWERED}"));
    let cases = [
        ("nothing is named", whole("path: a")),
        ("two are named", whole(&format!("{finding}, rule: config/x, path: a"))),
        ("an advisory without a package", whole("advisory: CVE-2026-1")),
        ("an attack by its rule", whole("rule: dependencies/malicious, path: a")),
        ("an attack by its name", whole("advisory: mal-2026-1, package: \"pkg:npm/a@1\"")),
        ("somebody else", one("rule: r, path: a, owner: Eve, reason: why, expires: 2026-12-31")),
        ("a robot", one("rule: r, path: a, owner: bot, reason: why, expires: 2026-12-31")),
        ("no reason", one("rule: r, path: a, owner: Ada, reason: \"\", expires: 2026-12-31")),
        ("days that are none", one("rule: r, path: a, owner: Ada, reason: why, expires: 2026-02-30")),
        ("a time", one("rule: r, path: a, owner: Ada, reason: why, expires: \"2026-12-31T00:00:00Z\"")),
        ("never", one("rule: r, path: a, owner: Ada, reason: why, expires: never")),
        ("keys that are missing", one("rule: r, path: a")),
        ("a key that is none", whole("rule: r, path: a, severity: low")),
        (
            "an attack by its rule",
            exceptions(&format!("- {{scan: grype, rule: MAL-2026-1-a, path: a, {ANSWERED}}}")),
        ),
        (
            "twice",
            exceptions(&format!(
                "- {{scan: config, rule: r, path: a, {ANSWERED}}}\n- {{scan: config, rule: r, path: a, {ANSWERED}}}"
            )),
        ),
    ];
    super::check("exceptions", "exceptions.yaml", read_exceptions, &cases);
}
