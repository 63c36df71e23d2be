//! Keys, and the trail of who did what.

use super::super::{Absent::Fails, Demand::Is, Entry, on};
use plimsoll_scan::{Rule, Severity};

pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        rule: Rule {
            id: "config/aws-key-not-rotated",
            title: "a key is never replaced",
            severity: Severity::Low,
            help: "\
With rotation the cloud uses new material every year and keeps the old one to read what was written with it.

Bad:

```hcl
resource \"aws_kms_key\" \"a\" {
  enable_key_rotation = false
}
```

Good:

```hcl
resource \"aws_kms_key\" \"a\" {
  enable_key_rotation = true
}
```",
            references: &["https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html"],
        },
        on: &[
            on("aws_kms_key", &["enable_key_rotation"], Is(true), Fails),
            on("AWS::KMS::Key", &["EnableKeyRotation"], Is(true), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-trail-not-validated",
            title: "the audit log can be changed without a trace",
            severity: Severity::Low,
            help: "\
With validation the cloud signs digests of the log's files, and a change or a gap shows.

Bad:

```hcl
resource \"aws_cloudtrail\" \"a\" {
  enable_log_file_validation = false
}
```

Good:

```hcl
resource \"aws_cloudtrail\" \"a\" {
  enable_log_file_validation = true
}
```",
            references: &[
                "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html",
            ],
        },
        on: &[
            on("aws_cloudtrail", &["enable_log_file_validation"], Is(true), Fails),
            on("AWS::CloudTrail::Trail", &["EnableLogFileValidation"], Is(true), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-trail-one-region",
            title: "the audit log covers one region",
            severity: Severity::Low,
            help: "\
What happens in the other regions is nowhere: a thief of keys works where nobody looks.

Bad:

```hcl
resource \"aws_cloudtrail\" \"a\" {
  is_multi_region_trail = false
}
```

Good:

```hcl
resource \"aws_cloudtrail\" \"a\" {
  is_multi_region_trail = true
}
```",
            references: &[
                "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/receive-cloudtrail-log-files-from-multiple-regions.html",
            ],
        },
        on: &[
            on("aws_cloudtrail", &["is_multi_region_trail"], Is(true), Fails),
            on("AWS::CloudTrail::Trail", &["IsMultiRegionTrail"], Is(true), Fails),
        ],
    },
];
