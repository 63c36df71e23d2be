//! A container whose AppArmor profile was switched off.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-apparmor-unconfined",
    title: "container without AppArmor on purpose",
    severity: Severity::Medium,
    help: "\
AppArmor keeps a process from files and mounts that containers have no business with. `Unconfined` takes that away.
Leave the field out for the runtime's default profile.

Bad:

```yaml
securityContext:
  appArmorProfile: {type: Unconfined}
```

Good:

```yaml
securityContext:
  appArmorProfile: {type: RuntimeDefault}
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline"],
};

const ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    let message = || "AppArmor is switched off".to_owned();
    for workload in graph.workloads() {
        let annotations = workload.template.at(&["metadata", "annotations"]).map_or(&[][..], Node::entries);
        let annotated =
            annotations.iter().filter(|(key, _)| key.text.starts_with(ANNOTATION)).map(|(_, value)| value);
        let field = workload.at(&["securityContext", "appArmorProfile", "type"]);
        for node in annotated.chain(field).filter(is_off) {
            workload.report(found, Some(node), message()).fix("use the runtime's default profile");
        }
    }
    for container in graph.containers() {
        if let Some(node) = container.at(&["securityContext", "appArmorProfile", "type"]).filter(is_off) {
            container.report(found, Some(node), message()).fix("use the runtime's default profile");
        }
    }
}

fn is_off(node: &&Node) -> bool {
    matches!(node.text(), Some("Unconfined" | "unconfined"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_unconfined() {
        fires(&RULE, &container("securityContext:\n  appArmorProfile: {type: Unconfined}"), &["8:31"]);
        fires(
            &RULE,
            "apiVersion: v1\nkind: Pod\nmetadata:\n  annotations:\n    container.apparmor.security.beta.kubernetes.io/c: unconfined\nspec: {}\n",
            &["5:55"],
        );
    }

    #[test]
    fn is_silent_on_a_profile() {
        is_silent(&RULE, &container("securityContext:\n  appArmorProfile: {type: RuntimeDefault}"));
    }
}
