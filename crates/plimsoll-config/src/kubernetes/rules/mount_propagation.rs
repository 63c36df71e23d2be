//! A mount that shows up on the node too.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-mount-propagation",
    title: "mount that shows up on the node",
    severity: Severity::High,
    help: "\
With `Bidirectional`, what the container mounts is mounted on the node as well, for all of its pods. Only storage
drivers need that.

Bad:

```yaml
volumeMounts:
- name: data
  mountPath: /data
  mountPropagation: Bidirectional
```

Good:

```yaml
volumeMounts:
- name: data
  mountPath: /data
```",
    references: &["https://kubernetes.io/docs/concepts/storage/volumes/#mount-propagation"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers() {
        for mount in container.at(&["volumeMounts"]).map_or(&[][..], Node::items) {
            if let Some(node) =
                mount.get("mountPropagation").filter(|node| node.text() == Some("Bidirectional"))
            {
                let message =
                    format!("what container `{}` mounts is mounted on the node too", container.name());
                container.report(found, Some(node), message).fix("remove `mountPropagation`");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_both_directions() {
        fires(&RULE, &container("volumeMounts:\n- name: a\n  mountPropagation: Bidirectional"), &["9:25"]);
    }

    #[test]
    fn is_silent_on_one() {
        is_silent(&RULE, &container("volumeMounts:\n- name: a\n  mountPropagation: HostToContainer"));
    }
}
