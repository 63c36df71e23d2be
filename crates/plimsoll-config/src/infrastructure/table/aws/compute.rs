//! Machines, their volumes and images.

use super::super::{
    Absent::{Fails, Passes},
    Demand::{Is, NoneOf, OneOf},
    Entry, on,
};
use plimsoll_scan::{Rule, Severity};

pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        rule: Rule {
            id: "config/aws-metadata-v1",
            title: "a machine answers metadata requests without a token",
            severity: Severity::Medium,
            help: "\
The first version of the metadata service gives the machine's credentials to any request, also to one that an attacker makes
through a web application on it, as in the theft from Capital One. Demand tokens.

Bad:

```hcl
resource \"aws_instance\" \"a\" {
  metadata_options {
    http_tokens = \"none-of-these\"
  }
}
```

Good:

```hcl
resource \"aws_instance\" \"a\" {
  metadata_options {
    http_tokens = \"required\"
  }
}
```",
            references: &["https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html"],
        },
        on: &[
            on("aws_instance", &["metadata_options", "http_tokens"], OneOf(&["required"]), Fails),
            on("aws_launch_template", &["metadata_options", "http_tokens"], OneOf(&["required"]), Fails),
            on("aws_launch_configuration", &["metadata_options", "http_tokens"], OneOf(&["required"]), Fails),
            on("AWS::EC2::LaunchTemplate", &["LaunchTemplateData", "MetadataOptions", "HttpTokens"], OneOf(&["required"]), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-unencrypted-volume",
            title: "a disk is not encrypted",
            severity: Severity::Medium,
            help: "\
Snapshots and copies of the disk are readable for whoever gets them. Encryption costs nothing and no speed.

Bad:

```hcl
resource \"aws_ebs_volume\" \"a\" {
  encrypted = false
}
```

Good:

```hcl
resource \"aws_ebs_volume\" \"a\" {
  encrypted = true
}
```",
            references: &["https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html"],
        },
        on: &[
            on("aws_ebs_volume", &["encrypted"], Is(true), Fails),
            on("aws_instance", &["root_block_device", "encrypted"], Is(true), Passes),
            on("aws_instance", &["ebs_block_device", "encrypted"], Is(true), Passes),
            on("aws_launch_template", &["block_device_mappings", "ebs", "encrypted"], Is(true), Passes),
            on("aws_ebs_snapshot_copy", &["encrypted"], Is(true), Fails),
            on("aws_ebs_encryption_by_default", &["enabled"], Is(true), Passes),
            on("AWS::EC2::Volume", &["Encrypted"], Is(true), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-public-address",
            title: "a machine gets a public address by default",
            severity: Severity::Low,
            help: "\
What has a public address is scanned within minutes, and one wrong firewall rule exposes it. Put machines into private networks,
with a load balancer or a gateway in front.

Bad:

```hcl
resource \"aws_instance\" \"a\" {
  associate_public_ip_address = true
}
```

Good:

```hcl
resource \"aws_instance\" \"a\" {
  associate_public_ip_address = false
}
```",
            references: &["https://docs.aws.amazon.com/vpc/latest/userguide/vpc-ip-addressing.html"],
        },
        on: &[
            on("aws_instance", &["associate_public_ip_address"], Is(false), Passes),
            on("aws_subnet", &["map_public_ip_on_launch"], Is(false), Passes),
            on("aws_launch_template", &["network_interfaces", "associate_public_ip_address"], Is(false), Passes),
            on("AWS::EC2::Subnet", &["MapPublicIpOnLaunch"], Is(false), Passes),
            on("AWS::EC2::Instance", &["NetworkInterfaces", "AssociatePublicIpAddress"], Is(false), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-public-snapshot",
            title: "a snapshot or an image is shared with everybody",
            severity: Severity::High,
            help: "\
Every customer of the cloud can copy it, with all data and keys in it; there are people who look through all that appear. Share
it with single accounts.

Bad:

```hcl
resource \"aws_ami_launch_permission\" \"a\" {
  group = \"all\"
}
```

Good:

```hcl
resource \"aws_ami_launch_permission\" \"a\" {
  group = \"something-else\"
}
```",
            references: &["https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html"],
        },
        on: &[
            on("aws_ami_launch_permission", &["group"], NoneOf(&["all"]), Passes),
            on("aws_db_snapshot", &["shared_accounts"], NoneOf(&["all"]), Passes),
            on("aws_db_cluster_snapshot", &["shared_accounts"], NoneOf(&["all"]), Passes),
        ],
    },
];
