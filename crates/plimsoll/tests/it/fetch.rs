//! The fetch phase against a registry that does not answer, or not as itself. Test and registry have a network of their
//! own with one wire between them, so that addresses are neither this machine's nor anybody's.

use crate::{
    input::path_with_rust,
    world::{Ran, World, pipeline},
};
use plimsoll_model::Digest;
use std::{fs, path::PathBuf, process::Command};

/// A directory with `registry/`, `cert.pem` and `key.pem` in `$1`; the rest of the words run as an ordinary user who
/// finds `registry.example` behind the wire. It serves on port 443; `nowhere.example` has no route, `closed.example`
/// answers and listens nowhere, and `inside.example` is this machine itself.
const WITH_REGISTRY: &str = r#"
cd "$1"; shift
ip link set lo up
unshare --net setpriv --pdeathsig KILL sleep 1000 & far=$!
trap 'kill $far $(jobs -p) 2>/dev/null' EXIT
until [ "$(readlink /proc/$far/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
far() { nsenter --target "$far" --net "$@"; }
ip link add near type veth peer name far netns "$far"
ip address add 198.51.100.1/24 dev near
ip link set near up
far ip address add 198.51.100.7/24 dev far
far ip link set far up
{
    echo 198.51.100.7 registry.example closed.example
    echo 203.0.113.9 nowhere.example
    echo 127.0.0.1 inside.example
} >hosts
mount --bind hosts /etc/hosts
(cd registry && exec nsenter --target "$far" --net setpriv --pdeathsig KILL openssl s_server -quiet -WWW -accept 443 -cert ../cert.pem -key ../key.pem) \
    </dev/null >/dev/null 2>&1 &
until timeout 1 bash -c ': </dev/tcp/198.51.100.7/443' 2>/dev/null; do sleep 0.05; done
cd "$OLDPWD"
unshare --user --map-user=1000 --map-group=1000 -- "$@"
"#;

/// A project with one foreign package, and the registry that has it.
struct Registry {
    world: World,
}

impl Registry {
    fn new() -> Self {
        let world = World::empty();
        let registry = Self { world };
        registry.serve();
        registry
    }

    fn base(&self) -> PathBuf {
        self.world.home()
    }

    /// What the registry serves: its configuration, its index and one archive.
    fn serve(&self) {
        let root = self.base().join("registry");
        fs::create_dir_all(root.join("sh/el")).unwrap();
        let package = self.base().join("shelf-1.0.0");
        fs::create_dir_all(package.join("src")).unwrap();
        let manifest = "[package]\nname = \"shelf\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
        fs::write(package.join("Cargo.toml"), manifest).unwrap();
        fs::write(package.join("src/lib.rs"), "").unwrap();
        let archive = root.join("shelf.crate");
        run(Command::new("tar").current_dir(self.base()).arg("-czf").arg(&archive).arg("shelf-1.0.0"));
        let entry = format!(
            r#"{{"name":"shelf","vers":"1.0.0","deps":[],"cksum":"{}","features":{{}},"yanked":false}}"#,
            self.checksum()
        );
        fs::write(root.join("sh/el/shelf"), entry + "\n").unwrap();
        fs::write(root.join("config.json"), r#"{"dl":"https://registry.example/{crate}.crate"}"#).unwrap();
        let certificate = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=registry.example -addext subjectAltName=DNS:registry.example";
        run(Command::new("openssl").current_dir(self.base()).args(certificate.split(' ')));
    }

    fn checksum(&self) -> String {
        Digest::of(&fs::read(self.base().join("registry/shelf.crate")).unwrap()).hex().to_string()
    }

    /// A commit whose lock file names this host, and an operator who knows it.
    fn lock(&self, host: &str, trusted: bool) {
        let index = format!("sparse+https://{host}/");
        let trust = if trusted {
            format!("[http]\ncainfo = \"{}\"\n", self.base().join("cert.pem").display())
        } else {
            String::new()
        };
        fs::create_dir_all(self.base().join(".cargo")).unwrap();
        let config = format!("{trust}[registries.corp]\nindex = \"{index}\"\n");
        fs::write(self.base().join(".cargo/config.toml"), config).unwrap();
        let repository = &self.world.repository;
        let manifest = "[package]\nname = \"shop\"\nversion = \"1.0.0\"\nedition = \"2021\"\n\n[dependencies]\nshelf = { version = \"1\", registry = \"corp\" }\n";
        let lock = format!(
            "version = 4\n\n[[package]]\nname = \"shelf\"\nversion = \"1.0.0\"\nsource = \"{index}\"\nchecksum = \"{}\"\n\n[[package]]\nname = \"shop\"\nversion = \"1.0.0\"\ndependencies = [\n \"shelf\",\n]\n",
            self.checksum()
        );
        repository.write(
            "plimsoll.yaml",
            pipeline("echo x > out/x").replace("build:\n", "build:\n  fetch: [cargo]\n"),
        );
        repository.write("Cargo.toml", manifest);
        repository.write("Cargo.lock", lock);
        repository.write("src/main.rs", "fn main() {}\n");
        repository.commit(host);
    }

    fn run(&self) -> Ran {
        let base = self.base().display().to_string();
        let namespaces = ["unshare", "--user", "--map-root-user", "--net", "--mount"];
        let words = [&namespaces[..], &["bash", "-euc", WITH_REGISTRY, "network", &base]].concat();
        Ran::of(
            self.world
                .prefixed(&words, &["--json", "run"])
                .env("PATH", path_with_rust() + ":/usr/sbin:/sbin"),
        )
    }
}

fn run(command: &mut Command) {
    Ran::of(command).ok();
}

#[test]
fn a_registry_that_does_not_answer_as_itself_fails_the_fetch_and_says_how() {
    let registry = Registry::new();
    for (host, trusted, code, said) in [
        (
            "registry.example:444",
            true,
            "E-FETCH-FAILED",
            "registry.example:444 is unreachable: Connection refused",
        ),
        ("closed.example:8443", true, "E-FETCH-FAILED", "closed.example:8443 is unreachable"),
        ("nowhere.example", true, "E-FETCH-FAILED", "nowhere.example:443 is unreachable"),
        (
            "unknown.invalid",
            true,
            "E-FETCH-FAILED",
            "unknown.invalid:443 is unreachable: its name cannot be looked up",
        ),
        ("registry.example", false, "E-FETCH-FAILED", "certificate"),
        ("closed.example", true, "E-FETCH-FAILED", "certificate"),
        ("inside.example", true, "E-NET-DENIED", "a loopback address"),
    ] {
        registry.lock(host, trusted);
        let ran = registry.run().ended(1).refused(&[code]);
        let problem = ran.parameter(code, "problem");
        assert!(problem.contains(said), "{host}: {problem}");
        assert!(registry.world.left_in_work().is_empty(), "{host}");
    }
    registry.lock("registry.example", true);
    registry.run().ok();
}
