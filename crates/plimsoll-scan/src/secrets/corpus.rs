//! A generated corpus with known answers: secrets of every kind in every notation, and what only looks like them. The
//! same seed gives the same corpus, so a change of the engine that loses precision or recall fails here.

use super::*;

/// A small generator (xorshift), so that the corpus needs no dependency and never changes.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    fn text(&mut self, alphabet: &str, length: usize) -> String {
        let bytes = alphabet.as_bytes();
        (0..length).map(|_| char::from(bytes[self.below(bytes.len())])).collect()
    }
}

const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &str = "0123456789abcdef";
const NAMES: &[&str] =
    &["db_password", "client_secret", "API_TOKEN", "apiKey", "smtp_password", "aws_secret_access_key"];

fn token(random: &mut Random) -> String {
    match random.below(6) {
        0 => format!("{}{}", ["AK", "IA"].concat(), random.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)),
        1 => format!("{}{}", ["glp", "at-"].concat(), random.text(ALNUM, 20)),
        2 => format!("{}{}", ["sk_", "live_"].concat(), random.text(ALNUM, 24)),
        3 => format!("{}{}.{}", ["S", "G."].concat(), random.text(ALNUM, 22), random.text(ALNUM, 43)),
        4 => format!("{}{}", ["dop", "_v1_"].concat(), random.text(HEX, 64)),
        _ => format!("{}{}", ["AI", "za"].concat(), random.text(ALNUM, 35)),
    }
}

/// A path and a line that holds a secret.
fn secret(random: &mut Random) -> (&'static str, String) {
    let name = random.of(NAMES);
    let length = 16 + random.below(24);
    let value = random.text(ALNUM, length);
    match random.below(9) {
        0 => ("src/app.py", format!("{name} = \"{value}\"")),
        1 => ("config/app.yaml", format!("  {name}: {value}")),
        2 => ("config/app.json", format!("  \"{name}\": \"{value}\",")),
        3 => (".env", format!("{name}={value}")),
        4 => ("src/App.java", format!("    private static final String {name} = \"{value}\";")),
        5 => ("deploy.sh", format!("export {name}={value}")),
        6 => ("settings.xml", format!("<{name}>{value}</{name}>")),
        7 => ("src/db.go", format!("\tdsn := \"postgres://app:{value}@db.internal:5432/main\"")),
        _ => ("notes.txt", format!("the key is {}", token(random))),
    }
}

/// A path and a line that only looks as if it held one.
fn harmless(random: &mut Random) -> (&'static str, String) {
    let name = random.of(NAMES);
    match random.below(12) {
        0 => ("src/app.py", format!("{name} = os.environ[\"{}\"]", name.to_uppercase())),
        1 => ("config/app.yaml", format!("  {name}: ${{{}}}", name.to_uppercase())),
        2 => ("config/app.json", format!("  \"{name}\": \"<your {name}>\",")),
        3 => (".env.example", format!("{name}=changeme_here")),
        4 => ("src/App.java", format!("    String {name} = config.get{name}();")),
        5 => ("Cargo.lock", format!("checksum = \"{}\"", random.text(HEX, 64))),
        6 => ("package-lock.json", format!("\"integrity\": \"sha512-{}==\",", random.text(ALNUM, 86))),
        7 => ("src/ui.ts", format!("const {name}Label = \"Enter the password of your account\";")),
        8 => (
            "README.md",
            "Set the password with `--password-file PATH`; the token is read from standard input.".to_owned(),
        ),
        9 => ("src/lib.rs", format!("fn {name}(token: &Token, key: PublicKey) -> Result<Secret> {{")),
        10 => ("src/git.txt", format!("commit {}", random.text(HEX, 40))),
        _ => ("k8s.yaml", format!("  secretName: {}-tls", random.of(&["web", "api", "front"]))),
    }
}

/// Of `count` cases of `make`, how many have a finding at `point`.
fn found(point: Point, seed: u64, count: usize, make: fn(&mut Random) -> (&'static str, String)) -> usize {
    let scanner = Scanner::new(point, ProjectKey::new([1; 32]));
    let mut random = Random(seed);
    let cases = (0..count).map(|_| make(&mut random));
    cases
        .filter(|(path, line)| {
            !scanner.scan(path, format!("first\n{line}\nlast\n").as_bytes()).findings.is_empty()
        })
        .count()
}

#[test]
fn the_gate_is_right_in_nineteen_of_twenty_and_the_audit_finds_nearly_all() {
    const CASES: usize = 1500;
    let check = |point, recall: f64, precision: f64| {
        let hit = found(point, 0x9e37_79b9_7f4a_7c15, CASES, secret) as f64;
        let wrong = found(point, 0x2545_f491_4f6c_dd1d, CASES, harmless) as f64;
        let (was_recall, was_precision) = (hit / CASES as f64, hit / (hit + wrong));
        assert!(
            was_recall >= recall && was_precision >= precision,
            "{point:?}: recall {was_recall}, precision {was_precision}"
        );
    };
    check(Point::Gate, 0.50, 0.95);
    check(Point::Audit, 0.95, 0.90);
}
