use super::*;

fn scan(point: Point, path: &str, text: &str) -> Scanned {
    Scanner::new(point, ProjectKey::new([7; 32])).scan(path, text.as_bytes())
}

fn found(text: &str) -> Vec<String> {
    scan(Point::Gate, "app.txt", text).findings.into_iter().map(|finding| finding.rule).collect()
}

#[test]
fn a_known_token_is_found_and_masked() {
    let token = ["AK", "IAQ3EGR2X5B7ZK6WMT"].concat();
    let scanned = scan(Point::Gate, "a.env", &format!("first\nid={token} # note\n"));
    let [finding] = scanned.findings.as_slice() else { panic!("{scanned:?}") };
    assert_eq!(finding.rule, "secrets/aws-access-key");
    let location = finding.location.as_ref().unwrap();
    assert_eq!((location.line, location.column, location.end_column), (2, 4, 24));
    assert_eq!(location.excerpt, "id=******** # note");
    assert!(!format!("{scanned:?}").contains(&token));
}

#[test]
fn an_example_of_the_documentation_is_no_secret() {
    assert_eq!(found(&["AK", "IAIOSFODNN7EXAMPLE"].concat()), [""; 0]);
    assert_eq!(found(&format!("ghp_{}", "x".repeat(36))), [""; 0]);
}

#[test]
fn the_fingerprint_is_of_the_secret_and_not_of_its_place() {
    let token = ["AK", "IAQ3EGR2X5B7ZK6WMT"].concat();
    let print = |text: String| scan(Point::Gate, "x", &text).findings[0].fingerprint;
    assert_eq!(print(token.clone()), print(format!("\n\n  a {token}")));
    let other = Scanner::new(Point::Gate, ProjectKey::new([8; 32])).scan("x", token.as_bytes());
    assert_ne!(print(token), other.findings[0].fingerprint);
}

#[test]
fn a_comment_allows_its_line_and_only_the_rule_it_names() {
    let token = ["AK", "IAQ3EGR2X5B7ZK6WMT"].concat();
    let check = |text: String, findings: usize, suppressed: usize| {
        let scanned = scan(Point::Gate, "x", &text);
        assert_eq!((scanned.findings.len(), scanned.suppressed.len()), (findings, suppressed), "{text}");
    };
    check(format!("{token} # plimsoll:allow secrets/aws-access-key a fixture"), 0, 1);
    check(format!("# plimsoll:allow secrets/aws-access-key a fixture\n{token}"), 0, 1);
    check(format!("{token} # plimsoll:allow secrets/password wrong rule"), 1, 0);
    check(format!("{token} # plimsoll:allow"), 1, 0);
    check(format!("{token} # gitleaks:allow"), 0, 1);
    check(format!("{token} # pragma: allowlist secret"), 0, 1);
    check(format!("{token}\nother # gitleaks:allow"), 1, 0);
}

#[test]
fn an_encoded_secret_is_found_where_its_encoding_stands() {
    use base64::Engine;
    let token = ["AK", "IAQ3EGR2X5B7ZK6WMT"].concat();
    let engine = base64::engine::general_purpose::STANDARD;
    let once = engine.encode(format!("aws_access_key_id = {token} # and more"));
    let twice = engine.encode(format!("data: {once}"));
    let plain = scan(Point::Gate, "x", &token).findings[0].fingerprint;
    for text in [format!("data: {once}\n"), format!("data: {twice}\n"), format!("a: {}", hex::encode(&once))]
    {
        let scanned = scan(Point::Gate, "x", &text);
        assert_eq!(scanned.findings.len(), 1, "{text}");
        assert_eq!(scanned.findings[0].fingerprint, plain);
        assert!(scanned.findings[0].location.as_ref().is_some_and(|location| location.column > 2));
    }
}

/// `text` in base64, in lines of `width`, each after `before`.
fn wrapped(text: &[u8], width: usize, before: &str) -> String {
    use base64::Engine;
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    let lines =
        encoded.as_bytes().chunks(width).map(|line| format!("{before}{}\n", String::from_utf8_lossy(line)));
    lines.collect()
}

#[test]
fn a_secret_in_base64_of_several_lines_is_found_on_its_line() {
    let token = ["AK", "IAQ3EGR2X5B7ZK6WMT"].concat();
    let plain = scan(Point::Gate, "x", &token).findings[0].fingerprint;
    // Behind so much text that the secret begins on the third line and goes over into the next, whatever the width.
    for (width, path, head) in [
        (76, "secret.yaml", "kind: Secret\ndata:\n  .env: |\n"),
        (64, "mail.eml", "Content-Transfer-Encoding: base64\n\n"),
        (75, "block.pem", "-----BEGIN STUFF-----\n"),
        (30, "a.txt", "x\n"),
    ] {
        let inner = format!(
            "{}aws_access_key_id = {token}\nlast = line\n",
            "#\n".repeat((width * 3 * 3 / 4 - 30) / 2)
        );
        let before = if path == "secret.yaml" { "    " } else { "" };
        let text = format!("{head}{}-----END STUFF-----\n", wrapped(inner.as_bytes(), width, before));
        let scanned = scan(Point::Gate, path, &text);
        let [finding] = scanned.findings.as_slice() else { panic!("{width}: {scanned:?}") };
        assert_eq!(finding.fingerprint, plain);
        let location = finding.location.as_ref().unwrap();
        let line = head.lines().count() + 3;
        assert_eq!((location.line as usize, location.end_line as usize), (line, line + 1), "{width}");
        assert!(!format!("{scanned:?}").contains(&token));
    }
}

#[test]
fn every_secret_in_wrapped_base64_is_found() {
    let tokens = [["AK", "IAQ3EGR2X5B7ZK6WMT"].concat(), ["AK", "IAZ7TMW6KQ3EGR2X5B"].concat()];
    let inner = format!("first_id = {}\n{}second_id = {}\n", tokens[0], "# more\n".repeat(40), tokens[1]);
    let escaped = wrapped(inner.as_bytes(), 64, "").replace('\n', "\\n");
    for text in [wrapped(inner.as_bytes(), 64, "  "), format!("{{\"data\": \"{escaped}\"}}")] {
        assert_eq!(scan(Point::Gate, "x", &text).findings.len(), 2, "{text}");
    }
}

#[test]
fn a_wrapped_certificate_or_image_is_no_secret() {
    let mut random = 7u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 24) as u8
    })
    .take(20_000)
    .collect();
    let certificate = format!(
        "-----BEGIN CERTIFICATE-----\n{}-----END CERTIFICATE-----\n",
        wrapped(&noise[..1200], 64, "")
    );
    let image = [b"\x89PNG\r\n\x1a\n".as_slice(), &noise].concat();
    for text in [
        certificate.clone(),
        format!("tls.crt: |\n{}", wrapped(certificate.as_bytes(), 76, "    ")),
        wrapped(&image, 76, ""),
    ] {
        for point in [Point::Gate, Point::Audit] {
            let scanned = scan(point, "a.yaml", &text);
            assert_eq!((scanned.findings.len(), scanned.gaps.len()), (0, 0), "{scanned:?}");
        }
    }
}

/// Would each line be tried with all that follow it, this took minutes.
#[test]
fn many_lines_that_are_no_text_together_are_each_looked_at_twice_at_most() {
    let text = format!("{}\n", "QUJD/+/+".repeat(8)).repeat(60_000) + "!\n";
    assert_eq!(scan(Point::Gate, "x", &text).findings.len(), 0);
}

#[test]
fn a_bomb_is_a_gap_and_not_clean() {
    use std::io::Write;
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(&vec![b'a'; 12 << 20]).unwrap();
    let scanned =
        Scanner::new(Point::Gate, ProjectKey::new([0; 32])).scan("bomb.gz", &writer.finish().unwrap());
    assert_eq!(scanned.gaps.len(), 1);
}

#[test]
fn wide_text_is_read_and_a_binary_is_searched_for_known_tokens() {
    let token = ["AK", "IAQ3EGR2X5B7ZK6WMT"].concat();
    let scanner = Scanner::new(Point::Gate, ProjectKey::new([0; 32]));
    let wide: Vec<u8> = [0xfe, 0xff]
        .into_iter()
        .chain(format!("a\nid={token}").encode_utf16().flat_map(u16::to_be_bytes))
        .collect();
    let scanned = scanner.scan("a.txt", &wide);
    assert_eq!(
        scanned.findings[0].location.as_ref().map(|location| (location.line, location.column)),
        Some((2, 4))
    );
    let binary = [b"\x7fELF\0\0\0".as_slice(), token.as_bytes(), b"\0password=\"hunter2\"\0"].concat();
    assert_eq!(scanner.scan("a.out", &binary).findings.len(), 1);
}

#[test]
fn the_digest_of_the_rules_is_stable_within_a_build() {
    assert_eq!(rules_digest(None), rules_digest(None));
    assert_ne!(rules_digest(None), rules_digest(Some(Digest::of(b"imported"))));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_scanned_without_a_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
        Scanner::new(Point::Audit, ProjectKey::new([0; 32])).scan("a.py", &bytes);
    }

    #[test]
    fn text_full_of_keywords_is_scanned_without_a_panic(text in "(password|secret|token|key|://|Basic |-----BEGIN|eyJ|AKIA|ghp_|=|:|\"|'|\\\\|\n| |\u{e9}|a){0,60}") {
        let scanned = scan(Point::Audit, "a.py", &text);
        for finding in &scanned.findings {
            proptest::prop_assert!(finding.location.as_ref().is_some_and(|location| location.line > 0));
        }
    }
}

/// What anybody tries first.
#[test]
fn a_generated_password_stops_at_the_gate_where_nothing_says_example() {
    let check = |path: &str, line: &str, expect: bool| {
        let found = scan(Point::Gate, path, &format!("{line}\n")).findings;
        assert_eq!(!found.is_empty(), expect, "{path}: {line}");
    };
    // plimsoll:allow secrets/password made up for this test
    let generated = ["Qm7xV2tLw9Rk4", "kJ8vN2mQ9xLp4Wz", "Zx9#kLm2pQ"];
    for value in generated {
        check("settings.py", &format!("DATABASE_PASSWORD = \"{value}\""), true);
        check(".env", &format!("DB_PASSWORD={value}"), true);
        check("src/Main.java", &format!("private static final String DB_PASSWORD = \"{value}\";"), true);
    }
    check("settings.py", "DATABASE_PASSWORD = \"YourDatabasePassword1\"", false);
    check("settings.py", "DATABASE_PASSWORD = os.environ[\"DatabasePassword1\"]", false);
    check("src/form.js", "password: \"Please enter the password\"", false);
}
