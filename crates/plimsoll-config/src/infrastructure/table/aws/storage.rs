//! Buckets.

use super::super::{
    Absent::{Fails, Passes},
    Demand::{Is, NoneOf, OneOf},
    Entry, on,
};
use plimsoll_scan::{Rule, Severity};

pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        rule: Rule {
            id: "config/aws-public-bucket-acl",
            title: "a bucket is open to everybody by its access list",
            severity: Severity::High,
            help: "\
Everybody who knows or guesses the name reads what is in the bucket, or writes it. Make the list private, and give single
readers a policy; what is meant for the public goes through a content network.

Bad:

```hcl
resource \"aws_s3_bucket\" \"a\" {
  acl = \"public-read\"
}
```

Good:

```hcl
resource \"aws_s3_bucket\" \"a\" {
  acl = \"private\"
}
```",
            references: &["https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"],
        },
        on: &[
            on("aws_s3_bucket", &["acl"], NoneOf(&["public-read", "public-read-write", "authenticated-read", "website"]), Passes),
            on("aws_s3_bucket_acl", &["acl"], NoneOf(&["public-read", "public-read-write", "authenticated-read", "website"]), Passes),
            on("AWS::S3::Bucket", &["AccessControl"], NoneOf(&["PublicRead", "PublicReadWrite", "AuthenticatedRead"]), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-public-access-allowed",
            title: "the guard against public buckets is off",
            severity: Severity::Medium,
            help: "\
With all four switches on, no access list and no policy can open the bucket by mistake. With one of them off, one wrong line is
enough. Turn all four on.

Bad:

```hcl
resource \"aws_s3_bucket_public_access_block\" \"a\" {
  bucket              = \"logs\"
  block_public_acls   = true
  block_public_policy = false
}
```

Good:

```hcl
resource \"aws_s3_bucket_public_access_block\" \"a\" {
  bucket                  = \"logs\"
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
```",
            references: &["https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"],
        },
        on: &[
            on("aws_s3_bucket_public_access_block", &["block_public_acls"], Is(true), Fails),
            on("aws_s3_bucket_public_access_block", &["block_public_policy"], Is(true), Fails),
            on("aws_s3_bucket_public_access_block", &["ignore_public_acls"], Is(true), Fails),
            on("aws_s3_bucket_public_access_block", &["restrict_public_buckets"], Is(true), Fails),
            on("aws_s3_account_public_access_block", &["block_public_acls"], Is(true), Fails),
            on("aws_s3_account_public_access_block", &["block_public_policy"], Is(true), Fails),
            on("aws_s3_account_public_access_block", &["ignore_public_acls"], Is(true), Fails),
            on("aws_s3_account_public_access_block", &["restrict_public_buckets"], Is(true), Fails),
            on("AWS::S3::Bucket", &["PublicAccessBlockConfiguration", "BlockPublicAcls"], Is(true), Passes),
            on("AWS::S3::Bucket", &["PublicAccessBlockConfiguration", "BlockPublicPolicy"], Is(true), Passes),
            on("AWS::S3::Bucket", &["PublicAccessBlockConfiguration", "IgnorePublicAcls"], Is(true), Passes),
            on("AWS::S3::Bucket", &["PublicAccessBlockConfiguration", "RestrictPublicBuckets"], Is(true), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-bucket-unversioned",
            title: "a bucket keeps no earlier versions",
            severity: Severity::Low,
            help: "\
What is overwritten or deleted, by mistake or by an attacker who wants a ransom, is gone. With versions it can be brought back.

Bad:

```hcl
resource \"aws_s3_bucket_versioning\" \"a\" {
  versioning_configuration {
    status = \"none-of-these\"
  }
}
```

Good:

```hcl
resource \"aws_s3_bucket_versioning\" \"a\" {
  versioning_configuration {
    status = \"Enabled\"
  }
}
```",
            references: &["https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html"],
        },
        on: &[
            on("aws_s3_bucket_versioning", &["versioning_configuration", "status"], OneOf(&["Enabled"]), Fails),
            on("aws_s3_bucket", &["versioning", "enabled"], Is(true), Passes),
            on("AWS::S3::Bucket", &["VersioningConfiguration", "Status"], OneOf(&["Enabled"]), Fails),
        ],
    },
];
