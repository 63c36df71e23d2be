use super::*;
use crate::plan::{Plan, Revision, plan};
use plimsoll_model::Code;
use proptest::prelude::*;

const SHOP: &str = include_str!("../testdata/shop.yaml");

fn read(text: &str) -> Result<Pipeline, Box<FileErrors>> {
    Pipeline::read("plimsoll.yaml", text.as_bytes())
}

fn good(text: &str) -> Pipeline {
    read(text).unwrap_or_else(|errors| panic!("{}", errors.render()))
}

/// A pipeline with these steps, whose artifact is the output of a first step `base`.
fn with_steps(steps: &str) -> String {
    format!(
        "version: 1\nproject: p\nbuild:\n  steps:\n  - {{name: base, run: x, out: [base]}}\n{steps}  artifact: {{files: [base/f]}}\n"
    )
}

fn revision() -> Revision {
    Revision {
        commit: "0123456789abcdef0123456789abcdef01234567".parse().unwrap(),
        tree: Digest::of(b"tree"),
        committed: plimsoll_model::Timestamp::from_second(1_700_000_000).unwrap(),
        paths: vec![],
    }
}

fn planned(pipeline: &Pipeline) -> Plan {
    plan(pipeline, &revision(), &BTreeMap::new(), &BTreeMap::new()).unwrap()
}

#[test]
fn the_example_becomes_this_plan() {
    insta::assert_json_snapshot!(planned(&good(SHOP)));
}

#[test]
fn a_word_that_other_yaml_versions_take_for_a_truth_value_is_text() {
    for word in ["no", "yes", "on", "off", "y"] {
        assert_eq!(good(&SHOP.replace("project: shop", &format!("project: {word}"))).project.as_str(), word);
    }
}

#[test]
fn byte_order_mark_and_line_ends_of_other_systems_change_nothing() {
    let digest = good(SHOP).digest().unwrap();
    assert_eq!(good(&format!("\u{feff}{SHOP}")).digest().unwrap(), digest);
    assert_eq!(good(&SHOP.replace('\n', "\r\n")).digest().unwrap(), digest);
    let script = SHOP.replace("run: cargo build", "run: |\n        set -x\n        cargo build");
    assert_eq!(good(&script.replace('\n', "\r\n")), good(&script));
}

#[test]
fn what_a_file_does_not_say_does_not_count() {
    let digest = good(SHOP).digest().unwrap();
    let same = [
        SHOP.replace("name: compile", "name: compile # a comment"),
        SHOP.replace("name: compile", "name: \"compile\""),
        SHOP.replace("name: compile", "name: compile\n      timeout: 1800s\n      retry: 0\n      needs: []"),
        SHOP.replace("  toolchain: host\n", ""),
    ];
    for text in same {
        assert_eq!(good(&text).digest().unwrap(), digest, "{text}");
    }
}

#[test]
fn every_change_of_meaning_changes_the_digest() {
    let changes = [
        ("project: shop", "project: shop-2"),
        ("  fetch: [cargo]\n", ""),
        ("name: compile", "name: build"),
        ("cargo build --release", "cargo build  --release"),
        ("crt-static", "crt-dynamic"),
        ("scratch: [target]\n      out", "scratch: [target, other]\n      out"),
        ("/release/shop]", "/release/shop, target/more]"),
        ("name: compile", "name: compile\n      timeout: 29m"),
        ("name: compile", "name: compile\n      retry: 1"),
        (": /shop}", ": /bin/shop}"),
        ("entrypoint: [/shop]", "entrypoint: [/shop, serve]"),
        (
            "base: scratch",
            "base: bases/x@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        ("test: unit", "test: units"),
        ("libtest: stdout", "libtest: stderr"),
        ("on: artifact", "on: source"),
        ("./smoke.sh", "./smoke.sh -v"),
    ];
    let before = good(SHOP);
    for (from, to) in changes {
        let text = SHOP.replacen(from, to, 1);
        assert_ne!(text, SHOP, "{from} is not in the example");
        let after = good(&text);
        assert_ne!(before.digest().unwrap(), after.digest().unwrap(), "{from} -> {to}");
        assert_ne!(planned(&before).digest().unwrap(), planned(&after).digest().unwrap(), "{from} -> {to}");
    }
}

#[test]
fn a_step_without_needs_follows_the_step_before_it() {
    let text = with_steps(
        "  - {name: b, run: x}\n  - {name: c, run: x, needs: []}\n  - {name: d, run: x, needs: [b, c]}\n",
    );
    let needs: Vec<_> = good(&text)
        .steps
        .iter()
        .map(|step| step.needs.iter().map(ToString::to_string).collect::<Vec<_>>())
        .collect();
    assert_eq!(needs, [vec![], vec!["base".into()], vec![], vec!["b".to_owned(), "c".into()]]);
}

#[test]
fn a_step_sees_the_outputs_of_what_it_needs_and_of_nothing_else() {
    let text = with_steps(
        "  - {name: b, run: x, out: [b]}\n  - {name: c, run: x, needs: [], out: [c]}\n  - {name: d, run: x, needs: [b]}\n",
    );
    let plan = planned(&good(&text));
    let inputs = |name: &str| -> Vec<String> {
        plan.step(&name.parse().unwrap()).unwrap().inputs.iter().map(|input| input.path.to_string()).collect()
    };
    assert_eq!(inputs("d"), ["b", "base"]);
    assert_eq!(inputs("c"), Vec::<String>::new());
}

#[test]
fn writable_directories_are_the_outermost_ones() {
    let text = with_steps("  - {name: b, run: x, scratch: [t, u/v], out: [t/a, t/b/c, w, u/x]}\n");
    let plan = planned(&good(&text));
    let writable: Vec<_> = plan.steps[1].writable.iter().map(RelPath::as_str).collect();
    assert_eq!(writable, ["t", "u/v", "u/x", "w"]);
}

#[test]
fn the_directory_of_a_report_is_writable() {
    let text = format!("{SHOP}  - {{adapter: a, run: x, report: {{sarif: deep/er/out.sarif}}}}\n");
    let plan = planned(&good(&text));
    assert_eq!(plan.check(&"a".parse().unwrap()).unwrap().writable, ["deep/er".parse().unwrap()]);
}

#[test]
fn event_text_in_a_command_has_a_code_of_its_own() {
    let text = SHOP.replace("./smoke.sh", "'echo ${{ github.event.pull_request.title }}'");
    let errors = read(&text).unwrap_err();
    let reasons = errors.reasons();
    assert_eq!(reasons.len(), 1);
    assert_eq!(reasons[0].code, Code::TemplateUntrusted);
    assert_eq!(reasons[0].parameters["step"], "smoke");
    assert_eq!(reasons[0].parameters["text"], "${{ github.event.pull_request.title }}");
    good(&SHOP.replace("./smoke.sh", "'echo \"$TITLE\" ${TITLE:-none}'"));
}

#[test]
fn other_errors_are_one_refusal_with_their_count() {
    let errors = read(&SHOP.replace("name: compile", "nmae: compile\n      colour: red")).unwrap_err();
    let reasons = errors.reasons();
    assert_eq!(reasons.len(), 1);
    assert_eq!(reasons[0].code, Code::FileInvalid);
    assert_eq!(reasons[0].parameters["count"], "3");
}

#[test]
fn parameters_reach_steps_as_variables_only() {
    let pipeline = good(SHOP);
    let parameters = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
    let plan =
        |parameters: &BTreeMap<String, String>| plan(&pipeline, &revision(), parameters, &BTreeMap::new());
    let hostile = plan(&parameters("title", "$(touch PWNED)\n\u{202e}")).unwrap();
    assert_eq!(hostile.steps[0].argv, planned(&pipeline).steps[0].argv);
    assert_eq!(hostile.steps[0].env["PLIMSOLL_PARAMETER_TITLE"], "$(touch PWNED)\n\u{202e}");
    assert_ne!(hostile.digest().unwrap(), planned(&pipeline).digest().unwrap());
    assert_eq!(hostile.pipeline, planned(&pipeline).pipeline);
    for (name, value) in [
        ("", "x"),
        ("1a", "x"),
        ("A", "x"),
        ("a-b", "x"),
        ("a=b", "x"),
        ("a", "x\0y"),
        ("a", &"x".repeat(5000)),
    ] {
        assert!(plan(&parameters(name, value)).is_err(), "{name}");
    }
}

#[test]
fn a_plan_is_read_back_as_it_was_written() {
    let plan = planned(&good(SHOP));
    let bytes = jcs::to_bytes(&plan).unwrap();
    assert_eq!(jcs::from_bytes::<Plan>(&bytes).unwrap(), plan);
}

/// Steps `s0`, `s1`, … that need only steps behind them in `order`.
fn steps() -> impl Strategy<Value = Vec<(usize, Vec<usize>)>> {
    (1_usize..8).prop_flat_map(|count| {
        let order = Just((0..count).collect::<Vec<_>>()).prop_shuffle();
        let picks =
            proptest::collection::vec(proptest::collection::vec(any::<prop::sample::Index>(), 0..3), count);
        (order, picks).prop_map(|(order, picks)| {
            let needs = |place: usize| match place {
                0 => vec![],
                _ => picks[place].iter().map(|pick| order[pick.index(place)]).collect(),
            };
            let mut steps: Vec<_> =
                order.iter().enumerate().map(|(place, &step)| (step, needs(place))).collect();
            steps.sort();
            steps
        })
    })
}

fn text_of(steps: &[(usize, Vec<usize>)]) -> String {
    let step = |(name, needs): &(usize, Vec<usize>)| {
        let mut needs: Vec<_> = needs.iter().map(|need| format!("s{need}")).collect();
        needs.sort();
        needs.dedup();
        format!("  - {{name: s{name}, run: x, needs: [{}], out: [o{name}]}}\n", needs.join(", "))
    };
    with_steps(&steps.iter().map(step).collect::<String>())
}

proptest! {
    #[test]
    fn whatever_a_step_needs_comes_before_it(steps in steps()) {
        let plan = planned(&good(&text_of(&steps)));
        let place = |name: &StepName| plan.steps.iter().position(|step| step.name == *name).unwrap();
        prop_assert_eq!(plan.steps.len(), steps.len() + 1);
        for step in &plan.steps {
            for need in &step.needs {
                prop_assert!(place(need) < place(&step.name));
            }
        }
    }

    #[test]
    fn the_same_arguments_give_the_same_plan(steps in steps()) {
        let text = text_of(&steps);
        prop_assert_eq!(planned(&good(&text)).digest().unwrap(), planned(&good(&text)).digest().unwrap());
    }

    #[test]
    fn the_order_of_keys_does_not_count(order in Just(vec![0, 1, 2, 3, 4]).prop_shuffle()) {
        let keys = ["name: a", "run: x", "env: {B: c, D: e}", "out: [o]", "needs: []"];
        let step = |order: &[usize]| {
            let keys: Vec<_> = order.iter().map(|&at| keys[at]).collect();
            with_steps(&format!("  - {{{}}}\n", keys.join(", ")))
        };
        let sorted = good(&step(&[0, 1, 2, 3, 4])).digest().unwrap();
        prop_assert_eq!(good(&step(&order).replace("{B: c, D: e}", "{D: e, B: c}")).digest().unwrap(), sorted);
    }

    #[test]
    fn any_bytes_end_in_a_pipeline_or_in_printable_errors(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Err(errors) = Pipeline::read("plimsoll.yaml", &bytes) {
            prop_assert!(!errors.render().contains(|c: char| c.is_control() && c != '\n'));
            prop_assert!(!errors.reasons().is_empty());
        }
    }

    #[test]
    fn any_text_of_yaml_marks_ends(text in "(version: 1\n)?[-\\[\\]{}:,?&*!|>'\"%@` \t\na-c#~<]{0,200}") {
        if let Err(errors) = Pipeline::read("plimsoll.yaml", text.as_bytes()) {
            prop_assert!(!errors.render().is_empty());
        }
    }

    #[test]
    fn any_cut_or_changed_byte_of_the_example_ends(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = SHOP.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        if let Err(errors) = Pipeline::read("plimsoll.yaml", &bytes) {
            prop_assert!(!errors.render().is_empty());
        }
    }
}
