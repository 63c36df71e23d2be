use super::*;
use proptest::prelude::*;

/// A tree as text, with the place of every scalar.
fn show(node: &Node<'_>) -> String {
    match &node.value {
        Value::Text(text) => format!("'{text}'@{}", node.span.start),
        Value::Literal(text) => format!("{text}@{}", node.span.start),
        Value::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(" ")),
        Value::Map(map) => {
            let entries =
                map.0.iter().map(|(key, entry)| format!("{key}@{}:{}", entry.key, show(&entry.node)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(" "))
        }
    }
}

#[test]
fn the_three_notations_give_the_same_tree_with_their_own_places() {
    let check = |tree: Result<Node<'_>, Unreadable>, expect: &str| assert_eq!(show(&tree.unwrap()), expect);
    check(Node::json(r#"{"a": [1, "x\n"], "b": {}}"#), "{a@1:[1@7 'x\n'@10] b@18:{}}");
    check(Node::toml("a = [1, \"x\\n\"]\n[b]"), "{a@0:[1@5 'x\n'@8] b@16:{}}");
    check(Node::yaml("a:\n  - 1\n  - \"x\\n\"\nb: {}"), "{a@0:['1'@7 'x\n'@13] b@19:{}}");
}

#[test]
fn what_could_be_read_in_two_ways_or_grows_is_refused() {
    let check = |tree: Result<Node<'_>, Unreadable>, expect: &str| {
        let problem = tree.unwrap_err().to_string();
        assert!(problem.contains(expect), "{problem}");
    };
    check(Node::json(r#"{"a": 1, "a": 2}"#), "`a` stands twice");
    check(Node::yaml("a: 1\na: 2"), "`a` stands twice");
    check(Node::toml("a = 1\na = 2"), "not valid TOML");
    check(Node::yaml("a: &x [1]\nb: [*x, *x]"), "alias");
    check(Node::json(&"[".repeat(100_000)), "not valid JSON");
    check(Node::json(&format!("{}{}", "[".repeat(200), "]".repeat(200))), "nested deeper");
    check(Node::yaml(&"- ".repeat(10_000)), "not valid YAML");
    check(Node::toml(&format!("a = {}", "[".repeat(100_000))), "not valid TOML");
    check(Node::json(&format!("[{}1]", "1,".repeat(MAX_NODES))), "more than");
    check(Node::yaml(""), "empty");
}

proptest! {
    /// The reader takes what `serde_json` takes, and means the same by it.
    #[test]
    fn json_is_what_serde_json_says(value in json_value()) {
        let text = value.to_string();
        let tree = Node::json(&text).unwrap();
        prop_assert_eq!(back(&tree), value);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[\\[\\]{}\",:\\\\a1 \n=&*-]{0,60}") {
        let _ = (Node::toml(&text), Node::yaml(&text));
        let valid = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        let tree = Node::json(&text);
        let refused_twice = tree.as_ref().is_err_and(|problem| problem.to_string().contains("twice"));
        prop_assert_eq!(tree.is_ok() || refused_twice, valid);
    }
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<Option<bool>>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<String>().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..5)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

fn back(node: &Node<'_>) -> serde_json::Value {
    match &node.value {
        Value::Text(text) => text.as_ref().into(),
        Value::Literal(text) => serde_json::from_str(text).unwrap(),
        Value::List(items) => items.iter().map(back).collect(),
        Value::Map(map) => {
            let entries = map.0.iter().map(|(key, entry)| (key.to_string(), back(&entry.node)));
            serde_json::Value::Object(entries.collect())
        }
    }
}
