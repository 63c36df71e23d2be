//! Rules about configuration: Dockerfiles and image configuration, Kubernetes manifests as one graph, pipelines of other
//! systems. One rule is one file with a case that it finds and one that it does not.
