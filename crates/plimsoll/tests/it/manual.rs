//! What comes with the program for shells and readers: completions, and manual pages.

use crate::world::{Ran, World, entries};
use std::{collections::BTreeSet, process::Command};

/// The commands that `plimsoll --help` lists.
fn listed(world: &World) -> BTreeSet<String> {
    let help = world.plimsoll(&["--help"]).ok().stdout;
    let commands = help.split_once("Commands:\n").unwrap().1.split_once("\n\n").unwrap().0;
    let names = commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .filter(|name| name != "help")
        .collect()
}

#[test]
fn bash_completes_commands_and_options() {
    let world = World::empty();
    let script = world.plimsoll(&["completions", "bash"]).ok().stdout;
    for (words, expect) in [
        ("plimsoll pro", "promote"),
        ("plimsoll policy si", "sign"),
        ("plimsoll promote shop --t", "--to"),
        ("plimsoll __s", ""),
    ] {
        let ask = "\nCOMP_WORDS=($1); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_plimsoll plimsoll \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"\necho \"${COMPREPLY[*]}\"";
        let mut bash = Command::new("bash");
        let ran = Ran::of(bash.args(["-c", &format!("{script}{ask}"), "bash", words]));
        assert_eq!(ran.ok().stdout.trim(), expect, "{words}");
    }
}

#[test]
fn every_shell_gets_every_command_and_nothing_that_is_not_for_people() {
    let world = World::empty();
    for shell in ["bash", "zsh", "fish"] {
        let script = world.plimsoll(&["completions", shell]).ok().stdout;
        for command in listed(&world) {
            assert!(script.contains(&command), "{shell}: {command}");
        }
        assert!(!script.contains("__signer") && !script.contains("__supervisor"), "{shell}");
    }
    world.plimsoll(&["completions", "no-shell"]).ended(2);
}

#[test]
fn every_command_has_a_manual_page() {
    let world = World::empty();
    let directory = world.home().join("man/man1");
    world.json(&["man", "--to", directory.to_str().unwrap()]).ok();
    let pages: BTreeSet<String> = entries(&directory)
        .iter()
        .map(|page| page.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    for command in listed(&world) {
        assert!(pages.contains(&format!("plimsoll-{command}.1")), "{command}: {pages:?}");
    }
    assert!(pages.contains("plimsoll.1") && !pages.iter().any(|page| page.contains("__")), "{pages:?}");
    let page = std::fs::read_to_string(directory.join("plimsoll-promote.1")).unwrap();
    assert!(page.contains(".TH") && page.contains(".SH OPTIONS"), "{page}");
}
