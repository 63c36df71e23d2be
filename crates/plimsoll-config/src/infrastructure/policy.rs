//! Policies of AWS: JSON in a text, the same as a map, or the blocks of a policy document in HCL
//! (docs.aws.amazon.com, "IAM JSON policy elements reference").

use super::value::{Attribute, Hit, Value};
use crate::yaml::{self, Node};

/// One statement of a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) allows: bool,
    pub(super) actions: Vec<String>,
    pub(super) resources: Vec<String>,
    /// Who, with the kind: `AWS`, `Service`, `Federated`; `*` has none.
    pub(super) principals: Vec<(String, String)>,
    /// The conditions: the key that is asked, and the values that it must have.
    pub(super) conditions: Vec<(String, Vec<String>)>,
}

impl Statement {
    /// Whether it is for everybody, whoever they are.
    pub(super) fn is_for_everybody(&self) -> bool {
        self.allows
            && self
                .principals
                .iter()
                .any(|(kind, who)| who == "*" && matches!(kind.as_str(), "" | "AWS" | "*"))
    }
}

/// The statements of a policy; none where it is not known, or no policy.
pub(super) fn statements(policy: &Attribute) -> Option<Vec<Statement>> {
    match &policy.value {
        Value::Text(text) => {
            let document = yaml::parse(text).ok()?.into_iter().next()?;
            Some(list(&known(&document.root).get("Statement").cloned()?).iter().map(statement).collect())
        }
        Value::Map(_) => Some(list(policy.get("Statement")?).iter().map(statement).collect()),
        _ => None,
    }
}

/// The statements of the blocks of `aws_iam_policy_document`.
pub(super) fn of_document(body: &Attribute) -> Vec<Statement> {
    let blocks = body.get("statement").map(list).unwrap_or_default();
    let of = |block: &Attribute| {
        let principals = block.get("principals").map(list).unwrap_or_default();
        let principals = principals.iter().flat_map(|principal| {
            let kind = principal.text(&["type"]).unwrap_or("").to_owned();
            texts(principal.get("identifiers")).into_iter().map(move |who| (kind.clone(), who))
        });
        let conditions = block.get("condition").map(list).unwrap_or_default();
        Statement {
            allows: block.text(&["effect"]).unwrap_or("Allow") == "Allow"
                && !matches!(block.at(&["effect"]), Hit::Unknown(_)),
            actions: texts(block.get("actions")),
            resources: texts(block.get("resources")),
            principals: principals.collect(),
            conditions: conditions
                .iter()
                .map(|condition| {
                    (condition.text(&["variable"]).unwrap_or("").to_owned(), texts(condition.get("values")))
                })
                .collect(),
        }
    };
    blocks.iter().map(of).collect()
}

fn statement(node: &Attribute) -> Statement {
    let principals = match node.get("Principal").map(|principal| &principal.value) {
        Some(Value::Text(who)) => vec![(String::new(), who.clone())],
        Some(Value::Map(kinds)) => kinds
            .iter()
            .flat_map(|(kind, who)| texts(Some(who)).into_iter().map(move |who| (kind.clone(), who)))
            .collect(),
        _ => Vec::new(),
    };
    let operators = match node.get("Condition").map(|condition| &condition.value) {
        Some(Value::Map(operators)) => operators.as_slice(),
        // A condition that is not known is one.
        Some(Value::Unknown(_)) => return Statement::default(),
        _ => &[],
    };
    let keys = operators.iter().filter_map(|(_, keys)| match &keys.value {
        Value::Map(keys) => Some(keys.iter().map(|(key, values)| (key.clone(), texts(Some(values))))),
        _ => None,
    });
    Statement {
        allows: node.text(&["Effect"]) == Some("Allow"),
        actions: texts(node.get("Action")),
        resources: texts(node.get("Resource")),
        principals,
        conditions: keys.flatten().collect(),
    }
}

/// A list, or the one thing that stands for it.
fn list(node: &Attribute) -> Vec<Attribute> {
    node.each().to_vec()
}

/// The known texts of a list, or of the one that stands for it.
fn texts(node: Option<&Attribute>) -> Vec<String> {
    let text = |item: &Attribute| match &item.value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    node.map_or(&[][..], Attribute::each).iter().filter_map(text).collect()
}

/// JSON as a value; places in it do not matter.
fn known(node: &Node) -> Attribute {
    let value = match &node.value {
        yaml::Value::Scalar { text, .. } => Value::Text(text.clone()),
        yaml::Value::List(items) => Value::List(items.iter().map(known).collect()),
        yaml::Value::Map(entries) => {
            Value::Map(entries.iter().map(|(key, value)| (key.text.clone(), known(value))).collect())
        }
    };
    Attribute { span: 0..0, value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Option<Vec<Statement>> {
        statements(&Attribute { span: 0..0, value: Value::Text(text.to_owned()) })
    }

    #[test]
    fn a_policy_is_read_with_single_values_and_with_lists() {
        let one = of(
            r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": ["a", "b"], "Principal": "*"}}"#,
        )
        .unwrap();
        assert_eq!((one[0].actions.as_slice(), one[0].resources.len()), (&["*".to_owned()][..], 2));
        assert!(one[0].is_for_everybody());
        let one = of(r#"{"Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}}]}"#).unwrap();
        assert!(!one[0].is_for_everybody());
        assert_eq!(of("no policy"), None);
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "[{}\\[\\]\":,a*SE ]{0,60}") {
            let _ = of(&text);
        }
    }
}
