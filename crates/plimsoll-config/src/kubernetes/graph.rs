//! The objects of all manifests, and how they hang together: workloads with their pods and containers, and what names or
//! selects what.

use crate::{
    diff::Edit,
    issue::{Found, Issue},
    source::Source,
    yaml::{Node, edit},
};
use std::{ops::Range, rc::Rc};

/// All objects.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    pub(crate) objects: Vec<Object>,
}

/// One object.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) source: Rc<Source>,
    pub(crate) node: Node,
    /// Before the `/` of its `apiVersion`; empty for the core.
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    /// As it is written; empty where it is not.
    pub(crate) namespace: String,
}

/// An object that runs pods.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workload<'g> {
    pub(crate) object: &'g Object,
    /// What becomes the pod: its `metadata` and `spec`.
    pub(crate) template: &'g Node,
    pub(crate) spec: &'g Node,
}

/// What a container is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Main,
    /// Runs before the others, and beside them where it restarts always.
    Init,
    /// Was added to a running pod.
    Ephemeral,
}

/// A container of a pod.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Container<'g> {
    pub(crate) workload: Workload<'g>,
    pub(crate) node: &'g Node,
    pub(crate) role: Role,
}

/// One rule of a role.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant<'g> {
    pub(crate) object: &'g Object,
    pub(crate) node: &'g Node,
}

/// Objects that are judged together. Rules compare objects with each other, so there must be an end.
const MAX_OBJECTS: usize = 20_000;
/// Lists inside of lists that are looked into.
const MAX_LISTS: usize = 4;

impl Graph {
    /// Takes a document; what is no object is nothing.
    ///
    /// # Errors
    ///
    /// That there are more objects than can be judged together.
    pub(crate) fn add(&mut self, source: &Rc<Source>, node: Node) -> Result<(), String> {
        self.add_object(source, node, 0);
        if self.objects.len() > MAX_OBJECTS {
            self.objects.truncate(MAX_OBJECTS);
            return Err(format!("is past the {MAX_OBJECTS} objects that are judged together"));
        }
        Ok(())
    }

    fn add_object(&mut self, source: &Rc<Source>, node: Node, depth: usize) {
        let text = |way: &[&str]| node.at(way).and_then(Node::text).unwrap_or("").to_owned();
        let (version, kind) = (text(&["apiVersion"]), text(&["kind"]));
        if version.is_empty() || kind.is_empty() {
            return;
        }
        if kind.ends_with("List") && node.get("items").is_some() {
            if depth < MAX_LISTS {
                let items = node.get("items").map_or(&[][..], Node::items).to_vec();
                items.into_iter().for_each(|item| self.add_object(source, item, depth + 1));
            }
            return;
        }
        self.objects.push(Object {
            group: version.split_once('/').map_or("", |(group, _)| group).to_owned(),
            name: text(&["metadata", "name"]),
            namespace: text(&["metadata", "namespace"]),
            source: Rc::clone(source),
            kind,
            node,
        });
    }

    /// The objects of a kind, whatever their version.
    pub(crate) fn of_kind<'g>(&'g self, kind: &'g str) -> impl Iterator<Item = &'g Object> {
        self.objects.iter().filter(move |object| object.kind == kind)
    }

    /// Everything that runs pods.
    pub(crate) fn workloads(&self) -> impl Iterator<Item = Workload<'_>> {
        self.objects.iter().filter_map(Object::workload)
    }

    /// Whether a limit range of the namespace gives containers that say nothing a value.
    pub(crate) fn has_default(&self, workload: Workload<'_>, key: &str, resource: &str) -> bool {
        let ranges = self.of_kind("LimitRange").filter(|range| range.is_beside(workload.object));
        let mut limits = ranges.filter_map(|range| range.at(&["spec", "limits"])).flat_map(Node::items);
        limits.any(|limit| limit.at(&[key, resource]).is_some())
    }

    /// Whether some binding gives the service account of a workload a role.
    pub(crate) fn is_bound(&self, workload: Workload<'_>, account: &str) -> bool {
        let mut subjects =
            self.bindings().filter_map(|binding| binding.at(&["subjects"])).flat_map(Node::items);
        subjects.any(|subject| {
            let text = |key: &str| subject.get(key).and_then(Node::text).unwrap_or("");
            let (namespace, own) = (text("namespace"), workload.object.namespace.as_str());
            text("kind") == "ServiceAccount"
                && text("name") == account
                && (namespace == own || namespace.is_empty() || own.is_empty())
        })
    }

    /// What roles allow: each rule of each role.
    pub(crate) fn grants(&self) -> impl Iterator<Item = Grant<'_>> {
        let roles =
            self.objects.iter().filter(|object| matches!(object.kind.as_str(), "Role" | "ClusterRole"));
        roles.flat_map(|object| {
            let rules = object.at(&["rules"]).map_or(&[][..], Node::items);
            rules.iter().map(move |node| Grant { object, node })
        })
    }

    /// What gives roles to somebody.
    pub(crate) fn bindings(&self) -> impl Iterator<Item = &Object> {
        self.objects
            .iter()
            .filter(|object| matches!(object.kind.as_str(), "RoleBinding" | "ClusterRoleBinding"))
    }

    /// Every container of every workload.
    pub(crate) fn containers(&self) -> impl Iterator<Item = Container<'_>> {
        self.workloads().flat_map(Workload::containers)
    }
}

impl Object {
    /// `Kind/namespace/name`.
    pub(crate) fn subject(&self) -> String {
        let namespace = if self.namespace.is_empty() { "-" } else { &self.namespace };
        let name = if self.name.is_empty() { "-" } else { &self.name };
        format!("{}/{namespace}/{name}", self.kind)
    }

    /// The value at the end of a way of keys.
    pub(crate) fn at(&self, way: &[&str]) -> Option<&Node> {
        self.node.at(way)
    }

    /// Whether two objects can be in the same namespace. What names none goes where it is applied.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        self.namespace == other.namespace || self.namespace.is_empty() || other.namespace.is_empty()
    }

    /// Where the object is shown: its name.
    pub(crate) fn place(&self) -> Range<usize> {
        let name = self.node.get("metadata").and_then(|metadata| metadata.entry("name"));
        let entry = name.or_else(|| self.node.entry("kind"));
        entry
            .map_or(self.node.span.start..self.node.span.start, |(key, value)| key.span.start..value.span.end)
    }

    /// Reports about the object, at a node of it or at its name.
    pub(crate) fn report<'i>(
        &self,
        found: &'i mut Found<'_>,
        node: Option<&Node>,
        message: String,
    ) -> &'i mut Issue {
        let place = node.map_or_else(|| self.place(), |node| node.span.clone());
        let issue = found.at(&self.source, &place, message).subject(self.subject());
        if node.is_none() {
            issue.identity("");
        }
        issue
    }

    /// The change that makes the value at `way` below `node` be `value`.
    pub(crate) fn set(&self, node: &Node, way: &[&str], value: &str) -> Option<Edit> {
        edit::set(&self.source, node, way, value)
    }

    pub(crate) fn workload(&self) -> Option<Workload<'_>> {
        let template = match (self.group.as_str(), self.kind.as_str()) {
            ("", "Pod") => &self.node,
            ("", "PodTemplate") => self.at(&["template"])?,
            ("batch", "CronJob") => self.at(&["spec", "jobTemplate", "spec", "template"])?,
            ("", "ReplicationController")
            | ("" | "apps.openshift.io", "DeploymentConfig")
            | ("apps" | "extensions", "Deployment" | "DaemonSet" | "ReplicaSet" | "StatefulSet")
            | ("batch", "Job") => self.at(&["spec", "template"])?,
            _ => return None,
        };
        Some(Workload { object: self, template, spec: template.get("spec")? })
    }
}

impl<'g> Grant<'g> {
    /// The item of a list that is one of `values`.
    pub(crate) fn item(self, key: &str, values: &[&str]) -> Option<&'g Node> {
        let items = self.node.get(key).map_or(&[][..], Node::items);
        items.iter().find(|item| item.text().is_some_and(|text| values.contains(&text)))
    }

    /// Whether one of these verbs, or every verb, is allowed.
    pub(crate) fn allows(self, verbs: &[&str]) -> bool {
        self.item("verbs", verbs).or_else(|| self.item("verbs", &["*"])).is_some()
    }

    /// The resource that is named outright, where one of these verbs is allowed on it.
    pub(crate) fn of(self, verbs: &[&str], resources: &[&str]) -> Option<&'g Node> {
        self.item("resources", resources).filter(|_| self.allows(verbs))
    }

    /// Whether it is for some objects by name only.
    pub(crate) fn is_named(self) -> bool {
        self.node.get("resourceNames").is_some_and(|names| !names.items().is_empty())
    }
}

impl<'g> Workload<'g> {
    /// All containers, in the order of the manifest.
    pub(crate) fn containers(self) -> impl Iterator<Item = Container<'g>> {
        let roles = [
            ("initContainers", Role::Init),
            ("containers", Role::Main),
            ("ephemeralContainers", Role::Ephemeral),
        ];
        roles.into_iter().flat_map(move |(key, role)| {
            let items = self.spec.get(key).map_or(&[][..], Node::items);
            items.iter().map(move |node| Container { workload: self, node, role })
        })
    }

    /// The value at the end of a way below the pod's `spec`.
    pub(crate) fn at(self, way: &[&str]) -> Option<&'g Node> {
        self.spec.at(way)
    }

    /// Whether the pod says that it runs on Windows, where most of the security context has no meaning.
    pub(crate) fn is_windows(self) -> bool {
        let named = |way: &[&str]| self.at(way).and_then(Node::text) == Some("windows");
        named(&["os", "name"]) || named(&["nodeSelector", "kubernetes.io/os"])
    }

    /// Whether it runs once, or once in a while, and ends.
    pub(crate) fn ends(self) -> bool {
        matches!(self.object.kind.as_str(), "Job" | "CronJob")
            || self.at(&["restartPolicy"]).and_then(Node::text).is_some_and(|policy| policy != "Always")
    }

    /// The volumes of the pod.
    pub(crate) fn volumes(self) -> &'g [Node] {
        self.at(&["volumes"]).map_or(&[], Node::items)
    }

    /// The service account of the pod, if it names one.
    pub(crate) fn service_account(self) -> Option<&'g Node> {
        self.at(&["serviceAccountName"])
            .or_else(|| self.at(&["serviceAccount"]))
            .filter(|node| !node.is_null())
    }

    /// A label of the pods.
    pub(crate) fn label(self, key: &str) -> Option<&'g str> {
        self.template.at(&["metadata", "labels", key]).and_then(Node::text)
    }

    /// Whether the pods have all `matchLabels` of a selector, and satisfy its `matchExpressions`.
    pub(crate) fn is_selected_by(self, selector: &Node) -> bool {
        let labels = selector.get("matchLabels").map_or(&[][..], Node::entries);
        let equal =
            labels.iter().all(|(key, value)| value.text().is_some() && self.label(&key.text) == value.text());
        let expressions = selector.get("matchExpressions").map_or(&[][..], Node::items);
        equal && expressions.iter().all(|expression| self.satisfies(expression))
    }

    fn satisfies(self, expression: &Node) -> bool {
        let label = expression.get("key").and_then(Node::text).and_then(|key| self.label(key));
        let is_in = || {
            let mut values = expression.get("values").into_iter().flat_map(Node::texts);
            label.is_some_and(|label| values.any(|value| value == label))
        };
        match expression.get("operator").and_then(Node::text) {
            Some("In") => is_in(),
            Some("NotIn") => !is_in(),
            Some("Exists") => label.is_some(),
            Some("DoesNotExist") => label.is_none(),
            _ => false,
        }
    }

    /// Reports about the workload, at a node of it or at its name.
    pub(crate) fn report<'i>(
        self,
        found: &'i mut Found<'_>,
        node: Option<&Node>,
        message: String,
    ) -> &'i mut Issue {
        self.object.report(found, node, message)
    }
}

impl<'g> Container<'g> {
    pub(crate) fn name(self) -> &'g str {
        self.node.get("name").and_then(Node::text).unwrap_or("-")
    }

    /// The value at the end of a way below the container.
    pub(crate) fn at(self, way: &[&str]) -> Option<&'g Node> {
        self.node.at(way)
    }

    /// A field of the container's security context, or of the pod's where it has none.
    pub(crate) fn security(self, field: &str) -> Option<&'g Node> {
        self.own_security(field).or_else(|| self.workload.at(&["securityContext", field]))
    }

    /// A field of the container's own security context.
    pub(crate) fn own_security(self, field: &str) -> Option<&'g Node> {
        self.at(&["securityContext", field]).filter(|node| !node.is_null())
    }

    /// Reports about the container, at a node of it or at its name.
    pub(crate) fn report<'i>(
        self,
        found: &'i mut Found<'_>,
        node: Option<&Node>,
        message: String,
    ) -> &'i mut Issue {
        let object = self.workload.object;
        let place = match node.map(|node| &node.span).filter(|span| !span.is_empty()) {
            Some(span) => span.clone(),
            None => {
                let start = self.node.span.start;
                self.node.entry("name").map_or(start..start, |(key, value)| key.span.start..value.span.end)
            }
        };
        let subject = format!("{}/{}", object.subject(), self.name());
        let issue = found.at(&object.source, &place, message).subject(subject);
        if node.is_none() {
            issue.identity("");
        }
        issue
    }

    /// Reports a field of the container's security context that should be `value`, with the change that makes it so.
    pub(crate) fn harden<'i>(
        self,
        found: &'i mut Found<'_>,
        node: Option<&Node>,
        message: String,
        (field, value): (&str, &str),
    ) -> &'i mut Issue {
        let way: Vec<&str> = std::iter::once("securityContext").chain(field.split('.')).collect();
        let edit = self.workload.object.set(self.node, &way, value);
        let issue = self.report(found, node, message);
        issue.fix(format!("set `securityContext.{field}: {value}`"));
        edit.into_iter().for_each(|edit| {
            issue.edit(edit);
        });
        issue
    }
}
