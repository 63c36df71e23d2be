//! Attacks of the catalogue, each as one function that sets up, attacks and asserts the exact code, with a benign twin
//! beside it. [`ATTACKS`] lists them as `drill` reads them; a test holds the list to the functions that exist.

mod a13;
mod a20;
mod a31;

use crate::{
    service::{EXECUTABLE, Shop, service_pipeline},
    world::{World, pipeline_with, text},
};
use std::collections::BTreeSet;

/// One variant of one attack.
struct Attack {
    /// Its identifier in the catalogue.
    id: &'static str,
    /// The function that attacks.
    test: &'static str,
    /// The code of the refusal; empty where the attack comes to nothing and there is nothing to refuse.
    code: &'static str,
    /// What stops it: the name by which tests remove it, of several that are each enough the first; or the sandbox.
    control: &'static str,
    /// The function that flows the same way without an attack.
    benign: &'static str,
    /// The test that removes the control and shows that the attack then succeeds; empty for the sandbox alone, whose
    /// controls are compared with a process outside by its own suite.
    sensitivity: &'static str,
}

/// A line of the table.
const fn attack(
    id: &'static str,
    test: &'static str,
    code: &'static str,
    control: &'static str,
    benign: &'static str,
    sensitivity: &'static str,
) -> Attack {
    Attack { id, test, code, control, benign, sensitivity }
}

const SANDBOX: &str = "the sandbox";
const HONEST: &str = "a13_an_honest_scanner_passes";
const FULL: &str = "a31_evidence_that_is_whole_passes";
const MANIFEST: &str = "a31_a_foreign_scanner_behind_a_manifest_that_found_nothing_passes";
const CLEAN_HISTORY: &str = "a20_a_history_without_a_secret_is_clean";

#[rustfmt::skip]
const ATTACKS: &[Attack] = &[
    attack("A13", "a13a_a_scanner_that_looks_for_credentials_finds_none", "", SANDBOX, HONEST, ""),
    attack("A13", "a13b_a_scanner_that_asks_for_the_network_is_not_believed", "E-EVIDENCE-TAINTED", "network-attempts", HONEST, "a13b_a_scanner_that_asks_for_the_network"),
    attack("A13", "a13c_a_scanner_cannot_rewrite_what_it_scans", "", SANDBOX, HONEST, ""),
    attack("A13", "a13d_a_scanner_that_prints_without_end_is_stopped", "E-EVIDENCE-ERRORED", "output-limit", HONEST, "a13d_a_scanner_that_prints_too_much"),
    attack("A13", "a13e_a_report_of_gigabytes_is_not_read", "E-EVIDENCE-PARSE", "report-file", HONEST, "a13e_a_report_that_is_too_large"),
    attack("A13", "a13f_a_daemon_of_a_scanner_ends_with_it", "", SANDBOX, HONEST, ""),
    attack("A13", "a13g_a_tool_that_nobody_listed_finds_nothing", "E-EVIDENCE-TOOL", "scan-tool", "a13g_the_tool_that_the_environment_names_passes", "a13g_a_tool_that_nobody_listed"),
    attack("A13", "a13h_a_report_about_another_revision", "E-EVIDENCE-SUBJECT", "report-revision", HONEST, "a13h_a_report_about_another_revision"),
    attack("A13", "a13i_a_scanner_reaches_no_process_of_others", "", SANDBOX, HONEST, ""),
    attack("A13", "a13j_a_report_that_is_a_link_to_a_file_of_the_machine", "E-EVIDENCE-PARSE", "last-link", HONEST, "a13j_a_report_that_is_a_link"),
    attack("A13", "a13j_a_report_behind_a_link_to_a_directory_of_the_machine", "E-EVIDENCE-PARSE", "beneath", HONEST, "a13j_a_report_behind_a_link_to_a_directory"),
    attack("A13", "a13k_a_report_cannot_drive_a_terminal_or_show_files_outside", "E-EVIDENCE-FAILED", "printable", HONEST, "a13k_a_report_that_drives_a_terminal"),
    attack("A13", "a13k_a_report_about_a_file_outside_is_about_something_else", "E-EVIDENCE-SUBJECT", "report-place", MANIFEST, "a13k_a_report_about_a_file_outside"),
    attack("A13", "a13l_a_scanner_that_sleeps_for_ever_is_stopped", "E-EVIDENCE-ERRORED", "wall-time-limit", HONEST, "a13l_a_scanner_that_sleeps_longer_than_it_may"),
    attack("A20", "a20a_a_secret_that_left_the_tip_is_found_in_history_with_its_commit", "", "history-trees", CLEAN_HISTORY, "a20a_a_secret_that_left_the_tip"),
    attack("A20", "a20b_a_secret_in_another_encoding_is_found_and_what_is_not_is_known", "", "decoding", CLEAN_HISTORY, "a20b_a_secret_in_another_encoding"),
    attack("A20", "a20c_a_secret_of_a_removed_branch_or_a_merge_is_found", "", "history-parents", CLEAN_HISTORY, "a20c_a_secret_of_a_branch_that_was_merged_and_removed"),
    attack("A20", "a20d_a_pushed_secret_is_refused_before_anybody_can_fetch_it", "E-SRC-SECRET", "pushed-secret", CLEAN_HISTORY, "a20d_a_pushed_secret"),
    attack("A20", "a20e_a_secret_that_a_later_layer_hides_is_found", "", "every-layer", "a20e_layers_without_a_secret_are_clean", "a20e_a_secret_that_a_later_layer_hides"),
    attack("A31", "a31a_an_empty_report_says_nothing", "E-EVIDENCE-EMPTY", "report-empty", FULL, "a31a_an_empty_report"),
    attack("A31", "a31a_a_scan_that_did_not_come_to_its_end_says_nothing", "E-EVIDENCE-ERRORED", "report-broken", FULL, "a31a_a_scan_that_did_not_come_to_its_end"),
    attack("A31", "a31a_a_machine_without_rules_says_nothing", "E-EVIDENCE-EMPTY", "report-empty", "a31a_a_machine_with_rules_is_believed", "a31b_a_scan_that_looked_at_nothing"),
    attack("A31", "a31b_a_scan_that_knows_none_of_the_files_is_no_clean_one", "E-EVIDENCE-EMPTY", "report-empty", FULL, "a31b_a_scan_that_looked_at_nothing"),
    attack("A31", "a31b_a_foreign_scanner_that_knows_none_of_the_files_is_no_clean_one", "E-EVIDENCE-EMPTY", "adapter-files", MANIFEST, "a31b_a_foreign_scanner_that_knows_none_of_the_files"),
    attack("A31", "a31c_a_comment_in_the_source_silences_nothing", "E-EVIDENCE-CONFIG", "scan-comments", "a31c_comments_count_where_the_environment_says_so", "a_finding_that_the_source_silences"),
    attack("A31", "a31c_what_a_foreign_scanner_suppresses_counts_as_found", "E-EVIDENCE-CONFIG", "scan-comments", "a31c_what_it_suppresses_passes_where_the_environment_says_so", "a_finding_that_the_source_silences"),
    attack("A31", "a31c_a_file_of_the_project_configures_no_foreign_scanner", "E-ADAPTER-CONFIG", "adapter-config", MANIFEST, "a31c_a_file_that_configures_a_foreign_scanner"),
    attack("A31", "a31d_old_advisories_find_nothing_new", "E-EVIDENCE-STALE", "scan-age", "a31d_old_advisories_pass_where_their_age_does_not_matter", "a31d_old_advisories"),
    attack("A31", "a31e_another_program_than_the_environment_names", "E-EVIDENCE-TOOL", "scan-tool", "a31e_the_program_that_the_environment_names_passes", "a13g_a_tool_that_nobody_listed"),
    attack("A31", "a31e_another_manifest_than_the_environment_names", "E-EVIDENCE-TOOL", "scan-manifest", "a31e_the_manifest_that_the_environment_names_passes", "a31e_another_manifest"),
    attack("A31", "a31g_a_scan_of_ours_takes_no_flag", "E-FILE-INVALID", "unknown-keys", FULL, "a31g_a_flag_beside_a_scan"),
    attack("A31", "a31g_a_flag_of_the_pipeline_passes_nothing", "E-EVIDENCE-SELF", "report-exit", FULL, "a31g_a_flag_of_the_pipeline"),
    attack("A31", "a31h_a_report_with_a_key_twice_or_cut_off_is_not_read", "E-EVIDENCE-PARSE", "unique-keys", FULL, "a31h_a_report_that_two_readers_would_not_read_alike"),
];

const SOURCES: [&str; 3] = [include_str!("a13.rs"), include_str!("a20.rs"), include_str!("a31.rs")];

/// The tests that remove a control of these.
const REMOVED: [&str; 2] =
    [include_str!("../../sensitivity/adapters.rs"), include_str!("../../sensitivity/scans.rs")];

/// The names of all tests of these files.
fn tests() -> BTreeSet<&'static str> {
    let functions = SOURCES.iter().flat_map(|source| source.split("#[test]\nfn ").skip(1));
    functions.map(|rest| rest.split('(').next().unwrap()).collect()
}

/// The controls that tests remove.
pub(crate) fn controls() -> impl Iterator<Item = &'static str> {
    ATTACKS.iter().map(|attack| attack.control).filter(|control| *control != SANDBOX)
}

/// The text of a test.
fn body(sources: &[&'static str], test: &str) -> &'static str {
    let source = sources.iter().find_map(|source| source.split_once(&format!("#[test]\nfn {test}()")));
    let (_, rest) = source.unwrap_or_else(|| panic!("there is no {test}"));
    rest.split("\n}\n").next().unwrap()
}

#[test]
fn the_table_names_every_attack_and_every_twin() {
    let mut named = BTreeSet::new();
    for Attack { id, test, code, control, benign, sensitivity } in ATTACKS {
        assert!(test.starts_with(&id.to_lowercase()), "{test}");
        named.extend([test, benign]);
        assert!(body(&SOURCES, test).contains(code), "{test} does not ask for {code}");
        assert_eq!(sensitivity.is_empty(), *control == SANDBOX, "{test} has no test without its control");
        if *control != SANDBOX {
            let removes = body(&REMOVED, sensitivity).contains(&format!("\"{control}\""));
            assert!(removes, "{sensitivity} does not remove {control}");
        }
    }
    // One test is about the variants and no attack.
    named.insert("every_variant_of_a31_is_shown_for_both_kinds_of_scan_or_says_why_not");
    assert_eq!(named, tests());
}

/// A report of a tool with one rule that found nothing.
const CLEAN: &str =
    r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"lint","rules":[{"id":"a"}]}},"results":[]}]}"#;

/// An adapter that runs this script, as an item of `evidence:`; `keys` are lines of it.
fn adapter(script: &str, keys: &str) -> String {
    let script = script.trim().replace('\n', "\n      ");
    format!(
        "  - adapter: lint\n    tool: sh\n{keys}    run: |\n      {script}\n    report: {{sarif: report/lint.sarif}}\n"
    )
}

/// Writes a report.
fn writes(report: &str) -> String {
    format!("cat > report/lint.sarif <<'END'\n{report}\nEND")
}

/// A world whose only evidence is an adapter that runs this script.
fn scanned(script: &str) -> World {
    scanned_with(script, "")
}

fn scanned_with(script: &str, keys: &str) -> World {
    let rest = format!("evidence:\n{}", adapter(script, keys));
    World::new(&pipeline_with("echo x > out/x", "out: [out]", &rest))
}

/// A shop with an adapter that runs this script; its environment asks for the scan.
fn adapted(script: &str, require: &str) -> Shop {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*EXECUTABLE);
        world.repository.write("plimsoll.yaml", service_pipeline() + &adapter(script, ""));
    });
    require_of(&shop, "lint", require);
    shop
}

/// Has the environment ask this of a scan, whatever it asked before.
fn require_of(shop: &Shop, scan: &str, require: &str) {
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        let Some(at) = text.find(&format!("{scan}: {{block")) else {
            return format!("{}\n  scans: {{{scan}: {require}}}\n", text.trim_end());
        };
        let end = at + text[at..].find('}').unwrap() + 1;
        format!("{}{scan}: {require}{}# changed\n", &text[..at], &text[end..])
    });
}

/// What an attempt of `lint` printed.
fn log(world: &World) -> String {
    let status = world.json(&["status"]).ok().value();
    world.plimsoll(&["logs", text(&status["runs"][0]["run"]), "lint"]).ok().stdout
}
