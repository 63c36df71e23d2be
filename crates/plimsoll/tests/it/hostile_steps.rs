//! Steps that do their worst: the run ends with its code, nothing of the step is left, and the next run of the same
//! state directory passes.

use crate::{
    journal, processes,
    world::{World, pipeline_with},
};
use std::path::PathBuf;

/// What a step does, and how its run must end.
struct Case {
    what: &'static str,
    /// `MARK` is a number of this test in the command lines of what it starts.
    script: &'static str,
    /// How long it may take.
    timeout: &'static str,
    codes: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        what: "a fork bomb",
        script: "bomb() { bomb | bomb & }\nbomb & exec sleep MARK",
        timeout: "3s",
        codes: &["E-STEP-TIMEOUT"],
    },
    Case {
        what: "a fork bomb that ignores signals",
        script: "trap '' TERM INT HUP\nbomb() { bomb | bomb & }\nbomb & exec sleep MARK",
        timeout: "3s",
        codes: &["E-STEP-TIMEOUT"],
    },
    Case {
        what: "a full disk",
        // The whole space is asked for at once: nothing has to be written to be refused.
        script: "fallocate -l 1T out/x",
        timeout: "1m",
        codes: &["E-STEP-FAILED"],
    },
    Case {
        what: "no more inodes",
        script: "cd out && seq 1000001 | xargs touch",
        timeout: "10m",
        codes: &["E-STEP-FAILED"],
    },
    Case {
        what: "output without end",
        script: "sleep MARK & exec yes",
        timeout: "1m",
        codes: &["E-STEP-LIMIT"],
    },
    Case {
        what: "output without end on the other stream",
        script: "sleep MARK & exec yes >&2",
        timeout: "1m",
        codes: &["E-STEP-LIMIT"],
    },
    Case {
        what: "deafness to SIGTERM",
        script: "trap '' TERM INT HUP QUIT\nwhile :; do sleep MARK; done",
        timeout: "3s",
        codes: &["E-STEP-TIMEOUT"],
    },
    Case {
        what: "daemons that hold the step's output open",
        script: "setsid sh -c 'trap \"\" TERM HUP; sleep MARK' &\necho x > out/x",
        timeout: "1m",
        codes: &[],
    },
    Case {
        what: "daemons in sessions of their own",
        script: "for i in 1 2 3; do setsid setsid sleep MARK </dev/null >/dev/null 2>&1 & done\necho x > out/x",
        timeout: "1m",
        codes: &[],
    },
    Case {
        what: "a stopped child",
        script: "sleep MARK & kill -STOP $!\necho x > out/x",
        timeout: "1m",
        codes: &[],
    },
];

#[test]
fn a_step_that_does_its_worst_ends_with_its_code_and_leaves_nothing() {
    for (number, Case { what, script, timeout, codes }) in CASES.iter().enumerate() {
        let seconds = format!("7{number}{}", std::process::id());
        let world = World::new(&with_limit(&script.replace("MARK", &seconds), timeout));
        let child = world.spawn(&["--json", "run"]);
        let engine = child.id();
        let ran = crate::world::Ran::from(child.wait_with_output().unwrap());
        assert_eq!(
            (ran.status, ran.codes()),
            (i32::from(!codes.is_empty()), strings(codes)),
            "{what}: {ran:#?}"
        );
        processes::until_gone(&format!("sleep\u{0}{seconds}"));
        processes::until_gone(&world.mark());
        assert_eq!(processes::groups_of(engine), Vec::<PathBuf>::new(), "{what}");
        assert!(world.left_in_work().is_empty(), "{what}");
        let finished = journal::entries(&world).iter().any(|entry| entry["event"]["event"] == "finished");
        assert!(finished, "{what}: a run that went wrong is stated, too");

        world.commit_pipeline(&with_limit("fallocate -l 1M out/x", "1m"));
        world.json(&["run"]).ok();
    }
}

fn with_limit(script: &str, timeout: &str) -> String {
    pipeline_with(script, &format!("timeout: {timeout}\n      out: [out]"), "")
}

fn strings(codes: &[&str]) -> Vec<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}
