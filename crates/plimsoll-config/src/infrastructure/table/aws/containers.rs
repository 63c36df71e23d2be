//! Clusters and registries of images.

use super::super::{
    Absent::{Fails, Passes},
    Demand::{Is, OneOf, Present},
    Entry, on,
};
use plimsoll_scan::{Rule, Severity};

pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        rule: Rule {
            id: "config/aws-cluster-secrets-in-clear",
            title: "a cluster keeps its secrets without a key of yours",
            severity: Severity::Low,
            help: "\
With `encryption_config` the secrets of Kubernetes are encrypted once more with a key that you control and can take away.

Bad:

```hcl
resource \"aws_eks_cluster\" \"a\" {
}
```

Good:

```hcl
resource \"aws_eks_cluster\" \"a\" {
  encryption_config {
    resources = [\"secrets\"]
  }
}
```",
            references: &["https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html"],
        },
        on: &[
            on("aws_eks_cluster", &["encryption_config", "resources"], Present, Fails),
            on("AWS::EKS::Cluster", &["EncryptionConfig"], Present, Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-cluster-without-logs",
            title: "a cluster logs nothing of its control plane",
            severity: Severity::Low,
            help: "\
Without the logs of the API server nobody can say later who did what in the cluster.

Bad:

```hcl
resource \"aws_eks_cluster\" \"a\" {
}
```

Good:

```hcl
resource \"aws_eks_cluster\" \"a\" {
  enabled_cluster_log_types = [\"api\", \"audit\"]
}
```",
            references: &["https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html"],
        },
        on: &[
            on("aws_eks_cluster", &["enabled_cluster_log_types"], Present, Fails),
            on("AWS::EKS::Cluster", &["Logging"], Present, Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-mutable-image-tags",
            title: "a tag of an image can be moved",
            severity: Severity::Medium,
            help: "\
Whoever may push replaces what `1.2.3` names, and the next deployment runs it. With immutable tags a name stays what it was.

Bad:

```hcl
resource \"aws_ecr_repository\" \"a\" {
  image_tag_mutability = \"none-of-these\"
}
```

Good:

```hcl
resource \"aws_ecr_repository\" \"a\" {
  image_tag_mutability = \"IMMUTABLE\"
}
```",
            references: &["https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html"],
        },
        on: &[
            on("aws_ecr_repository", &["image_tag_mutability"], OneOf(&["IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION"]), Fails),
            on("AWS::ECR::Repository", &["ImageTagMutability"], OneOf(&["IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION"]), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-public-repository-scan",
            title: "images are not scanned when they are pushed",
            severity: Severity::Info,
            help: "\
The registry looks for known weaknesses in what is pushed, if it is told to.

Bad:

```hcl
resource \"aws_ecr_repository\" \"a\" {
  image_scanning_configuration {
    scan_on_push = false
  }
}
```

Good:

```hcl
resource \"aws_ecr_repository\" \"a\" {
  image_scanning_configuration {
    scan_on_push = true
  }
}
```",
            references: &["https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html"],
        },
        on: &[
            on("aws_ecr_repository", &["image_scanning_configuration", "scan_on_push"], Is(true), Passes),
            on("AWS::ECR::Repository", &["ImageScanningConfiguration", "ScanOnPush"], Is(true), Passes),
        ],
    },
];
